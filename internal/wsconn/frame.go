package wsconn

import (
	"bytes"
	"encoding/binary"

	"github.com/gobwas/ws"
)

// Opcode is the kind of a message.
type Opcode byte

// The kinds of messages (RFC 6455, section 5.6).
const (
	Text   Opcode = Opcode(ws.OpText)
	Binary Opcode = Opcode(ws.OpBinary)
)

const (
	opContinuation = Opcode(ws.OpContinuation)
	opClose        = Opcode(ws.OpClose)
	opPing         = Opcode(ws.OpPing)
	opPong         = Opcode(ws.OpPong)
)

const rsv1 = 0b100 // of ws.Header.Rsv: the message is compressed (RFC 7692, section 6)

// maxHeader is the longest header of a frame that a client sends.
const maxHeader = ws.MaxHeaderSize

// headerSize returns how long the header is that starts with two bytes, the second of which is b.
func headerSize(b byte) int {
	n := 2
	switch b & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if b&0x80 != 0 {
		n += 4
	}
	return n
}

// parseHeader reads the header that p is, whole and nothing else, with src as the reader to do it
// through. ws reads the fields; that the length is in its shortest form (section 5.2) nothing but
// the bytes tells, and ws.Header no longer has them.
func parseHeader(src *bytes.Reader, scratch, p []byte) (ws.Header, *fault) {
	src.Reset(p)
	h, err := ws.ReadHeaderBuffer(src, scratch)
	form := p[1] & 0x7f
	if err != nil || form == 126 && h.Length < 126 || form == 127 && h.Length <= 0xffff {
		return h, faultLength // err is ws.ErrHeaderLengthMSB, as p is whole
	}
	return h, nil
}

// judge says what is wrong with a header by itself and by where it stands. fragmented is set inside
// a message, deflate where it was negotiated. Size limits are judged by who knows them.
func judge(h ws.Header, fragmented, deflate bool) *fault {
	// StateExtended: RSV is judged below, as ws lets all three pass once there is an extension.
	state := ws.StateServerSide | ws.StateExtended
	if fragmented {
		state = state.Set(ws.StateFragmented)
	}
	allowed := byte(0)
	if deflate && (h.OpCode == ws.OpText || h.OpCode == ws.OpBinary) {
		allowed = rsv1 // on a message's first frame only, and on no control frame (RFC 7692, section 6.1)
	}
	if h.Rsv&^allowed != 0 {
		return faultRSV
	}
	switch ws.CheckHeader(h, state) {
	case nil:
		return nil
	case ws.ErrProtocolOpCodeReserved:
		return faultReserved
	case ws.ErrProtocolControlPayloadOverflow:
		return faultControlSize
	case ws.ErrProtocolControlNotFinal:
		return faultControlSplit
	case ws.ErrProtocolMaskRequired:
		return faultUnmasked
	case ws.ErrProtocolContinuationExpected:
		return faultInterleaved
	default:
		return faultContinuation
	}
}

// appendHeader appends the header of a frame as a server sends it: not masked, the length in its
// shortest form. ws.WriteHeader does the same through an io.Writer and allocates for it; this is on
// the way of each message.
func appendHeader(dst []byte, op Opcode, fin, compressed bool, n int) []byte {
	b := byte(op)
	if fin {
		b |= 0x80
	}
	if compressed {
		b |= rsv1 << 4
	}
	switch {
	case n < 126:
		return append(dst, b, byte(n))
	case n <= 0xffff:
		return append(dst, b, 126, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, b, 127), uint64(n))
}

// appendFrame appends one frame.
func appendFrame(dst []byte, op Opcode, fin, compressed bool, payload []byte) []byte {
	return append(appendHeader(dst, op, fin, compressed, len(payload)), payload...)
}

// appendMessage appends a message in frames of at most limit bytes of payload, or in one if limit
// is 0.
func appendMessage(dst []byte, op Opcode, compressed bool, payload []byte, limit int) []byte {
	for limit > 0 && len(payload) > limit {
		dst = appendFrame(dst, op, false, compressed, payload[:limit])
		payload, op, compressed = payload[limit:], opContinuation, false
	}
	return appendFrame(dst, op, true, compressed, payload)
}

// messageSize returns how many bytes appendMessage appends at most.
func messageSize(n, limit int) int {
	frames := 1
	if limit > 0 {
		frames += n / limit
	}
	return n + 10*frames
}
