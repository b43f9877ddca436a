package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// An HTTP proxy integration: the route's variables are the URI's.
func ExampleNewHTTP() {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the store got ", r.RequestURI) }))
	defer store.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("ANY /parent/{proxy+}", gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{URI: store.URL + "/v1/{proxy}"})))

	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/parent/a/b?x=1", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 the store got /v1/a/b?x=1
}

// A private integration: several servers behind one name, as behind a VPC link. One of them is
// down.
func ExampleNewHTTP_private() {
	var addresses []integration.Upstream
	for range 2 {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) }))
		defer s.Close()
		addresses = append(addresses, integration.Upstream{Address: s.Listener.Addr().String()})
	}
	down := httptest.NewServer(nil)
	down.Close()
	addresses = append(addresses, integration.Upstream{Address: down.Listener.Addr().String()})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	orders := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
		Private: true, Upstreams: addresses, Balance: integration.LeastOutstanding, TryTimeout: 2 * time.Second,
		Health: &integration.HealthCheck{Path: "/health"},
	}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Stage: "prod"}}))
	api.Handle("GET /orders/{id}", orders)

	for range 3 {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", "/orders/7", nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 /prod/orders/7
	// 200 /prod/orders/7
	// 200 /prod/orders/7
}

// What a service registry says can be followed while requests are served.
func ExampleProxy_SetUpstreams() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{Upstreams: []integration.Upstream{{Address: "10.0.0.1:80"}}}))
	fmt.Println(p.SetUpstreams(integration.Upstream{Address: "10.0.0.2:80", Weight: 3}, integration.Upstream{Address: "10.0.0.3:80"}))
	for _, u := range p.Upstreams() {
		fmt.Println(u.Address, u.Weight, u.Healthy)
	}
	fmt.Println(p.SetUpstreams(integration.Upstream{Address: "10.0.0.2"}))
	// Output:
	// <nil>
	// 10.0.0.2:80 3 true
	// 10.0.0.3:80 1 true
	// integration: SetUpstreams[0].Address: want host:port, got "10.0.0.2"
}

// A client's path variable in the host would let clients choose which server is asked.
func ExampleNewHTTP_incorrect() {
	_, err := integration.NewHTTP(context.Background(), integration.HTTPConfig{URI: "http://{tenant}.internal/orders"})
	fmt.Println(err)
	// Output:
	// integration: HTTPConfig.URI: want no path variable in the host, got "{tenant}.internal": clients would choose the server
}

func ExampleNewMock() {
	m := gatekit.Must(integration.NewMock(integration.MockConfig{Status: 503, Body: []byte(`{"message":"back at noon"}`), Header: http.Header{"Retry-After": {"3600"}}}))
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(w.Code, w.Header().Get("Retry-After"), w.Body)
	// Output:
	// 503 3600 {"message":"back at noon"}
}
