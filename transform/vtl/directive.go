package vtl

import "strings"

// arg is an argument of a directive.
type arg struct {
	kind  kind
	value expr
	first int // of its tokens
	last  int
}

func (p *parser) directiveArg() arg {
	a := arg{kind: p.at(), first: p.i}
	if a.kind == tokWord {
		p.i++
	} else {
		a.value = p.primary(false)
	}
	a.last = p.i - 1
	return a
}

// parenFollows looks at the characters, as the next token isn't to be read yet.
func (p *parser) parenFollows() bool {
	if p.i < len(p.toks) {
		return false
	}
	s := p.lex.src
	i := p.lex.at + span(s, p.lex.at, isSpace)
	return i < len(s) && s[i] == '('
}

func (p *parser) directive() stmt {
	first := p.i
	t := *p.take()
	name := cut(t.image)
	if t.kind == tokBracedWord {
		name = t.image[2 : len(t.image)-1]
	}
	p.lex.state = inDirective
	if !p.parenFollows() {
		p.lex.pop()
		return p.bare(t, name)
	}
	p.blank()
	p.expect(tokLeftParen, "(")
	var args []arg
	for {
		if p.at() == tokRightParen || p.at() == tokBlank && p.peekAt(1).kind == tokRightParen {
			break
		}
		p.blank()
		if p.at() == tokComma {
			p.i++
			p.blank()
		}
		a := p.directiveArg()
		p.checkArg(name, a, len(args))
		args = append(args, a)
	}
	p.blank()
	p.expect(tokRightParen, ")")
	switch name {
	case "break", "stop":
		return p.jump(t, name, args)
	}
	block := strings.HasPrefix(name, "@")
	if !isDirective(name) && !block {
		return text(p.images(first, p.i-1))
	}
	from := p.i
	body := p.statements()
	to := p.i - 1
	p.expectEnd(t.start, t.image)
	if block {
		return text(p.images(first, p.i-1))
	}
	return p.blockDirective(t, name, args, body, from, to)
}

// bare is a directive without parentheses.
func (p *parser) bare(t token, name string) stmt {
	switch name {
	case "break", "stop":
		return p.jump(t, name, nil)
	case "foreach", "define", "literal", "macro":
		p.fail(t.end, "want ( after %s", t.image)
	}
	if strings.HasPrefix(name, "@") {
		return text("#" + name)
	}
	return text(t.image)
}

func (p *parser) checkArg(name string, a arg, pos int) {
	word := a.kind == tokWord
	switch {
	case name == "macro" && pos == 0:
		if !word {
			p.fail(p.toks[a.first].start, "want the name of the macro, got %q", p.toks[a.first].image)
		}
	case word && isDirective(name) && (name != "foreach" || pos != 1):
		p.fail(p.toks[a.first].start, "want a reference, a value or ), got %q", p.toks[a.first].image)
	}
}

func (p *parser) jump(t token, name string, args []arg) stmt {
	if len(args) > 1 {
		p.fail(t.start, "want one argument of #%s at most, got %d", name, len(args))
	}
	s := &jumpStmt{to: signalStop, at: t.start, src: p.src}
	if name == "break" {
		s.to = signalBreak
	}
	if len(args) == 1 {
		s.arg = args[0].value
	}
	return s
}

func (p *parser) blockDirective(t token, name string, args []arg, body []stmt, from, to int) stmt {
	switch name {
	case "foreach":
		return p.foreach(t, args, body, from)
	case "define":
		if len(args) != 1 {
			p.fail(t.start, "want #define($name), got %d arguments", len(args))
		}
		return &defineStmt{slot: p.slot(cut(p.toks[args[0].first].image)), body: body}
	case "literal":
		if len(args) > 0 {
			return text(p.literal(args[0].first, args[0].last))
		}
		if to < from {
			p.fail(t.start, "want something between #literal() and #end")
		}
		return text(p.literal(from, to))
	}
	if len(args) == 0 {
		p.fail(t.start, "want the name of the macro")
	}
	p.macros[p.toks[args[0].first].image] = true
	return text("")
}

func (p *parser) foreach(t token, args []arg, body []stmt, from int) stmt {
	s := &foreachStmt{at: t.start, src: p.src, body: body, broken: len(args) < 2}
	if len(args) > 0 {
		from = args[0].first
	}
	name := cut(p.toks[from].image)
	if len(args) > 0 {
		if r, ok := args[0].value.(*ref); ok {
			name = r.name
		}
	}
	s.slot = p.slot(name)
	if len(args) > 2 {
		s.over = args[2].value
	}
	if len(args) > 3 { // the original takes the fourth for the body
		s.body = nil
		if r, ok := args[3].value.(*ref); ok {
			s.body = []stmt{r}
		}
	}
	return s
}

// images is the text of tokens as unknown directives print it: without what was lost.
func (p *parser) images(first, last int) string {
	var b strings.Builder
	for _, t := range p.toks[first : last+1] {
		b.WriteString(t.image)
	}
	return b.String()
}

// literal is the text of tokens as #literal prints it.
func (p *parser) literal(first, last int) string {
	var b strings.Builder
	for _, t := range p.toks[first : last+1] {
		if t.kind != tokComment {
			b.WriteString(t.lost + t.image)
		}
	}
	return b.String()
}
