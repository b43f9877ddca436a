package usageplan_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/admin"
)

// Reports come in parts, and a CSV whole.
func TestUsageInParts(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	for i := range 9 {
		g.key(fmt.Sprint("k", i), fmt.Sprintf("%024d", i), "p1")
	}
	today := usageplan.DateOf(time.Now())
	seen := map[string]bool{}
	after := ""
	for range 4 {
		u, err := g.Usage(g.ctx, "p1", usageplan.UsageQuery{From: today, To: today, After: after, Limit: 3})
		require.NoError(t, err)
		for id, days := range u.Values {
			require.False(t, seen[id])
			require.Equal(t, []usageplan.UsageDay{{0, -1}}, days, "without a quota nothing is left of it")
			seen[id] = true
		}
		if u.Position == nil {
			break
		}
		after = *u.Position
	}
	require.Len(t, seen, 10)
	_, err := g.Usage(g.ctx, "p1", usageplan.UsageQuery{From: today, To: today, Limit: 501})
	require.ErrorIs(t, err, usageplan.ErrInvalid)
	s, err := g.Quota(g.ctx, "p1", "shop")
	require.NoError(t, err)
	require.EqualValues(t, -1, s.Limit)
	require.EqualValues(t, -1, s.Remaining)
	_, err = g.Quota(g.ctx, "p1", "nope")
	require.ErrorIs(t, err, usageplan.ErrNotFound)
}

// A report goes over the ends of periods, and the first has the offset.
func TestUsageOverPeriods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2028, 2, 27, 0, 0, 0, 0, time.UTC)))
		g := quietRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 10, Period: usageplan.Month, Offset: 4}})
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		for day := range 5 { // 27, 28, 29 February, 1, 2 March
			for range day {
				get(h, value)
			}
			time.Sleep(24 * time.Hour)
		}
		from := usageplan.DateOf(time.Date(2028, 2, 26, 0, 0, 0, 0, time.UTC))
		u, err := g.Usage(g.ctx, "p1", usageplan.UsageQuery{From: from, To: from + 5, Key: "shop"})
		require.NoError(t, err)
		require.Equal(t, []usageplan.UsageDay{{0, 6}, {0, 6}, {1, 5}, {2, 3}, {3, 7}, {4, 3}}, u.Values["shop"])
		require.Equal(t, "2028-02-26 2028-03-02", u.StartDate+" "+u.EndDate)
	})
}

func TestPlanMistakes(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	many := map[string]usageplan.Throttle{}
	for i := range 21 {
		many[fmt.Sprintf("/p%d/GET", i)] = usageplan.Throttle{RateLimit: 1, BurstLimit: 1}
	}
	_, err := g.CreatePlan(g.ctx, usageplan.Plan{
		ID: "a b", Description: strings.Repeat("x", 1025),
		Throttle: &usageplan.Throttle{RateLimit: -1, BurstLimit: -1},
		Quota:    &usageplan.Quota{Limit: -1, Period: "X", Offset: 1, Mode: "SLOW"},
		APIStages: []usageplan.APIStage{
			{APIID: "a", Stage: "s", Throttle: map[string]usageplan.Throttle{"pets": {}, "/pets/{/GET": {}, "/GET": {}, "//GET": {}, "/a/GET": {RateLimit: -2}}}, {APIID: "a", Stage: "s"}, {APIID: "b"}, {APIID: "c", Stage: "s", Throttle: many},
		},
	})
	require.ErrorIs(t, err, usageplan.ErrInvalid)
	for _, want := range []string{
		`Plan.ID: want`, `Plan.Name: want`, `Plan.Description: want`, `Plan.Throttle.Rate: want`, `Plan.Throttle.Burst: want`, `Plan.Quota.Limit: want`, `Plan.Quota.Period: want`,
		`Plan.Quota.Offset: want`, `Plan.Quota.Mode: want`, `Plan.APIStages[0].Throttle["pets"]: want a resource path`, `Plan.APIStages[0].Throttle["/pets/{/GET"]`, `Plan.APIStages[0].Throttle["/GET"]: it is there twice`, `Plan.APIStages[0].Throttle["/a/GET"].Rate`,
		`Plan.APIStages[1]: Invalid API Stage {api: a, stage: s} specified for usageplan a b`, `Plan.APIStages[2]: Invalid API Stage specified`, `Plan.APIStages[3].Throttle: want at most 20`,
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = g.CreatePlan(g.ctx, usageplan.Plan{Name: "x", APIStages: make([]usageplan.APIStage, 1001)})
	require.ErrorContains(t, err, "APIStages: want at most 1000")
}

func TestConfigMistakes(t *testing.T) {
	_, err := usageplan.New(usageplan.Config{Source: "COOKIE"})
	for _, want := range []string{"Config.Registry", "Config.Source"} {
		require.ErrorContains(t, err, want)
	}
	_, err = usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Refresh: time.Millisecond, MaxKeys: -1})
	for _, want := range []string{"RegistryConfig.Store", "RegistryConfig.Refresh", "RegistryConfig.MaxKeys"} {
		require.ErrorContains(t, err, want)
	}
	store := memory(t)
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, MaxKeys: 1})
	require.NoError(t, err)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{})
	require.NoError(t, err)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{})
	require.ErrorContains(t, err, "MaxKeys")
	_, err = admin.ImportKeys(t.Context(), g, strings.NewReader("name,key\na,aaaaaaaaaaaaaaaaaaaaaaaa\n"), false)
	require.ErrorContains(t, err, "MaxKeys")
}

// A store with records that nobody can read is refused, and never taken for an empty one.
func TestDamagedStore(t *testing.T) {
	for name, tt := range map[string]struct {
		table usageplan.Table
		data  string
	}{
		"plan": {usageplan.Plans, "{"}, "plan-that-cannot-be": {usageplan.Plans, `{"id":"x"}`}, "key": {usageplan.Keys, "]"},
		"digest": {usageplan.Keys, `{"id":"x","secrets":[{"sha256":"zz"}]}`}, "short-digest": {usageplan.Keys, `{"id":"x","secrets":[{"sha256":"00"}]}`},
	} {
		store := memory(t)
		require.NoError(t, store.Put(t.Context(), tt.table, usageplan.Record{ID: "x", Data: []byte(tt.data)}))
		_, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
		require.Error(t, err, name)
	}
}

func TestNothingStoredTellsAValue(t *testing.T) {
	store := memory(t)
	g := rigOn(t, store, usageplan.Plan{})
	_, made, err := g.RotateKey(g.ctx, "shop", 0)
	require.NoError(t, err)
	for _, table := range []usageplan.Table{usageplan.Keys, usageplan.Secrets, usageplan.Plans} {
		list, err := store.List(t.Context(), table, "", 100)
		require.NoError(t, err)
		for _, r := range list {
			for _, secret := range []string{value, made} {
				require.NotContains(t, r.ID+string(r.Data), secret[:5], "a prefix has four characters")
			}
		}
	}
	w := httptest.NewRecorder()
	gatekit.Must(admin.New(g.Registry)).ServeHTTP(w, httptest.NewRequest("GET", "/apikeys/shop", nil))
	require.NotRegexp(t, regexp.MustCompile("[0-9a-f]{32}"), w.Body.String(), "nor its digest")
	_, _ = io.Copy(io.Discard, w.Body)
}

// reads counts what a store is asked for.
type reads struct {
	usageplan.Store
	lists, gets int
}

func (a *reads) List(ctx context.Context, t usageplan.Table, after string, limit int) ([]usageplan.Record, error) {
	a.lists++
	return a.Store.List(ctx, t, after, limit)
}

func (a *reads) Get(ctx context.Context, t usageplan.Table, id string) (usageplan.Record, error) {
	a.gets++
	return a.Store.Get(ctx, t, id)
}

// A page of a plan's keys, and a page of its usage, reads the plan and that page's keys, however
// many others there are.
func TestPagesReadNoOtherKeys(t *testing.T) {
	store := &reads{Store: memory(t)}
	fill(t, store.Store, "bulk", 20_000)
	g := rigOn(t, store, usageplan.Plan{})
	for i := range 9 {
		g.key(fmt.Sprint("k", i), fmt.Sprintf("%024d", i), "p1")
	}
	*store = reads{Store: store.Store}
	keys, err := g.KeysOf(g.ctx, "p1", "k3", 4)
	require.NoError(t, err)
	require.Len(t, keys, 4)
	require.Equal(t, "k4 k7", keys[0].ID+" "+keys[3].ID)
	require.Zero(t, store.lists)
	require.Equal(t, 1+4, store.gets)

	*store = reads{Store: store.Store}
	today := usageplan.DateOf(time.Now())
	u, err := g.Usage(g.ctx, "p1", usageplan.UsageQuery{From: today, To: today, Limit: 3})
	require.NoError(t, err)
	require.Len(t, u.Values, 3)
	require.Equal(t, "bulk-10", *u.Position)
	require.Zero(t, store.lists)
	require.Equal(t, 1+4, store.gets, "one more tells that there is a next part")
}

// What another process took out of a plan isn't shown though this one hasn't heard of it, and
// leaves no gap in the page.
func TestPagesOfKeysChangedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here := quietRig(t, usageplan.Plan{}) // it looks for no changes
		for i := range 4 {
			here.key(fmt.Sprint("k", i), fmt.Sprintf("%024d", i), "p1")
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		there := registry(t, ctx, here.store)
		require.NoError(t, there.RemoveKey(ctx, "p1", "k0"))
		require.NoError(t, there.DeleteKey(ctx, "k1"))
		ids := func(g *usageplan.Registry) (ids []string) {
			keys, err := g.KeysOf(ctx, "p1", "", 2)
			require.NoError(t, err)
			for _, k := range keys {
				ids = append(ids, k.ID)
			}
			return ids
		}
		require.Equal(t, []string{"k2", "k3"}, ids(here.Registry))
		require.NoError(t, here.RemoveKey(ctx, "p1", "k2"))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"k3", "shop"}, ids(there), "what is done elsewhere is seen within Refresh")
	})
}
