package jsonpath

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/regexpsize"
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

// path parses a path. In filters it begins with @ or $ and ends before an operator; else $ may be missing.
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

// quoted parses a text in single or double quotes, in which a backslash keeps the next character from meaning anything, or is an escape of
// JSON.
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
		case strings.IndexByte("bfnrt", p.in[p.at]) >= 0:
			text.Write(appendUnquoted(nil, []byte(p.in[p.at-1:p.at+1])))
			p.at++
		case p.in[p.at] == 'u':
			end := p.at + 5
			if checkEscape([]byte(p.in), p.at) < 0 {
				return "", p.want("four hexadecimal digits behind \\u")
			}
			if end+6 <= len(p.in) && p.in[end] == '\\' && checkEscape([]byte(p.in), end+1) == end+6 { // perhaps a pair
				end += 6
			}
			text.Write(appendUnquoted(nil, []byte(p.in[p.at-1:end])))
			p.at = end
		default:
			text.WriteByte(p.in[p.at])
			p.at++
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

func (p *parser) filterStep(s *step) error {
	p.at++
	if p.space(); !p.take("(") {
		return p.want("( behind ?")
	}
	f, err := p.or()
	if err != nil {
		return err
	}
	if p.space(); !p.take(")") {
		return p.want("), or && or ||")
	}
	s.kind, s.filter = filtered, f
	return nil
}

func (p *parser) or() (*filter, error) { return p.chain("||", p.and) }

func (p *parser) and() (*filter, error) { return p.chain("&&", p.unary) }

func (p *parser) chain(op string, operand func() (*filter, error)) (*filter, error) {
	if p.depth++; p.depth > 3*maxFilterDepth { // or, and, unary
		return nil, p.want("a filter that nests less")
	}
	defer func() { p.depth-- }()
	left, err := operand()
	for err == nil {
		if p.space(); !p.take(op) {
			return left, nil
		}
		var right *filter
		right, err = operand()
		left = &filter{op: op, left: left, right: right}
	}
	return nil, err
}

func (p *parser) unary() (*filter, error) {
	if p.depth++; p.depth > 3*maxFilterDepth {
		return nil, p.want("a filter that nests less")
	}
	defer func() { p.depth-- }()
	p.space()
	if p.take("!") {
		f, err := p.unary()
		return &filter{op: "!", left: f}, err
	}
	if p.take("(") {
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.space(); !p.take(")") {
			return nil, p.want(")")
		}
		return f, nil
	}
	return p.comparison()
}

func (p *parser) comparison() (*filter, error) {
	a, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.space()
	op := ""
	for _, known := range [...]string{"==", "!=", "<=", ">=", "=~", "<", ">"} {
		if p.take(known) {
			op = known
			break
		}
	}
	if op == "" {
		if a.path == nil {
			return nil, p.want("a comparison")
		}
		return &filter{op: "exists", a: a}, nil
	}
	p.space()
	b, err := p.operand()
	if err != nil {
		return nil, err
	}
	if (op == "=~") != (a.kind == pattern || b.kind == pattern) || a.kind == pattern && b.kind == pattern {
		return nil, p.want("=~ between a path and a regular expression before this")
	}
	return &filter{op: op, a: a, b: b}, nil
}

func (p *parser) operand() (operand, error) {
	switch c := p.peek(); {
	case c == '@' || c == '$':
		kind := fromItem
		if c == '$' {
			kind = fromRoot
		}
		path, err := p.path(true)
		return operand{kind: kind, path: path}, err
	case c == '\'' || c == '"':
		text, err := p.quoted()
		if err != nil {
			return operand{}, err
		}
		return operand{raw: textLiteral(text)}, nil
	case c == '/':
		return p.pattern()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if p.take(word) {
			return operand{raw: []byte(word)}, nil
		}
	}
	if end := checkNumber([]byte(p.in), p.at); end > 0 {
		raw := []byte(p.in[p.at:end])
		p.at = end
		return operand{raw: raw}, nil
	}
	return operand{}, p.want("@, $, a text in quotes, a number, true, false, null or a /regular expression/")
}

func textLiteral(text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// pattern parses /expression/flags.
func (p *parser) pattern() (operand, error) {
	from := p.at
	p.at++
	var text strings.Builder
	for p.peek() != '/' {
		if p.at >= len(p.in) {
			return operand{}, p.want("the closing /")
		}
		if strings.HasPrefix(p.in[p.at:], `\/`) {
			p.at++
		} else if p.peek() == '\\' && p.at+1 < len(p.in) {
			text.WriteByte('\\')
			p.at++
		}
		text.WriteByte(p.in[p.at])
		p.at++
	}
	p.at++
	flags := ""
	for c := p.peek(); c == 'i' || c == 'm' || c == 's'; c = p.peek() {
		flags += string(c)
		p.at++
	}
	if text.Len() > maxRegexp {
		p.at = from
		return operand{}, p.want(fmt.Sprintf("a regular expression of at most %d bytes", maxRegexp))
	}
	source := `^(?:` + text.String() + `)$`
	if flags != "" {
		source = `^(?` + flags + `:` + text.String() + `)$`
	}
	if regexpsize.Folded(source) > regexpsize.MaxFolded {
		p.at = from
		return operand{}, p.want("smaller ranges of characters without regard to case")
	}
	// Parsed by itself first, so that parentheses can't reach out of the group around it.
	tree, err := syntax.Parse(text.String(), syntax.Perl)
	if err != nil {
		p.at = from
		return operand{}, p.want("a regular expression of Go's syntax")
	}
	size := regexpsize.Of(tree)
	if p.patterns += size; p.patterns > maxPatterns {
		p.at = from
		return operand{}, p.want("smaller regular expressions")
	}
	expr, err := regexp.Compile(source)
	if err != nil {
		p.at = from
		return operand{}, p.want("a regular expression of Go's syntax")
	}
	return operand{kind: pattern, expr: expr, size: size}, nil
}
