package route_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

func ExampleNew() {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "order %s by %q", r.PathValue("id"), gatekit.From(r.Context()).RouteKey())
	}))
	for _, target := range []string{"/orders/7", "/orders", "/orders/../x"} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 order 7 by "GET /orders/{id}"
	// 404 {"message":"Not Found"}
	// 400 {"message":"Bad Request"}
}

// A REST API answers an unknown path as its clients know it.
func ExampleNew_rest() {
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/nothing", nil))
	fmt.Println(w.Code, w.Body, w.Header().Get("x-amzn-ErrorType"))
	// Output:
	// 403 {"message":"Missing Authentication Token"} MissingAuthenticationTokenException
}

// Keys that come from data go to Add, whose errors say what to change.
func ExampleAPI_Add() {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", http.NotFoundHandler())
	fmt.Println(api.Add("GET /orders/{order}", http.NotFoundHandler()))
	// Output:
	// route: API.Add: "GET /orders/{order}": want routes that match different requests, but "GET /orders/{id}" matches the same
}

func ExampleAPI_Match() {
	api := gatekit.Must(route.New(route.Config{}))
	for _, key := range []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"} {
		api.Handle(key, http.NotFoundHandler())
	}
	fmt.Println(api.Match("GET", "/pets/dog/2"))
	fmt.Println(api.Match("POST", "/pets/dog/1"))
	fmt.Println(api.Match("GET", "/"))
	// Output:
	// GET /pets/dog/{id}
	// ANY /{proxy+}
	// $default
}

// A middleware that reads the route belongs into UseMatched: in Use there is none yet.
func ExampleAPI_Use_incorrect() {
	api := gatekit.Must(route.New(route.Config{}))
	printRoute := func(when string) gatekit.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Printf("%s: %q\n", when, gatekit.From(r.Context()).RouteKey())
				next.ServeHTTP(w, r)
			})
		}
	}
	api.Use(printRoute("Use"))
	api.UseMatched(printRoute("UseMatched"))
	api.Handle("GET /pets", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/pets", nil))
	// Output:
	// Use: ""
	// UseMatched: "GET /pets"
}

func ExampleStages() {
	version := func(name string) *route.API {
		api := gatekit.Must(route.New(route.Config{}))
		api.Handle("GET /orders", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			fmt.Fprintf(w, "%s on %s, table %s", name, rc.API.Stage, rc.API.Variables["table"])
		}))
		return api
	}
	stages := gatekit.Must(route.NewStages(
		route.Stage{Name: "$default", API: version("version 1"), Variables: map[string]string{"table": "orders"}},
		route.Stage{Name: "test", API: version("version 2"), Variables: map[string]string{"table": "orders-test"}},
	))
	for _, path := range []string{"/orders", "/test/orders"} {
		w := httptest.NewRecorder()
		stages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// version 1 on $default, table orders
	// version 2 on test, table orders-test
}

// A tenth of the users, each of them on one side, get the new version.
func ExampleCanary() {
	api, next := gatekit.Must(route.New(route.Config{})), gatekit.Must(route.New(route.Config{}))
	stages := gatekit.Must(route.NewStages(route.Stage{
		Name: "prod", API: api, Deployment: "41", DeploymentHeader: "X-Deployment-Id",
		Canary: &route.Canary{Percent: 10, API: next, Deployment: "42", Key: func(r *http.Request) string { return r.Header.Get("X-User") }},
	}))
	on := map[string]int{}
	for user := range 1000 {
		r := httptest.NewRequest("GET", "/prod/orders", nil)
		r.Header.Set("X-User", fmt.Sprint(user))
		w := httptest.NewRecorder()
		stages.ServeHTTP(w, r)
		on[w.Header().Get("X-Deployment-Id")]++
	}
	fmt.Println(on["42"] > 50 && on["42"] < 150, on["41"]+on["42"])
	// Output: true 1000
}
