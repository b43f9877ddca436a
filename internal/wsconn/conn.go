package wsconn

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Handler is told what happens on a connection. Its methods are called by one goroutine, one after
// the other, so while one runs nothing is read: a client that sends faster than it is served is
// slowed down by TCP.
type Handler interface {
	// Message is called with each whole message, in order: Text, which is valid UTF-8, or Binary.
	// payload is the engine's, and valid until Message returns: what is kept longer, as by a
	// handler under http.TimeoutHandler, must be a copy, or be kept with [Conn.Keep]. A panic
	// closes the connection with 1011 and is End's Err.
	Message(c *Conn, op Opcode, payload []byte)
	// End is called once, as the last thing, when the connection is gone: its transport closed, no
	// writer left. It must not panic.
	End(c *Conn, e End)
}

// Conn is a connection. Its methods may be called by several goroutines, and by its handler.
type Conn struct {
	cfg      *Config
	t        transport
	raw      syscall.RawConn // nil: t can only be written to by waiting
	protocol string
	start    time.Time
	reader   frameReader

	// What the reader writes and others read, in nanoseconds since start where it is a time.
	active    atomic.Int64 // the last message completed or accepted
	lastRead  atomic.Int64
	reads     atomic.Uint32
	handling  atomic.Bool // the handler has the reader
	moreInput atomic.Bool // the reader has more than the message that it is at
	closing   atomic.Bool // the end is decided: messages are no longer delivered

	controls     int // control frames since controlsFrom
	controlsFrom int64

	mu        sync.Mutex
	out       outbox
	end       End
	closeSent bool  // a close frame is queued or written: nothing may follow
	hangUp    bool  // shut our side once the close frame is written
	ended     bool  // t is closed
	closeBy   int64 // when t is cut, 0 for not
	pingAt    int64 // when the ping that waits for a sign of life was sent, 0 for none
	pingReads uint32
	timer     *time.Timer

	lent *buffer // the payload that the handler has been given, if it is in a buffer of its own
}

func newConn(h *Handshake, t transport, early []byte, protocol string) *Conn {
	c := &Conn{cfg: &h.engine.cfg, t: t, raw: rawConn(t), protocol: protocol, start: time.Now()}
	c.reader.init(t, c.cfg, h.deflate != "")
	if c.cfg.PingInterval > 0 {
		c.reader.received = func() {
			c.lastRead.Store(c.since())
			c.reads.Add(1)
		}
	}
	c.reader.preload(early)
	return c
}

// Start begins to read. Over HTTP/1.1 it returns at once, and the HTTP handler should, too: with it
// go net/http's goroutine, its stack and its buffers, which an idle connection is not to hold; the
// request's context ends then, and so does what hangs on it (context.WithoutCancel). Over HTTP/2 it
// returns when the connection has ended, as the stream lives as long as the HTTP handler. It is
// called once.
func (c *Conn) Start(h Handler) {
	c.arm()
	if _, ok := c.t.(*stream); ok {
		c.serve(h)
		return
	}
	go c.serve(h)
}

// Subprotocol returns the subprotocol that was accepted, or "".
func (c *Conn) Subprotocol() string { return c.protocol }

// Started returns when the connection was made.
func (c *Conn) Started() time.Time { return c.start }

// LastActive returns when the last message was completed by the peer or accepted for it; when the
// connection was made, if none was.
func (c *Conn) LastActive() time.Time { return c.start.Add(time.Duration(c.active.Load())) }

// since is the connection's clock: nanoseconds since its start, by the monotonic clock.
func (c *Conn) since() int64 { return int64(time.Since(c.start)) }

// serve reads until the connection ends.
func (c *Conn) serve(h Handler) {
	err := c.read(h)
	var why *fault
	var closed *peerClosed
	switch {
	case errors.As(err, &closed):
		c.answerClose(closed)
	case errors.As(err, &why):
		c.fail(why, errors.Unwrap(err))
	default:
		c.cut(End{Code: CodeAbnormal, By: Lost, Err: err})
	}
	c.reader.free()
	c.cut(End{})
	c.waitForWriter()
	h.End(c, c.end)
}

// read delivers messages and answers control frames until the connection is to end.
func (c *Conn) read(h Handler) error {
	for {
		e, err := c.reader.next()
		if err != nil {
			return err
		}
		switch {
		case e.op == Text || e.op == Binary:
			err = c.deliver(h, e)
		case e.op == opClose:
			code, reason, why := parseClose(e.payload)
			if why != nil {
				return why
			}
			return &peerClosed{code, reason}
		case e.op == opContinuation && !e.empty:
		default:
			err = c.control(e)
		}
		if err != nil {
			return err
		}
	}
}

// control answers a ping, and counts: control frames and empty fragments cost a peer nothing and
// count as no message.
func (c *Conn) control(e event) error {
	if limit := c.cfg.MaxControlFrames; limit > 0 {
		if now := c.since(); now-c.controlsFrom > int64(10*time.Second) {
			c.controls, c.controlsFrom = 0, now
		}
		if c.controls++; c.controls > limit {
			return faultFlood
		}
	}
	if e.op == opPing {
		var room [127]byte
		if err := c.enqueue(appendFrame(room[:0], opPong, true, false, e.payload), nil, kindPong); err == faultPongs {
			return err
		}
	}
	return nil
}

// deliver hands a message to the handler. Once the end is decided messages are read to find the
// peer's close frame, and dropped.
func (c *Conn) deliver(h Handler, e event) (err error) {
	if c.closing.Load() {
		e.pooled.free()
		return nil
	}
	c.lent = e.pooled
	c.active.Store(c.since())
	if more := c.reader.buffered(); more != c.moreInput.Load() {
		c.moreInput.Store(more)
	}
	c.handling.Store(true)
	defer func() {
		c.handling.Store(false)
		c.lent.free()
		c.lent = nil
		if v := recover(); v != nil {
			err = &panicked{fmt.Errorf("wsconn: the handler panicked: %v\n%s", v, debug.Stack())}
		}
	}()
	h.Message(c, e.op, e.payload)
	return nil
}

// Lent reports whether the payload that Message was given can be kept. One that shares its memory
// with others, as small ones do, must be copied. It is for the handler, within Message.
func (c *Conn) Lent() bool { return c.lent != nil }

// Keep makes a payload that is [Conn.Lent] the handler's. It is for the handler, within Message.
func (c *Conn) Keep() { c.lent = nil }

// panicked is a handler's panic: a fault for the peer, with a cause for the log.
type panicked struct{ cause error }

func (p *panicked) Error() string { return p.cause.Error() }
func (p *panicked) Unwrap() error { return p.cause }

func (p *panicked) As(target any) bool {
	if f, ok := target.(**fault); ok {
		*f = &fault{CodeInternal, "internal error"}
		return true
	}
	return false
}
