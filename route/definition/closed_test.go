package definition_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// protected is a document each of whose routes is for somebody.
const protected = `{"apis":[{"id":"R","flavor":"REST","routes":{
	"GET /token":{"auth":{"type":"CUSTOM","authorizer":"T"},"integration":INTEGRATION},
	"GET /request":{"auth":{"type":"CUSTOM","authorizer":"Q"},"integration":INTEGRATION},
	"GET /pool":{"auth":{"type":"COGNITO_USER_POOLS","authorizer":"C","scopes":["a"]},"integration":INTEGRATION},
	"GET /signed":{"auth":{"type":"AWS_IAM"},"integration":INTEGRATION},
	"GET /key":{"auth":{"type":"NONE"},"api_key_required":true,"integration":INTEGRATION},
	"GET /both":{"auth":{"type":"CUSTOM","authorizer":"T"},"api_key_required":true,"integration":INTEGRATION},
	"ANY /any/{proxy+}":{"auth":{"type":"CUSTOM","authorizer":"T"},"integration":{"type":"MOCK","target":{"kind":"mock"},
		"request_templates":{"application/json":"{\"statusCode\":200}"},"responses":[{"status":"200","templates":{"application/json":"SERVED"}}]}},
	"ANY /{proxy+}":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},
		"request_templates":{"application/json":"{\"statusCode\":200}"},"responses":[{"status":"200","templates":{"application/json":"OPEN"}}]}}},
	"authorizers":{"T":{"type":"TOKEN","target":{"kind":"lambda","function":"J"},"identity_source":["method.request.header.Authorization"],"ttl":60},
		"Q":{"type":"REQUEST","target":{"kind":"lambda","name":"J","qualifier":"${stageVariables.q}"},"identity_source":["method.request.header.X"]},
		"C":{"type":"COGNITO_USER_POOLS","providers":["Pool"],"identity_source":["method.request.header.Authorization"]}},
	"stages":{"prod":{"variables":{"q":"live"},"cache":"0.5","method_settings":[{"path":"/*","method":"*","rate":100,"burst":100,"caching":true}]}}},
	{"id":"P","flavor":"REST","routes":{"GET /policy":{"auth":{"type":"NONE"},"integration":INTEGRATION},"GET /iam":{"auth":{"type":"AWS_IAM"},"integration":INTEGRATION}},
	"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"IpAddress":{"aws:SourceIp":["10.9.8.0/24"]}}}]},
	"stages":{"prod":{"canary":{"percent":50,"overrides":{"a":"b"}}}}},
	{"id":"H","flavor":"HTTP","routes":{
	"GET /jwt":{"auth":{"type":"JWT","authorizer":"J","scopes":["a"]},"integration":INTEGRATION},
	"GET /lambda":{"auth":{"type":"CUSTOM","authorizer":"L"},"integration":INTEGRATION},
	"$default":{"auth":{"type":"AWS_IAM"},"integration":INTEGRATION}},
	"authorizers":{"J":{"type":"JWT","issuer":"https://issuer.example","audience":["me"],"identity_source":["$request.header.Authorization"]},
		"L":{"type":"REQUEST","target":{"kind":"lambda","function":"J"},"payload_format":"2.0","identity_source":["$request.header.Authorization"],"ttl":9}},
	"stages":{"$default":{"throttle":{"rate":100,"burst":100}},"prod":{}}}],
	"usage_plans":{"Plan":{"stages":[{"api":"R","stage":"prod","throttle":{"/key/GET":{"rate":9,"burst":9}}}],"quota":{"limit":100,"period":"DAY"},"keys":["K"]}},
	"api_keys":{"K":{"enabled":true,"value":"0123456789abcdefghij"}},
	"domains":{"api.example.com":{"mappings":[{"api":"R","stage":"prod","base_path":"r"},{"api":"P","stage":"prod","base_path":"p"},{"api":"H","stage":"$default"}]}},
	"resources":{"Pool":{"type":"AWS::Cognito::UserPool","arn":"arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Abc"}}}`

// damaged returns the document with a part of what protects broken in some way: a value that nobody
// knows, one of another kind, one that isn't there, a route key that no API takes. What a document
// leaves open by saying so (api_key_required, NONE, another statement of a policy) isn't touched.
func damaged(r *rand.Rand, text string) string {
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		panic(err)
	}
	var spots []func()
	var walk func(at string, v any, set func(any), remove func())
	walk = func(at string, v any, set func(any), remove func()) {
		inPolicy := strings.Contains(at, ".policy")
		for _, guard := range []string{".auth.", ".authorizers", ".usage_plans", ".api_keys", ".stages", ".resources", ".policy", ".domains"} {
			if !strings.Contains(at, guard) {
				continue
			}
			spots = append(spots, func() {
				switch n := r.IntN(5); {
				case n == 0 && remove != nil && !inPolicy:
					remove()
				case n == 1 && !inPolicy:
					set("")
				case n == 2 && !inPolicy:
					set("(?=oops")
				case n == 3:
					set([]any{})
				default:
					set(definition.Unknown("Custom::Lookup." + at))
				}
			})
			break
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(at+"."+key, v[key], func(x any) { v[key] = x }, func() { delete(v, key) })
			}
		case []any:
			for i := range v {
				walk(fmt.Sprint(at, ".", i), v[i], func(x any) { v[i] = x }, nil)
			}
		}
	}
	walk("", doc, nil, nil)
	for _, api := range doc["apis"].([]any) {
		routes := api.(map[string]any)["routes"].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(routes)) {
			spots = append(spots, func() {
				spelled := key + []string{"/", "/{x", " x", "/" + definition.Unknown("Path"), "/:x"}[r.IntN(5)]
				routes[spelled] = routes[key]
				delete(routes, key)
			})
		}
	}
	for range 1 + r.IntN(3) {
		spots[r.IntN(len(spots))]()
	}
	out, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// No route that a document protects answers an anonymous request with anything but its refusal,
// whatever of its protection can't be built; and each route is served, or is in the report.
func TestClosed(t *testing.T) {
	iss := authtest.NewIssuer(t)
	text := strings.ReplaceAll(protected, "INTEGRATION", `{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Served"}}`)
	whole := definition.Bindings{
		Functions:   map[string]gatekit.Invoker{"Served": fn("SERVED"), "J": &judge{}},
		Issuers:     map[string]definition.IssuerBinding{"Pool": {URL: iss.URL()}, "https://issuer.example": {URL: iss.URL(), JWKS: iss.JWKS()}},
		Credentials: auth.StaticCredentials{}, Logger: slog.New(slog.DiscardHandler),
	}
	g := build(t, text, whole)
	served, all := g.Report().Served()
	require.Equal(t, []int{13, 13}, []int{served, all}, "%s", g.Report())
	require.Equal(t, "200 SERVED map[q:live]", ask(g, "GET", "http://api.example.com/r/token", "Authorization: yes"))

	built, refused := 0, 0
	for seed := range 800 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		broken := damaged(r, text)
		doc, err := definition.Unmarshal([]byte(broken))
		if err != nil {
			continue // a value of another kind
		}
		b := whole
		switch r.IntN(6) {
		case 0:
			b.Functions = functions("Served")
		case 1:
			b.Issuers = nil
		case 2:
			b.Credentials = nil
		}
		g, err := definition.Build(t.Context(), doc, b)
		require.NoError(t, err, "%s", broken)
		built++
		report := g.Report()
		served, all := report.Served()
		require.Equal(t, 13, all)
		refused += all - served
		for _, route := range report.Routes {
			require.Equal(t, route.Served, route.Why == "", "%+v\n%s", route, broken)
		}
		for i, url := range []string{"/prod/token", "/prod/request", "/prod/pool", "/prod/signed", "/prod/key", "/prod/both", "/prod/any/x",
			"/prod/policy", "/prod/iam", "/prod/jwt", "/prod/lambda", "/prod/x", "/jwt", "/lambda", "/x"} {
			for _, h := range handlersOf(g, doc, url) {
				got := ask(h.handler, "GET", h.url)
				require.NotContains(t, got, "SERVED", "seed %d: %s of %s\n%s", seed, h.url, broken, report)
				if i < 7 && !strings.Contains(h.url, "api.example.com") { // whose base paths may be broken
					require.NotContains(t, got, "OPEN", "seed %d: %s of %s\n%s", seed, h.url, broken, report)
				}
			}
		}
		require.NoError(t, g.Close())
	}
	require.Greater(t, built, 200)
	require.Greater(t, refused, 300)
}

type handlerAt struct {
	handler http.Handler
	url     string
}

// handlersOf are all ways to a path: by each API's host, by the domain, by the stages.
func handlersOf(g *definition.Gateway, doc *definition.Document, path string) (all []handlerAt) {
	for _, a := range doc.APIs {
		all = append(all, handlerAt{g, "http://" + strings.ToLower(a.Identifier()) + ".execute-api.localhost" + path})
		for stage := range a.Stages {
			if h, err := g.Stage(a.ID, stage); err == nil {
				all = append(all, handlerAt{h, strings.TrimPrefix(path, "/prod")})
			}
		}
	}
	for _, base := range []string{"/r", "/p", ""} {
		all = append(all, handlerAt{g, "http://api.example.com" + base + strings.TrimPrefix(path, "/prod")})
	}
	return all
}

// Where some of an API's routes aren't known none is served: a request for one that is lost would
// come to another.
func TestUnknownRoutesAreClosed(t *testing.T) {
	open := `{"apis":[{"id":"A","flavor":"REST","routes":{"ANY /{proxy+}":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},
		"request_templates":{"application/json":"{\"statusCode\":200}"},"responses":[{"status":"200"}]}}},"stages":{"s":{}}MORE}]}`
	for more, want := range map[string]string{"": "200 ", `,"routes_unknown":true`: "500 "} {
		g := build(t, strings.Replace(open, "MORE", more, 1), definition.Bindings{})
		h, err := g.Stage("A", "s")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(ask(h, "GET", "/admin"), want))
		require.Equal(t, want == "200 ", g.Report().Routes[0].Served)
	}
}
