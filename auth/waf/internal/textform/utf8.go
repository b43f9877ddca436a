package textform

const hexDigits = "0123456789abcdef"

// utf8ToUnicode writes each character of several bytes as %u and at least four digits. Characters
// in more bytes than they need are decoded like others: C0 AF is a slash to a careless reader, and
// this is how a rule sees it.
func utf8ToUnicode(_ *Buffers, dst, src []byte) []byte {
	for i := 0; i < len(src); {
		c, n := sequence(src[i:])
		if n == 0 {
			dst = append(dst, src[i])
			i++
			continue
		}
		i += n
		dst = append(dst, '%', 'u')
		if c > 0xFFFFF {
			dst = append(dst, hexDigits[c>>20])
		}
		if c > 0xFFFF {
			dst = append(dst, hexDigits[c>>16&15])
		}
		dst = append(dst, hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
	}
	return dst
}

// sequence reads a UTF-8 sequence of two to four bytes, whether it is the shortest or not, and
// returns how long it is, or 0. (RFC 3629, section 3.)
func sequence(s []byte) (c uint32, n int) {
	switch lead := s[0]; {
	case lead < 0xC0:
		return 0, 0
	case lead < 0xE0:
		c, n = uint32(lead&0x1F), 2
	case lead < 0xF0:
		c, n = uint32(lead&0x0F), 3
	case lead < 0xF8:
		c, n = uint32(lead&0x07), 4
	default:
		return 0, 0
	}
	if n > len(s) {
		return 0, 0
	}
	for _, b := range s[1:n] {
		if b&0xC0 != 0x80 {
			return 0, 0
		}
		c = c<<6 | uint32(b&0x3F)
	}
	if c > 0x10FFFF {
		return 0, 0
	}
	return c, n
}
