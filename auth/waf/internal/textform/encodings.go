package textform

import (
	"crypto/md5"
	"crypto/sha256"
)

// unhex returns the value of a hexadecimal digit, or false.
func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// pair returns the byte that the two hexadecimal digits at i write, or false.
func pair(s []byte, i int) (byte, bool) {
	if i+2 > len(s) {
		return 0, false
	}
	hi, ok := unhex(s[i])
	lo, ok2 := unhex(s[i+1])
	return hi<<4 | lo, ok && ok2
}

// quad returns the byte that stands for the character whose four hexadecimal digits are at i, or
// false: see narrow.
func quad(s []byte, i int) (byte, bool) {
	hi, ok := pair(s, i)
	lo, ok2 := pair(s, i+2)
	return narrow(uint32(hi)<<8 | uint32(lo)), ok && ok2
}

// narrow keeps one byte of a character: of the full-width forms of ASCII, U+FF01 to U+FF5E, the
// character that they are a form of, as servers have taken the one for the other, and of all else
// the low byte.
func narrow(c uint32) byte {
	if 0xFF01 <= c && c <= 0xFF5E {
		return byte(c) + 0x20
	}
	return byte(c)
}

func urlDecode(_ *Buffers, dst, src []byte) []byte    { return unescapeURL(dst, src, false) }
func urlDecodeUni(_ *Buffers, dst, src []byte) []byte { return unescapeURL(dst, src, true) }

func unescapeURL(dst, src []byte, uni bool) []byte {
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if d, ok := pair(src, i+1); ok {
				dst = append(dst, d)
				i += 2
				continue
			}
			if uni && i+1 < len(src) && (src[i+1] == 'u' || src[i+1] == 'U') {
				if d, ok := quad(src, i+2); ok {
					dst = append(dst, d)
					i += 5
					continue
				}
			}
			dst = append(dst, c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hexDecode(_ *Buffers, dst, src []byte) []byte { return appendHex(dst, src) }

// appendHex appends what the pairs of digits write that src begins with.
func appendHex(dst, src []byte) []byte {
	for i := 0; ; i += 2 {
		d, ok := pair(src, i)
		if !ok {
			return dst
		}
		dst = append(dst, d)
	}
}

// sqlHexDecode takes 0x for the beginning of a literal wherever it stands, if a pair follows it.
func sqlHexDecode(_ *Buffers, dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		if src[i] == '0' && i+1 < len(src) && (src[i+1] == 'x' || src[i+1] == 'X') {
			if _, ok := pair(src, i+2); ok {
				before := len(dst)
				dst = appendHex(dst, src[i+2:])
				i += 2*(len(dst)-before) + 1
				continue
			}
		}
		dst = append(dst, src[i])
	}
	return dst
}

// unbase64 is the value of each byte of the alphabet plus one. (RFC 4648, section 4.)
var unbase64 = func() (t [256]byte) {
	for i, c := range []byte(upper + lower + "0123456789+/") {
		t[c] = byte(i + 1)
	}
	return t
}()

// base64Decode passes over line breaks, as base64 in mails has them (RFC 2045), and ends at any
// other byte that isn't of the alphabet.
func base64Decode(_ *Buffers, dst, src []byte) []byte {
	return appendBase64(dst, src, func(c byte) bool { return c == '\r' || c == '\n' })
}

// base64DecodeExt passes over all that isn't of the alphabet, the padding included: so do lenient
// decoders, such as PHP's.
func base64DecodeExt(_ *Buffers, dst, src []byte) []byte {
	return appendBase64(dst, src, func(byte) bool { return true })
}

func appendBase64(dst, src []byte, skip func(byte) bool) []byte {
	var have uint32 // bits that are no whole byte yet
	bits := 0
	for _, c := range src {
		v := unbase64[c]
		if v == 0 {
			if skip(c) {
				continue
			}
			return dst
		}
		have = have<<6 | uint32(v-1)
		if bits += 6; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(have>>bits))
		}
	}
	return dst
}

func md5Sum(_ *Buffers, dst, src []byte) []byte {
	sum := md5.Sum(src)
	return append(dst, sum[:]...)
}

func sha256Sum(_ *Buffers, dst, src []byte) []byte {
	sum := sha256.Sum256(src)
	return append(dst, sum[:]...)
}
