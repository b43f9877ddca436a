package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
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
	// replacing counts, by a part of the key, the requests that a client has made to replace an answer. An answer that was asked for before
	// one of them may be older than what that one brought, so it isn't kept.
	replacing [1 << 10]atomic.Uint32
	passing   [1 << 10]atomic.Int64 // by a part of the key, until when requests don't wait for each other, in Unix nanoseconds

	// What fails is told apart, as a store that is full answers and takes nothing.
	reading, keeping, renewing outage.Log

	hits, misses, coalesced, stale, stored atomic.Uint64
}

// call is an answer that is being made.
type call struct {
	mark Mark // where the store stood when it was asked for: who comes after a flush doesn't wait for what came before it
	done chan struct{}
	once sync.Once
	// since is when the call began to write to its client, in Unix nanoseconds, 0 while it doesn't; wrote is how long it took to write before.
	since, wrote atomic.Int64
	// Read after done is closed:
	entry *Entry // nil: not one to keep
	lost  bool   // its client went away, or its handler panicked, before that was known
}

func (c *call) end(e *Entry, lost bool) {
	c.once.Do(func() {
		c.entry, c.lost = e, lost
		close(c.done)
	})
}

// patience is how long one client's slow reading may hold up the others that wait for the same answer.
const patience = time.Second

// maxLost is how many clients that go away before they have their answer another waits for, one after the other.
const maxLost = 3

// write writes to the call's client.
func (c *call) write(w io.Writer, b []byte) (int, error) {
	began := time.Now()
	c.since.Store(began.UnixNano())
	n, err := w.Write(b)
	c.since.Store(0)
	c.wrote.Add(int64(time.Since(began)))
	return n, err
}

// heldUp reports whether the call's client takes its time to read.
func (c *call) heldUp(now time.Time) bool {
	took := c.wrote.Load()
	if since := c.since.Load(); since != 0 {
		took += now.UnixNano() - since
	}
	return took >= int64(patience)
}

// passFor is how long requests don't wait for each other after an answer that isn't one to keep: waiting for the next would be in vain too.
const passFor = 10 * time.Second

// maxRefreshing bounds the answers that are made in the background at one time. Beyond it stale ones are served as they are.
const maxRefreshing = 64

// New returns a Cache, or one error that lists every field it refuses. It copies cfg. What it makes in the background ends with ctx.
func New(ctx context.Context, cfg Config) (*Cache, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Cache{
		ctx: ctx, store: cfg.Store, every: newRule(cfg.Route), maxBody: cfg.MaxBodyBytes,
		mayReplace: cfg.MayInvalidate, open: cfg.Open, strategy: cfg.Unauthorized, tagHeader: http.CanonicalHeaderKey(cfg.TagHeader),
		cacheStatus: cfg.CacheStatus, refresh: cfg.RefreshTimeout, refreshing: make(chan struct{}, maxRefreshing), calls: map[Key]*call{},
	}
	if c.maxBody == 0 {
		c.maxBody = defaultMaxBody
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.Default()
	}
	c.reading = outage.Log{Logger: logger, Away: "cache: the store can't be read"}
	c.keeping = outage.Log{Logger: logger, Away: "cache: the store keeps nothing"}
	c.renewing = outage.Log{Logger: logger, Away: "cache: an answer can't be renewed behind a request's back"}
	if c.refresh == 0 {
		c.refresh = defaultRefreshTimeout
	}
	c.maxCopies = cfg.MaxBytes
	if c.maxCopies == 0 {
		c.maxCopies = defaultMaxBytes
	}
	if c.store == nil {
		c.own = newMemory(c.maxCopies)
		c.store = c.own
	}
	return c, nil
}

// Middleware answers from the cache, and keeps what next answers, as Config.Route says, or a [Cache.Keep] behind it.
func (c *Cache) Middleware(next http.Handler) http.Handler {
	h := &cached{cache: c, rule: c.every, next: next}
	for behind := range gatekit.Stations(next) {
		if own, ok := behind.(*cached); ok && own.cache == c {
			h.keptBehind = true // one of two would keep what the other has kept, under the wrong key
		}
	}
	return h
}

// Keep returns [Cache.Middleware] for a route whose answers are kept in another way than Config.Route says, which r replaces as a whole:
//
//	api.Handle("GET /catalog", catalog, gatekit.Must(answers.Keep(cache.Route{Public: true})))
//
// The error names every field it refuses. (*route.API).Build refuses a Key with a path variable that the route doesn't have.
func (c *Cache) Keep(r Route) (gatekit.Middleware, error) {
	var errs []error
	r.check("", func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("cache: Route.%s: %s", field, fmt.Sprintf(format, args...)))
	})
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
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
	// Hits were answered from the cache, Stale of them with a stale answer, Coalesced of them after waiting for another request's answer.
	// Misses went on.
	Hits, Stale, Coalesced, Misses uint64
	// Stored is how many answers were put into the store.
	Stored uint64
	// Entries and Bytes are what is in this process's memory, Evicted what was taken out of it to make room. 0 with a Store.
	Entries int
	Bytes   int64
	Evicted uint64
}

// Stats returns the numbers of now.
func (c *Cache) Stats() Stats {
	s := Stats{Hits: c.hits.Load(), Stale: c.stale.Load(), Coalesced: c.coalesced.Load(), Misses: c.misses.Load(), Stored: c.stored.Load()}
	if c.own != nil {
		s.Entries, s.Bytes, s.Evicted = c.own.entries.Size()
	}
	return s
}

type cached struct {
	cache      *Cache
	rule       *rule
	next       http.Handler
	keptBehind bool // by a station of the route's own
}

// CheckRoute implements [gatekit.RouteChecker].
func (h *cached) CheckRoute(routeKey string) error {
	if h.keptBehind {
		return nil
	}
	return h.rule.checkRoute(routeKey)
}

// Station implements [gatekit.Station].
func (h *cached) Station() (kind string, next http.Handler) { return "cache", h.next }

func (h *cached) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.keptBehind {
		h.next.ServeHTTP(w, r)
		return
	}
	c, rule := h.cache, h.rule
	rc := gatekit.From(r.Context())
	r = asSent(r)
	ttl, strategy, open, err := c.settingsOf(r, rc, rule)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	if ttl == 0 || !rule.judged(r, rc) || overridesMethod(r.Header) || len(r.Header["Range"]) > 0 || len(r.Header["Upgrade"]) > 0 || len(r.Trailer) > 0 || r.ContentLength != 0 && hasNoBody(r.Method) {
		h.pass(w, r, "gatekit; fwd=bypass")
		return
	}
	key, err := rule.primary(r, rc)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	f := filling{cached: h, rule: rule, ttl: ttl, key: key}
	if len(r.Header["Cache-Control"]) > 0 && directive(r.Header, "max-age=0") {
		switch {
		case open || c.mayReplace != nil && c.mayReplace(r):
			f.mark(r)
			c.replacement(key).Add(1)
			f.fill(w, r, nil, "gatekit; fwd=request")
			return
		case strategy == gatekit.FailWith403:
			gatekit.Reject(w, r, unauthorized)
			return
		case strategy == gatekit.SucceedWithResponseHeader:
			w.Header()["Warning"] = []string{"199 Cache-control headers were ignored because the caller was unauthorized."}
		}
	}
	f.serve(w, r)
}

// asSent returns the request as a backend gets it: without the headers that a client's Connection names, which an integration would leave out
// behind the key that was made of them.
func asSent(r *http.Request) *http.Request {
	header := hopbyhop.Strip(r.Header)
	if len(header) == len(r.Header) {
		return r
	}
	c := new(http.Request)
	*c = *r
	c.Header = header
	return c
}

// overridesMethod reports whether the client asks for another method than the one that the key has. Whether an integration or a backend heeds that
// isn't known here, and an answer to DELETE is none to GET.
func overridesMethod(h http.Header) bool {
	return len(h["X-Http-Method-Override"]) > 0 || len(h["X-Http-Method"]) > 0 || len(h["X-Method-Override"]) > 0
}

// hasNoBody reports whether requests of a method have a body that nobody expects: what a backend reads from one all the same isn't in any key.
func hasNoBody(method string) bool { return method == http.MethodGet || method == http.MethodHead }

var unauthorized = &gatekit.Rejection{Type: gatekit.AccessDenied}

// pass answers without the cache; but tags stay inside.
func (h *cached) pass(w http.ResponseWriter, r *http.Request, status string) {
	if !h.cache.cacheStatus && h.cache.tagHeader == "" {
		h.next.ServeHTTP(w, r)
		return
	}
	if !h.cache.cacheStatus {
		status = ""
	}
	out := h.cache.newCapture(w, r, status, nil)
	out.drop()
	h.next.ServeHTTP(out, r)
	out.commit(http.StatusOK)
}

// settingsOf returns how long the answers of r's route are kept, with what its stage says of the method. The error means that the stage
// says something, and nobody tells which route r is on.
func (c *Cache) settingsOf(r *http.Request, rc *gatekit.RequestContext, u *rule) (ttl time.Duration, strategy gatekit.CacheControlStrategy, open bool, err error) {
	byStage, err := gatekit.MethodSettingsOf(r)
	if err != nil {
		return 0, 0, false, err
	}
	ttl, strategy, open = u.ttl, c.strategy, c.open
	if byStage == nil {
		if !slices.Contains(u.methods, r.Method) {
			ttl = 0
		}
		return ttl, strategy, open, nil
	}
	switch {
	// A stage's */* keeps the answers to GET only; other methods want an entry of their own.
	case !byStage.CachingEnabled, r.Method != http.MethodGet && byStage == rc.API.Settings.Of("", ""):
		ttl = 0
	case byStage.CacheTTL != nil:
		ttl = *byStage.CacheTTL
	default:
		ttl = defaultTTL
	}
	return ttl, byStage.UnauthorizedCacheControl, open || byStage.OpenCacheControl, nil
}

// judged reports whether it is known who may have the answer: an authorizer has looked at the credentials, or they don't matter.
func (u *rule) judged(r *http.Request, rc *gatekit.RequestContext) bool {
	if u.public || rc != nil && (rc.Authorization != nil || rc.Caller() != nil) {
		return true
	}
	return (len(r.Header["Authorization"]) == 0 || u.authorizationKeyed) && (len(r.Header["Cookie"]) == 0 || u.cookieKeyed)
}

// filling is one request's way to an answer.
type filling struct {
	*cached
	rule *rule
	ttl  time.Duration
	key  Key
	at   Mark
	lost int // how many clients it has waited for in vain
}

// look returns the entry that answers r, or nil, after a look at the signpost where answers vary.
func (f *filling) look(r *http.Request) *Entry {
	e, mark, err := f.cache.store.Get(r.Context(), f.key)
	f.at = mark
	if err == nil && e != nil && e.Status == 0 {
		e, _, err = f.cache.store.Get(r.Context(), f.key.variant(r, e.Vary))
	}
	f.cache.note(r.Context(), &f.cache.reading, err)
	if err != nil {
		return nil
	}
	return e
}

// mark only asks the store where it stands.
func (f *filling) mark(r *http.Request) {
	_, mark, err := f.cache.store.Get(r.Context(), f.key)
	f.cache.note(r.Context(), &f.cache.reading, err)
	f.at = mark
}

func (f *filling) serve(w http.ResponseWriter, r *http.Request) {
	c := f.cache
	e := f.look(r)
	now := time.Now()
	if !e.expired(now) {
		c.hits.Add(1)
		if !now.Before(e.Expires) {
			c.stale.Add(1)
			f.refreshBehind(r)
		}
		f.answer(w, r, e, now)
		return
	}
	// A client's own body is its own time.
	if r.ContentLength != 0 || f.lost > maxLost || now.UnixNano() < c.passes(f.key).Load() {
		f.fill(w, r, nil, "gatekit; fwd=miss")
		return
	}
	own := &call{mark: f.at, done: make(chan struct{})}
	at := f.key.variant(r, waitedFor)
	if running := c.begin(at, own); running != own {
		f.wait(w, r, running)
		return
	}
	defer func() {
		c.leave(at, own)
		own.end(nil, true) // where fill has panicked
	}()
	f.fill(w, r, own, "gatekit; fwd=miss")
}

// begin makes own the call that others wait for, or returns the one that is.
func (c *Cache) begin(at Key, own *call) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if running := c.calls[at]; running != nil && running.mark == own.mark {
		return running
	}
	c.calls[at] = own
	return own
}

// passes returns the key's time in c.passing.
func (c *Cache) passes(key Key) *atomic.Int64 {
	return &c.passing[key.hash()%uint64(len(c.passing))]
}

func (c *Cache) leave(at Key, own *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[at] == own {
		delete(c.calls, at)
	}
}

// replacement returns the key's counter in c.replacing.
func (c *Cache) replacement(key Key) *atomic.Uint32 {
	return &c.replacing[key.hash()%uint64(len(c.replacing))]
}

// waitedFor are the headers by which answers usually vary: a request waits for another only if it has the same ones.
var waitedFor = []string{"Accept", "Accept-Encoding", "Accept-Language", "Origin"}

// wait answers with what another request gets, if that is to be kept, and else on its own.
func (f *filling) wait(w http.ResponseWriter, r *http.Request, running *call) {
	for waiting := true; waiting; {
		select {
		case <-running.done:
			waiting = false
		case <-r.Context().Done():
			return // nobody is there to read an answer
		case <-time.After(patience):
			if running.heldUp(time.Now()) {
				f.fill(w, r, nil, "gatekit; fwd=miss")
				return
			}
		}
	}
	e := running.entry
	if running.lost {
		f.lost++
		f.serve(w, r) // another one asks, and the rest wait for that
		return
	}
	if e != nil && len(e.Vary) > 0 {
		e = f.look(r) // its variant may be another
	}
	if now := time.Now(); !e.expired(now) {
		f.cache.hits.Add(1)
		f.cache.coalesced.Add(1)
		f.answer(w, r, e, now)
		return
	}
	f.fill(w, r, nil, "gatekit; fwd=miss")
}

func (f *filling) answer(w http.ResponseWriter, r *http.Request, e *Entry, now time.Time) {
	if f.cache.cacheStatus {
		w.Header()["Cache-Status"] = []string{e.status(now)}
	}
	e.serve(w, r)
}

// fill lets next answer, and keeps that. own, if not nil, is told.
func (f *filling) fill(w http.ResponseWriter, r *http.Request, own *call, status string) {
	c := f.cache
	c.misses.Add(1)
	if !c.cacheStatus {
		status = ""
	}
	rc, r := gatekit.Attach(r) // so that a refusal is seen, whoever makes it
	replacements := c.replacement(f.key).Load()
	out := c.newCapture(w, r, status, own)
	out.passing = c.passes(f.key)
	defer out.release()
	f.next.ServeHTTP(out, r)
	e := out.done(time.Now(), f.ttl, f.rule.stale)
	lost := r.Context().Err() != nil // who notices that stops half-way, and may not say so
	if lost || rc.Rejection() != nil {
		e = nil
	}
	if e != nil && c.replacement(f.key).Load() == replacements {
		f.keep(r, e)
	}
	if own != nil {
		own.end(e, lost)
	}
}

// keep puts e into the store, behind a signpost if it varies.
func (f *filling) keep(r *http.Request, e *Entry) {
	key := f.key
	var err error
	if len(e.Vary) > 0 {
		post := &Entry{Vary: e.Vary, Made: e.Made, Expires: e.Expires, Stale: e.Stale}
		err = f.cache.store.Put(r.Context(), key, post, f.at)
		key = key.variant(r, e.Vary)
	}
	if err == nil {
		err = f.cache.store.Put(r.Context(), key, e, f.at)
	}
	f.cache.note(r.Context(), &f.cache.keeping, err)
	if err != nil {
		return
	}
	f.cache.stored.Add(1)
	if p := f.cache.passes(f.key); p.Load() != 0 {
		p.Store(0)
	}
}

// refreshBehind makes a new answer in the background, if nobody does already. Only for methods that have no body.
func (f *filling) refreshBehind(r *http.Request) {
	c := f.cache
	if !hasNoBody(r.Method) {
		return
	}
	select {
	case c.refreshing <- struct{}{}:
	default:
		return
	}
	at := f.key.variant(r, waitedFor)
	own := &call{mark: f.at, done: make(chan struct{})}
	if c.ctx.Err() != nil || c.begin(at, own) != own {
		<-c.refreshing
		return
	}
	again := *f
	// What the request's context carries stays; that it ends with the request doesn't.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.refresh)
	stop := context.AfterFunc(c.ctx, cancel)
	behind := gatekit.Detach(ctx, r)
	for _, conditional := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"} {
		delete(behind.Header, conditional) // a 304 is no answer to keep
	}
	go func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { // no server stands around this goroutine
				c.renewing.Failed(ctx, errPanic)
			}
			stop()
			cancel()
			c.leave(at, own)
			own.end(nil, false)
			<-c.refreshing
		}()
		again.fill(nowhere{http.Header{}}, behind, own, "")
		c.renewing.Worked(ctx)
	}()
}

var errPanic = errors.New("the handler panicked")

// note tells the log of an outage of the store once, and of its end, and not of each request. A client that has gone says nothing of the store. No
// key or header is in it.
func (c *Cache) note(ctx context.Context, log *outage.Log, err error) {
	if ctx.Err() == nil {
		log.Note(ctx, err)
	}
}
