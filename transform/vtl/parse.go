package vtl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A parser is Velocity's grammar by hand: the same tokens are looked at in the same order, as
// directives change the lexer's state.
type parser struct {
	*shared
	src   *source
	lex   lexer
	toks  []token // all that were read
	i     int     // the next one
	depth int
}

// shared is what a template and the string literals in it have in common.
type shared struct {
	slots  map[string]int
	names  []string
	macros map[string]bool
	// patterns is how much of them was compiled.
	patterns int
	limits   Options
}

func parseTemplate(name, text string, o Options) (t *Template, err error) {
	defer func() {
		if e, ok := recover().(*Error); ok { // anything else is a mistake of ours, and goes on
			t, err = nil, e
		}
	}()
	sh := &shared{slots: map[string]int{}, macros: map[string]bool{}, limits: o}
	src := newSource(name, text, 1, 1)
	p := &parser{shared: sh, src: src, lex: lexer{src: text}}
	body := p.whole()
	t = &Template{src: src, body: body, limits: o}
	t.loop = loopSlots{sh.known("foreach"), sh.known("velocityCount"), sh.known("velocityHasNext")}
	t.names = sh.names
	for _, s := range body {
		if s, ok := s.(*textStmt); ok {
			t.size += len(s.text)
		}
	}
	return t, nil
}

// known is the slot of a variable, or -1 where no reference has it.
func (sh *shared) known(name string) int {
	if i, ok := sh.slots[name]; ok {
		return i
	}
	return -1
}

func (sh *shared) slot(name string) int {
	if i := sh.known(name); i >= 0 {
		return i
	}
	sh.slots[name] = len(sh.names)
	sh.names = append(sh.names, name)
	return len(sh.names) - 1
}

// fail ends the parse.
func (p *parser) fail(offset int, format string, args ...any) {
	panic(p.src.errorAt(offset, fmt.Sprintf(format, args...)))
}

func (p *parser) want(what string) {
	t := p.peek()
	got := strconv.Quote(t.image)
	if t.kind == tokEOF {
		got = "the end of the template"
		if p.src.column > 1 || p.src.line > 1 {
			got = "the end of the string"
		}
	}
	p.fail(t.start, "want %s, got %s", what, got)
}

func (p *parser) peekAt(n int) *token {
	for p.i+n >= len(p.toks) {
		t, ok := p.lex.next()
		if !ok {
			if p.lex.at >= len(p.lex.src) {
				p.fail(t.start, "want a name, a directive or the end of a comment after $, # or #*, got the end")
			}
			r, _ := utf8.DecodeRuneInString(p.lex.src[p.lex.at:])
			p.fail(p.lex.at, "want an operator, a value or a parenthesis, got %q", r)
		}
		p.toks = append(p.toks, t)
		if t.kind == tokEOF {
			break
		}
	}
	if p.i+n >= len(p.toks) {
		return &p.toks[len(p.toks)-1]
	}
	return &p.toks[p.i+n]
}

func (p *parser) peek() *token { return p.peekAt(0) }
func (p *parser) at() kind     { return p.peekAt(0).kind }

func (p *parser) take() *token {
	t := p.peek()
	p.i++
	return t
}

func (p *parser) expect(k kind, what string) *token {
	if p.at() != k {
		p.want(what)
	}
	return p.take()
}

// blank skips a blank, if there is one.
func (p *parser) blank() {
	if p.at() == tokBlank {
		p.i++
	}
}

func (p *parser) enter() {
	if p.depth++; p.depth > p.limits.MaxDepth {
		p.fail(p.peek().start, "want no more than %d levels of nesting (Options.MaxDepth)", p.limits.MaxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) whole() []stmt {
	body := p.statements()
	if p.at() != tokEOF {
		p.want("text, a reference or a directive")
	}
	return body
}

// statements reads as many as there are. Neighboring texts become one.
func (p *parser) statements() []stmt {
	p.enter()
	defer p.leave()
	var body []stmt
	var texts []string
	flush := func() {
		if t := strings.Join(texts, ""); t != "" {
			body = append(body, text(t))
		}
		texts = texts[:0]
	}
	for {
		s, ok := p.statement()
		switch t, isText := s.(*textStmt); {
		case !ok:
			flush()
			return body
		case isText:
			texts = append(texts, t.text)
		default:
			flush()
			body = append(body, s)
		}
	}
}

func text(s string) *textStmt { return &textStmt{text: s} }

func (p *parser) startsReference() bool {
	return p.at() == tokIdentifier || p.at() == tokRefCurlyLeft && p.peekAt(1).kind == tokIdentifier
}

func (p *parser) statement() (stmt, bool) {
	switch t := p.peek(); t.kind {
	case tokIf:
		return p.ifStatement(), true
	case tokIdentifier:
		return p.reference(), true
	case tokRefCurlyLeft:
		if p.startsReference() {
			return p.reference(), true
		}
		p.i++
		return text(t.lost + t.image), true
	case tokLineComment:
		p.i++
		if p.at() == tokLineEnd {
			p.i++
		}
		return text(t.image[:strings.Index(t.image, "##")]), true
	case tokComment, tokFormalComment:
		p.i++
		n := strings.Index(t.image, "##")
		if n < 0 {
			n = strings.Index(t.image, "#*")
		}
		return text(t.image[:max(n, 0)]), true
	case tokBlock:
		p.i++
		return text(t.image[len("#[[") : len(t.image)-len("]]#")]), true
	case tokSet:
		return p.set(), true
	case tokEscapedDirective:
		p.i++
		t.image = p.unescapeDirective(t.image)
		return text(t.image), true
	case tokDoubleEscape:
		return p.escapes(), true
	case tokWord, tokBracedWord:
		return p.directive(), true
	case tokText, tokDot, tokRightParen, tokLeftParen, tokInteger, tokFloat, tokString, tokEscape,
		tokRefCurlyRight, tokNoIndex:
		p.i++
		return text(t.lost + t.image), true
	}
	return nil, false
}

func isDirective(name string) bool {
	switch name {
	case "foreach", "define", "literal", "macro", "break", "stop":
		return true
	}
	return false
}

// unescapeDirective halves the backslashes before a directive, or leaves them where the word is
// none.
func (p *parser) unescapeDirective(image string) string {
	last := strings.LastIndexByte(image, '\\')
	directive := image[last+1:]
	name := strings.TrimPrefix(directive, "#")
	if name[0] == '{' {
		name = name[1 : len(name)-1]
	}
	switch name {
	case "if", "end", "set", "else", "elseif":
	default:
		if !isDirective(name) && !p.macros[name] {
			return image
		}
	}
	return image[:last/2] + directive
}

// escapes are pairs of backslashes: they are halved before a directive.
func (p *parser) escapes() stmt {
	n := 0
	for p.at() == tokDoubleEscape {
		p.i++
		n++
	}
	next := p.peek()
	name := cut(next.image)
	switch {
	case next.kind >= tokEnd && next.kind <= tokElse, isDirective(name), p.macros[name]:
		return text(strings.Repeat(`\`, n))
	}
	return text(strings.Repeat(`\\`, n))
}

func (p *parser) condition() expr {
	p.blank()
	p.expect(tokLeftParen, "( and a condition")
	c := p.expression()
	p.expect(tokRightParen, "an operator or )")
	return c
}

func (p *parser) ifStatement() stmt {
	start := p.take().start
	s := &ifStmt{}
	c := p.condition()
	s.branches = append(s.branches, branch{c, p.statements()})
	for p.at() == tokElseif {
		p.i++
		c := p.condition()
		s.branches = append(s.branches, branch{c, p.statements()})
	}
	if p.at() == tokElse {
		p.i++
		s.otherwise = p.statements()
	}
	p.expectEnd(start, "#if")
	return s
}

func (p *parser) expectEnd(start int, name string) {
	if p.at() != tokEnd {
		line, column := p.src.position(start)
		p.want(fmt.Sprintf("#end of the %s at %d:%d", name, line, column))
	}
	p.i++
}

func (p *parser) set() stmt {
	t := p.take()
	s := &setStmt{at: t.start, src: p.src}
	p.blank()
	if !p.startsReference() {
		p.want("a reference, as in #set($x = 1)")
	}
	first := p.i
	s.left = p.reference()
	p.blank()
	p.expect(tokAssign, "=")
	s.right = p.expression()
	p.expect(tokRightParen, "an operator or )")
	p.lex.inSet = false
	if len(s.left.steps) == 0 {
		// The original cuts one character off the first token: ${x} sets a variable of the name {,
		// which nothing can read.
		s.left.slot = p.slot(cut(p.toks[first].image))
	}
	return s
}

func cut(image string) string {
	if image == "" {
		return ""
	}
	return image[1:]
}
