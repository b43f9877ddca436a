package integration

import (
	"errors"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// LambdaHandler is the Lambda proxy integration: an http.Handler whose answers a Lambda function
// gives. It is safe for concurrent use.
type LambdaHandler struct {
	calls
	function gatekit.Invoker
	streamer Streamer // nil without
	local    bool     // the function runs in this process, so that every error is its own
	config   LambdaConfig
	binary   mediatype.Binary
}

// NewLambda returns a handler that calls f, or one error that lists every field it refuses.
//
// A function gets a context that ends at the timeout, and not when the client goes away: what it
// has begun it finishes, as behind the managed gateway. One that doesn't heed its context goes on
// after its client has got the answer that it took too long ([LambdaHandler.Shutdown] waits for
// such calls); a panic is a function error.
func NewLambda(f gatekit.Invoker, c LambdaConfig) (*LambdaHandler, error) {
	m := mistakes.In("integration: LambdaConfig")
	if f == nil {
		m.Join(errNoInvoker)
	}
	c, binary := c.check(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	h := &LambdaHandler{function: invoke.New(f), config: c, binary: binary, local: isLocal(f)}
	h.init(c.Concurrency)
	if c.Stream {
		h.streamer, _ = f.(Streamer)
	}
	return h, nil
}

var errNoInvoker = errors.New("integration: want an Invoker, got nil")

// ServeHTTP calls the function and sends its answer. The integration's outcome is noted in the
// RequestContext.
func (h *LambdaHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	payload, err := h.event(rc, r)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	c := h.start(r, h.config.Timeout, h.config.FunctionARN, h.local)
	if h.config.Stream {
		h.serveStream(w, r, c, payload)
		return
	}
	answer, err := h.answer(c, r, payload)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.note(gatekit.Integration{Status: answer.status}, nil)
	answer.write(w, r, rc)
}

// answer calls the function and reads its reply.
func (h *LambdaHandler) answer(c *running, r *http.Request, payload []byte) (reply, error) {
	out, err := c.invoke(h.function, payload, h.config.MaxReplyBytes)
	if err != nil {
		return reply{}, err
	}
	switch flavor := c.rc.API.Flavor; {
	case flavor == gatekit.REST:
		return contractREST.parse(out, h.binary.Has(r.Header.Get("Accept")))
	case flavor == gatekit.WebSocket, h.config.PayloadFormatVersion == "1.0":
		return contractV1.parse(out, true)
	}
	return contractV2.parse(out, true)
}
