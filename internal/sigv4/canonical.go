// Package sigv4 computes what AWS Signature Version 4 signs: canonical requests, strings to sign,
// keys and signatures, symmetric (SigV4) and asymmetric (SigV4A). It speaks no HTTP and reads no
// clock; verifier and signer share it. (IAM user guide, "Create a signed AWS API request"; AWS's
// test suite for signers.) [Signer] is the one signer: of authtest, and of the services that
// integrations call.
package sigv4

import (
	"slices"
	"strings"
)

const upperHex = "0123456789ABCDEF"

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' ||
		c == '~'
}

func appendEncoded(b []byte, c byte) []byte {
	if unreserved(c) {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// PathRules are how a service's signers write the canonical path. The zero value is that of every
// service but S3.
type PathRules struct {
	// KeepSegments leaves empty segments and dot segments where they are.
	KeepSegments bool
	// EscapeOnce takes the path as it is on the wire, without escaping it again.
	EscapeOnce bool
}

// AppendURI appends the canonical form of a path as it is on the wire: empty segments and dot
// segments are taken out, and each byte of the still escaped path is escaped again, so that %2F is
// signed as %252F. That is what signers of every service but S3 do (the guide: "each path segment
// must be URI-encoded twice"), and it has a use: a slash that came as %2F and one that came as /
// are two paths, which must have two signatures.
//
// ".." takes back what was appended up to the slash before it, and nothing where there is nothing:
// the path can't climb out of b. (RFC 3986, section 5.2.4.)
func AppendURI(b []byte, path string, rules PathRules) []byte {
	start := len(b)
	if rules.KeepSegments {
		if path == "" {
			return append(b, '/')
		}
		return appendPath(b, path, rules.EscapeOnce)
	}
	for rest := path; rest != ""; {
		segment, after, _ := strings.Cut(rest, "/")
		rest = after
		switch segment {
		case "", ".":
		case "..":
			for len(b) > start {
				last := b[len(b)-1]
				if b = b[:len(b)-1]; last == '/' {
					break
				}
			}
		default:
			b = appendPath(append(b, '/'), segment, rules.EscapeOnce)
		}
	}
	if len(b) == start || strings.HasSuffix(path, "/") {
		b = append(b, '/')
	}
	return b
}

func appendPath(b []byte, path string, asIs bool) []byte {
	if asIs {
		return append(b, path...)
	}
	for i := range len(path) {
		if path[i] == '/' {
			b = append(b, '/')
		} else {
			b = appendEncoded(b, path[i])
		}
	}
	return b
}

// IsNormal reports whether normalization leaves path as it is.
func IsNormal(path string) bool {
	if !strings.HasPrefix(path, "/") {
		return false
	}
	if path == "/" {
		return true
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(path[1:], "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// maxPairs is how many net/url reads; of a longer query it gives handlers nothing.
const maxPairs = 10_000

// pair is a name and a value, escaped, within a buffer.
type pair struct{ name, value string }

// AppendQuery appends the canonical form of a query string: pairs decoded, escaped in one way and
// sorted by name, then value. Sorted are the escaped texts, as the guide and the test suite have
// it; sorting the decoded ones would put "%2B" elsewhere. A plus stays a plus, which is what
// signers sign, though net/url gives handlers a blank for it: one signature then is good for one
// text on the wire.
//
// The parameters called leaveOut aren't signed: SignatureParameter where the signature is in the
// query, and only there, since what is left out anybody could add.
//
// ok is false where two readers would see different pairs: for a semicolon, which separates to some
// and not to others; for bad escapes, which some pass through; and for more pairs than net/url
// reads, which gives handlers nothing then.
func AppendQuery(b []byte, query string, leaveOut ...string) (_ []byte, ok bool) {
	if query == "" {
		return b, true
	}
	if strings.Count(query, "&") >= maxPairs {
		return b, false
	}
	var room [16]pair
	pairs := room[:0]
	for text := range strings.SplitSeq(query, "&") {
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		if name, ok = encodeAgain(name); !ok {
			return b, false
		}
		if value, ok = encodeAgain(value); !ok {
			return b, false
		}
		if !slices.Contains(leaveOut, name) {
			pairs = append(pairs, pair{name, value})
		}
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b, true
}

// encodeAgain decodes text and escapes it in the canonical way. It looks first whether it is
// canonical already, which what signers send usually is, and then costs nothing.
func encodeAgain(text string) (string, bool) {
	canonical := true
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case unreserved(c):
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			decoded := unhex(text[i+1])<<4 | unhex(text[i+2])
			canonical = canonical && !unreserved(decoded) && text[i+1] == upperHex[decoded>>4] &&
				text[i+2] == upperHex[decoded&15]
			i += 2
		case c == '%' || c == ';':
			return "", false
		default:
			canonical = false
		}
	}
	if canonical {
		return text, true
	}
	b := make([]byte, 0, 3*len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			c = unhex(text[i+1])<<4 | unhex(text[i+2])
			i += 2
		}
		b = appendEncoded(b, c)
	}
	return string(b), true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// AppendHeader appends the canonical line of a header, whose name is in lower case: values in the
// order in which they came, joined by commas, each trimmed and with one blank for each run of
// blanks.
func AppendHeader(b []byte, name string, values ...string) []byte {
	b = append(append(b, name...), ':')
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, value)
	}
	return append(b, '\n')
}

func appendTrimmed(b []byte, value string) []byte {
	start := len(b)
	for i := range len(value) {
		c := value[i]
		if blank := c == ' ' || '\t' <= c && c <= '\r'; !blank {
			b = append(b, c)
		} else if len(b) > start && b[len(b)-1] != ' ' {
			b = append(b, ' ')
		}
	}
	if len(b) > start && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}
