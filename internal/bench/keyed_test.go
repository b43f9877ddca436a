package bench

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/didip/tollbooth/v7"
	"github.com/didip/tollbooth/v7/limiter"
	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
	ulule "github.com/ulule/limiter/v3"
	ululehttp "github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

const (
	aLot     = 1_000_000_000
	keyCount = 1 << 20
)

func ip(r *http.Request) string { s, _ := throttle.ByIP(r); return s }

func header(r *http.Request) string { return r.Header["X-Api-Key"][0] }

// limiters are middlewares that admit all requests, and keep a bucket or counter for each key.
func limiters(tb testing.TB, keyOf func(*http.Request) string, byIP bool) map[string]gatekit.Middleware {
	key := throttle.ByHeader("X-Api-Key")
	if byIP {
		key = throttle.ByIP
	}
	keyFunc := func(r *http.Request) (string, error) { return keyOf(r), nil }
	tb1 := tollbooth.NewLimiter(aLot, &limiter.ExpirableOptions{DefaultExpirationTTL: time.Hour})
	tb1.SetBurst(aLot)
	tollboothMW := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := tollbooth.LimitByKeys(tb1, []string{keyOf(r)}); err != nil {
				http.Error(w, err.Message, err.StatusCode)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	seth, err := memorystore.New(&memorystore.Config{Tokens: aLot, Interval: time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	sethMW := must[*httplimit.Middleware](tb)(httplimit.NewMiddleware(seth, keyFunc))
	mem := must[throttled.GCRAStoreCtx](tb)(memstore.NewCtx(2 * keyCount))
	gcra := must[*throttled.GCRARateLimiterCtx](tb)(throttled.NewGCRARateLimiterCtx(mem, throttled.RateQuota{MaxRate: throttled.PerSec(1_000_000), MaxBurst: 1_000_000_000}))
	throttledMW := throttled.HTTPRateLimiterCtx{RateLimiter: gcra, VaryBy: &throttled.VaryBy{Custom: keyOf}}
	ululeMW := ululehttp.NewMiddleware(ulule.New(memory.NewStore(), ulule.Rate{Period: time.Minute, Limit: aLot}), ululehttp.WithKeyGetter(keyOf))
	return map[string]gatekit.Middleware{
		"gatekit":         gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1e5, Burst: aLot}, throttle.KeyConfig{Key: key, MaxKeys: 2 * keyCount})).Middleware,
		"gatekit-headers": gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1e5, Burst: aLot}, throttle.KeyConfig{Key: key, MaxKeys: 2 * keyCount, Headers: true})).Middleware,
		"httprate":        httprate.LimitBy(aLot, time.Minute, keyFunc, httprate.WithResponseHeaders(httprate.ResponseHeaders{})),
		"tollbooth":       tollboothMW,
		"ulule":           ululeMW.Handler,
		"go-limiter":      sethMW.Handle,
		"throttled":       throttledMW.RateLimit,
		"x/time-by-hand":  xtime(keyOf),
	}
}

// xtime is what one writes oneself: a limiter of x/time/rate for each key in a sync.Map.
func xtime(keyOf func(*http.Request) string) gatekit.Middleware {
	var all sync.Map
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := keyOf(r)
			l, ok := all.Load(key)
			if !ok {
				l, _ = all.LoadOrStore(key, rate.NewLimiter(1e5, aLot))
			}
			if !l.(*rate.Limiter).Allow() {
				http.Error(w, "", http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestLimiters(t *testing.T) {
	for name, mw := range limiters(t, ip, true) {
		if got := newResponse().serve(mw(nothing), request("GET", "/")); got != 200 {
			t.Errorf("%s: got %d", name, got)
		}
	}
	limited := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1, Burst: 1}, throttle.KeyConfig{Key: throttle.ByIP})).Middleware(nothing)
	newResponse().serve(limited, request("GET", "/"))
	if got := newResponse().serve(limited, request("GET", "/")); got != 429 {
		t.Errorf("the second of one: got %d", got)
	}
}

func BenchmarkKeyedHot(b *testing.B) {
	for name, mw := range limiters(b, ip, true) {
		b.Run("by="+name, func(b *testing.B) { measure(b, mw(nothing), request("GET", "/"), 200) })
		b.Run("by="+name+"/parallel=true", func(b *testing.B) { measureParallel(b, mw(nothing), request("GET", "/")) })
	}
	b.Run("by=gatekit-refused", func(b *testing.B) {
		refused := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1e-6, Burst: 1}, throttle.KeyConfig{Key: throttle.ByIP})).Middleware(nothing)
		newResponse().serve(refused, request("GET", "/"))
		measure(b, refused, request("GET", "/"), 429)
	})
}

var addresses = sync.OnceValue(func() []string {
	list := make([]string, keyCount)
	for i := range list {
		list[i] = fmt.Sprintf("10.%d.%d.%d:443", i>>16, i>>8&255, i&255)
	}
	return list
})

// BenchmarkKeyedMany spreads requests evenly over a million callers. Each has its bucket before the clock starts.
func BenchmarkKeyedMany(b *testing.B) {
	callers := addresses()
	if benchtimeIsOnce() {
		callers = callers[:1000]
	}
	for name, mw := range limiters(b, ip, true) {
		h := mw(nothing)
		b.Run("by="+name, func(b *testing.B) {
			w, r := newResponse(), request("GET", "/")
			for _, address := range callers {
				r.RemoteAddr = address
				w.serve(h, r)
			}
			var start atomic.Uint64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				w, r := newResponse(), request("GET", "/")
				for i := start.Add(0x9e3779b97f4a7c15); pb.Next(); i += 0x9e3779b97f4a7c15 {
					r.RemoteAddr = callers[i>>32%uint64(len(callers))]
					w.serve(h, r)
				}
			})
		})
	}
}

// BenchmarkKeyedMemory tells the heap's bytes for each of a million live keys.
func BenchmarkKeyedMemory(b *testing.B) {
	count := 1_000_000
	if benchtimeIsOnce() {
		count = 10_000
	}
	for _, kind := range []string{"ipv4", "string-36"} {
		for _, name := range []string{"gatekit", "httprate", "throttled", "x/time-by-hand"} {
			b.Run("key="+kind+"/by="+name, func(b *testing.B) {
				for b.Loop() {
					keyOf := ip
					if kind != "ipv4" {
						keyOf = header
					}
					mw := limiters(b, keyOf, kind == "ipv4")[name]
					if name == "gatekit" { // slow, so that every bucket is live to the end
						key := throttle.ByHeader("X-Api-Key")
						if kind == "ipv4" {
							key = throttle.ByIP
						}
						mw = gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 10}, throttle.KeyConfig{Key: key, MaxKeys: 2 * keyCount})).Middleware
					}
					h := mw(nothing)
					w, r := newResponse(), request("GET", "/")
					before := heap()
					for i := range count {
						if kind == "ipv4" {
							r.RemoteAddr = "10." + strconv.Itoa(i>>16) + "." + strconv.Itoa(i>>8&255) + "." + strconv.Itoa(i&255) + ":443"
						} else {
							r.Header["X-Api-Key"] = []string{fmt.Sprintf("%036d", i)}
						}
						w.serve(h, r)
					}
					b.ReportMetric(float64(int64(heap()-before))/float64(count), "bytes/key")
					runtime.KeepAlive(h)
				}
			})
		}
	}
}
