package redisthrottle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
)

// What the package says of Redis that comes and goes: the first time costs a burst, and the others
// nothing but the rate.
func TestLocalShareAtEachFlap(t *testing.T) {
	m := newMini(t)
	var machines []*redisthrottle.Limiter
	for range 2 {
		c := quiet(connect(t, m.Addr()), "flap")
		c.Away, c.Machines = redisthrottle.LocalShare, 2
		machines = append(machines, newLimiter(t, throttle.Limit{Rate: 1e-6, Burst: 100}, c))
	}
	admitted := func(requests int) (n int) {
		for range requests {
			for _, l := range machines {
				if l.Check(get("a")) == nil {
					n++
				}
			}
		}
		return n
	}
	require.Equal(t, 100, admitted(200), "Redis lets the burst through")
	away := 0
	for range 31 {
		m.SetError("LOADING Redis is loading")
		away += admitted(4) // too few failures for the circuit, so that Redis is asked again at once
		m.SetError("")
		require.Zero(t, admitted(1), "Redis knows what it has let through")
	}
	require.Equal(t, 100, away)
}
