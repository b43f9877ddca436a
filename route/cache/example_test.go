package cache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
)

func ExampleNew() {
	calls := 0
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		fmt.Fprintf(w, "page %s, computed %d times", r.URL.Query().Get("page"), calls)
	})
	answers := gatekit.Must(cache.New(context.Background(), cache.Config{
		Route: cache.Route{Key: []string{"method.request.querystring.page"}, Public: true},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders", orders, answers.Middleware)
	for _, target := range []string{"/orders?page=1", "/orders?page=1&utm=mail", "/orders?page=2"} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// page 1, computed 1 times
	// page 1, computed 1 times
	// page 2, computed 2 times
}

// A backend tags its answers; who changes the data takes out what depends on it.
func ExampleCache_InvalidateTags() {
	price := 10
	product := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Tag", "product-7, prices")
		fmt.Fprint(w, price)
	})
	answers := gatekit.Must(cache.New(context.Background(), cache.Config{TagHeader: "Cache-Tag"}))
	h := answers.Middleware(product)
	get := func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/products/7", nil))
		fmt.Println(w.Body)
	}
	get()
	price = 12
	get()
	if err := answers.InvalidateTags(context.Background(), "product-7"); err != nil {
		fmt.Println(err)
	}
	get()
	// Output:
	// 10
	// 10
	// 12
}

// The mistake to avoid: a key without the path's variable makes all orders one.
func ExampleNew_incorrect() {
	order := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "order ", r.PathValue("id")) })
	answers := gatekit.Must(cache.New(context.Background(), cache.Config{Route: cache.Route{Key: []string{"method.request.header.Accept"}}}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", order, answers.Middleware)
	for _, path := range []string{"/orders/1", "/orders/2"} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// order 1
	// order 1
}
