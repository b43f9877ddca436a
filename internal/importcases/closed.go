package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// reached is the header of an answer that came from behind the rules.
const reached = "X-Reached"

// stage is what an API is served under that has none.
const stage = "test"

// closed builds the document, asks each route that is to be protected for something as a stranger,
// and tells of those that answer with anything but a refusal. protected adds to what the document
// itself says.
func (c *comparison) closed(doc *definition.Document, protected map[string]bool) {
	g, err := definition.Build(context.Background(), doc, bindings())
	if err != nil {
		c.differ("build", "%v", err)
		return
	}
	defer g.Close()
	if n := len(g.Report().Routes); n != count(doc) {
		c.differ("report", "want %d routes, got %d", count(doc), n)
	}
	for _, api := range doc.APIs {
		stages := slices.Sorted(maps.Keys(api.Stages))
		if len(stages) == 0 {
			stages = []string{stage}
		}
		for _, name := range stages {
			if _, unknown := definition.UnknownIn(name); unknown || name == "" {
				continue // a template's mistake: nobody can call it
			}
			h, err := g.Stage(api.ID, name)
			if err != nil {
				c.differ("build", "%v", err)
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(api.Routes)) {
				route := api.Routes[key]
				if protected[key] || protected[api.ID+" "+key] || route.APIKeyRequired ||
					route.Auth.Type != definition.AuthNone {
					c.stranger(h, name, key)
				}
			}
		}
	}
}

func count(doc *definition.Document) (n int) {
	for _, api := range doc.APIs {
		n += len(api.Routes)
	}
	return n
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// stranger sends a request without credentials.
func (c *comparison) stranger(h http.Handler, stage, key string) {
	method, path, ok := strings.Cut(key, " ")
	if !ok || method == "ANY" {
		method = http.MethodGet
	}
	if !ok {
		path = "/no/route/has/this"
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "http://api.example"+variable.ReplaceAllString(path, "v"), nil))
	if w.Code < 400 || w.Header().Get(reached) != "" {
		c.differ("closed", "%s on the stage %s answers a stranger with %d", key, stage, w.Code)
	}
}

// bindings let everything through that a stranger could get to, and reach no network.
func bindings() definition.Bindings {
	backend := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(reached, "yes") })
	return definition.Bindings{
		OtherHandler:  func(definition.Ref) (http.Handler, bool) { return backend, true },
		OtherFunction: func(definition.Ref) (gatekit.Invoker, bool) { return answer{}, true },
		OtherIssuer: func(definition.Ref) (definition.IssuerBinding, bool) {
			return definition.IssuerBinding{HTTPClient: &http.Client{Transport: nowhere{}}}, true
		},
		DefaultStage: stage, ServePrivate: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// answer is a function that is asked for a decision in vain.
type answer struct{}

func (answer) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":200,"headers":{"` + reached + `":"yes"}}`), nil
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("importcases: no network")
}

// protectedBy are the routes that the case expects to be protected.
func protectedBy(expected map[string]any) map[string]bool {
	all := map[string]bool{}
	for _, name := range []string{"routes", "methods"} {
		routes, _ := expected[name].(map[string]any)
		for key, v := range routes {
			route, _ := v.(map[string]any)
			auth, _ := route["auth"].(map[string]any)
			kind, _ := auth["type"].(string)
			recorded, _ := route["authorizationType"].(string)
			if kind != "" && kind != definition.AuthNone || recorded != "" && recorded != definition.AuthNone ||
				route["api_key_required"] == true || route["apiKeyRequired"] == true {
				all[key] = true
			}
		}
	}
	return all
}
