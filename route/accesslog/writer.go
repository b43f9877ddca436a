package accesslog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// WriterConfig configures a [Writer].
type WriterConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// To gets the lines, many in one call of Write. It is required.
	To io.Writer
	// MaxBytes bounds the lines that wait to be written: 0 is 4 MiB, at least [MaxLine]. As much
	// again may be in the writing.
	MaxBytes int
	// Wait is how long a line waits for room where there is none, and its request with it: at most
	// a minute. Then it is dropped. 0 drops it at once: a log that can't keep up costs lines, and
	// no request.
	Wait time.Duration
	// Delay is how long a line waits for company, so that one Write takes many: 0 is 100
	// milliseconds, [gatekit.Off] not at all, at most a minute.
	Delay time.Duration
	// Logger hears of a To that fails, at most once a minute. nil is slog.Default().
	Logger *slog.Logger
}

const (
	defaultMaxBytes = 4 << 20
	defaultDelay    = 100 * time.Millisecond
	maxWait         = time.Minute
)

// Writer takes lines and writes them in a goroutine of its own, so that requests don't wait for a
// disk or a pipe. Of lines that it has no room for, the newest are dropped and counted: those that
// are there are written in their order, whole.
//
// Lines for which To returns an error are dropped and counted, too; where it has taken a part of
// one, a line end follows it. Make it with [NewWriter]; it is safe for concurrent use, and several
// logs may share one.
type Writer struct {
	to      io.Writer
	max     int
	wait    time.Duration
	delay   time.Duration
	faults  faults
	dropped atomic.Uint64

	mu      sync.Mutex
	waiting []byte        // whole lines
	room    chan struct{} // closed when there is some; nil unless somebody waits
	ended   bool

	lines  chan struct{} // there are some
	urgent chan struct{} // they shouldn't wait for company
	ending chan struct{}
	end    func()
	done   chan struct{}
}

// NewWriter returns a writer, or one error that names each field it refuses. Its goroutine ends
// when ctx does, or with [Writer.Close]; both write what is there first.
func NewWriter(ctx context.Context, cfg WriterConfig) (*Writer, error) {
	m := mistakes.In("accesslog: WriterConfig")
	m.Require(cfg.To != nil, "To", "want an io.Writer, got nil")
	m.Require(cfg.MaxBytes == 0 || cfg.MaxBytes >= MaxLine, "MaxBytes", "want 0, or %d or more, got %d",
		MaxLine, cfg.MaxBytes)
	mistakes.Range(m, "Wait", cfg.Wait, 0, maxWait)
	m.Require(cfg.Delay == gatekit.Off || cfg.Delay >= 0 && cfg.Delay <= maxWait, "Delay",
		"want 0 to %v, or gatekit.Off, got %v", maxWait, cfg.Delay)
	if err := m.Err(); err != nil {
		return nil, err
	}
	w := &Writer{
		to: cfg.To, max: cmp.Or(cfg.MaxBytes, defaultMaxBytes), wait: cfg.Wait,
		delay: max(cmp.Or(cfg.Delay, defaultDelay), 0), faults: faults{log: cfg.Logger},
		lines: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		ending: make(chan struct{}), done: make(chan struct{}),
	}
	w.end = sync.OnceFunc(func() { close(w.ending) })
	go w.run(ctx)
	return w, nil
}

// ErrDropped is what [Writer.Write] returns for lines that it has dropped.
var ErrDropped = errors.New("accesslog: no room for the line")

// Write takes lines, which end in a line end, or drops all of them: then the error is [ErrDropped].
// It copies b.
func (w *Writer) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !w.take(b) && (w.wait == 0 || !w.takeLater(b)) {
		w.dropped.Add(countLines(b))
		return 0, ErrDropped
	}
	return len(b), nil
}

// take takes the lines if there is room.
func (w *Writer) take(b []byte) bool {
	w.mu.Lock()
	if w.ended || len(w.waiting)+len(b)+1 > w.max {
		w.mu.Unlock()
		return false
	}
	first, half := len(w.waiting) == 0, len(w.waiting) < w.max/2
	w.waiting = append(w.waiting, b...)
	if b[len(b)-1] != '\n' {
		w.waiting = append(w.waiting, '\n')
	}
	half = half && len(w.waiting) >= w.max/2
	w.mu.Unlock()
	if first {
		signal(w.lines)
	}
	if half {
		signal(w.urgent)
	}
	return true
}

// takeLater waits for room.
func (w *Writer) takeLater(b []byte) bool {
	timer := time.NewTimer(w.wait)
	defer timer.Stop()
	for {
		w.mu.Lock()
		if w.room == nil {
			w.room = make(chan struct{})
		}
		room, ended := w.room, w.ended
		w.mu.Unlock()
		if ended {
			return false
		}
		if w.take(b) { // there may have been some before room was there to be closed
			return true
		}
		select {
		case <-room:
		case <-timer.C:
			return false
		}
	}
}

// signal never waits: one that is there already says the same.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func countLines(b []byte) uint64 {
	n := uint64(bytes.Count(b, []byte("\n")))
	if b[len(b)-1] != '\n' {
		n++
	}
	return n
}

// Dropped returns how many lines were dropped: for want of room, by a To that failed, or because
// the writer has ended.
func (w *Writer) Dropped() uint64 { return w.dropped.Load() }

// Close writes what is there and ends the writer; lines that come later are dropped. It returns
// ctx's error if that takes longer than ctx lasts. It may be called more than once.
func (w *Writer) Close(ctx context.Context) error {
	w.end()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer) run(ctx context.Context) {
	defer close(w.done)
	b := batch{w: w}
	for {
		select {
		case <-w.lines:
		case <-w.ending:
		case <-ctx.Done():
		}
		if w.gather(ctx) {
			b.write(w.swap(b.buffer, true))
			return
		}
		b.write(w.swap(b.buffer, false))
	}
}

// gather waits for company, and reports whether the writer is to end.
func (w *Writer) gather(ctx context.Context) (end bool) {
	if w.delay > 0 {
		timer := time.NewTimer(w.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.urgent:
		case <-w.ending:
		case <-ctx.Done():
		}
	}
	select {
	case <-w.ending:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// swap takes the lines, gives the writer another buffer, and wakes those who wait for room.
func (w *Writer) swap(empty []byte, end bool) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	full := w.waiting
	w.waiting, w.ended = empty[:0], w.ended || end
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
	return full
}

// batch writes the lines that were taken together.
type batch struct {
	w      *Writer
	buffer []byte
	broken bool // To has a part of a line
}

func (b *batch) write(lines []byte) {
	b.buffer = lines
	if len(lines) == 0 {
		return
	}
	if b.broken {
		if _, err := safely(b.w.to, []byte("\n")); err != nil {
			b.lose(lines, err)
			return
		}
		b.broken = false
	}
	n, err := safely(b.w.to, lines)
	if err != nil {
		b.broken = n > 0 && lines[n-1] != '\n'
		b.lose(lines[n:], err)
	}
}

func (b *batch) lose(lines []byte, err error) {
	n := uint64(0)
	if len(lines) > 0 {
		n = countLines(lines)
	}
	b.w.dropped.Add(n)
	b.w.faults.report(err, int64(n))
}
