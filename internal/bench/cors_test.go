package bench

import (
	"net/http"
	"testing"
	"time"

	rscors "github.com/rs/cors"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

func corsPeers(tb testing.TB) map[string]gatekit.Middleware {
	methods, headers := []string{"GET", "POST", "PUT", "DELETE"}, []string{"Authorization", "Content-Type"}
	ours := must[*cors.CORS](tb)(cors.New(cors.Config{AllowOrigins: []string{stacks.Origin}, AllowMethods: methods, AllowHeaders: headers, AllowCredentials: true, MaxAge: time.Hour}))
	theirs := rscors.New(rscors.Options{AllowedOrigins: []string{stacks.Origin}, AllowedMethods: methods, AllowedHeaders: headers, AllowCredentials: true, MaxAge: 3600})
	return map[string]gatekit.Middleware{"gatekit": ours.Middleware, "rs/cors": theirs.Handler}
}

func corsRequests() map[string]*http.Request {
	return map[string]*http.Request{
		"preflight": request("OPTIONS", "/", "Origin", stacks.Origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type"),
		"actual":    request("GET", "/", "Origin", stacks.Origin),
		"no-origin": request("GET", "/"),
	}
}

func TestCORSPeers(t *testing.T) {
	for name, mw := range corsPeers(t) {
		for kind, r := range corsRequests() {
			w := newResponse()
			w.serve(mw(nothing), r)
			if got := w.h.Get("Access-Control-Allow-Origin"); (got == stacks.Origin) != (kind != "no-origin") {
				t.Errorf("%s %s: %q", name, kind, got)
			}
		}
	}
}

func BenchmarkCORS(b *testing.B) {
	for name, mw := range corsPeers(b) {
		for kind, r := range corsRequests() {
			want := 200
			if kind == "preflight" {
				want = 204
			}
			b.Run("request="+kind+"/by="+name, func(b *testing.B) { measure(b, mw(nothing), r, want) })
		}
	}
}
