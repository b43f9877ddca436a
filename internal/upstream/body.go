package upstream

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// ErrTooLong is what a client has done wrong whose body is longer than it may be.
var ErrTooLong = errors.New("upstream: the request's body is longer than it may be")

var errBodyDone = errors.New("upstream: the request's body isn't read any more")

// clientBody is the client's body for one attempt. The transport reads it in a goroutine that may
// outlive the attempt, and closes it when it can't connect; neither may end the client's own body,
// which the next attempt needs.
type clientBody struct {
	in     io.Reader
	length int64  // how many bytes it has; -1: it doesn't say
	limit  int64  // how many it may have; 0 or less: any
	read   int64  // how many it had
	kept   []byte // what was read, if there is room for all of it
	own    bool   // in is in memory: the client has sent all, and is waited for no more
	up     pace   // the client's, as it sends
	trail  func() // called when all was read, before anybody is told so; may be nil

	begun atomic.Bool           // somebody has read
	busy  atomic.Bool           // somebody reads
	eof   atomic.Bool           // somebody has read all
	whole atomic.Bool           // kept is all
	ended atomic.Bool           // nobody may read any more
	wrong atomic.Pointer[error] // what the client did wrong
}

func (b *clientBody) Read(to []byte) (int, error) {
	// In this order: who ends the body to send it again sees begun, or the transport sees ended.
	b.begun.Store(true)
	b.busy.Store(true)
	defer b.busy.Store(false)
	if b.ended.Load() {
		return 0, errBodyDone
	}
	if b.eof.Load() { // in may be closed by now, which isn't to be seen
		return 0, io.EOF
	}
	if !b.own {
		b.up.begin(time.Now())
	}
	n, err := b.in.Read(to)
	if !b.own {
		b.up.end(time.Now(), n)
	}
	if b.read += int64(n); b.limit > 0 && b.read > b.limit {
		return 0, b.broken(ErrTooLong)
	}
	if !b.own && len(b.kept)+n <= cap(b.kept) {
		b.kept = append(b.kept, to[:n]...)
	}
	if err == nil && b.read == b.length {
		err = io.EOF
	}
	if err == io.EOF {
		b.whole.Store(int64(len(b.kept)) == b.read)
		if b.trail != nil {
			b.trail()
		}
		b.eof.Store(true)
	} else if err != nil {
		b.broken(err)
	}
	return n, err
}

func (b *clientBody) broken(err error) error {
	if !b.ended.Load() { // what fails after the end was closed by the server
		b.wrong.CompareAndSwap(nil, &err)
	}
	return err
}

// Close does nothing: the server closes the client's body.
func (b *clientBody) Close() error { return nil }

// complete reports whether all of the client's was read.
func (b *clientBody) complete() bool { return b.own || b.eof.Load() }

// end keeps everybody from reading, and reports whether somebody still waits for the client.
func (b *clientBody) end() (busy bool) {
	b.ended.Store(true)
	return b.busy.Load() && !b.own
}

// fault returns what the client did wrong, or nil.
func (b *clientBody) fault() error {
	if err := b.wrong.Load(); err != nil {
		return *err
	}
	return nil
}

// repeatable ends the reading for this attempt, and reports whether again has all that was read.
func (b *clientBody) repeatable() bool {
	b.ended.Store(true)
	return !b.begun.Load() || b.whole.Load()
}

// again returns the body for another attempt, after repeatable.
func (b *clientBody) again() *clientBody {
	if !b.begun.Load() {
		return &clientBody{in: b.in, length: b.length, limit: b.limit, kept: b.kept, own: b.own, trail: b.trail}
	}
	return inMemory(b.kept, true)
}

// inMemory returns a body that the client has sent. keep says that it may be sent again.
func inMemory(all []byte, keep bool) *clientBody {
	b := &clientBody{in: bytes.NewReader(all), length: int64(len(all)), own: true}
	if keep {
		b.kept = all
	}
	return b
}
