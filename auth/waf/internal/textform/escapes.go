package textform

import "bytes"

// single returns what a letter behind a backslash means in C and in JavaScript, or false.
func single(c byte) (byte, bool) {
	switch c {
	case 'a':
		return '\a', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'v':
		return '\v', true
	}
	return 0, false
}

// octal reads up to most octal digits at i, and returns the low byte of their number, and how many
// there are.
func octal(s []byte, i, most int) (value byte, n int) {
	for n < most && i+n < len(s) && '0' <= s[i+n] && s[i+n] <= '7' {
		value = value<<3 | (s[i+n] - '0')
		n++
	}
	return value, n
}

// unescape appends src with its escapes decoded: each is given what stands at and behind a
// backslash, and returns the byte that it means and how many it took, or 0.
func unescape(dst, src []byte, decode func(s []byte) (byte, int)) []byte {
	for {
		i := bytes.IndexByte(src, '\\')
		if i < 0 {
			return append(dst, src...)
		}
		dst, src = append(dst, src[:i]...), src[i:]
		c, n := decode(src)
		if n == 0 {
			c, n = '\\', 1
		}
		dst, src = append(dst, c), src[n:]
	}
}

// escapeSeqDecode decodes the escapes of ANSI C. One that isn't valid stays, backslash and all.
func escapeSeqDecode(_ *Buffers, dst, src []byte) []byte { return unescape(dst, src, escapeC) }

func escapeC(s []byte) (byte, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if d, ok := single(s[1]); ok {
		return d, 2
	}
	switch c := s[1]; c {
	case '\\', '?', '\'', '"':
		return c, 2
	case 'x':
		if d, ok := pair(s, 2); ok {
			return d, 4
		}
		return 0, 0
	case '0': // the guide's form has three digits behind the 0
		d, n := octal(s, 2, 3)
		return d, 2 + n
	}
	if d, n := octal(s, 1, 3); n > 0 {
		return d, 1 + n
	}
	return 0, 0
}

// jsDecode drops the backslash of what is no escape, as a browser does.
func jsDecode(_ *Buffers, dst, src []byte) []byte { return unescape(dst, src, escapeJS) }

func escapeJS(s []byte) (byte, int) {
	if d, n := numericJS(s); n > 0 {
		return d, n
	}
	if len(s) < 2 {
		return 0, 0
	}
	if d, ok := single(s[1]); ok {
		return d, 2
	}
	return s[1], 2
}

// jsDecodeExt leaves alone what may be the name of a file on Windows: C:\temp\new has no tab and no
// line feed in it.
func jsDecodeExt(_ *Buffers, dst, src []byte) []byte { return unescape(dst, src, escapeJSExt) }

func escapeJSExt(s []byte) (byte, int) {
	if d, n := numericJS(s); n > 0 {
		return d, n
	}
	if len(s) > 1 && (s[1] == '\\' || s[1] == '/' || s[1] == '\'' || s[1] == '"') {
		return s[1], 2
	}
	return 0, 0
}

// numericJS decodes \uHHHH, \xHH and up to three octal digits, of which the first of three is at
// most a 3: beyond it a byte ends.
func numericJS(s []byte) (byte, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case 'u':
		if d, ok := quad(s, 2); ok {
			return d, 6
		}
		return 0, 0
	case 'x':
		if d, ok := pair(s, 2); ok {
			return d, 4
		}
		return 0, 0
	}
	most := 3
	if s[1] > '3' {
		most = 2
	}
	if d, n := octal(s, 1, most); n > 0 {
		return d, 1 + n
	}
	return 0, 0
}

// cssDecode decodes the escapes of CSS 2, section 4.1.3: up to six hexadecimal digits and one blank
// behind them, a line break that isn't there, or a character that stands for itself. A backslash at
// the end goes.
func cssDecode(_ *Buffers, dst, src []byte) []byte {
	for {
		i := bytes.IndexByte(src, '\\')
		if i < 0 {
			return append(dst, src...)
		}
		dst, src = append(dst, src[:i]...), src[i+1:]
		if len(src) == 0 {
			return dst
		}
		var value uint32
		n := 0
		for n < 6 && n < len(src) {
			d, ok := unhex(src[n])
			if !ok {
				break
			}
			value = value<<4 | uint32(d)
			n++
		}
		switch {
		case n > 0:
			dst, src = append(dst, narrow(value)), src[n:]
			if len(src) > 0 && isBlank(src[0]) {
				src = src[1:]
			}
		case src[0] == '\n':
			src = src[1:]
		default:
			dst, src = append(dst, src[0]), src[1:]
		}
	}
}
