package vtl

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Java's strings are UTF-16: an index counts its units, of which a character beyond U+FFFF has two.

// plain reports whether s is ASCII: then bytes are characters.
func plain(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&utf8.RuneSelf != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lengthUTF16(s string) int {
	if plain(s) {
		return len(s)
	}
	n := len(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0xe0: // three bytes and one unit, or four and two
			n -= 2
		case c >= 0xc0:
			n--
		}
	}
	return n
}

// offsetUTF16 returns the offset in bytes of a unit, and whether it is the second half of a pair.
// The unit must be there or be the end.
func offsetUTF16(s string, unit int) (offset int, half bool) {
	if plain(s) {
		return unit, false
	}
	for offset < len(s) && unit > 0 {
		r, n := utf8.DecodeRuneInString(s[offset:])
		if r > 0xffff {
			if unit == 1 {
				return offset, true
			}
			unit--
		}
		unit--
		offset += n
	}
	return offset, false
}

// substringUTF16 returns the units from one to another. Half of a pair becomes a question mark,
// which is what Java writes for it.
func substringUTF16(s string, from, to int) string {
	i, startsInPair := offsetUTF16(s, from)
	j, endsInPair := offsetUTF16(s, to)
	if from == to || !startsInPair && !endsInPair {
		return s[i:j]
	}
	first, last := "", ""
	if startsInPair {
		first = "?"
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	if endsInPair {
		last = "?"
	}
	return first + s[i:j] + last
}

func decodeUTF16(units []uint16) string {
	out := make([]byte, 0, len(units))
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 < len(units) {
				if pair := utf16.DecodeRune(r, rune(units[i+1])); pair != utf8.RuneError {
					out = utf8.AppendRune(out, pair)
					i++
					continue
				}
			}
			out = append(out, '?')
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func unitAt(s string, i int) Char {
	offset, half := offsetUTF16(s, i)
	r, _ := utf8.DecodeRuneInString(s[offset:])
	if r <= 0xffff {
		return Char(r)
	}
	high, low := utf16.EncodeRune(r)
	if half {
		return Char(low)
	}
	return Char(high)
}

// compareUTF16 is String.compareTo: the difference of the first units that differ, or of the
// lengths.
func compareUTF16(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && i < len(a) && !utf8.RuneStart(a[i]) || i > 0 && i < len(b) && !utf8.RuneStart(b[i]) {
		i--
	}
	if i == len(a) || i == len(b) {
		return lengthUTF16(a[i:]) - lengthUTF16(b[i:])
	}
	a, b = a[i:], b[i:]
	if first := int(unitAt(a, 0)) - int(unitAt(b, 0)); first != 0 {
		return first
	}
	return int(unitAt(a, 1)) - int(unitAt(b, 1)) // two pairs that begin alike
}

// hashUTF16 is String.hashCode.
func hashUTF16(s string) int32 {
	h := int32(0)
	for _, r := range s {
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			h = 31*(31*h+high) + low
			continue
		}
		h = 31*h + r
	}
	return h
}
