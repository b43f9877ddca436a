//go:build !race

package throttle_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestAllocations(t *testing.T) {
	limit := throttle.Limit{Rate: 1e6, Burst: 1e6}
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: throttle.NewAccount(), Default: &limit}))
	keyed := func(key throttle.KeyFunc) gatekit.Middleware {
		return gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: key})).Middleware
	}
	r := onRoute("GET /a")
	r.Header.Set("X-Api-Key", "k")
	for name, mw := range map[string]gatekit.Middleware{
		"limiter": gatekit.Must(throttle.New(limit)).Middleware, "stage": stage.Middleware, "by-ip": keyed(throttle.ByIP),
		"by-api-key": keyed(throttle.ByAPIKey), "by-header": keyed(throttle.ByHeader("X-Api-Key")), "by-principal": keyed(throttle.ByPrincipal),
		"concurrency": gatekit.Must(throttle.NewConcurrent(1)).Middleware,
	} {
		h := mw(ok)
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(discard{}, r) }), name)
	}
	for _, address := range []string{"192.0.2.1:1", "[2001:db8::1]:1"} {
		r, h := from(address), keyed(throttle.ByIP)(ok)
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(discard{}, r) }), address)
	}
}
