//go:build unix

package wsconn

import (
	"sync"
	"syscall"
)

const canTryWrite = true

// attempt is one write that doesn't wait. It is pooled, as the function that RawConn calls would be
// made anew each time otherwise.
type attempt struct {
	p   []byte
	n   int
	err error
	run func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.run = func(fd uintptr) bool {
		for {
			a.n, a.err = syscall.Write(int(fd), a.p)
			if a.err != syscall.EINTR {
				return true // also when nothing could be written: who calls doesn't wait
			}
		}
	}
	return a
}}

// tryWrite writes what the socket takes at once, which may be nothing. The descriptor doesn't
// block, as net made it so.
func tryWrite(raw syscall.RawConn, p []byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err := raw.Write(a.run)
	n := max(a.n, 0) // -1 with an error
	if err == nil && a.err != nil && a.err != syscall.EAGAIN {
		err = a.err
	}
	a.p, a.err = nil, nil
	attempts.Put(a)
	return n, err
}
