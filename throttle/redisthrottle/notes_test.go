package redisthrottle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
)

func TestNotes(t *testing.T) {
	m := newMini(t)
	explained := func(l *redisthrottle.Limiter) string {
		r := gatekit.Explained(get("hush-hush"))
		_ = l.Check(r)
		got := gatekit.Explain(r)
		require.NotContains(t, got, "hush")
		return got
	}
	limiter := func(away redisthrottle.Away) *redisthrottle.Limiter {
		c := quiet(connect(t, m.Addr()), "notes")
		c.Away = away
		if away == redisthrottle.LocalShare {
			c.Machines = 2
		}
		return newLimiter(t, throttle.Limit{Rate: 1e-6, Burst: 2}, c)
	}
	l := limiter(redisthrottle.FailClosed)
	for _, want := range []string{"passed  key  1 left", "passed  key  0 left", "refused  key  0 left; the bucket has no token left"} {
		require.Contains(t, explained(l), "  1 throttle  "+want)
	}
	m.SetError("LOADING Redis is loading")
	require.Contains(t, explained(l), "1 throttle  failed   redis  Redis can't be asked: refused; ")
	require.Contains(t, explained(l), "2 throttle  refused  key    nobody can tell what is left; ")
	require.Contains(t, explained(limiter(redisthrottle.FailOpen)), "1 throttle  failed  redis  Redis can't be asked: let through; ")
	share := explained(limiter(redisthrottle.LocalShare))
	require.Contains(t, share, "1 throttle  failed  redis  Redis can't be asked: this machine's share decides; ")
	require.Contains(t, share, "2 throttle  passed  key    0 left")
}
