// Package flight makes one call for many who wait for it: a key set that a thousand tokens ask for,
// a decision on one caller, the tokens that a machine takes from Redis in advance.
//
// A [Call] is one call and its result. A [Group] keeps the calls that are under way by what they
// are for, so that who comes while one is under way joins it.
//
// golang.org/x/sync/singleflight isn't used, as three things that callers here rely on can't be had
// from it: who waits can give up at the end of their own context and leave the others' call alone;
// a call that nobody waits for any longer is canceled; a key is any comparable value, and not a
// string that is put together for each request. A panic in a call is an error of everybody who
// waits, where singleflight ends the program: what is called is the user's function, in a goroutine
// that isn't a request's, and net/http, which recovers panics of requests, would not see it.
package flight

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// PanicError says that a call panicked. It names the type of the value and not the value, which may
// hold a secret.
type PanicError struct{ Type string }

// Error implements error.
func (e *PanicError) Error() string { return "the call panicked with a " + e.Type }

// Call is one call. It is safe for concurrent use.
type Call[T any] struct {
	ctx    context.Context // the call's own; nil where who made it makes it in its own goroutine
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once

	// Written before done is closed, read after.
	value T
	err   error

	// mu is the group's for a call of a group: whether somebody waits and whether one may still
	// join are one question.
	mu      *sync.Mutex
	waiting int
	left    func() // called with mu held when the last of those who waited leaves
}

// New returns a call that its caller makes: it calls End, whatever happens.
func New[T any]() *Call[T] { return &Call[T]{done: make(chan struct{}), mu: new(sync.Mutex)} }

// Start makes the call f in a goroutine of its own. f's context has the values of ctx and not its
// end: it ends after timeout (none if 0), and when everybody who waited has left.
func Start[T any](ctx context.Context, timeout time.Duration, f func(context.Context) (T, error)) *Call[T] {
	c := prepare[T](ctx, timeout)
	go c.run(f, nil)
	return c
}

func prepare[T any](ctx context.Context, timeout time.Duration) *Call[T] {
	c := New[T]()
	c.ctx = context.WithoutCancel(ctx)
	if timeout > 0 {
		c.ctx, c.cancel = context.WithTimeout(c.ctx, timeout)
	} else {
		c.ctx, c.cancel = context.WithCancel(c.ctx)
	}
	return c
}

// run makes the call, and calls landed, if it isn't nil, before the result is told.
func (c *Call[T]) run(f func(context.Context) (T, error), landed func()) {
	var value T
	var err error
	returned := false
	defer c.cancel()
	defer func() { // also where f ends the goroutine with runtime.Goexit, which leaves nothing to recover
		if !returned {
			err = &PanicError{fmt.Sprintf("%T", recover())}
		}
		if landed != nil {
			landed()
		}
		c.End(value, err)
	}()
	value, err = f(c.ctx)
	returned = true
}

// End gives the call its result, once; only the first result counts. It reports whether this was
// it.
func (c *Call[T]) End(value T, err error) (first bool) {
	c.once.Do(func() {
		c.value, c.err, first = value, err, true
		close(c.done)
	})
	return first
}

// Done is closed when the call has its result.
func (c *Call[T]) Done() <-chan struct{} { return c.done }

// Result returns the result. Done must be closed.
func (c *Call[T]) Result() (T, error) { return c.value, c.err }

// Wait waits for the result, or for the end of ctx, whose error it returns then. If the call's own
// context ends and the call doesn't heed it, nobody waits any longer: the error is that of the
// call's context.
func (c *Call[T]) Wait(ctx context.Context) (T, error) {
	c.mu.Lock()
	c.waiting++
	c.mu.Unlock()
	return c.wait(ctx)
}

// wait is Wait for somebody who has been counted.
func (c *Call[T]) wait(ctx context.Context) (T, error) {
	var overdue <-chan struct{} // never, where the call has no context
	if c.ctx != nil {
		overdue = c.ctx.Done()
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-overdue:
		select {
		case <-c.done: // the context ends with the call as well
			return c.value, c.err
		default:
		}
		var none T
		c.leave()
		return none, c.ctx.Err()
	case <-ctx.Done():
		var none T
		c.leave()
		return none, ctx.Err()
	}
}

func (c *Call[T]) leave() {
	c.mu.Lock()
	c.waiting--
	last := c.waiting == 0
	if last && c.left != nil {
		c.left()
	}
	c.mu.Unlock()
	if last && c.cancel != nil {
		c.cancel()
	}
}

// Group keeps the calls that are under way. The zero Group is ready. It is safe for concurrent use
// and must not be copied.
type Group[K comparable, T any] struct {
	mu    sync.Mutex
	calls map[K]*Call[T]
}

// Do joins the call for key that is under way, or makes it as [Start] does, and waits as
// [Call.Wait] does. joined tells which.
//
// found, which may be nil, is asked under the group's lock when no call is under way: one may have
// ended since the caller looked for its result elsewhere. What it returns with true is the result,
// and no call is made.
func (g *Group[K, T]) Do(
	ctx context.Context, key K, timeout time.Duration, found func() (T, bool), f func(context.Context) (T, error),
) (value T, joined bool, err error) {
	g.mu.Lock()
	c := g.calls[key]
	if joined = c != nil; !joined {
		if found != nil {
			if value, ok := found(); ok {
				g.mu.Unlock()
				return value, true, nil
			}
		}
		c = prepare[T](ctx, timeout)
		c.mu, c.left = &g.mu, func() { g.forget(key, c) }
		if g.calls == nil {
			g.calls = map[K]*Call[T]{}
		}
		g.calls[key] = c
		go c.run(f, func() { // before the result is told: who comes later must not be given an old one
			g.mu.Lock()
			g.forget(key, c)
			g.mu.Unlock()
		})
	}
	c.waiting++
	g.mu.Unlock()
	value, err = c.wait(ctx)
	return value, joined, err
}

// forget is called with the lock held.
func (g *Group[K, T]) forget(key K, c *Call[T]) {
	if g.calls[key] == c {
		delete(g.calls, key)
	}
}

// Forget makes later callers make calls of their own: those that are under way answer who waits for
// them already.
func (g *Group[K, T]) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.calls)
}
