package jsonpath

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

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
		return operand{raw: jsonlex.AppendString(nil, text)}, nil
	case c == '/':
		return p.pattern()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if p.take(word) {
			return operand{raw: []byte(word)}, nil
		}
	}
	if end, ok := jsonlex.Number(p.in, p.at); ok {
		raw := []byte(p.in[p.at:end])
		p.at = end
		return operand{raw: raw}, nil
	}
	return operand{}, p.want("@, $, a text in quotes, a number, true, false, null or a /regular expression/")
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
