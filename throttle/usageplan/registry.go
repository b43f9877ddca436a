package usageplan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// RegistryConfig configures a [Registry].
type RegistryConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Store keeps the keys, the plans and what was counted. Required.
	Store Store
	// Buckets keeps the token buckets of plans where several machines share them. nil keeps them in the process.
	Buckets Buckets
	// Refresh is how often changes that other processes made are looked for, and so how long a key that was disabled elsewhere still counts.
	// 0 means 5 s; at least 10 ms.
	Refresh time.Duration
	// MaxKeys is how many keys there may be; all of them are kept in memory, in about half a kilobyte each. 0 means 100,000.
	MaxKeys int
	// SundayWeeks begins the weeks of quotas on Sunday. They begin on Monday (ISO 8601) otherwise.
	SundayWeeks bool
	// Log is told of what fails behind a request's back. nil means slog.Default.
	Log *slog.Logger
}

// Registry is the API keys and usage plans of a [Store]. It is safe for concurrent use.
//
// All keys are kept in memory, as digests, so that looking one up asks nobody: an unknown key costs the store nothing, and when the store is
// away, known keys go on being known.
type Registry struct {
	store       Store
	buckets     Buckets
	maxKeys     int
	sundayWeeks bool
	log         *slog.Logger

	loading sync.Mutex // held while live is replaced; the store is asked under it, and no request waits for it
	live    atomic.Pointer[live]

	leasing sync.Mutex
	leases  map[leaseKey]*lease
}

// live is what the store held when it was last looked at. It is never modified.
type live struct {
	changes int64
	secrets map[digest]liveSecret
	keys    map[string]*liveKey
	plans   map[string]*livePlan
}

type liveSecret struct {
	key     *liveKey
	expires time.Time // zero: never
}

type liveKey struct {
	id      string
	enabled bool
	plans   []membership
	touched *atomic.Int64 // when the store was last told of a use, in seconds since 1970
}

type membership struct {
	plan  *livePlan
	since Date
	lease *lease
}

const (
	defaultRefresh = 5 * time.Second
	minRefresh     = 10 * time.Millisecond
	defaultMaxKeys = 100_000
	pageSize       = 1000
	storeTimeout   = 5 * time.Second
)

// NewRegistry reads keys and plans from the store, and returns a Registry, or an error that names each field it refuses. A goroutine looks for
// changes until ctx ends. Call [Registry.Flush] at the end if plans have Fast quotas.
func NewRegistry(ctx context.Context, c RegistryConfig) (*Registry, error) {
	var errs []error
	if c.Store == nil {
		errs = append(errs, errors.New("usageplan: RegistryConfig.Store: want a store such as NewMemory's, got nil"))
	}
	if c.Refresh == 0 {
		c.Refresh = defaultRefresh
	}
	if c.Refresh < minRefresh {
		errs = append(errs, fmt.Errorf("usageplan: RegistryConfig.Refresh: want 0 or at least %v, got %v", minRefresh, c.Refresh))
	}
	if c.MaxKeys == 0 {
		c.MaxKeys = defaultMaxKeys
	}
	if c.MaxKeys < 0 {
		errs = append(errs, fmt.Errorf("usageplan: RegistryConfig.MaxKeys: want 0 or more, got %d", c.MaxKeys))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	g := &Registry{
		store: c.Store, buckets: c.Buckets, maxKeys: c.MaxKeys, sundayWeeks: c.SundayWeeks, log: c.Log,
		leases: map[leaseKey]*lease{},
	}
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	go g.refresh(ctx, c.Refresh)
	return g, nil
}

// refresh looks for changes, and gives back what isn't used of leases, until ctx ends.
func (g *Registry) refresh(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g.giveBackIdle(ctx)
		asking, cancel := context.WithTimeout(ctx, storeTimeout)
		changes, err := g.store.Changes(asking)
		if err == nil && changes != g.live.Load().changes {
			err = g.load(asking)
		}
		cancel()
		if err != nil && ctx.Err() == nil {
			g.log.LogAttrs(ctx, slog.LevelWarn, "usageplan: can't look for changed keys and plans, going on with those known", slog.Any("error", err))
		}
	}
}

// load replaces live by what the store holds.
func (g *Registry) load(ctx context.Context) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	old := g.live.Load()
	starting := old == nil
	if starting {
		old = &live{}
	}
	changes, err := g.store.Changes(ctx) // before the records: what changes meanwhile is loaded again
	if err != nil {
		return fmt.Errorf("usageplan: read the store: %w", err)
	}
	l := &live{changes: changes, secrets: map[digest]liveSecret{}, keys: map[string]*liveKey{}, plans: map[string]*livePlan{}}
	err = g.each(ctx, Plans, func(r Record) error {
		if same := old.plans[r.ID]; same != nil && bytes.Equal(same.data, r.Data) {
			l.plans[r.ID] = same // with the buckets as they are
			return nil
		}
		var p Plan
		if err := json.Unmarshal(r.Data, &p); err != nil {
			return fmt.Errorf("usageplan: plan %s: %w", r.ID, err)
		}
		if err := p.check(); err != nil {
			return fmt.Errorf("usageplan: plan %s: %w", r.ID, err)
		}
		made, err := newLivePlan(p, r.Data, old.plans[r.ID], g.maxKeys)
		l.plans[r.ID] = made
		return err
	})
	if err != nil {
		return err
	}
	surplus := 0
	err = g.each(ctx, Keys, func(r Record) error {
		if len(l.keys) >= g.maxKeys {
			if starting {
				return fmt.Errorf("usageplan: the store has more than RegistryConfig.MaxKeys, %d", g.maxKeys)
			}
			surplus++ // made by several processes at once; what is known goes on being kept up to date
			return nil
		}
		var k keyRecord
		if err := json.Unmarshal(r.Data, &k); err != nil {
			return fmt.Errorf("usageplan: key %s: %w", r.ID, err)
		}
		return g.addLive(l, &k, old.keys[r.ID])
	})
	if err != nil {
		return err
	}
	if surplus > 0 {
		g.log.LogAttrs(ctx, slog.LevelError, "usageplan: the store has more keys than RegistryConfig.MaxKeys, the last ones are refused",
			slog.Int("maxKeys", g.maxKeys), slog.Int("refused", surplus))
	}
	g.live.Store(l)
	g.forgetLeases(l)
	return nil
}

func (g *Registry) addLive(l *live, k *keyRecord, old *liveKey) error {
	made := &liveKey{id: k.ID, enabled: k.Enabled}
	if old != nil {
		made.touched = old.touched
	} else {
		made.touched = new(atomic.Int64)
	}
	for _, m := range k.Plans {
		if plan := l.plans[m.Plan]; plan != nil { // one that was deleted covers nothing
			made.plans = append(made.plans, membership{plan, m.Since, g.lease(leaseKey{m.Plan, k.ID})})
		}
	}
	l.keys[k.ID] = made
	for _, s := range k.Secrets {
		d, err := parseDigest(s.Digest)
		if err != nil {
			return fmt.Errorf("usageplan: key %s: %w", k.ID, err)
		}
		l.secrets[d] = liveSecret{made, s.Expires}
	}
	return nil
}

// each calls f with each record of a table.
func (g *Registry) each(ctx context.Context, t Table, f func(Record) error) error {
	for after := ""; ; {
		page, err := g.store.List(ctx, t, after, pageSize)
		if err != nil {
			return fmt.Errorf("usageplan: read the store: %w", err)
		}
		for _, r := range page {
			if err := f(r); err != nil {
				return err
			}
			after = r.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// lookup returns the key that value is one of, if it may be used now. The search goes by digest: how long it takes tells nothing of a value
// that comes near to one.
func (l *live) lookup(value string, now time.Time) *liveKey {
	if len(value) < minValue || len(value) > maxValue {
		return nil
	}
	s, ok := l.secrets[digestOf(value)]
	if !ok || !s.key.enabled || !s.expires.IsZero() && !now.Before(s.expires) {
		return nil
	}
	return s.key
}

// membership returns the one plan by which the key may call the API stage.
func (k *liveKey) membership(apiID, stage string) *membership {
	for i := range k.plans {
		for _, s := range k.plans[i].plan.stages {
			if s.covers(apiID, stage) {
				return &k.plans[i]
			}
		}
	}
	return nil
}

// touch tells the store that the key is in use, once a minute.
func (g *Registry) touch(ctx context.Context, k *liveKey, now time.Time) {
	last, at := k.touched.Load(), now.Unix()
	if at-last < 60 || !k.touched.CompareAndSwap(last, at) {
		return
	}
	asking, cancel := g.asking(ctx)
	defer cancel()
	if err := g.store.Touch(asking, k.id, now); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "usageplan: can't note when a key was last used", slog.String("apiKeyId", k.id), slog.Any("error", err))
	}
}

// asking returns the context of a question to the store. Memory answers at once, and needs none of its own.
func (g *Registry) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := g.store.(*Memory); ok {
		return ctx, func() {}
	}
	return detached(ctx)
}

// detached returns a context that goes on when the client has gone: what was taken has to be known, and nobody is to be let through unjudged
// for hanging up, or for closing the half of a connection that they have sent on.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}
