package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// endless is a body without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) { e.read += int64(len(p)); return len(p), nil }
func (e *endless) Close() error               { return nil }

// A body of 1 GiB is refused before it is read, one that doesn't tell its length soon after the
// bound.
func TestHugeBody(t *testing.T) {
	h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
	for _, length := range []int64{1 << 30, -1} {
		body := &endless{}
		r := httptest.NewRequest("POST", "/", nil)
		r.Body, r.ContentLength = body, length
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.Equal(t, 413, serve(apiOf(gatekit.HTTP, "", h), r).Code)
		runtime.ReadMemStats(&after)
		require.Less(t, body.read, int64(40<<20))
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
	}
}

// A length that is announced and not sent costs nothing.
func TestAnnouncedBody(t *testing.T) {
	h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		r := httptest.NewRequest("POST", "/", nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 10<<20
		require.Equal(t, 400, serve(apiOf(gatekit.HTTP, "", h), r).Code)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10<<20))
}

// Replies that would split the response, or break it, never reach the wire.
func TestHostileReplies(t *testing.T) {
	for _, reply := range []string{
		`{"statusCode":200,"headers":{"X":"a\r\nSet-Cookie: evil=1"}}`,
		`{"statusCode":200,"headers":{"X":"a\nSet-Cookie: evil=1"}}`,
		`{"statusCode":200,"headers":{"X":"a\u0000b"}}`,
		`{"statusCode":200,"headers":{"X":"a\u007fb"}}`,
		`{"statusCode":200,"headers":{"X\r\nSet-Cookie: evil=1":"a"}}`,
		`{"statusCode":200,"headers":{"X:":"a"}}`,
		`{"statusCode":200,"headers":{"":"a"}}`,
		`{"statusCode":200,"headers":{"X Y":"a"}}`,
		`{"statusCode":200,"headers":{"é":"a"}}`,
		`{"statusCode":200,"headers":"X: a"}`,
		`{"statusCode":200,"headers":7}`,
		`{"statusCode":[200]}`,
		`{"statusCode":{"a":200}}`,
		`{"statusCode":true}`,
		`{"statusCode":"2 00"}`,
		`{"statusCode":"0x200"}`,
		`{"statusCode":200,"isBase64Encoded":1}`,
		`{"statusCode":200,"isBase64Encoded":[true]}`,
		`{"statusCode":200,"body":7}`,
		`{"statusCode":200,"body":["a"]}`,
	} {
		h2 := gatekit.Must(integration.NewLambda(returns(reply), integration.LambdaConfig{}))
		h1 := gatekit.Must(integration.NewLambda(returns(reply), integration.LambdaConfig{PayloadFormatVersion: "1.0"}))
		for status, api := range map[string]http.Handler{
			"500": apiOf(gatekit.HTTP, "", h2), "500 ": apiOf(gatekit.HTTP, "", h1), "502": apiOf(gatekit.REST, "", h2),
		} {
			server := httptest.NewServer(api)
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			raw, err := io.ReadAll(conn)
			require.NoError(t, err)
			conn.Close()
			server.Close()
			require.True(t, strings.HasPrefix(string(raw), "HTTP/1.1 "+strings.TrimSpace(status)), "%s: %s", reply, raw)
			require.NotContains(t, string(raw), "evil")
		}
	}
	w := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(`{"statusCode":200,"cookies":["a=1\r\nX: y"]}`))
	require.Equal(t, 500, w.Code)
}

// However deep or many, a reply is read without recursion and in time that grows with its size.
func TestDeepAndManyReplies(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	require.Equal(t, 200, answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(deep)).Code, "not JSON, and sent as it is")
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(deep)).Code)
	nested := `{"statusCode":200,"headers":{"X":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}}`
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(nested)).Code)
	var many strings.Builder
	many.WriteString(`{"statusCode":200,"headers":{"x":"y"`)
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"x-%d":"y"`, i)
	}
	many.WriteString(`}}`)
	w := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(many.String()))
	require.Equal(t, 200, w.Code)
	require.Greater(t, len(w.Header()), 100_000)
}

// A request with very many headers, parameters and cookies becomes an event that holds them all.
func TestManyParts(t *testing.T) {
	r := httptest.NewRequest("GET", "/?"+strings.Repeat("a&", 20_000)+strings.Repeat("b=%&", 20_000), nil)
	for i := range 5_000 {
		r.Header.Set(fmt.Sprintf("X-%d", i), "v")
	}
	r.Header.Set("Cookie", strings.Repeat("c=1;", 10_000))
	for _, f := range formats {
		m := decoded(t, eventFor(t, f.flavor, "", f.config, "GET /", r.Clone(t.Context()), nil))
		require.Greater(t, len(m["headers"].(map[string]any)), 5_000)
		require.Len(t, m["queryStringParameters"], 2)
	}
}

// Headers that a client forges neither stand in for the gateway's nor reach the function.
func TestForgedHeaders(t *testing.T) {
	for _, f := range formats {
		r := httptest.NewRequest("GET", "/", nil)
		for name, value := range map[string]string{
			"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", "X-Forwarded-For": "10.0.0.1", "Content-Length": "999", "Host": "evil.example", "Apigw-Requestid": "mine",
			"Transfer-Encoding": "chunked", "Connection": "x-api-key, authorization", "X-Api-Key": "k", "Upgrade": "h2c",
		} {
			r.Header.Set(name, value)
		}
		m := decoded(t, eventFor(t, f.flavor, "", f.config, "GET /", r, nil))
		h := map[string]any{}
		for name, value := range m["headers"].(map[string]any) {
			h[strings.ToLower(name)] = value
		}
		require.Equal(t, "http", h["x-forwarded-proto"])
		require.Equal(t, "80", h["x-forwarded-port"])
		require.Equal(t, "10.0.0.1, 192.0.2.1", h["x-forwarded-for"], "the last one is true")
		require.Equal(t, "example.com", h["host"])
		require.NotEqual(t, "999", h["content-length"])
		for _, name := range []string{"x-api-key", "connection", "transfer-encoding", "upgrade"} {
			require.NotContains(t, h, name)
		}
		c := m["requestContext"].(map[string]any)
		require.NotEqual(t, "mine", c["requestId"])
	}
}

// On a real connection, odd requests become well-formed events or are refused.
func TestOddRequests(t *testing.T) {
	for _, f := range formats {
		h := gatekit.Must(integration.NewLambda(function(func(_ context.Context, payload []byte) ([]byte, error) {
			if !json.Valid(payload) || !utf8.Valid(payload) {
				panic("no JSON")
			}
			return []byte(`{"statusCode":200}`), nil
		}), f.config))
		server := httptest.NewServer(apiOf(f.flavor, "", h, "ANY /{proxy+}"))
		for request, want := range map[string]int{
			"GET /%ff%00x HTTP/1.1\r\nHost: h\r\n\r\n":                                                       400,
			"GET /a%ff?%ff=%ff&=&== HTTP/1.1\r\nHost: h\r\nX-A: \xff\xfe\r\nCookie: \xff;;=\r\n\r\n":         200,
			"GET http://other/x HTTP/1.1\r\nHost: h\r\n\r\n":                                                 200,
			"GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 200,
			"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello":             400,
			"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                                  400,
			"GET /x HTTP/1.1\r\nHost: h\r\nX-A: a\r\n b\r\n\r\n":                                             200,
			"GET /x HTTP/1.0\r\n\r\n":                                                                        200,
		} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			fmt.Fprint(conn, request)
			w, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err, request)
			require.Equal(t, want, w.StatusCode, "%s %q", f.name, request)
			w.Body.Close()
			conn.Close()
		}
		server.Close()
	}
}

// Whatever a function returns, the answer is one that net/http sends, and no header of it holds a
// control character.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"a":["c"]},"cookies":["d"],"body":"aGk=","isBase64Encoded":true}`, `"text"`, `{"a": 1,`, `null`, `{"statusCode":"201","body":null}`} {
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, reply string, kind uint8) {
		c := integration.LambdaConfig{Stream: kind&4 != 0}
		flavor := gatekit.HTTP
		switch kind & 3 {
		case 1:
			c.PayloadFormatVersion = "1.0"
		case 2:
			flavor, c.BinaryMediaTypes = gatekit.REST, []string{"*/*"}
		case 3:
			flavor = gatekit.REST
		}
		h, err := integration.NewLambda(returns(reply), c)
		require.NoError(t, err)
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		rc.API = &gatekit.API{Flavor: flavor}
		w := serve(h, r)
		require.True(t, w.Code >= 200 && w.Code <= 999)
		for name, values := range w.Header() {
			for _, text := range append(values, name) {
				if strings.ContainsAny(text, "\r\n\x00") {
					t.Fatalf("%q: header %q", reply, text)
				}
			}
		}
		if flavor == gatekit.HTTP && kind&7 == 0 && !strings.Contains(reply, "statusCode") && !strings.Contains(reply, `\`) && !strings.HasPrefix(strings.TrimSpace(reply), `"`) {
			require.Equal(t, reply, w.Body.String(), "an inferred answer is the text as returned")
		}
	})
}

// A trace header that we pass on is one, whatever the client sent.
func FuzzTrace(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Add("Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793")
	h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
	f.Fuzz(func(t *testing.T, header string) {
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		r.Header["X-Amzn-Trace-Id"] = []string{header}
		got := serve(h, r).Header().Get("X-Amzn-Trace-Id")
		require.Regexp(t, `^Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24};Parent=[0-9a-fA-F]{16};Sampled=[01]$`, got)
		if rest, ok := strings.CutPrefix(header, "Root="); ok && strings.HasPrefix(got, header) {
			require.Contains(t, got, rest)
		}
	})
}
