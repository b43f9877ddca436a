package cache

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
)

// Cache keeps answers. It is safe for concurrent use, and may stand in several chains.
type Cache struct {
	ctx         context.Context
	store       Store
	own         *memory // store, if it is this process's memory
	every       *rule
	maxBody     int
	mayReplace  func(*http.Request) bool
	open        bool
	strategy    gatekit.CacheControlStrategy
	tagHeader   string
	cacheStatus bool
	refresh     time.Duration
	maxCopies   int64
	copies      atomic.Int64  // bytes of answers that are being copied
	refreshing  chan struct{} // holds one for each answer that is made in the background

	mu    sync.Mutex
	calls map[Key]*call
	// replacing counts, by a part of the key, the requests that a client has made to replace an
	// answer. An answer that was asked for before one of them may be older than what that one
	// brought, so it isn't kept.
	replacing [1 << 10]atomic.Uint32
	// passing is, by a part of the key, until when requests don't wait for each other, in Unix
	// nanoseconds.
	passing [1 << 10]atomic.Int64

	// What fails is told apart, as a store that is full answers and takes nothing.
	reading, keeping, renewing outage.Log

	hits, misses, coalesced, stale, stored atomic.Uint64
}

// New returns a Cache, or one error that lists every field it refuses. It copies cfg. What it makes
// in the background ends with ctx.
func New(ctx context.Context, cfg Config) (*Cache, error) {
	m := mistakes.In("cache: Config")
	cfg.check(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	c := &Cache{
		ctx: ctx, store: cfg.Store, every: newRule(cfg.Route), maxBody: cmp.Or(cfg.MaxBodyBytes, defaultMaxBody),
		maxCopies: cmp.Or(cfg.MaxBytes, defaultMaxBytes), refresh: cmp.Or(cfg.RefreshTimeout, defaultRefreshTimeout),
		mayReplace: cfg.MayInvalidate, open: cfg.Open, strategy: cfg.Unauthorized,
		tagHeader: http.CanonicalHeaderKey(cfg.TagHeader), cacheStatus: cfg.CacheStatus,
		refreshing: make(chan struct{}, maxRefreshing), calls: map[Key]*call{},
	}
	logger := cmp.Or(cfg.Logger, slog.Default())
	c.reading = outage.Log{Logger: logger, Away: "cache: the store can't be read"}
	c.keeping = outage.Log{Logger: logger, Away: "cache: the store keeps nothing"}
	c.renewing = outage.Log{Logger: logger, Away: "cache: an answer can't be renewed behind a request's back"}
	if c.store == nil {
		c.own = newMemory(c.maxCopies)
		c.store = c.own
	}
	return c, nil
}

// Middleware answers from the cache, and keeps what next answers, as Config.Route says, or a
// [Cache.Keep] behind it.
func (c *Cache) Middleware(next http.Handler) http.Handler {
	h := &cached{cache: c, rule: c.every, next: next}
	for behind := range gatekit.Stations(next) {
		if own, ok := behind.(*cached); ok && own.cache == c {
			h.keptBehind = true // one of two would keep what the other has kept, under the wrong key
		}
	}
	return h
}

// Keep returns [Cache.Middleware] for a route whose answers are kept in another way than
// Config.Route says, which r replaces as a whole:
//
//	api.Handle("GET /catalog", catalog, gatekit.Must(answers.Keep(cache.Route{Public: true})))
//
// The error names every field it refuses. (*route.API).Build refuses a Key with a path variable
// that the route doesn't have.
func (c *Cache) Keep(r Route) (gatekit.Middleware, error) {
	m := mistakes.In("cache: Route")
	r.check(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	own := newRule(r)
	return func(next http.Handler) http.Handler { return &cached{cache: c, rule: own, next: next} }, nil
}

// Flush takes out everything, and what is being made isn't kept.
func (c *Cache) Flush(ctx context.Context) error { return c.store.Flush(ctx) }

// InvalidateTags takes out every answer that has one of the tags.
func (c *Cache) InvalidateTags(ctx context.Context, tags ...string) error {
	return c.store.InvalidateTags(ctx, tags...)
}

// Stats are what a cache has done since it was made.
type Stats struct {
	// Hits were answered from the cache, Stale of them with a stale answer, Coalesced of them after
	// waiting for another request's answer. Misses went on.
	Hits, Stale, Coalesced, Misses uint64
	// Stored is how many answers were put into the store.
	Stored uint64
	// Entries and Bytes are what is in this process's memory, Evicted what was taken out of it to
	// make room. 0 with a Store.
	Entries int
	Bytes   int64
	Evicted uint64
}

// Stats returns the numbers of now.
func (c *Cache) Stats() Stats {
	s := Stats{
		Hits: c.hits.Load(), Stale: c.stale.Load(), Coalesced: c.coalesced.Load(),
		Misses: c.misses.Load(), Stored: c.stored.Load(),
	}
	if c.own != nil {
		s.Entries, s.Bytes, s.Evicted = c.own.entries.Size()
	}
	return s
}

// note tells the log of an outage of the store once, and of its end, and not of each request. A
// client that has gone says nothing of the store. No key or header is in it.
func (c *Cache) note(ctx context.Context, log *outage.Log, err error) {
	if ctx.Err() == nil {
		log.Note(ctx, err)
	}
}
