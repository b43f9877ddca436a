package wsconn

import (
	"math"
	"time"
)

// A connection has one timer, set to whichever of its deadlines comes first. Messages move
// deadlines by storing a time, not by setting the timer: when it fires and nothing is due, it is
// set anew. So a message costs no timer, and 10,000 idle connections are 10,000 entries in the
// runtime's heap and no goroutine.

// arm sets the timer for the first time.
func (c *Conn) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.nextLocked(c.since()); d < math.MaxInt64 && !c.closing.Load() {
		c.armLocked(d)
	}
}

func (c *Conn) armLocked(d time.Duration) {
	switch {
	case c.ended:
	case c.timer == nil:
		c.timer = time.AfterFunc(d, c.tick)
	default:
		c.timer.Reset(d)
	}
}

// nextLocked returns how long it is to the first deadline, or math.MaxInt64 if there is none.
func (c *Conn) nextLocked(now int64) time.Duration {
	next := int64(math.MaxInt64)
	if d := int64(c.cfg.Lifetime); d > 0 {
		next = d
	}
	if d := int64(c.cfg.IdleTimeout); d > 0 {
		next = min(next, c.active.Load()+d)
	}
	if d := int64(c.cfg.PingInterval); d > 0 {
		next = min(next, c.pingDueLocked())
	}
	if next == math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(next-now, 1))
}

// pingDueLocked returns when a ping is to be sent or, if one was, when its answer is overdue.
func (c *Conn) pingDueLocked() int64 {
	if c.pingAt > 0 && c.reads.Load() == c.pingReads {
		return c.pingAt + int64(c.cfg.PongTimeout)
	}
	return c.lastRead.Load() + int64(c.cfg.PingInterval)
}

// tick does what is due.
func (c *Conn) tick() {
	c.mu.Lock()
	now := c.since()
	if c.ended || c.closing.Load() {
		left := c.closeBy - now
		if left > 0 {
			c.armLocked(time.Duration(left))
		}
		c.mu.Unlock()
		if left <= 0 {
			c.cut(End{}) // the end was decided when closeBy was
		}
		return
	}
	why, ping, dead := c.dueLocked(now)
	if why == nil && !dead {
		c.armLocked(c.nextLocked(now))
	}
	c.mu.Unlock()
	switch {
	case dead:
		c.cut(End{Code: CodeAbnormal, By: Lost, Err: errNoPong})
	case why != nil:
		_ = c.Close(why.code, why.reason)
	case ping:
		_ = c.enqueue(pingFrame, nil, kindPing)
	}
}

var pingFrame = appendFrame(nil, opPing, true, false, nil)

// dueLocked returns what to do at now: close, ping, or give up.
func (c *Conn) dueLocked(now int64) (why *fault, ping, dead bool) {
	switch {
	case c.cfg.Lifetime > 0 && now >= int64(c.cfg.Lifetime):
		return faultOld, false, false
	case c.cfg.IdleTimeout > 0 && now >= c.active.Load()+int64(c.cfg.IdleTimeout):
		return faultIdle, false, false
	case c.cfg.PingInterval <= 0 || now < c.pingDueLocked():
		return nil, false, false
	}
	waiting := c.pingAt > 0 && c.reads.Load() == c.pingReads
	if waiting && !c.handling.Load() && !c.out.writing {
		return nil, false, true
	}
	// While the handler has the reader nobody could have seen a pong, and while something is being
	// written the ping may not have left: a peer that takes nothing is WriteTimeout's to judge. Ask
	// again.
	c.pingAt, c.pingReads = now, c.reads.Load()
	return nil, true, false
}
