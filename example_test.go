package gatekit_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
)

// The first middleware is the outermost.
func ExampleChain() {
	say := func(word string) gatekit.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Println(word)
				next.ServeHTTP(w, r)
			})
		}
	}
	h := gatekit.Chain(http.NotFoundHandler(), say("first"), say("second"))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	// Output:
	// first
	// second
}

// A middleware of your own refuses in the gateway's form. The cause is for logs.
func ExampleReject() {
	onlyMondays := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New("it is Tuesday")})
		})
	}
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: flavor}))
		w := httptest.NewRecorder()
		gatekit.Chain(http.NotFoundHandler(), describe, onlyMondays).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 403 {"message":"Forbidden"}
	// 403 {"Message":"User is not authorized to access this resource"}
}

// Under http.ServeMux, Describe says what route.API would.
func ExampleDescribe() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		rc, _ := gatekit.Attach(r)
		fmt.Println(rc.API.Stage, rc.RouteKey())
	})
	h := gatekit.Chain(mux, gatekit.Must(gatekit.Describe(gatekit.API{Stage: "prod"})))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))
	// Output:
	// prod GET /orders/{id}
}

// Behind a load balancer in 10.0.0.0/8 the client is who the balancer says, and not who the client
// says.
func ExampleNewTrustedProxies() {
	proxies := gatekit.Must(gatekit.NewTrustedProxies("X-Forwarded-For", "10.0.0.0/8"))
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.7:4711"
	r.Header.Set("X-Forwarded-For", "1.2.3.4, 203.0.113.9") // the left one is the client's own invention
	fmt.Println(proxies.SourceIP(r))
	// Output:
	// 203.0.113.9
}

func ExampleNewAuthorization() {
	a := gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Principal: "ann", Scopes: []string{"orders:read"}, Claims: map[string]any{"groups": []string{"a", "b"}},
	})
	groups, _ := a.ClaimString("groups") // as the managed gateway hands it to integrations
	fmt.Println(a.Principal(), a.HasScope("orders:read"), groups)
	// Output:
	// ann true [a b]
}

// Refusals in a form of your own.
func ExampleRequestContext_SetResponder() {
	problems := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.SetResponder(func(w http.ResponseWriter, _ *http.Request, rej *gatekit.Rejection) {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(rej.StatusFor(rc.API.Flavor))
				fmt.Fprintf(w, `{"title":%q}`, rej.MessageFor(rc.API.Flavor))
			})
			next.ServeHTTP(w, r)
		})
	}
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
	})
	w := httptest.NewRecorder()
	gatekit.Chain(refuse, problems).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 429 {"title":"Too Many Requests"}
}

func ExampleShadow() {
	onlyBrowsers := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("User-Agent") == "" {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.AccessDenied})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	onTrial := gatekit.Shadow(onlyBrowsers, func(r *http.Request, why *gatekit.Rejection) {
		fmt.Println("would refuse", r.Method, r.URL.Path, why.Type)
	})
	h := onTrial(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }))

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/pets", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// would refuse GET /pets ACCESS_DENIED
	// 200 hello
}
