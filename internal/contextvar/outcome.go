package contextvar

import (
	"cmp"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// Outcome is what is known of a request when it has been answered.
type Outcome struct {
	// Status is what the client was answered with; 0 is nothing.
	Status int
	// Received and Sent are bytes of the request's body, as far as it was read, and of the
	// response's.
	Received, Sent int64
	// Took is how long the answer took.
	Took time.Duration
	// Streamed says that the response was sent bit by bit.
	Streamed bool

	phases [phases]phase
}

// phases are those that variables are of, which come one behind the other.
const phases = gatekit.PhaseAuthorize - gatekit.PhaseWAF + 1

func (o *Outcome) phase(p gatekit.Phase) *phase { return &o.phases[p-gatekit.PhaseWAF] }

// outcome is how a phase ended. An authorizer that has no function to call, or wasn't let, has done
// all it does when it authenticates: on the managed gateway, tokens are the authorizer's phase.
func (o *Outcome) outcome(p gatekit.Phase) *phase {
	if p == gatekit.PhaseAuthorizer && !o.phase(p).noted {
		p = gatekit.PhaseAuthenticate
	}
	return o.phase(p)
}

// phase is what the notes of a phase come to.
type phase struct {
	status    int
	err       error
	reason    string
	requestID string
	took      time.Duration
	noted     bool
	timed     bool
	cached    bool
}

// Reset forgets what was read of another request's notes.
func (o *Outcome) Reset() { o.phases = [phases]phase{} }

// Read reads the notes of the request. What is skipped, tried on the way, or on trial says nothing
// of how a phase ended; of the rest the last note does.
func (o *Outcome) Read(notes gatekit.Notes) {
	notes.Each(func(n *gatekit.Note) {
		if n.Phase < gatekit.PhaseWAF || n.Phase > gatekit.PhaseAuthorize {
			return
		}
		p := o.phase(n.Phase)
		p.noted = true
		p.took += n.Took
		p.timed = p.timed || n.Took > 0 || !n.Began.IsZero()
		switch n.Verdict {
		case gatekit.Skipped, gatekit.OnTrial, gatekit.Miss, gatekit.Retried:
			return
		case gatekit.Refused, gatekit.Failed:
			p.err, p.reason = n.Err, n.Reason
			p.status = cmp.Or(n.Status, p.status)
		default:
			p.err, p.reason = n.Err, ""
			p.status = cmp.Or(n.Status, http.StatusOK)
		}
		p.cached = n.Verdict == gatekit.Hit
		p.requestID = cmp.Or(n.RequestID, p.requestID)
	})
}

// failure is what a phase failed with: the cause, which clients aren't told, or else what they are.
func (p *phase) failure() string {
	if p.err != nil {
		return cmp.Or(p.err.Error(), p.reason)
	}
	return p.reason
}

// ending is a variable that is known at the end of a request: a number, or a text.
type ending struct {
	number func(*Outcome) (int64, bool)
	text   func(*gatekit.RequestContext, *http.Request, *Outcome) string
	keep   gatekit.Keep
}

// endings are the variables of [Logged] that [Parse] has no value of.
var endings = func() map[string]ending {
	all := map[string]ending{
		"status":          {number: func(o *Outcome) (int64, bool) { return int64(o.Status), o.Status != 0 }},
		"responseLength":  {number: func(o *Outcome) (int64, bool) { return o.Sent, true }},
		"responseLatency": {number: func(o *Outcome) (int64, bool) { return o.Took.Milliseconds(), true }},
		"dataProcessed":   {number: func(o *Outcome) (int64, bool) { return o.Received + o.Sent, true }},
		"xrayTraceId":     {text: traceID},

		"integration.responseTransferMode": {text: transferMode},
		"integration.error":                {text: integrationFailure},
		"integrationErrorMessage":          {text: integrationFailure},

		"authorizer.requestId": {text: func(_ *gatekit.RequestContext, _ *http.Request, o *Outcome) string {
			return o.phase(gatekit.PhaseAuthorizer).requestID
		}, keep: gatekit.KeepOutcomes},
		"authorizer.integrationStatus": called(ending{number: func(o *Outcome) (int64, bool) {
			status := o.phase(gatekit.PhaseAuthorizer).status
			return int64(status), status != 0
		}, keep: gatekit.KeepOutcomes}),
		"authorizer.integrationLatency": called(latencyOf(gatekit.PhaseAuthorizer)),
	}
	for _, p := range []gatekit.Phase{
		gatekit.PhaseWAF, gatekit.PhaseAuthenticate, gatekit.PhaseAuthorizer, gatekit.PhaseAuthorize,
	} {
		all[p.String()+".status"] = statusOf(p)
		all[p.String()+".latency"] = latencyOf(p)
		all[p.String()+".error"] = ending{
			text: func(_ *gatekit.RequestContext, _ *http.Request, o *Outcome) string { return o.outcome(p).failure() },
			keep: gatekit.KeepOutcomes,
		}
	}
	return all
}()

func statusOf(p gatekit.Phase) ending {
	return ending{
		number: func(o *Outcome) (int64, bool) {
			status := o.outcome(p).status
			if p == gatekit.PhaseAuthorizer && status == 0 && o.phase(p).err != nil {
				status = o.phase(gatekit.PhaseAuthenticate).status // with which the request was refused for it
			}
			return int64(status), status != 0
		},
		keep: gatekit.KeepOutcomes,
	}
}

func latencyOf(p gatekit.Phase) ending {
	return ending{
		number: func(o *Outcome) (int64, bool) { return o.outcome(p).took.Milliseconds(), o.outcome(p).timed },
		keep:   gatekit.KeepOutcomes | gatekit.KeepTimes,
	}
}

// called is what is only known of an authorizer's function that was called: a decision from the
// cache has neither a status of its own nor a latency.
func called(e ending) ending {
	of := e.number
	e.number = func(o *Outcome) (int64, bool) {
		if p := o.phase(gatekit.PhaseAuthorizer); p.cached || !p.noted {
			return 0, false
		}
		return of(o)
	}
	return e
}

// traceID is the root of the trace that the request belongs to, as authorizers and integrations are
// told it.
func traceID(rc *gatekit.RequestContext, r *http.Request, _ *Outcome) string {
	return event.Trace(rc, r).Root
}

// integrationFailure is what a function has failed with, or why there is no answer: which a log is
// told, and no template.
func integrationFailure(rc *gatekit.RequestContext, _ *http.Request, _ *Outcome) string {
	i := rc.Integration()
	switch {
	case i == nil:
		return ""
	case i.FunctionError == "" && i.Err != nil:
		return i.Err.Error()
	}
	return i.FunctionError
}

// transferMode is how the integration's answer went on, where it was one.
func transferMode(rc *gatekit.RequestContext, _ *http.Request, o *Outcome) string {
	switch {
	case rc.Integration() == nil:
		return ""
	case o.Streamed:
		return "STREAMED"
	}
	return "BUFFERED"
}
