package cache_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/notetest"
	"github.com/gatekit-go/gatekit/route/cache"
)

// noted serves a request, and returns the notes and the last one's reason.
func noted(t testing.TB, h http.Handler, r *http.Request) (line, why string) {
	t.Helper()
	notes, r := notetest.Keep(t, r)
	h.ServeHTTP(httptest.NewRecorder(), r)
	notes.Each(func(n *gatekit.Note) { why = n.Reason })
	require.NotContains(t, notes.Verbose(), "s3cret")
	return notes.String(), why
}

func TestNotes(t *testing.T) {
	answers := func(edit func(h http.Header)) *backend {
		return &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) {
			edit(w.Header())
			_, _ = w.Write(make([]byte, 100))
		}}
	}
	sets := func(name, value string) *backend {
		return answers(func(h http.Header) { h.Set(name, value) })
	}
	const made = "cache miss, cache skipped"
	for _, tt := range []struct {
		name, method string
		cfg          cache.Config
		b            *backend
		header       [2]string
		want, why    string
	}{
		{"kept", "GET", cache.Config{}, &backend{}, [2]string{}, "cache miss, cache passed", "kept"},
		{"method", "DELETE", cache.Config{}, &backend{}, [2]string{}, "cache skipped", "no answers to this method"},
		{"off", "GET", cache.Config{Route: cache.Route{TTL: cache.Off}}, &backend{}, [2]string{}, "cache skipped", "TTL is 0"},
		{"unjudged", "GET", cache.Config{}, &backend{}, [2]string{"Authorization", "s3cret"}, "cache skipped", "no authorizer has judged"},
		{"range", "GET", cache.Config{}, &backend{}, [2]string{"Range", "bytes=0-1"}, "cache skipped", "a range"},
		{"requested", "GET", cache.Config{Open: true}, &backend{}, [2]string{"Cache-Control", "max-age=0"}, "cache miss, cache passed", "kept"},
		{"forbidden", "GET", cache.Config{Unauthorized: gatekit.FailWith403}, &backend{}, [2]string{"Cache-Control", "max-age=0"}, "cache refused 403", "may not ask for"},
		{"ignored", "GET", cache.Config{Unauthorized: gatekit.SucceedWithoutResponseHeader}, &backend{}, [2]string{"Cache-Control", "max-age=0"}, "cache skipped, cache miss, cache passed", "kept"},
		{"private", "GET", cache.Config{}, sets("Cache-Control", "private"), [2]string{}, made, "says private"},
		{"cookie", "GET", cache.Config{}, sets("Set-Cookie", "s3cret"), [2]string{}, made, "Set-Cookie"},
		{"vary", "GET", cache.Config{}, sets("Vary", "*"), [2]string{}, made, "varies by everything"},
		{"large", "GET", cache.Config{MaxBodyBytes: 50}, answers(func(http.Header) {}), [2]string{}, made, "MaxBodyBytes"},
		{"said-large", "GET", cache.Config{MaxBodyBytes: 50}, sets("Content-Length", "100"), [2]string{}, made, "MaxBodyBytes"},
		{"crowded", "GET", cache.Config{MaxBytes: 50}, answers(func(http.Header) {}), [2]string{}, made, "being copied"},
		{"status", "GET", cache.Config{}, &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) { w.WriteHeader(500) }}, [2]string{}, made, "status"},
		{"cut", "GET", cache.Config{}, sets("Content-Length", "101"), [2]string{}, made, "shorter or longer"},
		{"streamed", "GET", cache.Config{}, &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) { w.(http.Flusher).Flush() }}, [2]string{}, made, "streamed"},
		{"refused", "GET", cache.Config{}, &backend{answer: func(w http.ResponseWriter, r *http.Request, _ int64) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.ResourceNotFound})
		}}, [2]string{}, "cache miss, route refused (RESOURCE_NOT_FOUND) 404, cache skipped", "the gateway has refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/s3cret?a=s3cret", nil)
			if tt.header[0] != "" {
				r.Header.Set(tt.header[0], tt.header[1])
			}
			line, why := noted(t, newCache(t, tt.cfg).Middleware(tt.b), r)
			require.Equal(t, tt.want, line)
			require.Contains(t, why, tt.why)
		})
	}
}

func TestHitsAreNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCache(t, cache.Config{Route: cache.Route{TTL: time.Minute, StaleWhileRevalidate: time.Minute}}).Middleware(&backend{})
		line := func() string {
			line, why := noted(t, h, httptest.NewRequest("GET", "/", nil))
			return strings.TrimSuffix(line+": "+why, ": ")
		}
		require.Equal(t, "cache miss, cache passed: kept", line())
		require.Equal(t, "cache hit", line())
		time.Sleep(90 * time.Second)
		require.Equal(t, "cache hit: stale, and renewed in the background", line())
		synctest.Wait()
		require.Equal(t, "cache hit", line())
		time.Sleep(5 * time.Minute)
		notes, r := notetest.Keep(t, httptest.NewRequest("GET", "/", nil))
		h.ServeHTTP(httptest.NewRecorder(), r)
		require.Contains(t, notes.Verbose(), "cache miss: expired: ")
	})
}

// Who waits for another request's answer has a hit, and no miss of its own.
func TestWaitingIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCache(t, cache.Config{}).Middleware(&backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) {
			time.Sleep(time.Millisecond)
			w.WriteHeader(200)
		}})
		lines := make(chan string, 2)
		for range 2 {
			go func() {
				line, why := noted(t, h, httptest.NewRequest("GET", "/", nil))
				lines <- line + ": " + why
			}()
		}
		require.ElementsMatch(t, []string{"cache miss, cache passed: kept", "cache hit: waited for another request's answer"}, []string{<-lines, <-lines})
	})
}

func TestStoreFaultsAreNoted(t *testing.T) {
	notes, r := notetest.Keep(t, httptest.NewRequest("GET", "/", nil))
	newCache(t, cache.Config{Store: failing{}}).Middleware(&backend{}).ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "cache miss: : away: : 0\ncache skipped: not kept: the store takes nothing: away: : 0", notes.Verbose())
}

// A request that has its answer from http.TimeoutHandler notes nothing when the backend's comes.
func TestLateNotes(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	h := newCache(t, cache.Config{}).Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	late := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}), time.Millisecond, "")
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	notes := rc.KeepNotes(notetest.Everything)
	late.ServeHTTP(httptest.NewRecorder(), r)
	notes.Release()
	close(release)
	<-done
	notes.Each(func(n *gatekit.Note) { t.Error(n) })
}
