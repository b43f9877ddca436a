package usageplan_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// distant is a store in which each page takes a second, for as long as its caller waits.
type distant struct {
	usageplan.Store
	pages atomic.Int64
	bad   atomic.Bool                      // every other page fails
	other atomic.Pointer[usageplan.Memory] // in place of Store, from when it is set
}

func (s *distant) Changes(ctx context.Context, span usageplan.Span, limit int) ([]usageplan.Change, error) {
	list, err := s.Store.Changes(ctx, span, limit)
	if other := s.other.Load(); other != nil {
		list, err = other.Changes(ctx, span, limit)
	}
	if len(list) > 0 {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if n := s.pages.Add(1); s.bad.Load() && n%2 == 0 {
			return nil, errors.New("connection reset")
		}
	}
	return list, err
}

// fill makes keys without a registry.
func fill(t *testing.T, store usageplan.Store, name string, n int) {
	for i := range n {
		id := fmt.Sprintf("%s-%d", name, i)
		data := fmt.Sprintf(`{"id":%q,"enabled":true,"secrets":[{"sha256":"%064x"}],"plans":[{"plan":"p1","since":1}]}`, id, i+1)
		require.NoError(t, store.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: id, Data: []byte(data)}))
	}
}

// followed has a machine here, which reads a distant store, and one elsewhere, at which keys
// change.
type followed struct {
	*rig
	store     *distant
	elsewhere *usageplan.Registry
	code      func() int // of a request here with the key "shop"
}

const followedRefresh = 5 * time.Second

func follow(t *testing.T, maxKeys int, test func(*followed)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		near := memory(t)
		elsewhere := registry(t, ctx, near)
		(&rig{t, elsewhere, near, ctx}).plan()
		store := &distant{Store: near}
		here, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, MaxKeys: maxKeys, Refresh: followedRefresh, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		g := &rig{t, here, store, ctx}
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		test(&followed{g, store, elsewhere, func() int { return get(h, value).Code }})
	})
}

func (g *rig) plan() {
	_, err := g.CreatePlan(g.ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}})
	require.NoError(g, err)
	g.key("shop", value, "p1")
}

func (f *followed) switchTo(on bool) {
	_, err := f.elsewhere.UpdateKey(f.ctx, "shop", usageplan.KeyChange{Enabled: &on})
	require.NoError(f, err)
}

// Sixty pages are to be read, which takes longer than a refresh and longer than a call may: a key
// that is disabled meanwhile is refused in time all the same, and each page is read once.
func TestRevocationWhileMuchIsRead(t *testing.T) {
	follow(t, 200_000, func(f *followed) {
		fill(f.T, f.store.Store, "bulk", 60_000)
		time.Sleep(2 * followedRefresh)
		before := f.store.pages.Load()
		for round := range 4 {
			require.Equal(f, 200, f.code(), round)
			f.switchTo(false)
			time.Sleep(followedRefresh)
			require.Equal(f, 403, f.code(), "round %d: a disabled key is admitted after the refresh interval", round)
			f.switchTo(true)
			time.Sleep(followedRefresh)
		}
		require.Less(f, f.store.pages.Load()-before, int64(8*followedRefresh/time.Second+1), "there is still something to read")
		time.Sleep(2 * time.Minute)
		require.InDelta(f, 60, f.store.pages.Load(), 20, "each page is read once, beside those of the changes")
		_, _, err := f.CreateKey(f.ctx, usageplan.NewKey{ID: "bulk-59999"})
		require.ErrorIs(f, err, usageplan.ErrConflict)
	})
}

// What was read stays read where the store fails now and then.
func TestProgressIsKept(t *testing.T) {
	follow(t, 200_000, func(f *followed) {
		f.store.bad.Store(true)
		fill(f.T, f.store.Store, "bulk", 20_000)
		time.Sleep(4 * time.Minute)
		require.InDelta(f, 40, f.store.pages.Load(), 8, "twenty pages, each of which may fail once")
		f.switchTo(false)
		time.Sleep(2 * followedRefresh)
		require.Equal(f, 403, f.code())
	})
}

// A store that was emptied, or restored from a copy, has other keys: those that it doesn't have any
// more are refused.
func TestStoreThatIsAnother(t *testing.T) {
	follow(t, 0, func(f *followed) {
		require.Equal(f, 200, f.code())
		f.store.other.Store(memory(f.T))
		time.Sleep(2 * followedRefresh)
		require.Equal(f, 403, f.code())
	})
}

// Where a machine was away for more deletions than a store remembers, it reads all again; what it
// knows goes on meanwhile.
func TestDeletionsThatWereForgotten(t *testing.T) {
	follow(t, 0, func(f *followed) {
		fill(f.T, f.store.Store, "kept", 3000)
		require.NoError(f, f.elsewhere.DeleteKey(f.ctx, "shop"))
		for i := range 10_100 {
			id := fmt.Sprint("brief-", i)
			require.NoError(f, f.store.Put(f.ctx, usageplan.Keys, usageplan.Record{ID: id, Data: []byte("{}")}))
			require.NoError(f, f.store.Delete(f.ctx, usageplan.Keys, id))
		}
		require.Equal(f, 200, f.code())
		time.Sleep(2 * time.Minute)
		require.Equal(f, 403, f.code())
		require.Less(f, f.store.pages.Load(), int64(30))
	})
}

// The same where nothing but new keys had been seen.
func TestDeletionsThatWereForgottenOfNewKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		fill(t, store, "shop", 10_100)
		_, err := registry(t, ctx, store).CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}})
		require.NoError(t, err)
		g, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, MaxKeys: 10_100, Refresh: time.Second, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		_, _, err = g.CreateKey(ctx, usageplan.NewKey{})
		require.ErrorIs(t, err, usageplan.ErrInvalid)
		for i := range 10_100 {
			require.NoError(t, store.Delete(ctx, usageplan.Keys, fmt.Sprint("shop-", i)))
		}
		time.Sleep(2 * time.Second)
		_, _, err = g.CreateKey(ctx, usageplan.NewKey{})
		require.NoError(t, err, "there is room, as those that are gone are known to be")
	})
}

// A record that can't be read costs its own key, and holds up nothing else.
func TestRecordThatIsBroken(t *testing.T) {
	follow(t, 0, func(f *followed) {
		r, err := f.store.Get(f.ctx, usageplan.Keys, "shop")
		require.NoError(f, err)
		good := string(r.Data)
		r.Data = []byte(strings.Replace(good, `"enabled":true`, `"enabled":fa`, 1))
		require.NoError(f, f.store.Put(f.ctx, usageplan.Keys, r))
		fill(f.T, f.store.Store, "after", 1)
		time.Sleep(followedRefresh)
		require.Equal(f, 403, f.code(), "it may say that the key is disabled")
		r.Revision, r.Data = r.Revision+1, []byte(good)
		require.NoError(f, f.store.Put(f.ctx, usageplan.Keys, r))
		time.Sleep(followedRefresh)
		require.Equal(f, 200, f.code())

		plan, err := f.store.Get(f.ctx, usageplan.Plans, "p1")
		require.NoError(f, err)
		plan.Data = []byte(`{"id":"p1","quota":{"limit":-1}}`)
		require.NoError(f, f.store.Put(f.ctx, usageplan.Plans, plan))
		f.switchTo(false)
		time.Sleep(followedRefresh)
		require.Equal(f, 403, f.code(), "keys are followed all the same")
		f.switchTo(true)
		time.Sleep(followedRefresh)
		require.Equal(f, 200, f.code(), "the plan goes on as it was")
	})
}

// What a registry knows is what a registry that has just started knows, whatever has happened, here
// and elsewhere.
func TestFollowingAgreesWithStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		var machines []*usageplan.Registry
		for range 3 {
			machines = append(machines, registry(t, ctx, store))
		}
		rnd := rand.New(rand.NewPCG(1, 9))
		values := map[string]string{} // by key and value, good or not
		keys, plans := []string{"a", "b", "c", "d"}, []string{"p", "q"}
		pick := func(list []string) string { return list[rnd.IntN(len(list))] }
		for round := range 300 {
			g := machines[rnd.IntN(len(machines))]
			k, p := pick(keys), pick(plans)
			switch on := rnd.IntN(2) == 0; rnd.IntN(8) {
			case 0, 1:
				if _, v, err := g.CreateKey(ctx, usageplan.NewKey{ID: k, Enabled: true}); err == nil {
					values[v] = k
				}
			case 2:
				_, _ = g.UpdateKey(ctx, k, usageplan.KeyChange{Enabled: &on})
			case 3:
				if _, v, err := g.RotateKey(ctx, k, time.Duration(rnd.IntN(3))*time.Second); err == nil {
					values[v] = k
				}
			case 4:
				_ = g.DeleteKey(ctx, k)
			case 5:
				_, _ = g.CreatePlan(ctx, usageplan.Plan{ID: p, Name: p, APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}})
			case 6:
				_ = g.AddKey(ctx, p, k)
			case 7:
				if rnd.IntN(4) == 0 {
					_ = g.DeletePlan(ctx, p)
				}
			}
			if round%10 == 0 {
				time.Sleep(time.Second) // the refresh interval of all
			}
			if round%30 != 0 {
				continue
			}
			synctest.Wait()
			fresh := registry(t, ctx, store)
			for v, k := range values {
				want := get((&rig{T: t, Registry: fresh}).behind(usageplan.Config{}, "GET /pets", answers), v).Code
				for i, g := range machines {
					got := get((&rig{T: t, Registry: g}).behind(usageplan.Config{}, "GET /pets", answers), v).Code
					require.Equal(t, want, got, "round %d, machine %d, key %s", round, i, k)
				}
			}
		}
		require.Greater(t, len(values), 20)
	})
}

// Making a key costs the same however many there are.
func TestKeysAreMadeWithoutReadingTheOthers(t *testing.T) {
	store := memory(t)
	g := registry(t, t.Context(), store)
	made := func() float64 { // what the registry reads at its start counts as well, while it does: so the least
		least := math.Inf(1)
		for range 10 {
			least = min(least, testing.AllocsPerRun(20, func() {
				_, _, err := g.CreateKey(t.Context(), usageplan.NewKey{})
				require.NoError(t, err)
			}))
		}
		return least
	}
	few := made()
	fill(t, store, "bulk", 20_000)
	require.InDelta(t, few, made(), 20)
	g = registry(t, t.Context(), store)
	require.InDelta(t, few, made(), 20)
}
