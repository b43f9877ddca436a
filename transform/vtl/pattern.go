package vtl

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

// Java's regular expressions run on Go's engine, whose time grows with the text's length only. It lacks what makes the other's explode: back
// references, look-around, possessive quantifiers. A pattern with these fails the template.

const (
	maxPattern     = 1000   // bytes
	maxPatternSize = 20_000 // instructions, about
	// maxConstantPatterns is how much of the patterns that stand in a template is compiled with it. The rest is compiled when it is used.
	maxConstantPatterns = 100_000
)

type pattern struct {
	re       *regexp.Regexp
	err      error
	size     int
	nullable bool
	literal  string // a pattern without signs is looked for faster
}

// compilePattern compiles a pattern; one for matches has to match the whole of a text.
func compilePattern(text string, whole bool) *pattern {
	p := &pattern{size: len(text)}
	if text != "" && !whole && !strings.ContainsAny(text, `\.[]{}()*+?^$|`) {
		p.literal = text
	}
	if len(text) > maxPattern {
		p.err = errors.New("want a pattern of up to " + strconv.Itoa(maxPattern) + " bytes")
		return p
	}
	translated, err := translatePattern(text)
	if err != nil {
		p.err = err
		return p
	}
	if whole {
		translated = `\A(?:` + translated + `)\z`
	}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		p.err = errors.New("want a regular expression without look-around, back references and possessive quantifiers: " + err.Error())
		return p
	}
	if p.size = regexpsize.Of(tree); p.size > maxPatternSize {
		p.err = errors.New("want a smaller pattern")
		return p
	}
	p.re, p.err = regexp.Compile(translated)
	if p.err == nil {
		p.nullable = p.re.MatchString("")
	}
	return p
}

var posixClasses = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7f`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Punct": "!-/:-@\\[-`{-~",
	"Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1f\x7f`, "XDigit": "0-9a-fA-F", "Space": `\t\n\v\f\r `,
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

// translateEscape writes the escape whose letter s starts with, and returns how many bytes after the letter belong to it.
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

// each calls f for each match as Java finds them: an empty one may follow right after another, which Go leaves out. It stops when f returns
// false, and reports false where there are more than most.
func (p *pattern) each(s string, most int, f func(match []int) bool) bool {
	if p.literal != "" {
		for at := 0; ; {
			i := strings.Index(s[at:], p.literal)
			if i < 0 || !f([]int{at + i, at + i + len(p.literal)}) {
				return true
			}
			at += i + len(p.literal)
		}
	}
	all := p.re.FindAllStringSubmatchIndex(s, most+1)
	if len(all) > most {
		return false
	}
	for i, m := range all {
		if !f(m) {
			break
		}
		if !p.nullable || m[0] == m[1] || i+1 < len(all) && all[i+1][0] == m[1] {
			continue
		}
		if empty := p.re.FindStringSubmatchIndex(s[m[1]:]); empty != nil && empty[1] == 0 {
			for j := range empty {
				if empty[j] >= 0 {
					empty[j] += m[1]
				}
			}
			if !f(empty) {
				break
			}
		}
	}
	return true
}
