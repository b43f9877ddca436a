package gatekit_test

import (
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
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// readers read the path of a request that has been routed.
type readers struct {
	flavor   gatekit.Flavor
	upstream string // echoes the request line's target
	caches   map[string]http.Handler
	event    map[string]any // the last one that a function was told
}

func newReaders(t *testing.T, flavor gatekit.Flavor) *readers {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI)
	}))
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

// policyText is a policy that allows the resource alone, or denies it alone.
func policyText(effect, principal, resource string) string {
	one := func(effect, resource string) string {
		return fmt.Sprintf(`{"Effect":%q,%s"Action":"execute-api:Invoke","Resource":%q}`, effect, principal, resource)
	}
	statements := one(effect, resource)
	if effect == "Deny" {
		statements += "," + one("Allow", "*")
	}
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

// checkAuth asks authorizers and policies that know the one ARN, and no other.
func (rs *readers) checkAuth(t *testing.T, r *http.Request, f front, want onePath) {
	t.Helper()
	arn := "arn:aws:execute-api:unknown:000000000000:unknown/dev/GET/" + want.arn
	for effect, status := range map[string]int{"Allow": 204, "Deny": 403} {
		statement := policyText(effect, `"Principal":"*",`, arn)
		policy := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{Document: statement}))
		require.Equal(t, status, answerOf(policy.Middleware(admitted), r).Code, "resource policy on %s", r.RequestURI)
		answer := `{"principalId":"u","policyDocument":` + policyText(effect, "", arn) + `}`
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
				w := answerOf(auth.Require(l)(admitted), r)
				require.Equal(t, status, w.Code, "authorizer %s for %s", again, r.RequestURI)
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
		c := integration.LambdaConfig{PayloadFormatVersion: format}
		h := gatekit.Must(integration.NewLambda(rs.function(`{"statusCode":204}`), c))
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
		return answerOf(gatekit.Must(integration.NewHTTP(t.Context(), c)), r).Body.String()
	}
	require.Equal(t, want.routed, to(integration.HTTPConfig{RequestPath: true}), r.RequestURI)
	if want.key == toAdmin {
		return
	}
	require.Equal(t, "/b/"+want.proxy, to(integration.HTTPConfig{URI: "/b/{proxy}"}), r.RequestURI)
	decoded := unescaped(t, want.proxy)
	require.Equal(t, "/b?p="+url.QueryEscape(decoded), to(integration.HTTPConfig{URI: "/b?p={proxy}"}), r.RequestURI)
}

// checkMappings looks at what parameter mappings, templates and REST URIs make of it.
func (rs *readers) checkMappings(t *testing.T, r *http.Request, want onePath) {
	t.Helper()
	decoded := unescaped(t, want.proxy)
	if rs.flavor == gatekit.HTTP {
		back := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proxy := url.QueryEscape(r.Header.Get("X-Proxy"))
			fmt.Fprint(w, r.URL.EscapedPath(), " ", r.Header.Get("X-Path"), " ", proxy, " ", r.Header.Get("X-Received"))
		})
		m := gatekit.Must(transform.NewParameters(transform.ParametersConfig{
			KeepUnmapped: true,
			RequestParameters: map[string]string{
				"overwrite:path": "/m/${request.path.proxy}", "overwrite:header.x-path": "$request.path",
				"overwrite:header.x-proxy": "$request.path.proxy", "overwrite:header.x-received": "$context.path",
			},
		}))
		mapped := "/m/" + want.proxy
		if want.key == toAdmin {
			mapped = want.routed
		}
		expected := strings.Join([]string{mapped, want.routed, url.QueryEscape(decoded), r.RequestURI}, " ")
		require.Equal(t, expected, answerOf(m.Middleware(back), r).Body.String())
		return
	}
	if want.key == toAdmin {
		return
	}
	m := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.HTTPProxy, URI: rs.upstream + "/m/{p}",
		RequestParameters: map[string]string{"integration.request.path.p": "method.request.path.proxy"},
	}))
	proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: rs.upstream}))
	require.Equal(t, "/m/"+want.proxy, answerOf(m.Middleware(proxy), r).Body.String())
	template := `{"proxy":"$input.params('proxy')","received":"$context.path","resource":"$context.resourcePath"}`
	custom := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.AWS, RequestTemplates: map[string]string{"application/json": template},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	}))
	function := gatekit.Must(integration.NewLambdaCustom(rs.function(`{}`), integration.LambdaCustomConfig{}))
	require.Equal(t, 200, answerOf(custom.Middleware(function), r).Code)
	require.Equal(t, map[string]any{"proxy": decoded, "received": r.RequestURI, "resource": "/{proxy+}"}, rs.event)
}
