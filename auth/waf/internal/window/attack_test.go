package window_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/window"
)

// A flood of new keys stays within the bound, and doesn't make a caller who is above a limit a new
// one.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := window.NewMemory(64 * 32)
		for range 100 {
			_, err := m.Count(t.Context(), "hot", time.Minute)
			require.NoError(t, err)
		}
		for i := range 200_000 {
			_, err := m.Count(t.Context(), fmt.Sprint(i), time.Minute)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, m.Len(), 64*32)
		n, err := m.Count(t.Context(), "hot", time.Minute)
		require.NoError(t, err)
		require.EqualValues(t, 101, n)
	})
}

// Who was above a limit and has gone gives way, whatever their count was.
func TestOldCountsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := window.NewMemory(64 * 8)
		for i := range 64 * 8 {
			for range 10 {
				_, _ = m.Count(t.Context(), fmt.Sprint(i), time.Minute)
			}
		}
		time.Sleep(time.Minute)
		for i := range 64 * 4 {
			_, _ = m.Count(t.Context(), fmt.Sprint("new", i), time.Minute)
		}
		kept := 0
		for i := range 64 * 4 {
			if n, _ := m.Count(t.Context(), fmt.Sprint("new", i), time.Minute); n == 2 {
				kept++
			}
		}
		require.Greater(t, kept, 64*3)
	})
}

// A key that is seen every second for hours costs what a window does.
func TestBusyForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := window.NewMemory(64)
		for i := range 20_000 {
			n, err := m.Count(t.Context(), "a", time.Minute)
			require.NoError(t, err)
			require.EqualValues(t, min(i+1, 60), n)
			time.Sleep(time.Second)
		}
	})
}
