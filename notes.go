package gatekit

import (
	"sync"
	"sync/atomic"
	"time"
)

// Note is what a station says of one request that it has looked at: which of its rules it tried,
// what came of it, and why. Notes are for logs, metrics and people; no station decides by them.
// They hold no token, key or claim.
type Note struct {
	Phase   Phase
	Verdict Verdict
	// Rule names the one rule of many: a route key, an authorizer's name, a limit ("account",
	// "stage", "route", "key"), a rule of a web ACL, a statement of a policy, a template. It is one
	// of a configuration's words, and never the client's.
	Rule string
	// Reason is a few words, for people. Stations may leave it out unless [KeepReasons] is on.
	Reason string
	// Err is what went wrong, or nil.
	Err error
	// Text is a line of an execution log, for who wants [KeepTexts]: what a station works on, with
	// secrets masked. A note with a Text says nothing else.
	Text string
	// Status is the HTTP status of what the station asked (a function, a backend), or with which it
	// refused; 0 is none.
	Status int
	// RequestID is the ID that what it asked has given the call, or "".
	RequestID string
	// Left is how much of a limit or quota is left where Limited says so.
	Left    int64
	Limited bool
	// Began is when the station began, zero unless [KeepTimes] is on: from [RequestContext.Clock].
	// Took is how long it worked itself, without the stations behind it; 0 is filled in from Began.
	Began time.Time
	Took  time.Duration
}

// Verdict is what came of a station's look at a request.
type Verdict uint8

// The verdicts.
const (
	Passed   Verdict = iota // the request goes on
	Refused                 // the gateway answers that it doesn't
	Answered                // the station answers in the backend's place: a preflight, a mock
	Hit                     // found in a cache, and used
	Miss                    // not found in a cache
	Skipped                 // the rule doesn't apply to this request
	Retried                 // tried, and tried again
	Failed                  // what was asked didn't answer
	OnTrial                 // would have been refused, but for a Shadow or a rule that counts
	verdicts
)

var verdictNames = [verdicts]string{
	"passed", "refused", "answered", "hit", "miss", "skipped", "retried", "failed", "on trial",
}

// String returns the verdict in a word or two: "passed".
func (v Verdict) String() string {
	if v < verdicts {
		return verdictNames[v]
	}
	return "unknown"
}

// Keep says what of the notes somebody wants, so that stations make no more than that. Keeps are
// combined by or.
type Keep uint32

// What may be kept.
const (
	// KeepOutcomes keeps phases, verdicts, rules, errors, statuses and what is left.
	KeepOutcomes Keep = 1 << iota
	// KeepTimes keeps when stations began and how long they took, at two readings of the clock
	// each.
	KeepTimes
	// KeepReasons keeps reasons, which stations may have to make up texts for.
	KeepReasons
	// KeepTexts has stations note what they work on, bodies as well: what execution logs show.
	KeepTexts
)

// MaxNotes is how many notes of one request are kept. Those beyond are counted.
const MaxNotes = 48

// notes are those of one request. They are lent from a pool, as a request with notes mustn't cost
// more than one without; of is who has them now, so that a handler that outlives its request, and
// still knows them, writes nothing into the next one's.
type notes struct {
	keep atomic.Uint32

	mu      sync.Mutex
	of      *attached
	readers int
	n       int
	dropped int
	seen    seen
	list    [MaxNotes]Note
}

// seen is what was known of the request when its last note was made. It is kept here since a
// handler that outlives the request, as under http.TimeoutHandler, may still be writing to the
// RequestContext while who kept the notes reads them.
type seen struct {
	api     *API
	route   *Route
	pattern string
	id      requestID

	apiKeyID string
}

var notesPool = sync.Pool{New: func() any { return new(notes) }}

// Notes are the notes of one request, for who has asked to keep them. The zero Notes has none.
type Notes struct {
	n  *notes
	of *attached
}

// KeepNotes has the stations behind the caller note what they do, and returns what they will note.
// Who calls it calls [Notes.Release] when the request is answered. Several may keep the notes of
// one request; each gets all that any of them wants kept, from the first one's call on. It keeps
// nothing on a RequestContext that nobody attached.
func (rc *RequestContext) KeepNotes(k Keep) Notes {
	if rc == nil || rc.at == nil {
		return Notes{}
	}
	n := rc.at.notes.Load()
	if n != nil && n.enter(rc.at, k) {
		return Notes{n, rc.at}
	}
	n = notesPool.Get().(*notes)
	n.mu.Lock()
	n.of, n.readers = rc.at, 1
	n.mu.Unlock()
	n.keep.Store(uint32(k))
	rc.at.notes.Store(n)
	return Notes{n, rc.at}
}

func (n *notes) enter(of *attached, k Keep) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of != of {
		return false
	}
	n.readers++
	n.keep.Or(uint32(k))
	return true
}

// Keeps reports whether somebody wants k, or some of it, of this request's notes. A station asks
// before it makes a note.
func (rc *RequestContext) Keeps(k Keep) bool {
	if rc == nil || rc.at == nil {
		return false
	}
	n := rc.at.notes.Load()
	return n != nil && Keep(n.keep.Load())&k != 0
}

// Clock returns the time for a [Note]'s Began, or the zero Time where nobody wants to know.
func (rc *RequestContext) Clock() time.Time {
	if !rc.Keeps(KeepTimes) {
		return time.Time{}
	}
	return time.Now()
}

// Note keeps n, where somebody wants notes. It is safe from any goroutine, and does nothing once
// the request is answered. [Reject] notes each refusal, and [RequestContext.SetIntegration] each
// call of a backend: a station that refuses needs a note of its own only to say more, before it
// calls Reject, which then adds the Status and the Err that it lacks.
func (rc *RequestContext) Note(n Note) {
	if rc == nil || rc.at == nil {
		return
	}
	all := rc.at.notes.Load()
	if all == nil {
		return
	}
	if n.Took == 0 && !n.Began.IsZero() {
		n.Took = time.Since(n.Began)
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.of != rc.at {
		return
	}
	all.seen = seen{rc.API, rc.Route, rc.at.request.Pattern, rc.id, rc.apiKeyID}
	if all.n == MaxNotes {
		all.dropped++
		return
	}
	all.list[all.n] = n
	all.n++
}

// noteRefusal notes what [Reject] is called for. Where the station has said so itself, only what it
// left out is added.
func (rc *RequestContext) noteRefusal(rej *Rejection, v Verdict) {
	if !rc.Keeps(KeepOutcomes) {
		return
	}
	flavor := rc.API.Flavor
	if n := rc.at.notes.Load(); n != nil && n.complete(rc.at, rej, v, flavor) {
		return
	}
	rc.Note(Note{
		Phase: rej.kind().Phase(), Verdict: v, Rule: rej.kind().String(), Reason: rej.MessageFor(flavor),
		Err: rej.Cause, Status: rej.StatusFor(flavor),
	})
}

// noteIntegration notes the outcome of the call to the backend.
func (rc *RequestContext) noteIntegration(i *Integration) {
	n := Note{
		Phase: PhaseIntegration, Rule: i.Upstream, Status: i.Status, Err: i.Err,
		RequestID: i.RequestID, Took: i.Latency,
	}
	switch {
	case i.FunctionError != "":
		n.Verdict, n.Reason = Failed, i.FunctionError[:min(len(i.FunctionError), 128)]
	case i.Err != nil:
		n.Verdict = Failed
	case i.Mock:
		n.Verdict = Answered
	}
	rc.Note(n)
}

// complete reports whether the last note is of a refusal, and then adds to it what it lacks: its
// verdict is v, as a station doesn't know whether it is on trial.
func (n *notes) complete(of *attached, rej *Rejection, v Verdict, f Flavor) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of != of || n.n == 0 || n.list[n.n-1].Verdict != Refused {
		return false
	}
	last := &n.list[n.n-1]
	last.Verdict = v
	if last.Status == 0 {
		last.Status = rej.StatusFor(f)
	}
	if last.Err == nil {
		last.Err = rej.Cause
	}
	return true
}

// endRefused reports whether the last note is a refusal.
func (n Notes) endRefused() bool {
	if n.n == nil {
		return false
	}
	n.n.mu.Lock()
	defer n.n.mu.Unlock()
	return n.n.of == n.of && n.n.n > 0 && n.n.list[n.n.n-1].Verdict == Refused
}

// Each calls f with each note, in the order in which they were made. f must neither keep the note
// nor make one.
func (n Notes) Each(f func(*Note)) {
	if n.n == nil {
		return
	}
	n.n.mu.Lock()
	defer n.n.mu.Unlock()
	if n.n.of != n.of {
		return
	}
	for i := range n.n.list[:n.n.n] {
		f(&n.n.list[i])
	}
}

// Dropped returns how many notes there was no room for.
func (n Notes) Dropped() int {
	if n.n == nil {
		return 0
	}
	n.n.mu.Lock()
	defer n.n.mu.Unlock()
	if n.n.of != n.of {
		return 0
	}
	return n.n.dropped
}

// Release ends the caller's interest. When nobody is left who wants them, the notes are gone.
// Release once, after the request is answered.
func (n Notes) Release() {
	if n.n == nil {
		return
	}
	n.n.mu.Lock()
	last := false
	if n.n.of == n.of {
		n.n.readers--
		last = n.n.readers == 0
	}
	if last {
		clear(n.n.list[:n.n.n])
		n.n.of, n.n.n, n.n.dropped, n.n.seen = nil, 0, 0, seen{}
	}
	n.n.mu.Unlock()
	if last {
		n.of.notes.CompareAndSwap(n.n, nil)
		n.n.keep.Store(0)
		notesPool.Put(n.n)
	}
}
