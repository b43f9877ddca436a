package crs_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

// served is a real server behind the rules, and a client of it.
func served(t *testing.T, set *crs.RuleSet, next http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(set.Middleware(next))
	server.Config.ErrorLog = discard
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// both runs a test without and with an eye on answers.
func both(t *testing.T, f func(t *testing.T, set *crs.RuleSet)) {
	t.Run("requests", func(t *testing.T) { f(t, plainSet(t)) })
	t.Run("answers", func(t *testing.T) { f(t, newSet(t, crs.Config{InspectResponses: true})) })
}

// dial opens a connection to the server.
func dial(t *testing.T, server *httptest.Server) (net.Conn, *bufio.Reader) {
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn, bufio.NewReader(conn)
}

const headers = "Host: api.example.com\r\nUser-Agent: test/1\r\nAccept: */*\r\n"

// A body reaches the handler as it was sent, whether it has a length or comes in chunks, with its trailers.
func TestBodiesReachTheHandler(t *testing.T) {
	both(t, func(t *testing.T, set *crs.RuleSet) {
		server := served(t, set, echo)
		for _, size := range []int{0, 1, 4096, 60_000} {
			text := strings.Repeat("1", size)
			r, _ := http.NewRequest("POST", server.URL+"/orders", strings.NewReader(text))
			r.Header.Set("Content-Type", "application/json")
			answer, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, 200, answer.StatusCode)
			require.True(t, text == string(body))
			require.Equal(t, fmt.Sprint(size), answer.Header.Get("X-Length"))
		}
		conn, from := dial(t, server)
		_, _ = io.WriteString(conn, "POST /orders HTTP/1.1\r\n"+headers+"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"+
			"Trailer: Checksum\r\n\r\n5;ext=1\r\n12345\r\n0\r\nChecksum: 42\r\n\r\n")
		answer, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		body, _ := io.ReadAll(answer.Body)
		require.Equal(t, "12345", string(body))
		require.Equal(t, "42", answer.Header.Get("X-Trailer"))
	})
}

// A client that waits for 100 Continue isn't told to send what is refused by its header alone.
func TestExpect(t *testing.T) {
	set := newSet(t, crs.Config{
		Setup:      `SecAction "id:1,phase:1,pass,nolog,t:none,setvar:tx.early_blocking=1"`,
		Exclusions: []crs.Exclusion{{Rule: 920450}}, // which refuses Expect
	})
	server := served(t, set, echo)
	for method, want := range map[string]int{"POST": 100, "PROPFIND": 403} {
		conn, from := dial(t, server)
		_, _ = io.WriteString(conn, method+" /orders HTTP/1.1\r\n"+headers+"Content-Type: application/json\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		answer, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		require.Equal(t, want, answer.StatusCode)
		if want == 100 {
			_, _ = io.WriteString(conn, "12345")
			answer, err = http.ReadResponse(from, nil)
			require.NoError(t, err)
			body, _ := io.ReadAll(answer.Body)
			require.Equal(t, "12345", string(body))
		}
	}
}

// A body that is too large is refused before it is read where it says so, and behind the limit where not.
func TestLargerBodies(t *testing.T) {
	for _, tt := range []struct {
		pass   bool
		length int64
		want   int
	}{{false, 2000, 403}, {false, -1, 403}, {true, 2000, 200}, {true, -1, 200}} {
		set := newSet(t, crs.Config{RequestBodyLimit: 1000, InsecurePassLargerBodies: tt.pass})
		for kind, text := range map[string]string{
			"application/x-www-form-urlencoded": strings.Repeat("1", 2000),
			"application/json":                  `{"a":"` + strings.Repeat("b", 1992) + `"}`,
		} {
			r := request("POST", "/", text, "Content-Type", kind)
			r.ContentLength = tt.length
			w := httptest.NewRecorder()
			set.Middleware(http.HandlerFunc(echo)).ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Code, "%+v %s %+v", tt, kind, set.Check(r).Findings)
			if tt.pass {
				require.True(t, text == w.Body.String())
			}
		}
		r := request("POST", "/", `{"a":"`+sqliText+`","b":"`+strings.Repeat("b", 2000)+`"}`, "Content-Type", "application/json")
		require.True(t, set.Check(r).Blocked, "the front is judged")
	}
	set := plainSet(t)
	r := request("POST", "/", strings.Repeat("1", 64<<10+1), "Content-Type", "application/json")
	r.Body = failing{} // isn't read
	v := set.Check(r)
	require.NoError(t, v.Fault)
	require.Equal(t, crs.RuleBodyTooLarge, v.Rule)
	require.False(t, set.Check(request("POST", "/", strings.Repeat("1", 64<<10), "Content-Type", "application/json")).Blocked)
	require.True(t, set.Check(request("POST", "/", strings.Repeat("1", 64<<10+1), "Content-Type", "application/json")).Blocked)
}

// What a handler flushes is sent at once; an event stream isn't held back.
func TestFlush(t *testing.T) {
	both(t, func(t *testing.T, set *crs.RuleSet) {
		next := make(chan struct{})
		server := served(t, set, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.URL.Query().Get("kind"))
			_, _ = io.WriteString(w, "first\n")
			require.NoError(t, http.NewResponseController(w).Flush())
			<-next
			_, _ = io.WriteString(w, "second\n")
		})
		for _, kind := range []string{"text/event-stream", "text/plain"} {
			r, _ := http.NewRequest("GET", server.URL+"/?kind="+kind, nil)
			r.Header.Set("Accept", "*/*")
			answer, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body := bufio.NewReader(answer.Body)
			line, err := body.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "first\n", line) // while the handler waits
			next <- struct{}{}
			line, _ = body.ReadString('\n')
			require.Equal(t, "second\n", line)
			require.NoError(t, answer.Body.Close())
		}
	})
}

// A connection is handed over, with what the client has sent.
func TestHijack(t *testing.T) {
	both(t, func(t *testing.T, set *crs.RuleSet) {
		server := served(t, set, func(w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				w.WriteHeader(500)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
			_ = rw.Flush()
			line, _ := rw.ReadString('\n')
			_, _ = rw.WriteString(line)
			_ = rw.Flush()
		})
		conn, from := dial(t, server)
		_, _ = io.WriteString(conn, "GET /socket HTTP/1.1\r\n"+headers+"Connection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
		answer, err := http.ReadResponse(from, nil)
		require.NoError(t, err)
		require.Equal(t, 101, answer.StatusCode)
		line, err := from.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "hello\n", line)
	})
}

// Trailers are trailers, declared ones and others, and 103 passes; an empty handler's answer is as ever.
func TestTrailersAndEarlyHints(t *testing.T) {
	both(t, func(t *testing.T, set *crs.RuleSet) {
		server := served(t, set, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/empty" {
				return
			}
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Trailer", "Checksum, Later")
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "hello")
			w.Header().Set("Checksum", "42")
			w.Header().Set(http.TrailerPrefix+"More", "7")
		})
		conn, from := dial(t, server)
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n"+headers+"Connection: close\r\n\r\n")
		whole, err := io.ReadAll(from)
		require.NoError(t, err)
		hints, rest, _ := strings.Cut(string(whole), "\r\n\r\n")
		require.Contains(t, hints, "103 Early Hints")
		header, body, _ := strings.Cut(rest, "\r\n\r\n")
		require.NotContains(t, header, "Checksum: 42")
		require.Contains(t, body, "hello\r\n0\r\nChecksum: 42\r\nMore: 7\r\n")

		answer, err := http.Get(server.URL + "/empty")
		require.NoError(t, err)
		require.Equal(t, 200, answer.StatusCode)
		require.EqualValues(t, 0, answer.ContentLength)
		require.NoError(t, answer.Body.Close())
	})
}

// The same over HTTP/2: a body without a length, flushes, trailers.
func TestHTTP2(t *testing.T) {
	both(t, func(t *testing.T, set *crs.RuleSet) {
		server := httptest.NewUnstartedServer(set.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Checksum")
			w.Header().Set("Content-Type", "text/plain")
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
			_, _ = io.WriteString(w, r.Proto)
			_ = http.NewResponseController(w).Flush()
			w.Header().Set("Checksum", r.Trailer.Get("Sum"))
		})))
		server.EnableHTTP2 = true
		server.StartTLS()
		defer server.Close()
		r, _ := http.NewRequest("POST", server.URL+"/orders", io.MultiReader(strings.NewReader("123")))
		r.Header.Set("Content-Type", "application/json")
		r.Trailer = http.Header{"Sum": []string{"42"}}
		answer, err := server.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, "123HTTP/2.0", string(body))
		require.Equal(t, "42", answer.Trailer.Get("Checksum"))
	})
}

// Without an eye on answers the handler has the server's own ResponseWriter.
func TestNothingBetweenHandlerAndClient(t *testing.T) {
	w := httptest.NewRecorder()
	plainSet(t).Middleware(http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		require.True(t, got == http.ResponseWriter(w))
	})).ServeHTTP(w, request("GET", "/", ""))
}

// A body that breaks off is judged as far as it came, and breaks off at the same place for the handler.
func TestBodyThatBreaksOff(t *testing.T) {
	server := served(t, plainSet(t), echo)
	conn, from := dial(t, server)
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\n"+headers+"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n12345")
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	require.Equal(t, 400, answer.StatusCode) // echo's
}
