package accesslog

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// output is where a log's lines go: one after the other, whatever the writer does.
type output struct {
	mu     sync.Mutex
	to     io.Writer
	faults faults
}

func (o *output) write(line []byte) {
	if w, ok := o.to.(*Writer); ok { // which has a lock of its own
		_, _ = w.Write(line)
		return
	}
	o.mu.Lock()
	_, err := safely(o.to, line)
	o.mu.Unlock()
	if err != nil {
		o.faults.report(err, 1)
	}
}

// safely writes to a writer of somebody else's: a log that panics ends no request. It holds a
// writer to what io.Writer says of fewer bytes.
func safely(to io.Writer, b []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("the writer panicked: %v", v)
		}
	}()
	if n, err = to.Write(b); n < len(b) && err == nil {
		err = io.ErrShortWrite
	}
	return min(max(n, 0), len(b)), err
}

// faults tells of lines that were lost, once in a while.
type faults struct {
	log  *slog.Logger
	last atomic.Int64 // when, in seconds
	lost atomic.Int64 // since then
}

// reportInterval is how often a fault is told.
const reportInterval = time.Minute

func (f *faults) report(err error, lines int64) {
	f.lost.Add(lines)
	now := time.Now().Unix()
	last := f.last.Load()
	if now-last < int64(reportInterval/time.Second) || !f.last.CompareAndSwap(last, now) {
		return
	}
	cmp.Or(f.log, slog.Default()).Error("gatekit: the access log can't be written",
		slog.String("error", err.Error()), slog.Int64("lines", f.lost.Swap(0)))
}
