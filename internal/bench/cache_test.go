package bench

import (
	"net/http"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/cache"
)

// BenchmarkCache is an answer of a kilobyte that is there, for a caller whom an authorizer has admitted.
func BenchmarkCache(b *testing.B) {
	body := make([]byte, 1024)
	kept := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Etag", `"x"`)
		_, _ = w.Write(body)
	})
	for _, bm := range []struct {
		name  string
		route cache.Route
	}{{"key=url", cache.Route{}}, {"key=listed", cache.Route{Key: []string{"method.request.querystring.page", "method.request.header.Accept"}}}} {
		c := must[*cache.Cache](b)(cache.New(b.Context(), cache.Config{Route: bm.route}))
		h := c.Middleware(kept)
		rc, r := gatekit.Attach(request("GET", "/v1/orders?page=2&limit=50", "Accept", "application/json"))
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"})
		b.Run("answer=1KB/"+bm.name, func(b *testing.B) { measure(b, h, r, 200) })
		if s := c.Stats(); s.Misses != 1 {
			b.Fatalf("%d misses", s.Misses)
		}
	}
}
