package gatekit_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestAttach(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%2Fb/c?q=1", nil)
	r.Header.Set("User-Agent", "curl/8")
	require.Nil(t, gatekit.From(r.Context()))
	rc, attached := gatekit.Attach(r)
	require.Same(t, rc, gatekit.From(attached.Context()))
	require.Nil(t, gatekit.From(r.Context()), "the caller's request is as it was")
	require.Equal(t, "/a%2Fb/c", rc.Path.Received())
	require.Equal(t, "192.0.2.1", rc.SourceIP().String())
	require.Equal(t, "curl/8", rc.UserAgent())
	require.WithinDuration(t, time.Now(), rc.Time, time.Minute)
	again, same := gatekit.Attach(attached)
	require.Same(t, rc, again)
	require.Same(t, attached, same)
	type key struct{}
	deeper := attached.WithContext(context.WithValue(attached.Context(), key{}, 1))
	require.Same(t, rc, gatekit.From(deeper.Context()))
	require.Equal(t, 1, deeper.Context().Value(key{}))
}

func TestClientCertificate(t *testing.T) {
	cert := &x509.Certificate{}
	r := httptest.NewRequest("GET", "https://x/", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	rc, _ := gatekit.Attach(r)
	require.Nil(t, rc.ClientCert(), "one that nobody has verified")
	r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
	rc, _ = gatekit.Attach(r)
	require.Same(t, cert, rc.ClientCert())
}

func TestRequestPath(t *testing.T) {
	stripped := httptest.NewRequest("GET", "/v1/a%20b?x", nil)
	stripped.URL.Path = "/stripped"
	absolute := httptest.NewRequest("GET", "http://host/p%41th?x", nil)
	for want, r := range map[string]*http.Request{
		"/v1/a%20b": stripped, "/p%41th": absolute, "/made%20up": {URL: &url.URL{Path: "/made up"}}, "//x": {RequestURI: "//x?y", URL: &url.URL{}},
	} {
		rc, _ := gatekit.Attach(r)
		require.Equal(t, want, rc.Path.Received())
	}
}

func TestRouteKeyOfOtherRouters(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "", "GET /a/{id}": "GET /a/{id}", "/a": "ANY /a", "/a/": "ANY /a/{proxy+}", "/": "$default", "GET /": "GET /{proxy+}", "GET /{$}": "GET /", "/{$}": "ANY /",
		"GET /a/{$}": "GET /a", "/files/{p...}": "ANY /files/{p+}", "GET /files/{p...}": "GET /files/{p+}", "x.com/a": "ANY /a", "GET x.com/a/{b}": "GET /a/{b}", "GET  /a": "GET /a",
		"/o/{id:[0-9]+}": "ANY /o/{id}", "/f/*": "ANY /f/{proxy+}", "/*": "ANY /{proxy+}", "POST /a.b/c": "POST /a.b/c", "nonsense": "", "GET host": "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Pattern = pattern
		require.Equal(t, want, gatekit.RouteKey(r), pattern)
		rc, attached := gatekit.Attach(r)
		require.Equal(t, want, rc.RouteKey(), pattern)
		require.Equal(t, want, gatekit.RouteKey(attached), pattern)
	}
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	r.Pattern = "GET /late" // a router behind the first station
	gatekit.Attach(r)
	require.Equal(t, "GET /late", rc.RouteKey())
	behind := r.WithContext(r.Context())
	behind.Pattern = "GET /later" // a router behind that one has chosen more closely
	require.Equal(t, "GET /later", gatekit.RouteKey(behind))
	gatekit.Attach(behind)
	require.Equal(t, "GET /later", rc.RouteKey())
	rc.Route = &gatekit.Route{Key: "GET /stated"} // which counts more than any pattern
	require.Equal(t, "GET /stated", rc.RouteKey())
	require.Equal(t, "GET /stated", gatekit.RouteKey(behind))
}

func TestNilRequestContext(t *testing.T) {
	var rc *gatekit.RequestContext
	require.Empty(t, rc.RequestID())
	require.Empty(t, rc.ExtendedRequestID())
	require.Nil(t, rc.Rejection())
	require.Nil(t, rc.Integration())
	rc.SetIntegration(gatekit.Integration{})
	rc.SetResponder(nil)
	rc.AdoptRequestID(http.Header{"X-Amzn-Requestid": {"0f0e0d0c-0b0a-4908-8706-050403020100"}})
	h := http.Header{}
	rc.SetRequestIDHeaders(h)
	require.Empty(t, h)
}

func TestIntegration(t *testing.T) {
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.Nil(t, rc.Integration())
	rc.SetIntegration(gatekit.Integration{Status: 502, FunctionError: "Unhandled", Latency: time.Second})
	require.Equal(t, &gatekit.Integration{Status: 502, FunctionError: "Unhandled", Latency: time.Second}, rc.Integration())
}

func TestRequestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		short := rc.RequestID()
		require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, short)
		require.Equal(t, short, rc.RequestID(), "the same on every call")
		require.Equal(t, short, rc.ExtendedRequestID())
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		long := rc.RequestID()
		require.Len(t, long, 36)
		require.Equal(t, short, rc.ExtendedRequestID())
		require.False(t, seen[short] || seen[long])
		seen[short], seen[long] = true, true
	}
}

// One API within another of the other flavor: each has its headers, and neither changes the
// other's.
func TestRequestIDHeadersOfTwoFlavors(t *testing.T) {
	for _, order := range [][]gatekit.Flavor{{gatekit.HTTP, gatekit.REST}, {gatekit.REST, gatekit.HTTP}} {
		rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		h := http.Header{}
		for _, rc.API.Flavor = range order {
			rc.SetRequestIDHeaders(h)
		}
		require.Len(t, h.Get("X-Amzn-Requestid"), 36)
		require.Len(t, h.Get("Apigw-Requestid"), 16)
		require.Equal(t, h.Get("Apigw-Requestid"), h.Get("X-Amz-Apigw-Id"))
	}
}

func TestDescribe(t *testing.T) {
	identity := gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", Region: "us-gov-west-1", APIID: "a1b2", Stage: "$default"}
	var got gatekit.API
	h := gatekit.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = *gatekit.From(r.Context()).API }), gatekit.Must(gatekit.Describe(identity)))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, identity, got)
	_, err := gatekit.Describe(gatekit.API{Flavor: 9, AccountID: "12345678901x", Region: "Us-east-1", APIID: "a*", Stage: "a/b"})
	for _, want := range []string{"API.Flavor: want HTTP, REST or WebSocket, got Flavor(9)", "API.AccountID: want 12 digits", "API.Region: want", "API.APIID: want", "API.Stage: want"} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, "HTTP REST WebSocket", gatekit.HTTP.String()+" "+gatekit.REST.String()+" "+gatekit.WebSocket.String())
}

func TestChain(t *testing.T) {
	var order string
	mw := func(s string) gatekit.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { order += s; next.ServeHTTP(w, r) })
		}
	}
	gatekit.Chain(http.NotFoundHandler(), mw("a"), mw("b"), mw("c")).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "abc", order)
	require.PanicsWithValue(t, "gatekit: Chain: want a handler, got nil", func() { gatekit.Chain(nil) })
	require.PanicsWithValue(t, "gatekit: Chain: middleware 1: want a func(http.Handler) http.Handler, got nil", func() { gatekit.Chain(http.NotFoundHandler(), mw("a"), nil) })
	require.Equal(t, 7, gatekit.Must(7, nil))
	require.PanicsWithError(t, context.Canceled.Error(), func() { gatekit.Must(7, context.Canceled) })
}

func TestStationsCanBeWalked(t *testing.T) {
	h := gatekit.Chain(http.NotFoundHandler(), gatekit.Must(gatekit.Describe(gatekit.API{})), gatekit.Must(gatekit.NewTrustedProxies("")).Middleware)
	var kinds []string
	for s, ok := h.(gatekit.Station); ok; s, ok = h.(gatekit.Station) {
		var kind string
		kind, h = s.Station()
		kinds = append(kinds, kind)
	}
	require.Equal(t, []string{"describe", "trusted proxies"}, kinds)
}

// A handler that outlives its request, in a chain with TimeoutHandler in its middle: what is read
// and written then races with nobody.
func TestOutlivingHandler(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		<-release
		rc, r := gatekit.Attach(r)
		_, _, _ = rc.RequestID(), rc.SourceIP(), rc.Authorization.Principal()
		rc.SetIntegration(gatekit.Integration{Status: 200})
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
	})
	h := gatekit.Chain(slow, gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST})), func(next http.Handler) http.Handler {
		return http.TimeoutHandler(next, time.Millisecond, "late")
	})
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 503, w.Code)
	close(release)
	<-done
	require.Equal(t, gatekit.IntegrationTimeout, rc.Rejection().Type)
}

// With ConnContext the address is that of the connection, whatever the request's text says, for HTTP/1.1 and HTTP/2.
func TestConnContext(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		seen := make(chan [2]string, 2)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			remote := r.RemoteAddr
			r.RemoteAddr = "not an address" // it isn't parsed again
			rc, r := gatekit.Attach(r)
			if rc.SourceIP() != gatekit.SourceIP(r) {
				t.Errorf("got %v and %v", rc.SourceIP(), gatekit.SourceIP(r))
			}
			seen <- [2]string{rc.SourceIP().String(), remote}
			rc.SetSourceIP(netip.MustParseAddr("198.51.100.7")) // one request's; the next one has the connection's again
		}))
		server.Config.ConnContext = gatekit.ConnContext
		server.EnableHTTP2 = http2
		server.StartTLS()
		for range 2 {
			res, err := server.Client().Get(server.URL)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			got := <-seen
			require.Equal(t, "127.0.0.1", got[0])
			require.True(t, strings.HasPrefix(got[1], "127.0.0.1:"))
		}
		server.Close()
	}
	require.NotNil(t, gatekit.HTTP.Limits().HTTPServer(http.NotFoundHandler()).ConnContext)
}
