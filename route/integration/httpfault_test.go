package integration_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

const (
	unavailable  = `{"message":"Service Unavailable"}`
	timedOut     = `{"message": "Endpoint request timed out"}`
	networkError = `{"message": "Network error communicating with endpoint"}`
	restInternal = `{"message": "Internal server error"}`
)

// What an upstream may do wrong before there are headers, and what the client of each flavor is
// told.
func TestUpstreamFailures(t *testing.T) {
	never := rawBackend(t, func(conn net.Conn, _ string) { _, _ = io.Copy(io.Discard, conn) })
	half := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-")
		_, _ = io.Copy(io.Discard, conn)
	})
	halfAndClosed := rawBackend(t, func(conn net.Conn, _ string) { fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-") })
	closes := rawBackend(t, func(net.Conn, string) {})
	resets := rawBackend(t, func(conn net.Conn, _ string) { _ = conn.(*net.TCPConn).SetLinger(0) })
	nonsense := rawBackend(t, func(conn net.Conn, _ string) { fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.6\r\n\r\n") })
	hugeHeaders := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Big: %s\r\nContent-Length: 0\r\n\r\n", strings.Repeat("a", 1<<20))
	})
	manyHeaders := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n"+strings.Repeat("A: b\r\n", 1<<20/6)+"\r\n")
	})
	twoLengths := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc")
	})
	badLength := rawBackend(t, func(conn net.Conn, _ string) { fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc") })
	badCoding := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
	})
	floods1xx := rawBackend(t, func(conn net.Conn, _ string) {
		for {
			if _, err := fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"); err != nil {
				return
			}
		}
	})
	unknownSwitch := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	})
	plainUnderTLS := strings.Replace(nonsense, "http:", "https:", 1)
	for _, tt := range []struct {
		name, uri  string
		restStatus int
		rest       string
	}{
		{"never-answers", never, 504, timedOut},
		{"half-an-answer", half, 504, timedOut},
		{"half-and-closed", halfAndClosed, 504, networkError},
		{"closes", closes, 504, networkError},
		{"resets", resets, 504, networkError},
		{"refuses", "http://" + closedAddress(t), 504, networkError},
		{"nonsense", nonsense, 504, networkError},
		{"no-tls", plainUnderTLS, 504, timedOut},
		{"huge-header", hugeHeaders, 504, networkError},
		{"many-headers", manyHeaders, 504, networkError},
		{"two-lengths", twoLengths, 504, networkError},
		{"bad-length", badLength, 504, networkError},
		{"bad-coding", badCoding, 504, networkError},
		{"floods-1xx", floods1xx, 504, networkError},
		{"switches-unasked", unknownSwitch, 504, restInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if tt.rest == timedOut {
				timeout = 50 * time.Millisecond
			}
			p := newProxy(t, integration.HTTPConfig{URI: tt.uri, Timeout: timeout})
			w := do(t, "GET", front(t, gatekit.HTTP, p).URL, nil)
			require.Equal(t, 503, w.StatusCode)
			require.Equal(t, unavailable, w.body)
			require.Equal(t, int64(33), w.ContentLength)
			require.Empty(t, w.Header["Content-Type"])
			w = do(t, "GET", front(t, gatekit.REST, p).URL, nil)
			require.Equal(t, tt.restStatus, w.StatusCode)
			require.Equal(t, tt.rest, w.body)
			require.Equal(t, "InternalServerErrorException", w.Header.Get("x-amzn-ErrorType"))
			for _, u := range p.Upstreams() {
				require.Zero(t, u.Outstanding)
			}
		})
	}
}

// A name that doesn't exist is a fault of the configuration on a REST API.
func TestNoSuchHost(t *testing.T) {
	p := newProxy(t, integration.HTTPConfig{URI: "http://gatekit.invalid", Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "gatekit.invalid", IsNotFound: true}}
	}})
	w := do(t, "GET", front(t, gatekit.REST, p).URL, nil)
	require.Equal(t, 500, w.StatusCode)
	require.Equal(t, restInternal, w.body)
	require.Equal(t, 503, do(t, "GET", front(t, gatekit.HTTP, p).URL, nil).StatusCode)
}

// A response that breaks off behind its headers never looks complete.
func TestCutResponsesLookCut(t *testing.T) {
	reset := func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }
	for name, f := range map[string]func(net.Conn, string){
		"too-short": func(conn net.Conn, _ string) { fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") },
		"too-short-reset": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			reset(conn)
		},
		"no-body": func(conn net.Conn, _ string) { fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") },
		"chunk-cut": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
		},
		"last-chunk-absent": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
		},
		"bad-chunk": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n")
		},
		"huge-chunk-length": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab")
		},
		"silent": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
			_, _ = io.Copy(io.Discard, conn)
		},
		"not-gzip": func(conn net.Conn, _ string) {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 50\r\n\r\n", strings.Repeat("x", 20))
		},
	} {
		for _, flavor := range flavors {
			t.Run(fmt.Sprint(name, "/", flavor), func(t *testing.T) {
				p := newProxy(t, integration.HTTPConfig{URI: rawBackend(t, f), IdleTimeout: 100 * time.Millisecond})
				s := front(t, flavor, p)
				r, err := http.NewRequest("GET", s.URL, nil)
				require.NoError(t, err)
				w, err := client(t).Do(r)
				if err == nil { // else the connection ended before the headers were out, which is as good
					_, err = io.ReadAll(w.Body)
					w.Body.Close()
				}
				require.Error(t, err)
				require.Eventually(t, func() bool { return p.Upstreams()[0].Outstanding == 0 }, 10*time.Second, time.Millisecond)
			})
		}
	}
}

// What comes behind the end of a response belongs to nobody.
func TestTooLong(t *testing.T) {
	var conns atomic.Int32
	url := rawBackend(t, func(conn net.Conn, _ string) {
		conns.Add(1)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
		_, _ = io.Copy(io.Discard, conn)
	})
	f := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: url}))
	for range 5 {
		w := do(t, "GET", f.URL, nil)
		require.NoError(t, w.err)
		require.Equal(t, "abc", w.body)
	}
}

func TestInterimResponses(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	f := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: url}))
	var got []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got = append(got, fmt.Sprint(code, h))
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, "GET", f.URL, nil)
	require.NoError(t, err)
	w, err := client(t).Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	require.Equal(t, []string{"103 map[Link:[</a.css>]]"}, got)
	require.Empty(t, w.Header["Link"])
	require.Len(t, w.Header["Apigw-Requestid"], 1, "what the gateway has set is for the final answer")
	require.NotContains(t, speak(t, addressOf(f), "GET / HTTP/1.0\r\n\r\n"), "103", "HTTP/1.0 knows no interim responses")
}

// http.TimeoutHandler takes the first status that it is told for the answer's.
func TestInterimResponsesUnderTimeoutHandler(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
	})
	f := front(t, gatekit.HTTP, http.TimeoutHandler(newProxy(t, integration.HTTPConfig{URI: url}), time.Minute, ""))
	w := do(t, "GET", f.URL, nil)
	require.Equal(t, 401, w.StatusCode)
	require.Equal(t, "no", w.body)
	require.Empty(t, w.Header["Link"])
}

func TestTrailers(t *testing.T) {
	for name, f := range map[string]http.HandlerFunc{
		"announced": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.Copy(w, r.Body)
			w.Header().Set("X-Sum", "1"+r.Trailer.Get("X-Client"))
		},
		"unannounced": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
			_ = http.NewResponseController(w).Flush()
			w.Header().Set(http.TrailerPrefix+"X-Sum", "1"+r.Trailer.Get("X-Client"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: backend(t, f).URL}))
			r, err := http.NewRequest("POST", s.URL, io.MultiReader(strings.NewReader("body")))
			require.NoError(t, err)
			r.Trailer = http.Header{"X-Client": {"2"}}
			w, err := client(t).Do(r)
			require.NoError(t, err)
			defer w.Body.Close()
			body, err := io.ReadAll(w.Body)
			require.NoError(t, err)
			require.Equal(t, "body", string(body))
			require.Equal(t, http.Header{"X-Sum": {"12"}}, w.Trailer)
		})
	}
}

// On a REST API, where Content-Encoding is dropped, the body doesn't need it.
func TestGzipOnREST(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprint(z, strings.Repeat("hello ", 10_000))
	require.NoError(t, z.Close())
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", fmt.Sprint(zipped.Len()))
		_, _ = w.Write(zipped.Bytes())
	})
	for _, tt := range []struct {
		flavor gatekit.Flavor
		keep   bool
		plain  bool
	}{{gatekit.HTTP, false, false}, {gatekit.REST, false, true}, {gatekit.REST, true, false}} {
		s := front(t, tt.flavor, newProxy(t, integration.HTTPConfig{URI: b.URL, KeepContentEncoding: tt.keep}))
		w := do(t, "GET", s.URL, nil, "Accept-Encoding", "gzip")
		require.NoError(t, w.err)
		if tt.plain {
			require.Equal(t, strings.Repeat("hello ", 10_000), w.body)
			require.Empty(t, w.Header["Content-Encoding"])
		} else {
			require.Equal(t, zipped.String(), w.body)
			require.Equal(t, "gzip", w.Header.Get("Content-Encoding"))
		}
		require.Empty(t, do(t, "HEAD", s.URL, nil).body)
	}
}

func TestPayloadLimits(t *testing.T) {
	const max = 10 << 20
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		var n int64
		fmt.Sscan(r.URL.Query().Get("n"), &n)
		got, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Got", fmt.Sprint(got))
		if r.URL.Query().Has("stream") {
			_ = http.NewResponseController(w).Flush()
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(n))
		}
		_, _ = io.CopyN(w, zeroReader{}, n)
	})
	for _, flavor := range flavors {
		p := newProxy(t, integration.HTTPConfig{URI: b.URL})
		s := front(t, flavor, p)
		tooLarge, tooLargeOut, out := `{"message":"Request Entity Too Large"}`, `{"message":"Internal Server Error"}`, 500
		if flavor == gatekit.REST {
			tooLarge, tooLargeOut, out = `{"message": "Request Too Long"}`, restInternal, 502
		}
		for _, sized := range []bool{true, false} {
			body := func(n int64) io.Reader {
				if sized {
					return bytes.NewReader(make([]byte, n))
				}
				return io.LimitReader(zeroReader{}, n)
			}
			w := do(t, "POST", s.URL, body(max))
			require.Equal(t, 200, w.StatusCode)
			require.Equal(t, fmt.Sprint(max), w.Header.Get("X-Got"))
			w = do(t, "POST", s.URL, body(max+1))
			require.Equal(t, 413, w.StatusCode)
			require.Equal(t, tooLarge, w.body)
		}
		w := do(t, "GET", s.URL+fmt.Sprint("?n=", max), nil)
		require.Equal(t, 200, w.StatusCode)
		require.Len(t, w.body, max)
		w = do(t, "GET", s.URL+fmt.Sprint("?n=", max+1), nil)
		require.Equal(t, out, w.StatusCode)
		require.Equal(t, tooLargeOut, w.body)
		w = do(t, "GET", s.URL+fmt.Sprint("?stream&n=", max+1), nil)
		require.Equal(t, 200, w.StatusCode, "a stream has no length")
		require.Len(t, w.body, max+1)
		require.Equal(t, 200, do(t, "HEAD", s.URL+fmt.Sprint("?n=", max+1), nil).StatusCode)
		more := front(t, flavor, newProxy(t, integration.HTTPConfig{URI: b.URL, MaxRequestBytes: -1, MaxResponseBytes: max + 1}))
		w = do(t, "POST", more.URL+fmt.Sprint("?n=", max+1), bytes.NewReader(make([]byte, max+1)))
		require.Equal(t, 200, w.StatusCode)
		require.NoError(t, w.err)
		require.Len(t, w.body, max+1)
		for _, u := range p.Upstreams() {
			require.True(t, u.EjectedUntil.IsZero(), "none of this is the upstream's fault")
		}
	}
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// The client's own fault isn't the upstream's.
func TestBrokenRequestBody(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	p := newProxy(t, integration.HTTPConfig{Upstreams: []integration.Upstream{{Address: addressOf(b)}, {Address: "localhost:" + b.URL[strings.LastIndexByte(b.URL, ':')+1:]}}, Ejection: integration.Ejection{Failures: 1}})
	s := front(t, gatekit.HTTP, p)
	for range 4 {
		got := speak(t, addressOf(s), "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		require.True(t, strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n"), got)
		require.Contains(t, got, `{"message":"Bad Request"}`)
	}
	for _, u := range p.Upstreams() {
		require.True(t, u.EjectedUntil.IsZero())
	}
}

// A client that is too slow for the server's ReadTimeout is told so.
func TestReadTimeout(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	s := httptest.NewUnstartedServer(newProxy(t, integration.HTTPConfig{URI: b.URL}))
	s.Config.ReadTimeout = 100 * time.Millisecond
	s.Start()
	defer s.Close()
	got := speak(t, addressOf(s), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow")
	require.True(t, strings.HasPrefix(got, "HTTP/1.1 408 Request Timeout\r\n"), got)
	require.Contains(t, got, `{"message":"Request Timeout"}`)
}

// A client that goes away takes the request to the upstream with it.
func TestClientCancels(t *testing.T) {
	for _, headersFirst := range []bool{false, true} {
		canceled, reached := make(chan struct{}), make(chan struct{})
		b := backend(t, func(w http.ResponseWriter, r *http.Request) {
			if headersFirst {
				_ = http.NewResponseController(w).Flush()
			}
			close(reached)
			<-r.Context().Done()
			close(canceled)
		})
		p := newProxy(t, integration.HTTPConfig{URI: b.URL})
		s := front(t, gatekit.HTTP, p)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-reached
			cancel()
		}()
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		require.NoError(t, err)
		if w, err := client(t).Do(r); err == nil {
			_, err = io.ReadAll(w.Body)
			require.Error(t, err)
			w.Body.Close()
		}
		select {
		case <-canceled:
		case <-time.After(10 * time.Second):
			t.Fatal("the upstream's request goes on")
		}
	}
}

// An upstream may answer before it has read the request, and at length.
func TestEarlyAnswer(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprintf(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n", 4<<20)
		_, _ = io.CopyN(conn, zeroReader{}, 4<<20)
		_, _ = io.Copy(io.Discard, conn)
	})
	s := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: url}))
	in, out := io.Pipe()
	defer out.Close()
	go func() { _, _ = out.Write(make([]byte, 1<<20)) }() // and then nothing more
	w := do(t, "POST", s.URL, in)
	require.NoError(t, w.err)
	require.Equal(t, 401, w.StatusCode)
	require.Len(t, w.body, 4<<20)
}

// Where the request's context ends for another reason than the client, its answer doesn't look like
// an empty success.
func TestCanceledFromInside(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	p := newProxy(t, integration.HTTPConfig{URI: b.URL})
	s := front(t, gatekit.HTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r.WithContext(ctx)) }))
	require.Empty(t, speak(t, addressOf(s), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
}

// A request body is streamed, too: the upstream answers to each piece.
func TestBidirectionalStream(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		_ = control.Flush()
		buf := make([]byte, 10)
		for {
			n, err := r.Body.Read(buf)
			_, _ = w.Write(buf[:n])
			_ = control.Flush()
			if err != nil {
				return
			}
		}
	})
	p := newProxy(t, integration.HTTPConfig{URI: b.URL})
	s := front(t, gatekit.HTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		p.ServeHTTP(w, r)
	}))
	in, out := io.Pipe()
	r, err := http.NewRequest("POST", s.URL, in)
	require.NoError(t, err)
	w, err := client(t).Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	buf := make([]byte, 10)
	for _, piece := range []string{"one", "two", "three"} {
		_, err := io.WriteString(out, piece)
		require.NoError(t, err)
		n, err := io.ReadFull(w.Body, buf[:len(piece)])
		require.NoError(t, err)
		require.Equal(t, piece, string(buf[:n]))
	}
	out.Close()
	_, err = w.Body.Read(buf)
	require.Equal(t, io.EOF, err)
}

func TestExpectContinue(t *testing.T) {
	b := backend(t, echo)
	s := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: b.URL}))
	got := speak(t, addressOf(s), "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
	require.True(t, strings.HasPrefix(got, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), got)
	require.NotContains(t, got, "Expect")
}

// websocketBackend greets, and then echoes whatever bytes come.
func websocketBackend(t *testing.T) *httptest.Server {
	return backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "Upgrade") {
			http.Error(w, "no upgrade", 400)
			return
		}
		conn, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n\r\nhello")
		_, _ = io.Copy(conn, b)
	})
}

func upgrade(t *testing.T, s *httptest.Server, more string) net.Conn {
	conn, err := net.Dial("tcp", addressOf(s))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-Websocket-Key: k\r\n\r\n"+more)
	return conn
}

func expectBytes(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func readAnswerHead(t *testing.T, conn net.Conn) string {
	t.Helper()
	var head []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		_, err := conn.Read(one)
		require.NoError(t, err)
		head = append(head, one[0])
	}
	return string(head)
}

func TestWebSocketUpgrade(t *testing.T) {
	for _, flavor := range flavors {
		p := newProxy(t, integration.HTTPConfig{URI: websocketBackend(t).URL})
		s := front(t, flavor, p)
		conn := upgrade(t, s, "early")
		head := readAnswerHead(t, conn)
		require.True(t, strings.HasPrefix(head, "HTTP/1.1 101 Switching Protocols\r\n"), head)
		require.Contains(t, head, "Upgrade: websocket\r\n")
		require.Contains(t, head, "Connection: Upgrade\r\n")
		require.Contains(t, head, "Sec-Websocket-Accept: x\r\n")
		expectBytes(t, conn, "hello")
		expectBytes(t, conn, "early")
		require.Equal(t, 1, p.Upstreams()[0].Outstanding)
		for range 3 {
			fmt.Fprint(conn, "ping")
			expectBytes(t, conn, "ping")
		}
		conn.Close()
		require.Eventually(t, func() bool { return p.Upstreams()[0].Outstanding == 0 }, 10*time.Second, time.Millisecond)
	}
}

// An upgraded connection ends with the Proxy's context.
func TestUpgradedConnectionsEnd(t *testing.T) {
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		conn := upgrade(t, front(t, gatekit.HTTP, gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{URI: websocketBackend(t).URL}))), "")
		readAnswerHead(t, conn)
		expectBytes(t, conn, "hello")
		cancel()
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err)
	})
}

// An upstream that doesn't want to change answers as it likes.
func TestUpgradeRefused(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "not here", http.StatusUpgradeRequired) })
	conn := upgrade(t, front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: b.URL})), "")
	require.True(t, strings.HasPrefix(readAnswerHead(t, conn), "HTTP/1.1 426 "))
	expectBytes(t, conn, "not here")
}

func TestH2C(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-T")
		fmt.Fprint(w, r.Proto, " ", r.Header.Get("Forwarded") != "")
		w.Header().Set("X-T", "1")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	f := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: s.URL, Protocol: integration.H2C}))
	w := do(t, "POST", f.URL, strings.NewReader("x"))
	require.Equal(t, "HTTP/2.0 true", w.body)
	require.Equal(t, "1", w.Trailer.Get("X-T"))
	w = do(t, "GET", front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: s.URL})).URL, nil)
	require.Equal(t, 503, w.StatusCode, "HTTP/1.1 isn't spoken there")
}

// tlsBackend demands a client certificate, which is its own.
func tlsBackend(t *testing.T, http2 bool) (*httptest.Server, integration.TLS) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", r.Host, " ", r.TLS.ServerName, " ", len(r.TLS.PeerCertificates))
	}))
	s.EnableHTTP2 = http2
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, integration.TLS{RootCAs: pool, Certificates: s.TLS.Certificates}
}

func TestTLS(t *testing.T) {
	s, good := tlsBackend(t, false)
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	withName := func(name string) integration.TLS { c := good; c.ServerName = name; return c }
	up := []integration.Upstream{{Address: addressOf(s)}}
	for _, tt := range []struct {
		name string
		cfg  integration.HTTPConfig
		want string // "" means 503, "500" that
	}{
		{"by-address", integration.HTTPConfig{URI: s.URL, TLS: good}, "HTTP/1.1 " + addressOf(s) + "  1"},
		{"uri-names-it", integration.HTTPConfig{URI: "https://example.com" + port, Upstreams: up, TLS: good}, "HTTP/1.1 example.com" + port + " example.com 1"},
		{"server-name", integration.HTTPConfig{Private: true, Upstreams: up, TLS: withName("example.com")}, "HTTP/1.1 " + addressOf(s) + " example.com 1"},
		{"wrong-name", integration.HTTPConfig{URI: s.URL, TLS: withName("example.org")}, ""},
		{"wrong-name-private", integration.HTTPConfig{Private: true, Upstreams: up, TLS: withName("example.org")}, "500"},
		{"unknown-authority", integration.HTTPConfig{URI: s.URL, TLS: integration.TLS{Certificates: good.Certificates}}, ""},
		{"skip-verify", integration.HTTPConfig{URI: s.URL, TLS: integration.TLS{Certificates: good.Certificates, InsecureSkipVerify: true}}, "HTTP/1.1 " + addressOf(s) + "  1"},
		{"no-client-certificate", integration.HTTPConfig{URI: s.URL, TLS: integration.TLS{RootCAs: good.RootCAs}}, ""},
		{"h2-not-offered", integration.HTTPConfig{URI: s.URL, TLS: good, Protocol: integration.HTTP2}, "HTTP/1.1 " + addressOf(s) + "  1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := do(t, "GET", front(t, gatekit.HTTP, newProxy(t, tt.cfg)).URL, nil)
			switch tt.want {
			case "":
				require.Equal(t, 503, w.StatusCode)
			case "500":
				require.Equal(t, 500, w.StatusCode)
				require.Equal(t, `{"message":"Internal Server Error"}`, w.body)
			default:
				require.Equal(t, tt.want, w.body)
			}
		})
	}
	s2, good2 := tlsBackend(t, true)
	require.Equal(t, "HTTP/2.0 "+addressOf(s2)+"  1", do(t, "GET", front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: s2.URL, TLS: good2, Protocol: integration.HTTP2})).URL, nil).body)
	require.Equal(t, "HTTP/1.1 "+addressOf(s2)+"  1", do(t, "GET", front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: s2.URL, TLS: good2})).URL, nil).body, "HTTP/1.1 unless asked for")
}

// Through a front that speaks HTTP/2, a cut response is an error as well.
func TestCutResponseOverHTTP2(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
	})
	s := httptest.NewUnstartedServer(newProxy(t, integration.HTTPConfig{URI: url}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	w, err := s.Client().Get(s.URL)
	require.NoError(t, err)
	require.Equal(t, 2, w.ProtoMajor)
	defer w.Body.Close()
	_, err = io.ReadAll(w.Body)
	require.Error(t, err)
}

// When everything has ended, so have all goroutines.
func TestNoGoroutineIsLeft(t *testing.T) {
	func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				_, _ = io.Copy(io.Discard, r.Body) // else the server doesn't see that the client is gone
				<-r.Context().Done()
			}
			_, _ = io.Copy(w, r.Body)
		}))
		defer b.Close()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: []integration.Upstream{{Address: addressOf(b)}, {Address: closedAddress(t)}}, Timeout: 50 * time.Millisecond,
			Health: &integration.HealthCheck{Path: "/", Interval: 10 * time.Millisecond},
		}))
		api := gatekit.Must(route.New(route.Config{}))
		api.Handle("$default", p)
		s := httptest.NewServer(api)
		defer s.Close()
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		c := &http.Client{Transport: tr}
		for range 4 {
			for _, path := range []string{"/", "/slow"} {
				w, err := c.Post(s.URL+path, "text/plain", strings.NewReader("hi"))
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, w.Body)
				w.Body.Close()
			}
		}
		require.NoError(t, p.SetUpstreams(integration.Upstream{Address: addressOf(b)}))
	}()
	stacks := make([]byte, 4<<20)
	require.Eventually(t, func() bool {
		all := string(stacks[:runtime.Stack(stacks, true)])
		return !strings.Contains(all, "integration.(*") && !strings.Contains(all, "(*persistConn)")
	}, 10*time.Second, 10*time.Millisecond)
}

// Where a connection can't be taken over there is an answer, and no 101 that nothing follows.
func TestNoConnectionToTakeOver(t *testing.T) {
	p := newProxy(t, integration.HTTPConfig{URI: websocketBackend(t).URL})
	r := httptest.NewRequest("GET", "/ws", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	w := httptest.NewRecorder()
	w.Header().Set("X-Outer", "1")
	p.ServeHTTP(w, r)
	require.Equal(t, 503, w.Code)
	require.Equal(t, unavailable, w.Body.String())
	require.Equal(t, "1", w.Header().Get("X-Outer"))
	require.Empty(t, w.Header()["Upgrade"])
	require.Empty(t, w.Header()["Sec-Websocket-Accept"])
	require.Zero(t, p.Upstreams()[0].Outstanding)
}
