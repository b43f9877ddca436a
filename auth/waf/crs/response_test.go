package crs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

// leak is what a database says when a query of its is broken: rule 951100 and those behind it.
const leak = "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version"

func TestAnswers(t *testing.T) {
	var verdict *crs.Verdict
	set := newSet(t, crs.Config{InspectResponses: true, ResponseBodyLimit: 1000, Log: func(_ *http.Request, v *crs.Verdict) { verdict = v }})
	for _, tt := range []struct {
		name    string
		next    http.HandlerFunc
		status  int
		refused bool
	}{
		{"harmless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "fine")
		}, 201, false},
		{"leak", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("Content-Length", "500")
			w.Header().Set("X-Secret", "1")
			_, _ = io.WriteString(w, leak)
			_, _ = io.Copy(w, strings.NewReader(strings.Repeat("x", 5000)))
		}, 403, true},
		{"leak-read-from", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.Copy(w, strings.NewReader(leak))
		}, 403, true},
		{"leak-flushed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, leak)
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "more")
		}, 403, true},
		{"leak-behind-a-flush", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, leak)
		}, 200, false},
		{"other-type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, leak)
		}, 200, false},
		{"larger", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
			_, _ = io.WriteString(w, "end")
		}, 200, false},
		{"status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, false},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, 200, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			verdict = nil
			w := httptest.NewRecorder()
			set.Middleware(tt.next).ServeHTTP(w, request("GET", "/", ""))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.refused, verdict.Blocked, "%v", verdict.Findings)
			if tt.refused {
				require.JSONEq(t, `{"message":"Forbidden"}`, w.Body.String())
				require.Empty(t, w.Header().Get("X-Secret"))
				require.Equal(t, 959100, verdict.Rule)
				require.NotZero(t, verdict.ResponseScore)
			}
		})
	}
	w := httptest.NewRecorder()
	set.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") })).ServeHTTP(w, request("GET", sqli, ""))
	require.Equal(t, 403, w.Code)
	require.Equal(t, 949110, verdict.Rule)
}

// On trial an answer stands, and the refusal is reported.
func TestAnswersOnTrial(t *testing.T) {
	set := newSet(t, crs.Config{InspectResponses: true})
	var why *gatekit.Rejection
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Mine", "1")
		_, _ = io.WriteString(w, leak)
	})
	w := httptest.NewRecorder()
	gatekit.Shadow(set.Middleware, func(_ *http.Request, of *gatekit.Rejection) { why = of })(next).ServeHTTP(w, request("GET", "/", ""))
	require.Equal(t, 200, w.Code)
	require.Equal(t, leak, w.Body.String())
	require.Equal(t, "1", w.Header().Get("X-Mine"))
	require.ErrorContains(t, why, "rule 959100")

	detecting := newSet(t, crs.Config{InspectResponses: true, DetectionOnly: true})
	w = httptest.NewRecorder()
	detecting.Middleware(next).ServeHTTP(w, request("GET", "/", ""))
	require.Equal(t, leak, w.Body.String())
}

// A handler's panic is its own, and its transaction is closed all the same.
func TestHandlerThatPanics(t *testing.T) {
	logged := 0
	set := newSet(t, crs.Config{InspectResponses: true, Log: func(*http.Request, *crs.Verdict) { logged++ }})
	require.PanicsWithValue(t, "mine", func() {
		set.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("mine") })).
			ServeHTTP(httptest.NewRecorder(), request("GET", "/", ""))
	})
	require.Equal(t, 1, logged)
}
