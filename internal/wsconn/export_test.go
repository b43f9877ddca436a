package wsconn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// Frames reads all of r as one connection would and returns what it found: messages and control
// frames as "opcode payload", and last why it stopped: a close code, "eof" between frames or "cut"
// inside one.
func Frames(r io.Reader, cfg Config, deflate bool) []string {
	cfg, err := cfg.withDefaults()
	if err != nil {
		panic(err)
	}
	var f frameReader
	f.init(r, &cfg, deflate)
	defer f.free()
	var found []string
	for {
		e, err := f.next()
		var why *fault
		switch {
		case errors.As(err, &why):
			return append(found, fmt.Sprint(why.code))
		case err == io.EOF:
			return append(found, "eof")
		case err != nil:
			return append(found, "cut")
		}
		if e.op != opContinuation {
			found = append(found, fmt.Sprintf("%d %q", e.op, e.payload))
		}
		e.pooled.free()
	}
}

// WaitingHolds reports whether a connection that has read all of in, and waits for more, holds a
// pooled buffer.
func WaitingHolds(in []byte) (holds bool) {
	cfg, err := Config{}.withDefaults()
	if err != nil {
		panic(err)
	}
	var f frameReader
	f.init(readerFunc(func(p []byte) (int, error) {
		n := copy(p, in)
		if in = in[n:]; n == 0 {
			holds = f.loan != nil || f.msg != nil
			return 0, io.EOF
		}
		return n, nil
	}), &cfg, false)
	for err == nil {
		var e event
		e, err = f.next()
		e.pooled.free()
	}
	return holds
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// NegotiateDeflate is the answer to an offer.
func NegotiateDeflate(lines []string) (string, bool) { return negotiateDeflate(lines) }

// WritesWithoutWaiting reports whether a connection on c can.
func WritesWithoutWaiting(c net.Conn) bool { return rawConn(c) != nil }

// ValidUTF8 judges a part of a text.
func ValidUTF8(p []byte, last bool) (int, bool) { return validUTF8(p, last) }

// WriteAll writes p with a transport whose Write is write. resumable stands for TCP, which after a
// deadline goes on where it was.
func WriteAll(write func([]byte) (int, error), resumable bool, p []byte) error {
	cfg, err := Config{}.withDefaults()
	if err != nil {
		return err
	}
	c := &Conn{cfg: &cfg, t: fakeTransport{write: write}}
	if resumable {
		c.raw = struct{ syscall.RawConn }{}
	}
	return c.writeAll(p)
}

type fakeTransport struct {
	net.Conn
	write func([]byte) (int, error)
}

func (f fakeTransport) Write(p []byte) (int, error)      { return f.write(p) }
func (f fakeTransport) SetWriteDeadline(time.Time) error { return nil }
