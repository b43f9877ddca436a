package wsconn

import (
	"context"
	"errors"
	"os"
	"time"
)

// Errors of sending.
var (
	// ErrFull is returned by TrySend for a connection whose queue has no room: its peer reads more
	// slowly than it is sent to.
	ErrFull = errors.New("wsconn: the queue is full")
	// ErrClosed is returned for a connection that has ended, or whose close frame is on its way:
	// nothing may follow it.
	ErrClosed = errors.New("wsconn: connection is closed")
)

// outbox is what waits to be written to one connection. Who finds it empty and no one writing
// writes itself, as far as the socket takes it without waiting; what is left is written by a
// goroutine that lives until the queue is empty. So an idle connection has none, a sender never
// waits for a peer, and whatever queues up while the socket is busy goes out in one write.
type outbox struct {
	pending  *buffer // frames in order, nil if there are none
	messages int     // in pending
	busy     int     // bytes that the writer has taken from pending and not written yet
	writing  bool
	pongs    int           // bytes of pongs in pending
	room     chan struct{} // closed when something was written, made by who waits for it
	done     chan struct{} // closed when the writer rests, made by who waits for it
}

// TrySend sends a message, or says at once why not: ErrFull or ErrClosed. It never waits, and
// copies payload. Messages of one connection are sent in the order of the calls. That it returned
// nil means that the message was accepted, not that it arrived. Text must be UTF-8, which is the
// caller's to know. It may be called from several goroutines.
func (c *Conn) TrySend(op Opcode, payload []byte) error {
	frame := getBuffer(messageSize(len(payload), c.cfg.MaxFrameBytes))
	if !c.reader.deflate || !deflate(payload, func(compressed []byte) {
		frame.b = appendMessage(frame.b, op, true, compressed, c.cfg.MaxFrameBytes)
	}) {
		frame.b = appendMessage(frame.b, op, false, payload, c.cfg.MaxFrameBytes)
	}
	err := c.enqueue(frame.b, frame, kindMessage)
	if err != nil {
		frame.free()
	}
	return err
}

// Send is TrySend, but waits for room until ctx ends, and then returns ctx's error. A handler that
// replies with it stops the reading of its connection until the peer has read, and nothing is
// buffered beyond the queue.
func (c *Conn) Send(ctx context.Context, op Opcode, payload []byte) error {
	return c.waitForRoom(ctx, func() error { return c.TrySend(op, payload) })
}

// waitForRoom calls try until it returns something else than ErrFull. It tries again once it has a
// channel to wait on, as room may have come in between.
func (c *Conn) waitForRoom(ctx context.Context, try func() error) error {
	for {
		if err := try(); err != ErrFull {
			return err
		}
		room := c.roomChannel()
		if err := try(); err != ErrFull {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// roomChannel returns the channel that is closed when the next bytes were written.
func (c *Conn) roomChannel() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.room == nil {
		c.out.room = make(chan struct{})
	}
	return c.out.room
}

// kind is what a frame counts as.
type kind uint8

const (
	kindMessage kind = iota
	kindPing
	kindPong
	kindClose
)

// maxPongs bounds the pongs that wait, in bytes: 32 of the longest. A peer that pings and reads no
// answer is sent off.
const maxPongs = 32 * 127

// enqueue sends encoded frames. owned is the buffer that they end, which is then the queue's, or
// nil for frames that are shared or the caller's. Where it returns an error owned remains the
// caller's.
func (c *Conn) enqueue(frames []byte, owned *buffer, k kind) error {
	c.mu.Lock()
	if err := c.admitLocked(len(frames), k); err != nil {
		c.mu.Unlock()
		if k == kindPong && err == ErrFull {
			return faultPongs
		}
		return err
	}
	if k == kindClose {
		c.closeSent = true
	}
	if c.out.writing {
		c.appendLocked(frames, k)
		c.mu.Unlock()
		owned.free()
		return nil
	}
	c.out.writing, c.out.busy = true, len(frames)
	c.mu.Unlock()

	// While the reader has more messages at hand there will be more replies. A goroutine takes a
	// moment to start, in which they gather.
	written := 0
	if c.raw != nil && !c.moreInput.Load() {
		n, err := tryWrite(c.raw, frames)
		if err != nil {
			owned.free()
			c.writeFailed(err)
			return nil // accepted, and lost with the connection
		}
		if n == len(frames) && c.rest() {
			owned.free()
			return nil
		}
		written = n
	}
	rest := owned
	if owned == nil {
		rest = getBuffer(len(frames) - written)
		rest.b = append(rest.b, frames[written:]...)
	}
	go c.drain(rest, len(rest.b)-(len(frames)-written)) // frames are the end of what is owned
	return nil
}

// admitLocked judges whether a frame may still be sent. Close frames find room always, pings only
// in an empty queue: what is queued shows the peer's life as well as they do.
func (c *Conn) admitLocked(n int, k kind) error {
	waiting := c.out.busy
	if c.out.pending != nil {
		waiting += len(c.out.pending.b)
	}
	switch {
	case c.closeSent || c.ended:
		return ErrClosed
	case k == kindClose:
		return nil
	case k == kindPing && c.out.writing, k == kindPong && c.out.pongs+n > maxPongs:
		return ErrFull
	case k == kindMessage && waiting > 0 && waiting+n > c.cfg.MaxQueueBytes,
		k == kindMessage && c.out.messages >= c.cfg.MaxQueueMessages:
		return ErrFull
	}
	if k == kindMessage {
		c.active.Store(c.since())
	}
	return nil
}

func (c *Conn) appendLocked(frames []byte, k kind) {
	c.out.pending = c.out.pending.grow(len(frames))
	c.out.pending.b = append(c.out.pending.b, frames...)
	switch k {
	case kindMessage:
		c.out.messages++
	case kindPong:
		c.out.pongs += len(frames)
	}
}

// rest ends the turn of the writer if there is nothing to write, and reports whether it did. Where
// the last thing written was the close frame that ends the connection, our side of it is shut.
func (c *Conn) rest() bool {
	c.mu.Lock()
	c.out.busy = 0
	c.signalRoomLocked()
	if c.out.pending != nil && !c.ended {
		c.mu.Unlock()
		return false
	}
	c.restLocked()
	shut := c.hangUp && c.closeSent && !c.ended
	c.mu.Unlock()
	if shut {
		shutWrite(c.t)
	}
	return true
}

func (c *Conn) restLocked() {
	c.out.pending.free()
	c.out.pending, c.out.messages, c.out.pongs, c.out.busy, c.out.writing = nil, 0, 0, 0, false
	if c.out.done != nil {
		close(c.out.done)
		c.out.done = nil
	}
}

// waitForWriter returns when nobody writes any more. The transport is closed, so that is soon.
func (c *Conn) waitForWriter() {
	c.mu.Lock()
	if !c.out.writing {
		c.mu.Unlock()
		return
	}
	done := make(chan struct{})
	c.out.done = done
	c.mu.Unlock()
	<-done
}

func (c *Conn) signalRoomLocked() {
	if c.out.room != nil {
		close(c.out.room)
		c.out.room = nil
	}
}

// drain writes what is left of batch and then whatever has queued up meanwhile, until nothing has.
func (c *Conn) drain(batch *buffer, from int) {
	for {
		err := c.writeAll(batch.b[from:])
		batch.free()
		if err != nil {
			c.writeFailed(err)
			return
		}
		if c.rest() {
			return
		}
		c.mu.Lock()
		batch, from = c.out.pending, 0
		c.out.busy = len(batch.b)
		c.out.pending, c.out.messages, c.out.pongs = nil, 0, 0
		c.mu.Unlock()
	}
}

// writeAll writes p. A peer that takes some of it within each WriteTimeout is slow, one that takes
// nothing is gone.
func (c *Conn) writeAll(p []byte) error {
	for len(p) > 0 {
		if err := c.t.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
			return err
		}
		n, err := c.t.Write(p[:min(len(p), 64<<10)])
		p = p[n:]
		c.wrote(n)
		// After a deadline a TLS connection writes nothing more, a TCP connection goes on where it
		// was.
		if err != nil && !(n > 0 && c.raw != nil && errors.Is(err, os.ErrDeadlineExceeded)) {
			return err
		}
	}
	// A deadline that passes later would fail who then writes without waiting, and reset an HTTP/2
	// stream.
	return c.t.SetWriteDeadline(time.Time{})
}

// wrote makes room for n bytes.
func (c *Conn) wrote(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.busy = max(0, c.out.busy-n)
	c.signalRoomLocked()
}

// writeFailed ends a connection that couldn't be written to.
func (c *Conn) writeFailed(err error) {
	end := End{Code: CodeAbnormal, By: Lost, Err: err}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		end = End{Code: faultSlow.code, Reason: faultSlow.reason, By: Local, Err: err}
	}
	c.cut(end)
	c.mu.Lock()
	c.restLocked()
	c.mu.Unlock()
}

// errNoPong is why a connection was given up that answered no ping.
var errNoPong = errors.New("wsconn: no sign of life after a ping")
