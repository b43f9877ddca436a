package compare_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/compare"
)

const (
	skipUnknown   = "no request was found in it"
	skipRoute     = "it has the route and not the path: add $context.path to the log's format"
	skipElsewhere = "it has a URL of another server and not a path"
	skipTarget    = "it has a path that no client sends"
)

// lines are in every form, with what is asked for because of them.
var lines = []struct{ name, line, method, target, why string }{
	{"path", "/pets?a=b", "GET", "/pets?a=b", ""},
	{"request", "HEAD /pets", "HEAD", "/pets", ""},
	{"request-line", "GET /pets HTTP/1.1", "GET", "/pets", ""},
	{"clf-of-http", `192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "GET GET /pets HTTP/1.1" 200 2 Abc1hE_roAMEJlg=`, "GET", "/pets", ""},
	{"clf-of-http-any", `192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "HEAD ANY /pets HTTP/1.1" 200 2 Abc1hE_roAMEJlg=`, "HEAD", "/pets", ""},
	{"clf-of-http-default", `192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "GET $default HTTP/1.1" 200 2 x`, "", "", skipRoute},
	{"clf-of-rest", `192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "GET /pets/{id} HTTP/1.1" 200 2 x y`, "", "", skipRoute},
	{"clf-of-others", `192.0.2.1 - ann [29/Nov/2026:01:00:00 +0000] "GET /a%20b HTTP/2.0" 200 2 "https://x/" "curl/8 \"x\""`, "GET", "/a%20b", ""},
	{"exported", `2026-11-29T01:00:00.123Z 192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "GET /pets HTTP/1.1" 200 2 x`, "GET", "/pets", ""},
	{"exported-json", `2026-11-29T01:00:00Z {"httpMethod":"GET","path":"/x"}`, "GET", "/x", ""},
	{"json-of-http", `{"requestId":"x","ip":"192.0.2.1","requestTime":"29/Nov/2026:01:00:00 +0000","httpMethod":"GET","routeKey":"GET /pets","status":"200","protocol":"HTTP/1.1","responseLength":"2"}`, "GET", "/pets", ""},
	{"json-of-rest", `{"requestId":"x","caller":"-","httpMethod":"GET","resourcePath":"/pets","status":"200"}`, "GET", "/pets", ""},
	{"json-path-first", `{"httpMethod":"GET","resourcePath":"/pets/{id}","routeKey":"GET /pets/{id}","path":"/prod/pets/7"}`, "GET", "/prod/pets/7", ""},
	{"json-no-path", `{"httpMethod":"GET","routeKey":"GET /pets","path":"-"}`, "GET", "/pets", ""},
	{"json-variable", `{"httpMethod":"GET","routeKey":"GET /files/{proxy+}"}`, "", "", skipRoute},
	{"json-default", `{"httpMethod":"GET","routeKey":"$default"}`, "", "", skipRoute},
	{"json-websocket", `{"routeKey":"$connect"}`, "", "", skipUnknown},
	{"json-other", `{"msg":"x"}`, "", "", skipUnknown},
	{"json-number", `{"httpMethod":1,"path":"/x"}`, "", "", skipUnknown},
	{"json-broken", `{"httpMethod":"GET","path":"/x"`, "", "", skipUnknown},
	{"csv-of-http", "192.0.2.1,29/Nov/2026:01:00:00 +0000,GET,GET /pets,HTTP/1.1,200,2,x", "GET", "/pets", ""},
	{"csv-of-rest", "192.0.2.1,-,-,29/Nov/2026:01:00:00 +0000,GET,/pets,HTTP/1.1,200,2,x,y", "GET", "/pets", ""},
	{"csv-commas", "192.0.2.1,-,-,29/Nov/2026:01:00:00 +0000,GET,/pets/a,b;c,HTTP/1.1,200,2,x,y", "GET", "/pets/a,b;c", ""},
	{"csv-default", "192.0.2.1,29/Nov/2026:01:00:00 +0000,GET,$default,HTTP/1.1,200,2,x", "", "", skipRoute},
	{"csv-other", "a,b,c", "", "", skipUnknown},
	{"csv-no-protocol", "GET,/x,y", "", "", skipUnknown},
	{"blank", " \t", "", "", ""},
	{"words", "the quick brown", "", "", skipTarget},
	{"xml", `<request id="x"><ip>192.0.2.1</ip></request>`, "", "", skipUnknown},
	{"only-quotes", `""`, "", "", skipUnknown},
	{"absolute", `- "GET http://evil.example/ HTTP/1.1" 200`, "", "", skipElsewhere},
	{"authority", "CONNECT evil.example:443 HTTP/1.1", "", "", skipElsewhere},
	{"not-ascii", "/pets/é", "", "", skipTarget},
	{"bad-escape", "/pets/%zz", "", "", skipTarget},
	{"control", "/pets\x01", "", "", skipTarget},
	{"tab", "/pets\tx", "", "", skipTarget},
	{"fragment", "/pets#x", "", "", skipTarget},
	{"asterisk", "OPTIONS * HTTP/1.1", "", "", skipTarget},
	{"variable-in-the-query", "/pets?filter={x}", "GET", "/pets?filter={x}", ""},
}

func TestLines(t *testing.T) {
	for _, tt := range lines {
		t.Run(tt.name, func(t *testing.T) {
			method, target, _, why := compare.ParseLine(tt.line)
			require.Equal(t, []string{tt.method, tt.target, tt.why}, []string{method, target, why})
		})
	}
}

// Whatever a line has, what is asked for is a path on the server that is asked: the request that is
// written can be read, as one, and its target is the path.
func FuzzParseLine(f *testing.F) {
	for _, tt := range lines {
		f.Add(tt.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		method, target, _, why := compare.ParseLine(line)
		if why != "" || method == "" {
			if method != "" || target != "" {
				t.Fatalf("%q: %q, and still %s %s", line, why, method, target)
			}
			return
		}
		path, query, _ := strings.Cut(target, "?")
		decoded, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		r := &http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: "remote", Path: decoded, RawPath: path, RawQuery: query}, Header: http.Header{}}
		var wire strings.Builder
		if err := r.Write(&wire); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		in := bufio.NewReader(strings.NewReader(wire.String()))
		got, err := http.ReadRequest(in)
		if err != nil || got.Host != "remote" || got.Method != method || got.URL.Host != "" && !strings.HasPrefix(path, "//") || in.Buffered() != 0 {
			t.Errorf("%q is sent as %q, read as %v, %v", line, wire.String(), got, err)
		}
	})
}
