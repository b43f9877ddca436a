package lambdaruntime

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/route/integration"
)

// Function is a Lambda function that runs in processes of this machine. It is a gatekit.Invoker and
// an [integration.Streamer], and safe for concurrent use.
type Function struct {
	config Config
	env    []string
	log    *lines
	slots  chan struct{} // one is held by each call, so that there are never more processes

	mu      sync.Mutex
	idle    []*process // the one that was used last is the last
	all     map[*process]bool
	closed  bool
	calls   int           // with streams that aren't closed
	drained chan struct{} // closed when there are none and Shutdown waits for that
	asking  sync.WaitGroup
	changes int // of the code
	broken  error

	open  context.Context // until Close
	close context.CancelFunc

	looking sync.Mutex // held by whoever looks for changes
	code    code
}

// New returns a function, or one error that lists every field it refuses. No process is started
// before the first call. Close ends those that were.
func New(c Config) (*Function, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	f := &Function{
		config: c, env: c.environ(), log: newLines(c.Name, c.Log),
		slots: make(chan struct{}, c.Concurrency), all: map[*process]bool{},
	}
	f.open, f.close = context.WithCancel(context.Background())
	if _, err := os.Stat(c.Command[0]); c.Reload && (err == nil || !c.isBuiltLater()) {
		f.code.read(&f.config) // what is there now is no change; a program that isn't there is one
	}
	return f, nil
}

// ErrClosed is what calls after Close or Shutdown return: the service's word for a function that
// isn't there any more.
var ErrClosed error = &integration.InvokeError{Status: 404, Code: "ResourceNotFoundException"}

// begin counts a call, if there may still be one.
func (f *Function) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.calls++
	f.asking.Add(1)
	return true
}

// finish ends a call that had a slot.
func (f *Function) finish(p *process) {
	f.release(p)
	f.end()
}

// end uncounts a call.
func (f *Function) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls--; f.calls == 0 && f.drained != nil {
		close(f.drained)
		f.drained = nil
	}
}

// acquire returns a process that has no call, or nil where one has to be started. It waits for one
// of the slots.
func (f *Function) acquire(ctx context.Context) (*process, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-f.open.Done():
		return nil, ErrClosed
	}
	if f.config.Reload {
		f.reload()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		<-f.slots
		return nil, f.broken
	}
	for len(f.idle) > 0 {
		p := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if p.wake() {
			return p, nil
		}
	}
	return nil, nil
}

// reload ends idle processes if the code has changed; the others aren't kept once they are.
// Somebody else who is looking is not waited for.
func (f *Function) reload() {
	if !f.looking.TryLock() {
		return
	}
	changed, err := f.code.changed(&f.config), error(nil)
	if changed && f.config.Build != nil {
		ctx, cancel := context.WithTimeout(f.open, maxBuild)
		err = f.config.Build(ctx)
		cancel()
		f.code.read(&f.config) // what was built is no change
	}
	f.looking.Unlock()
	if !changed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	f.broken = nil
	if err != nil {
		f.broken = &integration.FunctionError{Type: "Runtime.BuildError", Message: err.Error()}
	}
	for _, p := range f.idle {
		go p.stop(errReloaded)
	}
	f.idle = nil
}

// release gives a slot back, and keeps p for the next call if it is of use.
func (f *Function) release(p *process) {
	if p != nil {
		f.keep(p)
	}
	<-f.slots
}

func (f *Function) keep(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case p.ended.Err() != nil:
	case f.closed:
		go p.stop(ErrClosed)
	case p.changes != f.changes:
		go p.stop(errReloaded)
	default:
		p.rest(f.config.IdleTimeout)
		f.idle = append(f.idle, p)
	}
}

// forget removes a process that has ended.
func (f *Function) forget(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, p)
	for i, other := range f.idle {
		if other == p {
			f.idle = append(f.idle[:i], f.idle[i+1:]...)
			return
		}
	}
}

var (
	errReloaded = errors.New("lambdaruntime: the code has changed")
	errIdle     = errors.New("lambdaruntime: the process had no calls")
)

// Shutdown refuses further calls, waits for those that are running, and then does what Close does.
// When ctx ends first it returns ctx's error, and Close ends the calls that are left.
func (f *Function) Shutdown(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	if f.drained == nil {
		f.drained = make(chan struct{})
	}
	drained := f.drained
	if f.calls == 0 {
		close(drained)
		f.drained = nil
	}
	f.mu.Unlock()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = ctx.Err()
	}
	return errors.Join(err, f.Close())
}

// Close refuses further calls, ends all processes with what they have started, and waits until they
// are gone and what they have printed is written, for as long as closing takes at most: a process
// has a second to end itself, and Log two to take what is left. Calls that were running fail with
// Runtime.ExitError. It may be called more than once; the error is always nil.
func (f *Function) Close() error {
	f.close()
	f.mu.Lock()
	f.closed = true
	f.idle = nil
	all := make([]*process, 0, len(f.all))
	for p := range f.all {
		all = append(all, p)
	}
	f.mu.Unlock()
	for _, p := range all {
		go p.stop(ErrClosed)
	}
	for _, p := range all {
		<-p.gone
	}
	f.asking.Wait() // each ends with its process
	f.log.close(2 * time.Second)
	return nil
}
