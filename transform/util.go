package transform

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// util is $util. (Developer guide, "Mapping template reference", "$util functions".)
type util struct{ budget *budget }

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
	cost := 6 * len(s) // \uXXXX is the longest that a byte becomes
	if method == "parseJson" {
		cost = perValue * len(s)
	}
	if err := u.budget.make(cost); err != nil {
		return nil, true, err
	}
	switch method {
	case "escapeJavaScript":
		return escapeJavaScript(s), true, nil
	case "parseJson":
		v, err := vtl.DecodeJSON([]byte(s))
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
	b.Grow(len(s) + len(s)/8)
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

// urlEncode is java.net.URLEncoder, which keeps * and escapes ~, unlike url.QueryEscape.
func urlEncode(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}

// decodeBase64 takes the standard alphabet with or without padding, and line ends.
func decodeBase64(s string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		decoded, err = base64.RawStdEncoding.DecodeString(s)
	}
	return decoded, err
}
