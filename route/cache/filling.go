package cache

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
)

// filling is one request's way to an answer.
type filling struct {
	*cached
	ttl time.Duration
	key Key
	at  Mark
	// why the answer is made anew, and the store's fault when it was last read: for notes.
	why   string
	fault error
	lost  int // how many clients it has waited for in vain
}

// look returns the entry that answers r, or nil, after a look at the signpost where answers vary.
func (f *filling) look(r *http.Request) *Entry {
	e, mark, err := f.cache.store.Get(r.Context(), f.key)
	f.at = mark
	if err == nil && e != nil && e.Status == 0 {
		e, _, err = f.cache.store.Get(r.Context(), f.key.variant(r, e.Vary))
	}
	f.cache.note(r.Context(), &f.cache.reading, err)
	if f.fault = err; err != nil {
		return nil
	}
	return e
}

// mark only asks the store where it stands.
func (f *filling) mark(r *http.Request) {
	_, mark, err := f.cache.store.Get(r.Context(), f.key)
	f.cache.note(r.Context(), &f.cache.reading, err)
	f.at, f.fault = mark, err
}

func (f *filling) serve(w http.ResponseWriter, r *http.Request) {
	c := f.cache
	e := f.look(r)
	now := time.Now()
	if !e.expired(now) {
		c.hits.Add(1)
		why := ""
		if !now.Before(e.Expires) {
			why = whyStale
			c.stale.Add(1)
			f.refreshBehind(r)
		}
		note(gatekit.From(r.Context()), gatekit.Hit, why, nil)
		f.answer(w, r, e, now)
		return
	}
	if e != nil {
		f.why = whyExpired
	}
	// Nobody waits for a request with a body, and it waits for nobody: how long the body takes to
	// come is for its client to choose.
	if r.ContentLength != 0 || f.lost > maxLost || now.UnixNano() < c.passes(f.key).Load() {
		f.fill(w, r, nil, "gatekit; fwd=miss")
		return
	}
	own := newCall(f.at)
	at := f.key.variant(r, waitedFor)
	if running := c.begin(at, own); running != own {
		f.wait(w, r, running)
		return
	}
	defer func() {
		c.leave(at, own)
		own.End(nil, errLost) // where fill has panicked
	}()
	f.fill(w, r, own, "gatekit; fwd=miss")
}

// replacement returns the key's counter in c.replacing.
func (c *Cache) replacement(key Key) *atomic.Uint32 {
	return &c.replacing[key.hash()%uint64(len(c.replacing))]
}

// waitedFor are the headers by which answers usually vary: a request waits for another only if it
// has the same ones.
var waitedFor = []string{"Accept", "Accept-Encoding", "Accept-Language", "Origin"}

// wait answers with what another request gets, if that is to be kept, and else on its own.
func (f *filling) wait(w http.ResponseWriter, r *http.Request, running *call) {
	for waiting := true; waiting; {
		select {
		case <-running.Done():
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
	e, err := running.Result()
	if err != nil {
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
		note(gatekit.From(r.Context()), gatekit.Hit, whyJoined, nil)
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
	note(rc, gatekit.Miss, f.why, f.fault)
	replacements := c.replacement(f.key).Load()
	out := c.newCapture(w, r, status, own)
	out.passing = c.passes(f.key)
	defer out.release()
	f.next.ServeHTTP(out, r)
	e := out.done(time.Now(), f.ttl, f.rule.stale)
	lost := r.Context().Err() != nil // who notices that stops half-way, and may not say so
	why, err := out.why, error(nil)
	switch {
	case lost:
		e, why = nil, whyClient
	case rc.Rejection() != nil:
		e, why = nil, whyRefused
	case e != nil && c.replacement(f.key).Load() != replacements:
		why = whyReplaced
	case e != nil:
		why = whyKept
		if err = f.keep(r, e); err != nil {
			why = whyStoreRefuse
		}
	}
	noteKept(rc, why, err)
	switch {
	case own == nil:
	case lost:
		own.End(nil, errLost)
	default:
		own.End(e, nil)
	}
}

// keep puts e into the store, behind a signpost if it varies.
func (f *filling) keep(r *http.Request, e *Entry) error {
	key := f.key
	var err error
	if len(e.Vary) > 0 {
		post := &Entry{Vary: e.Vary, Made: e.Made, Expires: e.Expires, Stale: e.Stale}
		err = f.cache.store.Put(r.Context(), key, post, f.at)
		key = key.variant(r, e.Vary)
		behind := *e
		behind.Vary = nil // else a store would take it for a signpost, too
		e = &behind
	}
	if err == nil {
		err = f.cache.store.Put(r.Context(), key, e, f.at)
	}
	f.cache.note(r.Context(), &f.cache.keeping, err)
	if err != nil {
		return err
	}
	f.cache.stored.Add(1)
	if p := f.cache.passes(f.key); p.Load() != 0 {
		p.Store(0)
	}
	return nil
}
