package gatekit_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// orders is an API with one route and a limit of one request.
func orders() *route.API {
	few := gatekit.Must(throttle.New(throttle.Limit{Rate: 0.001, Burst: 1}))
	rules := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://shop.example"}}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Use(rules.Middleware)
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), few.Middleware)
	return api
}

// In a test, a request that isn't answered as it should be explains itself.
func ExampleExplain() {
	api := orders()
	for _, target := range []string{"/orders/7", "/orders/7", "/order/7"} {
		r := gatekit.Explained(httptest.NewRequest("GET", target, nil))
		api.ServeHTTP(httptest.NewRecorder(), r)
		fmt.Print(gatekit.Explain(r))
	}
	// Output:
	// GET /orders/{id}: passed
	//   1 route     passed  GET /orders/{id}
	//   2 throttle  passed  limit  0 left
	// GET /orders/{id}: 429, refused by throttle "limit": the bucket has no token left
	//   1 route     passed   GET /orders/{id}
	//   2 throttle  refused  limit  429; 0 left; the bucket has no token left; throttle: no token is left
	// GET without a route: 404, refused by route: no route has segment 1 of the path; the nearest: "GET /orders/{id}"
	//   1 route  refused    404; no route has segment 1 of the path; the nearest: "GET /orders/{id}"
}

func ExampleNewTrace() {
	trace := gatekit.Must(gatekit.NewTrace(gatekit.TraceConfig{
		Refused: true,
		Logger:  slog.New(slog.DiscardHandler), // slog.Default() otherwise: a record each
		Hook:    func(e *gatekit.Explanation) { fmt.Println("refused:", e.RouteKey, e.Status) },
	}))
	h := trace.Middleware(orders())
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))
	}
	w := httptest.NewRecorder()
	trace.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/?n=1", nil)) // mounted where only operators get
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output:
	// refused: GET /orders/{id} 429
	// 200 text/plain; charset=utf-8
}

// Who has the secret asks for the reason with the request itself:
//
//	curl -i -H "X-Gatekit-Trace: $(sign /orders/7)" https://api.example.com/orders/7
func ExampleTrace_Sign() {
	trace := gatekit.Must(gatekit.NewTrace(gatekit.TraceConfig{
		Secrets: [][]byte{[]byte("at least 32 bytes, which nobody can guess")},
		Logger:  slog.New(slog.DiscardHandler),
	}))
	h := trace.Middleware(orders())
	r := httptest.NewRequest("GET", "/orders/7", nil)
	r.Header.Set(gatekit.TraceHeader, gatekit.Must(trace.Sign("/orders/7", time.Minute)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Header().Get(gatekit.WhyHeader))
	// Output:
	// GET /orders/{id}: 200 | route passed; GET /orders/{id} | throttle passed; limit; 0 left
}
