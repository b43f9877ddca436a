package usageplan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

func memory(t testing.TB) *usageplan.Memory {
	m, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	return m
}

func TestMemory(t *testing.T) {
	usageplantest.Run(t, func(t *testing.T) usageplan.Store { return memory(t) })
}

func TestMemoryForgetsOldPeriods(t *testing.T) {
	m := gatekit.Must(usageplan.NewMemory(48 * time.Hour))
	old := usageplan.Counter{Plan: "p", Key: "k", From: 100, To: 101}
	_, err := m.Add(t.Context(), old, 100, 7)
	require.NoError(t, err)
	for _, step := range []struct {
		day  usageplan.Date
		want int64
	}{{102, 7}, {103, 0}} {
		_, err := m.Add(t.Context(), usageplan.Counter{Plan: "p", Key: "k", From: step.day, To: step.day + 1}, step.day, 1)
		require.NoError(t, err)
		now, _, err := m.Days(t.Context(), old)
		require.NoError(t, err)
		require.Equal(t, step.want, now.Used, "kept for two days after its end")
	}

	for _, retention := range []time.Duration{-1, time.Hour, 101 * 365 * 24 * time.Hour} {
		_, err := usageplan.NewMemory(retention)
		require.ErrorContains(t, err, "retention")
	}
}

// What Changed hands out is each counter once, with all it holds, and can be loaded by another
// store.
func TestMemoryTellsWhatChanged(t *testing.T) {
	a, b := memory(t), memory(t)
	a.Track()
	c := usageplan.Counter{Plan: "p", Key: "k", From: 100, To: 107}
	for range 3 {
		_, _, err := a.Reserve(t.Context(), c, 102, 1, 1, 10)
		require.NoError(t, err)
	}
	require.NoError(t, a.SetExtra(t.Context(), c, 4))
	changed := a.Changed()
	require.Equal(t, []usageplan.Entry{{Counter: c, Count: usageplan.Count{Used: 3, Extra: 4}, Days: []int64{0, 0, 3, 0, 0, 0, 0}}}, changed)
	require.Empty(t, a.Changed())
	a.ChangedAgain(changed)
	require.Equal(t, changed, a.Changed())
	_, err := a.Add(t.Context(), c, 102, 1)
	require.NoError(t, err)
	require.Len(t, a.Changed(), 1)

	b.Load(changed...)
	now, by, err := b.Days(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, changed[0].Count, now)
	require.Equal(t, changed[0].Days, by)
}
