package wsconn_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// plainFrames is what Frames finds, told by the simplest reader of RFC 6455: it has all of the
// input, reads a frame at a time, and judges text when it is whole. Only the order of verdicts on
// one header is as there.
func plainFrames(in []byte, maxFrame, maxMessage int, deflate bool) (found []string) {
	var message []byte
	open, op, compressed := false, byte(0), false
	for {
		if len(in) == 0 {
			return append(found, "eof")
		}
		if len(in) < 2 {
			return append(found, "cut")
		}
		first, n, size := in[0], uint64(in[1]&0x7f), 2
		switch n {
		case 126:
			size = 4
		case 127:
			size = 10
		}
		isMasked := in[1]&0x80 != 0
		whole := size
		if isMasked {
			whole += 4
		}
		if len(in) < whole {
			return append(found, "cut")
		}
		if size > 2 {
			n = 0
			for _, b := range in[2:size] {
				n = n<<8 | uint64(b)
			}
		}
		code, isFin := first&0xf, first&0x80 != 0
		control := code >= 8
		rsvAllowed := deflate && (code == text || code == binaryOp)
		switch {
		case size == 4 && n < 126, size == 10 && n < 1<<16, n >= 1<<63:
			return append(found, "1002")
		case first&0x30 != 0, first&0x40 != 0 && !rsvAllowed:
			return append(found, "1002")
		case code > 2 && code < 8, code > 10, control && (n > 125 || !isFin), !isMasked:
			return append(found, "1002")
		case !control && open != (code == cont):
			return append(found, "1002")
		}
		if !control {
			if code != cont {
				op, compressed, message = code, first&0x40 != 0, nil
			}
			if n > uint64(maxFrame) || n > uint64(maxMessage-len(message)) {
				return append(found, "1009")
			}
			open = !isFin
		}
		key, body := in[size:whole], in[whole:]
		short := uint64(len(body)) < n
		if short {
			n = uint64(len(body))
		}
		payload := bytes.Clone(body[:n])
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		in = body[n:]
		if control {
			if short {
				return append(found, "cut")
			}
			found = append(found, fmt.Sprintf("%d %q", code, payload))
			continue
		}
		message = append(message, payload...)
		if short {
			return append(found, "cut")
		}
		if !isFin {
			continue
		}
		plain := message
		if compressed {
			var verdict string
			if plain, verdict = plainInflate(message, maxMessage); verdict != "" {
				return append(found, verdict)
			}
		}
		if op == text && !utf8.Valid(plain) {
			return append(found, "1007")
		}
		found = append(found, fmt.Sprintf("%d %q", op, plain))
	}
}

// plainInflate inflates a message without a final block in it; others aren't what it is for.
func plainInflate(message []byte, limit int) ([]byte, string) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(io.MultiReader(bytes.NewReader(message),
		strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))), int64(limit)+1))
	switch {
	case len(plain) > limit:
		return nil, "1009"
	case err != nil:
		return nil, "1007"
	}
	return plain, ""
}

// earlier reports whether got differs from want only in that bad text was found before its
// message's end: got stops with 1007, and what want goes on with is no message. That the text is
// bad FuzzUTF8 has an oracle for.
func earlier(got, want []string) bool {
	n := len(got) - 1
	if got[n] != "1007" || len(want) <= n || !slices.Equal(got[:n], want[:n]) {
		return false
	}
	return !slices.ContainsFunc(want[n:], func(s string) bool { return strings.HasPrefix(s, "1 ") || strings.HasPrefix(s, "2 ") })
}

// chunks gives its bytes in pieces of the sizes that sizes has, again and again.
type chunks struct {
	in    []byte
	sizes []byte
	i     int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := len(c.in)
	if len(c.sizes) > 0 {
		n = int(c.sizes[c.i%len(c.sizes)]) + 1
		c.i++
	}
	n = copy(p, c.in[:min(n, len(c.in))])
	c.in = c.in[n:]
	return n, nil
}

func FuzzFrames(f *testing.F) {
	for _, a := range frameAttacks() {
		if len(a.send) < 4000 {
			f.Add([]byte(a.send), []byte{0})
			f.Add([]byte(a.send), []byte{})
			f.Add([]byte(a.send), []byte{2, 7, 0, 255})
		}
	}
	f.Add([]byte(masked(text, strings.Repeat("é", 300))+masked(fin|cont, strings.Repeat("x", 700))), []byte{255, 3})
	const maxFrame, maxMessage = 1000, 3000
	f.Fuzz(func(t *testing.T, in, sizes []byte) {
		got := wsconn.Frames(&chunks{in: in, sizes: sizes}, wsconn.Config{MaxFrameBytes: maxFrame, MaxMessageBytes: maxMessage}, false)
		want := plainFrames(in, maxFrame, maxMessage, false)
		if !earlier(got, want) {
			require.Equal(t, want, got)
		}
		require.NotPanics(t, func() {
			wsconn.Frames(&chunks{in: in, sizes: sizes}, wsconn.Config{MaxFrameBytes: wsconn.Off, MaxMessageBytes: wsconn.Off}, true)
		})
	})
}

// A compressed message is what compress/flate makes of it, however it is cut, or refused.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "hello", strings.Repeat("x", 5000), "\xff", euro, euro[:2]} {
		f.Add([]byte(deflated(s)), true)
		f.Add([]byte(deflated(s)), false)
	}
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), true)
	f.Fuzz(func(t *testing.T, in []byte, isText bool) {
		const limit = 3000
		first := byte(fin | rsv1 | binaryOp)
		if isText {
			first = fin | rsv1 | text
		}
		if len(in) > limit {
			return
		}
		got := wsconn.Frames(strings.NewReader(masked(first, string(in))), wsconn.Config{MaxMessageBytes: limit}, true)
		want := plainFrames([]byte(masked(first, string(in))), 32<<10, limit, true)
		if got[0] != want[0] {
			// The engine goes on behind a final block, and finds bad text before a message is found
			// too long or corrupt.
			final := len(want) == 2 && want[1] == "eof"
			early := isText && got[0] == "1007"
			require.True(t, final || early, "got %q, want %q", got, want)
			if final && !early && got[0] != "1007" && got[0] != "1009" {
				require.True(t, strings.HasPrefix(got[0], strings.TrimSuffix(want[0], `"`)), "got %q, want %q and more", got, want)
			}
		}
	})
}

// The verdict on text doesn't depend on how it is cut.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "a", euro, clef, "a\xff", "\xe2\x28\xa1", "\xed\xa0\x80", strings.Repeat("a", 70) + euro, strings.Repeat(euro, 40)} {
		f.Add([]byte(s), uint8(1))
		f.Add([]byte(s), uint8(33))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		ok, judged := true, 0
		for end := 0; end < len(in) && ok; {
			end = min(len(in), end+int(step)+1)
			var n int
			n, ok = wsconn.ValidUTF8(in[judged:end], end == len(in))
			judged += n
		}
		require.Equal(t, utf8.Valid(in), ok)
		if ok {
			require.Equal(t, len(in), judged)
		}
	})
}

func FuzzExtensions(f *testing.F) {
	for _, s := range []string{"permessage-deflate", `permessage-deflate; client_max_window_bits="10", x`, ";", `a; b="`, "a,,b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		answer, ok := wsconn.NegotiateDeflate([]string{line})
		require.True(t, ok || answer == "")
		if answer != "" {
			require.Contains(t, line, "permessage-deflate")
		}
	})
}
