package lambdaruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/route/integration"
)

var discard = log.New(io.Discard, "", 0)

// attempts is how often a call looks for a process that takes its event. One that has ended since
// its last call is found out about by asking it.
const attempts = 3

// outcome is how a call ended.
type outcome struct {
	body *stream
	out  []byte
	err  error
}

// Invoke implements gatekit.Invoker. It returns when ctx ends; the function goes on until it
// answers, or its own timeout. What it failed with is a [*integration.FunctionError]; a call that
// was none, as the function is closed, an [*integration.InvokeError].
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	o := f.invoke(ctx, payload, func(s *stream) (o outcome) {
		defer s.Close()
		o.out, o.err = s.all(f.config.MaxReplyBytes)
		return o
	})
	return o.out, o.err
}

// InvokeStream implements [integration.Streamer]. The function's timeout counts until the answer's
// end.
func (f *Function) InvokeStream(ctx context.Context, payload []byte) (io.ReadCloser, error) {
	o := f.invoke(ctx, payload, func(s *stream) outcome { return outcome{body: s} })
	if o.err != nil {
		return nil, o.err
	}
	return o.body, nil
}

// invoke has a goroutine make the call, which may go on for longer than anybody waits.
func (f *Function) invoke(ctx context.Context, payload []byte, read func(*stream) outcome) outcome {
	if !f.begin() {
		return outcome{err: ErrClosed}
	}
	p, err := f.acquire(ctx)
	if err != nil {
		f.asking.Done()
		f.end()
		return outcome{err: err}
	}
	result, left := make(chan outcome), make(chan struct{})
	go func() {
		defer f.asking.Done()
		s, err := f.call(ctx, p, payload)
		o := outcome{err: err}
		if err == nil {
			o = read(s)
		}
		select {
		case result <- o:
		case <-left:
			if o.body != nil {
				_ = o.body.Close()
			}
		}
	}()
	select {
	case o := <-result:
		return o
	case <-ctx.Done():
		close(left)
		return outcome{err: ctx.Err()}
	}
}

// call hands the event to p, or to a new process, and returns the beginning of its answer. The slot
// and the count of the call are given back when the answer is closed, or here if there is none.
func (f *Function) call(ctx context.Context, p *process, payload []byte) (s *stream, err error) {
	for range attempts {
		if p == nil {
			if p, err = f.start(); err != nil {
				break
			}
		}
		handed := p.handed.Load()
		if s, err = f.ask(ctx, p, payload); err == nil {
			return s, nil
		}
		if p.handed.Load() != handed || p.ended.Err() == nil || !p.wasReady() || ctx.Err() != nil {
			break
		}
		p = nil // it was gone before it had the event
	}
	f.finish(p)
	return nil, err
}

func (p *process) wasReady() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// ask hands the event to a process and waits for the beginning of its answer.
func (f *Function) ask(caller context.Context, p *process, payload []byte) (*stream, error) {
	if err := f.awaitReady(p); err != nil {
		return nil, err
	}
	if err := caller.Err(); err != nil { // nobody waits, and nothing was begun
		return nil, err
	}
	deadline := time.Now().Add(f.config.Timeout)
	ctx, cancel := context.WithDeadline(context.WithoutCancel(caller), deadline)
	timer := time.AfterFunc(f.config.Timeout, func() { p.kill(timedOut(f.config.Timeout)) })
	unhook := context.AfterFunc(p.ended, cancel)
	release := func() {
		unhook()
		timer.Stop()
		cancel()
	}
	body, err := p.api.InvokeStream(ctx, payload)
	if err != nil {
		defer release()
		var failed *integration.FunctionError
		if errors.As(err, &failed) && failed.Type != "Runtime.ExitError" {
			return nil, err
		}
		if ctx.Err() != nil && p.ended.Err() == nil { // the deadline's timer came before ours
			p.kill(timedOut(f.config.Timeout))
		}
		return nil, f.whyEnded(p, err)
	}
	return &stream{f: f, p: p, from: body, release: release}, nil
}

// awaitReady waits until a process asks for an event.
func (f *Function) awaitReady(p *process) error {
	if p.wasReady() {
		return nil
	}
	timer := time.NewTimer(f.config.InitTimeout)
	defer timer.Stop()
	select {
	case <-p.ready:
		return nil
	case <-timer.C:
		p.kill(timedOut(f.config.InitTimeout))
	case <-p.ended.Done():
	}
	return f.whyEnded(p, nil)
}

func timedOut(after time.Duration) error {
	return &integration.FunctionError{
		Type: "Sandbox.Timedout", Message: fmt.Sprintf("Error: Task timed out after %.2f seconds", after.Seconds()),
	}
}

// whyEnded is what a call failed with whose process has ended, in Lambda's words, or else err.
func (f *Function) whyEnded(p *process, err error) error {
	switch why := context.Cause(p.ended); {
	case errors.Is(why, ErrClosed), errors.Is(why, errReloaded), errors.Is(why, errIdle):
		return exitError("the process was ended: " + why.Error())
	case why != nil:
		return why
	}
	return err
}

// stream is a process's answer. Its Close ends the call.
type stream struct {
	f       *Function
	p       *process
	from    io.ReadCloser
	release func()
	once    sync.Once
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	n, err := s.from.Read(b)
	var failed *integration.FunctionError
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &failed) {
		s.broken()
		err = s.f.whyEnded(s.p, err)
	}
	return n, err
}

// broken waits for the end of a process that has broken its answer off. One that goes on all the
// same is of no use any more.
func (s *stream) broken() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.p.ended.Done():
	case <-timer.C:
		s.p.kill(exitError("the answer was broken off"))
	}
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.once.Do(func() {
		_ = s.from.Close()
		s.release()
		s.f.finish(s.p)
	})
	return nil
}

// all reads an answer of at most limit bytes.
func (s *stream) all(limit int64) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(s, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(out)) > limit {
		return nil, &integration.FunctionError{Type: "Function.ResponseSizeTooLarge", Message: fmt.Sprintf(
			"Response payload size exceeded maximum allowed payload size (%d bytes).", limit)}
	}
	return out, nil
}
