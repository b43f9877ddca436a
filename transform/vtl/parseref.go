package vtl

import "strings"

// indexes reads [x] as often as it stands there.
func (p *parser) indexes(r *ref) {
	for p.at() == tokIndexLeft {
		at := p.take().start
		p.blank()
		var v expr
		switch p.at() {
		case tokString, tokInteger, tokTrue, tokFalse, tokIdentifier, tokRefCurlyLeft:
			v = p.primary(false)
		default:
			p.want("an integer, a string or a reference")
		}
		p.blank()
		p.expect(tokIndexRight, "]")
		r.steps = append(r.steps, step{kind: stepIndex, args: []expr{v}, at: at})
	}
}

// startsArgs reports whether a method's arguments follow the name at hand.
func (p *parser) startsArgs() bool {
	if p.peekAt(1).kind != tokLeftParen {
		return false
	}
	switch p.peekAt(2).kind {
	case tokArgsRightParen, tokBlank, tokString, tokInteger, tokFloat, tokLeftBracket, tokLeftCurly, tokTrue, tokFalse,
		tokIdentifier, tokRefCurlyLeft:
		return true
	}
	return false
}

func (p *parser) reference() *ref {
	p.enter()
	defer p.leave()
	first := p.i
	r := &ref{at: p.peek().start, src: p.src, slot: -1}
	formal := p.at() == tokRefCurlyLeft
	if formal {
		p.i++
	}
	p.expect(tokIdentifier, "a name")
	p.indexes(r)
	for p.at() == tokDot && p.peekAt(1).kind == tokIdentifier {
		p.i++
		s := step{kind: stepProperty, at: p.peek().start, name: p.peek().image}
		if p.startsArgs() {
			s.kind = stepMethod
			p.i += 2
			if p.at() != tokArgsRightParen {
				s.args = append(s.args, p.parameter())
				for p.at() == tokComma {
					p.i++
					s.args = append(s.args, p.parameter())
				}
			}
			p.expect(tokArgsRightParen, "a comma or )")
			s.prepare(&p.patterns)
		} else {
			p.i++
		}
		r.steps = append(r.steps, s)
		p.indexes(r)
	}
	if formal {
		p.expect(tokRefCurlyRight, "}")
	}
	p.root(r, first)
	return r
}

// root takes the first token of a reference apart: backslashes, other signs before the $, a quiet
// or formal start. What it cuts off is gone from the token too, which is why #literal() doesn't
// print it.
func (p *parser) root(r *ref, first int) {
	t := &p.toks[first]
	if strings.Contains(t.image, `\!`) { // $\!x
		r.notOne = true
		return
	}
	whole := len(t.image)
	if n := span(t.image, 0, func(c byte) bool { return c == '\\' }); n > 0 {
		r.escaped = n%2 == 1
		r.prefix = t.image[:n/2]
		t.image = t.image[n:]
	}
	if n := strings.LastIndexByte(t.image, '$'); n > 0 {
		r.more = t.image[:n]
		t.image = t.image[n:]
	}
	r.at = t.start + whole - len(t.image)
	r.text = p.textFrom(r.at)
	switch {
	case strings.HasPrefix(t.image, "$!{"), t.image == "${":
		r.name = p.toks[first+1].image
	case strings.HasPrefix(t.image, "$!"):
		r.name = t.image[2:]
	case strings.HasPrefix(t.image, "$"):
		r.name = t.image[1:]
	default: // an identifier that the lexer took for a reference
		r.runt = true
		r.name = t.image
		return
	}
	r.slot = p.slot(r.name)
}
