package wsconn

// By is who ended a connection.
type By uint8

// Who ended a connection.
const (
	Lost  By = iota // nobody: the transport failed, or the peer hung up without a close frame
	Peer            // the client, by a close frame
	Local           // we: by Close, Abort, a timer, or because the client broke the protocol
)

func (b By) String() string { return [...]string{"lost", "peer", "local"}[b] }

// End is how a connection ended. The first cause counts: a client that answers our close frame with
// another code changes nothing.
type End struct {
	// Code is the peer's close code or, if it was we, the one that was sent. 1005 stands for a
	// close frame without a code, 1006 for an end without close frames.
	Code int
	// Reason is the text behind it, "" if there was none. It is UTF-8.
	Reason string
	By     By
	// Err is what is behind a failure, for the log: a transport's error, a panic. Often nil. It may
	// hold addresses, and nothing that was sent over the connection.
	Err error
}

// Close begins the closing handshake: what was accepted is still written, then a close frame, and
// TCP is cut when the peer has answered, or CloseTimeout later. code is 0, for a close frame
// without one, or a code that may be sent (1000 to 1003, 1007 to 1014, 3000 to 4999); reason is
// UTF-8 of at most 123 bytes. Close doesn't wait; the handler's End does. It returns ErrClosed if
// the connection has ended or its end has begun.
func (c *Conn) Close(code int, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	end := End{Code: code, Reason: reason, By: Local}
	if code == 0 {
		end.Code = CodeNoStatus
	}
	if !c.decide(end) {
		return ErrClosed
	}
	return c.sendClose(code, reason)
}

// Abort cuts the connection without a close frame. Unless its end was decided before, it is
// reported as 1006, Local.
func (c *Conn) Abort() { c.cut(End{Code: CodeAbnormal, By: Local}) }

// decide sets how the connection ends, and reports whether that wasn't decided yet.
func (c *Conn) decide(end End) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decideLocked(end)
}

func (c *Conn) decideLocked(end End) bool {
	if c.closing.Load() {
		return false
	}
	c.end = end
	c.closing.Store(true)
	c.closeBy = c.since() + int64(c.cfg.CloseTimeout)
	c.armLocked(c.cfg.CloseTimeout)
	return true
}

// sendClose queues a close frame. It is the last frame, and behind it room is of no use to anybody.
func (c *Conn) sendClose(code int, reason string) error {
	err := c.enqueue(closeFrame(code, reason), nil, kindClose)
	c.mu.Lock()
	c.signalRoomLocked()
	c.mu.Unlock()
	return err
}

// cut closes the transport. end counts unless the end was decided before.
func (c *Conn) cut(end End) {
	c.mu.Lock()
	c.decideLocked(end)
	first := !c.ended
	c.ended = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.signalRoomLocked()
	c.mu.Unlock()
	if first {
		_ = c.t.Close()
	}
}

// peerClosed is the peer's close frame, as the reason for which read returns.
type peerClosed struct {
	code   int
	reason string
}

func (p *peerClosed) Error() string { return "wsconn: closed by the peer" }

// answerClose answers the peer's close frame with its own code, or hangs up if it is itself an
// answer.
func (c *Conn) answerClose(p *peerClosed) {
	first := c.decide(End{Code: p.code, Reason: p.reason, By: Peer})
	c.shutAfterClose()
	if first {
		_ = c.sendClose(p.code, "")
	}
	c.linger()
}

// fail ends a connection whose peer broke the protocol (RFC 6455, section 7.1.7). One that does so
// behind our close frame gets no second.
func (c *Conn) fail(why *fault, cause error) {
	if !c.decide(End{Code: why.code, Reason: why.reason, By: Local, Err: cause}) {
		return
	}
	c.shutAfterClose()
	_ = c.sendClose(why.code, why.reason)
	c.linger()
}

// shutAfterClose has our side of the connection shut behind the close frame: now, if it was
// written.
func (c *Conn) shutAfterClose() {
	c.mu.Lock()
	c.hangUp = true
	now := c.closeSent && !c.out.writing && !c.ended
	c.mu.Unlock()
	if now {
		shutWrite(c.t)
	}
}

// linger throws away what the peer still sends until it hangs up. The timer that decide has set
// bounds it.
func (c *Conn) linger() {
	c.reader.free()
	sink := getBuffer(classes[0])
	defer sink.free()
	for {
		if _, err := c.t.Read(sink.b[:cap(sink.b)]); err != nil {
			return
		}
	}
}
