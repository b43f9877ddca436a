package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Parse parses an expression. Its error names the place and what was expected.
func Parse(expr string) (*Path, error) {
	if len(expr) > MaxExpression {
		return nil, fmt.Errorf("jsonpath: want an expression of at most %d bytes, got %d", MaxExpression, len(expr))
	}
	if !utf8.ValidString(expr) {
		return nil, fmt.Errorf("jsonpath: want an expression in UTF-8, got %q", expr)
	}
	p := parser{in: strings.Trim(expr, " \t\r\n")}
	if p.in == "" {
		return nil, fmt.Errorf(`jsonpath: want an expression such as "$.name", got ""`)
	}
	path, err := p.path(false)
	if err == nil && p.at < len(p.in) {
		err = p.want("the end, or . or [")
	}
	if err != nil {
		return nil, err
	}
	path.patterns = p.patterns
	return path, nil
}

type parser struct {
	in     string
	at     int
	depth  int // of filters
	inside bool
	// patterns is how large the regular expressions so far are.
	patterns int
}

func (p *parser) want(what string) error {
	if p.at >= len(p.in) {
		return fmt.Errorf("jsonpath: %q: want %s at the end", p.in, what)
	}
	return fmt.Errorf("jsonpath: %q: want %s at offset %d", p.in, what, p.at)
}

func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *parser) take(token string) bool {
	if !strings.HasPrefix(p.in[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) space() {
	for p.at < len(p.in) && strings.IndexByte(" \t\r\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

// path parses a path. In filters it begins with @ or $ and ends before an operator; else $ may be
// missing.
func (p *parser) path(filter bool) (*Path, error) {
	path := &Path{definite: true}
	outside := p.inside
	p.inside = filter
	defer func() { p.inside = outside }()
	bare := !filter && !p.take("$")
	if filter {
		p.at++
	}
	for p.at < len(p.in) {
		var s step
		var err error
		switch c := p.peek(); {
		case c == '.':
			p.at++
			if s.deep = p.take("."); p.peek() == '[' {
				err = p.bracket(&s)
			} else {
				err = p.dotted(&s)
			}
		case c == '[':
			err = p.bracket(&s)
		case bare && len(path.steps) == 0:
			err = p.dotted(&s)
		default:
			return path, nil
		}
		if err != nil {
			return nil, err
		}
		if len(path.steps) == maxSteps {
			return nil, p.want(fmt.Sprintf("at most %d steps", maxSteps))
		}
		path.steps = append(path.steps, s)
		path.definite = path.definite && s.definite()
		if s.kind == element && s.indexes[0] < 0 {
			path.fromEnd++
		}
	}
	return path, nil
}

// dotted parses a name, or *, behind a dot.
func (p *parser) dotted(s *step) error {
	if p.take("*") {
		s.kind = wildcard
		return nil
	}
	stops := ".[]() \t\r\n'\"*@?,"
	if p.inside {
		stops += "=!<>&|~"
	}
	from := p.at
	for p.at < len(p.in) && strings.IndexByte(stops, p.in[p.at]) < 0 {
		p.at++
	}
	if p.at == from {
		return p.want("a name or *")
	}
	if p.peek() == '(' {
		return p.want("no function; there are none")
	}
	s.kind, s.names = member, []string{p.in[from:p.at]}
	return nil
}

func (p *parser) bracket(s *step) error {
	p.at++
	p.space()
	var err error
	switch c := p.peek(); {
	case p.take("*"):
		s.kind = wildcard
	case c == '\'' || c == '"':
		err = p.quotedNames(s)
	case c == '?':
		err = p.filterStep(s)
	default:
		err = p.numbers(s)
	}
	if err != nil {
		return err
	}
	if p.space(); !p.take("]") {
		return p.want("]")
	}
	return nil
}

func (p *parser) quotedNames(s *step) error {
	for {
		name, err := p.quoted()
		if err != nil {
			return err
		}
		s.names = append(s.names, name)
		if p.space(); !p.take(",") {
			break
		}
		p.space()
	}
	if s.kind = member; len(s.names) > 1 {
		s.kind, s.wanted = members, map[string][]int{}
		for i, name := range s.names {
			s.wanted[name] = append(s.wanted[name], i)
		}
	}
	return nil
}

// quoted parses a text in single or double quotes, in which a backslash keeps the next character
// from meaning anything, or is an escape of JSON.
func (p *parser) quoted() (string, error) {
	closing := p.peek()
	if closing != '\'' && closing != '"' {
		return "", p.want("a name in quotes")
	}
	p.at++
	var text strings.Builder
	for p.at < len(p.in) {
		c := p.in[p.at]
		p.at++
		switch {
		case c == closing:
			return text.String(), nil
		case c != '\\':
			text.WriteByte(c)
		case p.at == len(p.in):
			return "", p.want("a character behind the backslash")
		default:
			end, ok := jsonlex.Escape(p.in, p.at-1)
			switch {
			case !ok && p.in[p.at] == 'u':
				return "", p.want("four hexadecimal digits behind \\u")
			case !ok: // an apostrophe, or what needs no backslash
				text.WriteByte(p.in[p.at])
				p.at++
				continue
			}
			if strings.HasPrefix(p.in[end:], `\u`) { // perhaps the other half of a pair
				if second, ok := jsonlex.Escape(p.in, end); ok {
					end = second
				}
			}
			text.Write(jsonlex.AppendUnescaped(nil, p.in[p.at-1:end]))
			p.at = end
		}
	}
	return "", p.want("the closing quote")
}

// numbers parses an index, several, or a slice.
func (p *parser) numbers(s *step) error {
	first, err := p.number()
	if err != nil {
		return err
	}
	if p.space(); p.take(":") {
		p.space()
		s.kind, s.from = slice, first
		s.to, err = p.number()
		return err
	}
	if first == nil {
		return p.want("an index, a slice, *, a name in quotes or ?(")
	}
	s.indexes = append(s.indexes, *first)
	for p.space(); p.take(","); p.space() {
		p.space()
		next, err := p.number()
		if err != nil {
			return err
		}
		if next == nil {
			return p.want("an index")
		}
		s.indexes = append(s.indexes, *next)
	}
	if s.kind = element; len(s.indexes) > 1 {
		s.kind = elements
	}
	return nil
}

func (p *parser) number() (*int, error) {
	from := p.at
	if p.peek() == '-' {
		p.at++
	}
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at == from {
		return nil, nil
	}
	n, err := strconv.ParseInt(p.in[from:p.at], 10, 32)
	if err != nil {
		p.at = from
		return nil, p.want("a number of at most 32 bits")
	}
	i := int(n)
	return &i, nil
}
