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

// A refusal costs what Reject does, and one Rejection if the wait is longer than a minute. With
// nothing attached none is made.
func TestRefusalAllocations(t *testing.T) {
	for name, limit := range map[string]throttle.Limit{"soon": {Rate: 0.02, Burst: 1}, "late": {Rate: 1e-6, Burst: 1}, "never": {}} {
		one, keyed := gatekit.Must(throttle.New(limit)), gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByIP}))
		stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &limit}))
		for _, mw := range []gatekit.Middleware{one.Middleware, keyed.Middleware, stage.Middleware, gatekit.Must(throttle.NewConcurrent(0)).Middleware} {
			h, w := mw(ok), &kept{h: http.Header{}}
			for _, r := range []*http.Request{from("192.0.2.1:1"), onRoute("GET /a")} {
				h.ServeHTTP(w, r)
				require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), 3.0, name)
				require.Equal(t, 429, w.status)
			}
		}
	}
}

type kept struct {
	discard
	h      http.Header
	status int
}

func (k *kept) Header() http.Header    { return k.h }
func (k *kept) WriteHeader(status int) { k.status = status }
