package lambdaruntime

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// The bounds of what processes print.
const (
	maxLine    = 16 << 10
	maxPending = 1 << 20
)

// lines takes what processes print and writes it in whole lines, in a goroutine of its own: neither
// a process nor memory pays for a Log that is slow.
type lines struct {
	prefix string
	to     io.Writer
	more   chan struct{} // has room for one
	ended  chan struct{}

	mu      sync.Mutex
	pending []byte // whole lines
	lost    int    // bytes that had no room
	closed  bool
}

func newLines(name string, to io.Writer) *lines {
	l := &lines{prefix: name + " | ", to: to, more: make(chan struct{}, 1), ended: make(chan struct{})}
	go l.write()
	return l
}

// copy takes what one process prints, until its end. Lines of several processes aren't mixed; one
// that is too long is cut.
func (l *lines) copy(from io.Reader) {
	buffer := make([]byte, 0, maxLine)
	for {
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		rest := buffer
		for end := bytes.IndexByte(rest, '\n'); end >= 0; end = bytes.IndexByte(rest, '\n') {
			l.add(rest[:end])
			rest = rest[end+1:]
		}
		if len(rest) == cap(buffer) || err != nil && len(rest) > 0 {
			l.add(rest)
			rest = nil
		}
		if err != nil {
			return
		}
		buffer = buffer[:copy(buffer[:cap(buffer)], rest)]
	}
}

// add has a line written if there is room.
func (l *lines) add(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending)+len(line) > maxPending {
		l.lost += len(line)
		return
	}
	l.pending = append(append(l.pending, bytes.TrimSuffix(line, []byte("\r"))...), '\n')
	l.wake()
}

func (l *lines) wake() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// write writes until close.
func (l *lines) write() {
	defer close(l.ended)
	var taken []byte
	line := make([]byte, 0, maxLine)
	for range l.more {
		l.mu.Lock()
		taken, l.pending = l.pending, taken[:0]
		lost, closed := l.lost, l.closed
		l.lost = 0
		l.mu.Unlock()
		for text := range bytes.Lines(taken) {
			line = append(append(line[:0], l.prefix...), text...)
			_, _ = l.to.Write(line)
		}
		if lost > 0 {
			_, _ = fmt.Fprintf(l.to, "%s(%d bytes were printed too fast, and are left out)\n", l.prefix, lost)
		}
		if closed {
			return
		}
	}
}

// close writes what is left, for a while.
func (l *lines) close(atMost time.Duration) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.wake()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-l.ended:
	case <-timer.C:
	}
}
