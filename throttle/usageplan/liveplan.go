package usageplan

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/routetree"
	"github.com/gatekit-go/gatekit/throttle"
)

// Buckets keeps token buckets for several machines; redisthrottle has one. A bucket is named by a
// key, and has the limit of the call. Its methods are safe for concurrent use.
type Buckets interface {
	// Take takes a token. If none is there, it returns how long it takes until there is one.
	Take(ctx context.Context, key string, l throttle.Limit) (ok bool, wait time.Duration, left int, err error)
	// Give puts back a token that Take took.
	Give(ctx context.Context, key string, l throttle.Limit) error
}

// livePlan is a plan with its buckets, and the period that its quota is in.
type livePlan struct {
	Plan
	data   []byte      // as stored; a revision may be an earlier plan's of the same ID
	all    *planBucket // nil: not limited
	stages []liveStage
	now    atomic.Pointer[window]
}

type liveStage struct {
	APIStage
	methods map[string]*planBucket // by route key
	shapes  map[string]*planBucket // the same, by routetree.Shape
}

// planBucket is the buckets that keys have under one limit of a plan.
type planBucket struct {
	name  string // tells it from the others of a store
	limit throttle.Limit
	local *bucket.Table
}

// window is a period, so that it isn't reckoned for each request.
type window struct{ from, to Date }

func newLivePlan(p Plan, data []byte, old *livePlan, maxKeys int) (*livePlan, error) {
	had := map[string]*planBucket{}
	if old != nil {
		old.eachBucket(func(b *planBucket) { had[b.name] = b })
	}
	made := &livePlan{Plan: p, data: data}
	newBucket := func(name string, t Throttle) (*planBucket, error) {
		if b := had[name]; b != nil && b.limit == t.limit() {
			return b, nil
		}
		table, err := bucket.New(t.RateLimit, t.BurstLimit, maxKeys)
		if err != nil {
			return nil, fmt.Errorf("usageplan: plan %s: throttle: %w", p.ID, err)
		}
		return &planBucket{name, t.limit(), table}, nil
	}
	var err error
	if p.Throttle != nil {
		if made.all, err = newBucket(p.ID, *p.Throttle); err != nil {
			return nil, err
		}
	}
	for _, s := range p.APIStages {
		stage := liveStage{APIStage: s, methods: map[string]*planBucket{}, shapes: map[string]*planBucket{}}
		for method, t := range s.Throttle {
			key, err := methodKey(method)
			if err != nil {
				return nil, err
			}
			if stage.methods[key], err = newBucket(fmt.Sprintf("%s/%q/%q/%s", p.ID, s.APIID, s.Stage, key),
				t); err != nil {
				return nil, err
			}
			stage.shapes[routetree.Shape(key)] = stage.methods[key]
		}
		made.stages = append(made.stages, stage)
	}
	return made, nil
}

func (p *livePlan) eachBucket(f func(*planBucket)) {
	if p.all != nil {
		f(p.all)
	}
	for _, s := range p.stages {
		for _, b := range s.methods {
			f(b)
		}
	}
}

// method returns the bucket of r's method, or nil if it has none of its own. On a route of any
// method an entry for the request's own ("/pets/GET") goes before the one for ANY. The error means
// that there are entries, and nobody tells which route r is on.
func (p *livePlan) method(apiID, stage string, r *http.Request) (*planBucket, error) {
	for i := range p.stages {
		s := &p.stages[i]
		if !s.covers(apiID, stage) {
			continue
		}
		if len(s.methods) == 0 {
			return nil, nil
		}
		key, err := gatekit.RequireRouteKey(r, maps.Keys(s.methods))
		if err != nil {
			return nil, err
		}
		if resource, ok := strings.CutPrefix(key, "ANY "); ok {
			if own := s.bucketOf(r.Method + " " + resource); own != nil {
				return own, nil
			}
		}
		return s.bucketOf(key), nil
	}
	return nil, nil
}

// bucketOf finds the entry that matches the same requests as the key: the names of variables may
// differ, as an API is imported from one document and its plans from another.
func (s *liveStage) bucketOf(key string) *planBucket {
	if b := s.methods[key]; b != nil || !strings.Contains(key, "{") {
		return b
	}
	return s.shapes[routetree.Shape(key)]
}

// period returns the first day of the quota's period and the day after its last. Usage without a
// quota is counted by month.
func (p *livePlan) period(today Date, sundayWeeks bool) (from, to Date) {
	if w := p.now.Load(); w != nil && w.from <= today && today < w.to {
		return w.from, w.to
	}
	from, to = p.periodOf().around(today, sundayWeeks)
	p.now.Store(&window{from, to})
	return from, to
}

func (p *Plan) periodOf() Period {
	if p.Quota == nil {
		return Month
	}
	return p.Quota.Period
}

// limitIn returns the quota in a period for a key that joined on a day, or -1 for no limit.
func (p *Plan) limitIn(from, to, since Date) int64 {
	switch {
	case p.Quota == nil:
		return -1
	case from <= since && since < to:
		return p.Quota.Limit - p.Quota.Offset
	}
	return p.Quota.Limit
}

// take takes a token of key's bucket.
func (b *planBucket) take(ctx context.Context, g *Registry, key string) (bucket.Verdict, error) {
	if g.buckets == nil {
		return b.local.Take(b.local.Hash(key)), nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	ok, wait, left, err := g.buckets.Take(ctx, b.name+"/"+key, b.limit)
	return bucket.Verdict{OK: ok, Wait: wait, Left: left}, err
}

func (b *planBucket) give(ctx context.Context, g *Registry, key string) {
	if g.buckets == nil {
		b.local.Give(b.local.Hash(key))
		return
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	_ = g.buckets.Give(ctx, b.name+"/"+key, b.limit) // a token that is lost comes back by itself
}
