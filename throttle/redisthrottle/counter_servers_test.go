//go:build servers

package redisthrottle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/waftest"
	"github.com/gatekit-go/gatekit/internal/redistest"
)

// On a real server, whose time nobody moves: the part of the suite that lets none pass, and windows
// so short that they can be waited for.
func TestCounterOnRedis(t *testing.T) {
	server := redistest.Start(t)
	n := 0
	waftest.RunCounterNow(t, func(machines int) []waftest.Counter {
		n++
		all := make([]waftest.Counter, machines)
		for i := range all {
			all[i] = newCounter(t, connect(t, server.Addr), fmt.Sprint("count-", n), 10*time.Second)
		}
		return all
	})
	// A count of one second is gone from the server two seconds later, and begins anew.
	client := connect(t, server.Addr)
	require.NoError(t, client.FlushAll(t.Context()).Err())
	c := newCounter(t, client, "second", 10*time.Second)
	for range 5 {
		_, err := c.Count(t.Context(), "a", time.Second)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return client.DBSize(t.Context()).Val() == 0 }, 20*time.Second, 10*time.Millisecond)
	got, err := c.Count(t.Context(), "a", time.Second)
	require.NoError(t, err)
	require.EqualValues(t, 1, got)
	// Of two seconds, each count is of what was counted within them: however long the test is held
	// up, it falls again once time has passed.
	most := int64(0)
	require.Eventually(t, func() bool {
		got, err := c.Count(t.Context(), "b", 2*time.Second)
		fallen := err == nil && got < most
		most = max(most, got)
		return fallen
	}, 30*time.Second, 20*time.Millisecond, "requests leave the window while others come")
}
