package definition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// managedBy marks keys and plans in a store as a document's, so that a later one knows those that
// it hasn't any more from those that other programs have written.
const managedBy, byDocument = "managed-by", "definition"

// apply writes the document's keys and plans to the registry. What other programs have written
// there stays; what a document before had, and this one hasn't, goes. A value that a key has gives
// way to the document's: who takes a value out of it means that nobody is let in by it. If this
// fails, what was served before is written back.
func (p *planBuilder) apply(ctx context.Context) error {
	if p.plans == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.last
	err := p.write(ctx, p.set)
	if err == nil {
		p.last = p.set
		return nil
	}
	if len(before.keys)+len(before.plans) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeBackTimeout) // it may be why
		defer cancel()
		if back := p.write(ctx, before); back != nil {
			err = errors.Join(err, fmt.Errorf("write back what is served: %w", back))
		}
	}
	return fmt.Errorf("definition: usage plans: %w", err)
}

const writeBackTimeout = 10 * time.Second

// write makes the registry say what set does. It asks the registry what there is: what the last
// document wrote others may have changed, or it may have been written in part. Nothing is written
// while it is clear that not all can be.
func (p *planBuilder) write(ctx context.Context, set planSet) error {
	w := &planWrite{
		plans: p.plans, set: set, keys: map[string]bool{}, taken: map[string]bool{}, goes: map[string]bool{},
	}
	for _, key := range set.keys {
		w.keys[key.ID] = true
	}
	for _, step := range []func(context.Context) error{w.goingPlans, w.goingKeys, w.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for _, key := range set.keys {
		p.written[key.ID] = true
	}
	for _, step := range []func(context.Context) error{w.takeOut, w.writeKeys, w.leave, w.writePlans, w.join} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	p.written = w.keys
	return nil
}

// planWrite is one writing of a document's keys and plans. IDs are the registry's.
type planWrite struct {
	*plans
	set   planSet
	keys  map[string]bool // the document's
	taken map[string]bool // keys that go
	goes  map[string]bool // plans that go
	out   [][2]string     // plan and key: a document's key that is in other plans, too
}

// eachPage calls f with what a list has, page by page. f may take out what it is given.
func eachPage[T any](list func(after string, limit int) ([]T, error), id func(T) string, f func(T)) error {
	const limit = 500
	for after := ""; ; {
		page, err := list(after, limit)
		if err != nil {
			return err
		}
		for _, one := range page {
			f(one)
			after = id(one)
		}
		if len(page) < limit {
			return nil
		}
	}
}

// goingPlans finds the plans of earlier documents for the stages of this one's APIs.
func (w *planWrite) goingPlans(ctx context.Context) error {
	has := map[string]bool{}
	for _, plan := range w.set.plans {
		has[plan.ID] = true
	}
	return eachPage(func(after string, limit int) ([]usageplan.Plan, error) {
		return w.registry.ListPlans(ctx, after, limit)
	}, func(plan usageplan.Plan) string { return plan.ID }, func(plan usageplan.Plan) {
		covers := slices.ContainsFunc(plan.APIStages, func(s usageplan.APIStage) bool { return w.set.apis[s.APIID] })
		if plan.Tags[managedBy] == byDocument && covers && !has[plan.ID] {
			w.goes[plan.ID] = true
		}
	})
}

// goingKeys finds the keys of earlier documents in the plans of this one, and in those that go.
func (w *planWrite) goingKeys(ctx context.Context) error {
	own := maps.Clone(w.goes)
	for _, plan := range w.set.plans {
		own[plan.ID] = true
	}
	for id := range w.written {
		w.taken[id] = !w.keys[id]
	}
	for _, plan := range sortedKeys(own) {
		err := eachPage(func(after string, limit int) ([]usageplan.Key, error) {
			return w.registry.KeysOf(ctx, plan, after, limit)
		}, func(key usageplan.Key) string { return key.ID }, func(key usageplan.Key) {
			if key.ManagedBy != byDocument || w.keys[key.ID] {
				return
			}
			if slices.ContainsFunc(key.Plans, func(in string) bool { return !own[in] }) {
				w.out = append(w.out, [2]string{plan, key.ID})
			} else {
				w.taken[key.ID] = true
			}
		})
		if err != nil && !errors.Is(err, usageplan.ErrNotFound) {
			return err
		}
	}
	return nil
}

// check refuses a value that is the key of somebody else.
func (w *planWrite) check(ctx context.Context) error {
	for _, id := range sortedKeys(w.set.keys) {
		owner, err := w.registry.Owner(ctx, w.set.keys[id].Value)
		if err == nil && !w.keys[owner] && !w.taken[owner] {
			return fmt.Errorf("%w: the store has the value of the API key %s as that of %q, which isn't the document's",
				usageplan.ErrConflict, id, owner)
		}
		if err != nil && !errors.Is(err, usageplan.ErrNotFound) {
			return err
		}
	}
	return nil
}

// takeOut ends what the document doesn't say, first of all: at no time is more allowed than by one
// of the two.
func (w *planWrite) takeOut(ctx context.Context) error {
	for _, key := range w.set.keys {
		has, err := w.registry.HasValue(ctx, key.ID, key.Value)
		if err != nil {
			return err
		}
		w.taken[key.ID] = !has
	}
	for _, id := range sortedKeys(w.taken) {
		if w.taken[id] {
			if err := gone(w.registry.DeleteKey(ctx, id)); err != nil {
				return err
			}
		}
	}
	for _, member := range w.out {
		if err := gone(w.registry.RemoveKey(ctx, member[0], member[1])); err != nil {
			return err
		}
	}
	for _, id := range sortedKeys(w.goes) {
		if err := gone(w.registry.DeletePlan(ctx, id)); err != nil {
			return err
		}
	}
	return nil
}

// gone takes it for done that there is nothing to take out.
func gone(err error) error {
	if errors.Is(err, usageplan.ErrNotFound) {
		return nil
	}
	return err
}

func (w *planWrite) writeKeys(ctx context.Context) error {
	for _, id := range sortedKeys(w.set.keys) {
		want := w.set.keys[id]
		has, err := w.registry.Key(ctx, want.ID)
		switch {
		case errors.Is(err, usageplan.ErrNotFound):
			_, _, err = w.registry.CreateKey(ctx, want)
		case err == nil && (has.Name != want.Name || has.Description != want.Description ||
			has.CustomerID != want.CustomerID || has.Enabled != want.Enabled || has.ManagedBy != want.ManagedBy):
			_, err = w.registry.UpdateKey(ctx, want.ID, usageplan.KeyChange{
				Name: &want.Name, Description: &want.Description, CustomerID: &want.CustomerID,
				Enabled: &want.Enabled, ManagedBy: &want.ManagedBy,
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *planWrite) writePlans(ctx context.Context) error {
	for _, id := range sortedKeys(w.set.plans) {
		want := w.set.plans[id]
		has, err := w.registry.Plan(ctx, want.ID)
		switch {
		case errors.Is(err, usageplan.ErrNotFound):
			_, err = w.registry.CreatePlan(ctx, want)
		case err == nil && !reflect.DeepEqual(has, want):
			err = w.registry.UpdatePlan(ctx, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leave takes keys out of plans, before a plan covers what another of them does.
func (w *planWrite) leave(ctx context.Context) error {
	return w.members(ctx, func(plan, key string, in, want bool) error {
		if in && !want {
			return gone(w.registry.RemoveKey(ctx, plan, key))
		}
		return nil
	})
}

// join puts keys into plans.
func (w *planWrite) join(ctx context.Context) error {
	return w.members(ctx, func(plan, key string, in, want bool) error {
		if want && !in {
			return w.registry.AddKey(ctx, plan, key)
		}
		return nil
	})
}

// members calls f with each plan and each key of the document.
func (w *planWrite) members(ctx context.Context, f func(plan, key string, in, want bool) error) error {
	for _, id := range sortedKeys(w.set.keys) {
		has, err := w.registry.Key(ctx, planID(id))
		if err != nil {
			return err
		}
		for _, plan := range sortedKeys(w.set.plans) {
			in, want := slices.Contains(has.Plans, planID(plan)), w.set.members[[2]string{plan, id}]
			if err := f(planID(plan), planID(id), in, want); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
