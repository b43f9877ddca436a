package latewriter_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// mark is a station that does one thing: it writes a header, at the last moment.
type mark struct {
	latewriter.Writer
	commits []int
	as      int // the status in place of the handler's; 0 keeps it
}

func (w *mark) Commit(status int) int {
	w.commits = append(w.commits, status)
	w.Header().Set("X-Mark", w.Header().Get("X-Own")+"!")
	if w.as != 0 {
		return w.as
	}
	return status
}

// all is a station that uses every interface.
type all struct {
	mark
	hold    int
	seen    string // what of the body was held when the header was sent
	streams int
	informs []int
}

func (w *all) Commit(status int) int {
	w.seen = string(w.Held())
	return w.mark.Commit(status)
}
func (w *all) Hold(int) int { return w.hold }
func (w *all) Stream()      { w.streams++ }
func (w *all) Inform(status int) bool {
	w.informs = append(w.informs, status)
	return status != http.StatusProcessing
}
func (w *all) WriteBody(to http.ResponseWriter, b []byte) (int, error) {
	if _, err := to.Write(bytes.ToUpper(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

var answers = []struct {
	name    string
	handler http.HandlerFunc
	status  int
	body    string
}{
	{"nothing", func(http.ResponseWriter, *http.Request) {}, 200, ""},
	{"write", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, 200, "hello"},
	{"write-string", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }, 200, "hello"},
	{"header-alone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 404, ""},
	{"header-and-body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); _, _ = w.Write([]byte("no")) }, 404, "no"},
	{"several-writes", func(w http.ResponseWriter, _ *http.Request) {
		for _, s := range []string{"a", "b", "", "c"} {
			_, _ = w.Write([]byte(s))
		}
	}, 200, "abc"},
	{"read-from", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("hello")) }, 200, "hello"},
	{"read-from-face", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
	}, 200, "hello"},
	{"read-from-nothing", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader(""))
	}, 200, ""},
	{"flush", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = w.Write([]byte("hello"))
	}, 200, "hello"},
	{"flush-by-controller", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("hel"))
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write([]byte("lo"))
	}, 200, "hello"},
	{"early-hints", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, 404, ""},
	{"header-after-inform", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(103)
		w.Header().Set("X-Own", "late")
		_, _ = w.Write([]byte("hello"))
	}, 200, "hello"},
}

// Whatever way a handler answers, over HTTP/1.1 and HTTP/2, the station is asked once, and its
// header arrives.
func TestEveryWayOutCommitsOnce(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, tt := range answers {
			t.Run(fmt.Sprintf("http2=%t/%s", http2, tt.name), func(t *testing.T) {
				var w *mark
				res, body := serve(t, http2, func(to http.ResponseWriter, r *http.Request) {
					w = &mark{}
					w.Init(to, w)
					tt.handler(w, r)
					w.Finish()
				})
				require.Equal(t, tt.status, res.StatusCode)
				require.Equal(t, tt.body, body)
				require.True(t, strings.HasSuffix(res.Header.Get("X-Mark"), "!"), "the header is missing")
				require.Equal(t, []int{tt.status}, w.commits)
				require.Equal(t, tt.status, w.Status())
				require.True(t, w.Committed())
			})
		}
	}
}

func TestHeldBodyIsSeenBeforeTheHeader(t *testing.T) {
	for _, hold := range []int{1, 3, 100} {
		for _, tt := range answers {
			t.Run(fmt.Sprintf("hold=%d/%s", hold, tt.name), func(t *testing.T) {
				var w *all
				res, body := serve(t, false, func(to http.ResponseWriter, r *http.Request) {
					w = &all{hold: hold}
					w.Init(to, w)
					tt.handler(w, r)
					w.Finish()
				})
				require.Equal(t, tt.status, res.StatusCode)
				require.Equal(t, strings.ToUpper(tt.body), body)
				require.Equal(t, []int{tt.status}, w.commits)
				require.True(t, strings.HasPrefix(tt.body, w.seen))
				if !strings.HasPrefix(tt.name, "flush") {
					require.GreaterOrEqual(t, len(w.seen), min(hold, len(tt.body)))
				}
				require.Equal(t, strings.HasPrefix(tt.name, "flush"), w.streams > 0)
			})
		}
	}
}

func TestStatusIsTheStations(t *testing.T) {
	for _, tt := range answers {
		res, _ := serve(t, false, func(to http.ResponseWriter, r *http.Request) {
			w := &mark{as: http.StatusTeapot}
			w.Init(to, w)
			tt.handler(w, r)
			w.Finish()
		})
		require.Equal(t, http.StatusTeapot, res.StatusCode, tt.name)
	}
}

func TestInformerStopsOneAndLetsPassAnother(t *testing.T) {
	var w *all
	var passed []int
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, _ *http.Request) {
		w = &all{}
		w.Init(to, w)
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
		w.Finish()
	}))
	defer server.Close()
	req, err := http.NewRequest(http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { passed = append(passed, code); return nil },
	}))
	res, err := server.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Equal(t, []int{102, 103}, w.informs)
	require.Equal(t, []int{103}, passed)
}

func TestHijackCommitsWithoutAHeader(t *testing.T) {
	for _, announced := range []bool{false, true} {
		var w *all
		server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, _ *http.Request) {
			w = &all{hold: 10}
			w.Init(to, w)
			if announced {
				w.WriteHeader(http.StatusSwitchingProtocols)
			}
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			if !announced {
				_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nX-Mark: " + w.Header().Get("X-Mark") + "\r\n\r\n")
			}
			_, _ = rw.WriteString("raw")
			_ = rw.Flush()
			_ = conn.Close()
			w.Finish()
		}))
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		require.NoError(t, err)
		text, err := io.ReadAll(conn)
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
		require.NoError(t, err)
		require.Equal(t, 101, res.StatusCode)
		require.Equal(t, "!", res.Header.Get("X-Mark"))
		require.True(t, strings.HasSuffix(string(text), "\r\n\r\nraw"), "%q", text)
		require.Equal(t, []int{101}, w.commits)
		require.Equal(t, 1, w.streams)
		server.Close()
	}
}

func TestHijackThatFailsLeavesTheAnswerToTheHandler(t *testing.T) {
	w := &mark{}
	rec := httptest.NewRecorder() // has no connection
	w.Init(rec, w)
	_, _, err := w.Hijack()
	require.ErrorIs(t, err, http.ErrNotSupported)
	require.False(t, w.Committed())
	w.WriteHeader(http.StatusNotImplemented)
	w.Finish()
	require.Equal(t, []int{501}, w.commits)
	require.Equal(t, 501, rec.Code)
}

// A status without a body, in place of one with, has none: net/http would refuse what the handler
// writes, and a length would be wrong.
func TestStatusWithoutABody(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, tt := range answers {
			res, body := serve(t, http2, func(to http.ResponseWriter, r *http.Request) {
				w := &mark{as: http.StatusNoContent}
				w.Init(to, w)
				w.Header().Set("Content-Length", "5")
				tt.handler(w, r)
				w.Finish()
			})
			require.Equal(t, http.StatusNoContent, res.StatusCode, tt.name)
			require.Empty(t, body, tt.name)
			require.Empty(t, res.Header["Content-Length"], tt.name)
		}
	}
}

// keeper takes whole answers, and gives the client another one.
type keeper struct {
	mark
	most int64
}

func (w *keeper) Keep(status int) (int64, bool) { return w.most, status != http.StatusTeapot }

// A kept answer reaches nobody until the station says what is sent, however the handler answers.
func TestKeptAnswer(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, tt := range answers {
			t.Run(fmt.Sprintf("http2=%t/%s", http2, tt.name), func(t *testing.T) {
				var w *keeper
				res, body := serve(t, http2, func(to http.ResponseWriter, r *http.Request) {
					w = &keeper{most: 5}
					w.Init(to, w)
					tt.handler(w, r)
					w.Finish()
					require.False(t, w.Overflowed())
					require.Equal(t, tt.body, string(w.Held()))
					to.WriteHeader(http.StatusAccepted)
					_, _ = to.Write([]byte("kept"))
				})
				require.Equal(t, http.StatusAccepted, res.StatusCode)
				require.Equal(t, "kept", body)
				require.True(t, w.Kept())
				require.False(t, w.Committed())
				require.Equal(t, tt.status, w.Status())
				require.Empty(t, w.commits)
			})
		}
	}
}

func TestKeptAnswerIsBounded(t *testing.T) {
	for _, tt := range answers {
		rec := httptest.NewRecorder()
		w := &keeper{most: 2}
		w.Init(rec, w)
		tt.handler(w, nil)
		w.Finish()
		require.Equal(t, len(tt.body) > 2, w.Overflowed(), tt.name)
		require.LessOrEqual(t, len(w.Held()), 2, tt.name)
		require.Empty(t, rec.Body.String(), tt.name)
	}
	w := &keeper{most: 2}
	w.Init(httptest.NewRecorder(), w)
	_, err := w.Write([]byte("abc"))
	require.ErrorIs(t, err, latewriter.ErrTooLarge)
	_, err = w.Write([]byte("a")) // what is missing in the middle makes the rest worthless
	require.ErrorIs(t, err, latewriter.ErrTooLarge)
	_, _, err = w.Hijack()
	require.ErrorIs(t, err, http.ErrNotSupported)
}

// What isn't kept goes its way.
func TestKeeperThatLetsPass(t *testing.T) {
	rec := httptest.NewRecorder()
	w := &keeper{}
	w.Init(rec, w)
	w.WriteHeader(http.StatusTeapot)
	_, _ = w.Write([]byte("short and stout"))
	w.Finish()
	require.Equal(t, "short and stout", rec.Body.String())
	require.Equal(t, []int{http.StatusTeapot}, w.commits)
}

// Deadlines and full duplex go to the writer beneath.
func TestUnwrap(t *testing.T) {
	rec := httptest.NewRecorder()
	w := &mark{}
	w.Init(rec, w)
	require.Same(t, rec, w.Unwrap())
}

type brokenReader struct{ n int }

func (r *brokenReader) Read(b []byte) (int, error) {
	if r.n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(r.n, len(b))
	r.n -= n
	return copy(b, strings.Repeat("a", n)), nil
}

func TestReadFromReportsTheReadersError(t *testing.T) {
	for _, tt := range []struct{ hold, has int }{{0, 0}, {0, 5}, {10, 0}, {10, 5}, {3, 5}} {
		rec := httptest.NewRecorder()
		w := &all{hold: tt.hold}
		w.Init(rec, w)
		n, err := w.ReadFrom(&brokenReader{tt.has})
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.EqualValues(t, tt.has, n)
		w.Finish()
		require.Equal(t, strings.Repeat("A", tt.has), rec.Body.String())
	}
}

// An embedded Writer costs nothing beside the station's own struct.
func TestWritingAllocatesNothing(t *testing.T) {
	to := nowhere{http.Header{}}
	w := &quiet{}
	text := []byte("hello")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		*w = quiet{}
		w.Init(to, w)
		w.WriteHeader(200)
		_, _ = w.Write(text)
		w.Finish()
	}))
}

type quiet struct{ latewriter.Writer }

func (*quiet) Commit(status int) int { return status }

type nowhere struct{ h http.Header }

func (w nowhere) Header() http.Header         { return w.h }
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w nowhere) WriteHeader(int)             {}

func serve(t *testing.T, http2 bool, h http.HandlerFunc) (*http.Response, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = http2
	if http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	defer server.Close()
	res, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	if http2 {
		require.Equal(t, 2, res.ProtoMajor)
	}
	return res, string(body)
}
