package wsconn

import "context"

// headroom is what a frame's header takes at most, as a server sends it.
const headroom = 10

// Draft is a message that is written where it is sent from, with room in front for its header: a
// reply that a handler writes bit by bit is copied once and not twice. The zero Draft is an empty
// message. It is for one goroutine, and must not be copied.
type Draft struct{ buf *buffer }

// Write implements io.Writer. It never fails.
func (d *Draft) Write(p []byte) (int, error) {
	if d.buf == nil {
		d.buf = getBuffer(headroom + len(p))
		d.buf.b = d.buf.b[:headroom]
	}
	d.buf = d.buf.grow(len(p))
	d.buf.b = append(d.buf.b, p...)
	return len(p), nil
}

// Bytes returns what was written so far. It is valid until the next call of another method.
func (d *Draft) Bytes() []byte {
	if d.buf == nil {
		return nil
	}
	return d.buf.b[headroom:]
}

// Reset makes the message empty again and gives back its memory.
func (d *Draft) Reset() {
	d.buf.free()
	d.buf = nil
}

// SendDraft is [Conn.Send] for a draft, which is empty afterwards, whatever is returned.
func (c *Conn) SendDraft(ctx context.Context, op Opcode, d *Draft) error {
	defer d.Reset()
	payload := d.Bytes()
	if most := c.cfg.MaxFrameBytes; payload == nil || c.reader.deflate || most > 0 && len(payload) > most {
		return c.Send(ctx, op, payload) // encoded, or split up: copied in any case
	}
	var room [headroom]byte
	header := appendHeader(room[:0], op, true, false, len(payload))
	from := headroom - len(header)
	copy(d.buf.b[from:], header)
	return c.waitForRoom(ctx, func() error {
		err := c.enqueue(d.buf.b[from:], d.buf, kindMessage)
		if err == nil {
			d.buf = nil // the queue's
		}
		return err
	})
}
