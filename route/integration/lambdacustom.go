package integration

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// LambdaCustomConfig configures a [LambdaCustomHandler]. The zero value has the managed gateway's
// timeout and Lambda's limits.
type LambdaCustomConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Timeout is how long the function may take. 0 is 29 s (30 s on HTTP APIs); otherwise 50 ms to
	// 15 minutes.
	Timeout time.Duration
	// AsyncTimeout is how long a function may take that nobody waits for. 0 is 15 minutes, Lambda's
	// most; otherwise 50 ms to 15 minutes.
	AsyncTimeout time.Duration
	// MaxEventBytes bounds the request's body. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxEventBytes int64
	// MaxReplyBytes bounds what the function returns. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxReplyBytes int64
	// Concurrency is how many calls may run at the same time, those that nobody waits for among
	// them. 0 is 1,000.
	Concurrency int
	// FunctionARN is what functions in this process find in their lambdacontext. Optional.
	FunctionARN string
}

// LambdaCustomHandler is the Lambda custom integration of REST APIs (type AWS, non-proxy), without
// its mappings: it is for use under transform.REST. It is safe for concurrent use.
type LambdaCustomHandler struct {
	calls
	function gatekit.Invoker
	config   LambdaCustomConfig
	local    bool
}

// NewLambdaCustom returns a handler that calls f, or one error that lists every field it refuses.
//
// The event is the request's body as it is, {} if there is none. The answer is 200,
// application/json, and what the function returned. Where the function failed it is the error's
// JSON, with its errorMessage as the Integration's FunctionError, which selection patterns match. A
// body that isn't JSON is the Lambda service's 400. With the header X-Amz-Invocation-Type: Event
// the answer is 202 without a body, and nobody waits for the function
// ([LambdaCustomHandler.Shutdown] does).
func NewLambdaCustom(f gatekit.Invoker, c LambdaCustomConfig) (*LambdaCustomHandler, error) {
	m := mistakes.In("integration: LambdaCustomConfig")
	if f == nil {
		m.Join(errNoInvoker)
	}
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, minTimeout, maxTimeout)
	mistakes.RangeOrZero(m, "AsyncTimeout", c.AsyncTimeout, minTimeout, maxTimeout)
	mistakes.Range(m, "MaxEventBytes", c.MaxEventBytes, 0, maxBytes)
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, maxBytes)
	mistakes.Range(m, "Concurrency", c.Concurrency, 0, maxConcurrency)
	if err := m.Err(); err != nil {
		return nil, err
	}
	c.AsyncTimeout = cmp.Or(c.AsyncTimeout, maxTimeout)
	c.MaxEventBytes = cmp.Or(c.MaxEventBytes, lambdaBytes)
	c.MaxReplyBytes = cmp.Or(c.MaxReplyBytes, lambdaBytes)
	h := &LambdaCustomHandler{function: invoke.New(f), config: c, local: isLocal(f)}
	h.calls.init(cmp.Or(c.Concurrency, defaultConcurrency))
	return h, nil
}

// ServeHTTP calls the function with the request's body.
func (h *LambdaCustomHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, r = gatekit.Attach(r)
	var room bytes.Buffer // the function's, which may keep it
	payload, err := wholebody.Into(&room, "integration", r, h.config.MaxEventBytes)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	kind := r.Header.Get("X-Amz-Invocation-Type")
	timeout := h.config.Timeout
	if kind == "Event" {
		timeout = h.config.AsyncTimeout
	}
	c := h.start(r, timeout, h.config.FunctionARN, h.local)
	switch {
	case !jsonscan.Valid(payload):
		c.note(gatekit.Integration{Status: http.StatusBadRequest, ServiceStatus: http.StatusBadRequest}, nil)
		answer(w, http.StatusBadRequest, []byte(`{"Type":"User","message":"Could not parse request body into json"}`))
		return
	case kind == "Event":
		h.serveEvent(w, r, c, payload)
		return
	case kind != "" && kind != "RequestResponse":
		c.refuse(w, r, &InvokeError{Status: http.StatusBadRequest, Code: "InvalidParameterValueException"})
		return
	}
	out, err := c.invoke(h.function, payload, h.config.MaxReplyBytes)
	switch {
	case err == nil:
		c.note(gatekit.Integration{Status: http.StatusOK}, nil)
		answer(w, http.StatusOK, out)
	case c.isFunctions(err):
		failed := functionErrorOf(err)
		// The status is the Lambda service's.
		c.note(gatekit.Integration{Status: http.StatusOK, FunctionError: failed.text()}, err)
		answer(w, http.StatusOK, failed.JSON())
	default:
		c.refuse(w, r, err)
	}
}

// serveEvent calls the function and doesn't wait for it.
func (h *LambdaCustomHandler) serveEvent(w http.ResponseWriter, r *http.Request, c *running, payload []byte) {
	if !h.begin() {
		c.refuse(w, r, errThrottled)
		return
	}
	unhook := context.AfterFunc(h.all, c.cancel)
	go func() {
		defer h.end()
		defer c.cancel()
		defer unhook()
		defer func() { _ = recover() }() // as of every failure, nobody hears of it
		_, _ = h.function.Invoke(c.ctx, payload)
	}()
	c.rc.SetIntegration(gatekit.Integration{
		Status: http.StatusAccepted, ServiceStatus: http.StatusAccepted, Latency: time.Since(c.began),
	})
	w.WriteHeader(http.StatusAccepted)
}

func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"] = []string{applicationJSON}, []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no fault of ours
}
