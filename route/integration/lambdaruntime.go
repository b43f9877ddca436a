package integration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/traceid"
)

// RuntimeAPIConfig configures a [RuntimeAPI]. The zero value works.
type RuntimeAPIConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MaxReplyBytes bounds the answer of a function that doesn't stream. 0 is 6 MiB, Lambda's. At
	// most 1 GiB.
	MaxReplyBytes int64
	// FunctionARN is what functions are told of themselves. Optional.
	FunctionARN string
}

// RuntimeAPI is the Lambda runtime API: the endpoint that a function's own program asks for its
// next event and gives its answers to. So the programs that run in Lambda run here, unchanged and
// in any language: start them with AWS_LAMBDA_RUNTIME_API set to the host and port at which
// RuntimeAPI, an http.Handler, is served. Each program takes one event at a time; as many run as
// are started.
//
// It is an Invoker and a [Streamer]. A call waits until a program asks for an event; one whose
// program dies waits until its context ends. It is safe for concurrent use. Serve it on a loopback
// address: whoever reaches it sees events and answers for the function. (Lambda developer guide,
// "Using the Lambda runtime API for custom runtimes".)
type RuntimeAPI struct {
	config RuntimeAPIConfig
	next   chan *invocation

	mu      sync.Mutex
	waiting map[string]*invocation // by request ID, of those without an answer
	// late are those that nobody waits for any longer: a program that is refused its answer ends
	// itself.
	late map[string]struct{}
	last uint64
}

// NewRuntimeAPI returns a RuntimeAPI, or one error that lists every field it refuses.
func NewRuntimeAPI(c RuntimeAPIConfig) (*RuntimeAPI, error) {
	m := mistakes.In("integration: RuntimeAPIConfig")
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, maxBytes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	c.MaxReplyBytes = cmp.Or(c.MaxReplyBytes, lambdaBytes)
	return &RuntimeAPI{
		config: c, next: make(chan *invocation), waiting: map[string]*invocation{}, late: map[string]struct{}{},
	}, nil
}

// invocation is one event on its way through a program.
type invocation struct {
	id      string
	ctx     context.Context
	payload []byte
	answer  chan runtimeAnswer // has room for one
}

// runtimeAnswer is what a program posted, and the end of its post.
type runtimeAnswer struct {
	from *runtimeBody
	err  error
}

// Invoke implements gatekit.Invoker.
func (a *RuntimeAPI) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	body, err := a.InvokeStream(ctx, payload)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	out, err := io.ReadAll(io.LimitReader(body, a.config.MaxReplyBytes+1))
	if err == nil && int64(len(out)) > a.config.MaxReplyBytes {
		err = errReplySize
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// InvokeStream implements [Streamer].
func (a *RuntimeAPI) InvokeStream(ctx context.Context, payload []byte) (io.ReadCloser, error) {
	i := &invocation{ctx: ctx, payload: payload, answer: make(chan runtimeAnswer, 1)}
	a.mu.Lock()
	a.last++
	i.id = fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(time.Now().Unix()), a.last) // the form that programs know
	a.mu.Unlock()
	a.put(i) // before a program can have it: from then on, whoever takes it out answers it
	defer a.take(i.id)
	select {
	case a.next <- i:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case answer := <-i.answer:
		invoke.Tell(ctx, invoke.Outcome{Status: http.StatusOK, RequestID: i.id})
		if answer.err != nil {
			return nil, answer.err
		}
		return answer.from, nil
	case <-ctx.Done():
		if !a.abandon(i.id) { // its answer is just coming
			if answer := <-i.answer; answer.from != nil {
				_ = answer.from.Close()
			}
		}
		return nil, ctx.Err()
	}
}

// put keeps an invocation until it is answered.
func (a *RuntimeAPI) put(i *invocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[i.id] = i
}

// take returns the invocation with this ID, once.
func (a *RuntimeAPI) take(id string) *invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.waiting[id]
	delete(a.waiting, id)
	return i
}

// maxLate bounds how many programs may be at work for nobody.
const maxLate = 10_000

// abandon gives up waiting for an answer, and reports false if it is there.
func (a *RuntimeAPI) abandon(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[id] == nil {
		return false
	}
	delete(a.waiting, id)
	if len(a.late) < maxLate {
		a.late[id] = struct{}{}
	}
	return true
}

// isLate reports whether an answer comes for nobody, once.
func (a *RuntimeAPI) isLate(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, late := a.late[id]
	delete(a.late, id)
	return late
}

const runtimePath = "/2018-06-01/runtime/"

// ServeHTTP answers programs.
func (a *RuntimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, runtimePath)
	id, verb, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case path == "invocation/next" && r.Method == http.MethodGet:
		a.serveNext(w, r)
	case path == "init/error" && r.Method == http.MethodPost: // a program that couldn't start, and ends
		a.accepted(w)
	case strings.HasPrefix(path, "invocation/") && verb == "response" && r.Method == http.MethodPost:
		a.serveResponse(w, r, id)
	case strings.HasPrefix(path, "invocation/") && verb == "error" && r.Method == http.MethodPost:
		a.serveError(w, r, id)
	default:
		http.NotFound(w, r)
	}
}

// serveNext gives a program its next event, when there is one.
func (a *RuntimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case i := <-a.next:
		deadline, ok := i.ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(maxTimeout)
		}
		h := w.Header()
		h.Set("Content-Type", applicationJSON)
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		// Rounded up: the time isn't over before.
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli()+1, 10))
		a.describe(h, i)
		h.Set("Content-Length", strconv.Itoa(len(i.payload)))
		_, err := w.Write(i.payload)
		if err == nil {
			err = http.NewResponseController(w).Flush()
		}
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			a.fail(i.id, &FunctionError{Type: "Runtime.ExitError", Message: "the program went away"})
		}
	case <-r.Context().Done():
	}
}

// describe tells the program what is known of the call beside its event.
func (a *RuntimeAPI) describe(h http.Header, i *invocation) {
	lc, ok := lambdacontext.FromContext(i.ctx)
	if !ok {
		lc = &lambdacontext.LambdaContext{}
	}
	if arn := cmp.Or(lc.InvokedFunctionArn, a.config.FunctionARN); arn != "" {
		h.Set("Lambda-Runtime-Invoked-Function-Arn", arn)
	}
	if lc.Identity != (lambdacontext.CognitoIdentity{}) {
		setJSON(h, "Lambda-Runtime-Cognito-Identity", lc.Identity)
	}
	if lc.ClientContext.Client != (lambdacontext.ClientApplication{}) || lc.ClientContext.Env != nil ||
		lc.ClientContext.Custom != nil {
		setJSON(h, "Lambda-Runtime-Client-Context", lc.ClientContext)
	}
	if rc := gatekit.From(i.ctx); rc != nil {
		sent, _ := i.ctx.Value(traceHeader{}).([]string)
		trace := traceid.Of(rc, sent, rc.API.Flavor == gatekit.REST, rc.Time)
		h.Set("Lambda-Runtime-Trace-Id", trace.String())
	}
}

// setJSON sets a header to what v is in JSON.
func setJSON(h http.Header, name string, v any) {
	if text, err := json.Marshal(v); err == nil {
		h.Set(name, string(text))
	}
}

func (a *RuntimeAPI) fail(id string, err error) {
	if i := a.take(id); i != nil {
		i.answer <- runtimeAnswer{err: err}
	}
}

// serveResponse passes a program's answer on, as it comes.
func (a *RuntimeAPI) serveResponse(w http.ResponseWriter, r *http.Request, id string) {
	i := a.take(id)
	if i == nil {
		a.unknown(w, id)
		return
	}
	body := &runtimeBody{r: r, done: make(chan struct{})}
	i.answer <- runtimeAnswer{from: body}
	select { // the post lasts as long as its answer is read
	case <-body.done:
	case <-r.Context().Done():
	}
	if !body.mu.TryLock() { // a Read is waiting for the program
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		body.mu.Lock() // no Read may be in r.Body once this returns
	}
	body.ended = true
	body.mu.Unlock()
	a.accepted(w)
}

// serveError passes on what a program failed with.
func (a *RuntimeAPI) serveError(w http.ResponseWriter, r *http.Request, id string) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxErrorBytes))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	i := a.take(id)
	if i == nil {
		a.unknown(w, id)
		return
	}
	i.answer <- runtimeAnswer{err: errorOf(r.Header.Get("Lambda-Runtime-Function-Error-Type"), payload)}
	a.accepted(w)
}

const maxErrorBytes = 256 << 10

func (a *RuntimeAPI) accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", applicationJSON)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func (a *RuntimeAPI) unknown(w http.ResponseWriter, id string) {
	if a.isLate(id) {
		a.accepted(w)
		return
	}
	w.Header().Set("Content-Type", applicationJSON)
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
}

// runtimeBody is an answer as a program posts it. A failure on the way comes in the post's
// trailers.
type runtimeBody struct {
	r    *http.Request
	once sync.Once
	done chan struct{}

	mu    sync.Mutex
	ended bool
}

var errEnded = errors.New("integration: the program's answer ended early")

// Read implements io.Reader.
func (b *runtimeBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, errEnded
	}
	n, err := b.r.Body.Read(p)
	if errors.Is(err, io.EOF) {
		if kind := b.r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
			text, _ := base64.StdEncoding.DecodeString(b.r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
			return n, errorOf(kind, bytes.TrimSpace(text))
		}
	}
	return n, err
}

// Close ends the post.
func (b *runtimeBody) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}
