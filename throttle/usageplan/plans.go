package usageplan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// CreatePlan adds a plan, and returns it with its ID. An ID that is in use is ErrConflict.
func (g *Registry) CreatePlan(ctx context.Context, p Plan) (Plan, error) {
	if p.ID == "" {
		p.ID = randomText(generatedID, lowerAndDigits)
	}
	if err := p.check(); err != nil {
		return Plan{}, err
	}
	if err := g.put(ctx, Plans, p.ID, 0, &p); err != nil {
		return Plan{}, err
	}
	_, err := g.reload(ctx, Plans, p.ID)
	return p, err
}

// UpdatePlan replaces a plan. Buckets whose limits stay go on as they are. A quota of another
// period is counted anew; usage is then reported since that day.
func (g *Registry) UpdatePlan(ctx context.Context, p Plan) error {
	if err := p.check(); err != nil {
		return err
	}
	r, err := g.get(ctx, Plans, p.ID)
	if errors.Is(err, ErrNotFound) {
		return noPlan()
	}
	if err != nil {
		return err
	}
	var had Plan
	if err := json.Unmarshal(r.Data, &had); err != nil {
		return fmt.Errorf("usageplan: plan %s: %w", p.ID, err)
	}
	if !p.within(&had) { // else no key of it can be in another plan for one of p's stages
		err = g.checkKeys(ctx, &p)
	}
	if err != nil {
		return err
	}
	if err := g.put(ctx, Plans, p.ID, r.Revision, &p); err != nil {
		return err
	}
	_, err = g.reload(ctx, Plans, p.ID)
	return err
}

// checkKeys returns an error if a key of the plan is in another one for one of p's API stages. It
// reads all keys.
func (g *Registry) checkKeys(ctx context.Context, p *Plan) error {
	others := map[string]*Plan{}
	return g.each(ctx, Keys, func(r Record) error {
		var k keyRecord
		if err := json.Unmarshal(r.Data, &k); err != nil || !k.isIn(p.ID) {
			return err
		}
		return g.checkOverlap(ctx, p, &k, others)
	})
}

// DeletePlan removes a plan, and takes its keys out of it. They aren't in a later plan of the same
// ID.
func (g *Registry) DeletePlan(ctx context.Context, id string) error {
	if _, err := g.Plan(ctx, id); err != nil {
		return err
	}
	if err := g.store.Delete(ctx, Plans, id); err != nil {
		return err
	}
	if _, err := g.reload(ctx, Plans, id); err != nil {
		return err
	}
	return g.each(ctx, Keys, func(r Record) error {
		var k keyRecord
		if err := json.Unmarshal(r.Data, &k); err != nil || !k.isIn(id) {
			return err
		}
		_, err := g.changeKey(ctx, k.ID, func(k *keyRecord, _ time.Time) error {
			k.leave(id)
			return nil
		})
		if errors.Is(err, ErrNotFound) {
			return nil // deleted meanwhile
		}
		return err
	})
}

// Plan returns a plan, or ErrNotFound.
func (g *Registry) Plan(ctx context.Context, id string) (Plan, error) {
	var p Plan
	r, err := g.get(ctx, Plans, id)
	if errors.Is(err, ErrNotFound) {
		return p, noPlan()
	}
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(r.Data, &p)
}

func noPlan() error { return fmt.Errorf("%w: Invalid Usage Plan ID specified", ErrNotFound) }

// ListPlans returns up to limit plans whose IDs come after the given one, in the order of IDs.
func (g *Registry) ListPlans(ctx context.Context, after string, limit int) ([]Plan, error) {
	page, err := g.store.List(ctx, Plans, after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Plan, len(page))
	for i, r := range page {
		if err := json.Unmarshal(r.Data, &list[i]); err != nil {
			return nil, fmt.Errorf("usageplan: plan %s: %w", r.ID, err)
		}
	}
	return list, nil
}

// AddKey puts a key into a plan. A key is in at most ten plans, and in one for each API stage.
func (g *Registry) AddKey(ctx context.Context, plan, key string) error {
	p, err := g.Plan(ctx, plan)
	if err != nil {
		return err
	}
	_, err = g.changeKey(ctx, key, func(k *keyRecord, now time.Time) error {
		if k.isIn(plan) {
			return fmt.Errorf("%w: the key is in usage plan %s already", ErrConflict, plan)
		}
		others := map[string]*Plan{}
		if err := g.checkOverlap(ctx, &p, k, others); err != nil {
			return err
		}
		if len(others) >= maxPlansPerKey {
			return invalid(fmt.Errorf("usageplan: a key is in at most %d usage plans", maxPlansPerKey))
		}
		// Of plans that were deleted.
		k.Plans = slices.DeleteFunc(k.Plans, func(m memberRecord) bool { return others[m.Plan] == nil })
		k.Plans = append(k.Plans, memberRecord{plan, DateOf(now)})
		return nil
	})
	return err
}

// RemoveKey takes a key out of a plan.
func (g *Registry) RemoveKey(ctx context.Context, plan, key string) error {
	_, err := g.changeKey(ctx, key, func(k *keyRecord, _ time.Time) error {
		if !k.isIn(plan) {
			return noPlan()
		}
		k.leave(plan)
		return nil
	})
	return err
}

// KeysOf returns up to limit keys of a plan whose IDs come after the given one, in the order of
// IDs. Which keys those are is told by what this process knows, so that it reads them and no
// others: a key that was put into the plan elsewhere is seen within RegistryConfig.Refresh.
func (g *Registry) KeysOf(ctx context.Context, plan, after string, limit int) ([]Key, error) {
	if _, err := g.Plan(ctx, plan); err != nil {
		return nil, err
	}
	records, err := g.keysOf(ctx, plan, after, limit)
	if err != nil {
		return nil, err
	}
	return g.withLastUse(ctx, records)
}

// keysOf reads the records of a page of a plan's keys. One that was deleted or taken out elsewhere
// is passed over, and so the page is filled from those that follow: fewer than limit means that
// there are no more.
func (g *Registry) keysOf(ctx context.Context, plan, after string, limit int) ([]keyRecord, error) {
	var list []keyRecord
	for {
		ids := g.roster.keysOf(plan, after, limit-len(list))
		if len(ids) == 0 {
			return list, nil
		}
		for _, id := range ids {
			after = id
			_, k, err := g.readKey(ctx, id)
			switch {
			case errors.Is(err, ErrNotFound):
			case err != nil:
				return nil, err
			case k.isIn(plan):
				list = append(list, k)
			}
		}
	}
}

func (k *keyRecord) isIn(plan string) bool {
	_, ok := k.since(plan)
	return ok
}

func (k *keyRecord) leave(plan string) {
	k.Plans = slices.DeleteFunc(k.Plans, func(m memberRecord) bool { return m.Plan == plan })
}

// checkOverlap returns an error if p covers an API stage that another plan of the key covers. It
// puts the key's other plans into others.
func (g *Registry) checkOverlap(ctx context.Context, p *Plan, k *keyRecord, others map[string]*Plan) error {
	for _, m := range k.Plans {
		if m.Plan == p.ID {
			continue
		}
		other := others[m.Plan]
		if other == nil {
			read, err := g.Plan(ctx, m.Plan)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			other = &read
			others[m.Plan] = other
		}
		if p.overlaps(other) {
			return invalid(fmt.Errorf("usageplan: key %s is in usage plan %s for an API stage of usage plan %s: "+
				"a key is in one plan for each API stage", k.ID, m.Plan, p.ID))
		}
	}
	return nil
}
