package gatekit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

var (
	traceSecret = []byte("0123456789abcdef0123456789abcdef")
	quiet       = slog.New(slog.DiscardHandler)
)

// refuser refuses with what the query says, and answers what it doesn't refuse.
var refuser = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	rc.Note(gatekit.Note{Phase: gatekit.PhaseRoute, Rule: "GET /x"})
	switch r.URL.Query().Get("why") {
	case "throttled":
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled, Cause: errors.New("empty")})
	case "broken":
		gatekit.Reject(w, r, errors.New("broken"))
	case "preflight":
		rc.Note(gatekit.Note{Phase: gatekit.PhaseCORS, Verdict: gatekit.Refused, Status: 204})
		w.WriteHeader(204)
	case "nothing":
	case "panic":
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(201)
	}
})

func trace(t testing.TB, c gatekit.TraceConfig) *gatekit.Trace {
	t.Helper()
	if c.Logger == nil {
		c.Logger = quiet
	}
	tr, err := gatekit.NewTrace(c)
	require.NoError(t, err)
	return tr
}

func ask(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

// statuses are those of the last explanations, the oldest first.
func statuses(t *gatekit.Trace) string {
	var all []string
	for _, e := range t.Recent(0) {
		all = append([]string{strconv.Itoa(e.Status)}, all...)
	}
	return strings.Join(all, " ")
}

func TestTraceMistakes(t *testing.T) {
	for want, c := range map[string]gatekit.TraceConfig{
		"want at least one of OneIn, Refused, When and Secrets": {},
		"OneIn: want ":                                     {OneIn: -1},
		"Secrets: want 1 to 10 secrets, got 0":             {OneIn: 1, Secrets: [][]byte{}},
		"Secrets: secret 1: want at least 32 bytes, got 5": {Secrets: [][]byte{traceSecret, []byte("short")}},
		"PerSecond: want ":                                 {OneIn: 1, PerSecond: -1},
		"Keep: want 0 to 1000, or Off, got 1001":           {OneIn: 1, Keep: 1001},
	} {
		_, err := gatekit.NewTrace(c)
		require.ErrorContains(t, err, "gatekit: TraceConfig")
		require.ErrorContains(t, err, want)
	}
}

func TestWhatIsTraced(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    gatekit.TraceConfig
		want string
	}{
		{"all", gatekit.TraceConfig{OneIn: 1}, "201 429 500 204 200"},
		{"refused", gatekit.TraceConfig{Refused: true}, "429 500 204"},
		{"when", gatekit.TraceConfig{When: func(r *http.Request) bool { return r.URL.RawQuery == "why=nothing" }}, "200"},
		{"both", gatekit.TraceConfig{Refused: true, When: func(r *http.Request) bool { return r.URL.RawQuery == "why=nothing" }}, "429 500 204 200"},
		{"nobody-asks", gatekit.TraceConfig{Secrets: [][]byte{traceSecret}}, ""},
		{"two-kept", gatekit.TraceConfig{OneIn: 1, Keep: 2}, "204 200"},
		{"none-kept", gatekit.TraceConfig{OneIn: 1, Keep: gatekit.Off}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := trace(t, tt.c)
			h := tr.Middleware(refuser)
			for _, why := range []string{"", "throttled", "broken", "preflight", "nothing"} {
				ask(h, "/x?why="+why)
			}
			require.Equal(t, tt.want, statuses(tr))
		})
	}
	// One in two is a draw.
	tr := trace(t, gatekit.TraceConfig{OneIn: 2, PerSecond: 1000, Keep: 1000})
	h := tr.Middleware(refuser)
	for range 1000 {
		ask(h, "/x")
	}
	require.InDelta(t, 500, len(tr.Recent(0)), 150)
}

// One record a request, with what the client is told and what it isn't.
func TestTraceRecord(t *testing.T) {
	var out bytes.Buffer
	var told *gatekit.Explanation
	tr := trace(t, gatekit.TraceConfig{Refused: true, Logger: slog.New(slog.NewJSONHandler(&out, nil)), Hook: func(e *gatekit.Explanation) { told = e }})
	w := ask(tr.Middleware(refuser), "/x?why=throttled&token=secret")
	one := records(t, out.String())
	require.Len(t, one, 1)
	require.Equal(t, []any{"INFO", "gatekit: request traced"}, []any{one[0]["level"], one[0]["msg"]})
	why := one[0]["why"].(map[string]any)
	require.Positive(t, why["took"])
	delete(why, "took")
	require.Equal(t, map[string]any{
		"request": w.Header().Get("Apigw-Requestid"), "method": "GET", "status": 429.0,
		"notes": map[string]any{"1 route": "passed; GET /x", "2 throttle": "refused; THROTTLED; 429; Too Many Requests; empty"},
	}, why)
	require.NotContains(t, out.String(), "secret")
	require.Same(t, tr.Recent(1)[0], told)
	require.Equal(t, 429, told.Status)
	require.True(t, told.Refused())

	out.Reset()
	ask(tr.Middleware(refuser), "/x?why=broken")
	require.Equal(t, "ERROR", records(t, out.String())[0]["level"])
	require.Equal(t, "broken", told.Notes[1].Err.Error())

	off := trace(t, gatekit.TraceConfig{OneIn: 1, Logger: slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}))})
	out.Reset()
	ask(off.Middleware(refuser), "/x")
	require.Empty(t, out.String())
}

// A flood costs no more explanations than PerSecond, hides no 5xx, and is counted.
func TestTraceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		tr := trace(t, gatekit.TraceConfig{Refused: true, PerSecond: 3, Logger: slog.New(slog.NewJSONHandler(&out, nil))})
		h := tr.Middleware(refuser)
		for range 10 {
			ask(h, "/x?why=throttled")
		}
		ask(h, "/x?why=broken")
		require.Equal(t, "429 429 429 500", statuses(tr))
		require.NotContains(t, out.String(), "suppressed")
		time.Sleep(time.Second)
		ask(h, "/x?why=throttled")
		require.Contains(t, out.String(), `"suppressed":7`)
	})
}

func TestTraceHandler(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{OneIn: 1})
	for _, why := range []string{"", "throttled"} {
		ask(tr.Middleware(refuser), "/x?why="+why)
	}
	h := tr.Handler()
	w := ask(h, "/")
	require.Equal(t, []string{"text/plain; charset=utf-8", "no-store", "nosniff"}, []string{w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), w.Header().Get("X-Content-Type-Options")})
	newest, oldest, ok := strings.Cut(w.Body.String(), "\n\n")
	require.True(t, ok)
	require.Contains(t, newest, "GET without a route: 429, refused by throttle")
	require.Contains(t, oldest, "GET without a route: 201\n")
	require.NotContains(t, ask(h, "/?n=1").Body.String(), ": 201")

	r := httptest.NewRequest("GET", "/?n=5", nil)
	r.Header.Set("Accept", "application/json")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var list []map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &list))
	require.Len(t, list, 2)
	require.Equal(t, 429.0, list[0]["status"])

	for _, bad := range []string{"/?n=0", "/?n=-1", "/?n=x", "/?n=99999999999999999999"} {
		require.Equal(t, 400, ask(h, bad).Code)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("DELETE", "/", nil))
	require.Equal(t, []any{405, "GET, HEAD"}, []any{w.Code, w.Header().Get("Allow")})
}

// Who has a signature is told why, in the answer.
func TestTraceHeader(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{Secrets: [][]byte{traceSecret}, PerSecond: 1})
	value := gatekit.Must(tr.Sign("/x%2Fy", time.Minute))
	var behind http.Header
	h := tr.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		behind = r.Header
		refuser(w, r)
	}))
	for range 3 { // they aren't counted
		r := httptest.NewRequest("GET", "/x%2Fy?why=throttled", nil)
		r.Header.Set(gatekit.TraceHeader, value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 429, w.Code)
		require.Equal(t, `GET without a route: 429, refused by throttle "THROTTLED": Too Many Requests | route passed; GET /x | `+
			`throttle refused; THROTTLED; 429; Too Many Requests; empty`, w.Header().Get(gatekit.WhyHeader))
		require.NotContains(t, behind, gatekit.TraceHeader)
		require.Contains(t, r.Header, gatekit.TraceHeader, "the caller's request is as it was")
	}
	require.Equal(t, "429 429 429", statuses(tr))

	for _, tt := range []struct {
		path     string
		lifetime time.Duration
		want     string
	}{
		{"/x", 0, "lifetime: want up to 1h0m0s"}, {"/x", time.Hour + 1, "lifetime"}, {"x", 1, "path: want"}, {"/x?y", 1, "path: want"},
	} {
		_, err := tr.Sign(tt.path, tt.lifetime)
		require.ErrorContains(t, err, tt.want)
	}
	_, err := trace(t, gatekit.TraceConfig{OneIn: 1}).Sign("/x", time.Minute)
	require.ErrorContains(t, err, "want TraceConfig.Secrets")
}

// A panic passes through, and the request is explained.
func TestTraceOfAPanic(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{OneIn: 1})
	require.Panics(t, func() { ask(tr.Middleware(refuser), "/x?why=panic") })
	require.Equal(t, "500", statuses(tr))
	asked := trace(t, gatekit.TraceConfig{Secrets: [][]byte{traceSecret}})
	recovering := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { w.WriteHeader(map[bool]int{true: 500, false: 200}[recover() != nil]) }()
		asked.Middleware(refuser).ServeHTTP(w, r)
	})
	r, w := httptest.NewRequest("GET", "/x?why=panic", nil), httptest.NewRecorder()
	text, err := asked.Sign("/x", time.Minute)
	require.NoError(t, err)
	r.Header.Set(gatekit.TraceHeader, text)
	recovering.ServeHTTP(w, r)
	require.Contains(t, w.Header().Get(gatekit.WhyHeader), ": 500")
	refused := trace(t, gatekit.TraceConfig{Refused: true})
	require.Panics(t, func() { ask(refused.Middleware(refuser), "/x?why=panic") })
}

// A trace around a trace: each has what it wants.
func TestTracesNest(t *testing.T) {
	outer, inner := trace(t, gatekit.TraceConfig{Refused: true}), trace(t, gatekit.TraceConfig{OneIn: 1})
	h := gatekit.Chain(refuser, outer.Middleware, inner.Middleware)
	ask(h, "/x")
	ask(h, "/x?why=throttled")
	require.Equal(t, []string{"429", "201 429"}, []string{statuses(outer), statuses(inner)})
	require.Equal(t, outer.Recent(1)[0].Notes, inner.Recent(1)[0].Notes)
}
