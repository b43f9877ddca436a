package crs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

const jsonType = "application/json"

// part is a multipart body of one part.
func part(disposition, text string) (body, kind string) {
	return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + text + "\r\n--b--\r\n", "multipart/form-data; boundary=b"
}

func escapedJSON(text string) string {
	var b strings.Builder
	for _, c := range text {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// Attacks in the spellings that are to hide them, and in places where nobody might look.
func TestEvasions(t *testing.T) {
	set := plainSet(t)
	query := url.QueryEscape(sqliText)
	form := "q=" + query
	field, fieldType := part(`name="q"`, sqliText)
	file, _ := part(`name="f"; filename="shell.php"`, "x")
	xss := "<script>alert(document.cookie)</script>"
	for name, r := range map[string]*http.Request{
		"twice-encoded":           request("GET", "/?q="+url.QueryEscape(query), ""),
		"mixed-case":              request("GET", "/?q="+url.QueryEscape("1 uNiOn SeLeCt password fRoM users"), ""),
		"comments":                request("GET", "/?q="+url.QueryEscape("1/**/UNION/*x*/SELECT/**/password/**/FROM/**/users"), ""),
		"version-comment":         request("GET", "/?q="+url.QueryEscape("1 /*!50000UNION*/ /*!50000SELECT*/ 1,2,3"), ""),
		"odd-spaces":              request("GET", "/?q="+url.QueryEscape("1'\x0bOR\x0c'1'='1"), ""),
		"second-of-two-arguments": request("GET", "/?q=1&q="+query, ""),
		"name-of-an-argument":     request("GET", "/?"+query+"=1", ""),
		"behind-a-hash":           request("GET", "/", ""),
		"header":                  request("GET", "/", "", "Referer", "https://a.example/?"+xss),
		"user-agent":              request("GET", "/", "", "User-Agent", xss),
		"cookie":                  request("GET", "/", "", "Cookie", "session="+sqliText),
		"path":                    request("GET", "/orders/%3Cscript%3Ealert(1)%3C/script%3E", ""),
		"traversal":               request("GET", "/files?p=..%252f..%252f..%252fetc%252fpasswd", ""),
		"form":                    request("POST", "/", form),
		"form-with-charset":       request("POST", "/", form, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
		"form-behind-others":      request("POST", "/", strings.Repeat("a=1&", 900)+form),
		"form-on-get":             request("GET", "/", form),
		"form-without-type":       request("POST", "/", form, "Content-Type", ""),
		"form-called-json":        request("POST", "/", form, "Content-Type", jsonType),
		"form-called-text":        request("POST", "/", form, "Content-Type", "text/plain"),
		"json-escapes":            request("POST", "/", `{"q":"`+escapedJSON(sqliText)+`"}`, "Content-Type", jsonType),
		"json-key":                request("POST", "/", `{"`+sqliText+`":1}`, "Content-Type", jsonType),
		"json-repeated-key":       request("POST", "/", `{"q":"`+sqliText+`","q":1}`, "Content-Type", jsonType),
		"json-type-in-capitals":   request("POST", "/", `{"q":"`+sqliText+`"}`, "Content-Type", "Application/JSON; charset=UTF-8"),
		"json-patch":              request("PATCH", "/", `[{"op":"add","path":"/a","value":"`+sqliText+`"}]`, "Content-Type", "application/json-patch+json"),
		"json-cut":                request("POST", "/", `{"q":"`+sqliText+`","r":`, "Content-Type", jsonType),
		"json-twice":              request("POST", "/", `{"a":1}{"q":"`+sqliText+`"}`, "Content-Type", jsonType),
		"json-deep":               request("POST", "/", strings.Repeat("[", 60_000), "Content-Type", jsonType),
		"json-deep-and-whole":     request("POST", "/", strings.Repeat(`[`, 300)+`"`+sqliText+`"`+strings.Repeat(`]`, 300), "Content-Type", jsonType),
		"json-wide":               request("POST", "/", `[`+strings.Repeat(`1,`, 2000)+`"`+sqliText+`"]`, "Content-Type", jsonType),
		"xml":                     request("POST", "/", `<a><b>`+strings.ReplaceAll(sqliText, "'", "&#39;")+`</b></a>`, "Content-Type", "application/xml"),
		"multipart":               request("POST", "/", field, "Content-Type", fieldType),
		"multipart-without-end":   request("POST", "/", strings.TrimSuffix(field, "--b--\r\n"), "Content-Type", fieldType),
		"multipart-wrong-bound":   request("POST", "/", field, "Content-Type", "multipart/form-data; boundary=c"),
		"multipart-two-bounds":    request("POST", "/", field, "Content-Type", "multipart/form-data; boundary=b; boundary=c"),
		"multipart-file-name":     request("POST", "/", file, "Content-Type", fieldType),
		"gzip":                    request("POST", "/", gzipped(form), "Content-Encoding", "gzip"),
		"method-override":         request("POST", "/", "a=1", "X-HTTP-Method-Override", "DELETE"),
		"many-arguments":          request("GET", "/?"+strings.Repeat("a=1&", 1000)+form, ""),
		"many-form-arguments":     request("POST", "/", strings.Repeat("a=1&", 1000)+form),
		"many-cookies":            request("GET", "/", "", "Cookie", strings.Repeat("a=1; ", 1000)+"q="+sqliText),
		"long-query":              request("GET", "/?a="+strings.Repeat("x", 64<<10)+"&"+form, ""),
		"long-header":             request("GET", sqli, "", "X-Padding", strings.Repeat("x", 64<<10)),
		"padding":                 request("POST", "/", "a="+strings.Repeat("x", 64<<10)+"&"+form),
	} {
		if name == "behind-a-hash" {
			r.RequestURI = "/#?q=" + query
		}
		v := set.Check(r)
		require.NoError(t, v.Fault, name)
		require.True(t, v.Blocked, "%s: %v", name, v.Findings)
		want, other := foundBy[name]
		if !other {
			want = 942100
		}
		require.Contains(t, ids(v), want, name)
	}
}

// foundBy is what finds an evasion, where it isn't libinjection.
var foundBy = map[string]int{
	"header": 941110, "user-agent": 941110, "path": 941110, "traversal": 930120, "multipart-file-name": 933110,
	"form-called-json": crs.RuleBodyUnreadable, "json-cut": crs.RuleBodyUnreadable, "json-deep": crs.RuleBodyUnreadable,
	"json-deep-and-whole": crs.RuleBodyUnreadable, "json-twice": crs.RuleBodyUnreadable, "multipart-two-bounds": crs.RuleBodyUnreadable,
	"multipart-wrong-bound": crs.RuleBodyUnreadable, "multipart-without-end": crs.RuleMultipartStrict, "gzip": 920450, "method-override": 920450,
	"json-wide": crs.RuleTooManyArguments, "many-arguments": crs.RuleTooManyArguments, "many-form-arguments": crs.RuleTooManyArguments,
	"many-cookies": crs.RuleTooManyArguments, "padding": crs.RuleBodyTooLarge, "long-query": crs.RuleHeaderTooLarge, "long-header": crs.RuleHeaderTooLarge,
}

// The same spellings and places with nothing bad in them pass.
func TestHarmlessOnesPass(t *testing.T) {
	set := plainSet(t)
	text := "O'Neill & sons, 12-14 Select Street"
	form := url.Values{"q": {text}}.Encode()
	field, fieldType := part(`name="q"`, text)
	file, _ := part(`name="f"; filename="photo.jpg"`, "x")
	for name, r := range map[string]*http.Request{
		"argument": request("GET", "/?"+form, ""), "hash": request("GET", "/?q=%23"+url.QueryEscape(text), ""),
		"cookie": request("GET", "/", "", "Cookie", "session=abc123; theme=dark"), "cookies": request("GET", "/", "", "Cookie", strings.Repeat("a=1; ", 999)+"a=1"), "referer": request("GET", "/", "", "Referer", "https://a.example/?"+form),
		"form": request("POST", "/", form), "charset": request("POST", "/", form, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
		"arguments": request("POST", "/", strings.Repeat("a=1&", 900)+form), "json": request("POST", "/", `{"q":"`+escapedJSON(text)+`"}`, "Content-Type", jsonType),
		"json-deep": request("POST", "/", strings.Repeat(`[`, 20)+`"`+text+`"`+strings.Repeat(`]`, 20), "Content-Type", jsonType),
		"json-wide": request("POST", "/", `[`+strings.Repeat(`1,`, 900)+`2]`, "Content-Type", jsonType),
		"xml":       request("POST", "/", `<a><b>O&#39;Neill</b></a>`, "Content-Type", "application/xml"),
		"multipart": request("POST", "/", field, "Content-Type", fieldType), "file": request("POST", "/", file, "Content-Type", fieldType),
		"delete": request("DELETE", "/orders/17", ""), "large": request("POST", "/", `{"a":"`+strings.Repeat("x", 50_000)+`"}`, "Content-Type", jsonType),
	} {
		v := set.Check(r)
		require.False(t, v.Blocked, "%s: %v", name, v.Findings)
	}
}

// Threshold or not: what stands behind "#" is judged as arguments, as the handler reads it.
func TestHashHidesNothing(t *testing.T) {
	set := newSet(t, crs.Config{AnomalyThreshold: 1000})
	for _, uri := range []string{"/#?q=" + url.QueryEscape(sqliText), "/?a=1&q=x#" + url.QueryEscape(sqliText)} {
		r := request("GET", "/", "")
		r.RequestURI = uri
		require.Contains(t, ids(set.Check(r)), 942100, uri)
	}
}

// Nothing of what a client sends is in a verdict or a cause, wherever it stands.
func TestVerdictsQuoteNothing(t *testing.T) {
	const secret = "hunter2"
	attack := "' OR '" + secret + "'='" + secret + "' -- <script>" + secret + "</script> /etc/passwd " + secret
	q := url.QueryEscape(attack)
	field, fieldType := part(`name="q"; filename="`+secret+`.php"`, attack)
	var seen []any
	set := newSet(t, crs.Config{ParanoiaLevel: 4, Log: func(_ *http.Request, v *crs.Verdict) { seen = append(seen, v) }})
	h := set.Middleware(http.HandlerFunc(echo))
	for _, r := range []*http.Request{
		request("GET", "/?a="+q, ""), request("GET", "/?"+q+"=1", ""), request("GET", "/"+url.PathEscape(attack), ""),
		request("POST", "/", "a="+q), request("POST", "/", `{"password":"`+attack+`"}`), request("POST", "/", `{"password":"`+attack, "Content-Type", jsonType),
		request("POST", "/", attack, "Content-Type", "text/"+secret), request("POST", "/", field, "Content-Type", fieldType),
		request("GET", "/", "", "Cookie", "a="+attack), request("GET", "/", "", "Referer", attack), request("GET", "/", "", "X-"+secret+"'", attack),
		request(secret, "/", ""), request("GET", "/", "", "Authorization", "Basic "+attack), request("GET", "/", "", "Range", "bytes="+secret),
		request("GET", "/", "", "X-Middleware-Subrequest", secret),
	} {
		var why *gatekit.Rejection
		gatekit.Shadow(func(http.Handler) http.Handler { return h }, func(_ *http.Request, of *gatekit.Rejection) { why = of })(
			http.HandlerFunc(echo)).ServeHTTP(httptest.NewRecorder(), r)
		require.NotNil(t, why, "%s %s", r.Method, r.URL)
		seen = append(seen, why.Cause.Error())
	}
	text, err := json.Marshal(seen)
	require.NoError(t, err)
	require.Greater(t, len(text), 5000)
	require.NotContains(t, strings.ToLower(string(text)), secret)
	require.NotContains(t, string(text), "password")
}

// Files of an upload are gone when the handler runs.
func TestUploadsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	set := newSet(t, crs.Config{})
	body, kind := part(`name="f"; filename="a.txt"`, strings.Repeat("x", 60_000))
	called := false
	set.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
		_, header, err := r.FormFile("f")
		require.NoError(t, err)
		require.EqualValues(t, 60_000, header.Size)
	})).ServeHTTP(httptest.NewRecorder(), request("POST", "/", body, "Content-Type", kind))
	require.True(t, called)
}

// Bodies stay in memory: without a directory for temporary files all but uploads are judged.
func TestBodiesStayInMemory(t *testing.T) {
	dir := t.TempDir() + "/tmp"
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Setenv("TMPDIR", dir)
	set := newSet(t, crs.Config{})
	require.NoError(t, os.Remove(dir))
	v := set.Check(request("POST", "/", `{"a":"`+strings.Repeat("b", 60_000)+`","c":"`+sqliText+`"}`, "Content-Type", jsonType))
	require.NoError(t, v.Fault)
	require.Contains(t, ids(v), 942100)
	body, kind := part(`name="f"; filename="a.txt"`, "x")
	require.True(t, set.Check(request("POST", "/", body, "Content-Type", kind)).Blocked)
}

// One set serves many requests at once, each its own verdict.
func TestConcurrently(t *testing.T) {
	for _, set := range []*crs.RuleSet{plainSet(t), newSet(t, crs.Config{InspectResponses: true})} {
		h := set.Middleware(http.HandlerFunc(echo))
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for j := range 20 {
					body, want := fmt.Sprintf(`{"id":"%d-%d"}`, i, j), 200
					if j%2 == 1 {
						body, want = `{"id":"`+sqliText+`"}`, 403
					}
					w := httptest.NewRecorder()
					h.ServeHTTP(w, request("POST", "/", body, "Content-Type", jsonType))
					if w.Code != want || want == 200 && w.Body.String() != body {
						t.Errorf("want %d for %s, got %d %s", want, body, w.Code, w.Body)
					}
				}
			})
		}
		group.Wait()
	}
}

// Whatever comes: no fault, and the handler reads the body that was sent.
func FuzzCheck(f *testing.F) {
	f.Add("GET", "/a?b=c#d", "X-A", "b", "", "")
	f.Add("POST", "/", "Cookie", "a=b; c", jsonType, `{"a":[1,"b",{"c":null}]}`)
	f.Add("POST", "/", "Content-Encoding", "gzip", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nx\r\n--b--")
	f.Add("PUT", "//%2e/%zz", "Range", "bytes=0-", "text/xml", "<a><!-- b --></a>")
	set := plainSet(f)
	f.Fuzz(func(t *testing.T, method, uri, name, value, kind, body string) {
		r := request("GET", "/", "")
		r.Method, r.RequestURI, r.Body, r.ContentLength = method, uri, io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header[name] = []string{value}
		r.Header["Content-Type"] = []string{kind}
		v := set.Check(r)
		if v.Fault != nil {
			t.Fatalf("%q %q %q: %v", method, uri, body, v.Fault)
		}
		if again, err := io.ReadAll(r.Body); err != nil || string(again) != body {
			t.Fatalf("want the body %q, got %q, %v", body, again, err)
		}
	})
}
