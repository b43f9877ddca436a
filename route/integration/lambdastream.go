package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Streamer is an Invoker whose functions can answer bit by bit. (Lambda developer guide, "Response
// streaming for Lambda functions".)
type Streamer interface {
	gatekit.Invoker
	// InvokeStream calls the function as Invoke does, and returns its answer as it comes: metadata
	// in JSON, eight zero bytes, body. An error of Read other than io.EOF means that the function
	// failed on its way. Close ends the call and makes a Read that is waiting return; it may be
	// called more than once.
	InvokeStream(ctx context.Context, payload []byte) (io.ReadCloser, error)
}

// StreamFunction makes a Streamer of a function of aws-lambda-go that returns a reader, such as
// *events.APIGatewayProxyStreamingResponse or *events.LambdaFunctionURLStreamingResponse, and that
// runs in this process. (lambda.NewHandler(fn) reads such an answer to its end before it returns
// any of it.) It panics if fn is nil.
func StreamFunction[E any, R io.Reader](fn func(context.Context, E) (R, error)) Streamer {
	if fn == nil {
		panic("integration: StreamFunction: want a function, got nil")
	}
	return localStream{func(ctx context.Context, payload []byte) (io.Reader, error) {
		var e E
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, err
		}
		return fn(ctx, e)
	}}
}

type localStream struct {
	call func(context.Context, []byte) (io.Reader, error)
}

// Invoke implements gatekit.Invoker: the whole stream.
func (s localStream) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	from, err := s.call(ctx, payload)
	if err != nil {
		return nil, err
	}
	if c, ok := from.(io.Closer); ok {
		defer c.Close()
	}
	return io.ReadAll(from)
}

// InvokeStream implements Streamer. A goroutine reads from the function's reader, so that one that
// blocks holds up nobody; it ends when that reader does.
func (s localStream) InvokeStream(ctx context.Context, payload []byte) (io.ReadCloser, error) {
	from, err := s.call(ctx, payload)
	if err != nil {
		return nil, err
	}
	out, in := io.Pipe()
	go func() {
		var err error
		defer func() {
			if v := recover(); v != nil {
				err = panicked(v)
			}
			_ = in.CloseWithError(err)
		}()
		if c, ok := from.(io.Closer); ok {
			defer c.Close()
		}
		_, err = io.Copy(in, from)
	}()
	return out, nil
}

// delimiter stands between a stream's metadata and its body.
var delimiter = make([]byte, 8)

const streamChunk = 32 << 10

var (
	errMetadata = malformed("want metadata and eight zero bytes within the first 16 KiB of a stream")
	errIdle     = errors.New("integration: the function's stream paused for longer than IdleTimeout")
)

// serveStream sends the function's answer as it comes.
func (h *LambdaHandler) serveStream(w http.ResponseWriter, r *http.Request, c *running, payload []byte) {
	defer c.cancel()
	defer context.AfterFunc(c.client, c.cancel)() // a stream is of no use to anybody else
	s, err := await(c, func(ctx context.Context) (*stream, error) { return h.open(ctx, payload) })
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.of.running.Add(1)
	defer c.of.running.Add(-1)
	defer s.Close()
	idle := time.AfterFunc(h.config.IdleTimeout, func() { s.fail(errIdle) })
	defer idle.Stop()
	s.onRead = func() { idle.Reset(h.config.IdleTimeout) }

	answer, rest, err := s.metadata()
	if err != nil {
		switch why := s.failed(); {
		case errors.Is(why, errIdle):
			err = errTimeout
		case c.client.Err() != nil:
			err = errClient
		case why != nil:
			err = c.ended()
		}
		c.refuse(w, r, err)
		return
	}
	answer.writeHeader(w, r, c.rc)
	outcome := gatekit.Integration{Status: answer.status}
	err = s.copy(w, rest, httpword.BodySent(r.Method, answer.status))
	if err != nil && !errors.Is(err, errClient) {
		outcome.FunctionError = functionErrorOf(err).text()
	}
	c.note(outcome, err)
	if err != nil {
		panic(http.ErrAbortHandler) // the status is out: only the connection can tell that this isn't the end
	}
}

// open calls the function. Whatever becomes of the call, its stream is closed when ctx ends.
func (h *LambdaHandler) open(ctx context.Context, payload []byte) (*stream, error) {
	var from io.ReadCloser
	if h.streamer == nil {
		out, err := h.function.Invoke(ctx, payload)
		if err != nil {
			return nil, err
		}
		from = io.NopCloser(bytes.NewReader(out))
	} else {
		var err error
		if from, err = h.streamer.InvokeStream(ctx, payload); err != nil {
			return nil, err
		}
	}
	s := &stream{from: from}
	context.AfterFunc(ctx, func() { s.fail(ctx.Err()) })
	return s, nil
}

// stream is a function's answer as it comes.
type stream struct {
	from   io.ReadCloser
	onRead func()

	mu     sync.Mutex
	closed bool
	why    error
}

// fail closes the stream for a reason, unless it is closed.
func (s *stream) fail(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed, s.why = true, why
		_ = s.from.Close()
	}
}

// Close closes the stream, once.
func (s *stream) Close() error {
	s.fail(nil)
	return nil
}

// failed is why the stream was closed before its end: IdleTimeout or the end of its context.
func (s *stream) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// metadata reads up to the delimiter. rest is what came with it of the body.
func (s *stream) metadata() (answer reply, rest []byte, err error) {
	var b []byte
	for {
		if at := bytes.Index(b, delimiter); at >= 0 && at <= metadataBytes {
			answer, err = contractStream.parse(b[:at], false)
			return answer, b[at+len(delimiter):], err
		}
		if len(b) >= metadataBytes+len(delimiter) {
			return reply{}, nil, errMetadata
		}
		if b == nil {
			b = make([]byte, 0, 4<<10)
		}
		n, err := s.from.Read(grown(&b))
		b = b[:len(b)+n]
		s.onRead()
		switch {
		case n > 0 || err == nil:
		case errors.Is(err, io.EOF):
			return reply{}, nil, errMetadata
		default:
			return reply{}, nil, err
		}
	}
}

// grown returns the room behind *b, which it makes.
func grown(b *[]byte) []byte {
	if cap(*b)-len(*b) < 512 {
		bigger := make([]byte, len(*b), 2*cap(*b)+512)
		copy(bigger, *b)
		*b = bigger
	}
	return (*b)[len(*b):cap(*b)]
}

// copy sends the body as it comes. The error is why it isn't all of it.
func (s *stream) copy(w http.ResponseWriter, rest []byte, allowed bool) error {
	if !allowed {
		return nil
	}
	control := http.NewResponseController(w)
	send := func(b []byte) error {
		if len(b) > 0 {
			if _, err := w.Write(b); err != nil {
				return errClient
			}
		}
		_ = control.Flush() // a writer that can't sends when it can
		return nil
	}
	if err := send(rest); err != nil {
		return err
	}
	chunk := make([]byte, streamChunk)
	for {
		n, err := s.from.Read(chunk)
		s.onRead()
		if n > 0 {
			if err := send(chunk[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case s.failed() != nil:
			return s.failed()
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}
