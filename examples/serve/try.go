package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// export prints each API that has one as an OpenAPI document.
func export(doc *definition.Document) error {
	for _, api := range doc.APIs {
		if api.Flavor == definition.FlavorWebSocket {
			continue
		}
		text, err := openapi.Write(doc, api.ID, openapi.Options{EndpointTypes: api.EndpointTypes})
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", text)
	}
	return nil
}

// print prints the report, the routes, and lines to try in one shell.
func (s *server) print() {
	fmt.Print(s.gateway.Report())
	for i, api := range s.doc.APIs {
		at := "API" + strings.Repeat("I", i)
		fmt.Printf("\n%s, %s\n%s\n%s=%s\n", cmp.Or(api.Name, api.ID), api.Flavor, api.Table(), at, s.urls[api.ID])
	}
	fmt.Printf("MINT=%s\n", s.urls[""])
	for i, api := range s.doc.APIs {
		stage := strings.TrimSuffix("/"+slices.Sorted(maps.Keys(api.Stages))[0], "/$default")
		if api.Flavor == definition.FlavorWebSocket {
			fmt.Printf("# a WebSocket client connects to ws%s%s\n", s.urls[api.ID][len("http"):], stage)
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(api.Routes)) {
			s.try(api, key, "$API"+strings.Repeat("I", i)+stage)
		}
	}
	if s.own {
		fmt.Printf(ownLines, s.doc.APIs[0].Authorizers["Users"].Audience[0])
	}
	fmt.Println("\n# ctrl-c ends it")
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// try prints a line that calls a route, after one that mints the token for it and one without.
func (s *server) try(api *definition.API, key, at string) {
	r := api.Routes[key]
	method, path, _ := strings.Cut(key, " ")
	if key == "$default" {
		method, path = "GET", "/"
	}
	curl := fmt.Sprintf(`curl -sw ' %%{http_code}\n' -X %s`, strings.Replace(method, "ANY", "GET", 1))
	where := at + pathVariable.ReplaceAllString(path, "7")
	headers, answer := "", ""
	if s.own {
		answer = `   # {"for":"ann","id":"7","shop":"books"} 200`
	}
	if r.APIKeyRequired {
		for _, id := range slices.Sorted(maps.Keys(s.doc.APIKeys)) {
			headers = fmt.Sprintf(` -H 'X-Api-Key: %s'`, cmp.Or(s.doc.APIKeys[id].Value, s.keyOf(id)))
		}
	}
	if r.Auth.Type == definition.AuthJWT || r.Auth.Type == definition.AuthCognito {
		fmt.Printf("%s%s %s   # {\"message\":\"Unauthorized\"} 401\n", curl, headers, where)
		fmt.Printf("TOKEN=$(curl -s -d '%s' $MINT)\n", claims(api.Authorizers[r.Auth.Authorizer], r.Auth))
		headers += ` -H "Authorization: Bearer $TOKEN"`
	}
	fmt.Printf("%s%s %s%s\n", curl, headers, where, answer)
}

// claims are those that an authorizer and a route want, as a form.
func claims(a *definition.Authorizer, want definition.Auth) string {
	form := url.Values{"sub": {"ann"}}
	if a != nil && len(a.Audience) > 0 {
		form.Set("aud", a.Audience[0])
	}
	if want.Type == definition.AuthCognito {
		form.Set("token_use", "id")
	}
	if len(want.Scopes) > 0 {
		form.Set("scope", want.Scopes[0])
		if want.Type == definition.AuthCognito {
			form.Set("token_use", "access")
		}
	}
	return form.Encode()
}

// ownLines are for the app of this folder.
const ownLines = `# a function that fails: the log has what it says
curl -sw ' %%{http_code}\n' -H "Authorization: Bearer $TOKEN" $API/orders/0   # {"message":"Internal Server Error"} 500
# a token without the scope
OTHER=$(curl -s -d 'aud=%s&sub=bob&scope=orders/write' $MINT)
curl -sw ' %%{http_code}\n' -H "Authorization: Bearer $OTHER" $API/orders/7   # {"message":"Forbidden"} 403
# what a browser asks first, for a page of https://myapp.com
ASK='Access-Control-Request-Method: GET'
curl -sw '%%header{access-control-allow-origin} %%{http_code}\n' -X OPTIONS -H 'Origin: https://myapp.com' -H "$ASK" $API/orders/7   # https://myapp.com 204
`
