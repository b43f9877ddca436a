package upstream

import (
	"sync/atomic"
	"time"
)

// slowest is how many bytes a second a client must send or take that others aren't to overtake.
const slowest = 32 << 10

// pace is how a client keeps up in one direction. One goroutine writes to it, any may read it.
type pace struct {
	since atomic.Int64 // since when the client is waited for, in Unix nanoseconds; 0: it isn't
	// behind is by how many nanoseconds it is slower than slowest; never less than 0, so that no
	// credit can be saved up.
	behind atomic.Int64
	waited atomic.Int64 // how long it was waited for in all
	bytes  atomic.Int64
}

func (p *pace) begin(now time.Time) { p.since.Store(now.UnixNano()) }

func (p *pace) end(now time.Time, n int) {
	took := now.UnixNano() - p.since.Swap(0)
	p.waited.Add(took)
	p.bytes.Add(int64(n))
	p.behind.Store(max(p.behind.Load()+took-int64(timeFor(int64(n))), 0))
}

// late returns how far behind the client is.
func (p *pace) late(now time.Time) time.Duration {
	behind := p.behind.Load()
	if since := p.since.Load(); since != 0 {
		behind += now.UnixNano() - since
	}
	return time.Duration(behind)
}

// timeFor is how long n bytes may take.
func timeFor(n int64) time.Duration { return time.Duration(n) * (time.Second / slowest) }
