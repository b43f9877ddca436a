package definition_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

const planP = `"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K"]}`

func keyedBy(plans, keys string) string {
	return withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed), ""), plans, keys)
}

func enabled(id, value string) string { return `"` + id + `":{"enabled":true,"value":"` + value + `"}` }

func with(g *definition.Gateway, key string) string {
	return ask(g, "GET", "/prod/a", "X-Api-Key: "+key)
}

// What changed while the program was down, in a store that stayed, counts.
func TestPlansChangedWhileDown(t *testing.T) {
	const old, now = "prod-service-key-leaked-0001", "prod-service-key-rotated-0002"
	for name, next := range map[string]string{
		"rotated":      keyedBy(planP, enabled("K", now)),
		"renamed":      keyedBy(`"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["L"]}`, enabled("L", now)),
		"other plan":   keyedBy(`"Q":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K"]}`, enabled("K", now)),
		"key and plan": keyedBy(`"Q":{"stages":[{"api":"Api","stage":"prod"}],"keys":["L"]}`, enabled("L", now)),
	} {
		t.Run(name, func(t *testing.T) {
			store, err := usageplan.NewMemory(0)
			require.NoError(t, err)
			b := definition.Bindings{Functions: functions("F"), PlanStore: store}
			g, err := definition.Build(t.Context(), parse(t, keyedBy(planP, enabled("K", old))), b)
			require.NoError(t, err)
			require.Equal(t, "200 F", with(g, old))
			require.NoError(t, g.Close())
			g = build(t, next, b)
			require.Equal(t, forbidden, with(g, old))
			require.Equal(t, "200 F", with(g, now))
		})
	}
}

// A key that goes by another name keeps its value, and values may change places.
func TestValuesMove(t *testing.T) {
	const one, two = "value-one-value-one-value", "value-two-value-two-value"
	store, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	b := definition.Bindings{Functions: functions("F"), PlanStore: store}
	const planOf = `"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K","L"]}`
	for range 2 { // in a program that goes on, and in one that starts
		g, err := definition.Build(t.Context(), parse(t, keyedBy(planOf, enabled("K", one)+","+enabled("L", two))), b)
		require.NoError(t, err)
		require.NoError(t, g.Update(t.Context(), parse(t, keyedBy(planOf, enabled("K", two)+","+enabled("L", one)))))
		require.Equal(t, "200 F", with(g, one))
		require.NoError(t, g.Update(t.Context(), parse(t, keyedBy(planOf, enabled("L", two)))))
		require.Equal(t, "200 F", with(g, two))
		require.Equal(t, forbidden, with(g, one))
		require.NoError(t, g.Close())
	}
}

// Keys of other programs stay in the document's plans, and are nobody else's.
func TestKeysOfOtherPrograms(t *testing.T) {
	store, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	other, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
	require.NoError(t, err)
	b := definition.Bindings{Functions: functions("F"), PlanStore: store}
	g := build(t, keyedBy(planP, enabled("K", keyValue)), b)
	const foreign = "foreign-foreign-foreign"
	_, _, err = other.CreateKey(t.Context(), usageplan.NewKey{ID: "foreign", Value: foreign, Enabled: true})
	require.NoError(t, err)
	require.NoError(t, other.AddKey(t.Context(), "P", "foreign"))

	err = g.Update(t.Context(), parse(t, keyedBy(planP, enabled("L", foreign))))
	require.ErrorIs(t, err, usageplan.ErrConflict)
	require.NotContains(t, err.Error(), foreign+"-")
	require.Equal(t, "200 F", with(g, keyValue), "a failed Update changes nothing")
	require.NoError(t, g.Update(t.Context(), parse(t, keyedBy(planP, enabled("K", keyValue)))))
	require.Equal(t, "200 F", with(g, keyValue))
	again := build(t, keyedBy(planP, enabled("K", keyValue)), b)
	require.Equal(t, "200 F", with(again, foreign))
}

// failing is a store that takes only so many changes.
type failing struct {
	usageplan.Store
	left int
}

func (f *failing) Put(ctx context.Context, t usageplan.Table, r usageplan.Record) error {
	if f.left--; f.left < 0 {
		return errors.New("the store is away")
	}
	return f.Store.Put(ctx, t, r)
}

func (f *failing) Delete(ctx context.Context, t usageplan.Table, id string) error {
	if f.left--; f.left < 0 {
		return errors.New("the store is away")
	}
	return f.Store.Delete(ctx, t, id)
}

// Wherever a store fails within an Update, a later one makes it good.
func TestUpdateAfterStoreFails(t *testing.T) {
	const now = "another-value-another"
	memory := func(t *testing.T) *failing {
		store, err := usageplan.NewMemory(0)
		require.NoError(t, err)
		return &failing{store, 1 << 20}
	}
	first := keyedBy(planP, enabled("K", keyValue))
	next := keyedBy(`"Q":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K","L"]}`, enabled("K", now)+","+enabled("L", "value-two-value-two-value"))
	failed := 0
	for left := range 30 {
		store := memory(t)
		g := build(t, first, definition.Bindings{Functions: functions("F"), PlanStore: store})
		store.left = left
		err := g.Update(t.Context(), parse(t, next))
		store.left = 1 << 20
		if err != nil {
			failed++
			require.NoError(t, g.Update(t.Context(), parse(t, first)), left)
			require.Equal(t, "200 F", with(g, keyValue), left)
			require.Equal(t, forbidden, with(g, now), left)
			require.NoError(t, g.Update(t.Context(), parse(t, next)), left)
		}
		require.Equal(t, "200 F", with(g, now), left)
	}
	require.Greater(t, failed, 5)
}
