package invoke

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// Outcome is what a caller knows of a call of a function beside its answer.
type Outcome struct {
	// Status is the Lambda service's, which is 200 also of a function that failed; 0 is unknown.
	Status int
	// RequestID is the ID that the service gave the call, or "".
	RequestID string
}

// Told is where those who call a service put down what it said of a call. It is safe for concurrent
// use, as a call may outlive who waits for it.
type Told struct{ outcome atomic.Pointer[Outcome] }

type toldKey struct{}

// Context returns ctx with t in it, for [Tell].
func (t *Told) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, toldKey{}, t)
}

// ID returns as much of an ID as is kept of one: 128 bytes.
func ID(text string) string {
	const most = 128
	return text[:min(len(text), most)]
}

// Tell puts down what the service said of the call that ctx is of.
func Tell(ctx context.Context, o Outcome) {
	o.RequestID = ID(o.RequestID)
	if t, ok := ctx.Value(toldKey{}).(*Told); ok {
		t.outcome.Store(&o)
	}
}

// Outcome returns what is known of a call that ended with err. ran says that the function was
// called, whatever became of it. Errors of the AWS SDK know their answer's status and request ID.
func (t *Told) Outcome(ran bool, err error) Outcome {
	var o Outcome
	if told := t.outcome.Load(); told != nil {
		o = *told
	}
	var status interface{ HTTPStatusCode() int }
	var request interface{ ServiceRequestID() string }
	if o.RequestID == "" && errors.As(err, &request) {
		o.RequestID = ID(request.ServiceRequestID())
	}
	switch {
	case o.Status != 0:
	case errors.As(err, &status):
		o.Status = status.HTTPStatusCode()
	case ran || err == nil:
		o.Status = http.StatusOK
	}
	return o
}
