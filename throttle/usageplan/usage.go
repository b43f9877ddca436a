package usageplan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// UsageQuery says which part of a plan's usage to report.
type UsageQuery struct {
	// From and To are the first and the last day, at most 400 of them.
	From, To Date
	// Key is the ID of one key; all of the plan's are reported where it is empty.
	Key string
	// After is the Position of the report before this one.
	After string
	// Limit is how many keys are reported: 1 to 500, 0 means 25.
	Limit int
}

// Usage is what the keys of a plan have used, by day. Its JSON form is the managed gateway's. Units
// that a process has leased of a Fast quota count as used until they are given back.
type Usage struct {
	// UsagePlanID is the plan's ID.
	UsagePlanID string `json:"usagePlanId"`
	// StartDate and EndDate are the first and the last day of the report, "2006-01-02".
	StartDate string `json:"startDate"`
	EndDate   string `json:"endDate"`
	// Position is the After of the next part, nil if this is the last one.
	Position *string `json:"position"`
	// Values has the days of each key, by the key's ID.
	Values map[string][]UsageDay `json:"values"`
}

// UsageDay is how many units were used on a day, and how many were left of the quota at its end: -1
// if the plan has none.
type UsageDay [2]int64

const (
	maxUsageDays     = 400
	maxUsageKeys     = 500
	defaultUsageKeys = 25
)

// Usage reports what the keys of a plan have used. ("GetUsage" of the API reference.)
func (g *Registry) Usage(ctx context.Context, plan string, q UsageQuery) (Usage, error) {
	q.Limit = cmp.Or(q.Limit, defaultUsageKeys)
	switch {
	case q.Limit < 0 || q.Limit > maxUsageKeys:
		return Usage{}, invalid(fmt.Errorf("usageplan: UsageQuery.Limit: want 1 to %d keys, got %d", maxUsageKeys,
			q.Limit))
	case q.To < q.From || q.To-q.From >= maxUsageDays:
		return Usage{}, invalid(fmt.Errorf("usageplan: UsageQuery: want 1 to %d days, got %v to %v", maxUsageDays,
			q.From, q.To))
	}
	p, err := g.Plan(ctx, plan)
	if err != nil {
		return Usage{}, err
	}
	keys, err := g.reported(ctx, plan, q)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{UsagePlanID: plan, StartDate: q.From.String(), EndDate: q.To.String(), Values: map[string][]UsageDay{}}
	if len(keys) > q.Limit {
		keys = keys[:q.Limit]
		u.Position = &keys[q.Limit-1].ID
	}
	for i := range keys {
		since, ok := keys[i].since(plan)
		if !ok {
			return Usage{}, noPlan()
		}
		if u.Values[keys[i].ID], err = g.usageOf(ctx, &p, keys[i].ID, since, q.From, q.To); err != nil {
			return Usage{}, err
		}
	}
	return u, nil
}

// reported returns the keys that a query asks for, and one more where there are more than its
// limit.
func (g *Registry) reported(ctx context.Context, plan string, q UsageQuery) ([]keyRecord, error) {
	if q.Key == "" {
		return g.keysOf(ctx, plan, q.After, q.Limit+1)
	}
	_, k, err := g.readKey(ctx, q.Key)
	return []keyRecord{k}, err
}

// since returns the day on which the key joined a plan, and whether it is in it.
func (k *keyRecord) since(plan string) (Date, bool) {
	for _, m := range k.Plans {
		if m.Plan == plan {
			return m.Since, true
		}
	}
	return 0, false
}

func (g *Registry) usageOf(ctx context.Context, p *Plan, key string, since, from, to Date) ([]UsageDay, error) {
	list := make([]UsageDay, 0, to-from+1)
	for day := from; day <= to; {
		c := Counter{Plan: p.ID, Key: key}
		c.From, c.To = p.periodOf().around(day, g.sundayWeeks)
		count, days, err := g.store.Days(ctx, c)
		if err != nil {
			return nil, err
		}
		limit := p.limitIn(c.From, c.To, since)
		left := int64(-1)
		if limit >= 0 {
			left = limit + count.Extra
		}
		for i, units := range days {
			if limit >= 0 {
				left -= units
			}
			if d := c.From + Date(i); from <= d && d <= to {
				list = append(list, UsageDay{units, max(left, min(limit, 0))})
			}
		}
		day = c.To
	}
	return list, nil
}

// QuotaState is a key's quota in the period that it is now.
type QuotaState struct {
	// Limit is the plan's, less its offset in the first period. -1: no quota.
	Limit int64
	// Used is what was counted, Extra by how much the limit was extended, and Remaining what is
	// left: -1 without a quota.
	Used, Extra, Remaining int64
	// Resets is when the next period begins.
	Resets time.Time
}

// Quota returns a key's quota.
func (g *Registry) Quota(ctx context.Context, plan, key string) (QuotaState, error) {
	_, s, err := g.quota(ctx, plan, key)
	return s, err
}

func (g *Registry) quota(ctx context.Context, plan, key string) (Counter, QuotaState, error) {
	p, err := g.Plan(ctx, plan)
	if err != nil {
		return Counter{}, QuotaState{}, err
	}
	_, k, err := g.readKey(ctx, key)
	if err != nil {
		return Counter{}, QuotaState{}, err
	}
	since, ok := k.since(plan)
	if !ok {
		return Counter{}, QuotaState{}, noPlan()
	}
	c := Counter{Plan: plan, Key: key}
	c.From, c.To = p.periodOf().around(DateOf(time.Now()), g.sundayWeeks)
	count, _, err := g.store.Days(ctx, c)
	if err != nil {
		return Counter{}, QuotaState{}, err
	}
	s := QuotaState{Limit: p.limitIn(c.From, c.To, since), Used: count.Used, Extra: count.Extra, Remaining: -1,
		Resets: c.To.Time()}
	if s.Limit >= 0 {
		s.Remaining = max(s.Limit+s.Extra-s.Used, 0)
	}
	return c, s, nil
}

// SetRemaining extends or cuts a key's quota, for this period, so that units are left of it.
// Requests that are served at the same time count against that. ("UpdateUsage" of the API
// reference.)
func (g *Registry) SetRemaining(ctx context.Context, plan, key string, units int64) error {
	if units < 0 || units > maxUnits {
		return invalid(fmt.Errorf("usageplan: SetRemaining: want 0 to %d units, got %d", int64(maxUnits), units))
	}
	_, s, err := g.quota(ctx, plan, key)
	if err != nil {
		return err
	}
	if s.Limit < 0 {
		return invalid(errors.New("usageplan: SetRemaining: the plan has no quota"))
	}
	// What is in hand here would come on top.
	if err := g.lease(leaseKey{plan, key}).renounce(ctx, g.store, time.Now()); err != nil {
		return err
	}
	c, s, err := g.quota(ctx, plan, key)
	if err != nil {
		return err
	}
	return g.store.SetExtra(ctx, c, units+s.Used-s.Limit)
}
