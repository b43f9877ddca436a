package wsconn

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Prepared is a message that was encoded once and can be sent to any number of an engine's
// connections. It is immutable and may be used by several goroutines.
type Prepared struct {
	payload []byte
	op      Opcode
	limit   int
	plain   []byte

	once       sync.Once
	compressed []byte // like plain; plain itself where compressing didn't help
}

// Prepare encodes a message. It copies payload. Text must be UTF-8, which is the caller's to know.
func (e *Engine) Prepare(op Opcode, payload []byte) *Prepared {
	p := &Prepared{op: op, limit: e.cfg.MaxFrameBytes}
	p.plain = appendMessage(make([]byte, 0, messageSize(len(payload), p.limit)), op, false, payload, p.limit)
	if e.cfg.Deflate {
		p.payload = append([]byte(nil), payload...)
	}
	return p
}

// Len returns how many bytes one connection is sent, where nothing is compressed.
func (p *Prepared) Len() int { return len(p.plain) }

// frames returns the message as a connection takes it. Compressed it is the same for all, as no
// context is taken over, and made when the first connection wants it.
func (p *Prepared) frames(compressed bool) []byte {
	if !compressed {
		return p.plain
	}
	p.once.Do(func() {
		if !deflate(p.payload, func(b []byte) { p.compressed = appendMessage(nil, p.op, true, b, p.limit) }) {
			p.compressed = p.plain
		}
	})
	return p.compressed
}

// TrySendPrepared is [Conn.TrySend] for a prepared message. It doesn't copy it unless it has to
// wait.
func (c *Conn) TrySendPrepared(p *Prepared) error {
	return c.enqueue(p.frames(c.reader.deflate), nil, kindMessage)
}

// SendPrepared is [Conn.Send] for a prepared message.
func (c *Conn) SendPrepared(ctx context.Context, p *Prepared) error {
	return c.waitForRoom(ctx, func() error { return c.TrySendPrepared(p) })
}

// broadcastStep is how many connections one goroutine of a broadcast takes at a time.
const broadcastStep = 64

// Broadcast sends the message to each of conns, as TrySendPrepared does, and returns when all were
// tried. A write to a socket is a system call, and they are shared out among as many goroutines as
// there are processors. refused is called with those that didn't take it, and why (ErrFull,
// ErrClosed), by several goroutines at once; it may be nil.
func (p *Prepared) Broadcast(conns []*Conn, refused func(*Conn, error)) {
	var next atomic.Int64
	work := func() {
		for {
			end := int(next.Add(broadcastStep))
			begin := end - broadcastStep
			if begin >= len(conns) {
				return
			}
			for _, c := range conns[begin:min(end, len(conns))] {
				if err := c.TrySendPrepared(p); err != nil && refused != nil {
					refused(c, err)
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(conns)+broadcastStep-1)/broadcastStep) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}
