package throttle_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// onStage is a request as a stage hands it to the limits behind it.
func onStage(method, stage, routeKey string, settings *gatekit.StageSettings) *http.Request {
	rc, r := gatekit.Attach(httptest.NewRequest(method, "/", nil))
	rc.API, rc.Route = &gatekit.API{Stage: stage, Settings: settings}, &gatekit.Route{Key: routeKey}
	return r
}

func limits(t *testing.T, perSecond float64, burst int) *gatekit.StageSettings {
	s, err := gatekit.NewStageSettings(map[string]gatekit.MethodSettings{
		"*/*": {Throttling: &gatekit.MethodThrottling{RateLimit: perSecond, BurstLimit: burst}}, "free/GET": {},
	})
	require.NoError(t, err)
	return s
}

func TestMethodSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := throttle.NewMethodLimits(nil)
		two := limits(t, 1, 2)
		admits := func(n int, method, stage, routeKey string, s *gatekit.StageSettings) {
			t.Helper()
			for range n {
				require.NoError(t, m.Check(onStage(method, stage, routeKey, s)))
			}
			var refused *gatekit.Rejection
			require.ErrorAs(t, m.Check(onStage(method, stage, routeKey, s)), &refused)
			require.Equal(t, gatekit.Throttled, refused.Type)
		}
		admits(2, "GET", "prod", "GET /pets", two)
		admits(2, "GET", "dev", "GET /pets", two)   // a bucket a stage
		admits(2, "GET", "prod", "GET /cats", two)  // a bucket a method
		admits(2, "POST", "prod", "ANY /dogs", two) // also where the route takes any
		admits(2, "GET", "prod", "ANY /dogs", two)
		admits(2, "MAKE", "prod", "ANY /dogs", two)
		require.Error(t, m.Check(onStage("MAKEUP", "prod", "ANY /dogs", two)), "methods that clients make up share a bucket")
		for range 10 {
			require.NoError(t, m.Check(onStage("GET", "prod", "GET /free", two)), "an entry of its own that has no limit")
			require.NoError(t, m.Check(onStage("GET", "prod", "GET /pets", nil)), "a stage without settings")
			require.NoError(t, m.Check(httptest.NewRequest("GET", "/", nil)), "no stage")
		}
		time.Sleep(time.Second)
		admits(1, "GET", "prod", "GET /pets", two)

		// The stage is replaced: what was taken stays taken, the new numbers hold from now on.
		admits(0, "GET", "prod", "GET /pets", limits(t, 10, 4))
		time.Sleep(100 * time.Millisecond)
		admits(1, "GET", "prod", "GET /pets", limits(t, 10, 4))
		time.Sleep(time.Second)
		admits(4, "GET", "prod", "GET /pets", limits(t, 10, 4))
		admits(0, "GET", "prod", "GET /pets", limits(t, 0, 0)) // 0 blocks
	})
}

// A refusal by the account leaves the method its token.
func TestMethodSettingsWithinTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 1}))
		m := throttle.NewMethodLimits(account)
		s := limits(t, 1e-9, 2)
		require.NoError(t, m.Check(onStage("GET", "prod", "GET /pets", s)))
		for range 1000 {
			require.Error(t, m.Check(onStage("GET", "prod", "GET /pets", s)))
		}
		time.Sleep(time.Second)
		require.NoError(t, m.Check(onStage("GET", "prod", "GET /pets", s)))
		time.Sleep(time.Second)
		require.Error(t, m.Check(onStage("GET", "prod", "GET /pets", s)), "the method's second token was the last")
	})
}
