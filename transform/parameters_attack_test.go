package transform_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/transform"
)

// What a client sends stays in the header that it is mapped to.
func TestHeaderInjection(t *testing.T) {
	p := parameters(t, map[string]string{"append:header.x-q": "$request.querystring.q", "append:header.x-b": "a ${request.body.b} z", "append:header.x-v": "$request.path.v"}, nil)
	r := httptest.NewRequest("GET", "/?q=a%0d%0aSet-Cookie:%20x%00%7f%09b", strings.NewReader(`{"b":"1\r\nX-Admin: yes\u0000"}`))
	r.SetPathValue("v", "1\r\n2")
	got, err := p.Request(r)
	require.NoError(t, err)
	require.Equal(t, []string{"a  Set-Cookie: x  \tb"}, got.Header["X-Q"])
	require.Equal(t, []string{"a 1  X-Admin: yes  z"}, got.Header["X-B"])
	require.Equal(t, []string{"1  2"}, got.Header["X-V"])

	w := httptest.NewRecorder()
	parameters(t, nil, map[int]map[string]string{200: {"append:header.x-b": "$response.body.b"}}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"b":"1\r\nSet-Cookie: x"}`)
	})).ServeHTTP(w, r)
	require.Equal(t, []string{"1  Set-Cookie: x"}, w.Header()["X-B"])

	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Throttled: {ResponseParameters: map[string]string{"gatewayresponse.header.x-q": "method.request.querystring.q"}}})
	refused := pets()
	refused.URL.RawQuery = "q=a%0d%0aSet-Cookie:%20x"
	require.Equal(t, []string{"a  Set-Cookie: x"}, refuse(g, refused, &gatekit.Rejection{Type: gatekit.Throttled}).Header()["X-Q"])
}

// Connection names headers of one connection, which every proxy behind drops: a client that names a
// mapped one must not have it dropped.
func TestConnectionCannotNameMappedHeaders(t *testing.T) {
	p := parameters(t, map[string]string{
		"overwrite:header.x-tenant": "acme", "append:header.x-caller": "ann", "remove:header.x-gone": "", "overwrite:header.x-absent": "$request.header.nothing",
	}, nil)
	for _, tt := range []struct{ sent, want []string }{
		{[]string{"x-tenant"}, nil},
		{[]string{"close, X-TENANT ,\tx-caller", "x-tenant"}, []string{"close"}},
		{[]string{"keep-alive", "X-Caller,, upgrade"}, []string{"keep-alive, upgrade"}},
		{[]string{"keep-alive, x-other", "x-gone"}, []string{"keep-alive, x-other", "x-gone"}},
		{[]string{"x-tenant-2"}, []string{"x-tenant-2"}},
		{nil, nil},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if tt.sent != nil {
			r.Header["Connection"] = tt.sent
		}
		got, err := p.Request(r)
		require.NoError(t, err)
		require.Equal(t, tt.want, got.Header["Connection"], tt.sent)
		require.Equal(t, tt.sent, r.Header["Connection"], "the client's stays as it was")
		require.Equal(t, []string{"acme"}, got.Header["X-Tenant"])
	}
}

// What a client sends adds no query parameter, and overrides none.
func TestQueryInjection(t *testing.T) {
	p := parameters(t, map[string]string{"overwrite:querystring.role": "$request.header.x-role", "remove:querystring.admin": ""}, nil)
	r := httptest.NewRequest("GET", "/?role=root&%72ole=root&rol%65=root&admin=1&%61dmin=1&x=%26admin=1", nil)
	r.Header.Set("X-Role", "user&admin=1&role=root#x")
	got, err := p.Request(r)
	require.NoError(t, err)
	require.Equal(t, url.Values{"role": {"user&admin=1&role=root#x"}, "x": {"&admin=1"}}, got.URL.Query())
	require.Empty(t, got.URL.Fragment)
}

// No value leads out of the path that the API's owner wrote.
func TestPathTraversal(t *testing.T) {
	for _, value := range []string{"..", ".", "../admin", "a/../../admin", "./x", "a/..", "a\\..\\b", "\x00", "..\\"} {
		p := parameters(t, map[string]string{"overwrite:path": "/files/${request.querystring.f}/meta"}, nil)
		r := httptest.NewRequest("GET", "/?f="+url.QueryEscape(value), nil)
		_, err := p.Request(r)
		var rej *gatekit.Rejection
		require.ErrorAs(t, err, &rej, value)
		require.Equal(t, 400, rej.StatusFor(gatekit.HTTP))
	}
	// A variable of one segment keeps to its segment even where slashes are decoded.
	p := parameters(t, map[string]string{"overwrite:path": "/files/${request.path.id}"}, nil)
	for value, want := range map[string]string{"a/b": "/files/a%2Fb", "a?b#c": "/files/a%3Fb%23c", "%2e%2e": "/files/%252e%252e", "é": "/files/%C3%A9", "a;b": "/files/a;b"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetPathValue("id", value)
		got, err := p.Request(r)
		require.NoError(t, err)
		again, err := url.ParseRequestURI(got.URL.EscapedPath())
		require.NoError(t, err)
		require.Equal(t, "/files/"+value, again.Path)
		require.Empty(t, again.RawQuery)
		require.Contains(t, []string{want, strings.Replace(want, ";", "%3B", 1)}, got.URL.EscapedPath())
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.SetPathValue("id", "../admin")
	_, err := p.Request(r)
	require.Error(t, err)
}

// Headers under names that aren't in canonical form can't come from net/http; what a station put
// there stays where it is.
func TestSmuggledNames(t *testing.T) {
	p := parameters(t, map[string]string{"remove:header.x-admin": ""}, nil)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Admin"], r.Header["x-admin-2"] = []string{"1"}, []string{"1"}
	got, err := p.Request(r)
	require.NoError(t, err)
	require.Equal(t, http.Header{"x-admin-2": {"1"}}, got.Header)
}

// Megabytes of body for a selector cost what may be seen of them.
func TestHugeBodies(t *testing.T) {
	p := parameters(t, map[string]string{"append:header.x": "$request.body.a"}, map[int]map[string]string{200: {"append:header.x": "$response.body.a"}})
	for _, body := range []string{strings.Repeat("[", 10<<20), strings.Repeat(`{"a":`, 2<<20), `{"a":"` + strings.Repeat("x", 10<<20) + `"}`, strings.Repeat(`"`, 10<<20), strings.Repeat("\xff", 1<<20)} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		w := httptest.NewRecorder()
		p.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.NotContains(t, r.Header, "X")
			n, err := io.Copy(w, r.Body)
			require.NoError(t, err)
			require.EqualValues(t, len(body), n)
		})).ServeHTTP(w, r)
		require.True(t, body == w.Body.String())
		require.NotContains(t, w.Header(), "X")
	}
}

// Deep but short: within the bound, the document is followed or passed over, and nothing overflows.
func TestDeepBodies(t *testing.T) {
	p := parameters(t, map[string]string{"append:header.x": "$request.body.a.b"}, nil)
	for _, body := range []string{strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 20_000), `{"a":` + strings.Repeat("[", 50_000)} {
		got, err := p.Request(httptest.NewRequest("POST", "/", strings.NewReader(body)))
		require.NoError(t, err)
		require.NotContains(t, got.Header, "X")
	}
}

func TestStrangeQueries(t *testing.T) {
	p := parameters(t, map[string]string{"append:header.x": "$request.querystring.q", "append:querystring.n": "v", "remove:querystring.r": ""}, nil)
	for query, want := range map[string]string{"": "n=v", "&&&": "n=v", "%": "%&n=v", "q=%zz&r&r=1&=": "q=%zz&=&n=v", "a;b=1": "a;b=1&n=v", "r%": "r%&n=v"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		got, err := p.Request(r)
		require.NoError(t, err)
		require.Equal(t, want, got.URL.RawQuery, query)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.RawQuery = strings.Repeat("q=1&", 250_000) // as much as net/http takes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := p.Request(r)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Len(t, got.Header.Get("X"), 2*250_000-1)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20), "of a quarter of a million values, not as many copies")
}

// A rejection's cause stays inside whatever a gateway response says.
func TestCauseStaysInside(t *testing.T) {
	var all strings.Builder
	for _, name := range []string{"message", "messageString", "responseType", "validationErrorString"} {
		all.WriteString("$context.error." + name + " ")
	}
	g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Default5XX: {ResponseTemplates: map[string]string{"text/plain": all.String() + "$context.authorizer.error $context.integration.error"}}})
	w := refuse(g, pets(), &gatekit.Rejection{Cause: errors.New("token eyJhbGciOi")})
	require.Equal(t, `Internal server error "Internal server error" DEFAULT_5XX   `, w.Body.String())
}

// FuzzParameters: a mapping that is taken never makes a request panic, touches no reserved header,
// and leaves a path that is one.
func FuzzParameters(f *testing.F) {
	for key, value := range map[string]string{
		"append:header.x": "$request.header.y", "overwrite:header.x-a": "a ${request.querystring.q} ${context.requestId}$", "remove:querystring.q": "''", "append:querystring.z": "$request.body.a[0]['b'].c",
		"overwrite:path": "/a/${request.path.id}${request.path}", "append:header.te": "x", "append:header.b": "${request.body.['}']}", "overwrite:querystring.q": "$stageVariables.a", "append:header.c": "$request.body.a[?(@.b)]",
	} {
		f.Add(key, value, "/x/../y?q=1&q=%zz", `{"a":[{"b":{"c":1}}]}`)
	}
	f.Fuzz(func(t *testing.T, key, value, target, body string) {
		p, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{key: value}})
		if err != nil {
			if p != nil || !strings.HasPrefix(err.Error(), "transform: ParametersConfig.RequestParameters[") {
				t.Fatalf("%q: %q: %v", key, value, err)
			}
			return
		}
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		_, r := gatekit.Attach(&http.Request{Method: "POST", URL: u, Header: http.Header{"Authorization": {"secret"}, "Y": {"1", "2"}}, Body: io.NopCloser(strings.NewReader(body))})
		r.SetPathValue("id", target)
		got, err := p.Request(r)
		if err != nil {
			return
		}
		if len(got.Header["Authorization"]) != 1 || got.Header.Get("Authorization") != "secret" {
			t.Fatalf("%q: %q: %v", key, value, got.Header)
		}
		for name, values := range got.Header {
			if strings.ContainsAny(strings.Join(append(values, name), ""), "\r\n\x00") {
				t.Fatalf("%q: %q: %q", key, value, got.Header)
			}
		}
		if strings.HasPrefix(key, "overwrite:path") {
			decoded, err := url.PathUnescape(got.URL.EscapedPath())
			if err != nil || decoded != got.URL.Path || requestpath.Check(decoded) != nil || strings.ContainsAny(got.URL.EscapedPath(), "?# ") {
				t.Fatalf("%q is the path %q, %q", value, got.URL.EscapedPath(), got.URL.Path)
			}
		}
		if all, err := io.ReadAll(got.Body); err != nil || string(all) != body {
			t.Fatalf("the body is %q, want %q", all, body)
		}
	})
}

// FuzzParameterValue: a value without a dollar sign is itself, and so is what braces stand around.
func FuzzParameterValue(f *testing.F) {
	for _, value := range []string{"plain", "'quoted'", "a$b", "${context.stage}", "$context.stage", "${context.stage}-${context.apiId}", "$", "${", "}", "${request.body.['}']}"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p, err := transform.NewParameters(transform.ParametersConfig{ResponseParameters: map[int]map[string]string{200: {"append:header.x": value}}})
		if err != nil {
			return
		}
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		rc.API = &gatekit.API{Stage: "prod", APIID: "a1"}
		w := httptest.NewRecorder()
		p.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if got := w.Header().Get("X"); !strings.Contains(value, "$") && got != value {
			t.Fatalf("%q is %q", value, got)
		} else if want := strings.NewReplacer("${context.stage}", "prod", "${context.apiId}", "a1").Replace(value); !strings.Contains(want, "$") && got != want {
			t.Fatalf("%q is %q, want %q", value, got, want)
		}
	})
}

// FuzzGatewayTemplate: text stays, variables are replaced once, and what they stand for is not
// looked at again.
func FuzzGatewayTemplate(f *testing.F) {
	for _, text := range []string{`{"m":$context.error.messageString}`, "$context.stage.x", "$$context.stage", "$context.", "$method.request.querystring.q$method.request.header.x", "$stageVariables.a-b", "#if($context.stage)"} {
		f.Add(text, "$context.stage")
	}
	f.Fuzz(func(t *testing.T, text, client string) {
		g, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
			gatekit.Throttled: {ResponseTemplates: map[string]string{"text/plain": text + "|$method.request.querystring.q|"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		r := pets()
		r.URL.RawQuery = "q=" + url.QueryEscape(client)
		got := refuse(g, r, &gatekit.Rejection{Type: gatekit.Throttled}).Body.String()
		if !strings.HasSuffix(got, "|"+client+"|") {
			t.Fatalf("%q with %q: %q", text, client, got)
		}
		if !strings.Contains(text, "$") && got != text+"|"+client+"|" {
			t.Fatalf("%q: %q", text, got)
		}
	})
}
