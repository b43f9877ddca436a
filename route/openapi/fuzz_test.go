package openapi_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// Whatever is read is a document that can be kept, and what is written of it is read as the same
// routes and authorizers. Of what is refused there is nothing.
func FuzzRead(f *testing.F) {
	for _, d := range documents {
		text, err := os.ReadFile("testdata/" + d.file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, d.o.BasePath, false)
	}
	for _, seed := range []string{"openapi: 3.0.1", rest("/a:\n  get: {"+mock+"}", schemes), get("type: http, uri: 'https://${stageVariables.h}/{x}'", "security: [{a: [b]}]"),
		`{"swagger":"2.0","paths":{"/a":{"$ref":"#/paths/~1a"}}}`, "openapi: 3.0.1\npaths: &a {/x: {get: *a}}", rest("/$default:\n  x-amazon-apigateway-any-method: {isDefaultRoute: true}", "")} {
		f.Add([]byte(seed), "prepend", true)
	}
	f.Fuzz(func(t *testing.T, text []byte, basePath string, http bool) {
		o := openapi.Options{BasePath: basePath}
		if http {
			o.Flavor = definition.FlavorHTTP
		}
		doc, err := openapi.Read(text, o)
		if err != nil {
			if doc != nil {
				t.Fatal("a document beside an error")
			}
			return
		}
		if kept, err := doc.MarshalJSON(); err != nil {
			t.Fatal(err)
		} else if _, err := definition.Unmarshal(kept); err != nil {
			t.Fatalf("%v, of %s", err, kept)
		}
		if _, err := openapi.Write(doc, "", openapi.Options{Public: true}); err != nil {
			t.Fatal(err)
		}
		written, err := openapi.Write(doc, "", openapi.Options{})
		if err != nil {
			if !strings.Contains(err.Error(), "Auth: want an authorizer of the API") { // of a type that nothing decides
				t.Fatal(err)
			}
			return
		}
		again, err := openapi.Read(written, openapi.Options{Flavor: doc.APIs[0].Flavor})
		if err != nil {
			return // such as a reference to a model's part that isn't there any more
		}
		a, b := guards(doc), guards(again)
		if !reflect.DeepEqual(a, b) {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			t.Fatalf("read of %q: %s\nread of what was written: %s", text, x, y)
		}
	})
}

// guards is who may call which route.
func guards(doc *definition.Document) map[string]definition.Auth {
	all := map[string]definition.Auth{}
	for key, route := range doc.APIs[0].Routes {
		auth := route.Auth
		if len(auth.Scopes) == 0 {
			auth.Scopes = nil
		}
		if route.APIKeyRequired {
			auth.Type += " and key"
		}
		all[key] = auth
	}
	return all
}
