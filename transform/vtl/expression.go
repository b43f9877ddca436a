package vtl

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// levels are the binary operators, loosest first.
var levels = [][]kind{
	{tokOr}, {tokAnd}, {tokEqual, tokNotEqual}, {tokLess, tokGreater, tokLessEqual, tokGreaterEqual},
	{tokPlus, tokMinus}, {tokTimes, tokDivide, tokModulo},
}

func (p *parser) expression() expr {
	p.enter()
	defer p.leave()
	return p.binary(0)
}

// binary reads a chain of operators of one level. It is kept flat: a long one is no deep tree.
func (p *parser) binary(level int) expr {
	if level == len(levels) {
		return p.unary()
	}
	start := p.peek().start
	first := p.binary(level + 1)
	if !slices.Contains(levels[level], p.at()) {
		return first
	}
	c := &chain{first: first, firstText: nullText(first, p.textFrom(start)), src: p.src}
	for slices.Contains(levels[level], p.at()) {
		op := p.take()
		o := operand{op: op.kind, at: op.start}
		start := p.peek().start
		o.value = p.binary(level + 1)
		o.scope = p.textFrom(start)
		o.text = nullText(o.value, o.scope)
		c.rest = append(c.rest, o)
	}
	return c
}

// textFrom is the source from an offset to the last token.
func (p *parser) textFrom(start int) string { return p.src.text[start:max(start, p.toks[p.i-1].end)] }

// nullText is what a text to which a null is added gets instead of it: the tokens of the null's
// node. Those of an operation are its right side's.
func nullText(e expr, own string) string {
	if c, ok := e.(*chain); ok {
		if c.inParens != "" {
			return c.inParens
		}
		return c.rest[len(c.rest)-1].scope
	}
	return strings.TrimSpace(own)
}

func (p *parser) unary() expr {
	not := 0
	for p.at() == tokNot || p.at() == tokBlank && p.peekAt(1).kind == tokNot {
		p.blank()
		p.i++
		not++
	}
	p.blank()
	v := p.primary(true)
	p.blank()
	if not == 0 {
		return v
	}
	return &notExpr{value: v, odd: not%2 == 1}
}

// primary is a value, in an expression also a parenthesis.
func (p *parser) primary(parens bool) expr {
	switch t := p.peek(); t.kind {
	case tokString:
		p.i++
		return p.stringLiteral(t)
	case tokInteger:
		return p.integer()
	case tokFloat:
		p.i++
		f, err := strconv.ParseFloat(t.image, 64)
		if err != nil && f == 0 {
			p.fail(t.start, "want a number, got %q", t.image)
		}
		return constant{f}
	case tokTrue, tokFalse:
		p.i++
		return boolean(t.kind == tokTrue)
	case tokLeftBracket:
		return p.list()
	case tokLeftCurly:
		return p.mapLiteral()
	case tokIdentifier, tokRefCurlyLeft:
		return p.reference()
	case tokLeftParen:
		if parens {
			p.i++
			start := p.peek().start
			v := p.expression()
			if c, ok := v.(*chain); ok && c.inParens == "" {
				c.inParens = p.textFrom(start)
			}
			p.expect(tokRightParen, "an operator or )")
			return v
		}
	}
	p.want("a value")
	return nil
}

func (p *parser) integer() expr {
	t := p.take()
	if len(t.image) > maxDigits {
		p.fail(t.start, "want an integer of up to %d digits", maxDigits)
	}
	if n, err := strconv.ParseInt(t.image, 10, 64); err == nil {
		return constant{n}
	}
	b, ok := new(big.Int).SetString(t.image, 10)
	if !ok {
		p.fail(t.start, "want an integer, got %q", t.image)
	}
	return constant{b}
}

func (p *parser) parameter() expr {
	p.blank()
	v := p.primary(false)
	p.blank()
	return v
}

// list is [a, b] or [a..b]. Which one shows after the first value.
func (p *parser) list() expr {
	p.enter()
	defer p.leave()
	p.i++
	if p.at() == tokRightBracket {
		p.i++
		return &listExpr{}
	}
	p.blank()
	bound := p.at() == tokInteger || p.at() == tokIdentifier || p.at() == tokRefCurlyLeft
	l := &listExpr{items: []expr{p.primary(false)}}
	p.blank()
	if bound && p.at() == tokDotDot {
		p.i++
		p.blank()
		if p.at() != tokInteger && !p.startsReference() {
			p.want("an integer or a reference")
		}
		r := &rangeExpr{from: l.items[0], to: p.primary(false), src: p.src}
		p.blank()
		p.expect(tokRightBracket, "]")
		return r
	}
	for p.at() == tokComma {
		p.i++
		l.items = append(l.items, p.parameter())
	}
	p.expect(tokRightBracket, "a comma or ]")
	return l
}

func (p *parser) mapLiteral() expr {
	p.enter()
	defer p.leave()
	p.i++
	m := &mapExpr{src: p.src}
	closed := func(n int) bool {
		k := p.peekAt(n).kind
		return k == tokRightCurly || k == tokRefCurlyRight
	}
	if p.at() == tokBlank && closed(1) {
		p.i++
	}
	if closed(0) {
		p.i++
		return m
	}
	for {
		key := p.parameter()
		p.expect(tokColon, "a colon")
		m.pairs = append(m.pairs, [2]expr{key, p.parameter()})
		if p.at() != tokComma {
			break
		}
		p.i++
	}
	if !closed(0) {
		p.want("a comma or }")
	}
	p.i++
	return m
}
