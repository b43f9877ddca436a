package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// tryTemplate reads a case's template or cloud assembly, and returns what differs.
func tryTemplate(c *Case) []string {
	fsys := fstest.MapFS{}
	name, all := "template", maps.Clone(c.Config.Files)
	if c.Config.Assembly != nil {
		name, all = "manifest.json", c.Config.Assembly
	} else {
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		all[name] = c.Config.Template
	}
	for file, raw := range all {
		text, err := documentText(raw)
		if err != nil {
			return []string{err.Error()}
		}
		fsys[file] = &fstest.MapFile{Data: text}
	}
	o := cloudformation.Options{Stack: c.Config.Stack, Account: c.Config.Account, Region: c.Config.Region,
		Parameters: map[string]string{}}
	for parameter, v := range c.Config.Parameters {
		o.Parameters[parameter] = parameterText(v)
	}
	doc, err := cloudformation.Read(fsys, name, o)
	cmp := &comparison{bound: map[string]string{}}
	switch {
	case c.Expected["refused"] == true:
		delete(c.Expected, "message") // whom an error blames is judged, and not its wording
		cmp.refusal(c, err)
		return cmp.found
	case err != nil:
		return []string{err.Error()}
	}
	cmp.document(c.Expected, doc)
	return cmp.found
}

// parameterText is a parameter's value as a text; a list has commas.
func parameterText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	text := ""
	for i, item := range list {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprint(item)
	}
	return text
}

// document compares all that a template gives.
func (c *comparison) document(expected map[string]any, doc *definition.Document) {
	apis := map[string]*definition.API{}
	for _, a := range doc.APIs {
		apis[a.ID] = a
	}
	protected := map[string]bool{}
	var ids []string
	wanted, _ := expected["apis"].([]any)
	for _, element := range wanted {
		want, _ := element.(map[string]any)
		id, _ := want["id"].(string)
		ids = append(ids, id)
		for key := range protectedBy(want) {
			protected[id+" "+key] = true
		}
		if a := apis[id]; a != nil {
			c.api(id+".", want, a)
		}
	}
	c.names("apis", ids, slices.Sorted(maps.Keys(apis)))
	got, _ := generic(doc).(map[string]any)
	for _, name := range []string{"usage_plans", "api_keys", "domains"} {
		want, _ := expected[name].(map[string]any)
		members, _ := got[name].(map[string]any)
		if name == "domains" {
			maps.DeleteFunc(members, func(host string, v any) bool {
				private, _ := v.(map[string]any)
				return private["private"] == true && want[host] == nil // which no recorder looked for
			})
			for host := range want {
				byPath(want[host])
				byPath(members[host])
			}
		}
		c.names(name, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(members)))
		for _, key := range slices.Sorted(maps.Keys(want)) {
			c.value(name+"."+key, want[key], members[key])
		}
	}
	c.closed(doc, protected)
}

// byPath sorts a domain's mappings, whose order says nothing.
func byPath(domain any) {
	members, _ := domain.(map[string]any)
	mappings, _ := members["mappings"].([]any)
	slices.SortStableFunc(mappings, func(a, b any) int { return strings.Compare(show(a), show(b)) })
}
