package transform_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform"
)

func parameters(t testing.TB, request map[string]string, response map[int]map[string]string) *transform.Parameters {
	t.Helper()
	p, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: request, ResponseParameters: response})
	require.NoError(t, err)
	return p
}

// orders is a request as it is behind a route and an authorizer.
func orders(t testing.TB, body string) *http.Request {
	t.Helper()
	rc, r := gatekit.Attach(httptest.NewRequest("POST", "/orders/a%2Fb/c/d?Q=1&q=two+words&q=3&flag&%71=%34&bad=%zz", strings.NewReader(body)))
	r.Header = http.Header{"X-One": {"1"}, "X-Two": {"a", "b"}, "X-Old": {"old"}}
	rc.API = &gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.Route = &gatekit.Route{Key: "POST /orders/{id}/{rest+}"}
	r.SetPathValue("id", "a/b")
	r.SetPathValue("rest", "c/d")
	rc.API.Variables = map[string]string{"env": "blue", "empty": ""}
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Claims: map[string]any{"sub": "me", "scopes": []any{"x", "y"}}, Context: map[string]any{"n": 7}})
	return r
}

const orderBody = `{"name":"tö","n":1.50,"big":12345678901234567890,"t":true,"null":null,"esc":"a\"b\n","list":[{"id":1},{"id":2}],"o":{ "k" : "v" },"a b":"blank","":"empty"}`

func TestRequestValues(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"static", "plain text", "plain text"},
		{"static-quotes-are-text", "'quoted'", "'quoted'"},
		{"dollar-sign", "US$5", "US$5"},
		{"header", "$request.header.x-one", "1"},
		{"header-any-case", "$request.header.X-ONE", "1"},
		{"header-several", "$request.header.x-two", "a,b"},
		{"host", "$request.header.hOST", "example.com"},
		{"query", "$request.querystring.Q", "1"},
		{"query-several-and-encoded-name", "$request.querystring.q", "two words,3,4"},
		{"query-without-value", "${request.querystring.flag}", ""},
		{"query-that-does-not-decode", "$request.querystring.bad", "%zz"},
		{"body", "$request.body", orderBody},
		{"body-string", "$request.body.name", "tö"},
		{"body-number-as-written", "$request.body.n", "1.50"},
		{"body-big-number", "$request.body.big", "12345678901234567890"},
		{"body-bool", "$request.body.t", "true"},
		{"body-escapes-and-control", "$request.body.esc", `a"b `},
		{"body-element", "$request.body.list[1].id", "2"},
		{"body-object-compact", "$request.body.o", `{"k":"v"}`},
		{"body-all", "$request.body.list[*].id", "[1,2]"},
		{"body-quoted-name", "${request.body.['a b']}", "blank"},
		{"path", "$request.path", "/orders/a%2Fb/c/d"},
		{"path-variable", "$request.path.id", "a/b"},
		{"greedy-path-variable", "$request.path.rest", "c/d"},
		{"context", "$context.apiId", "a1b2c3d4e5"},
		{"claim", "$context.authorizer.claims.sub", "me"},
		{"claim-list", "$context.authorizer.claims.scopes", "[x y]"},
		{"authorizer-context", "$context.authorizer.n", "7"},
		{"stage-variable", "$stageVariables.env", "blue"},
		{"stage-variable-empty", "$stageVariables.empty", ""},
		{"braces", "${request.path.rest}", "c/d"},
		{"mixed", "${request.header.x-one} and ${stageVariables.env}-gw $", "1 and blue-gw $"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, action := range []string{"append", "overwrite"} {
				r := orders(t, orderBody)
				got, err := parameters(t, map[string]string{action + ":header.x-new": tt.value}, nil).Request(r)
				require.NoError(t, err)
				require.Equal(t, []string{tt.want}, got.Header["X-New"])
				require.NotContains(t, r.Header, "X-New")
				body, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				require.Equal(t, orderBody, string(body))
			}
		})
	}
}

// What a selector doesn't find leaves its mapping out, also where other parts of the value are
// there.
func TestNothingFound(t *testing.T) {
	for _, value := range []string{
		"$request.header.x-missing", "$request.querystring.missing", "$request.querystring.FLAG", "$request.body.missing", "$request.body.null", "$request.body.name.x",
		"$request.path.missing", "$context.identity.apiKey", "$context.authorizer.claims.missing", "$context.authorizer.missing", "$stageVariables.missing",
		"text ${request.header.x-missing} ${request.header.x-one}",
	} {
		r := orders(t, orderBody)
		got, err := parameters(t, map[string]string{"append:header.x-old": value, "append:querystring.q": value}, nil).Request(r)
		require.NoError(t, err)
		require.Equal(t, r.Header, got.Header, value)
		require.Equal(t, r.URL.RawQuery, got.URL.RawQuery, value)
	}
	for _, body := range []string{"", "not JSON", `{"name":"cut off`, `{"name":"x"} trailing`, "\xff\xfe"} {
		got, err := parameters(t, map[string]string{"append:header.x-new": "$request.body.name"}, nil).Request(orders(t, body))
		require.NoError(t, err)
		require.NotContains(t, got.Header, "X-New", body)
	}
}

func TestRequestActions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		maps   map[string]string
		header http.Header // what differs; nil is removed
		query  string
	}{
		{"append-creates", map[string]string{"append:header.x-new": "v"}, http.Header{"X-New": {"v"}}, ""},
		{"append-adds", map[string]string{"append:header.X-TWO": "c"}, http.Header{"X-Two": {"a", "b", "c"}}, ""},
		{"overwrite-creates", map[string]string{"overwrite:header.x-new": "v"}, http.Header{"X-New": {"v"}}, ""},
		{"overwrite-replaces-all", map[string]string{"overwrite:header.x-two": "c"}, http.Header{"X-Two": {"c"}}, ""},
		{"remove", map[string]string{"remove:header.x-two": ""}, http.Header{"X-Two": nil}, ""},
		{"remove-quotes", map[string]string{"remove:header.x-two": "''", "remove:header.x-missing": "''"}, http.Header{"X-Two": nil}, ""},
		{"rename", map[string]string{"append:header.x-new": "$request.header.x-old", "remove:header.x-old": ""}, http.Header{"X-New": {"old"}, "X-Old": nil}, ""},
		{"swap", map[string]string{"overwrite:header.x-one": "$request.header.x-old", "overwrite:header.x-old": "$request.header.x-one"}, http.Header{"X-One": {"old"}, "X-Old": {"1"}}, ""},
		{"remove-then-overwrite-then-append", map[string]string{"remove:header.x-two": "", "overwrite:header.x-two": "o", "append:header.x-two": "$request.header.x-two"}, http.Header{"X-Two": {"o", "a,b"}}, ""},
		{"query-append", map[string]string{"append:querystring.q": "a&b", "append:querystring.n w": "1"}, nil, "Q=1&q=two+words&q=3&flag&%71=%34&bad=%zz&n+w=1&q=a%26b"},
		{"query-overwrite", map[string]string{"overwrite:querystring.q": "n"}, nil, "Q=1&flag&bad=%zz&q=n"},
		{"query-overwrite-creates", map[string]string{"overwrite:querystring.FLAG": "n"}, nil, "Q=1&q=two+words&q=3&flag&%71=%34&bad=%zz&FLAG=n"},
		{"query-remove", map[string]string{"remove:querystring.q": "", "remove:querystring.bad": "''"}, nil, "Q=1&flag"},
		{"query-rename", map[string]string{"append:querystring.new": "$request.querystring.Q", "remove:querystring.Q": ""}, nil, "q=two+words&q=3&flag&%71=%34&bad=%zz&new=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := orders(t, "")
			before, query := r.Header.Clone(), r.URL.RawQuery
			want := before.Clone()
			maps.Copy(want, tt.header)
			maps.DeleteFunc(want, func(_ string, v []string) bool { return v == nil })
			if tt.query == "" {
				tt.query = query
			}
			got, err := parameters(t, tt.maps, nil).Request(r)
			require.NoError(t, err)
			require.Equal(t, want, got.Header)
			require.Equal(t, tt.query, got.URL.RawQuery)
			require.Equal(t, before, r.Header)
			require.Equal(t, query, r.URL.RawQuery)
		})
	}
}

// Many mappings are like few.
func TestManyMappings(t *testing.T) {
	mappings, want := map[string]string{}, http.Header{}
	for i := range 30 {
		name := fmt.Sprintf("X-%d", i)
		mappings["append:header."+name], want[name] = "v-${request.path.id}", []string{"v-a/b"}
	}
	mappings["append:header.x-none"] = "$stageVariables.missing"
	r := orders(t, "")
	r.Header = nil
	got, err := parameters(t, mappings, nil).Request(r)
	require.NoError(t, err)
	require.Equal(t, want, got.Header)
}

func TestOverwritePath(t *testing.T) {
	for _, tt := range []struct{ name, value, path, escaped string }{
		{"static", "/other", "/other", "/other"},
		{"static-without-slash", "other", "/other", "/other"},
		{"static-escaped", "/a%2Fb%20c", "/a/b c", "/a%2Fb%20c"},
		{"as-received", "$request.path", "/orders/a/b/c/d", "/orders/a%2Fb/c/d"},
		{"variable-keeps-to-its-segment", "/x/${request.path.id}/y", "/x/a/b/y", "/x/a%2Fb/y"},
		{"greedy-variable", "/x/${request.path.rest}", "/x/c/d", "/x/c/d"},
		{"greedy-alone", "$request.path.rest", "/c/d", "/c/d"},
		{"stage-in-front", "/${context.stage}${request.path}", "/prod/orders/a/b/c/d", "/prod/orders/a%2Fb/c/d"},
		{"selected-is-escaped", "/x/${request.querystring.q}", "/x/two words,3,4", "/x/two%20words,3,4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := orders(t, "")
			got, err := parameters(t, map[string]string{"overwrite:path": tt.value}, nil).Request(r)
			require.NoError(t, err)
			require.Equal(t, tt.path, got.URL.Path)
			require.Equal(t, tt.escaped, got.URL.EscapedPath())
			require.Equal(t, "/orders/a%2Fb/c/d", r.URL.EscapedPath())
			require.Equal(t, r.URL.RawQuery, got.URL.RawQuery)
		})
	}
}

// A client's own value never stands where the owner's was meant to.
func TestOverwriteThatFindsNothing(t *testing.T) {
	mappings := map[string]string{"overwrite:header.x-old": "$context.authorizer.claims.tenant", "overwrite:querystring.q": "$context.authorizer.claims.tenant"}
	r := orders(t, "")
	got, err := parameters(t, mappings, nil).Request(r)
	require.NoError(t, err)
	require.NotContains(t, got.Header, "X-Old")
	require.Equal(t, "Q=1&flag&bad=%zz", got.URL.RawQuery)
	path := map[string]string{"overwrite:path": "/tenants/${context.authorizer.claims.tenant}"}
	_, err = parameters(t, path, nil).Request(r)
	require.ErrorContains(t, err, "a selector of the mapped path finds nothing")

	maps.Copy(mappings, path)
	keeping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{RequestParameters: mappings, KeepUnmapped: true}))
	got, err = keeping.Request(r)
	require.NoError(t, err)
	require.Equal(t, r.Header, got.Header)
	require.Equal(t, r.URL, got.URL)
}

func TestBodyIsCutAtItsBound(t *testing.T) {
	const bound = 102_400
	fits := `{"name":"x","pad":"` + strings.Repeat("p", bound-len(`{"name":"x","pad":""}`)) + `"}`
	require.Len(t, fits, bound)
	p := parameters(t, map[string]string{"append:header.x-name": "$request.body.name", "append:header.x-body": "$request.body"}, nil)
	for _, body := range []string{fits, fits + " ", fits + strings.Repeat(" ", 1<<20)} {
		got, err := p.Request(orders(t, body))
		require.NoError(t, err)
		want := []string{"x"}
		require.Equal(t, want, got.Header["X-Name"], len(body)) // blanks are no part of the document that is cut
		require.Equal(t, []string{fits}, got.Header["X-Body"])
		all, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		require.True(t, body == string(all))
	}
	long := `{"name":"x","pad":"` + strings.Repeat("p", bound) + `"}`
	got, err := p.Request(orders(t, long))
	require.NoError(t, err)
	require.NotContains(t, got.Header, "X-Name")
	require.Equal(t, []string{long[:bound]}, got.Header["X-Body"])
	all, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.True(t, long == string(all))
}

func TestBodyThatFails(t *testing.T) {
	r := orders(t, "")
	broken := errors.New("broken")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)))
	got, err := parameters(t, map[string]string{"append:header.x": "$request.body"}, nil).Request(r)
	require.NoError(t, err)
	all, err := io.ReadAll(got.Body)
	require.ErrorIs(t, err, broken)
	require.Equal(t, "abc", string(all))
	require.NoError(t, got.Body.Close())
}

// A mapping that doesn't ask for the body doesn't touch it.
func TestBodyIsNotRead(t *testing.T) {
	r := orders(t, "")
	r.Body = io.NopCloser(iotest.ErrReader(errors.New("read")))
	got, err := parameters(t, map[string]string{"append:header.x": "$request.header.x-one"}, nil).Request(r)
	require.NoError(t, err)
	require.Equal(t, r.Body, got.Body)
}

func TestWithoutMappings(t *testing.T) {
	r := orders(t, "")
	got, err := parameters(t, nil, nil).Request(r)
	require.NoError(t, err)
	require.Same(t, r, got)
	// A status without mappings is no entry: the handler gets the server's own ResponseWriter.
	w := httptest.NewRecorder()
	parameters(t, nil, map[int]map[string]string{500: {}}).Middleware(http.HandlerFunc(func(inner http.ResponseWriter, _ *http.Request) { require.Same(t, w, inner) })).ServeHTTP(w, r)
}

func TestOutsideAGateway(t *testing.T) {
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header = nil
	got, err := parameters(t, map[string]string{"append:header.a": "$stageVariables.x", "append:header.b": "$request.path", "append:header.c": "$context.requestId"}, nil).Request(r)
	require.NoError(t, err)
	require.Equal(t, http.Header{"B": {"/x"}}, got.Header)
	r.Body = nil // as a client's request may have it
	got, err = parameters(t, map[string]string{"append:header.a": "$request.body", "append:header.b": "$request.path"}, nil).Request(r)
	require.NoError(t, err)
	require.Equal(t, http.Header{"B": {"/x"}}, got.Header)

	var seen string
	h := parameters(t, map[string]string{"append:header.c": "$context.requestId"}, nil).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("C")
		require.Equal(t, gatekit.From(r.Context()).RequestID(), seen)
	}))
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Len(t, seen, 16)
}

func TestParametersBehindARoute(t *testing.T) {
	p := parameters(t, map[string]string{"overwrite:path": "/v2/${request.path.id}", "append:header.x-route": "$context.routeKey"}, nil)
	api := gatekit.Must(route.New(route.Config{}))
	var got *http.Request
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }), p.Middleware)
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/a%2Fb", nil))
	require.Equal(t, "/v2/a%2Fb", got.URL.EscapedPath())
	require.Equal(t, "GET /orders/{id}", got.Header.Get("X-Route"))
	require.Equal(t, "a/b", got.PathValue("id"))
}

func TestPathThatIsRefused(t *testing.T) {
	p := parameters(t, map[string]string{"overwrite:path": "/files/${request.querystring.f}"}, nil)
	h := p.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/?f=../secret", nil))
	require.Equal(t, 400, w.Code)
	require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
}

func TestRefusedMappings(t *testing.T) {
	for _, tt := range []struct{ name, key, value, want string }{
		{"no-action", "header.x", "v", "want append, overwrite or remove with :header.NAME"},
		{"unknown-action", "set:header.x", "v", "want append, overwrite or remove"},
		{"action-in-upper-case", "Append:header.x", "v", "want append, overwrite or remove"},
		{"empty-key", "", "v", "want append, overwrite or remove"},
		{"empty-target", "append:", "v", "want append, overwrite or remove"},
		{"dot-for-colon", "append.header.x", "v", "want append, overwrite or remove"},
		{"status-of-a-request", "overwrite:statuscode", "200", "or overwrite:path"},
		{"append-path", "append:path", "v", "or overwrite:path"},
		{"remove-path", "remove:path", "", "or overwrite:path"},
		{"path-variable", "overwrite:path.id", "v", "or overwrite:path"},
		{"body", "overwrite:body", "v", "or overwrite:path"},
		{"header-without-name", "append:header", "v", "want a header's name behind header., got \"\""},
		{"header-with-empty-name", "append:header.", "v", "want a header's name behind header."},
		{"header-with-blank", "append:header.x y", "v", "want a header's name behind header."},
		{"header-with-newline", "append:header.x\r\ny", "v", "want a header's name behind header."},
		{"query-without-name", "append:querystring.", "v", "want append, overwrite or remove"},
		{"no-value", "append:header.x", "", "want a value; to drop what is there, use remove"},
		{"value-for-remove", "remove:header.x", "v", `want no value with remove ("" or "''"), got "v"`},
		{"control-in-value", "append:header.x", "a\r\nSet-Cookie: b", "want a value without control characters"},
		{"unknown-selector", "append:header.x", "$input.body", "want request.header.NAME"},
		{"money", "append:header.x", "$5 off", "want request.header.NAME"},
		{"open-brace", "append:header.x", "${request.path", "want a } behind ${"},
		{"open-brace-by-quote", "append:header.x", "${request.body.['}'", "want a } behind ${"},
		{"empty-braces", "append:header.x", "${}", "want request.header.NAME"},
		{"response-in-request", "append:header.x", "$response.header.y", "want request.header.NAME"},
		{"method-request", "append:header.x", "$request.headers.y", "want request.header.NAME"},
		{"header-selector-without-name", "append:header.x", "$request.header.", "want request.header.NAME"},
		{"query-selector-without-name", "append:header.x", "$request.querystring", "want request.header.NAME"},
		{"empty-path-selector", "append:header.x", "$request.path.", "want request.header.NAME"},
		{"empty-body-selector", "append:header.x", "$request.body.", "want request.header.NAME"},
		{"request-alone", "append:header.x", "$request", "want request.header.NAME"},
		{"recursive-descent", "append:header.x", "$request.body..id", "want a JSON path without .."},
		{"deep-recursive-descent", "append:header.x", "$request.body.a..id", "want a JSON path without .."},
		{"filter", "append:header.x", "$request.body.list[?(@.id>1)]", "want a JSON path without filters"},
		{"broken-json-path", "append:header.x", "$request.body.list[", "want a JSON path, got"},
		{"unknown-context", "append:header.x", "$context.nope", "want the name of a $context variable"},
		{"stage-variable-without-name", "append:header.x", "$stageVariables.", "want request.header.NAME"},
		{"path-with-query", "overwrite:path", "/a?b=c", "want a path, escaped, without query and dot segments"},
		{"path-with-dot-segment", "overwrite:path", "/a/../b", "want a path, escaped, without query and dot segments"},
		{"path-with-encoded-dot-segment", "overwrite:path", "%2e%2E/b", "want a path, escaped, without query and dot segments"},
		{"path-with-bad-escape", "overwrite:path", "/%zz", "want a path, escaped, without query and dot segments"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{tt.key: tt.value}})
			require.ErrorContains(t, err, "transform: ParametersConfig.RequestParameters[")
			require.ErrorContains(t, err, tt.want)
		})
	}
	for _, tt := range []struct{ name, key, value, want string }{
		{"query", "append:querystring.x", "v", "or overwrite:statuscode"},
		{"path", "overwrite:path", "/", "or overwrite:statuscode"},
		{"append-status", "append:statuscode", "200", "or overwrite:statuscode"},
		{"status-with-dot", "overwrite.statuscode", "200", "or overwrite:statuscode"},
		{"status-100", "overwrite:statuscode", "100", "want a status from 200 to 599"},
		{"status-600", "overwrite:statuscode", "600", "want a status from 200 to 599"},
		{"status-word", "overwrite:statuscode", "$context.status", "want a status from 200 to 599"},
		{"status-plus", "overwrite:statuscode", "+200", "want a status from 200 to 599"},
		{"status-empty", "overwrite:statuscode", "", "want a status from 200 to 599"},
		{"request-in-response", "append:header.x", "$request.header.y", "want response.header.NAME"},
		{"response-path", "append:header.x", "$response.path", "want response.header.NAME, response.body, response.body.PATH"},
		{"response-query", "append:header.x", "$response.querystring.x", "want response.header.NAME"},
	} {
		t.Run("response-"+tt.name, func(t *testing.T) {
			_, err := transform.NewParameters(transform.ParametersConfig{ResponseParameters: map[int]map[string]string{404: {tt.key: tt.value}}})
			require.ErrorContains(t, err, "transform: ParametersConfig.ResponseParameters[404][")
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestReservedHeaders(t *testing.T) {
	for _, name := range []string{
		"access-control-allow-origin", "apigw-requestid", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Location", "Forwarded", "Keep-Alive",
		"Origin", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers", "Transfer-Encoding", "Upgrade", "x-amz-date", "x-amzn-trace-id",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "Host", "Trailer",
	} {
		for _, name := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			for action, value := range map[string]string{"append": "v", "overwrite": "v", "remove": ""} {
				if strings.EqualFold(name, "Host") && action == "overwrite" {
					continue // requests may
				}
				mappings := map[string]string{action + ":header." + name: value}
				_, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: mappings, ResponseParameters: map[int]map[string]string{200: mappings}})
				require.ErrorContains(t, err, "RequestParameters["+`"`+action, name)
				require.ErrorContains(t, err, "ResponseParameters[200]", name)
				require.ErrorContains(t, err, "want a header that may be mapped", name)
			}
		}
	}
	parameters(t, map[string]string{"append:header.x-forwarded-port": "443", "append:header.x-amzon": "v", "append:header.apigw": "v"}, nil)
}

func TestAllMistakesAreListed(t *testing.T) {
	_, err := transform.NewParameters(transform.ParametersConfig{
		RequestParameters:  map[string]string{"append:header.x": "", "append:header.X-A": "1", "append:header.x-a": "2"},
		ResponseParameters: map[int]map[string]string{99: {}, 600: {}, 200: {"x": "y"}},
	})
	require.EqualError(t, err, `transform: ParametersConfig.RequestParameters["append:header.x"]: want a value; to drop what is there, use remove
transform: ParametersConfig.RequestParameters["append:header.x-a"]: want one mapping of an action and a name, got another one
transform: ParametersConfig.ResponseParameters[99]: want a status from 200 to 599, got 99
transform: ParametersConfig.ResponseParameters[200]["x"]: want append, overwrite or remove with :header.NAME, or overwrite:statuscode
transform: ParametersConfig.ResponseParameters[600]: want a status from 200 to 599, got 600`)
}

func TestConfigIsCopied(t *testing.T) {
	request, response := map[string]string{"append:header.a": "1"}, map[int]map[string]string{200: {"append:header.a": "1"}}
	p := parameters(t, request, response)
	clear(request)
	clear(response[200])
	clear(response)
	w := httptest.NewRecorder()
	p.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { require.Equal(t, "1", r.Header.Get("A")) })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "1", w.Header().Get("A"))
}

// A handler may write to the header that it got, and one that outlives its request to nobody
// else's.
func TestSlicesAreNotShared(t *testing.T) {
	p := parameters(t, map[string]string{"append:header.x-two": "c", "overwrite:header.x-one": "static", "append:header.x-new": "static"}, nil)
	r := orders(t, "")
	got, err := p.Request(r)
	require.NoError(t, err)
	for _, values := range got.Header {
		for i := range values {
			values[i] = "changed"
		}
		_ = append(values, "changed")
	}
	require.Equal(t, []string{"a", "b"}, r.Header["X-Two"])
	again, err := p.Request(r)
	require.NoError(t, err)
	require.Equal(t, []string{"static"}, again.Header["X-One"])
	require.Equal(t, []string{"static"}, again.Header["X-New"])
}

func TestMappingStandsInsideCORS(t *testing.T) {
	rules := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}}))
	p := parameters(t, nil, map[int]map[string]string{200: {"append:header.vary": "X-Tenant"}})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Origin", "https://myapp.com")
	w := httptest.NewRecorder()
	gatekit.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), rules.Middleware, p.Middleware).ServeHTTP(w, r)
	require.Equal(t, http.Header{"Access-Control-Allow-Origin": {"https://myapp.com"}, "Vary": {"X-Tenant", "Origin"}}, w.Header())
}

func TestStations(t *testing.T) {
	next := http.NotFoundHandler()
	h := parameters(t, nil, nil).Middleware(next)
	kind, inner := h.(gatekit.Station).Station()
	require.Equal(t, "parameters", kind)
	require.NotNil(t, inner)
}

// Selectors in text need no braces where what follows can't be part of them, and the Host of the
// backend's request may be overwritten. (E.1.)
func TestBareSelectors(t *testing.T) {
	for _, tt := range []struct{ name, key, value, host, path, header string }{
		{"path", "overwrite:path", "/$request.path.proxy", "example.com", "/a/b", ""},
		{"path-and-more", "overwrite:path", "/v1/$request.path.proxy/x", "example.com", "/v1/a/b/x", ""},
		{"two", "append:header.x", "$request.querystring.q,$request.path.proxy", "example.com", "/pets/a/b", "1,a/b"},
		{"in-text", "append:header.x", "id $request.querystring.q!", "example.com", "/pets/a/b", "id 1!"},
		{"sentence", "append:header.x", "It is $request.querystring.q. Yes", "example.com", "/pets/a/b", "It is 1. Yes"},
		{"money", "append:header.x", "it is $5", "example.com", "/pets/a/b", "it is $5"},
		{"host", "overwrite:header.host", "up.example:8080", "up.example:8080", "/pets/a/b", ""},
		{"host-in-capitals", "overwrite:header.HOST", "${request.querystring.q}.up.example", "1.up.example", "/pets/a/b", ""},
		{"no-host", "overwrite:header.host", "$request.querystring.none", "example.com", "/pets/a/b", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{tt.key: tt.value}})
			require.NoError(t, err)
			rc, r := gatekit.Attach(httptest.NewRequest("GET", "/pets/a/b?q=1", nil))
			rc.Route = &gatekit.Route{Key: "GET /pets/{proxy+}"}
			r.SetPathValue("proxy", "a/b")
			got, err := p.Request(r)
			require.NoError(t, err)
			require.Equal(t, []string{tt.host, tt.path, tt.header}, []string{got.Host, got.URL.Path, got.Header.Get("X")})
			require.Equal(t, "example.com", r.Host)
		})
	}
	p, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{"overwrite:header.host": "$request.querystring.q"}})
	require.NoError(t, err)
	for _, bad := range []string{"a/b", "a b", "a@b", "a%23", "a%0d%0ab"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = "q=" + strings.ReplaceAll(bad, " ", "+")
		_, err := p.Request(r)
		require.Error(t, err, bad)
	}
}
