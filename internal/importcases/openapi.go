package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// tryOpenAPI reads a case's document, and returns what differs.
func tryOpenAPI(c *Case) []string {
	text, err := documentText(c.Config.Document)
	if err != nil {
		return []string{err.Error()}
	}
	parameters := c.Config.Parameters
	basePath, _ := parameters["basepath"].(string)
	flavor := cmp.Or(c.Config.Flavor, definition.FlavorREST) // as the recorded imports were
	doc, err := openapi.Read(text, openapi.Options{Flavor: flavor, BasePath: basePath,
		FailOnWarnings: fmt.Sprint(parameters["failonwarnings"]) == "true"})
	found := &comparison{bound: map[string]string{}}
	switch {
	case c.Expected["refused"] == true:
		found.refusal(c, err)
		return found.found
	case err != nil:
		return []string{err.Error()}
	}
	protected := protectedBy(c.Expected)
	maps.Copy(protected, secured(text, doc))
	found.closed(doc, protected)
	api := doc.APIs[0]
	if methods, ok := c.Expected["methods"].(map[string]any); ok {
		if err := found.recorded(c, methods, doc); err != nil {
			return []string{err.Error()}
		}
		return found.found
	}
	found.api("", c.Expected, api)
	return found.found
}

// api compares an API with what is expected of it.
func (c *comparison) api(at string, expected map[string]any, api *definition.API) {
	got, _ := generic(api).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		switch want := expected[name].(type) {
		case map[string]any:
			if name == "routes" || name == "authorizers" || name == "stages" {
				members, _ := got[name].(map[string]any)
				c.renamed(want, members)
				c.names(at+name, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(members)))
			}
			c.value(at+name, want, got[name])
		case []any:
			if name == "models" {
				c.names(at+name, texts(want), slices.Sorted(maps.Keys(api.Models)))
				continue
			}
			c.value(at+name, want, got[name])
		default:
			c.value(at+name, want, got[name])
		}
	}
	routes, _ := expected["routes"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(api.Routes)) {
		want, _ := routes[key].(map[string]any)
		if api.Routes[key].APIKeyRequired && want != nil && want["api_key_required"] != true {
			c.differ(at+"routes."+key, "got api_key_required, which isn't expected")
		}
	}
}

// renamed gives a member of got whose name only a deployment knows the name that want has for it.
func (c *comparison) renamed(want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != nil || !placeholder.MatchString(name) {
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(got)) {
			if want[other] == nil && c.text(name, other) {
				got[name] = got[other]
				delete(got, other)
				break
			}
		}
	}
}

// documentText is a case's document as bytes: text, or JSON.
func documentText(raw json.RawMessage) ([]byte, error) {
	var forms struct {
		YAML *string `json:"$yaml"`
		Text *string `json:"$text"`
	}
	if err := json.Unmarshal(raw, &forms); err != nil {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("the case's document: %w", err)
	}
	switch {
	case forms.YAML != nil:
		return []byte(*forms.YAML), nil
	case forms.Text != nil:
		return []byte(*forms.Text), nil
	}
	return raw, nil
}

// refusal judges the error of a document that is to be refused: it has the message, if one is
// recorded, and each name.
func (c *comparison) refusal(of *Case, err error) {
	if err == nil {
		c.differ("refused", "want an error, got none")
		return
	}
	if message, ok := of.Expected["message"].(string); ok && !strings.Contains(err.Error(), message) {
		c.differ("refused", "want %q in the error, got %q", message, err)
	}
	names, _ := of.Expected["names"].([]any)
	for _, name := range texts(names) {
		if !strings.Contains(err.Error(), name) {
			c.differ("refused", "want the name %q in the error, got %q", name, err)
		}
	}
}

func texts(list []any) (all []string) {
	for _, v := range list {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// warnings are those of the import that a document has.
func warnings(doc *definition.Document) (all []string) {
	for _, f := range doc.Findings {
		if f.Severity == definition.Warning {
			all = append(all, f.What)
		}
	}
	return all
}
