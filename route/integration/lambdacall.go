package integration

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
)

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
	id     string // that the function is told
	told   invoke.Told
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
	call := &running{of: c, rc: rc, local: local, client: r.Context(), began: time.Now(), id: rc.RequestID()}
	ctx := lambdacontext.NewContext(context.WithoutCancel(r.Context()), &lambdacontext.LambdaContext{
		AwsRequestID: call.id, InvokedFunctionArn: arn,
	})
	if !local {
		ctx = call.told.Context(ctx)
	}
	if sent := r.Header["X-Amzn-Trace-Id"]; len(sent) > 0 {
		ctx = context.WithValue(ctx, traceHeader{}, sent)
	}
	call.ctx, call.cancel = context.WithTimeout(ctx, cmp.Or(timeout, rc.API.Flavor.Limits().IntegrationTimeout))
	return call
}

// traceHeader is the key of the client's trace header, which a [RuntimeAPI] makes its own of.
type traceHeader struct{}

var (
	errTimeout  = errors.New("integration: the function took longer than the timeout")
	errShutdown = errors.New("integration: the call was ended by Shutdown")
	errClient   = errors.New("integration: the client went away")
)

// ended is why the call's time is over, or nil. The clock counts before the context's timer, which
// may come late.
func (c *running) ended() error {
	deadline, _ := c.ctx.Deadline()
	if errors.Is(c.ctx.Err(), context.DeadlineExceeded) || !time.Now().Before(deadline) {
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

// invoke calls f and returns its reply, which is at most limit bytes.
func (c *running) invoke(f gatekit.Invoker, payload []byte, limit int64) ([]byte, error) {
	out, err := await(c, func(ctx context.Context) ([]byte, error) { return f.Invoke(ctx, payload) })
	if err == nil && int64(len(out)) > limit {
		return nil, errReplySize
	}
	return out, err
}

// note notes the outcome of a call that has ended, with err where the function isn't what failed.
func (c *running) note(i gatekit.Integration, err error) {
	i.Latency = time.Since(c.began)
	c.tell(&i, err)
	if i.FunctionError == "" {
		i.Err = err
	}
	c.rc.SetIntegration(i)
	c.cancel()
}

// refuse answers for a function that didn't.
func (c *running) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errClient) { // the function finishes what it has begun, and nobody reads an answer
		c.rc.SetIntegration(gatekit.Integration{Latency: time.Since(c.began), Err: err})
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
	case c.isFunctions(err):
		i.FunctionError = functionErrorOf(err).text()
	}
	c.note(i, err)
	gatekit.Reject(w, r, rejection)
}

// isFunctions reports whether err is the function's own failure. The others are the gateway's, or
// those of a service that refused the call: the function never ran, or what it said isn't known.
func (c *running) isFunctions(err error) bool {
	for _, other := range [...]error{
		errTimeout, errShutdown, errClient, errThrottled, errReply, errReplyBase64, errReplySize,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return c.local || !refusedCall(err)
}
