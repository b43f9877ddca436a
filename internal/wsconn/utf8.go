package wsconn

import (
	"encoding/binary"
	"unicode/utf8"
)

// validUTF8 judges the next part of a text. n is how much of p is whole: all of it, or, unless p is
// the last part, what stands in front of a rune that p breaks off in, which is then judged together
// with what follows. Text is judged as it arrives, so that a message that can't be valid any more
// is refused before its end (RFC 6455, section 8.1; Autobahn 6.4).
func validUTF8(p []byte, last bool) (n int, ok bool) {
	n = len(p)
	if !last {
		n = wholeRunes(p)
	}
	// Most text is ASCII. utf8.Valid looks at eight bytes a turn, this at 32.
	i := 0
	for ; i+32 <= n; i += 32 {
		q := p[i : i+32 : i+32]
		if (binary.LittleEndian.Uint64(q)|binary.LittleEndian.Uint64(q[8:])|
			binary.LittleEndian.Uint64(q[16:])|binary.LittleEndian.Uint64(q[24:]))&0x8080808080808080 != 0 {
			break
		}
	}
	return n, utf8.Valid(p[i:n])
}

// wholeRunes returns the length of p without a rune at its end that is valid so far and not
// complete. utf8.FullRune is true for what can't become valid, which therefore stays in front and
// is refused there.
func wholeRunes(p []byte) int {
	for i := len(p) - 1; i >= 0 && i > len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}
