package accesslog_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

const outcome = "$context.requestId $context.status $context.responseLength"

// wait returns the first line, without the request's ID.
func wait(t *testing.T, kept *lines) string {
	t.Helper()
	require.Eventually(t, func() bool { return len(kept.all()) > 0 }, 10*time.Second, time.Millisecond)
	_, rest, _ := strings.Cut(kept.all()[0], " ")
	return rest
}

// Every way of answering leaves as it came, and is counted.
func TestAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("x", 100000)), 0o600))
	for _, tt := range []struct {
		name, method string
		h            http.HandlerFunc
		status       int
		body, line   string
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, "", "200 0"},
		{"write", "GET", ok, 200, "hello", "200 5"},
		{"write-string", "GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }, 200, "hello", "200 5"},
		{"status", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, "", "204 0"},
		{"head", "HEAD", ok, 200, "", "200 0"},
		{"read-from", "GET", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
			_, _ = w.Write([]byte("!"))
		}, 200, "hello!", "200 6"},
		{"file", "GET", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }, 200, strings.Repeat("x", 100000), "200 100000"},
		{"flush", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("a"))
			w.(http.Flusher).Flush()
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
			_, _ = w.Write([]byte("b"))
		}, 200, "ab", "200 2"},
		{"early-hints", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(418)
			_, _ = w.Write([]byte("pot"))
		}, 418, "pot", "418 3"},
		{"deadline", "GET", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				panic(err)
			}
			w.WriteHeader(202)
		}, 202, "", "202 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, kept := logTo(t, accesslog.Config{Format: outcome})
			srv := httptest.NewServer(log.Middleware(tt.h))
			defer srv.Close()
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL, nil)
			require.NoError(t, err)
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			_ = resp.Body.Close()
			require.Equal(t, tt.status, resp.StatusCode)
			require.Equal(t, tt.body, string(body))
			require.Equal(t, tt.line, wait(t, kept))
			require.Len(t, kept.all(), 1)
		})
	}
}

func TestPanics(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		line string
	}{
		{"before", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "500 0"},
		{"behind-the-header", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			_, _ = w.Write([]byte("abc"))
			panic(http.ErrAbortHandler)
		}, "201 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, kept := logTo(t, accesslog.Config{Format: outcome + " $context.waf.status"})
			require.PanicsWithValue(t, http.ErrAbortHandler, func() {
				log.Middleware(tt.h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			})
			require.Equal(t, tt.line+" -", wait(t, kept))
		})
	}
}

// A connection that a handler takes over is logged when it has: it may last for days.
func TestHijack(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: outcome})
	over := make(chan struct{})
	srv := httptest.NewServer(log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nown words")
		_ = rw.Flush()
		<-over
	})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, 101, resp.StatusCode)
	require.Equal(t, "101 0", wait(t, kept))
	close(over)
	srv.Close()
	require.Len(t, kept.all(), 1, "once")
}

// Where a connection can't be taken over the handler still answers.
func TestNoHijack(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: outcome})
	w := httptest.NewRecorder()
	log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _, err := w.(http.Hijacker).Hijack()
		if !errors.Is(err, http.ErrNotSupported) {
			panic(err)
		}
		http.Error(w, "no", http.StatusUpgradeRequired)
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 426, w.Code)
	require.Equal(t, "426 3", wait(t, kept))
}

// A WebSocket over HTTP/2 is answered when its header has been flushed, and is open then (RFC 8441).
func TestExtendedConnect(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Format: outcome})
	log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		require.NoError(t, http.NewResponseController(w).Flush())
		require.Equal(t, "200 0", wait(t, kept), "while it is open")
		_, _ = w.Write([]byte("frames"))
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("CONNECT", "/", nil))
	require.Len(t, kept.all(), 1, "once")
}

// Notes are kept for a format that asks for them, times for a latency of a phase, and none of them
// when the request is answered, or has panicked.
func TestWhatIsKept(t *testing.T) {
	for format, want := range map[string]gatekit.Keep{
		fourteen:                                0,
		"$context.requestId $context.waf.error": gatekit.KeepOutcomes,
		"$context.requestId $context.authorizer.requestId $context.authorize.status": gatekit.KeepOutcomes,
		"$context.requestId $context.authenticate.latency":                           gatekit.KeepOutcomes | gatekit.KeepTimes,
	} {
		log, kept := logTo(t, accesslog.Config{Format: format})
		rc, r := attached("GET", "/")
		for _, panics := range []bool{false, true} {
			h := log.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				for _, k := range []gatekit.Keep{gatekit.KeepOutcomes, gatekit.KeepTimes, gatekit.KeepReasons, gatekit.KeepTexts} {
					require.Equal(t, want&k != 0, rc.Keeps(k), "%s: %d", format, k)
				}
				if panics {
					panic("a bug")
				}
			}))
			func() {
				defer func() { _ = recover() }()
				h.ServeHTTP(httptest.NewRecorder(), r)
			}()
			require.False(t, rc.Keeps(gatekit.KeepOutcomes), "released")
		}
		require.Len(t, kept.all(), 2)
	}
}
