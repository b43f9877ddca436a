package wsconn_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// deflated is text as permessage-deflate sends it.
func deflated(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// frameAttack is what a client sends over a raw socket, and what must come back: each frame, the
// last of which is the close frame. Then the server hangs up. reason, where it is set, is the close
// frame's text; end is what the handler is told, by default that we closed with the close frame's
// code.
type frameAttack struct {
	name    string
	send    string
	want    string // the frames, with a space between
	end     int    // the code that the handler is told, 0 for that of the close frame
	byPeer  bool
	deflate bool
	cfg     wsconn.Config
	got     []string // messages delivered, if the row is about them
}

const (
	euro = "\xe2\x82\xac"     // €
	clef = "\xf0\x9d\x84\x9e" // 𝄞
)

// header is a frame's header with a length in any form, and the mask.
func header(first byte, length ...byte) string {
	return string(append([]byte{first}, length...)) + string(mask[:])
}

var (
	ok   = masked(fin|text, "ok")
	bye  = masked(fin|closeOp, closing(1000, ""))
	long = strings.Repeat("x", 32768)
)

// frameAttacks are all rows.
func frameAttacks() []frameAttack {
	return slices.Concat(masksAttacks(), reservedBitsAttacks(), lengthsAttacks(), sizesAttacks(), fragmentsAttacks(), controlFramesAttacks(), binariesAttacks(), textsAttacks(), closesAttacks(), compressionsAttacks(),
		opcodeAttacks(), codeAttacks(), utf8Attacks())
}

// Section 5.1: masks.
func masksAttacks() []frameAttack {
	return []frameAttack{
		{name: "unmasked-text", send: "\x81\x02hi", want: "1002"},
		{name: "unmasked-empty-text", send: "\x81\x00", want: "1002"},
		{name: "unmasked-ping", send: "\x89\x00", want: "1002"},
		{name: "unmasked-close", send: "\x88\x02\x03\xe8", want: "1002"},
		{name: "unmasked-after-a-message", send: ok + "\x81\x02hi", want: "ok 1002", got: []string{"ok"}},
		{name: "unmasked-continuation", send: masked(text, "a") + "\x80\x01b", want: "1002"},
		{name: "zero-mask-is-a-mask", send: "\x81\x82\x00\x00\x00\x00hi" + bye, want: "hi 1000", byPeer: true},
	}
}

// Section 5.2: reserved bits.
func reservedBitsAttacks() []frameAttack {
	return []frameAttack{
		{name: "rsv1", send: masked(fin|rsv1|text, "hi"), want: "1002"},
		{name: "rsv2", send: masked(fin|rsv2|text, "hi"), want: "1002"},
		{name: "rsv3", send: masked(fin|rsv3|text, "hi"), want: "1002"},
		{name: "rsv-all", send: masked(fin|rsv1|rsv2|rsv3|text, "hi"), want: "1002"},
		{name: "rsv1-on-ping", send: masked(fin|rsv1|ping, ""), want: "1002"},
		{name: "rsv1-on-close", send: masked(fin|rsv1|closeOp, closing(1000, "")), want: "1002"},
		{name: "rsv1-on-continuation", send: masked(text, "a") + masked(fin|rsv1|cont, "b"), want: "1002"},
		{name: "deflate-rsv2", deflate: true, send: masked(fin|rsv1|rsv2|text, deflated("hi")), want: "1002"},
		{name: "deflate-rsv3-alone", deflate: true, send: masked(fin|rsv3|text, "hi"), want: "1002"},
		{name: "deflate-rsv1-on-ping", deflate: true, send: masked(fin|rsv1|ping, ""), want: "1002"},
		{name: "deflate-rsv1-on-close", deflate: true, send: masked(fin|rsv1|closeOp, ""), want: "1002"},
		{name: "deflate-rsv1-on-continuation", deflate: true, send: masked(rsv1|text, "a") + masked(fin|rsv1|cont, "b"), want: "1002"},
	}
}

// Section 5.2: lengths.
func lengthsAttacks() []frameAttack {
	return []frameAttack{
		{name: "top-bit-of-the-length", send: header(fin|text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 5) + "hello", want: "1002"},
		{name: "all-bits-of-the-length", send: header(fin|text, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), want: "1002"},
		{name: "top-bit-unmasked", send: "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x05hello", want: "1002"},
		{name: "top-bit-on-binary", send: header(fin|binaryOp, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 5), want: "1002"},
		{name: "top-bit-on-continuation", send: masked(text, "a") + header(fin|cont, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 5), want: "1002"},
		{name: "largest-length", send: header(fin|text, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), want: "1009"},
		{name: "largest-length-without-limits", cfg: wsconn.Config{MaxFrameBytes: wsconn.Off, MaxMessageBytes: wsconn.Off},
			send: header(fin|text, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), want: "1009"},
		{name: "largest-length-in-a-message-without-limits", cfg: wsconn.Config{MaxFrameBytes: wsconn.Off, MaxMessageBytes: wsconn.Off},
			send: masked(text, "abc") + header(fin|cont, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xef, 0xff, 0xff), want: "1009"},
		{name: "16-bits-for-125", send: header(fin|text, 0xfe, 0, 125) + xor(strings.Repeat("x", 125)), want: "1002"},
		{name: "16-bits-for-0", send: header(fin|text, 0xfe, 0, 0), want: "1002"},
		{name: "64-bits-for-125", send: header(fin|text, 0xff, 0, 0, 0, 0, 0, 0, 0, 125), want: "1002"},
		{name: "64-bits-for-0", send: header(fin|text, 0xff, 0, 0, 0, 0, 0, 0, 0, 0), want: "1002"},
		{name: "64-bits-for-65535", send: header(fin|text, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff), want: "1002"},
		{name: "16-bits-for-126", send: masked(fin|text, strings.Repeat("x", 126)) + bye, want: strings.Repeat("x", 126) + " 1000", byPeer: true},
	}
}

// Sizes (the managed gateway's quotas).
func sizesAttacks() []frameAttack {
	return []frameAttack{
		{name: "frame-of-the-limit", send: masked(fin|text, long) + bye, want: long + " 1000", byPeer: true},
		{name: "frame-above-the-limit", send: masked(fin|text, long+"x"), want: "1009"},
		{name: "frame-above-the-limit-by-its-header", send: header(fin|text, 0xfe, 0x80, 0x01), want: "1009"},
		{name: "33-KB", send: masked(fin|text, strings.Repeat("x", 33<<10)), want: "1009", got: []string{}},
		{name: "continuation-above-the-frame-limit", send: masked(text, "a") + header(cont, 0xfe, 0x80, 0x01), want: "1009"},
		{name: "message-of-the-limit", send: masked(text, long) + masked(cont, long) + masked(cont, long) + masked(fin|cont, long) + bye,
			want: long + "+" + long + "+" + long + "+" + long + " 1000", byPeer: true},
		{name: "message-above-the-limit", send: masked(text, long) + masked(cont, long) + masked(cont, long) + masked(cont, long) +
			header(fin|cont, 0x81), want: "1009", got: []string{}},
		{name: "message-above-the-limit-by-a-header", send: masked(text, long) + masked(cont, long) + masked(cont, long) +
			masked(cont, "x") + header(cont, 0xfe, 0x80, 0x00), want: "1009", got: []string{}},
		{name: "an-empty-end-at-the-limit", send: masked(text, long) + masked(cont, long) + masked(cont, long) + masked(cont, long) +
			masked(fin|cont, "") + bye, want: long + "+" + long + "+" + long + "+" + long + " 1000", byPeer: true},
	}
}

// Section 5.3 to 5.4: opcodes and fragments.
func fragmentsAttacks() []frameAttack {
	return []frameAttack{
		{name: "continuation-first", send: masked(fin|cont, "x"), want: "1002"},
		{name: "open-continuation-first", send: masked(cont, "x"), want: "1002"},
		{name: "continuation-after-a-message", send: ok + masked(fin|cont, "x"), want: "ok 1002"},
		{name: "continuation-after-a-fragmented-message", send: masked(text, "o") + masked(fin|cont, "k") + masked(fin|cont, "x"), want: "ok 1002"},
		{name: "text-inside-a-message", send: masked(text, "a") + masked(fin|text, "b"), want: "1002"},
		{name: "open-text-inside-a-message", send: masked(text, "a") + masked(text, "b"), want: "1002"},
		{name: "binary-inside-a-text", send: masked(text, "a") + masked(fin|binaryOp, "b"), want: "1002"},
		{name: "text-inside-a-binary", send: masked(binaryOp, "a") + masked(fin|text, "b"), want: "1002"},
		{name: "text-after-an-empty-open-fragment", send: masked(text, "") + masked(fin|text, "b"), want: "1002"},
		{name: "fragments", send: masked(text, "he") + masked(cont, "ll") + masked(fin|cont, "o") + bye, want: "hello 1000", byPeer: true},
		{name: "empty-fragments", send: masked(text, "") + masked(cont, "") + masked(fin|cont, "") + bye, want: " 1000", byPeer: true, got: []string{""}},
		{name: "ping-inside-a-message", send: masked(text, "he") + masked(fin|ping, "p") + masked(fin|cont, "llo") + bye,
			want: "pong:p hello 1000", byPeer: true},
		{name: "pong-inside-a-message", send: masked(text, "he") + masked(fin|pong, "p") + masked(fin|cont, "llo") + bye, want: "hello 1000", byPeer: true},
		{name: "close-inside-a-message", send: masked(text, "he") + bye, want: "1000", byPeer: true, got: []string{}},
	}
}

// Section 5.5: control frames.
func controlFramesAttacks() []frameAttack {
	return []frameAttack{
		{name: "ping-of-125", send: masked(fin|ping, strings.Repeat("p", 125)) + bye, want: "pong:" + strings.Repeat("p", 125) + " 1000", byPeer: true},
		{name: "ping-of-126", send: masked(fin|ping, strings.Repeat("p", 126)), want: "1002"},
		{name: "ping-in-64-bits", send: header(fin|ping, 0xff, 0, 0, 0, 0, 0, 1, 0, 0), want: "1002"},
		{name: "pong-of-126", send: masked(fin|pong, strings.Repeat("p", 126)), want: "1002"},
		{name: "close-of-126", send: masked(fin|closeOp, closing(1000, strings.Repeat("x", 124))), want: "1002"},
		{name: "ping-in-fragments", send: masked(ping, "a") + masked(fin|cont, "b"), want: "1002"},
		{name: "pong-in-fragments", send: masked(pong, "a"), want: "1002"},
		{name: "close-in-fragments", send: masked(closeOp, closing(1000, "")), want: "1002"},
		{name: "pings-in-order", send: masked(fin|ping, "1") + masked(fin|ping, "2") + masked(fin|ping, "3") + bye,
			want: "pong:1 pong:2 pong:3 1000", byPeer: true},
		{name: "unasked-pong", send: masked(fin|pong, "x") + ok + bye, want: "ok 1000", byPeer: true},
	}
}

// Section 5.6: binary, refused as the managed gateway does.
func binariesAttacks() []frameAttack {
	return []frameAttack{
		{name: "binary-refused", cfg: wsconn.Config{RefuseBinary: true}, send: masked(fin|binaryOp, "x"), want: "1003", got: []string{}},
		{name: "binary-refused-by-its-header", cfg: wsconn.Config{RefuseBinary: true}, send: header(binaryOp, 0xfe, 0x10, 0), want: "1003"},
		{name: "binary-refused-before-its-size", cfg: wsconn.Config{RefuseBinary: true}, send: header(fin|binaryOp, 0xfe, 0xff, 0xff), want: "1003"},
		{name: "binary-in-a-text-where-refused", cfg: wsconn.Config{RefuseBinary: true}, send: masked(text, "a") + masked(fin|binaryOp, "b"), want: "1002"},
		{name: "binary-unmasked-where-refused", cfg: wsconn.Config{RefuseBinary: true}, send: "\x82\x01x", want: "1002"},
		{name: "text-where-binary-is-refused", cfg: wsconn.Config{RefuseBinary: true}, send: ok + bye, want: "ok 1000", byPeer: true},
		{name: "binary-may-be-anything", send: masked(fin|binaryOp, "\xff\xfe\x80") + bye, want: "\xff\xfe\x80 1000", byPeer: true},
	}
}

// Section 8.1: UTF-8.
func textsAttacks() []frameAttack {
	return []frameAttack{
		{name: "utf8-split-in-two", send: masked(text, euro[:1]) + masked(fin|cont, euro[1:]) + bye, want: euro + " 1000", byPeer: true},
		{name: "utf8-split-in-bytes", send: masked(text, clef[:1]) + masked(cont, clef[1:2]) + masked(cont, clef[2:3]) + masked(fin|cont, clef[3:]) + bye,
			want: clef + " 1000", byPeer: true},
		{name: "utf8-split-around-an-empty-fragment", send: masked(text, euro[:2]) + masked(cont, "") + masked(fin|cont, euro[2:]) + bye,
			want: euro + " 1000", byPeer: true},
		{name: "utf8-broken-off", send: masked(fin|text, euro[:2]), want: "1007"},
		{name: "utf8-broken-off-in-the-last-fragment", send: masked(text, "a") + masked(fin|cont, clef[:3]), want: "1007"},
		{name: "utf8-broken-off-before-an-empty-end", send: masked(text, clef[:3]) + masked(fin|cont, ""), want: "1007"},
		{name: "utf8-broken-by-the-next-fragment", send: masked(text, euro[:2]) + masked(cont, "x"), want: "1007"},
		{name: "utf8-refused-before-the-end", send: masked(text, "a\xff"), want: "1007"},
		{name: "utf8-refused-inside-a-frame", send: header(fin|text, 0xfe, 0x70, 0) + xor(strings.Repeat("x", 1000)+"\xff"), want: "1007"},
	}
}

// Section 5.5.1 and 7.4: close frames.
func closesAttacks() []frameAttack {
	return []frameAttack{
		{name: "close-without-a-code", send: masked(fin|closeOp, ""), want: "empty-close", end: 1005, byPeer: true},
		{name: "close-of-one-byte", send: masked(fin|closeOp, "\x03"), want: "1002"},
		{name: "close-reason-not-utf8", send: masked(fin|closeOp, closing(1000, "\xff")), want: "1007"},
		{name: "close-reason-broken-off", send: masked(fin|closeOp, closing(1000, euro[:2])), want: "1007"},
		{name: "close-reason-of-123", send: masked(fin|closeOp, closing(1000, strings.Repeat("x", 123))), want: "1000", byPeer: true},
		{name: "data-after-close", send: bye + ok, want: "1000", byPeer: true, got: []string{}},
		{name: "ping-after-close", send: bye + masked(fin|ping, "x"), want: "1000", byPeer: true},
		{name: "close-after-close", send: bye + masked(fin|closeOp, closing(1001, "")), want: "1000", byPeer: true},
		{name: "rubbish-after-close", send: bye + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", want: "1000", byPeer: true},
		{name: "message-before-close", send: ok + bye, want: "ok 1000", byPeer: true, got: []string{"ok"}},
	}
}

// permessage-deflate.
func compressionsAttacks() []frameAttack {
	return []frameAttack{
		{name: "deflate-text", deflate: true, send: masked(fin|rsv1|text, deflated("hello")) + bye, want: "hello 1000", byPeer: true},
		{name: "deflate-plain-text", deflate: true, send: ok + bye, want: "ok 1000", byPeer: true},
		{name: "deflate-fragments", deflate: true, send: masked(rsv1|text, deflated("hello")[:3]) + masked(fin|cont, deflated("hello")[3:]) + bye,
			want: "hello 1000", byPeer: true},
		{name: "deflate-empty", deflate: true, send: masked(fin|rsv1|text, "\x00") + bye, want: " 1000", byPeer: true, got: []string{""}},
		{name: "deflate-final-block", deflate: true, send: masked(fin|rsv1|text, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00") + bye, want: "Hello 1000", byPeer: true},
		{name: "deflate-corrupt", deflate: true, send: masked(fin|rsv1|text, "\xff\xff\xff"), want: "1007"},
		{name: "deflate-stored-cut-short", deflate: true, send: masked(fin|rsv1|text, "\x00\x10\x00\xef\xffab"), want: "1007"},
		{name: "deflate-not-utf8", deflate: true, send: masked(fin|rsv1|text, deflated("\xff")), want: "1007"},
		{name: "deflate-utf8-broken-off", deflate: true, send: masked(fin|rsv1|text, deflated(euro[:2])), want: "1007"},
		{name: "deflate-bomb", deflate: true, send: masked(fin|rsv1|text, deflated(strings.Repeat("x", 20<<20))), want: "1009", got: []string{}},
		{name: "deflate-one-byte-too-many", deflate: true, send: masked(fin|rsv1|text, deflated(strings.Repeat("x", 131073))), want: "1009"},
		{name: "deflate-many-final-blocks", deflate: true, send: masked(fin|rsv1|text, strings.Repeat("\x03\x00", 16000)), want: "1007"},
	}
}

// Every opcode that has no meaning.
func opcodeAttacks() (rows []frameAttack) {
	for op := byte(3); op < 16; op++ {
		if op >= closeOp && op <= pong {
			continue
		}
		rows = append(rows,
			frameAttack{name: fmt.Sprintf("opcode-%d", op), send: masked(fin|op, "x"), want: "1002"},
			frameAttack{name: fmt.Sprintf("opcode-%d-inside-a-message", op), send: masked(text, "a") + masked(op, ""),
				want: "1002"})
	}
	return rows
}

// Close codes that nobody may send, and those that a client may.
func codeAttacks() (rows []frameAttack) {
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		rows = append(rows, frameAttack{name: fmt.Sprintf("close-code-%d", code),
			send: masked(fin|closeOp, closing(code, "")), want: "1002"})
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
		3000, 3999, 4000, 4999} {
		rows = append(rows, frameAttack{name: fmt.Sprintf("close-code-%d", code),
			send: masked(fin|closeOp, closing(code, "r")), want: fmt.Sprint(code), byPeer: true})
	}
	return rows
}

// Bytes that are no UTF-8: at once, split over two frames, and far behind in a long text.
func utf8Attacks() (rows []frameAttack) {
	for name, bad := range map[string]string{
		"lone-continuation": "\x80", "overlong-slash": "\xc0\xaf", "overlong-nul": "\xe0\x80\x80",
		"overlong-4": "\xf0\x80\x80\xaf", "surrogate": "\xed\xa0\x80", "above-the-last": "\xf4\x90\x80\x80",
		"five-bytes": "\xf8\x88\x80\x80\x80", "ff": "\xff", "fe": "\xfe", "second-byte": "\xe2\x28\xa1",
	} {
		rows = append(rows,
			frameAttack{name: "utf8-" + name, send: masked(fin|text, "ok "+bad+" ok"), want: "1007"},
			frameAttack{name: "utf8-split-" + name, send: masked(text, "a"+bad[:1]) + masked(fin|cont, bad[1:]+"b"),
				want: "1007"},
			frameAttack{name: "utf8-far-" + name, send: masked(fin|text, strings.Repeat("é", 3000)+bad), want: "1007"})
	}
	return rows
}
