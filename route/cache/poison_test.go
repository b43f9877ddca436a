package cache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
)

// What one client makes the backend say about its own request isn't the answer to the others.
func TestAnswersAboutTheRequestAreNotKept(t *testing.T) {
	for _, status := range []int{400, 401, 406, 407, 408, 411, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431} {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			if r.Header.Get("If-Match") != "" {
				w.WriteHeader(status)
				return
			}
			fmt.Fprint(w, n)
		}}
		h := newCache(t, cache.Config{}).Middleware(b)
		require.Equal(t, status, get(h, "/a", header("If-Match", `"x"`)).Code)
		require.Equal(t, "2", get(h, "/a").Body.String(), "%d", status)
	}
}

// A GET with a body: some backends read their parameters from there, and no key has it.
func TestABodyIsNoKey(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, r *http.Request, _ int64) { io.Copy(w, r.Body) }}
	h := newCache(t, cache.Config{}).Middleware(b)
	body := func(text string, length int64) func(*http.Request) {
		return func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), length }
	}
	require.Equal(t, "evil", get(h, "/a", body("evil", 4)).Body.String())
	require.Equal(t, "evil", get(h, "/a", body("evil", -1)).Body.String())
	require.Empty(t, get(h, "/a").Body.String())
	require.Equal(t, "x", get(h, "/a", body("x", 1)).Body.String())
}

// A client that sends its body slowly keeps nobody waiting, where a route keeps the answers to
// POST.
func TestNobodyWaitsForABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, _ int64) {
			io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, "x")
		}}
		h := newCache(t, cache.Config{Route: cache.Route{Methods: []string{"POST"}}}).Middleware(b)
		slow, more := io.Pipe()
		go get(h, "/a", func(r *http.Request) { r.Method, r.Body, r.ContentLength = "POST", slow, 10 })
		synctest.Wait()
		began := time.Now()
		require.Equal(t, "x", get(h, "/a", func(r *http.Request) { r.Method = "POST" }).Body.String())
		require.Zero(t, time.Since(began))
		more.Close()
	})
}

// slowWriter is a client that doesn't read.
type slowWriter struct {
	*httptest.ResponseRecorder
	stuck chan struct{}
}

func (w *slowWriter) Write(b []byte) (int, error) {
	<-w.stuck
	return w.ResponseRecorder.Write(b)
}

// A client that doesn't read its answer keeps the others waiting for a second at most, once.
func TestNobodyWaitsForASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		h := newCache(t, cache.Config{}).Middleware(b)
		stuck := make(chan struct{})
		go h.ServeHTTP(&slowWriter{httptest.NewRecorder(), stuck}, httptest.NewRequest("GET", "/a", nil))
		synctest.Wait()
		began := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { get(h, "/a") })
		}
		wg.Wait()
		require.Equal(t, time.Second, time.Since(began))
		get(h, "/a")
		require.Equal(t, time.Second, time.Since(began), "there is an answer now")
		close(stuck)
	})
}

// Where answers turn out not to be ones to keep, requests no longer wait for each other for a
// while: they would take twice as long.
func TestNobodyWaitsForWhatIsNeverKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			time.Sleep(time.Second)
			if r.URL.Path == "/cookie" {
				w.Header().Set("Set-Cookie", "a=b")
			}
			switch {
			case r.Header.Get("If-Match") != "":
				w.WriteHeader(http.StatusPreconditionFailed)
			case r.Header.Get("If-None-Match") != "":
				w.WriteHeader(http.StatusNotModified)
			default:
				fmt.Fprint(w, n)
			}
		}}
		h := newCache(t, cache.Config{}).Middleware(b)
		atOnce := func(path string) time.Duration {
			began := time.Now()
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() { get(h, path) })
			}
			wg.Wait()
			return time.Since(began)
		}
		require.Equal(t, 2*time.Second, atOnce("/cookie"))
		require.Equal(t, time.Second, atOnce("/cookie"))
		time.Sleep(10 * time.Second)
		require.Equal(t, 2*time.Second, atOnce("/cookie"), "it may have changed")

		// That isn't for a client to decide.
		get(h, "/", header("If-Match", "x"))
		get(h, "/", header("If-None-Match", "x"))
		calls := b.calls.Load()
		atOnce("/")
		require.Equal(t, calls+1, b.calls.Load())
	})
}

// Clients that come and go, one after the other, before they have an answer hold nobody up for
// long.
func TestNobodyWaitsForManyWhoGoAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			select {
			case <-time.After(time.Second):
				fmt.Fprint(w, n)
			case <-r.Context().Done():
			}
		}}
		h := newCache(t, cache.Config{}).Middleware(b)
		for i := range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*900*time.Millisecond)
			defer cancel()
			go get(h, "/a", func(r *http.Request) { *r = *r.WithContext(ctx) })
			synctest.Wait()
		}
		began := time.Now()
		require.NotEmpty(t, get(h, "/a").Body.String())
		require.LessOrEqual(t, time.Since(began), 5*time.Second)
		time.Sleep(time.Hour)
	})
}

// Who asks after a flush doesn't get what was asked for before.
func TestNobodyJoinsWhatWasTakenOut(t *testing.T) {
	for name, takeOut := range map[string]func(*cache.Cache) error{
		"flush": func(c *cache.Cache) error { return c.Flush(t.Context()) },
		"tags":  func(c *cache.Cache) error { return c.InvalidateTags(t.Context(), "t") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := "old"
				b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) {
					now := data
					time.Sleep(time.Second)
					w.Header().Set("Cache-Tag", "t")
					fmt.Fprint(w, now)
				}}
				c := newCache(t, cache.Config{TagHeader: "Cache-Tag"})
				h := c.Middleware(b)
				go get(h, "/a")
				synctest.Wait()
				data = "new"
				require.NoError(t, takeOut(c))
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						if body := get(h, "/a").Body.String(); body != "new" {
							t.Errorf("got %q after it was taken out", body)
						}
					})
				}
				wg.Wait()
				require.EqualValues(t, 2, b.calls.Load(), "who came after waits for one of their own")
				require.Equal(t, "new", get(h, "/a").Body.String())
			})
		})
	}
}

// Max-age=0 replaces the answer for good: one that was asked for before, and arrives after, doesn't
// come back.
func TestALateAnswerDoesNotReplaceANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, n int64) {
			if n == 1 {
				time.Sleep(time.Second)
			}
			fmt.Fprint(w, n)
		}}
		h := newCache(t, cache.Config{Open: true}).Middleware(b)
		go get(h, "/a", header("Accept", "x"))
		synctest.Wait()
		require.Equal(t, "2", get(h, "/a", header("Cache-Control", "max-age=0")).Body.String())
		time.Sleep(2 * time.Second)
		require.Equal(t, "2", get(h, "/a").Body.String())
	})
}

// A tag that is invalidated all the time doesn't keep other answers from being kept.
func TestTagsOfOthers(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{TagHeader: "Cache-Tag"})
	b.answer = func(w http.ResponseWriter, r *http.Request, n int64) {
		w.Header().Set("Cache-Tag", r.URL.Query().Get("tag"))
		if err := c.InvalidateTags(t.Context(), "other"); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, n)
	}
	h := c.Middleware(b)
	for i, target := range []string{"/", "/?tag=mine", "/?tag=other"} {
		require.Equal(t, fmt.Sprint(i+1), get(h, target).Body.String())
	}
	require.Equal(t, "1", get(h, "/").Body.String())
	require.Equal(t, "2", get(h, "/?tag=mine").Body.String())
	require.Equal(t, "4", get(h, "/?tag=other").Body.String())
}

// Users of one app whose own session is in a cookie, which the authorizer of the app's token
// doesn't look at.
func TestCookiesBesideAnAuthorization(t *testing.T) {
	b := &backend{}
	h := newCache(t, cache.Config{}).Middleware(b)
	app := by(gatekit.AuthorizationFields{Principal: "app"})
	require.Equal(t, "answer 1", get(h, "/a", header("Cookie", "session=ann"), app).Body.String())
	require.Equal(t, "answer 2", get(h, "/a", header("Cookie", "session=bob"), app).Body.String())
	require.Equal(t, "answer 1", get(h, "/a", header("Cookie", "session=ann"), app).Body.String())
	require.Equal(t, "answer 3", get(h, "/a", app).Body.String())
}

// Two APIs without names behind two base paths, and one cache: they are told apart by the path as
// it was sent.
func TestBasePathsAreApart(t *testing.T) {
	c := newCache(t, cache.Config{})
	mux := http.NewServeMux()
	for _, base := range []string{"/v1", "/v2"} {
		api := gatekit.Must(route.New(route.Config{}))
		api.Handle("GET /orders", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, base) }), c.Middleware)
		mux.Handle(base+"/", http.StripPrefix(base, api))
	}
	bare := http.NewServeMux()
	for _, base := range []string{"/v3", "/v4"} {
		bare.Handle(base+"/", http.StripPrefix(base, c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, base) }))))
	}
	for range 2 {
		require.Equal(t, "/v1", get(mux, "/v1/orders").Body.String())
		require.Equal(t, "/v2", get(mux, "/v2/orders").Body.String())
		require.Equal(t, "/v3", get(bare, "/v3/orders").Body.String())
		require.Equal(t, "/v4", get(bare, "/v4/orders").Body.String())
	}
}

// To some backends a semicolon separates parameters, so such a query counts as a whole.
func TestSemicolons(t *testing.T) {
	b := &backend{}
	h := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.querystring.page"}}}).Middleware(b)
	require.Equal(t, "answer 1", get(h, "/a?x=1").Body.String())
	require.Equal(t, "answer 2", get(h, "/a?x=1;page=evil").Body.String())
	require.Equal(t, "answer 1", get(h, "/a").Body.String())
}

// The ID of a request belongs to it, whichever station set it.
func TestRequestIDsAreNotKept(t *testing.T) {
	b := &backend{}
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Handle("GET /a", b)
	c := newCache(t, cache.Config{})
	h := c.Middleware(api) // outside: not where it should be
	require.NotEmpty(t, get(h, "/a").Header()["X-Amzn-Requestid"])
	again := get(h, "/a")
	require.Equal(t, "answer 1", again.Body.String())
	require.Empty(t, again.Header()["X-Amzn-Requestid"])
	require.Empty(t, again.Header()["X-Amz-Apigw-Id"])

	// Nor is a refusal that is made behind it, also where it stands outside of the gateway's
	// context.
	for range 2 {
		require.Equal(t, 403, get(h, "/nothing").Code)
	}
	require.EqualValues(t, 3, c.Stats().Misses)
}

// What an outer station says in a header, and the backend adds to, isn't told to the next request.
func TestOuterHeadersThatAreAddedTo(t *testing.T) {
	c := newCache(t, cache.Config{})
	h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Link", "<inner>")
		w.Header().Add("Vary", "Accept")
	}))
	for _, outer := range []string{"<ann>", "<bob>"} {
		r := httptest.NewRequest("GET", "/a", nil)
		w := httptest.NewRecorder()
		w.Header().Set("Link", outer)
		w.Header().Set("Vary", "Origin")
		h.ServeHTTP(w, r)
		require.Equal(t, []string{outer, "<inner>"}, w.Header()["Link"])
		require.Equal(t, []string{"Origin", "Accept"}, w.Header()["Vary"])
	}
	require.EqualValues(t, 1, c.Stats().Hits)
}

// Copies that are being made count, too: many large answers at once take no more memory than
// MaxBytes, and are answered all the same.
func TestCopiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := make([]byte, 30_000)
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, _ int64) {
			if r.URL.Query().Has("declared") {
				w.Header().Set("Content-Length", "60000")
			}
			w.Write(half)
			time.Sleep(time.Second)
			if r.URL.Query().Has("panics") {
				panic(http.ErrAbortHandler)
			}
			w.Write(half)
		}}
		c := newCache(t, cache.Config{MaxBytes: 200_000})
		h := c.Middleware(b)
		for _, query := range []string{"?", "?declared", "?panics"} {
			var wg sync.WaitGroup
			before := c.Stats()
			for i := range 20 {
				wg.Go(func() {
					defer func() { _ = recover() }()
					if n := get(h, fmt.Sprint("/", i, query)).Body.Len(); n != 60_000 {
						t.Errorf("got %d bytes", n)
					}
				})
			}
			wg.Wait()
			stored := c.Stats().Stored - before.Stored
			require.LessOrEqual(t, stored, uint64(6), query) // six first halves are what there is room for
			if query != "?panics" {
				require.NotZero(t, stored, query)
			}
		}
		before := c.Stats().Stored
		get(h, "/after")
		require.Equal(t, before+1, c.Stats().Stored, "all was given back")
	})
}

// A handler that outlives its request, in the middle of the chain or around it, races with nobody
// and isn't kept.
func TestTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{answer: func(w http.ResponseWriter, r *http.Request, n int64) {
			if n%2 == 1 {
				<-r.Context().Done()
				time.Sleep(time.Millisecond) // until TimeoutHandler has answered
			}
			for i := range 100 {
				r.Header.Set("X-Late", fmt.Sprint(i))
				w.Header().Set("X-Late", fmt.Sprint(i))
			}
			fmt.Fprint(w, n)
		}}
		cfg := cache.Config{Route: cache.Route{StaleWhileRevalidate: time.Minute}}
		for _, h := range []http.Handler{
			newCache(t, cfg).Middleware(http.TimeoutHandler(b, 5*time.Millisecond, "late")),
			http.TimeoutHandler(newCache(t, cfg).Middleware(b), 5*time.Millisecond, "late"),
		} {
			b.calls.Store(0)
			w := get(h, "/a")
			require.Equal(t, 503, w.Code)
			require.Equal(t, "2", get(h, "/a").Body.String())
			require.Equal(t, "2", get(h, "/a").Body.String())
		}
	})
}
