package usageplan

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// hooked calls hook between the reading of a page and its use.
type hooked struct {
	*Memory
	hook func()
}

func (h *hooked) Changes(ctx context.Context, s Span, limit int) ([]Change, error) {
	list, err := h.Memory.Changes(ctx, s, limit)
	if len(list) > 0 && h.hook != nil {
		hook := h.hook
		h.hook = nil
		hook()
	}
	return list, err
}

func testRegistry(t *testing.T) (*hooked, *Registry, *follower) {
	m, err := NewMemory(0)
	require.NoError(t, err)
	store := &hooked{Memory: m}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing follows but the test
	g, err := NewRegistry(ctx, RegistryConfig{Store: store})
	require.NoError(t, err)
	f := &follower{g: g}
	require.NoError(t, f.start(t.Context()))
	return store, g, f
}

// A key that is disabled here while a page with its earlier state is on its way stays disabled.
func TestPageThatWasOutdone(t *testing.T) {
	store, g, f := testRegistry(t)
	_, _, err := g.CreateKey(t.Context(), NewKey{ID: "k", Enabled: true})
	require.NoError(t, err)
	off := false
	store.hook = func() {
		_, err := g.UpdateKey(t.Context(), "k", KeyChange{Enabled: &off})
		require.NoError(t, err)
	}
	for i := range f.tails {
		_, err = f.page(t.Context(), &f.tails[i], gap{since: -1})
		require.NoError(t, err)
	}
	require.Nil(t, store.hook)
	require.False(t, g.roster.keys["k"].enabled)
}

// What is gone leaves nothing behind, and what is changed keeps when it was last used.
func TestRosterForgets(t *testing.T) {
	_, g, _ := testRegistry(t)
	for i := range 3 {
		p := fmt.Sprint("p", i)
		_, err := g.CreatePlan(t.Context(), Plan{ID: p, Name: p, APIStages: []APIStage{{APIID: p, Stage: "*"}}, Quota: &Quota{Limit: 10, Period: Month, Mode: Fast}})
		require.NoError(t, err)
		k := fmt.Sprint("k", i)
		_, _, err = g.CreateKey(t.Context(), NewKey{ID: k, Enabled: true})
		require.NoError(t, err)
		require.NoError(t, g.AddKey(t.Context(), p, k))
		g.roster.keys[k].touched.Store(77)
		_, err = g.UpdateKey(t.Context(), k, KeyChange{Name: &k})
		require.NoError(t, err)
		require.EqualValues(t, 77, g.roster.keys[k].touched.Load())
		g.lease(leaseKey{p, k})
		_, _, err = g.RotateKey(t.Context(), k, 0)
		require.NoError(t, err)
	}
	require.NoError(t, g.DeleteKey(t.Context(), "k0"))
	require.Empty(t, g.leases["p0"])
	require.NoError(t, g.DeletePlan(t.Context(), "p1"))
	require.NotContains(t, g.leases, "p1")
	for _, p := range []string{"p0", "p2"} {
		require.NoError(t, g.DeletePlan(t.Context(), p))
	}
	for _, k := range []string{"k1", "k2"} {
		require.NoError(t, g.DeleteKey(t.Context(), k))
	}
	require.Empty(t, g.roster.keys)
	require.Empty(t, g.roster.plans)
	for i := range g.roster.secrets {
		require.Empty(t, g.roster.secrets[i].keys)
	}
}

// A log keeps at most as many dead changes as others, and knows how many there are.
func TestChangeLogsStaySmall(t *testing.T) {
	m, err := NewMemory(0)
	require.NoError(t, err)
	for round := range int64(50) {
		for i := range 20 {
			require.NoError(t, m.Put(t.Context(), Keys, Record{ID: fmt.Sprint(i), Revision: round}))
		}
		table := m.tables[Keys]
		for _, log := range []*changeLog{&table.made, &table.changed} {
			dead := 0
			for _, l := range log.list {
				if table.numberOf(l.id) != l.number {
					dead++
				}
			}
			require.Equal(t, dead, log.dead)
			require.LessOrEqual(t, len(log.list), 2*20)
		}
	}
}
