package integration

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/upstream"
)

// TellRequestID states the ID that the Lambda service has given a call, for logs: for an Invoker
// that calls a function elsewhere, with the context that it was called with. Errors of the AWS SDK
// tell it by themselves.
func TellRequestID(ctx context.Context, id string) { invoke.Tell(ctx, invoke.Outcome{RequestID: id}) }

// setIDs sets the IDs that a backend gave a call. Its headers are read before they are renamed.
func setIDs(i *gatekit.Integration, h http.Header) {
	for _, name := range [...]string{"X-Amz-Request-Id", "X-Amzn-Requestid"} {
		if values := h[name]; len(values) > 0 && i.RequestID == "" {
			i.RequestID = invoke.ID(values[0])
		}
	}
	if values := h["X-Amz-Id-2"]; len(values) > 0 {
		i.ExtendedRequestID = invoke.ID(values[0])
	}
}

// reasonEjected is said of an upstream's last failure before it gets no requests for a while.
const reasonEjected = "ejected"

// failureNotes returns what notes the attempts that the outcome of the call doesn't tell of, or nil
// where nobody wants to know. alone says that there is one upstream, which needs no name.
func failureNotes(rc *gatekit.RequestContext, alone bool) func(upstream.Failure) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return nil
	}
	return func(f upstream.Failure) {
		n := gatekit.Note{
			Phase: gatekit.PhaseIntegration, Verdict: gatekit.Failed, Rule: f.Address,
			Status: f.Status, Err: f.Err, Took: f.Took,
		}
		if f.Repeated {
			n.Verdict = gatekit.Retried
		}
		if f.Ejected {
			n.Reason = reasonEjected
		}
		if alone {
			n.Rule = ""
		}
		rc.Note(n)
	}
}

// ran reports whether the function answered or failed, as against a call that never reached it, or
// whose end nobody has seen.
func (c *running) ran(err error) bool {
	for _, unread := range [...]error{errReply, errReplyBase64, errReplySize} {
		if errors.Is(err, unread) {
			return true
		}
	}
	return err == nil || c.local && c.isFunctions(err)
}

// tell fills in what the service said of the call, which ended with err.
func (c *running) tell(i *gatekit.Integration, err error) {
	said := c.told.Outcome(c.ran(err), err)
	i.RequestID = said.RequestID
	if i.ServiceStatus == 0 {
		i.ServiceStatus = said.Status
	}
	if c.local && !errors.Is(err, errThrottled) {
		i.RequestID = c.id // as its lambdacontext has it
	}
}
