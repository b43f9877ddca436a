package accesslog

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// place is where in a format a variable stands, and so how its value must be written there to be
// one value in one line.
type place uint8

const (
	asIs        place = iota // InsecureUnescaped
	plainText                // of a format that is none of the others
	plainQuoted              // there, what has its quotes and backslashes already
	jsonString               // between the quotes of a JSON string
	jsonBare                 // where JSON has a value
	jsonTyped                // there, what may be a value of JSON already
	xmlText                  // in an element or an attribute
	csvField                 // a field between commas
)

// place finds out where each variable stands.
func (f *format) place(text string, unescaped bool) {
	switch {
	case unescaped:
		f.each(func(p *piece) { p.as, p.unset = asIs, "-" })
	case strings.HasPrefix(text, "{"):
		f.placeJSON()
	case strings.HasPrefix(text, "<"):
		f.each(func(p *piece) { p.as, p.unset = xmlText, "-" })
	case f.isCSV():
		f.each(func(p *piece) { p.as, p.unset = csvField, "-" })
	default:
		f.each(func(p *piece) {
			p.as, p.unset = plainText, "-"
			if p.name == "error.messageString" && !strings.HasSuffix(p.text, `"`) {
				p.as = plainQuoted // a JSON string, which may have marks of direction and the C1 set
			}
		})
	}
}

func (f *format) each(do func(*piece)) {
	for i := range f.pieces {
		do(&f.pieces[i])
	}
}

// isCSV reports whether the format is variables with commas between them.
func (f *format) isCSV() bool {
	for i := range f.pieces {
		if i == 0 && f.pieces[i].text != "" || i > 0 && strings.Trim(f.pieces[i].text, " ") != "," {
			return false
		}
	}
	return f.tail == "" && len(f.pieces) > 1
}

// placeJSON finds out which variables stand within strings. The format as a whole is no JSON, if
// only because a number is missing where a variable stands.
func (f *format) placeJSON() {
	inString := false
	f.each(func(p *piece) {
		for i := 0; i < len(p.text); i++ {
			switch {
			case p.text[i] == '"':
				inString = !inString
			case p.text[i] == '\\' && inString:
				i++
			}
		}
		switch p.unset = "null"; {
		case inString:
			p.as, p.unset = jsonString, "-"
		case p.typed():
			p.as = jsonTyped
		default:
			p.as = jsonBare
		}
	})
}

// typed reports whether the variable may be more than text: a number, a word of the gateway's, or
// what an authorizer says. What a client says is text, also where it says null or 1e999: it mustn't
// choose which type a field of the line has.
func (p *piece) typed() bool {
	return p.number || p.name == "isCanaryRequest" || p.name == "error.messageString" ||
		strings.HasPrefix(p.name, "authorizer.") && p.v.Secret()
}

// longestEscape is how many bytes a byte of a value may become.
const longestEscape = len(`\u0000`)

func (as place) append(b []byte, s string) []byte {
	switch as {
	case plainText:
		return appendText(b, s, &special)
	case plainQuoted:
		return appendText(b, s, &odd)
	case jsonString:
		return inOneLine(jsonlex.AppendInner(b, s), len(b))
	case jsonBare:
		return inOneLine(jsonlex.AppendString(b, s), len(b))
	case jsonTyped:
		if end, ok := jsonlex.Scalar(s, 0); ok && end == len(s) && utf8.ValidString(s) {
			return inOneLine(append(b, s...), len(b))
		}
		return inOneLine(jsonlex.AppendString(b, s), len(b))
	case xmlText:
		return appendXML(b, s)
	case csvField:
		return appendCSV(b, s)
	}
	return append(b, s...)
}

// inOneLine escapes in the JSON from b[from] on what JSON lets be, and a reader of lines or a
// terminal may not.
func inOneLine(b []byte, from int) []byte {
	added := b[from:]
	if bytes.IndexByte(added, 0xc2) < 0 && bytes.IndexByte(added, 0xd8) < 0 && bytes.IndexByte(added, 0xe2) < 0 {
		return b // in UTF-8, all that breaks begins with one of them
	}
	text := string(added)
	b = b[:from]
	for _, r := range text {
		if breaks(r) {
			b = fmt.Appendf(b, `\u%04x`, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// special are the bytes that text isn't written with as they are, and those beyond ASCII, which are
// looked at closer: with quotes and backslashes, as both Apache and nginx escape them. odd are
// those of a text that stands by itself.
var special, odd = func() (special, odd [256]bool) {
	for c := range odd {
		odd[c] = c < ' ' || c >= 0x7f
		special[c] = odd[c] || c == '"' || c == '\\'
	}
	return special, odd
}()

// appendText appends s with the special bytes escaped, and everything that a terminal or a reader
// of lines might take for more than a character.
func appendText(b []byte, s string, special *[256]bool) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if !special[c] {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); size > 1 && !breaks(r) {
				i += size
				continue
			}
		}
		b = append(b, s[from:i]...)
		b = appendEscaped(b, s[i:i+size])
		i += size
		from = i
	}
	return append(b, s[from:]...)
}

// breaks reports whether a character may end a line, or steer a terminal: those of the C1 set, and
// Unicode's separators and marks of direction.
func breaks(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

func appendEscaped(b []byte, s string) []byte {
	switch s {
	case `"`, `\`:
		return append(append(b, '\\'), s...)
	case "\n":
		return append(b, `\n`...)
	case "\r":
		return append(b, `\r`...)
	case "\t":
		return append(b, `\t`...)
	}
	for i := range len(s) {
		b = fmt.Appendf(b, `\x%02x`, s[i])
	}
	return b
}

// appendXML appends s for an element or an attribute. XML has no way to write most control
// characters.
func appendXML(b []byte, s string) []byte {
	for _, r := range s { // a byte that isn't UTF-8 is U+FFFD
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&#34;"...)
		case r == '\'':
			b = append(b, "&#39;"...)
		case breaks(r) || r == 0xfffe || r == 0xffff:
			b = append(b, "\ufffd"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// appendCSV appends a field, in quotes if it has a comma or a quote. (RFC 4180, section 2; there a
// field may also have line ends, here these are blanks.)
func appendCSV(b []byte, s string) []byte {
	quoted := strings.ContainsAny(s, `,"`)
	if quoted {
		b = append(b, '"')
	}
	for _, r := range s {
		switch {
		case r == '"':
			b = append(b, `""`...)
		case breaks(r):
			b = append(b, ' ')
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	if quoted {
		b = append(b, '"')
	}
	return b
}

// The masked form of a secret: a key shows its last characters, so that people find out which one
// it was. (The managed gateway's execution logs do so with API keys and tokens.)
const (
	shown       = 6
	leastOfKey  = 20 // of a shorter secret six characters are too much
	maxMask     = 40
	maskedWhole = "******"
)

// mask is what is shown of a secret: nothing of what is said of a caller, which needn't be random.
func (p *piece) mask(value string) string {
	if !strings.HasPrefix(p.name, "identity.") {
		return maskedWhole
	}
	return string(appendMasked(nil, value))
}

func appendMasked(b []byte, secret string) []byte {
	if len(secret) < leastOfKey {
		return append(b, maskedWhole...)
	}
	for range min(len(secret), maxMask) - shown {
		b = append(b, '*')
	}
	return append(b, secret[len(secret)-shown:]...)
}
