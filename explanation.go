package gatekit

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Explanation is what became of one request and why: what the stations on its way have noted of it.
// It is a copy that outlives the request, and shared by all who are told of it: it must not be
// modified. It holds no token, key or claim, and of the client's own words only the method.
type Explanation struct {
	// Time is when the request came, and Took how long it took until it was answered.
	Time time.Time
	Took time.Duration
	// RequestID is the ID that the client was told as well.
	RequestID string
	// APIID and Stage are the API's, as far as one is described.
	APIID, Stage string
	// RouteKey is the key of the route, or "" where none was chosen.
	RouteKey string
	// Method is the request's.
	Method string
	// Status is what the client was answered with, or 0 where that isn't known.
	Status int
	// Notes are the stations' in the order in which they were made, with texts of at most 256
	// bytes. An Err has its cause's text, and is no longer the cause itself.
	Notes []Note
	// Dropped is how many notes there was no room for.
	Dropped int
}

// maxNoteText bounds each text of an Explanation: who keeps a thousand of them keeps no more than
// that, whatever errors say.
const maxNoteText = 256

// noteError is the text of an error.
type noteError string

func (e noteError) Error() string { return string(e) }

// explain copies the notes. rej, if it isn't nil, is what the client was told.
func (n Notes) explain(rej *Rejection) *Explanation {
	e := &Explanation{}
	if n.n == nil {
		return e
	}
	n.n.mu.Lock()
	of, s := n.n.of, n.n.seen
	if of == n.of {
		e.Notes, e.Dropped = append(make([]Note, 0, n.n.n), n.n.list[:n.n.n]...), n.n.dropped
	}
	n.n.mu.Unlock()
	// Texts hold bodies, and say nothing of why.
	e.Notes = slices.DeleteFunc(e.Notes, func(n Note) bool { return n.Text != "" })
	if of != n.of || s.api == nil {
		return e
	}
	for i := range e.Notes { // outside of the lock, as an error puts itself into words only now
		one := &e.Notes[i]
		one.Rule, one.Reason, one.RequestID = cut(one.Rule), cut(one.Reason), cut(one.RequestID)
		if one.Err != nil {
			one.Err = noteError(cut(one.Err.Error()))
		}
	}
	if rej != nil {
		e.Status = rej.StatusFor(s.api.Flavor)
	}
	about := RequestContext{API: s.api, id: s.id}
	e.RequestID, e.APIID, e.Stage = about.RequestID(), s.api.APIID, s.api.Stage
	if s.route != nil {
		e.RouteKey = s.route.Key
	} else if s.pattern != "" {
		e.RouteKey = routeKeyOf(s.pattern)
	}
	return e
}

// cut returns s in one line of at most maxNoteText bytes.
func cut(s string) string {
	if len(s) > maxNoteText {
		end := maxNoteText
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = strings.Clone(s[:end]) // so that the rest isn't kept
	}
	if isPlain(s) { // nearly all are
		return s
	}
	return strings.Map(func(c rune) rune {
		if isControl(c) {
			return ' '
		}
		return c
	}, s)
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func isControl(c rune) bool {
	return c < ' ' || 0x7f <= c && c < 0xa0 || c == '\u2028' || c == '\u2029'
}

// decisive returns the note of what answered the request in the backend's place, or broke, or nil:
// the last refusal, else the last failure, else the last answer. A request that was served all the
// same wasn't refused: of several authorizers, one may refuse and the next admit. The last word is
// a refusal whatever the status is, as a preflight's 204.
func (e *Explanation) decisive() *Note {
	served := e.Status > 0 && e.Status < http.StatusBadRequest
	for _, v := range [...]Verdict{Refused, Failed, Answered} {
		for i := len(e.Notes) - 1; i >= 0; i-- {
			if e.Notes[i].Verdict == v && (!served || v == Answered || i == len(e.Notes)-1) {
				return &e.Notes[i]
			}
		}
	}
	return nil
}

// Refused reports whether the gateway has refused the request, and not only one of several stations
// of which another has admitted it.
func (e *Explanation) Refused() bool {
	n := e.decisive()
	return n != nil && n.Verdict == Refused
}

// Explained returns r with its notes kept, for a test that wants to know why:
//
//	r := gatekit.Explained(httptest.NewRequest("GET", "/orders/7", nil))
//	w := httptest.NewRecorder()
//	h.ServeHTTP(w, r)
//	require.Equal(t, 200, w.Code, gatekit.Explain(r))
//
// The notes are kept as long as r is.
func Explained(r *http.Request) *http.Request {
	rc, r := Attach(r)
	rc.KeepNotes(KeepOutcomes | KeepReasons) // never released: r is over when the test is
	return r
}

// Explain returns what the stations that r has passed have noted, as [Explanation.String] does, but
// without what is new with each run: times and IDs of requests. So a test can compare it. r is what
// [Explained] has returned.
func Explain(r *http.Request) string {
	rc := From(r.Context())
	if rc == nil || rc.at == nil || rc.at.notes.Load() == nil {
		return "nothing is known of this request: want one of gatekit.Explained\n"
	}
	notes := rc.KeepNotes(0)
	defer notes.Release()
	e := notes.explain(rc.Rejection())
	e.Method, e.RequestID = cut(r.Method), ""
	for i := range e.Notes {
		e.Notes[i].Took, e.Notes[i].RequestID = 0, ""
	}
	if i := rc.Integration(); i != nil && e.Status == 0 {
		e.Status = i.Status
	}
	return e.String()
}
