package transform_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// upstream is a server that says what it was asked, and a proxy to it at this path.
func upstream(t *testing.T, path string, h http.HandlerFunc) (http.Handler, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	proxy, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: s.URL + path, XForwarded: true})
	require.NoError(t, err)
	return proxy, strings.TrimPrefix(s.URL, "http://")
}

func asked(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s", r.Host, r.RequestURI, r.Header.Get("X-Forwarded-Host"))
}

// What is mapped to Host and path reaches the upstream of an HTTP integration, and what only the
// client says doesn't. (E.1.)
func TestHostAndPathReachTheUpstream(t *testing.T) {
	proxy, own := upstream(t, "/base/{id}", asked)
	for _, tt := range []struct {
		name       string
		parameters map[string]string
		want       string
	}{
		{"none", map[string]string{"append:header.x": "1"}, own + " /base/7 client.example:8080"},
		{"host", map[string]string{"overwrite:header.host": "orders.internal"}, "orders.internal /base/7 client.example:8080"},
		{"host-of-a-selector", map[string]string{"overwrite:header.Host": "$stageVariables.host"}, "stage.internal:81 /base/7 client.example:8080"},
		{"host-that-is-not-there", map[string]string{"overwrite:header.host": "$request.header.none"}, own + " /base/7 client.example:8080"},
		{"path", map[string]string{"overwrite:path": "/v2/$request.path.id"}, own + " /v2/7 client.example:8080"},
		{"both", map[string]string{"overwrite:path": "/v2", "overwrite:header.host": "a"}, "a /v2 client.example:8080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{RequestParameters: tt.parameters}))
			api := gatekit.Must(route.New(route.Config{API: gatekit.API{Variables: map[string]string{"host": "stage.internal:81"}}}))
			api.Handle("GET /orders/{id}", proxy, mapping.Middleware)
			r := httptest.NewRequest("GET", "http://client.example:8080/orders/7", nil)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Body.String())
			require.Equal(t, "client.example:8080", r.Host)
		})
	}
}

// The same of a REST method, whose URI is said once, at the integration.
func TestURISaidAtTheIntegration(t *testing.T) {
	proxy, own := upstream(t, "/base/{id}?k={k}", asked)
	for _, kind := range []transform.IntegrationType{transform.HTTP, transform.HTTPProxy} {
		for name, want := range map[string]string{"": own, "mapped.internal": "mapped.internal"} {
			c := transform.RESTConfig{
				Type: kind, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
				RequestParameters: map[string]string{"integration.request.path.id": "method.request.path.id", "integration.request.path.k": "'a b'"},
			}
			if name != "" {
				c.RequestParameters["integration.request.header.Host"] = "'" + name + "'"
			}
			api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
			api.Handle("GET /orders/{id}", proxy, gatekit.Must(transform.NewREST(c)).Middleware)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest("GET", "/orders/a%2fb", nil))
			require.True(t, strings.HasPrefix(w.Body.String(), want+" /base/a%2fb?k=a+b "), "%s %q: %s", kind, name, w.Body)
		}
	}
}

// A response's mapping of a header is true of the trailers as well: what it removes or sets in
// front of the body, none says behind it.
func TestMappedHeadersAreNoTrailers(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for name, h := range map[string]http.HandlerFunc{
			"announced": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Trailer", "X-Gone, x-set,X-Kept")
				w.Header().Add("Trailer", "X-Added")
				_, _ = io.WriteString(w, "body")
				for _, name := range []string{"X-Gone", "X-Set", "X-Added", "X-Kept"} {
					w.Header().Set(name, "trailer")
				}
			},
			"by-prefix": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "body")
				w.(http.Flusher).Flush()
				for _, name := range []string{"X-Gone", "x-set", "X-Added", "X-Kept"} {
					w.Header().Set(http.TrailerPrefix+name, "trailer")
				}
			},
			"none-left": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Trailer", "X-Gone")
				_, _ = io.WriteString(w, "body")
				w.(http.Flusher).Flush()
				w.Header().Set("X-Gone", "trailer")
				w.Header().Set(http.TrailerPrefix+"X-Kept", "trailer")
			},
		} {
			t.Run(fmt.Sprintf("%s/http2=%t", name, http2), func(t *testing.T) {
				proxy, _ := upstream(t, "/", h)
				mapping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{ResponseParameters: map[int]map[string]string{
					200: {"remove:header.x-gone": "", "overwrite:header.x-set": "gateway", "append:header.x-added": "gateway"},
				}}))
				for what, next := range map[string]http.Handler{"handler": h, "proxy": proxy} {
					s := httptest.NewUnstartedServer(mapping.Middleware(next))
					if s.EnableHTTP2 = http2; http2 {
						s.StartTLS()
					} else {
						s.Start()
					}
					defer s.Close()
					res, err := s.Client().Get(s.URL)
					require.NoError(t, err, what)
					body, err := io.ReadAll(res.Body)
					require.NoError(t, err, what)
					require.NoError(t, res.Body.Close())
					require.Equal(t, "body", string(body))
					require.Equal(t, http.Header{"X-Kept": {"trailer"}}, res.Trailer, what)
					require.NotContains(t, res.Header, "X-Gone")
					require.Equal(t, []string{"gateway"}, res.Header["X-Set"], what)
					require.Equal(t, []string{"gateway"}, res.Header["X-Added"], what)
				}
			})
		}
	}
}

// A client's trailers don't get past a REST method, whose mapping may be to a header of that name.
func TestTrailersOfClients(t *testing.T) {
	for _, kind := range []transform.IntegrationType{transform.HTTP, transform.HTTPProxy} {
		proxy, _ := upstream(t, "/", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, string(body), r.Header["X-Tenant"], len(r.Trailer))
		})
		m := gatekit.Must(transform.NewREST(transform.RESTConfig{
			Type: kind, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
			RequestParameters: map[string]string{"integration.request.header.X-Tenant": "'own'"},
		}))
		s := httptest.NewServer(m.Middleware(proxy))
		defer s.Close()
		body := io.MultiReader(strings.NewReader("body"), strings.NewReader("")) // of a length that isn't known
		r, err := http.NewRequest("POST", s.URL, body)
		require.NoError(t, err)
		r.Trailer = http.Header{"X-Tenant": {"other"}, "X-Sum": {"1"}}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		got, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "body[own] 0", string(got), kind)
	}
}
