package throttle_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })

func ExampleLimiter_Middleware() {
	l := gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 1})) // one request a second, a bucket of one
	h := l.Middleware(hello)
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/pets", nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello
	// 429 {"message":"Too Many Requests"}
}

// Each route of a stage has a bucket of its own; all draw on the account's.
func ExampleNewStage() {
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{
		Account: throttle.NewAccount(),
		Default: &throttle.Limit{Rate: 100, Burst: 200},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.UseMatched(stage.Middleware)
	api.Handle("POST /orders", hello, gatekit.Must(stage.Limit(throttle.Limit{Rate: 1, Burst: 1})))
	api.Handle("GET /orders", hello)
	for _, method := range []string{"POST", "POST", "GET"} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(method, "/orders", nil))
		fmt.Println(method, w.Code)
	}
	// Output:
	// POST 200
	// POST 429
	// GET 200
}

// A bucket a caller, and headers that tell how much is left.
func ExampleNewPerKey() {
	perCaller := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1, Burst: 2}, throttle.KeyConfig{Key: throttle.ByIP, Headers: true}))
	h := perCaller.Middleware(hello)
	for _, address := range []string{"192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.1:1002", "192.0.2.9:1000"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(address, w.Code, w.Header().Get("RateLimit"))
	}
	// Output:
	// 192.0.2.1:1000 200 "default";r=1;t=1
	// 192.0.2.1:1001 200 "default";r=0;t=2
	// 192.0.2.1:1002 429 "default";r=0;t=2
	// 192.0.2.9:1000 200 "default";r=1;t=1
}

func ExampleNewAccount() {
	account := throttle.NewAccount() // one for all stages and APIs of the program
	orders := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: account}))
	users := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: account}))
	r := httptest.NewRequest("GET", "/", nil)
	fmt.Println(orders.Check(r), users.Check(r))
	// Output:
	// <nil> <nil>
}

func ExampleNewConcurrent() {
	atOnce := gatekit.Must(throttle.NewConcurrent(1))
	h := atOnce.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		second := httptest.NewRecorder()
		atOnce.Middleware(hello).ServeHTTP(second, r)
		fmt.Println("while the first is served:", second.Code)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	// Output:
	// while the first is served: 429
}

// Two tenants of one caller have a bucket each.
func ExampleJoin() {
	perTenant := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1, Burst: 1}, throttle.KeyConfig{
		Key: throttle.Join(throttle.ByIP, throttle.ByHeader("X-Tenant")),
	}))
	for _, tenant := range []string{"a", "b", "a"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Tenant", tenant)
		fmt.Println(tenant, perTenant.Check(r) == nil)
	}
	// Output:
	// a true
	// b true
	// a false
}

// A limit by identity before the authorizer: nobody has an identity yet, so all callers share one
// bucket.
func ExampleNewPerKey_incorrect() {
	perCaller := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1, Burst: 1}, throttle.KeyConfig{Key: throttle.ByPrincipal}))
	authorizer := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: r.Header.Get("User")})
			next.ServeHTTP(w, r)
		})
	}
	wrong := gatekit.Chain(hello, perCaller.Middleware, authorizer)
	for _, user := range []string{"ann", "bob"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User", user)
		w := httptest.NewRecorder()
		wrong.ServeHTTP(w, r)
		fmt.Println(user, w.Code)
	}
	// Output:
	// ann 200
	// bob 429
}

// One server behind its limits. Its timeouts are those of Limits.HTTPServer.
func ExampleConnections_Guard() {
	connections := gatekit.Must(throttle.NewConnections(throttle.ConnectionsConfig{MaxPerAddress: 1}))
	server := gatekit.HTTP.Limits().HTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello")
	}))
	listener := gatekit.Must(net.Listen("tcp", "127.0.0.1:0"))
	go server.Serve(connections.Guard(server, listener)) // or ServeTLS
	defer server.Close()

	for range 2 {
		client := &http.Client{Transport: &http.Transport{}} // each with a connection of its own, which stays open
		w, err := client.Get("http://" + listener.Addr().String())
		if err != nil {
			fmt.Println("closed")
			continue
		}
		fmt.Println(w.Status)
	}
	fmt.Println(connections.Counts().TooManyByAddress)
	// Output:
	// 200 OK
	// closed
	// 1
}
