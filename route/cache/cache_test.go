package cache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/cache/cachetest"
)

// backend counts, and answers with the number of the call.
type backend struct {
	calls  atomic.Int64
	answer func(w http.ResponseWriter, r *http.Request, call int64)
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := b.calls.Add(1)
	if b.answer != nil {
		b.answer(w, r, n)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, "answer ", n)
}

func newCache(t *testing.T, cfg cache.Config) *cache.Cache {
	t.Helper()
	c, err := cache.New(t.Context(), cfg)
	require.NoError(t, err)
	return c
}

func get(h http.Handler, target string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func by(a gatekit.AuthorizationFields) func(*http.Request) {
	return func(r *http.Request) {
		rc, attached := gatekit.Attach(r)
		rc.Authorization = gatekit.NewAuthorization(a)
		*r = *attached
	}
}

func TestMemoryStore(t *testing.T) {
	cachetest.Run(t, func(t *testing.T) cache.Store { return cache.NewMemory(1 << 20) })
}

func TestAnswersAreKeptForTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		h := newCache(t, cache.Config{}).Middleware(b)
		require.Equal(t, "answer 1", get(h, "/a").Body.String())
		w := get(h, "/a")
		require.Equal(t, "answer 1", w.Body.String())
		require.Equal(t, "text/plain", w.Header().Get("Content-Type"))
		require.Equal(t, "answer 2", get(h, "/b").Body.String())
		require.Equal(t, "answer 3", get(h, "/a?x=1").Body.String(), "without a key, the whole query counts")
		time.Sleep(299 * time.Second)
		require.Equal(t, "answer 1", get(h, "/a").Body.String())
		time.Sleep(time.Second)
		require.Equal(t, "answer 4", get(h, "/a").Body.String())
	})
}

func TestWhatIsKept(t *testing.T) {
	body := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
		edit   func(*http.Request)
		kept   bool
	}{
		{name: "200", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, kept: true},
		{name: "nothing-written", answer: func(http.ResponseWriter, *http.Request) {}, kept: true},
		{name: "404", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, kept: true},
		{name: "301", answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusMovedPermanently) }, kept: true},
		{name: "500", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }},
		{name: "206", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) }},
		{name: "304", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
		{name: "set-cookie", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", "a=b") }},
		{name: "private", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60, Private") }},
		{name: "private-field", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", `private="X-A"`) }},
		{name: "no-store", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "no-store") }},
		{name: "max-age-is-ignored", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=0, no-cache") }, kept: true},
		{name: "vary-anything", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "*") }},
		{name: "trailer", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Trailer", "X-A") }},
		{name: "late-trailer", answer: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "x")
			w.Header().Set(http.TrailerPrefix+"X-A", "b")
		}},
		{name: "1-mib", answer: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }, kept: true},
		{name: "above-1-mib", answer: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body); io.WriteString(w, "x") }},
		{name: "declared-above", answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1048577") }},
		{name: "breaks-off", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			fmt.Fprint(w, "x")
		}},
		{name: "flushed", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x"); w.(http.Flusher).Flush() }},
		{name: "read-from", answer: func(w http.ResponseWriter, _ *http.Request) { w.(io.ReaderFrom).ReadFrom(strings.NewReader("x")) }, kept: true},
		{name: "refused-by-a-station", answer: func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.ResourceNotFound})
		}, edit: by(gatekit.AuthorizationFields{})},
		{name: "range", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, edit: header("Range", "bytes=0-1")},
		{name: "upgrade", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, edit: header("Upgrade", "websocket")},
		{name: "method", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, edit: func(r *http.Request) { r.Method = "POST" }},
		{name: "unjudged-authorization", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, edit: header("Authorization", "Bearer x")},
		{name: "unjudged-cookie", answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }, edit: header("Cookie", "a=b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &backend{answer: func(w http.ResponseWriter, r *http.Request, _ int64) { tt.answer(w, r) }}
			h := newCache(t, cache.Config{}).Middleware(b)
			if tt.edit == nil {
				tt.edit = func(*http.Request) {}
			}
			first := get(h, "/a", tt.edit)
			second := get(h, "/a", tt.edit)
			require.Equal(t, first.Code, second.Code)
			require.Equal(t, first.Body.String(), second.Body.String())
			for _, own := range []string{"Apigw-Requestid", "Content-Type"} { // the recorder guesses a type, as the server does, each time
				first.Header().Del(own)
				second.Header().Del(own)
			}
			require.Equal(t, first.Header(), second.Header())
			want := int64(2)
			if tt.kept {
				want = 1
			}
			require.Equal(t, want, b.calls.Load())
		})
	}
}

// Who is calling is part of the key, as far as authorizers know it, unless the route is public.
func TestCallers(t *testing.T) {
	callers := []func(*http.Request){
		func(*http.Request) {},
		by(gatekit.AuthorizationFields{Principal: "ann"}),
		by(gatekit.AuthorizationFields{Principal: "bob"}),
		by(gatekit.AuthorizationFields{Principal: "user", Context: map[string]any{"tenant": "x"}}), // authorizer functions like to name one principal for all
		by(gatekit.AuthorizationFields{Principal: "user", Context: map[string]any{"tenant": "y"}}),
		by(gatekit.AuthorizationFields{Principal: "ann", Scopes: []string{"all"}}),
		func(r *http.Request) {
			rc, attached := gatekit.Attach(r)
			rc.SetCaller(&gatekit.IAMCaller{AccessKey: "AKIA", UserARN: "arn:aws:iam::123456789012:user/ann"})
			*r = *attached
		},
		func(r *http.Request) {
			rc, attached := gatekit.Attach(r)
			rc.SetAPIKey("value", "key")
			*r = *attached
		},
	}
	for _, public := range []bool{false, true} {
		b := &backend{}
		h := newCache(t, cache.Config{Route: cache.Route{Public: public}}).Middleware(b)
		for range 2 {
			for i, caller := range callers {
				want := fmt.Sprint("answer ", i+1)
				if public {
					want = "answer 1"
				}
				require.Equal(t, want, get(h, "/a", caller).Body.String(), "caller %d, public %v", i, public)
			}
		}
	}
}

// The managed gateway's key: what the route lists, and nothing else.
func TestKeyParameters(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.querystring.page", "method.request.header.x-tenant", "method.request.path.id"}}})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", b, c.Middleware)
	for _, tt := range []struct {
		target string
		edit   func(*http.Request)
		want   string
	}{
		{"/orders/1?page=1", nil, "answer 1"},
		{"/orders/1?page=1&other=2", nil, "answer 1"},
		{"/orders/1?other=2&pag%65=%31", nil, "answer 1"},
		{"/orders/1?page=2", nil, "answer 2"},
		{"/orders/1?page=1&page=2", nil, "answer 3"}, // nobody knows which of them the backend reads
		{"/orders/1?page=2&page=1", nil, "answer 4"},
		{"/orders/1", nil, "answer 5"},
		{"/orders/1?page=", nil, "answer 6"},
		{"/orders/2?page=1", nil, "answer 7"},
		{"/orders/1?page=1", header("X-Tenant", "a"), "answer 8"},
		{"/orders/1?page=1", header("X-Other", "a"), "answer 1"},
	} {
		edit := tt.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		require.Equal(t, tt.want, get(api, tt.target, edit).Body.String(), tt.target)
	}
}

// Without path parameters in the key, and with one that is a list, resources share as on the
// managed gateway.
func TestNamespaces(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{Route: cache.Route{Key: []string{}}})
	api := gatekit.Must(route.New(route.Config{}))
	api.UseMatched(c.Middleware) // which leaves to Keep what that is attached to
	api.Handle("GET /a/{id}", b)
	api.Handle("GET /b", b, gatekit.Must(c.Keep(cache.Route{Key: []string{}, Namespace: "/a/{id}"})))
	api.Handle("GET /c", b, gatekit.Must(c.Keep(cache.Route{TTL: cache.Off})))
	api.Handle("GET /d", b)
	require.NoError(t, api.Build())
	require.Equal(t, "answer 1", get(api, "/a/1").Body.String())
	require.Equal(t, "answer 1", get(api, "/a/2").Body.String())
	require.Equal(t, "answer 1", get(api, "/b").Body.String())
	require.Equal(t, "answer 2", get(api, "/c").Body.String())
	require.Equal(t, "answer 3", get(api, "/c").Body.String())
	require.Equal(t, "answer 4", get(api, "/d").Body.String())
}

func TestVary(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
		w.Header().Set("Vary", "Accept-Language, X-Mode")
		fmt.Fprint(w, r.Header.Get("Accept-Language"), r.Header.Get("X-Mode"), n)
	}}
	h := newCache(t, cache.Config{}).Middleware(b)
	require.Equal(t, "de1", get(h, "/a", header("Accept-Language", "de")).Body.String())
	require.Equal(t, "en2", get(h, "/a", header("Accept-Language", "en")).Body.String())
	require.Equal(t, "de1", get(h, "/a", header("Accept-Language", "de")).Body.String())
	require.Equal(t, "dex3", get(h, "/a", header("Accept-Language", "de"), header("X-Mode", "x")).Body.String())
	require.Equal(t, "en2", get(h, "/a", header("Accept-Language", "en"), header("X-Other", "x")).Body.String())
}

func TestInvalidation(t *testing.T) {
	zero := header("Cache-Control", "max-age=0")
	for _, tt := range []struct {
		name     string
		cfg      cache.Config
		settings *gatekit.MethodSettings
		status   int
		body     string
		warning  string
	}{
		{name: "open", cfg: cache.Config{Open: true}, status: 200, body: "answer 2"},
		{name: "may", cfg: cache.Config{MayInvalidate: func(*http.Request) bool { return true }}, status: 200, body: "answer 2"},
		{name: "may-not-warns", cfg: cache.Config{MayInvalidate: func(*http.Request) bool { return false }}, status: 200, body: "answer 1",
			warning: "199 Cache-control headers were ignored because the caller was unauthorized."},
		{name: "nobody-may-silently", cfg: cache.Config{Unauthorized: gatekit.SucceedWithoutResponseHeader}, status: 200, body: "answer 1"},
		{name: "403", cfg: cache.Config{Unauthorized: gatekit.FailWith403}, status: 403, body: `{"Message":"User is not authorized to access this resource"}`},
		{name: "stage-open", settings: &gatekit.MethodSettings{CachingEnabled: true, OpenCacheControl: true}, status: 200, body: "answer 2"},
		{name: "stage-403", settings: &gatekit.MethodSettings{CachingEnabled: true, UnauthorizedCacheControl: gatekit.FailWith403}, status: 403, body: `{"Message":"User is not authorized to access this resource"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &backend{}
			api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
			api.Handle("GET /a", b, newCache(t, tt.cfg).Middleware)
			stage := route.Stage{Name: "s", API: api}
			if tt.settings != nil {
				stage.MethodSettings = map[string]gatekit.MethodSettings{"a/GET": *tt.settings}
			}
			h := gatekit.Must(route.NewStages(stage))
			require.Equal(t, "answer 1", get(h, "/s/a").Body.String())
			require.Equal(t, "answer 1", get(h, "/s/a", header("Cache-Control", "no-cache")).Body.String(), "no-cache has no effect")
			w := get(h, "/s/a", zero)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Equal(t, tt.warning, w.Header().Get("Warning"))
			if tt.body == "answer 2" {
				require.Equal(t, "answer 2", get(h, "/s/a").Body.String(), "the entry is replaced")
			}
		})
	}
}

// A stage's settings decide: */* is for GET, an entry of its own for its method.
func TestStageSettings(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{})
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	for _, key := range []string{"ANY /every", "ANY /own", "ANY /off", "ANY /zero"} {
		api.Handle(key, b, c.Middleware)
	}
	h := gatekit.Must(route.NewStages(route.Stage{Name: "s", API: api, MethodSettings: map[string]gatekit.MethodSettings{
		"*/*": {CachingEnabled: true}, "own/POST": {CachingEnabled: true}, "off/GET": {}, "zero/GET": {CachingEnabled: true, CacheTTL: gatekit.Off},
	}}))
	for target, kept := range map[string]bool{"GET /s/every": true, "POST /s/every": false, "POST /s/own": true, "GET /s/off": false, "GET /s/zero": false} {
		method, path, _ := strings.Cut(target, " ")
		first := get(h, path, func(r *http.Request) { r.Method = method }).Body.String()
		require.Equal(t, kept, first == get(h, path, func(r *http.Request) { r.Method = method }).Body.String(), target)
	}
}

// Requests of one key wait for the first, and one that goes away leaves the others alone.
func TestCoalescing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, n int64) {
			time.Sleep(time.Second)
			fmt.Fprint(w, n)
		}}
		c := newCache(t, cache.Config{})
		h := c.Middleware(b)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i == 5 {
					time.AfterFunc(100*time.Millisecond, cancel)
				}
				body := get(h, "/a", func(r *http.Request) { *r = *r.WithContext(ctx) }).Body.String()
				if i != 5 && body != "1" {
					t.Errorf("request %d got %q", i, body)
				}
			})
			if i == 0 {
				synctest.Wait() // it is the first: the one that goes away must not be
			}
		}
		wg.Wait()
		require.EqualValues(t, 1, b.calls.Load())
		require.Equal(t, cache.Stats{Hits: 8, Coalesced: 8, Misses: 1, Stored: 1, Entries: 1, Bytes: c.Stats().Bytes}, c.Stats())
	})
}

// Nobody waits for an answer that turns out not to be one to keep, nor for one that never ends, nor
// for one that panics.
func TestNobodyWaitsInVain(t *testing.T) {
	for name, first := range map[string]func(w http.ResponseWriter){
		"cookie": func(w http.ResponseWriter) {
			w.Header().Set("Set-Cookie", "a=b")
			w.WriteHeader(200)
			time.Sleep(time.Hour)
		},
		"stream":  func(w http.ResponseWriter) { fmt.Fprint(w, "x"); w.(http.Flusher).Flush(); time.Sleep(time.Hour) },
		"large":   func(w http.ResponseWriter) { w.Write(make([]byte, 1<<20+1)); time.Sleep(time.Hour) },
		"panics":  func(http.ResponseWriter) { time.Sleep(time.Second); panic(http.ErrAbortHandler) },
		"refuses": func(w http.ResponseWriter) { time.Sleep(time.Second); w.WriteHeader(503) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, n int64) {
					if n == 1 {
						first(w)
						return
					}
					fmt.Fprint(w, n)
				}}
				h := newCache(t, cache.Config{}).Middleware(b)
				go func() {
					defer func() { _ = recover() }()
					get(h, "/a")
				}()
				synctest.Wait()
				began := time.Now()
				require.Equal(t, "2", get(h, "/a").Body.String())
				require.LessOrEqual(t, time.Since(began), time.Second)
				time.Sleep(2 * time.Hour) // until the first has ended, too
			})
		})
	}
}

func TestStaleWhileRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			if n > 1 {
				if _, ok := r.Header["If-None-Match"]; ok || r.Body != http.NoBody {
					t.Error("a conditional request in the background")
				}
				time.Sleep(time.Second)
			}
			if n == 3 {
				panic("the backend's bug")
			}
			if n == 4 {
				gatekit.Reject(w, r, errors.New("not now"))
				return
			}
			fmt.Fprint(w, n)
		}}
		c := newCache(t, cache.Config{Route: cache.Route{TTL: 10 * time.Second, StaleWhileRevalidate: 60 * time.Second}, CacheStatus: true, Logger: slog.New(slog.DiscardHandler)})
		h := c.Middleware(b)
		read := func(want, status string) {
			t.Helper()
			rc, r := gatekit.Attach(httptest.NewRequest("GET", "/a", nil))
			r.Header.Set("If-None-Match", `"x"`)
			w := httptest.NewRecorder()
			began := time.Now()
			h.ServeHTTP(w, r)
			if b.calls.Load() > 1 {
				require.Zero(t, time.Since(began), "a stale answer comes at once")
			}
			require.Equal(t, want, w.Body.String())
			require.Equal(t, status, w.Header().Get("Cache-Status"))
			require.Nil(t, rc.Rejection())
		}
		w := get(h, "/a")
		require.Equal(t, "1", w.Body.String())
		require.Equal(t, "gatekit; fwd=miss", w.Header().Get("Cache-Status"))
		read("1", "gatekit; hit; ttl=10")
		time.Sleep(15 * time.Second)
		for range 3 {
			read("1", "gatekit; hit; ttl=-5")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, 2, b.calls.Load(), "one request in the background")
		read("2", "gatekit; hit; ttl=10")
		time.Sleep(11 * time.Second)
		read("2", "gatekit; hit; ttl=-1")
		time.Sleep(2 * time.Second) // a panic, and then a refusal, in the background leave the stale answer where it is
		require.EqualValues(t, 3, b.calls.Load())
		read("2", "gatekit; hit; ttl=-3")
		time.Sleep(2 * time.Second)
		require.EqualValues(t, 4, b.calls.Load())
		time.Sleep(time.Minute)
		require.Equal(t, "5", get(h, "/a").Body.String(), "too old even for that")
	})
}

// What is made in the background ends with the cache's context.
func TestTheBackgroundEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			if n > 1 {
				<-r.Context().Done()
				close(ended)
			}
			fmt.Fprint(w, n)
		}}
		h := gatekit.Must(cache.New(ctx, cache.Config{Route: cache.Route{TTL: time.Second, StaleWhileRevalidate: time.Minute}})).Middleware(b)
		get(h, "/a")
		time.Sleep(2 * time.Second)
		require.Equal(t, "1", get(h, "/a").Body.String())
		cancel()
		<-ended
	})
}

func TestTagsAndFlush(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
		w.Header().Set("Cache-Tag", r.URL.Query().Get("tags"))
		fmt.Fprint(w, n)
	}}
	c := newCache(t, cache.Config{TagHeader: "cache-tag"})
	h := c.Middleware(b)
	read := func(target, want string) {
		t.Helper()
		w := get(h, target)
		require.Equal(t, want, w.Body.String())
		require.Empty(t, w.Header()["Cache-Tag"], "tags are no client's business")
	}
	read("/?tags=a,b", "1")
	read("/?tags=b", "2")
	read("/?tags=c", "3")
	require.NoError(t, c.InvalidateTags(t.Context(), "a"))
	read("/?tags=a,b", "4")
	read("/?tags=b", "2")
	require.NoError(t, c.InvalidateTags(t.Context(), "b", "x"))
	read("/?tags=a,b", "5")
	read("/?tags=b", "6")
	read("/?tags=c", "3")
	require.NoError(t, c.Flush(t.Context()))
	read("/?tags=c", "7")
	w := get(h, "/?tags=d", func(r *http.Request) { r.Method = "POST" })
	require.Empty(t, w.Header()["Cache-Tag"], "also where the cache isn't asked")
	long := strings.Repeat("x", 300)
	read("/?tags="+long, "9")
	read("/?tags="+long, "10") // tags that can't be kept are no answer to keep
}

// What outer stations set stays theirs, and no header slice is shared.
func TestHeaders(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) {
		w.Header()["X-A"] = []string{"1", "2"}
		w.Header().Set("Date", "yesterday")
		fmt.Fprint(w, "x")
	}}
	c := newCache(t, cache.Config{})
	n := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("X-Outer", fmt.Sprint(n))
		c.Middleware(b).ServeHTTP(w, r)
	})
	get(h, "/a")
	for i := 2; i < 4; i++ {
		w := get(h, "/a")
		require.Equal(t, []string{"1", "2"}, w.Header()["X-A"])
		require.Equal(t, []string{fmt.Sprint(i)}, w.Header()["X-Outer"])
		require.Empty(t, w.Header()["Date"])
		w.Header()["X-A"][0] = "changed"
	}
	require.EqualValues(t, 1, b.calls.Load())
}

// Over a connection: upgrades pass, and HEAD has no body.
func TestOverAConnection(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
		if r.URL.Path == "/hijack" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
				conn.Close()
			}
			return
		}
		w.WriteHeader(http.StatusProcessing) // the final answer is still to follow
		w.Header().Set("Content-Length", "4")
		fmt.Fprint(w, "body")
	}}
	c := newCache(t, cache.Config{Route: cache.Route{Methods: []string{"GET", "HEAD"}}})
	srv := httptest.NewServer(c.Middleware(b))
	defer srv.Close()
	ask := func(method, path string) string {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, path)
		from := bufio.NewReader(conn)
		resp, err := http.ReadResponse(from, &http.Request{Method: method})
		require.NoError(t, err)
		if resp.StatusCode == http.StatusProcessing {
			resp, err = http.ReadResponse(from, &http.Request{Method: method})
			require.NoError(t, err)
		}
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return fmt.Sprint(resp.StatusCode, " ", resp.ContentLength, " ", string(body))
	}
	for range 2 {
		require.Equal(t, "200 2 hi", ask("GET", "/hijack"))
	}
	require.EqualValues(t, 2, b.calls.Load())
	for range 2 {
		require.Equal(t, "200 4 ", ask("HEAD", "/a"))
		require.Equal(t, "200 4 body", ask("GET", "/a"))
	}
	require.EqualValues(t, 4, b.calls.Load())
}

func TestMemoryIsBounded(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) { w.Write(make([]byte, 1000)) }}
	c := newCache(t, cache.Config{MaxBytes: 100_000})
	h := c.Middleware(b)
	for i := range 1000 {
		get(h, fmt.Sprint("/", i))
	}
	s := c.Stats()
	require.LessOrEqual(t, s.Bytes, int64(100_000))
	require.NotZero(t, s.Entries)
	require.NotZero(t, s.Evicted)
	get(h, "/999")
	require.EqualValues(t, 1, c.Stats().Hits)
}

// Canaries have answers of their own, and so have deployments.
func TestDeploymentsAreApart(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a", b, c.Middleware)
	stage := func(percent float64, deployment string) http.Handler {
		return gatekit.Must(route.NewStages(route.Stage{Name: "s", API: api, Deployment: deployment, Canary: &route.Canary{Percent: percent}}))
	}
	require.Equal(t, "answer 1", get(stage(0, ""), "/s/a").Body.String())
	require.Equal(t, "answer 2", get(stage(100, ""), "/s/a").Body.String())
	require.Equal(t, "answer 1", get(stage(0, ""), "/s/a").Body.String())
	require.Equal(t, "answer 3", get(stage(0, "d"), "/s/a").Body.String())
	require.Equal(t, "answer 4", get(stage(100, "d"), "/s/a").Body.String(), "a canary has variables of its own")
	require.Equal(t, "answer 3", get(stage(0, "d"), "/s/a").Body.String())
}

// A store that fails costs the answer that might have been there, and nothing else.
func TestAStoreThatFails(t *testing.T) {
	b := &backend{}
	var log strings.Builder
	c := newCache(t, cache.Config{Store: failing{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	h := c.Middleware(b)
	require.Equal(t, "answer 1", get(h, "/a").Body.String())
	require.Equal(t, "answer 2", get(h, "/a").Body.String())
	for range 100 {
		get(h, "/a")
	}
	require.Equal(t, 2, strings.Count(log.String(), "\n"), "that it can't be read, and keeps nothing, is said once: %s", log.String())
	require.Contains(t, log.String(), "away")
	require.Error(t, c.Flush(t.Context()))
	require.Error(t, c.InvalidateTags(t.Context(), "a"))
}

type failing struct{}

var errAway = errors.New("away")

func (failing) Get(context.Context, cache.Key) (*cache.Entry, cache.Mark, error) {
	return nil, cache.Mark{}, errAway
}
func (failing) Put(context.Context, cache.Key, *cache.Entry, cache.Mark) error { return errAway }
func (failing) Flush(context.Context) error                                    { return errAway }
func (failing) InvalidateTags(context.Context, ...string) error                { return errAway }

func TestConfigurationsThatCannotBe(t *testing.T) {
	_, err := cache.New(t.Context(), cache.Config{
		Route:        cache.Route{TTL: -time.Second, StaleWhileRevalidate: 2 * time.Hour, Methods: []string{"get"}, Key: []string{"method.request.body", "method.request.header.a b"}},
		MaxBodyBytes: -1, MaxBytes: -1, Unauthorized: 9, Open: true, MayInvalidate: func(*http.Request) bool { return true }, TagHeader: "a:b", RefreshTimeout: -1,
	})
	for _, want := range []string{
		"cache: Config.TTL: want 0 to 1h0m0s, or Off, got -1s", "Config.StaleWhileRevalidate: want 0s to 1h0m0s, got 2h0m0s", `Config.Methods: want methods such as GET, got "get"`,
		`Config.Key: want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "method.request.body"`, `got "method.request.header.a b"`,
		"Config.MaxBodyBytes", "Config.MaxBytes", "Config.Unauthorized", "Config.Open", `Config.TagHeader: want the name of a header, got "a:b"`, "Config.RefreshTimeout",
	} {
		require.ErrorContains(t, err, want)
	}
	c, err := cache.New(t.Context(), cache.Config{MaxBytes: math.MaxInt64})
	require.NoError(t, err)
	_, err = c.Keep(cache.Route{TTL: 3601 * time.Second, Methods: []string{"get"}})
	require.ErrorContains(t, err, "cache: Route.TTL: want 0 to 1h0m0s, or Off, got 1h0m1s")
	require.ErrorContains(t, err, `cache: Route.Methods: want methods such as GET, got "get"`)
}

// A key with a path variable that the route doesn't have would make all of its paths one answer:
// Build refuses it, and where there is no Build, the request is.
func TestPathVariablesThatARouteDoesNotHave(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.path.id"}}})
	api := gatekit.Must(route.New(route.Config{}))
	api.UseMatched(c.Middleware)
	api.Handle("GET /a/{id}", b)
	require.NoError(t, api.Build())
	api = gatekit.Must(route.New(route.Config{}))
	api.UseMatched(c.Middleware)
	api.Handle("GET /a/{orderId}", b)
	api.Handle("GET /b/{orderId}", b, gatekit.Must(c.Keep(cache.Route{Key: []string{"method.request.path.orderId"}})))
	require.ErrorContains(t, api.Build(), `route "GET /a/{orderId}": cache: Route.Key: want a path variable of the route, got "method.request.path.id"`)
	require.NotContains(t, api.Build().Error(), "/b/")

	h := c.Middleware(b)
	require.Equal(t, 500, get(h, "/a/1").Code, "no route is told")
	mux := http.NewServeMux()
	mux.Handle("GET /a/{orderId}", h)
	mux.Handle("GET /b/{id}", h)
	mux.Handle("/c/{id}", h) // no method, but the path says it all, and the method is in every key
	require.Equal(t, 500, get(mux, "/a/1").Code)
	require.Equal(t, "answer 1", get(mux, "/b/1").Body.String())
	require.Equal(t, "answer 2", get(mux, "/b/2").Body.String())
	require.Equal(t, "answer 1", get(mux, "/b/1").Body.String())
	require.Equal(t, "answer 3", get(mux, "/c/1").Body.String())
	resources := newCache(t, cache.Config{Route: cache.Route{Key: []string{}}}).Middleware(b)
	require.Equal(t, "answer 4", get(resources, "/a").Body.String())
	require.Equal(t, "answer 5", get(resources, "/b").Body.String(), "of two routes that nobody tells, none has the other's answer")
	require.Equal(t, "answer 4", get(resources, "/a").Body.String())
}

// What a stage says of a method isn't passed over where nobody tells the route.
func TestStageSettingsWithoutARoute(t *testing.T) {
	settings, err := gatekit.NewStageSettings(map[string]gatekit.MethodSettings{"*/*": {}})
	require.NoError(t, err)
	h := newCache(t, cache.Config{}).Middleware(&backend{})
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/a", nil))
	rc.API = &gatekit.API{Settings: settings}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 500, w.Code)
	rc.Route = &gatekit.Route{Key: "GET /a"}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
}
