package transform_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// answers are mapped by status: 200 by headers only, 404 also by its body.
var answers = map[int]map[string]string{
	200: {"append:header.x-id": "$response.header.x-backend", "remove:header.x-backend": "", "overwrite:header.x-api": "$context.apiId"},
	404: {"append:header.x-why": "$response.body.error.code", "overwrite:statuscode": "403"},
	500: {"overwrite:statuscode": "204", "append:header.x-body": "$response.body"},
	503: {"overwrite:statuscode": "404", "append:header.x-503": "v"},
}

func answered(t testing.TB, handler http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.API = &gatekit.API{APIID: "a1b2c3d4e5"}
	w := httptest.NewRecorder()
	parameters(t, nil, answers).Middleware(handler).ServeHTTP(w, r)
	return w
}

func TestAnswersAreMappedByStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		do     http.HandlerFunc
		status int
		header http.Header
		body   string
	}{
		{"headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Backend"] = []string{"b1", "b2"}
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "ok")
		}, 200, http.Header{"X-Id": {"b1,b2"}, "X-Api": {"a1b2c3d4e5"}}, "ok"},
		{"implicit-status", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }, 200, http.Header{"X-Api": {"a1b2c3d4e5"}}, "ok"},
		{"never-writes", func(http.ResponseWriter, *http.Request) {}, 200, http.Header{"X-Api": {"a1b2c3d4e5"}}, ""},
		{"no-entry", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Backend", "b")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "ok")
		}, 201, http.Header{"X-Backend": {"b"}}, "ok"},
		{"body-and-status", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"error":`)
			_, _ = w.Write([]byte(`{"code":"E1"}}`))
		}, 403, http.Header{"X-Why": {"E1"}}, `{"error":{"code":"E1"}}`},
		{"body-by-read-from", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(`{"error":{"code":"E1"}}`))
			require.NoError(t, err)
			require.EqualValues(t, 23, n)
		}, 403, http.Header{"X-Why": {"E1"}}, `{"error":{"code":"E1"}}`},
		{"body-is-not-json", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "nope", 404) }, 403, http.Header{
			"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"},
		}, "nope\n"},
		{"no-body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 403, http.Header{}, ""},
		{"second-status-is-ignored", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			w.WriteHeader(200)
		}, 403, http.Header{}, ""},
		{"new-status-is-not-selected-again", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 404, http.Header{"X-503": {"v"}}, ""},
		{"status-without-body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			w.WriteHeader(500)
			n, err := io.WriteString(w, "oops")
			require.NoError(t, err)
			require.Equal(t, 4, n)
		}, 204, http.Header{"X-Body": {"oops"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := answered(t, tt.do)
			got := w.Result().Header
			if tt.header.Get("Content-Type") == "" {
				got.Del("Content-Type") // sniffed by the recorder
			}
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.header, got)
			require.Equal(t, tt.body, w.Body.String())
		})
	}
}

// Beyond 100 KB the document is cut, its path finds nothing, and everything streams on.
func TestLongAnswers(t *testing.T) {
	long := `{"error":{"code":"E1"},"pad":"` + strings.Repeat("p", 200<<10) + `"}`
	for name, write := range map[string]func(io.Writer){
		"write":        func(w io.Writer) { _, _ = w.Write([]byte(long)) },
		"write-string": func(w io.Writer) { _, _ = io.WriteString(w, long) },
		"in-pieces": func(w io.Writer) {
			for i := 0; i < len(long); i += 1000 {
				_, _ = io.WriteString(w, long[i:min(i+1000, len(long))])
			}
		},
		"read-from": func(w io.Writer) {
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(long))
			require.NoError(t, err)
			require.EqualValues(t, len(long), n)
		},
	} {
		for status, want := range map[int]int{404: 403, 500: 204, 200: 200} {
			w := answered(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				write(w)
			})
			require.Equal(t, want, w.Code, name)
			require.NotContains(t, w.Header(), "X-Why", name)
			require.Equal(t, status != 500, w.Body.String() == long, name)
			if status == 500 {
				require.Equal(t, []string{long[:100<<10]}, w.Header()["X-Body"], name)
			}
		}
	}
}

func TestReadFromOfAReaderThatFails(t *testing.T) {
	broken := errors.New("broken")
	w := answered(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		n, err := w.(io.ReaderFrom).ReadFrom(io.MultiReader(strings.NewReader(`{"error":{"code":"E1"}}`), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken)
		require.EqualValues(t, 23, n)
	})
	require.Equal(t, 403, w.Code)
	require.Equal(t, "E1", w.Header().Get("X-Why"))
	w = answered(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("ok"))
	})
	require.Equal(t, 200, w.Code)
	require.Equal(t, "ok", w.Body.String())
	require.Equal(t, "a1b2c3d4e5", w.Header().Get("X-Api"))
}

// A refusal isn't the integration's answer.
func TestRefusalsAreNotMapped(t *testing.T) {
	w := answered(t, func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure})
	})
	require.Equal(t, 503, w.Code)
	require.NotContains(t, w.Header(), "X-503")
	require.Equal(t, `{"message":"Service Unavailable"}`, w.Body.String())
}

// server runs handler behind the mapping and a real server.
func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(parameters(t, nil, answers).Middleware(handler))
	t.Cleanup(srv.Close)
	return srv
}

func TestFlushCommits(t *testing.T) {
	for name, flush := range map[string]func(http.ResponseWriter) error{
		"flusher":    func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil },
		"controller": func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
	} {
		for status, want := range map[int]int{0: 200, 404: 403} {
			t.Run(fmt.Sprint(name, "-", status), func(t *testing.T) {
				release := make(chan struct{})
				srv := server(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Backend", "b")
					if status != 0 {
						w.WriteHeader(status)
						_, _ = io.WriteString(w, `{"error":{"code":"E1"}}`)
					}
					if err := flush(w); err != nil {
						t.Error(err)
					}
					<-release
					_, _ = io.WriteString(w, " end")
				})
				resp, err := http.Get(srv.URL) // returns with the headers, while the handler waits
				close(release)
				require.NoError(t, err)
				defer resp.Body.Close()
				require.Equal(t, want, resp.StatusCode)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				if status == 0 {
					require.Equal(t, "b", resp.Header.Get("X-Id"))
					require.Equal(t, " end", string(body))
				} else {
					require.Equal(t, "E1", resp.Header.Get("X-Why"))
					require.Equal(t, `{"error":{"code":"E1"}} end`, string(body))
				}
			})
		}
	}
}

func TestInformationalAnswersPass(t *testing.T) {
	srv := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("X-Backend", "b")
		w.WriteHeader(200)
	})
	var hints []int
	r, err := http.NewRequest("GET", srv.URL, nil)
	require.NoError(t, err)
	r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		hints = append(hints, code)
		return nil
	}}))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, []int{http.StatusEarlyHints}, hints)
	require.Equal(t, "b", resp.Header.Get("X-Id"))
}

func TestHijack(t *testing.T) {
	srv := server(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = rw.WriteString("HTTP/1.1 299 Mine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_ = rw.Flush()
		_ = conn.Close()
	})
	resp, err := http.Get(srv.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 299, resp.StatusCode)
}

func TestSwitchingProtocols(t *testing.T) {
	srv := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "own")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = rw.WriteString("hello\n")
		_ = rw.Flush()
		_ = conn.Close()
	})
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n")
	require.NoError(t, err)
	rd := bufio.NewReader(conn)
	resp, err := http.ReadResponse(rd, nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	line, err := rd.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
}

func TestControllerReachesTheServer(t *testing.T) {
	srv := server(t, func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
	})
	resp, err := http.Get(srv.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// What a handler that panics had not committed stays uncommitted, so that who recovers can answer.
func TestPanicPassesThrough(t *testing.T) {
	boom := errors.New("boom")
	w := httptest.NewRecorder()
	h := parameters(t, nil, answers).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "half")
		panic(boom)
	}))
	require.PanicsWithError(t, "boom", func() { h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil)) })
	require.Empty(t, w.Body.String())
	http.Error(w, "recovered", 500)
	require.Equal(t, 500, w.Code)
}

// The example of the developer guide's page, with both maps.
func TestMappingOfTheGuide(t *testing.T) {
	p := parameters(t,
		map[string]string{"append:header.x-id": "$context.requestId", "overwrite:path": "$request.path", "remove:querystring.debug": "''", "append:querystring.src": "${stageVariables.env}-gw"},
		map[int]map[string]string{500: {"append:header.h": "$context.requestId", "overwrite:statuscode": "403"}, 404: {"append:header.error": "$stageVariables.environmentId"}})
	for status, want := range map[int]int{500: 403, 404: 404} {
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/pets?debug=1&x=2", nil))
		rc.API = &gatekit.API{Variables: map[string]string{"env": "blue", "environmentId": "e-1"}}
		w := httptest.NewRecorder()
		p.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, rc.RequestID(), r.Header.Get("X-Id"))
			require.Equal(t, "/pets?x=2&src=blue-gw", r.URL.String())
			w.WriteHeader(status)
		})).ServeHTTP(w, r)
		require.Equal(t, want, w.Code)
		if status == 500 {
			require.Equal(t, http.Header{"H": {rc.RequestID()}}, w.Header())
		} else {
			require.Equal(t, http.Header{"Error": {"e-1"}}, w.Header())
		}
	}
}
