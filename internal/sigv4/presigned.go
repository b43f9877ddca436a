package sigv4

import (
	"net/url"
	"strings"
)

// The query parameters of presigned requests that are treated apart from the others.
const (
	SignatureParameter = "X-Amz-Signature"
	TokenParameter     = "X-Amz-Security-Token"
)

// Presigned are the parameters of a signature in a query, decoded. Those that aren't there are "".
type Presigned struct {
	Algorithm, Credential, Date, Expires, SignedHeaders, Signature string
	Token, RegionSet                                               string

	// Signs is whether there is a parameter that only presigned requests have, be it empty. Dated
	// is whether there is a date.
	Signs, Dated bool
}

// ParsePresigned reads the parameters, however their names are escaped: a reader behind us would
// decode them. ok is false, and nothing is returned, if one of them is there twice or can't be
// decoded.
func ParsePresigned(query string) (p Presigned, ok bool) {
	seen := uint16(0)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if !decodesToPrefix(name, "X-Amz-") {
			continue
		}
		if name, ok = decode(name); !ok {
			return Presigned{}, false
		}
		var field *string
		bit := uint16(1)
		switch name {
		case "X-Amz-Algorithm":
			field = &p.Algorithm
		case "X-Amz-Credential":
			field, bit = &p.Credential, 1<<1
		case "X-Amz-Date":
			field, bit = &p.Date, 1<<2
		case "X-Amz-Expires":
			field, bit = &p.Expires, 1<<3
		case "X-Amz-SignedHeaders":
			field, bit = &p.SignedHeaders, 1<<4
		case SignatureParameter:
			field, bit = &p.Signature, 1<<5
		case TokenParameter:
			field, bit = &p.Token, 1<<6
		case "X-Amz-Region-Set":
			field, bit = &p.RegionSet, 1<<7
		default:
			continue
		}
		switch {
		case field == &p.Date:
			p.Dated = true
		case field != &p.Token && field != &p.RegionSet:
			p.Signs = true
		}
		if seen&bit != 0 {
			return Presigned{}, false
		}
		seen |= bit
		if *field, ok = decode(value); !ok {
			return Presigned{}, false
		}
	}
	return p, true
}

// decodesToPrefix reports whether text, decoded, begins with prefix.
func decodesToPrefix(text, prefix string) bool {
	for i := range len(prefix) {
		if text == "" {
			return false
		}
		c, n := text[0], 1
		if c == '%' && len(text) > 2 && isHex(text[1]) && isHex(text[2]) {
			c, n = unhex(text[1])<<4|unhex(text[2]), 3
		}
		if c != prefix[i] {
			return false
		}
		text = text[n:]
	}
	return true
}

// decode takes percent-escapes away. A plus stays one, as in the canonical query.
func decode(text string) (string, bool) {
	decoded, err := url.PathUnescape(text)
	if err != nil || strings.IndexByte(text, ';') >= 0 {
		return "", false
	}
	return decoded, true
}
