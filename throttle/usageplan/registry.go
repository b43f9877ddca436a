package usageplan

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
)

// RegistryConfig configures a [Registry].
type RegistryConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Store keeps the keys, the plans and what was counted. Required.
	Store Store
	// Buckets keeps the token buckets of plans where several machines share them. nil keeps them in
	// the process.
	Buckets Buckets
	// Refresh is how long a key that was disabled elsewhere may still count: changes that other
	// processes made are looked for twice in that time, so that there is half of it to read them. 0
	// means 5 s; at least 10 ms.
	Refresh time.Duration
	// MaxKeys is how many keys there may be; all of them are kept in memory, in about half a
	// kilobyte each. 0 means 100,000.
	MaxKeys int
	// SundayWeeks begins the weeks of quotas on Sunday. They begin on Monday (ISO 8601) otherwise.
	SundayWeeks bool
	// Logger is told of what fails behind a request's back. nil means slog.Default.
	Logger *slog.Logger
}

// Registry is the API keys and usage plans of a [Store]. It is safe for concurrent use.
//
// All keys are kept in memory, as digests, so that looking one up asks nobody: an unknown key costs
// the store nothing, and when the store is away, known keys go on being known. They are read in
// pages at the start; from then on only what changes is, the latest change first: a key that is
// disabled elsewhere is refused within RegistryConfig.Refresh, however many other changes are still
// to be read.
type Registry struct {
	store       Store
	buckets     Buckets
	maxKeys     int
	sundayWeeks bool
	log         *slog.Logger

	roster *roster

	// What fails is told apart, as one may work while another doesn't: a Redis that is full answers
	// questions and takes nothing.
	counting, throttling, refreshing, touching outage.Log

	leasing sync.Mutex
	leases  map[string]map[string]*lease // by plan and key
}

const (
	defaultRefresh = 5 * time.Second
	minRefresh     = 10 * time.Millisecond
	defaultMaxKeys = 100_000
	storeTimeout   = 5 * time.Second
)

// NewRegistry reads keys and plans from the store, and returns a Registry, or an error that names
// each field it refuses. A goroutine looks for changes until ctx ends. Call [Registry.Flush] at the
// end if plans have Fast quotas.
func NewRegistry(ctx context.Context, c RegistryConfig) (*Registry, error) {
	m := mistakes.In("usageplan: RegistryConfig")
	m.Require(c.Store != nil, "Store", "want a store such as NewMemory's, got nil")
	m.Require(c.Refresh == 0 || c.Refresh >= minRefresh, "Refresh", "want 0 or at least %v, got %v", minRefresh,
		c.Refresh)
	mistakes.AtLeast(m, "MaxKeys", c.MaxKeys, 0)
	if err := m.Err(); err != nil {
		return nil, err
	}
	log := cmp.Or(c.Logger, slog.Default())
	c.Refresh = cmp.Or(c.Refresh, defaultRefresh)
	g := &Registry{
		store: c.Store, buckets: c.Buckets, maxKeys: cmp.Or(c.MaxKeys, defaultMaxKeys), sundayWeeks: c.SundayWeeks,
		log:    log,
		leases: map[string]map[string]*lease{}, roster: newRoster(),
		counting: outage.Log{
			Logger: log, Away: "usageplan: the store can't count: requests are treated as Config.FailClosed says",
		},
		throttling: outage.Log{
			Logger: log,
			Away:   "usageplan: the shared buckets can't be asked: requests are treated as Config.FailClosed says",
		},
		refreshing: outage.Log{
			Logger: log, Away: "usageplan: can't look for changed keys and plans, going on with those known",
		},
		touching: outage.Log{Logger: log, Away: "usageplan: can't note when keys were last used"},
	}
	f := &follower{g: g}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	go f.run(ctx, c.Refresh)
	go g.giveBackEvery(ctx, c.Refresh)
	return g, nil
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

// touch tells the store that the key is in use, once a minute.
func (g *Registry) touch(ctx context.Context, k *liveKey, now time.Time) {
	last, at := k.touched.Load(), now.Unix()
	if at-last < 60 || !k.touched.CompareAndSwap(last, at) {
		return
	}
	asking, cancel := g.asking(ctx)
	defer cancel()
	g.touching.Note(ctx, g.store.Touch(asking, k.id, now))
}

// asking returns the context of a question to the store. Memory answers at once, and needs none of
// its own.
func (g *Registry) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := g.store.(*Memory); ok {
		return ctx, func() {}
	}
	return detached(ctx)
}

// detached returns a context that goes on when the client has gone: what was taken has to be known,
// and nobody is to be let through unjudged for hanging up, or for closing the half of a connection
// that they have sent on.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}
