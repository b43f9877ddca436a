package cache

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/flight"
)

// call is an answer that is being made, in the goroutine of the request that asked first. It ends
// with an entry, or nil for an answer that isn't one to keep.
type call struct {
	*flight.Call[*Entry]
	// mark is where the store stood when it was asked for: who comes after a flush doesn't wait for
	// what was asked for before it.
	mark Mark
	// since is when the call began to write to its client, in Unix nanoseconds, 0 while it doesn't;
	// wrote is how long it took to write before.
	since, wrote atomic.Int64
}

// errLost ends a call whose client went away, or whose handler panicked, before it was known
// whether the answer is one to keep: that says nothing of the answer, so another request asks.
var errLost = errors.New("cache: the request ended before its answer")

func newCall(mark Mark) *call { return &call{Call: flight.New[*Entry](), mark: mark} }

// patience is how long one client's slow reading may hold up the others that wait for the same
// answer.
const patience = time.Second

// maxLost is how often a request waits for another one whose client then goes away. Without a bound
// a client that keeps breaking off could keep it waiting for ever.
const maxLost = 3

// write writes to the call's client.
func (c *call) write(w io.Writer, b []byte) (int, error) {
	began := time.Now()
	c.since.Store(began.UnixNano())
	n, err := w.Write(b)
	c.since.Store(0)
	c.wrote.Add(int64(time.Since(began)))
	return n, err
}

// heldUp reports whether the call's client takes its time to read.
func (c *call) heldUp(now time.Time) bool {
	took := c.wrote.Load()
	if since := c.since.Load(); since != 0 {
		took += now.UnixNano() - since
	}
	return took >= int64(patience)
}

// begin makes own the call that others wait for, or returns the one that is.
func (c *Cache) begin(at Key, own *call) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if running := c.calls[at]; running != nil && running.mark == own.mark {
		return running
	}
	c.calls[at] = own
	return own
}

// passes returns the key's time in c.passing.
func (c *Cache) passes(key Key) *atomic.Int64 {
	return &c.passing[key.hash()%uint64(len(c.passing))]
}

func (c *Cache) leave(at Key, own *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[at] == own {
		delete(c.calls, at)
	}
}

// passFor is how long requests don't wait for each other after an answer that isn't one to keep:
// waiting for the next would be in vain too.
const passFor = 10 * time.Second
