package waf_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/internal/contextvar"
)

// echo answers with the body that reached it.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%d %v %s", len(body), err, r.Trailer.Get("X-Sum"))
})

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A refusal has the form of the API, and the reason is in the RequestContext.
func TestRefusalsOfTheFlavors(t *testing.T) {
	acl := blocking(t, onPath("/bad"))
	for flavor, errorType := range map[gatekit.Flavor]string{gatekit.HTTP: "", gatekit.REST: "ForbiddenException"} {
		describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: flavor}))
		var rc *gatekit.RequestContext
		var verdict, arn string
		h := describe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc = gatekit.From(r.Context())
			acl.Middleware(echo).ServeHTTP(w, r)
			verdict, _ = contextvar.Value(r, "wafResponseCode")
			arn, _ = contextvar.Value(r, "webaclArn")
		}))
		w := serve(h, request("GET", "/bad", ""))
		require.Equal(t, 403, w.Code)
		require.JSONEq(t, `{"message":"Forbidden"}`, w.Body.String())
		require.Equal(t, errorType, w.Header().Get("X-Amzn-ErrorType"))
		require.Equal(t, gatekit.WAFFiltered, rc.Rejection().Type)
		require.ErrorContains(t, rc.Rejection().Cause, "waf: rule acl/r: Block")
		require.Equal(t, "WAF_BLOCK", verdict)
		require.Equal(t, "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1", arn)
		require.Equal(t, 200, serve(h, request("GET", "/good", "")).Code)
		require.Equal(t, "WAF_ALLOW", verdict)
	}
	kind, next := acl.Middleware(echo).(gatekit.Station).Station()
	require.Equal(t, "waf", kind)
	require.NotNil(t, next)
}

func custom(code int64, key string, headers ...waf.CustomHTTPHeader) *waf.Action {
	return &waf.Action{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{ResponseCode: code, CustomResponseBodyKey: key, ResponseHeaders: headers}}}
}

func TestCustomResponses(t *testing.T) {
	acl := webACL(
		rule("slow", 0, onPath("/slow"), custom(429, "slow", waf.CustomHTTPHeader{Name: "retry-after", Value: "60"})),
		rule("moved", 1, onPath("/moved"), custom(302, "", waf.CustomHTTPHeader{Name: "Location", Value: "/home"})),
		rule("fine", 2, onPath("/fine"), custom(200, "slow")),
		rule("none", 3, onPath("/none"), custom(204, "slow")),
	)
	acl.CustomResponseBodies = map[string]waf.CustomResponseBody{"slow": {ContentType: "APPLICATION_JSON", Content: `{"message":"slow down"}`}}
	acl.DefaultAction = waf.DefaultAction{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{ResponseCode: 404}}}
	web := compiled(t, waf.Config{ACL: acl})
	require.Equal(t, 429, web.Check(get("/slow")).Rejection.Status)
	require.Equal(t, 302, web.Check(get("/moved")).Rejection.Status, "what Shadow is told is what is answered")
	h := web.Middleware(echo)
	for _, tt := range []struct {
		method, path, header, value, contentType, body string
		status                                         int
	}{
		{"GET", "/slow", "Retry-After", "60", "application/json", `{"message":"slow down"}`, 429},
		{"HEAD", "/slow", "Content-Length", "23", "application/json", "", 429},
		{"GET", "/moved", "Location", "/home", "", "", 302},
		{"GET", "/fine", "Content-Length", "23", "application/json", `{"message":"slow down"}`, 200},
		{"GET", "/none", "Content-Length", "", "", "", 204},
		{"GET", "/else", "Content-Type", "", "", "", 404},
	} {
		server := httptest.NewRecorder()
		server.Header().Set("Etag", "stale")
		server.Header().Set("Content-Type", "text/stale")
		h.ServeHTTP(server, request(tt.method, tt.path, ""))
		require.Equal(t, tt.status, server.Code, tt.path)
		require.Equal(t, tt.value, server.Header().Get(tt.header), tt.path)
		require.Equal(t, tt.contentType, server.Header().Get("Content-Type"), tt.path)
		require.Equal(t, tt.body, server.Body.String(), tt.path)
		require.Empty(t, server.Header().Get("Etag"))
	}
}

// Shadow sees a blocked request whichever way it would have been answered, and lets it go on with
// its whole body.
func TestShadow(t *testing.T) {
	page := &waf.Puzzle{Token: func(*http.Request) waf.Token { return waf.Token{} }}
	acl := compiled(t, waf.Config{Captcha: page, Challenge: page, ACL: webACL(
		rule("plain", 0, onPath("/plain"), block),
		rule("custom", 1, onPath("/custom"), custom(302, "")),
		rule("captcha", 2, onPath("/captcha"), &waf.Action{Captcha: &waf.CaptchaAction{}}),
		rule("challenge", 3, onPath("/challenge"), &waf.Action{Challenge: &waf.ChallengeAction{}}),
		rule("body", 4, text("CONTAINS", "evil", inBody), block),
	)})
	var reported []string
	h := gatekit.Shadow(acl.Middleware, func(_ *http.Request, why *gatekit.Rejection) {
		reported = append(reported, why.Cause.Error())
	})(echo)
	for _, path := range []string{"/plain", "/custom", "/captcha", "/challenge", "/body", "/good"} {
		body := strings.Repeat("a", 20<<10)
		if path == "/body" {
			body = "evil" + body
		}
		w := serve(h, request("POST", path, body))
		require.Equal(t, 200, w.Code, path)
		require.Equal(t, fmt.Sprint(len(body), " <nil> "), w.Body.String(), path)
	}
	require.Equal(t, []string{"waf: rule acl/plain: Block", "waf: rule acl/custom: Block", "waf: rule acl/captcha: Captcha",
		"waf: rule acl/challenge: Challenge", "waf: rule acl/body: Block"}, reported)
}

func TestInsertedHeaders(t *testing.T) {
	inserts := func(pairs ...string) *waf.CustomRequestHandling {
		to := &waf.CustomRequestHandling{}
		for i := 0; i < len(pairs); i += 2 {
			to.InsertHeaders = append(to.InsertHeaders, waf.CustomHTTPHeader{Name: pairs[i], Value: pairs[i+1]})
		}
		return to
	}
	acl := webACL(
		rule("one", 0, onPath("/"), &waf.Action{Count: &waf.CountAction{CustomRequestHandling: inserts("A", "1", "b", "1")}}),
		rule("two", 1, onPath("/"), &waf.Action{Count: &waf.CountAction{CustomRequestHandling: inserts("a", "2")}}),
		rule("unseen", 2, text("EXACTLY", "2", header("x-amzn-waf-a")), block),
		rule("last", 3, onPath("/allow"), &waf.Action{Allow: &waf.AllowAction{CustomRequestHandling: inserts("c", "3", "b", "3")}}),
	)
	acl.DefaultAction.Allow.CustomRequestHandling = inserts("d", "4")
	var got http.Header
	h := compiled(t, waf.Config{ACL: acl}).Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	r := request("GET", "/allow", "", "X-Amzn-Waf-A", "spoofed", "X-Other", "o")
	serve(h, r)
	require.Equal(t, http.Header{"X-Amzn-Waf-A": {"2"}, "X-Amzn-Waf-B": {"3"}, "X-Amzn-Waf-C": {"3"}, "X-Other": {"o"}}, got)
	require.Equal(t, "spoofed", r.Header.Get("X-Amzn-Waf-A"), "who stands in front sees the request as it came")
	serve(h, request("GET", "/", ""))
	require.Equal(t, http.Header{"X-Amzn-Waf-A": {"2"}, "X-Amzn-Waf-B": {"1"}, "X-Amzn-Waf-D": {"4"}}, got)
}

func TestCaptchaAndChallenge(t *testing.T) {
	var token waf.Token
	puzzle := &waf.Puzzle{Token: func(*http.Request) waf.Token { return token }, Page: []byte("<html>solve</html>")}
	immune := func(n int64) *waf.ImmunityConfig {
		return &waf.ImmunityConfig{ImmunityTimeProperty: &waf.ImmunityTimeProperty{ImmunityTime: n}}
	}
	captcha := rule("captcha", 0, onPath("/captcha"), &waf.Action{Captcha: &waf.CaptchaAction{}}, "solved")
	challenge := rule("challenge", 1, onPath("/challenge"), &waf.Action{Challenge: &waf.ChallengeAction{}})
	challenge.ChallengeConfig = immune(600)
	acl := webACL(captcha, challenge, rule("last", 2, onPath("/captcha/block"), block))
	acl.CaptchaConfig = immune(60)
	web := compiled(t, waf.Config{Captcha: puzzle, Challenge: puzzle, ACL: acl})
	h := web.Middleware(echo)
	for _, tt := range []struct {
		name, path string
		token      waf.Token
		status     int
		failure    string
	}{
		{"missing", "/captcha", waf.Token{}, 405, "TOKEN_MISSING"},
		{"solved", "/captcha", waf.Token{Solved: time.Now().Add(-50 * time.Second)}, 200, ""},
		{"solved-and-goes-on", "/captcha/block", waf.Token{Solved: time.Now()}, 403, ""},
		{"expired", "/captcha", waf.Token{Solved: time.Now().Add(-70 * time.Second)}, 405, "TOKEN_EXPIRED"},
		{"invalid", "/captcha", waf.Token{Solved: time.Now(), Failure: "TOKEN_INVALID"}, 405, "TOKEN_INVALID"},
		{"challenge", "/challenge", waf.Token{}, 202, "TOKEN_MISSING"},
		{"challenge-answered", "/challenge", waf.Token{Solved: time.Now().Add(-590 * time.Second)}, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token = tt.token
			w := serve(h, request("GET", tt.path, "", "Accept", "text/html,*/*"))
			require.Equal(t, tt.status, w.Code)
			if tt.failure == "" {
				require.Empty(t, w.Header().Get("X-Amzn-Waf-Action"))
				return
			}
			require.Equal(t, strings.Split(tt.path, "/")[1], w.Header().Get("X-Amzn-Waf-Action"))
			require.Equal(t, "<html>solve</html>", w.Body.String())
			require.Empty(t, serve(h, request("GET", tt.path, "")).Body.String(), "no page for who doesn't ask for one")
			record := web.Check(request("GET", tt.path, "")).Record
			response := record.CaptchaResponse
			if response == nil {
				response = record.ChallengeResponse
			}
			require.Equal(t, tt.failure, response.FailureReason)
			require.Equal(t, tt.status, response.ResponseCode)
			require.Equal(t, tt.status, *record.ResponseCodeSent)
		})
	}
	token = waf.Token{Solved: time.Now()}
	d := web.Check(request("GET", "/captcha", ""))
	require.Equal(t, []string{"captcha"}, d.Counted)
	require.Equal(t, []string{"awswaf:111122223333:webacl:acl:solved"}, d.Labels)
	require.Zero(t, d.Record.NonTerminatingMatchingRules[0].CaptchaResponse.ResponseCode)
	refused(t, waf.Config{ACL: acl}, "Action.Captcha: want Config.Captcha with a Token")
	challenge.ChallengeConfig = immune(60)
	refused(t, waf.Config{Captcha: puzzle, Challenge: puzzle, ACL: webACL(challenge)}, "ImmunityTime: want 300 to 259200, got 60")
}

// The handler gets the whole body, whatever of it rules have read, with its errors and trailers.
func TestBodiesReachTheHandler(t *testing.T) {
	acl := blocking(t, text("CONTAINS", "evil", inBody))
	const limit = 16 << 10
	for _, n := range []int{1, limit - 1, limit, limit + 1, limit + 2, 3 * limit} {
		for name, reader := range map[string]func(io.Reader) io.Reader{"at-once": func(r io.Reader) io.Reader { return r }, "byte-by-byte": iotest.OneByteReader, "data-and-error": iotest.DataErrReader} {
			for _, known := range []bool{true, false} {
				r := httptest.NewRequest("POST", "/", reader(strings.NewReader(strings.Repeat("a", n))))
				if r.ContentLength = -1; known {
					r.ContentLength = int64(n)
				}
				require.Equal(t, fmt.Sprint(n, " <nil> "), serve(acl.Middleware(echo), r).Body.String(), "%s, known %t", name, known)
			}
		}
	}
	broken := errors.New("the line is cut")
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)))
	require.Equal(t, "3 the line is cut ", serve(acl.Middleware(echo), r).Body.String())
	r = httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("evil"), iotest.ErrReader(broken)))
	require.Equal(t, 403, serve(acl.Middleware(echo), r).Code, "what came is judged")
	r = httptest.NewRequest("POST", "/", stuck{})
	require.Contains(t, serve(acl.Middleware(echo), r).Body.String(), io.ErrNoProgress.Error())
}

// A body that was closed isn't read any more, as with net/http's own.
func TestBodyThatIsClosed(t *testing.T) {
	r := request("POST", "/", strings.Repeat("a", 100))
	require.False(t, blocked(blocking(t, text("CONTAINS", "evil", inBody)), r))
	require.NoError(t, r.Body.Close())
	_, err := r.Body.Read(make([]byte, 1))
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
}

// stuck is a reader that never comes to anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// conversation is a connection to a server with h.
func conversation(t *testing.T, h http.Handler) (*bufio.ReadWriter, net.Conn) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), conn
}

func say(t *testing.T, rw *bufio.ReadWriter, text string) {
	t.Helper()
	_, err := rw.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, rw.Flush())
}

// A body that no rule looks at isn't asked for: a client that waits for 100 Continue is answered
// without one. Where a rule looks, it is asked.
func TestExpectContinue(t *testing.T) {
	const ask = "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
	acl := compiled(t, waf.Config{ACL: webACL(rule("path", 0, onPath("/bad"), block), rule("body", 1, text("CONTAINS", "evil", inBody), block))})
	rw, _ := conversation(t, acl.Middleware(echo))
	say(t, rw, fmt.Sprintf(ask, "/bad"))
	line, err := rw.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 403 Forbidden\r\n", line, "an earlier rule has decided")

	rw, _ = conversation(t, acl.Middleware(echo))
	say(t, rw, fmt.Sprintf(ask, "/good"))
	line, err = rw.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	say(t, rw, "evil")
	_, err = rw.ReadString('\n')
	require.NoError(t, err)
	line, err = rw.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 403 Forbidden\r\n", line)

	none := blocking(t, onPath("/bad"))
	rw, _ = conversation(t, none.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) })))
	say(t, rw, fmt.Sprintf(ask, "/good"))
	line, err = rw.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 418 I'm a teapot\r\n", line)
}

// Chunks, their extensions and trailers pass, and what is beyond the limit is streamed: the handler
// runs before the client has sent the rest.
func TestChunkedBodiesAreStreamed(t *testing.T) {
	acl := blocking(t, text("CONTAINS", "evil", inBody))
	started := make(chan struct{})
	rw, _ := conversation(t, acl.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(started)
		echo(w, r)
	})))
	say(t, rw, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
	for range 17 {
		say(t, rw, "400;name=value\r\n"+strings.Repeat("a", 1024)+"\r\n")
	}
	<-started
	say(t, rw, "3\r\nend\r\n0\r\nX-Sum: 42\r\n\r\n")
	response, err := http.ReadResponse(rw.Reader, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "17411 <nil> 42", string(body))

	inserting := webACL()
	inserting.DefaultAction.Allow.CustomRequestHandling = &waf.CustomRequestHandling{InsertHeaders: []waf.CustomHTTPHeader{{Name: "a", Value: "b"}}}
	rw, _ = conversation(t, compiled(t, waf.Config{ACL: inserting}).Middleware(echo))
	say(t, rw, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\nX-Sum: 42\r\n\r\n")
	response, err = http.ReadResponse(rw.Reader, nil)
	require.NoError(t, err)
	body, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "3 <nil> 42", string(body), "a trailer that wasn't announced, of a request with another header")

	rw, _ = conversation(t, acl.Middleware(echo))
	say(t, rw, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nev\r\n2\r\nil\r\n0\r\n\r\n")
	response, err = http.ReadResponse(rw.Reader, nil)
	require.NoError(t, err)
	require.Equal(t, 403, response.StatusCode, "a word in two chunks is one word")
}

// The address of a client behind a trusted proxy is the one that counts.
func TestTrustedProxies(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{AggregateKeyType: "IP"}), block))})
	proxies := gatekit.Must(gatekit.NewTrustedProxies("", "192.0.2.0/24"))
	h := proxies.Middleware(acl.Middleware(echo))
	for i := range 40 {
		w := serve(h, request("GET", "/", "", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i%4)))
		require.Equal(t, 200, w.Code, i)
	}
	require.Equal(t, 403, serve(h, request("GET", "/", "", "X-Forwarded-For", "198.51.100.0")).Code)
}
