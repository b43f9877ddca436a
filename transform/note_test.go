package transform_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/notetest"
	"github.com/gatekit-go/gatekit/transform"
)

// noted serves r, whose secrets are called s3cret, and returns the notes.
func noted(t testing.TB, h http.Handler, r *http.Request) notetest.Notes {
	t.Helper()
	notes, r := notetest.Keep(t, r)
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.NotContains(t, notes.Verbose(), "s3cret")
	return notes
}

func TestRESTNotes(t *testing.T) {
	both := map[string]string{"application/json": "{}", "text/plain": `{"t":1}`}
	answering := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"a":"s3cret"}`)
		})
	}
	mapped := transform.RESTConfig{
		Type: transform.HTTP, URI: "http://pets", HTTPMethod: "POST", RequestTemplates: both,
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200}, {StatusCode: 404, SelectionPattern: `4\d\d`, ResponseTemplates: map[string]string{"application/json": "no"}},
		},
	}
	never, broken, proxy, bad := mapped, mapped, mapped, mapped
	never.PassthroughBehavior, never.RequestTemplates = transform.Never, map[string]string{"text/plain": "x"}
	bad.RequestTemplates = map[string]string{"application/json": forever("a")}
	broken.RequestTemplates, broken.RequestParameters = nil, map[string]string{"integration.request.header.X-A": "method.request.body.a"}
	proxy.Type, proxy.RequestTemplates, proxy.IntegrationResponses = transform.HTTPProxy, nil, nil
	for _, tt := range []struct {
		name   string
		config transform.RESTConfig
		status int
		r      *http.Request
		want   string
	}{
		{"template", mapped, 200, post(`{"s3cret":"s3cret"}`), "transform passed (request application/json), transform passed (response default passthrough) 200, integration passed 200"},
		{"other-type", mapped, 200, post("s3cret", "Content-Type", "text/plain"), "transform passed (request text/plain), transform passed (response default passthrough) 200, integration passed 200"},
		{"no-template", mapped, 200, post("s3cret", "Content-Type", "text/css"), "transform passed (request passthrough), transform passed (response default passthrough) 200, integration passed 200"},
		{"pattern", mapped, 404, post("{}"), `transform passed (request application/json), integration passed 404, transform passed (response 4\d\d application/json) 404`},
		{"unsupported", never, 200, post("{}"), "transform refused (request) 415"},
		{"no-response", transform.RESTConfig{Type: transform.HTTP, URI: "http://pets", HTTPMethod: "POST", IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, SelectionPattern: "2.."}}}, 404, post("{}"), "transform passed (request passthrough), integration passed 404, transform refused (request passthrough) 500"},
		{"unreadable", broken, 200, post(`{"s3cret":`), "transform passed (request passthrough), transform refused (request passthrough) 400"},
		{"runaway", bad, 200, post(`"s3cret"`), "transform passed (request application/json), transform refused (request application/json) 500"},
		{"proxy", proxy, 200, post("s3cret"), "transform passed (request passthrough), integration passed 200"},
		{"mock", transform.RESTConfig{Type: transform.Mock, RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`}, IntegrationResponses: defaultResponse}, 0, post("s3cret"), "transform passed (request application/json), integration answered 200, transform passed (response default passthrough) 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, line, _ := strings.Cut(", "+noted(t, restAPI(t, tt.config, answering(tt.status)), tt.r).String(), ", ")
			require.Equal(t, tt.want, line)
		})
	}
}

func TestParametersNotes(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-S", "s3cret") })
	request := map[string]string{"append:header.x-a": "$request.header.x-s", "overwrite:header.x-b": "$request.header.x-none"}
	get := func() *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-S", "s3cret")
		return r
	}
	notes := noted(t, parameters(t, request, map[int]map[string]string{200: {"append:header.x-c": "$response.header.x-s"}}).Middleware(ok), get())
	require.Equal(t, "transform passed (request parameters), transform passed (response parameters) 200", notes.String())
	require.Contains(t, notes.Verbose(), "(request parameters): found nothing for overwrite:header.x-b: ")
	require.Empty(t, noted(t, parameters(t, nil, nil).Middleware(ok), get()).String())
	notes = noted(t, parameters(t, map[string]string{"overwrite:path": "/a/${request.header.x-s}"}, nil).Middleware(ok), get())
	require.Equal(t, "transform passed (request parameters)", notes.String())
	r := get()
	r.Header.Set("X-S", "..")
	notes = noted(t, parameters(t, map[string]string{"overwrite:path": "/a/${request.header.x-s}"}, nil).Middleware(ok), r)
	require.Equal(t, "transform passed (request parameters), transform refused (request parameters) 400", notes.String())
}

func TestGatewayResponseNotes(t *testing.T) {
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Default4XX: {StatusCode: 418, ResponseTemplates: map[string]string{"application/json": "{}", "text/html": "no"}},
		gatekit.Throttled:  {},
	})
	refusing := func(kind gatekit.ResponseType) http.Handler {
		return g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: kind})
		}))
	}
	html := pets()
	html.Header.Set("Accept", "text/html")
	require.Equal(t, "key refused (INVALID_API_KEY) 403, transform answered (DEFAULT_4XX application/json) 418", noted(t, refusing(gatekit.InvalidAPIKey), pets()).String())
	require.Equal(t, "key refused (INVALID_API_KEY) 403, transform answered (DEFAULT_4XX text/html) 418", noted(t, refusing(gatekit.InvalidAPIKey), html).String())
	require.Equal(t, "throttle refused (THROTTLED) 429, transform answered (THROTTLED) 429", noted(t, refusing(gatekit.Throttled), pets()).String())
	require.Equal(t, "integration refused (INTEGRATION_TIMEOUT) 504", noted(t, refusing(gatekit.IntegrationTimeout), pets()).String())
}

func TestCompressionNotes(t *testing.T) {
	h := compression(t, transform.CompressionConfig{MinimumSize: 10}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	get := func(path string) *http.Request {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		return r
	}
	require.Equal(t, "transform passed (compress gzip)", noted(t, h, get("/s3cret/long")).String())
	require.Equal(t, "transform skipped (compress gzip)", noted(t, h, get("/")).String())
	require.Empty(t, noted(t, h, httptest.NewRequest("GET", "/", nil)).String())
	var body strings.Builder
	z := gzip.NewWriter(&body)
	_, _ = io.WriteString(z, "s3cret")
	require.NoError(t, z.Close())
	for text, want := range map[string]string{body.String(): "transform passed (inflate)", "s3cret": "transform refused (inflate) 415"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(text))
		r.Header.Set("Content-Encoding", "gzip")
		require.Equal(t, want, noted(t, h, r).String())
	}
}

// A method whose backend answers after http.TimeoutHandler has, and what it notes then.
func TestLateNotes(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	rest := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.HTTP, URI: "http://pets", HTTPMethod: "POST", IntegrationResponses: defaultResponse,
	}))
	h := rest.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	late := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}), time.Millisecond, "")
	rc, r := gatekit.Attach(post("{}"))
	notes := rc.KeepNotes(notetest.Everything)
	late.ServeHTTP(httptest.NewRecorder(), r)
	notes.Release()
	close(release)
	<-done
	notes.Each(func(n *gatekit.Note) { t.Error(n) })
}
