package transform

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// util is $util. (Developer guide, "Mapping template reference", "$util functions".)
type util struct{ budget *budget }

// Meter implements vtl.Metered.
func (u util) Meter(m *vtl.Meter) { u.budget.meter = m }

// Property implements vtl.Object.
func (util) Property(string) (any, bool) { return nil, false }

// Call implements vtl.Object. All functions take one text; of anything else they make nothing.
func (u util) Call(method string, args []any) (any, bool, error) {
	if len(args) != 1 {
		return nil, false, nil
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, false, nil
	}
	cost, steps := 0, len(s)/8
	switch method {
	case "escapeJavaScript":
		cost, steps = escapedLen(s), len(s)/2
	case "urlEncode":
		cost, steps = urlEncodedLen(s), len(s)/4
	case "urlDecode", "base64Encode", "base64Decode":
		cost = 8 * len(s) // text in between, and U+FFFD for a byte
	case "parseJson":
		cost = len(s)
	}
	if err := u.budget.meter.Charge(2+steps, 16+cost); err != nil {
		return nil, true, err
	}
	switch method {
	case "escapeJavaScript":
		return escapeJavaScript(s), true, nil
	case "parseJson":
		v, err := u.budget.meter.DecodeJSON([]byte(s))
		if err != nil {
			return nil, true, fmt.Errorf("$util.parseJson: %w", err)
		}
		return v, true, nil
	case "urlEncode":
		return urlEncode(s), true, nil
	case "urlDecode":
		decoded, err := url.QueryUnescape(s)
		if err != nil {
			return nil, true, fmt.Errorf("$util.urlDecode: want two hexadecimal digits behind each %%")
		}
		return plainText(decoded), true, nil
	case "base64Encode":
		return base64.StdEncoding.EncodeToString([]byte(s)), true, nil
	case "base64Decode":
		decoded, err := decodeBase64(s)
		if err != nil {
			return nil, true, fmt.Errorf("$util.base64Decode: want base64")
		}
		return string(validText(decoded)), true, nil
	}
	return nil, false, nil
}

// escapeJavaScript follows Apache Commons Lang 2's StringEscapeUtils.
func escapeJavaScript(s string) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(escapedLen(s))
	unit := func(u uint16) {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(upperHex[u>>shift&15])
		}
	}
	for _, r := range s {
		switch {
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\'' || r == '"' || r == '\\' || r == '/':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			unit(uint16(high))
			unit(uint16(low))
		case r < ' ' || r > '~':
			unit(uint16(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escapedLen is how long escapeJavaScript makes a text.
func escapedLen(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r >= 0x10000:
			n += 12
		case r > '~' || r < ' ' && (r < '\b' || r > '\r' || r == '\v'):
			n += 6
		case r < ' ' || r == '\'' || r == '"' || r == '\\' || r == '/':
			n += 2
		default:
			n++
		}
	}
	return n
}

// urlEncode is java.net.URLEncoder, which keeps * and escapes ~, unlike url.QueryEscape.
func urlEncode(s string) string {
	const upperHex = "0123456789ABCDEF"
	b := make([]byte, 0, urlEncodedLen(s)/2)
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b = append(b, '+')
		case keptInURL(c):
			b = append(b, c)
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

func keptInURL(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '*'
}

// urlEncodedLen is how long urlEncode makes a text, twice: it is copied.
func urlEncodedLen(s string) int {
	n := 2 * len(s)
	for i := range len(s) {
		if !keptInURL(s[i]) && s[i] != ' ' {
			n += 4
		}
	}
	return n
}

// decodeBase64 takes the standard alphabet with or without padding, and line ends.
func decodeBase64(s string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		decoded, err = base64.RawStdEncoding.DecodeString(s)
	}
	return decoded, err
}

// validText returns body with what isn't UTF-8 as U+FFFD, one for each piece that could have begun
// a character, as Java decodes it. It returns body itself if nothing is to be done.
func validText(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	text, rest := appendValidText(make([]byte, 0, len(body)+len(body)/8+8), body)
	if len(rest) > 0 {
		text = utf8.AppendRune(text, utf8.RuneError)
	}
	return text
}

// plainText is validText for a string.
func plainText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(validText([]byte(s)))
}

// appendValidText appends b as validText has it, but for an unfinished character at the end, which
// it returns.
func appendValidText(dst, b []byte) (text, rest []byte) {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r != utf8.RuneError || size > 1 {
			dst = append(dst, b[:size]...)
			b = b[size:]
			continue
		}
		n := prefixLen(b)
		if n == len(b) && !utf8.FullRune(b) {
			return dst, b
		}
		dst = utf8.AppendRune(dst, utf8.RuneError)
		b = b[n:]
	}
	return dst, nil
}

// prefixLen is how many bytes of b, which begins with no character, could be the beginning of one;
// at least one. (The Unicode Standard, section 3.9, "maximal subpart".)
func prefixLen(b []byte) int {
	n := 1
	for n < min(len(b), 3) && !utf8.FullRune(b[:n]) && 0x80 <= b[n] && b[n] < 0xc0 {
		if utf8.FullRune(b[:n+1]) { // complete, and wrong
			break
		}
		n++
	}
	return n
}
