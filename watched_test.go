package gatekit_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func watch(w http.ResponseWriter) *gatekit.Watched {
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	return rc.Watch(w)
}

func TestWatched(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(w *gatekit.Watched)
		status int
		wrote  bool
		bytes  int64
		body   string
	}{
		"nothing":     {func(*gatekit.Watched) {}, 200, false, 0, ""},
		"status":      {func(w *gatekit.Watched) { w.WriteHeader(404) }, 404, true, 0, ""},
		"twice":       {func(w *gatekit.Watched) { w.WriteHeader(404); w.WriteHeader(500) }, 404, true, 0, ""},
		"early-hints": {func(w *gatekit.Watched) { w.WriteHeader(103); w.WriteHeader(201) }, 201, true, 0, ""},
		"switching":   {func(w *gatekit.Watched) { w.WriteHeader(101) }, 101, true, 0, ""},
		"write": {func(w *gatekit.Watched) {
			_, _ = w.Write([]byte("ab"))
			_, _ = w.WriteString("cde")
			_, _ = io.Copy(w, strings.NewReader("fg"))
		}, 200, true, 7, "abcdefg"},
		"status-first": {func(w *gatekit.Watched) { w.WriteHeader(400); _, _ = io.WriteString(w, "a") }, 400, true, 1, "a"},
		"flush":        {func(w *gatekit.Watched) { w.Flush() }, 200, true, 0, ""},
		"controller":   {func(w *gatekit.Watched) { _ = http.NewResponseController(w).Flush() }, 200, true, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			to := httptest.NewRecorder()
			w := watch(to)
			tt.answer(w)
			require.Equal(t, tt.status, w.Status())
			require.Equal(t, tt.wrote, w.Wrote())
			require.Equal(t, tt.bytes, w.Bytes())
			require.Equal(t, tt.body, to.Body.String())
			require.Same(t, to, w.Unwrap())
		})
	}
}

// failing takes a byte and fails, and can't be hijacked.
type failing struct{ http.ResponseWriter }

func (failing) Write([]byte) (int, error) { return 1, errors.New("gone") }

func TestWatchedCountsWhatWasTaken(t *testing.T) {
	w := watch(failing{httptest.NewRecorder()})
	_, err := w.Write([]byte("abc"))
	require.Error(t, err)
	require.EqualValues(t, 1, w.Bytes())
	_, _, err = w.Hijack()
	require.ErrorIs(t, err, http.ErrNotSupported)
	require.Equal(t, 200, w.Status())
}

type hijackable struct{ http.ResponseWriter }

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }

func TestWatchedHijack(t *testing.T) {
	w := watch(hijackable{httptest.NewRecorder()})
	_, _, err := http.NewResponseController(w).Hijack()
	require.NoError(t, err)
	require.Equal(t, 101, w.Status())
}

// sendfile sees whether a body comes by ReadFrom.
type sendfile struct {
	http.ResponseWriter
	bytes.Buffer
	used bool
}

func (s *sendfile) Write(b []byte) (int, error) { return s.Buffer.Write(b) }

func (s *sendfile) ReadFrom(r io.Reader) (int64, error) {
	s.used = true
	return s.Buffer.ReadFrom(r)
}

func TestWatchedKeepsReadFrom(t *testing.T) {
	to := &sendfile{ResponseWriter: httptest.NewRecorder()}
	w := watch(to)
	n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("abc")})
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	require.True(t, to.used)
	require.EqualValues(t, 3, w.Bytes())
}

// Stations that watch one after the other share a writer; with another one in between, each has its
// own.
func TestWatchTwice(t *testing.T) {
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	first := rc.Watch(httptest.NewRecorder())
	require.Same(t, first, rc.Watch(first))
	second := rc.Watch(struct{ http.ResponseWriter }{first})
	require.NotSame(t, first, second)
	second.WriteHeader(404)
	require.Equal(t, 404, first.Status())
	var none *gatekit.RequestContext
	none.Watch(httptest.NewRecorder()).WriteHeader(404)
	(&gatekit.RequestContext{}).Watch(httptest.NewRecorder()).WriteHeader(404)
}

func TestTraceContext(t *testing.T) {
	var none *gatekit.RequestContext
	none.SetTraceContext(&gatekit.TraceContext{})
	require.Nil(t, none.TraceContext())
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.Nil(t, rc.TraceContext())
	at := &gatekit.TraceContext{TraceID: [16]byte{1}, SpanID: [8]byte{2}, Sampled: true}
	rc.SetTraceContext(at)
	require.Same(t, at, rc.TraceContext())
	require.Same(t, at, gatekit.From(gatekit.Detach(t.Context(), r).Context()).TraceContext())
}

func TestChoice(t *testing.T) {
	require.Zero(t, gatekit.Notes{}.Choice())
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	n := rc.KeepNotes(gatekit.KeepOutcomes)
	require.Zero(t, n.Choice())
	api, route := &gatekit.API{APIID: "a"}, &gatekit.Route{Key: "GET /"}
	rc.API, rc.Route = api, route
	rc.SetAPIKey("value", "id")
	require.Zero(t, n.Choice(), "nobody has noted anything yet")
	rc.Note(gatekit.Note{Phase: gatekit.PhaseRoute})
	require.Equal(t, gatekit.Choice{API: api, Route: route, APIKeyID: "id"}, n.Choice())
	require.Equal(t, rc.RequestID(), n.RequestID())
	n.Release()
	require.Zero(t, n.Choice())
	require.Zero(t, n.RequestID())
	require.Zero(t, gatekit.Notes{}.RequestID())
}

type valueKey struct{}

func TestBeneath(t *testing.T) {
	var none *gatekit.RequestContext
	require.Equal(t, t.Context().Value(valueKey{}), none.Beneath().Value(valueKey{}))
	ctx := none.Beneath()
	require.False(t, none.SetBeneath(&ctx))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil).WithContext(context.WithValue(t.Context(), valueKey{}, "before")))
	require.Equal(t, "before", r.Context().Value(valueKey{}))
	ctx = context.WithValue(rc.Beneath(), valueKey{}, "after")
	require.True(t, rc.SetBeneath(&ctx))
	require.Equal(t, "after", r.Context().Value(valueKey{}))
	require.Same(t, rc, gatekit.From(r.Context()))
	require.Equal(t, "after", gatekit.WithoutRequestContext(r.Context()).Value(valueKey{}))
	require.Equal(t, "after", rc.Beneath().Value(valueKey{}))
	require.Nil(t, r.Context().Value("other"))
}

// Of a copy of nothing a server makes no answer yet, and so the status is the one that follows.
func TestWatchedCopyOfNothing(t *testing.T) {
	var known int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, _ := gatekit.Attach(r)
		watched := rc.Watch(w)
		_, _ = io.Copy(watched, struct{ io.Reader }{strings.NewReader("")})
		watched.WriteHeader(http.StatusBadGateway)
		known = watched.Status()
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusBadGateway, resp.StatusCode)
	require.Equal(t, resp.StatusCode, known)
}
