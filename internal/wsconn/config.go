package wsconn

import (
	"cmp"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Off turns a limit or a timer of [Config] off.
const Off = -1

// The defaults are the managed gateway's (API Gateway guide, "Quotas for configuring and running a
// WebSocket API"), and for what it states nothing of, ours.
const (
	defaultFrameBytes    = 32 << 10
	defaultMessageBytes  = 128 << 10
	defaultIdle          = 10 * time.Minute
	defaultLifetime      = 2 * time.Hour
	defaultPongTimeout   = 20 * time.Second
	defaultCloseTimeout  = 5 * time.Second
	defaultWriteTimeout  = 10 * time.Second
	defaultQueueBytes    = 256 << 10
	defaultQueueMessages = 1024
	defaultControlFrames = 1000
)

// Config is what holds for all connections of an [Engine]. The zero value has the managed gateway's
// limits and timers. Off turns off what says that it can be turned off; no other negative value is
// taken.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MaxFrameBytes is the most payload that a frame may have: inclusive, judged by its header
	// before any of the payload is read, and as on the wire where the message is compressed.
	// Messages sent are split at it, too. 0 is 32,768; Off means none.
	MaxFrameBytes int
	// MaxMessageBytes is the most that a message may have, inclusive: the sum of its frames, judged
	// by the header of the frame that crosses it, and of its inflated bytes as they are inflated.
	// It doesn't bound what is sent. 0 is 131,072; Off means none: then a message is as large as a
	// client has patience, its memory growing with what has arrived, never with what is announced.
	MaxMessageBytes int
	// RefuseBinary fails a connection with 1003 at the header of a binary message's first frame.
	RefuseBinary bool
	// Deflate accepts an offer of permessage-deflate (RFC 7692). No context is taken over in either
	// direction: a connection keeps no window (32 KB to read, more than 1 MB to write) while idle,
	// and a message prepared once is the same bytes for all. Off by default, as it spends processor
	// time for what a client chooses.
	Deflate bool

	// IdleTimeout closes a connection (1001) on which no data message was completed, and none
	// accepted for sending, for so long. Control frames and parts of a message are no activity. 0
	// is 10 minutes; Off means never.
	IdleTimeout time.Duration
	// Lifetime closes a connection (1001) so long after its 101. 0 is 2 hours; Off means never.
	Lifetime time.Duration
	// PingInterval sends a ping when nothing at all was received for so long. 0 and Off send none,
	// as the managed gateway does.
	PingInterval time.Duration
	// PongTimeout cuts a connection (1006) from which nothing was received so long after a ping.
	// While the handler holds the reader, and so nobody looks, it doesn't run. 0 is 20 s. It has no
	// meaning without PingInterval.
	PongTimeout time.Duration
	// CloseTimeout is how long the peer may take to answer our close frame, or to hang up after an
	// exchange of close frames, before TCP is cut. 0 is 5 s.
	CloseTimeout time.Duration
	// WriteTimeout ends a connection (reported as 1008) whose peer took no byte for so long while
	// there was something to send, and the writing of a 101. 0 is 10 s.
	WriteTimeout time.Duration

	// MaxQueueBytes bounds what waits to be written to one connection, frame headers included; a
	// message that is larger by itself is let into an empty queue. 0 is 256 KiB.
	MaxQueueBytes int
	// MaxQueueMessages bounds their number. 0 is 1,024.
	MaxQueueMessages int
	// MaxControlFrames closes a connection (1008) that sends more control frames, and fragments
	// without a byte, than this in 10 seconds. 0 is 1,000; Off means no bound.
	MaxControlFrames int
}

// orOff returns the value that counts for a field that can be turned off: 0 for off.
func orOff[T ~int | ~int64](v, def T) T {
	if v == Off {
		return 0
	}
	return cmp.Or(v, def)
}

// withDefaults checks c and returns it with the values that count, in which 0 is off.
func (c Config) withDefaults() (Config, error) {
	m := mistakes.In("wsconn: Config")
	atLeast := func(field string, v, least int) {
		m.Require(v == 0 || v >= least, field, "want %d or more, or 0 for the default, got %d", least, v)
	}
	atLeastOrOff := func(field string, v, least int) {
		ok := v == Off || v == 0 || v >= least
		m.Require(ok, field, "want %d or more, 0 for the default, or Off, got %d", least, v)
	}
	long := func(field string, d time.Duration, off bool) {
		// A millisecond is no timer that anybody means; a number without a unit, such as 30, is
		// nanoseconds.
		ok := d == 0 || d >= time.Millisecond || off && d == Off
		m.Require(ok, field, "want a millisecond or more, got %v", d)
	}
	atLeastOrOff("MaxFrameBytes", c.MaxFrameBytes, 125)
	atLeastOrOff("MaxMessageBytes", c.MaxMessageBytes, 1)
	m.Require(!c.Deflate || c.MaxMessageBytes != Off, "MaxMessageBytes",
		"want a limit beside Deflate: a kilobyte inflates to a megabyte, and a message has many")
	long("IdleTimeout", c.IdleTimeout, true)
	long("Lifetime", c.Lifetime, true)
	long("PingInterval", c.PingInterval, true)
	long("PongTimeout", c.PongTimeout, false)
	long("CloseTimeout", c.CloseTimeout, false)
	long("WriteTimeout", c.WriteTimeout, false)
	atLeast("MaxQueueBytes", c.MaxQueueBytes, 1024)
	atLeast("MaxQueueMessages", c.MaxQueueMessages, 1)
	atLeastOrOff("MaxControlFrames", c.MaxControlFrames, 1)

	c.MaxFrameBytes = orOff(c.MaxFrameBytes, defaultFrameBytes)
	c.MaxMessageBytes = orOff(c.MaxMessageBytes, defaultMessageBytes)
	c.IdleTimeout = orOff(c.IdleTimeout, defaultIdle)
	c.Lifetime = orOff(c.Lifetime, defaultLifetime)
	c.PingInterval = orOff(c.PingInterval, 0)
	c.PongTimeout = cmp.Or(c.PongTimeout, defaultPongTimeout)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, defaultCloseTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, defaultWriteTimeout)
	c.MaxQueueBytes = cmp.Or(c.MaxQueueBytes, defaultQueueBytes)
	c.MaxQueueMessages = cmp.Or(c.MaxQueueMessages, defaultQueueMessages)
	c.MaxControlFrames = orOff(c.MaxControlFrames, defaultControlFrames)
	return c, m.Err()
}

// Engine makes connections of requests. It starts nothing and holds no connection. It may be used
// by several goroutines.
type Engine struct{ cfg Config }

// New returns an engine, or an error that names every field it refuses.
func New(c Config) (*Engine, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Engine{cfg: c}, nil
}
