package cors_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
)

func ExampleNew() {
	_, err := cors.New(cors.Config{AllowOrigins: []string{"*"}, AllowCredentials: true})
	fmt.Println(err)
	_, err = cors.New(cors.Config{AllowOrigins: []string{"https://MyApp.com/"}})
	fmt.Println(err)
	// Output:
	// cors: Config.AllowOrigins[0]: allow-credentials is not supported if 'allow-origin' is *: name the origins
	// cors: Config.AllowOrigins[0]: want an origin as browsers send it, such as "https://myapp.com" (lower case, no path, no slash at its end, no default port), got "https://MyApp.com/"
}

func ExampleCORS_Middleware() {
	rules := gatekit.Must(cors.New(cors.Config{
		AllowOrigins: []string{"https://myapp.com"},
		AllowMethods: []string{"GET", "PUT"},
		AllowHeaders: []string{"Authorization"},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Use(rules.Middleware)
	api.Handle("PUT /orders/{id}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

	r := httptest.NewRequest("OPTIONS", "/orders/7", nil)
	r.Header.Set("Origin", "https://myapp.com")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Allow-Methods"))
	// Output:
	// 204 https://myapp.com GET,PUT
}

// CORS inside an authorizer: the preflight, which browsers send without credentials, is refused,
// and no page gets any further.
func ExampleCORS_Middleware_incorrect() {
	rules := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}, AllowMethods: []string{"PUT"}}))
	authorizer := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	wrong := gatekit.Chain(http.NotFoundHandler(), authorizer, rules.Middleware)
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://myapp.com")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	w := httptest.NewRecorder()
	wrong.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin") == "")
	// Output:
	// 401 true
}

// A page can't read an answer, and the browser says only "blocked by CORS policy". In debug mode
// the record says which step failed.
func ExampleConfig_debug() {
	rules := gatekit.Must(cors.New(cors.Config{
		AllowOrigins: []string{"https://myapp.com"}, AllowMethods: []string{"PUT"}, Debug: true,
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
				return slog.Attr{}
			}
			return a
		}})),
	}))
	r := httptest.NewRequest("OPTIONS", "/orders/7", nil)
	r.Header.Set("Origin", "https://myapp.com")
	r.Header.Set("Access-Control-Request-Method", "DELETE")
	rules.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// step="CORS-preflight fetch, methods: the method isn't in AllowMethods" origin=https://myapp.com method=DELETE headers=""
}
