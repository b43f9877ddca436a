package wsconn

import (
	"bytes"
	"io"

	"github.com/gobwas/ws"
)

// idleBytes is the buffer of a connection that waits. It holds what most clients send at a time,
// and any control frame; a connection that has more borrows a buffer from the pool until it has
// nothing left. So 10,000 idle connections hold 2.5 MB of buffers where a bufio.Reader each would
// be 40 MB, and no system call is made only to learn that there is something to read.
const idleBytes = 256

// frameReader reads frames and makes messages of them. It knows no connection, no handler and no
// clock, so a fuzzer can drive it.
type frameReader struct {
	src io.Reader
	cfg *Config
	// deflate is set where permessage-deflate was negotiated.
	deflate bool

	// What was read and not used yet is buf[at:end]. buf is idle, or loan's.
	buf     []byte
	at, end int
	full    bool // the last read filled buf: there is more
	loan    *buffer
	idle    [idleBytes]byte

	header  bytes.Reader
	scratch [maxHeader]byte

	// The message whose fragments are being read.
	open       bool
	op         Opcode
	compressed bool
	size       int     // the payload so far, as on the wire
	msg        *buffer // the payload so far, or nil if there is none
	valid      int     // how much of msg is known to be UTF-8

	// received is told of each read that brought something, before it is looked at. It may be nil.
	received func()
}

func (f *frameReader) init(src io.Reader, cfg *Config, deflate bool) {
	f.src, f.cfg, f.deflate = src, cfg, deflate
	f.buf = f.idle[:]
}

// preload puts in front what was read before the first frame.
func (f *frameReader) preload(p []byte) {
	if len(p) > len(f.buf) {
		f.borrow(len(p))
	}
	f.end = copy(f.buf, p)
}

// buffered reports whether there is input that was read and not looked at.
func (f *frameReader) buffered() bool { return f.end > f.at || f.full }

// free gives back what is borrowed. The reader isn't used after.
func (f *frameReader) free() {
	f.loan.free()
	f.msg.free()
	f.loan, f.msg, f.buf = nil, nil, nil
}

// event is what next has found: a whole message, a control frame, or a fragment that ends nothing.
type event struct {
	op      Opcode // Text, Binary, opClose, opPing, opPong, or opContinuation for a part of a message
	payload []byte // valid until the next call
	empty   bool   // a fragment without a byte
	pooled  *buffer
}

// next returns the next event. The error is a *fault, with which the connection is to be failed, or
// what reading ended with: io.EOF between frames, io.ErrUnexpectedEOF inside one.
func (f *frameReader) next() (event, error) {
	h, err := f.readHeader()
	if err != nil {
		return event{}, err
	}
	if h.OpCode.IsControl() {
		payload, err := f.inPlace(h)
		return event{op: Opcode(h.OpCode), payload: payload}, err
	}
	if why := f.admit(h); why != nil {
		return event{}, why
	}
	if h.Fin && f.msg == nil && !f.compressed && int(h.Length) <= len(f.buf) {
		// A message in one small frame, as most are, is handed over where it was read to.
		f.open = false
		payload, err := f.inPlace(h)
		if err != nil {
			return event{}, err
		}
		if f.op == Text {
			if _, ok := validUTF8(payload, true); !ok {
				return event{}, faultUTF8
			}
		}
		return event{op: f.op, payload: payload}, nil
	}
	if err := f.collect(h); err != nil {
		return event{}, err
	}
	if !h.Fin {
		return event{op: opContinuation, empty: h.Length == 0}, nil
	}
	return f.finish()
}

// admit judges a data frame by its header, before any of its payload is read, and makes it part of
// the message.
func (f *frameReader) admit(h ws.Header) *fault {
	if h.OpCode != ws.OpContinuation {
		f.op, f.compressed, f.size, f.valid = Opcode(h.OpCode), h.Rsv&rsv1 != 0, 0, 0
	}
	switch limit, most := int64(f.cfg.MaxFrameBytes), int64(f.cfg.MaxMessageBytes); {
	case f.op == Binary && f.cfg.RefuseBinary:
		return faultBinary
	case limit > 0 && h.Length > limit:
		return faultFrameSize
	case most > 0 && h.Length > most-int64(f.size), h.Length > maxInt-int64(f.size):
		return faultMessageSize
	}
	f.size += int(h.Length)
	f.open = true
	return nil
}

// maxInt is what no slice is longer than: a length above it is too big even without limits.
const maxInt = int64(^uint(0)>>1) - 1<<20

// finish returns the message whose last fragment was read.
func (f *frameReader) finish() (event, error) {
	f.open = false
	msg := f.msg
	f.msg = nil
	if f.compressed {
		var payload []byte
		if msg != nil {
			payload = msg.b
		}
		plain, why := inflate(payload, f.cfg.MaxMessageBytes, f.op == Text)
		msg.free()
		if why != nil {
			return event{}, why
		}
		return event{op: f.op, payload: plain.b, pooled: plain}, nil
	}
	if msg == nil {
		return event{op: f.op}, nil
	}
	if f.op == Text && f.valid != len(msg.b) { // a rune broken off at the end
		msg.free()
		return event{}, faultUTF8
	}
	return event{op: f.op, payload: msg.b, pooled: msg}, nil
}

// readHeader reads and judges the next frame's header. A connection waits here for its client.
func (f *frameReader) readHeader() (ws.Header, error) {
	if f.at == f.end && !f.full && f.loan != nil {
		f.loan.free() // nothing is left and nothing is known to come: wait without
		f.loan, f.buf = nil, f.idle[:]
	}
	need := 2
	for {
		if f.end-f.at >= 2 {
			need = headerSize(f.buf[f.at+1])
		}
		if f.end-f.at >= need {
			break
		}
		if err := f.fill(need); err != nil {
			if err == io.EOF && f.end > f.at {
				err = io.ErrUnexpectedEOF
			}
			return ws.Header{}, err
		}
	}
	h, why := parseHeader(&f.header, f.scratch[:], f.buf[f.at:f.at+need])
	if why == nil {
		why = judge(h, f.open, f.deflate)
	}
	f.at += need
	if why != nil {
		return h, why
	}
	return h, nil
}

// inPlace reads a payload that has room in buf, and returns it there, without its mask.
func (f *frameReader) inPlace(h ws.Header) ([]byte, error) {
	n := int(h.Length)
	for f.end-f.at < n {
		if err := f.fill(n); err != nil {
			return nil, unexpected(err)
		}
	}
	payload := f.buf[f.at : f.at+n : f.at+n]
	f.at += n
	ws.Cipher(payload, h.Mask, 0)
	return payload, nil
}

// collect appends a frame's payload to the message. Memory grows with what arrives: a header that
// announces much has 16 KB set aside for it, not what it says. Once the announced was begun in
// earnest the rest is made room for in one step.
func (f *frameReader) collect(h ws.Header) error {
	for left, offset := int(h.Length), 0; left > 0; {
		if f.msg == nil || len(f.msg.b) == cap(f.msg.b) {
			step := min(left, 16<<10)
			if f.msg != nil {
				step = min(left, max(3*len(f.msg.b), step))
			}
			f.msg = f.msg.grow(step)
		}
		room := f.msg.b[len(f.msg.b):min(cap(f.msg.b), len(f.msg.b)+left)]
		n := copy(room, f.buf[f.at:f.end])
		f.at += n
		if n == 0 {
			var err error
			if n, err = f.read(room); err != nil {
				return unexpected(err)
			}
			f.full = false // what was known to come is here, and a connection isn't to wait with a loan
		}
		ws.Cipher(room[:n], h.Mask, offset)
		f.msg.b = f.msg.b[:len(f.msg.b)+n]
		left, offset = left-n, offset+n
		if f.op == Text && !f.compressed {
			whole, ok := validUTF8(f.msg.b[f.valid:], false)
			if f.valid += whole; !ok {
				return faultUTF8
			}
		}
	}
	return nil
}

// fill reads once more into buf, in which need bytes from at on must have room.
func (f *frameReader) fill(need int) error {
	if f.at == f.end {
		f.at, f.end = 0, 0
	}
	if f.full && f.loan == nil {
		f.borrow(classes[0])
	} else if len(f.buf)-f.at < need {
		f.end = copy(f.buf, f.buf[f.at:f.end])
		f.at = 0
	}
	n, err := f.read(f.buf[f.end:])
	f.end += n
	f.full = err == nil && f.end == len(f.buf)
	return err
}

// borrow replaces buf by one from the pool.
func (f *frameReader) borrow(n int) {
	f.loan.free()
	f.loan = getBuffer(n)
	to := f.loan.b[:cap(f.loan.b)]
	f.end = copy(to, f.buf[f.at:f.end])
	f.at, f.buf = 0, to
}

// read reads at least a byte, or returns an error. A reader that returns nothing and no error again
// and again isn't asked for ever.
func (f *frameReader) read(p []byte) (int, error) {
	for range 100 {
		n, err := f.src.Read(p)
		if n > 0 {
			if f.received != nil {
				f.received()
			}
			return n, nil // an error comes again
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
