package gatekit

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit/internal/latewriter"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/signed"
)

// TraceConfig configures a [Trace]. At least one of OneIn, Refused, When and Secrets says which
// requests are traced; those that any of them names are.
type TraceConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// OneIn traces one request of so many, by a draw: 1 is all, 0 none.
	OneIn int
	// Refused traces the requests that the gateway refuses. To know the reason when one is, all
	// requests have their notes kept; those that are let through cost no more than that.
	Refused bool
	// When traces the requests that it reports true for. It is asked before any station behind the
	// Trace, in the request's goroutine, and must not change the request.
	When func(*http.Request) bool
	// Secrets lets a client ask for the trace of its request by the header [TraceHeader], whose
	// value [Trace.Sign] makes: signed with the first, taken with any. Each has at least 32 bytes,
	// which nobody can guess. The answer then has [WhyHeader]. nil: nobody can ask.
	Secrets [][]byte

	// PerSecond bounds how many explanations are made a second, so that a flood costs what a calm
	// day does; those with status 5xx are counted apart, and those that were asked for aren't
	// counted. What is beyond is counted only, and the number stands in the next record. 0 is 100,
	// at most 10,000,000.
	PerSecond int
	// Keep is how many of the last explanations [Trace.Recent] and [Trace.Handler] have: 0 is 100,
	// [Off] none, at most 1,000, which take up to 60 MiB where every note is as long as can be.
	Keep int
	// Logger gets a record for each explanation, with the group "why" ([Explanation.LogValue]): 5xx
	// at Error, all others at Info. nil is slog.Default().
	Logger *slog.Logger
	// Hook is told of each explanation in the request's goroutine, when the request is answered. It
	// must not block, and must not modify it.
	Hook func(*Explanation)
}

// Trace explains requests: it keeps what the stations behind it note, and says it in a log record,
// to a function, in a list of the last ones, and, for who asks for it with a signature, in a header
// of the answer. It is safe for concurrent use, and starts no goroutine.
//
//	t, err := gatekit.NewTrace(gatekit.TraceConfig{Refused: true})
//	…
//	http.ListenAndServe(addr, t.Middleware(api))
//
// It stands outside of what it is to explain, first of all, and also around all messages of a
// WebSocket API (websocket.API.UseMessages). An explanation names what an operator has configured
// and why a request wasn't let through, so that it is for operators: it holds no token, key, claim
// or path, but who reads it learns what to try next.
//
// A request that isn't traced is looked at, and costs no allocation.
type Trace struct {
	oneIn        uint64
	refused      bool
	when         func(*http.Request) bool
	keys         *signed.Keys // nil: nobody can ask
	perSecond    int64
	logger       *slog.Logger
	hook         func(*Explanation)
	recent       recentExplanations
	info, errors refusalWindow // apart, so that a flood of 429s hides no 500
}

const (
	defaultTracesKept      = 100
	maxTracesKept          = 1000
	defaultTracesPerSecond = 100
	maxTracesPerSecond     = 10_000_000
)

// NewTrace returns a Trace, or one error that lists every field it refuses. It copies c.
func NewTrace(c TraceConfig) (*Trace, error) {
	m := mistakes.In("gatekit: TraceConfig")
	m.Require(c.OneIn > 0 || c.Refused || c.When != nil || len(c.Secrets) > 0, "",
		"want at least one of OneIn, Refused, When and Secrets, or nothing would be traced")
	mistakes.AtLeast(m, "OneIn", c.OneIn, 0)
	if c.Secrets != nil {
		signed.Check(m, "Secrets", c.Secrets)
	}
	mistakes.Range(m, "PerSecond", c.PerSecond, 0, maxTracesPerSecond)
	m.Require(Off <= c.Keep && c.Keep <= maxTracesKept, "Keep", "want 0 to %d, or Off, got %d", maxTracesKept, c.Keep)
	if err := m.Err(); err != nil {
		return nil, err
	}
	t := &Trace{
		oneIn: uint64(c.OneIn), refused: c.Refused, when: c.When, logger: c.Logger, hook: c.Hook,
		perSecond: int64(cmp.Or(c.PerSecond, defaultTracesPerSecond)),
	}
	if len(c.Secrets) > 0 {
		t.keys = signed.New("gatekit trace", maxTraceLifetime, c.Secrets)
	}
	if t.logger == nil {
		t.logger = slog.Default()
	}
	if kept := cmp.Or(c.Keep, defaultTracesKept); kept > 0 {
		t.recent.list = make([]*Explanation, kept)
	}
	return t, nil
}

// Middleware traces requests on their way to next.
func (t *Trace) Middleware(next http.Handler) http.Handler { return &traced{trace: t, next: next} }

type traced struct {
	trace *Trace
	next  http.Handler
}

// Station implements [Station].
func (h *traced) Station() (kind string, next http.Handler) { return "trace", h.next }

func (h *traced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := h.trace
	r, asked := t.asked(r)
	chosen := asked || t.chooses(r)
	if !chosen && !t.refused {
		h.next.ServeHTTP(w, r)
		return
	}
	rc, r := Attach(r)
	began := time.Now()
	keep := KeepOutcomes
	if asked || !t.info.full(began, t.perSecond) { // beyond the bound no texts are made for nobody
		keep |= KeepReasons | KeepTimes
	}
	notes := rc.KeepNotes(keep)
	defer notes.Release() // also where a handler panics
	if !chosen {
		h.next.ServeHTTP(w, r)
		if rej := rc.Rejection(); rej != nil || notes.endRefused() {
			t.finish(notes, r, rej, 0, began, false)
		}
		return
	}
	tw := &tracedWriter{trace: t, notes: notes, r: r, began: began, asked: asked}
	tw.Init(w, tw)
	returned := false
	defer func() {
		if returned {
			tw.Finish()
		} else if tw.answered == 0 { // a panic goes on, and becomes a 500 if somebody recovers
			tw.Commit(http.StatusInternalServerError)
		}
		t.finish(notes, r, rc.Rejection(), tw.answered, began, asked)
	}()
	h.next.ServeHTTP(tw, r)
	returned = true
}

// chooses reports whether the request is traced whatever comes of it.
func (t *Trace) chooses(r *http.Request) bool {
	return t.oneIn == 1 || t.oneIn > 1 && rand.Uint64N(t.oneIn) == 0 || t.when != nil && t.when(r)
}

// tracedWriter sees the status of an answer, and tells who has asked why it is so.
type tracedWriter struct {
	latewriter.Writer
	trace    *Trace
	notes    Notes
	r        *http.Request
	began    time.Time
	asked    bool
	answered int // the status
}

// Commit implements latewriter.Committer.
func (w *tracedWriter) Commit(status int) int {
	w.answered = status
	if w.asked {
		e := w.notes.explain(nil)
		e.Method, e.Status = cut(w.r.Method), status
		w.Header()[WhyHeader] = []string{e.header()}
	}
	return status
}

// finish tells all who want to know. A status of 0 is not known.
func (t *Trace) finish(notes Notes, r *http.Request, rej *Rejection, status int, began time.Time, asked bool) {
	now := time.Now()
	window, level := &t.info, slog.LevelInfo
	if status >= http.StatusInternalServerError || rej != nil && rej.StatusFor(REST) >= http.StatusInternalServerError {
		window, level = &t.errors, slog.LevelError
	}
	suppressed := uint64(0)
	if !asked {
		var ok bool
		if suppressed, ok = window.take(now, t.perSecond); !ok {
			return
		}
	}
	e := notes.explain(rej)
	e.Time, e.Took, e.Method = began, now.Sub(began), cut(r.Method)
	if status != 0 {
		e.Status = status
	} else if n := e.decisive(); e.Status == 0 && n != nil {
		e.Status = n.Status
	}
	t.recent.add(e)
	t.log(r, e, level, suppressed)
	if t.hook != nil {
		t.hook(e)
	}
}
