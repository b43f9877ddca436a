package vtl

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

var posixClasses = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7f`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": "!-/:-@\\[-`{-~",
	"Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1f\x7f`, "XDigit": "0-9a-fA-F",
	"Space": `\t\n\v\f\r `,
}

// translatePattern writes what Java's syntax has and means otherwise in Go's.
func translatePattern(s string) (string, error) {
	var b strings.Builder
	class := 0 // where the class at hand started, +1
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			n, err := translateEscape(&b, s[i:], class > 0)
			if err != nil {
				return "", err
			}
			i += n
		case class > 0 && c == ']':
			class = 0
			b.WriteByte(c)
		case class > 0 && (c == '[' || strings.HasPrefix(s[i:], "&&")):
			return "", errors.New("want a character class without classes in it")
		case class == 0 && c == '[':
			class = i + 1
			b.WriteByte(c)
			if i+1 < len(s) && s[i+1] == '^' {
				b.WriteByte('^')
				i++
			}
			if i+1 < len(s) && s[i+1] == ']' { // a bracket, in Java too
				b.WriteString(`\]`)
				i++
			}
		case class == 0 && c == '.' && !strings.Contains(s, "(?s"):
			b.WriteString(`[^\n\r\x{85}\x{2028}\x{2029}]`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// translateEscape writes the escape whose letter s starts with, and returns how many bytes after
// the letter belong to it.
func translateEscape(b *strings.Builder, s string, inClass bool) (int, error) {
	set := func(chars string, negated bool) {
		switch {
		case inClass && !negated:
			b.WriteString(chars)
		case negated:
			b.WriteString("[^" + chars + "]")
		default:
			b.WriteString("[" + chars + "]")
		}
	}
	switch c := s[0]; c {
	case 's', 'S', 'h', 'H':
		chars := `\t\n\v\f\r `
		if c|0x20 == 'h' {
			chars = ` \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
		}
		if c < 'a' && inClass {
			return 0, errors.New(`want \S and \H outside of classes`)
		}
		set(chars, c < 'a')
		return 0, nil
	case 'p', 'P':
		name, _, found := strings.Cut(s[1:], "}")
		if found && strings.HasPrefix(name, "{") {
			if chars, ok := posixClasses[name[1:]]; ok {
				if c == 'P' && inClass {
					return 0, errors.New(`want \P outside of classes`)
				}
				set(chars, c == 'P')
				return len(name) + 1, nil
			}
		}
	case 'u':
		if len(s) >= 5 {
			if _, err := strconv.ParseUint(s[1:5], 16, 16); err == nil {
				b.WriteString(`\x{` + s[1:5] + `}`)
				return 4, nil
			}
		}
	case 'Q':
		quoted, _, _ := strings.Cut(s[1:], `\E`)
		b.WriteString(regexp.QuoteMeta(quoted))
		return min(len(s)-1, len(quoted)+2), nil
	case 'Z':
		b.WriteString(`(?:\r?\n)?\z`)
		return 0, nil
	case 'R':
		b.WriteString(`(?:\r\n|[\n\v\f\r\x{85}\x{2028}\x{2029}])`)
		return 0, nil
	}
	b.WriteByte('\\')
	b.WriteByte(s[0])
	return 0, nil
}
