package redisthrottle_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Two machines, one limit.
func ExampleNew() {
	server := gatekit.Must(miniredis.Run()) // Redis or Valkey, in earnest
	defer server.Close()

	machine := func() http.Handler {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		limit := gatekit.Must(redisthrottle.New(throttle.Limit{Rate: 0.1, Burst: 3}, redisthrottle.Config{
			BucketsConfig: redisthrottle.BucketsConfig{Client: client, Name: "orders"},
			Key:           throttle.ByIP,
		}))
		return limit.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))
	}
	first, second := machine(), machine()
	for _, h := range []http.Handler{first, second, first, second} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello
	// 200 hello
	// 200 hello
	// 429 {"message":"Too Many Requests"}
}

// A fleet's usage plans: keys and quotas in Redis, and the plans' buckets, too.
func ExampleNewStore() {
	server := gatekit.Must(miniredis.Run())
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})

	config := usageplan.RegistryConfig{
		Store:   gatekit.Must(redisthrottle.NewStore(redisthrottle.StoreConfig{Client: client, Name: "plans"})),
		Buckets: gatekit.Must(redisthrottle.NewBuckets(redisthrottle.BucketsConfig{Client: client, Name: "plans"})),
	}
	fmt.Println(config.Store != nil, config.Buckets != nil)
	// Output: true true
}

// Two machines that count for a rate-based rule of their web ACLs: it goes into waf.Config.Counter.
func ExampleNewCounter() {
	server := gatekit.Must(miniredis.Run())
	defer server.Close()

	machine := func() *redisthrottle.Counter {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		return gatekit.Must(redisthrottle.NewCounter(redisthrottle.CounterConfig{Client: client, Name: "waf"}))
	}
	first, second := machine(), machine()
	for _, c := range []*redisthrottle.Counter{first, second, first} {
		fmt.Println(c.Count(context.Background(), "192.0.2.1", 5*time.Minute))
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}

// Without a deadline a Redis that hangs would make requests hang.
func ExampleNew_incorrect() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
	defer client.Close()
	_, err := redisthrottle.New(throttle.Limit{Rate: 1, Burst: 1}, redisthrottle.Config{
		BucketsConfig: redisthrottle.BucketsConfig{Client: client, Name: "orders"},
		Key:           throttle.ByIP,
	})
	fmt.Println(err)
	// Output:
	// redisthrottle: BucketsConfig.Client: want ContextTimeoutEnabled in its options, so that a slow Redis is waited for no longer than it may be
}
