package integration

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/httpword"
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
	out, err := await(c, func(ctx context.Context) ([]byte, error) { return h.function.Invoke(ctx, payload) })
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	if int64(len(out)) > h.config.MaxReplyBytes {
		c.refuse(w, r, errReplySize)
		return
	}
	as, decode := contractV2, true
	switch {
	case rc.API.Flavor == gatekit.REST:
		as = contractREST
		decode = h.binary.Has(r.Header.Get("Accept"))
	case h.config.PayloadFormatVersion == "1.0" || rc.API.Flavor == gatekit.WebSocket:
		as = contractV1
	}
	answer, err := as.parse(out, decode)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.note(gatekit.Integration{Status: answer.status})
	answer.write(w, r, rc)
}

func (r *reply) write(w http.ResponseWriter, req *http.Request, rc *gatekit.RequestContext) {
	h := w.Header()
	if rc.API.Flavor == gatekit.REST {
		h["X-Amzn-Trace-Id"] = []string{event.Trace(rc, req).String()}
	}
	if httpword.BodyAllowed(r.status) {
		h["Content-Length"] = []string{strconv.Itoa(len(r.body))}
	}
	r.writeHeader(w, rc.API.Flavor)
	if httpword.BodySent(req.Method, r.status) {
		_, _ = w.Write(r.body) // a client that went away is no fault of ours
	}
}

var errReplySize = errors.New("integration: the function's reply is larger than its bound")

// calls are the calls of one integration that are running.
type calls struct {
	limit   int64
	running atomic.Int64

	mu   sync.Mutex
	wait sync.WaitGroup
	shut bool
	stop context.CancelFunc
	all  context.Context // ends when Shutdown gives up waiting
}

func (c *calls) init(limit int) {
	c.limit = int64(limit)
	c.all, c.stop = context.WithCancel(context.Background())
}

// begin reports whether one more call may run.
func (c *calls) begin() bool {
	if c.running.Add(1) > c.limit {
		c.running.Add(-1)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		c.running.Add(-1)
		return false
	}
	c.wait.Add(1)
	return true
}

func (c *calls) end() {
	c.running.Add(-1)
	c.wait.Done()
}

// Shutdown waits until no call is running; new ones are throttled from now on. When ctx ends first
// it ends the contexts of those that are left and returns ctx's error. It is for the end of a
// program, after that of its server.
func (c *calls) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	c.shut = true
	c.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the last call
		c.wait.Wait()
		close(ended)
	}()
	defer c.stop()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// running is one call of a function.
type running struct {
	of     *calls
	rc     *gatekit.RequestContext
	local  bool
	ctx    context.Context
	cancel context.CancelFunc
	client context.Context
	began  time.Time
}

// isLocal reports whether f runs in this process.
func isLocal(f gatekit.Invoker) bool {
	switch f.(type) {
	case localStream:
		return true
	}
	return invoke.IsLocal(f)
}

// start begins a call for r.
func (c *calls) start(r *http.Request, timeout time.Duration, arn string, local bool) *running {
	rc := gatekit.From(r.Context())
	call := &running{of: c, rc: rc, local: local, client: r.Context(), began: time.Now()}
	ctx := lambdacontext.NewContext(context.WithoutCancel(r.Context()), &lambdacontext.LambdaContext{
		AwsRequestID: rc.RequestID(), InvokedFunctionArn: arn,
	})
	call.ctx, call.cancel = context.WithTimeout(ctx, cmp.Or(timeout, rc.API.Flavor.Limits().IntegrationTimeout))
	return call
}

var (
	errTimeout  = errors.New("integration: the function took longer than the timeout")
	errShutdown = errors.New("integration: the call was ended by Shutdown")
	errClient   = errors.New("integration: the client went away")
)

// ended is why the call's time is over, or nil. The clock counts before the context's timer, which
// may come late.
func (c *running) ended() error {
	if deadline, _ := c.ctx.Deadline(); errors.Is(c.ctx.Err(), context.DeadlineExceeded) || !time.Now().Before(deadline) {
		return errTimeout
	}
	if c.ctx.Err() != nil {
		return errShutdown
	}
	return nil
}

// await runs f in a goroutine of its own and waits for it, for the timeout or for the client to go
// away, whatever comes first.
func await[T any](c *running, f func(context.Context) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if !c.of.begin() {
		return none, errThrottled
	}
	unhook := context.AfterFunc(c.of.all, c.cancel)
	result := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if v := recover(); v != nil {
				o = outcome{err: panicked(v)}
			}
			unhook()
			c.of.end()
			result <- o
			// After the result was sent: a client that was gone before has made the other side
			// leave without it, and nobody else would free the context before its timeout.
			if c.client.Err() != nil {
				c.cancel()
			}
		}()
		o.value, o.err = f(c.ctx)
	}()
	select {
	case o := <-result:
		if o.err != nil && c.client.Err() == nil {
			if over := c.ended(); over != nil { // it heeded its context
				o.err = over
			}
		}
		return o.value, o.err
	case <-c.ctx.Done():
		return none, c.ended()
	case <-c.client.Done():
		select {
		case <-result: // it had ended before
			c.cancel()
		default:
		}
		return none, errClient
	}
}

// note notes the outcome of a call that has ended.
func (c *running) note(i gatekit.Integration) {
	i.Latency = time.Since(c.began)
	c.rc.SetIntegration(i)
	c.cancel()
}

// refuse answers for a function that didn't.
func (c *running) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errClient) { // the function finishes what it has begun, and nobody reads an answer
		c.rc.SetIntegration(gatekit.Integration{Latency: time.Since(c.began)})
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: err})
		return
	}
	rejection := &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway, Cause: err}
	if c.rc.API.Flavor == gatekit.HTTP {
		rejection.Status = http.StatusInternalServerError
	}
	var i gatekit.Integration
	switch {
	case errors.Is(err, errTimeout):
		rejection = &gatekit.Rejection{Type: gatekit.IntegrationTimeout, Cause: err}
	case errors.Is(err, errReplyBase64), errors.Is(err, errThrottled), !c.local && refusedCall(err):
		rejection = &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: err}
	case errors.Is(err, errReply), errors.Is(err, errReplySize), errors.Is(err, errShutdown):
	default:
		i.FunctionError = functionErrorOf(err).text()
	}
	c.note(i)
	gatekit.Reject(w, r, rejection)
}
