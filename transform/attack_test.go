package transform_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// reads is a method whose templates and mappings look into bodies in every way.
var reads = transform.RESTConfig{
	Type: transform.HTTP,
	RequestParameters: map[string]string{
		"integration.request.header.X-A": "method.request.body.a", "integration.request.header.X-All": "method.request.body.list[*].x",
	},
	RequestTemplates: map[string]string{"application/json": `{"a":$input.json('$.a'),"n":"$input.path('$.n')","all":$input.json('$..x'),"body":"$util.escapeJavaScript($input.path('$.s'))"}`},
	IntegrationResponses: []transform.IntegrationResponse{{
		StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `$input.json('$')`},
	}},
}

// Whatever a body is, the answer is a response of the method or a refusal. What doesn't end fails
// by the test's own deadline.
func TestHostileBodies(t *testing.T) {
	c, ten := reads, 10<<20
	if racing {
		ten = 2 << 20
		c.MaxBodyBytes, c.Limits.MaxOutputBytes = int64(ten), ten
	}
	for _, tt := range []struct {
		name, body string
		want       int
	}{
		{"not-json", "hello", 200},
		{"half-json", `{"a":`, 400},
		{"10-MB-of-text", strings.Repeat("x", ten), 200},
		{"10-MB-string", `{"a":"` + strings.Repeat("x", ten-100) + `"}`, 200},
		{"10-MB-of-members", "{" + strings.Repeat(`"k":1,`, ten/6-10) + `"a":1}`, 200},
		{"10-MB-of-arrays", `{"a":[` + strings.Repeat(`[],`, ten/3-10) + `1]}`, 500}, // more than 10 MB of output
		{"10-MB-of-quotes", `{"a":"` + strings.Repeat(`\"`, ten/2-10) + `"}`, 500},
		{"over-10-MB", strings.Repeat("x", ten+1), 413},
		{"deep-arrays", strings.Repeat("[", ten), 400},
		{"deep-objects", strings.Repeat(`{"a":`, ten/5), 400},
		{"deep-and-closed", strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6), 400},
		{"deep-and-allowed", strings.Repeat(`{"x":`, 500) + "1" + strings.Repeat("}", 500), 200},
		{"deep-and-large", strings.Repeat(`{"x":`, 500) + `"` + strings.Repeat("y", ten*9/10) + `"` + strings.Repeat("}", 500), 500}, // $..x: too much work
		{"duplicates", `{"a":1,"a":2,"n":1,"n":"2"}`, 200},
		{"invalid-utf-8", "{\"a\":\"\xff\xfe\",\"s\":\"\xc0\xaf\"}", 200},
		{"lone-surrogates", `{"a":"\ud800","s":"\udc00\ud800"}`, 200},
		{"nul", "{\"a\":\"\\u0000\"}", 200},
		{"raw-nul", "{\"a\":\"\x00\"}", 400},
		{"huge-integer", `{"n":` + strings.Repeat("9", 4000) + `}`, 200},
		{"too-huge-integer", `{"n":` + strings.Repeat("9", 1<<20) + `}`, 500},
		{"huge-exponent", `{"n":1e999999999,"a":-1e-999999999}`, 200},
		{"many-results", `{"list":[` + strings.Repeat(`{"x":1},`, 200_000) + `1]}`, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := serveREST(t, c, &backend{answer: `{"ok":true}`}, post(tt.body))
			require.Equal(t, tt.want, w.Code)
			for _, secret := range []string{"hello", "xxxx", "vtl", "jsonpath"} {
				require.NotContains(t, w.Body.String(), secret)
			}
		})
	}
}

// The last of two members with one name is the one that a template sees, and the only one that goes
// on.
func TestDuplicateMembers(t *testing.T) {
	b := &backend{}
	serveREST(t, reads, b, post(`{"a":"good","b":1,"\u0061":"evil"}`))
	require.Equal(t, "evil", b.r.Header.Get("X-A"))
	require.Contains(t, b.body, `"a":"evil"`)
	whole := transform.RESTConfig{Type: transform.HTTP, RequestTemplates: map[string]string{"application/json": `$input.json('$')`}, IntegrationResponses: defaultResponse}
	serveREST(t, whole, b, post(`{"a":"good","b":1,"\u0061":"evil"}`))
	require.Equal(t, `{"a":"evil","b":1}`, b.body)
}

// An answer of the backend's is as little to be trusted.
func TestHostileAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"not-json": "hello", "deep": strings.Repeat("[", 1<<20), "invalid-utf-8": "{\"a\":\"\xff\"}", "large": `["` + strings.Repeat("x", 10<<20) + `"]`,
	} {
		w := serveREST(t, reads, &backend{answer: answer}, post("{}"))
		if name == "large" {
			require.Equal(t, 502, w.Code)
		} else {
			require.Equal(t, 200, w.Code, name)
		}
	}
}

// Templates of people who aren't trusted end, and see nothing but what they are given.
func TestHostileTemplates(t *testing.T) {
	limits := vtl.Options{MaxSteps: 1_000_000, MaxAllocBytes: 16 << 20} // a twentieth of the default, for the time of the test
	if racing {
		limits = vtl.Options{MaxSteps: 200_000, MaxAllocBytes: 3 << 20}
	}
	for name, text := range map[string]string{
		"loops":       strings.Repeat(`#foreach($i in [1..1000])`, 20) + `x` + strings.Repeat(`#end`, 20),
		"output":      `#set($s = "xxxxxxxxxxxxxxxx")#foreach($i in [1..40])#set($s = "$s$s")#end$s`,
		"itself":      `#set($l = [])#set($x = $l.add($l))#foreach($i in [1..1000])$x$l#end#foreach($i in [1..1000])#foreach($j in [1..1000])$l.hashCode()#foreach($k in [1..1000])$k#end#end#end`,
		"jsonpath":    `#foreach($i in [1..1000])#foreach($j in [1..1000])$input.json("$..*..*..[$i]")#end#end`,
		"patterns":    `#foreach($i in [1..1000])#foreach($j in [1..1000])$input.json("$.a[?(@ =~ /(.*.*.*.*){200}$i-$j/)]")#end#end`,
		"new-filters": `#foreach($i in [1..1000])#foreach($j in [1..1000])$input.json("$.b[?(@ =~ /(.*.*.*.*){200}$i-$j/)]")#end#end`,
		"expressions": `#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])$input.path("$.a$i$j$k")#end#end#end`,
		"escapes":     `#set($s = $input.body)#foreach($i in [1..1000])#set($s = $util.escapeJavaScript($s))#end`,
		"base64":      `#set($s = $input.body)#foreach($i in [1..1000])#set($s = $util.base64Encode($s))#end`,
		"urls":        `#set($s = $input.body)#foreach($i in [1..1000])#set($s = $util.urlEncode($s))#set($s = $util.urlEncode("%$s%"))#end`,
		"parse":       `#set($s = $input.json('$'))#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $util.parseJson($s))#end#end`,
		"regexp":      `#set($s = $input.body)#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $s.matches("(a*)*(a*)*b"))#end#end`,
		"context":     `#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])#set($context["$i-$j-$k"] = $context.keySet())#end#end#end`,
		"long-names":  `#set($s = "0123456789")#foreach($i in [1..15])#set($s = $s + $s)#end#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $input.params($s))#set($x = $context.get($s))#end#end`,
		"overrides":   `#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])#set($context.requestOverride.header["x$i-$j-$k"] = "x")#end#end#end`,
	} {
		t.Run(name, func(t *testing.T) {
			rc, r := gatekit.Attach(post(`{"a":["` + strings.Repeat("a<'", 2000) + `"]}`))
			m, err := transform.NewREST(transform.RESTConfig{
				Type: transform.Mock, RequestTemplates: map[string]string{"application/json": text}, IntegrationResponses: defaultResponse,
				Limits: limits,
			})
			require.NoError(t, err)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := httptest.NewRecorder()
			m.Middleware(nil).ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			require.Equal(t, 500, w.Code)
			var failure *vtl.Error
			require.ErrorAs(t, rc.Rejection(), &failure)
			require.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(300), failure.Error())
		})
	}
	for _, text := range []string{
		`$input.class`, `$input.getClass()`, `$util.class.forName("x")`, `$context.class`, `$context.request`, `$context.r`, `$input.params`, `$input.document`, `$context.set`,
		`$context.class.classLoader`, `$util.toString()`, `$input.Property("body")`, `$context.requestOverride.class`,
	} {
		require.Empty(t, render(t, text, "{}"), text)
	}
}

// A client can't choose what stands in the integration's URL beyond the value of its parameter.
func TestHostileParameters(t *testing.T) {
	c := transform.RESTConfig{
		Type: transform.HTTP, URI: "http://backend.internal/v1/{id}/x?k={q}", IntegrationResponses: defaultResponse,
		RequestParameters: map[string]string{
			"integration.request.path.id": "method.request.path.id", "integration.request.path.q": "method.request.querystring.q",
			"integration.request.querystring.more": "method.request.querystring.q", "integration.request.header.X-Q": "method.request.querystring.q",
		},
	}
	for _, value := range []string{"..", "%2e%2e", "../../admin", "a/../../b", "a?b=c", "a#b", "a&b=c", "http://evil", "//evil", "@evil", "a\\b", "a%00b", "a\r\nX: y", "é", "\xff", "{id}", "${stageVariables.host}", "", " "} {
		b := &backend{}
		r := httptest.NewRequest("GET", "/pets/x", nil)
		r.URL.RawQuery = "q=" + escapeAll(value)
		r.URL.Path, r.URL.RawPath = "/pets/"+value, "/pets/"+escapeAll(value)
		w := serveREST(t, c, b, r)
		if b.r == nil {
			require.Contains(t, []int{400, 404, 307, 301}, w.Code, "%q", value) // ServeMux redirects dots
			continue
		}
		require.Equal(t, "backend.internal", b.r.URL.Host)
		for segment := range strings.SplitSeq(b.r.URL.Path, "/") { // as handlers in this program see it
			require.NotContains(t, []string{".", ".."}, segment, "%q", value)
		}
		segments := strings.Split(b.r.URL.EscapedPath(), "/")
		require.Len(t, segments, 4, "%q: %s", value, b.r.URL)
		require.Equal(t, []string{"", "v1"}, segments[:2])
		require.Equal(t, "x", segments[3])
		require.NotContains(t, segments, "..")
		for name := range b.r.URL.Query() {
			require.Contains(t, []string{"k", "more"}, name, value)
		}
		for _, values := range b.r.Header {
			require.NotRegexp(t, "[\r\n]", values[0])
		}
	}
}

func escapeAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// A backend that never stops sending holds no more than the bound, and a client's slow body holds
// its own request only.
func TestEndlessAnswer(t *testing.T) {
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 64<<10))
		for range 10_000 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	w := serveREST(t, reads, endless, post("{}"))
	require.Equal(t, 502, w.Code)
	require.Equal(t, internalServerError, w.Body.String())
}

// A handler that outlives its request writes into nothing.
func TestTimeoutHandlerInside(t *testing.T) {
	release := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		_, _ = io.WriteString(w, "late")
	})
	m, err := transform.NewREST(reads)
	require.NoError(t, err)
	h := m.Middleware(http.TimeoutHandler(slow, time.Millisecond, `{"slow":true}`))
	w := httptest.NewRecorder()
	_, r := gatekit.Attach(post("{}"))
	h.ServeHTTP(w, r)
	close(release)
	require.Equal(t, `{"slow":true}`, w.Body.String())
}

func FuzzMapping(f *testing.F) {
	for _, s := range []string{"method.request.header.X", "method.request.body.a[?(@.b)]", "context.identity.sourceIp", "stageVariables.x", "'x'", "integration.response.multivalueheader.Y", "method.request.body['a']"} {
		f.Add("integration.request.header.X-A", s, `{"a":1}`)
	}
	f.Fuzz(func(t *testing.T, target, source, body string) {
		m, err := transform.NewREST(transform.RESTConfig{
			Type: transform.HTTP, RequestParameters: map[string]string{target: source}, IntegrationResponses: defaultResponse,
		})
		if err != nil {
			if m != nil {
				t.Fatal("an error and a REST")
			}
			return
		}
		b := &backend{}
		w := httptest.NewRecorder()
		m.Middleware(b).ServeHTTP(w, post(body))
		if w.Code != 200 && w.Code != 400 && w.Code != 500 {
			t.Fatalf("%q from %q: %d", target, source, w.Code)
		}
		if b.r != nil {
			for name, values := range b.r.Header {
				if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
					t.Fatalf("%q from %q: header %q %q", target, source, name, values)
				}
			}
		}
	})
}

func FuzzMockStatus(f *testing.F) {
	for _, s := range []string{`{"statusCode":200}`, `{statusCode: 404,}`, `{'statusCode':1,,"a":}}`, `{"a":{"b":"\"","statusCode":"1"}}`, `{`, `{"statusCode":200,"a":"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status, ok := transform.MockStatus(text)
		if !ok {
			return
		}
		if text[0] == 0 || !strings.Contains(string(text), "statusCode") {
			t.Fatalf("%q has no statusCode, got %d", text, status)
		}
		if !strings.Contains(string(text), strings.TrimPrefix(fmt.Sprint(status), "-")) {
			t.Fatalf("%q: got %d", text, status)
		}
	})
}

func FuzzURI(f *testing.F) {
	f.Add("http://api.example.com/{id}/x?y={id}", "a/b", "host")
	f.Add("https://${stageVariables.h}:8080/{proxy}", "..", "h.example.com/x")
	f.Fuzz(func(t *testing.T, uri, value, stage string) {
		m, err := transform.NewREST(transform.RESTConfig{
			Type: transform.HTTPProxy, URI: uri, RequestParameters: map[string]string{"integration.request.path.id": "method.request.querystring.color", "integration.request.path.proxy": "method.request.querystring.color"},
		})
		if err != nil || uri == "" { // which leaves the client's
			return
		}
		b := &backend{}
		r := post("")
		r.URL.RawQuery = "color=" + escapeAll(value)
		rc, r := gatekit.Attach(r)
		rc.API = &gatekit.API{Variables: map[string]string{"h": stage}}
		m.Middleware(b).ServeHTTP(httptest.NewRecorder(), r)
		if b.r == nil {
			return
		}
		if b.r.URL.Host == "" || strings.ContainsAny(b.r.URL.Host, "/@?#\\ \r\n") {
			t.Fatalf("%q with %q: host %q", uri, value, b.r.URL.Host)
		}
		for segment := range strings.SplitSeq(b.r.URL.EscapedPath(), "/") {
			if segment == ".." || segment == "." {
				t.Fatalf("%q with %q: path %q", uri, value, b.r.URL.EscapedPath())
			}
		}
	})
}

// Behind HTTP_PROXY, a header that the API's owner maps is never the client's: not where the
// authorizer says nothing, and not in a spelling that backends take for it.
func TestAMappedHeaderIsNotTheClients(t *testing.T) {
	c := transform.RESTConfig{Type: transform.HTTPProxy, RequestParameters: map[string]string{
		"integration.request.header.x-user-id": "context.authorizer.userId", "integration.request.header.X-Asked-By": "method.request.header.X-From",
		"integration.request.header.X-Fixed-By": "'us'", "integration.request.header.X-Own-Name": "method.request.header.X-Own-Name",
	}}
	for _, name := range []string{
		"X-User-Id", "X_User_Id", "x_user-id", "X-User_ID", "X-Asked-By", "X_Asked_By", "X_Fixed_By", "X-Fixed-By", "X_Own_Name",
	} {
		b := &backend{}
		serveREST(t, c, b, post("body", name, "evil", "X_Other_Name", "kept"))
		for key, values := range b.r.Header {
			require.NotContains(t, values, "evil", "%s as %s", name, key)
		}
		require.Equal(t, "us", b.r.Header.Get("X-Fixed-By"), name)
		require.Equal(t, "kept", b.r.Header.Get("X_Other_Name"), name)
	}
	b := &backend{}
	serveREST(t, c, b, post("body", "X-Own-Name", "a", "X-From", "b"))
	require.Equal(t, "a", b.r.Header.Get("X-Own-Name"))
	require.Equal(t, "b", b.r.Header.Get("X-Asked-By"))
}
