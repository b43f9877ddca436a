package definition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// apply writes the document's keys and plans to the registry. What other programs have written
// there stays; what the document before had, and this one hasn't, goes. A value that a key has
// gives way to the document's: who takes a value out of it means that nobody is let in by it.
func (p *planBuilder) apply(ctx context.Context) error {
	if p.plans == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, step := range []func(context.Context) error{p.takeOut, p.writeKeys, p.writePlans, p.join} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("definition: usage plans: %w", err)
		}
	}
	p.last = p.set
	return nil
}

// takeOut ends what the document doesn't say any more, first of all: at no time is more allowed
// than by one of the two.
func (p *planBuilder) takeOut(ctx context.Context) error {
	gone := func(err error) error {
		if errors.Is(err, usageplan.ErrNotFound) {
			return nil
		}
		return err
	}
	for _, id := range sortedKeys(p.last.keys) {
		if now, ok := p.set.keys[id]; !ok || now.Value != p.last.keys[id].Value {
			if err := gone(p.registry.DeleteKey(ctx, planID(id))); err != nil {
				return err
			}
		}
	}
	for _, id := range sortedKeys(p.last.plans) {
		if _, ok := p.set.plans[id]; !ok {
			if err := gone(p.registry.DeletePlan(ctx, planID(id))); err != nil {
				return err
			}
		}
	}
	for member := range p.last.members {
		if !p.set.members[member] {
			if err := gone(p.registry.RemoveKey(ctx, planID(member[0]), planID(member[1]))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planBuilder) writeKeys(ctx context.Context) error {
	for _, id := range sortedKeys(p.set.keys) {
		want := p.set.keys[id]
		if had, ok := p.last.keys[id]; ok && had == want {
			continue
		}
		has, err := p.registry.Key(ctx, want.ID)
		known := err == nil
		if err != nil && !errors.Is(err, usageplan.ErrNotFound) {
			return err
		}
		if known && !slices.ContainsFunc(has.Secrets, func(s usageplan.Secret) bool {
			return strings.HasPrefix(want.Value, s.Prefix)
		}) {
			if err := p.registry.DeleteKey(ctx, want.ID); err != nil {
				return err
			}
			known = false
		}
		if !known {
			_, _, err = p.registry.CreateKey(ctx, want)
		} else {
			_, err = p.registry.UpdateKey(ctx, want.ID, usageplan.KeyChange{
				Name: &want.Name, Description: &want.Description, CustomerID: &want.CustomerID, Enabled: &want.Enabled,
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *planBuilder) writePlans(ctx context.Context) error {
	for _, id := range sortedKeys(p.set.plans) {
		want := p.set.plans[id]
		has, err := p.registry.Plan(ctx, want.ID)
		switch {
		case errors.Is(err, usageplan.ErrNotFound):
			_, err = p.registry.CreatePlan(ctx, want)
		case err == nil && !reflect.DeepEqual(has, want):
			err = p.registry.UpdatePlan(ctx, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// join puts keys into plans.
func (p *planBuilder) join(ctx context.Context) error {
	for _, id := range sortedKeys(p.set.keys) {
		has, err := p.registry.Key(ctx, planID(id))
		if err != nil {
			return err
		}
		for _, plan := range sortedKeys(p.set.plans) {
			in, want := slices.Contains(has.Plans, planID(plan)), p.set.members[[2]string{plan, id}]
			switch {
			case in && !want:
				err = p.registry.RemoveKey(ctx, planID(plan), planID(id))
			case want && !in:
				err = p.registry.AddKey(ctx, planID(plan), planID(id))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
