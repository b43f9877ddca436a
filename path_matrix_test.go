package gatekit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// onePath is what every reader must make of what was sent: which route, the path that was routed and is told, the ARN's end, the greedy
// variable. The table of package route's doc says the same in words.
type onePath struct{ key, routed, arn, proxy string }

const toAdmin, toProxy = "GET /admin", "ANY /{proxy+}"

// pathMatrix has what was sent, behind stage and base path, and what an HTTP API and a REST API make of it.
var pathMatrix = []struct {
	sent       string
	http, rest onePath
}{
	{"/admin", onePath{toAdmin, "/admin", "admin", ""}, onePath{toAdmin, "/admin", "admin", ""}},
	{"/%61dmin", onePath{toAdmin, "/%61dmin", "admin", ""}, onePath{toAdmin, "/%61dmin", "admin", ""}},
	{"/admin/", onePath{toProxy, "/admin/", "admin/", "admin/"}, onePath{toAdmin, "/admin/", "admin", ""}},
	{"//admin", onePath{toProxy, "//admin", "/admin", "/admin"}, onePath{toAdmin, "/admin", "admin", ""}},
	{"///admin", onePath{toProxy, "///admin", "//admin", "//admin"}, onePath{toAdmin, "/admin", "admin", ""}},
	{"//a%2fb", onePath{toProxy, "//a%2fb", "/a%2Fb", "/a%2fb"}, onePath{toProxy, "/a%2fb", "a%2Fb", "a%2fb"}},
	{"/a//b", onePath{toProxy, "/a//b", "a//b", "a//b"}, onePath{toProxy, "/a//b", "a//b", "a//b"}},
	{"/a/b/", onePath{toProxy, "/a/b/", "a/b/", "a/b/"}, onePath{toProxy, "/a/b/", "a/b", "a/b"}},
	{"/%2Fadmin", onePath{toProxy, "/%2Fadmin", "%2Fadmin", "%2Fadmin"}, onePath{toProxy, "/%2Fadmin", "%2Fadmin", "%2Fadmin"}},
	{"/files%2Fsecret", onePath{toProxy, "/files%2Fsecret", "files%2Fsecret", "files%2Fsecret"}, onePath{toProxy, "/files%2Fsecret", "files%2Fsecret", "files%2Fsecret"}},
	{"/files%2fsecret", onePath{toProxy, "/files%2fsecret", "files%2Fsecret", "files%2fsecret"}, onePath{toProxy, "/files%2fsecret", "files%2Fsecret", "files%2fsecret"}},
	{"/admin%2f", onePath{toProxy, "/admin%2f", "admin%2F", "admin%2f"}, onePath{toProxy, "/admin%2f", "admin%2F", "admin%2f"}},
	{"/admin;x=1", onePath{toProxy, "/admin;x=1", "admin;x=1", "admin;x=1"}, onePath{toProxy, "/admin;x=1", "admin;x=1", "admin;x=1"}},
	{"/admin%3bx", onePath{toProxy, "/admin%3bx", "admin;x", "admin%3bx"}, onePath{toProxy, "/admin%3bx", "admin;x", "admin%3bx"}},
	{"/100%25", onePath{toProxy, "/100%25", "100%25", "100%25"}, onePath{toProxy, "/100%25", "100%25", "100%25"}},
	{"/a%252Fb", onePath{toProxy, "/a%252Fb", "a%252Fb", "a%252Fb"}, onePath{toProxy, "/a%252Fb", "a%252Fb", "a%252Fb"}},
	{"/%252e%252e/a", onePath{toProxy, "/%252e%252e/a", "%252e%252e/a", "%252e%252e/a"}, onePath{toProxy, "/%252e%252e/a", "%252e%252e/a", "%252e%252e/a"}},
	{"/a%20b", onePath{toProxy, "/a%20b", "a%20b", "a%20b"}, onePath{toProxy, "/a%20b", "a%20b", "a%20b"}},
	{"/caf%c3%a9", onePath{toProxy, "/caf%c3%a9", "caf%C3%A9", "caf%c3%a9"}, onePath{toProxy, "/caf%c3%a9", "caf%C3%A9", "caf%c3%a9"}},
	{"/a%3Fb%23", onePath{toProxy, "/a%3Fb%23", "a%3Fb%23", "a%3Fb%23"}, onePath{toProxy, "/a%3Fb%23", "a%3Fb%23", "a%3Fb%23"}},
}

// refusedPaths are 400 before any authorizer, whatever the flavor.
var refusedPaths = []string{
	"/./admin", "/a/../admin", "/..", "/.", "/a/..", "/a/.", "/%2e/admin", "/%2e%2e/admin", "/.%2e/admin", "/%2E./admin", "/a/%2e%2e%2fadmin", "/a%2f..%2fadmin", "/a%2F%2e%2e",
	"/..;/admin", "/a/..;/admin", "/a/..;x=1/b", "/.;/admin", "/..%3b/admin", "/%2e%2e;/admin", "/%2e%2e%3B", "//..//admin",
	"/a%00", "/%00", "/a%5Cb", "/a%5cb", "/..%5Cadmin", `/a\b`, `/..\admin`, "/%", "/%zz", "/a%2", "/a%g0",
}

// front is a way to an API: what stands before the paths, and what the stage in front of them is called in events and ARNs.
type front struct {
	name, prefix string
	custom       bool // functions of REST APIs see the prefix
	wrap         func(t *testing.T, api *route.API) http.Handler
}

func stagesOf(t *testing.T, api *route.API) *route.Stages {
	stages, err := route.NewStages(route.Stage{Name: "dev", API: api})
	require.NoError(t, err)
	return stages
}

func underDomain(t *testing.T, basePath string, h http.Handler) http.Handler {
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: basePath, Handler: h}}}}})
	require.NoError(t, err)
	return d
}

var fronts = []front{
	{"alone", "", false, func(_ *testing.T, api *route.API) http.Handler { return api }},
	{"stage-in-path", "/dev", false, func(t *testing.T, api *route.API) http.Handler { return stagesOf(t, api) }},
	{"strip-prefix", "/v1", false, func(_ *testing.T, api *route.API) http.Handler { return http.StripPrefix("/v1", api) }},
	{"base-path", "/orders", true, func(t *testing.T, api *route.API) http.Handler {
		return underDomain(t, "orders", gatekit.Must(stagesOf(t, api).Handler("dev")))
	}},
	{"no-base-path", "", true, func(t *testing.T, api *route.API) http.Handler {
		return underDomain(t, "", gatekit.Must(stagesOf(t, api).Handler("dev")))
	}},
	{"base-path-and-stage", "/orders/dev", true, func(t *testing.T, api *route.API) http.Handler { return underDomain(t, "orders", stagesOf(t, api)) }},
}

// fromWire is the request that a server makes of this target, or nil where it answers 400 by itself.
func fromWire(target string) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: token\r\n\r\n")))
	if err != nil {
		return nil
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// Every reader of a path sees one and the same: the route, the handler, authorizers of every type, policies, events of every format, HTTP
// integrations, mappings, templates and the cache.
func TestEveryReaderSeesOnePath(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		for _, f := range fronts {
			t.Run(fmt.Sprint(flavor, "/", f.name), func(t *testing.T) {
				var want onePath
				probed := ""
				readers := newReaders(t, flavor)
				api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor, Stage: "dev"}}))
				probe := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					probed = gatekit.RouteKey(r)
					readers.check(t, r, f, want)
				})
				api.Handle(toAdmin, probe)
				api.Handle(toProxy, probe)
				h := f.wrap(t, api)
				for _, tt := range pathMatrix {
					if want = tt.http; flavor == gatekit.REST {
						want = tt.rest
					}
					probed = ""
					r := fromWire(f.prefix + tt.sent)
					require.NotNil(t, r, tt.sent)
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					require.Equal(t, want.key, probed, "%s is routed to (%d)", tt.sent, w.Code)
					if f.name == "alone" {
						require.Equal(t, want.key, api.Match("GET", tt.sent), tt.sent)
					}
				}
				probed = ""
				for _, path := range refusedPaths {
					if r := fromWire(f.prefix + path); r != nil {
						w := httptest.NewRecorder()
						h.ServeHTTP(w, r)
						require.Equal(t, 400, w.Code, path)
						require.Empty(t, probed, path)
					}
					require.Empty(t, api.Match("GET", path), path)
				}
			})
		}
	}
}

// readers read the path of a request that has been routed.
type readers struct {
	flavor   gatekit.Flavor
	upstream string // echoes the request line's target
	caches   map[string]http.Handler
	event    map[string]any // the last one that a function was told
}

func newReaders(t *testing.T, flavor gatekit.Flavor) *readers {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) }))
	t.Cleanup(upstream.Close)
	rs := &readers{flavor: flavor, upstream: upstream.URL, caches: map[string]http.Handler{}}
	for name, key := range map[string][]string{"whole": nil, "variable": {"method.request.path.proxy"}} {
		c := gatekit.Must(cache.New(t.Context(), cache.Config{Route: cache.Route{Key: key, Public: true}}))
		rs.caches[name] = c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := gatekit.PathOf(r)
			fmt.Fprint(w, path.Told(r.URL))
		}))
	}
	return rs
}

// function answers as fn does, and keeps the event.
func (rs *readers) function(answer string) gatekit.Invoker {
	return invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		rs.event = map[string]any{}
		return []byte(answer), json.Unmarshal(payload, &rs.event)
	})
}

func answerOf(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var admitted = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })

func (rs *readers) check(t *testing.T, r *http.Request, f front, want onePath) {
	t.Helper()
	received := r.RequestURI
	path := gatekit.PathOf(r)
	require.Equal(t, received, path.Received())
	require.Equal(t, want.routed, path.Routed().String(), received)
	require.Equal(t, want.routed, r.URL.EscapedPath(), "handlers of %s", received)
	escaped, decoded, ok := gatekit.PathVariable(r, "proxy")
	require.Equal(t, want.key == toProxy, ok)
	require.Equal(t, want.proxy, escaped, received)
	require.Equal(t, unescaped(t, want.proxy), decoded, received)
	require.Equal(t, decoded, r.PathValue("proxy"), received)
	rs.checkAuth(t, r, f, want)
	rs.checkEvents(t, r, f, want)
	rs.checkUpstreams(t, r, want)
	rs.checkMappings(t, r, want)
	for name, c := range rs.caches {
		if want.key == toProxy { // each answer is of its own path, and comes back for it
			require.Equal(t, want.routed, answerOf(c, r).Body.String(), "cached by %s: %s", name, received)
			require.Equal(t, want.routed, answerOf(c, r).Body.String(), "cached by %s: %s", name, received)
		}
	}
}

func unescaped(t *testing.T, s string) string {
	decoded, err := url.PathUnescape(s)
	require.NoError(t, err)
	return decoded
}

// checkAuth asks authorizers and policies that know the one ARN, and no other.
func (rs *readers) checkAuth(t *testing.T, r *http.Request, f front, want onePath) {
	t.Helper()
	arn := "arn:aws:execute-api:unknown:000000000000:unknown/dev/GET/" + want.arn
	for effect, status := range map[string]int{"Allow": 204, "Deny": 403} {
		statement := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"},{"Effect":%q,"Principal":"*","Action":"execute-api:Invoke","Resource":%q}]}`,
			effect, arn)
		policy := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{Document: statement}))
		require.Equal(t, status, answerOf(policy.Middleware(admitted), r).Code, "resource policy on %s", r.RequestURI)
		answer := fmt.Sprintf(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":%q},{"Effect":%q,"Action":"execute-api:Invoke","Resource":%q}]}}`,
			arn, effect, arn)
		configs := []auth.LambdaConfig{{}}
		if rs.flavor == gatekit.HTTP {
			configs = append(configs, auth.LambdaConfig{PayloadFormatVersion: "1.0"})
		} else {
			configs = append(configs, auth.LambdaConfig{Type: "TOKEN"})
		}
		for _, c := range configs {
			l := gatekit.Must(auth.NewLambda(rs.function(answer), c))
			for _, again := range []string{"asked", "cached"} {
				rs.event = nil
				require.Equal(t, status, answerOf(auth.Require(l)(admitted), r).Code, "authorizer %s for %s", again, r.RequestURI)
				require.Equal(t, again == "cached", rs.event == nil)
				if rs.event == nil {
					continue
				}
				switch {
				case c.Type == "TOKEN":
					require.Equal(t, arn, rs.event["methodArn"])
				case rs.flavor == gatekit.HTTP && c.PayloadFormatVersion == "":
					require.Equal(t, arn, rs.event["routeArn"])
					rs.checkEvent(t, r, f, want, "2.0")
				default:
					require.Equal(t, arn, rs.event["methodArn"])
					rs.checkEvent(t, r, f, want, c.PayloadFormatVersion)
				}
			}
		}
	}
}

func (rs *readers) checkEvents(t *testing.T, r *http.Request, f front, want onePath) {
	t.Helper()
	formats := []string{""}
	if rs.flavor == gatekit.HTTP {
		formats = []string{"1.0", "2.0"}
	}
	for _, format := range formats {
		h := gatekit.Must(integration.Lambda(rs.function(`{"statusCode":204}`), integration.LambdaConfig{PayloadFormatVersion: format}))
		require.Equal(t, 204, answerOf(h, r).Code)
		rs.checkEvent(t, r, f, want, format)
	}
}

// checkEvent looks at the last event, in a format in which the paths have their forms.
func (rs *readers) checkEvent(t *testing.T, r *http.Request, f front, want onePath, format string) {
	t.Helper()
	e := rs.event
	inContext := e["requestContext"].(map[string]any)
	parameters, _ := e["pathParameters"].(map[string]any)
	proxy := want.proxy
	switch format {
	case "": // REST: as it came, with the base path behind a custom domain
		told := want.routed
		if f.custom {
			told = f.prefix + told
		}
		require.Equal(t, told, e["path"], r.RequestURI)
		require.Equal(t, r.RequestURI, inContext["path"])
		_, resource, _ := strings.Cut(want.key, " ")
		require.Equal(t, resource, e["resource"])
	case "1.0":
		proxy = unescaped(t, proxy)
		require.Equal(t, f.prefix+want.routed, e["path"], r.RequestURI)
		require.Equal(t, unescaped(t, r.RequestURI), inContext["path"])
	case "2.0": // decoded, as recorded: a function that routes by it can't tell %2F from a slash
		proxy = unescaped(t, proxy)
		require.Equal(t, "/dev"+unescaped(t, want.routed), e["rawPath"], r.RequestURI)
		require.Equal(t, e["rawPath"], inContext["http"].(map[string]any)["path"])
		require.Equal(t, want.key, e["routeKey"])
	}
	if want.key == toProxy {
		require.Equal(t, map[string]any{"proxy": proxy}, parameters, r.RequestURI)
	} else {
		require.Empty(t, parameters)
	}
}

// checkUpstreams looks at the request line that HTTP backends get.
func (rs *readers) checkUpstreams(t *testing.T, r *http.Request, want onePath) {
	t.Helper()
	to := func(c integration.HTTPConfig) string {
		c.URI = rs.upstream + c.URI
		return answerOf(gatekit.Must(integration.HTTP(t.Context(), c)), r).Body.String()
	}
	require.Equal(t, want.routed, to(integration.HTTPConfig{RequestPath: true}), r.RequestURI)
	if want.key == toAdmin {
		return
	}
	require.Equal(t, "/b/"+want.proxy, to(integration.HTTPConfig{URI: "/b/{proxy}"}), r.RequestURI)
	require.Equal(t, "/b?p="+url.QueryEscape(unescaped(t, want.proxy)), to(integration.HTTPConfig{URI: "/b?p={proxy}"}), r.RequestURI)
}

// checkMappings looks at what parameter mappings, templates and REST URIs make of it.
func (rs *readers) checkMappings(t *testing.T, r *http.Request, want onePath) {
	t.Helper()
	back := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.EscapedPath(), " ", r.Header.Get("X-Path"), " ", url.QueryEscape(r.Header.Get("X-Proxy")), " ", r.Header.Get("X-Received"))
	})
	if rs.flavor == gatekit.HTTP {
		m := gatekit.Must(transform.NewParameters(transform.ParametersConfig{KeepUnmapped: true, RequestParameters: map[string]string{
			"overwrite:path": "/m/${request.path.proxy}", "overwrite:header.x-path": "$request.path", "overwrite:header.x-proxy": "$request.path.proxy", "overwrite:header.x-received": "$context.path",
		}}))
		mapped := "/m/" + want.proxy
		if want.key == toAdmin {
			mapped = want.routed
		}
		require.Equal(t, mapped+" "+want.routed+" "+url.QueryEscape(unescaped(t, want.proxy))+" "+r.RequestURI, answerOf(m.Middleware(back), r).Body.String())
		return
	}
	if want.key == toAdmin {
		return
	}
	m := gatekit.Must(transform.NewREST(transform.RESTConfig{Type: transform.HTTPProxy, URI: rs.upstream + "/m/{p}", RequestParameters: map[string]string{
		"integration.request.path.p": "method.request.path.proxy", "integration.request.header.X-Received": "context.path",
	}}))
	require.Equal(t, "/m/"+want.proxy, answerOf(m.Middleware(gatekit.Must(integration.HTTP(t.Context(), integration.HTTPConfig{URI: rs.upstream}))), r).Body.String())
	custom := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.AWS, RequestTemplates: map[string]string{"application/json": `{"proxy":"$input.params('proxy')","received":"$context.path","resource":"$context.resourcePath"}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	}))
	require.Equal(t, 200, answerOf(custom.Middleware(gatekit.Must(integration.LambdaCustom(rs.function(`{}`), integration.LambdaCustomConfig{}))), r).Code)
	require.Equal(t, map[string]any{"proxy": unescaped(t, want.proxy), "received": r.RequestURI, "resource": "/{proxy+}"}, rs.event)
}
