package vtl

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

// Java's regular expressions run on Go's engine, whose time grows with the text's length only. It
// lacks what makes the other's explode: back references, look-around, possessive quantifiers. A
// pattern with these fails the template.

const (
	maxPattern     = 1000 // bytes
	maxPatternSize = 5000 // instructions
	// maxConstantPatterns is how much of the patterns that stand in a template is compiled with it.
	// The rest is compiled when it is used.
	maxConstantPatterns = 100_000
	// Compiling a byte of a pattern takes up to ten microseconds, as \p{L} has hundreds of ranges,
	// and an instruction takes memory.
	compileSteps, compileBytes = 200, 4096
)

type pattern struct {
	text    string // in Go's syntax
	re      *regexp.Regexp
	err     error
	size    int    // instructions
	literal string // a pattern without signs is looked for faster

	once  sync.Once
	later *regexp.Regexp // re behind other text, see after
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
	if p.text, p.err = translatePattern(text); p.err != nil {
		return p
	}
	if whole {
		p.text = `\A(?:` + p.text + `)\z`
	}
	if regexpsize.Folded(p.text) > regexpsize.MaxFolded {
		p.err = errors.New("want smaller ranges of characters without regard to case")
		return p
	}
	tree, err := syntax.Parse(p.text, syntax.Perl)
	if err != nil {
		p.err = fmt.Errorf("want a regular expression without look-around, back references and possessive "+
			"quantifiers: %w", err)
		return p
	}
	if p.size = regexpsize.Of(tree); p.size > maxRunes {
		p.err = errors.New("want a smaller pattern")
		return p
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxPatternSize {
		p.err = errors.New("want a smaller pattern")
		return p
	}
	p.size = len(program.Inst)
	p.re, p.err = regexp.Compile(p.text)
	return p
}

// maxRunes is how much a pattern may be before it is known how many instructions that is: the
// ranges of its classes count, too.
const maxRunes = 20 * maxPatternSize

// after is the pattern for what follows a match. Go's engine can't begin to search within a text
// and yet see the character before, as \b and ^ ask for: so that character is given to it, passed
// over here, and the first group is the match.
func (p *pattern) after() *regexp.Regexp {
	p.once.Do(func() { p.later = regexp.MustCompile(`\A(?s:.)(?s:.*?)(` + p.text + `)`) })
	return p.later
}

// groups is how many groups the pattern has.
func (p *pattern) groups() int {
	if p.re == nil {
		return 0
	}
	return p.re.NumSubexp()
}

// perRune is what it takes to pass over a character, in steps: each instruction may be at it, with
// the places of all groups.
func (p *pattern) perRune(groups bool) int {
	if groups {
		return 4 + p.size*(4+p.groups())/8
	}
	return 1 + p.size
}

// A scan gives a text to the engine, and counts what it takes. So a search is paid for by what it
// looks at: a pattern such as .*x|a looks at all that follows to find the next match, and calls say
// nothing of that.
type scan struct {
	text string
	at   int
	left int // characters that may still be taken
}

func (s *scan) ReadRune() (rune, int, error) {
	if s.at >= len(s.text) || s.left <= 0 {
		return 0, 0, io.EOF
	}
	s.left--
	if c := s.text[s.at]; c < utf8.RuneSelf {
		s.at++
		return rune(c), 1, nil
	}
	r, size := utf8.DecodeRuneInString(s.text[s.at:])
	s.at += size
	return r, size, nil
}

// each calls f for each match, as Java finds them: an empty one may follow right after another. It
// stops when f returns false. It reports false where the template failed.
func (c call) each(p *pattern, s string, f func(m []int) bool) bool {
	if p.literal != "" {
		return c.eachLiteral(p.literal, s, f)
	}
	perRune := p.perRune(true)
	perMatch := 64 + 40*p.groups()
	for at := 0; at <= len(s); {
		re, from := p.re, 0
		if at > 0 {
			_, before := utf8.DecodeLastRuneInString(s[:at])
			re, from = p.after(), at-before
		}
		can := max(c.ex.steps/perRune, 0)
		in := scan{text: s, at: from, left: can}
		m := re.FindReaderSubmatchIndex(&in)
		if !c.ex.step(8+(can-in.left)*perRune) || !c.ex.alloc(perMatch) {
			return false
		}
		if m == nil {
			return true
		}
		if at > 0 {
			m = m[2:]
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		if !f(m) {
			break
		}
		if at = m[1]; m[0] == m[1] {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += max(size, 1)
		}
	}
	return c.ex.signal == signalNone
}

func (c call) eachLiteral(what, s string, f func(m []int) bool) bool {
	for at := 0; ; {
		i := strings.Index(s[at:], what)
		if i < 0 {
			return c.ex.step((len(s) - at) / 32)
		}
		if !c.ex.step(2 + i/32) {
			return false
		}
		match := [2]int{at + i, at + i + len(what)}
		if !f(match[:]) {
			return c.ex.signal == signalNone
		}
		at = match[1]
	}
}
