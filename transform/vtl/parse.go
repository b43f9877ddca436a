package vtl

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A parser is Velocity's grammar by hand: the same tokens are looked at in the same order, as directives change the lexer's state.
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
	slot := func(name string) int {
		if i, ok := sh.slots[name]; ok {
			return i
		}
		return -1
	}
	t.loop = loopSlots{slot("foreach"), slot("velocityCount"), slot("velocityHasNext")}
	t.names = sh.names
	for _, s := range body {
		if s, ok := s.(*textStmt); ok {
			t.size += len(s.text)
		}
	}
	return t, nil
}

func (p *parser) slot(name string) int {
	if i, ok := p.slots[name]; ok {
		return i
	}
	p.slots[name] = len(p.names)
	p.names = append(p.names, name)
	return len(p.names) - 1
}

// fail ends the parse.
func (p *parser) fail(offset int, message string) { panic(p.src.errorAt(offset, message)) }

func (p *parser) want(what string) {
	t := p.peek()
	got := strconv.Quote(t.image)
	if t.kind == tokEOF {
		got = "the end of the template"
		if p.src.column > 1 || p.src.line > 1 {
			got = "the end of the string"
		}
	}
	p.fail(t.start, "want "+what+", got "+got)
}

func (p *parser) peekAt(n int) *token {
	for p.i+n >= len(p.toks) {
		t, ok := p.lex.next()
		if !ok {
			if p.lex.at >= len(p.lex.src) {
				p.fail(t.start, "want a name, a directive or the end of a comment after $, # or #*, got the end")
			}
			r, _ := utf8.DecodeRuneInString(p.lex.src[p.lex.at:])
			p.fail(p.lex.at, "want an operator, a value or a parenthesis, got "+strconv.QuoteRune(r))
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
		p.fail(p.peek().start, "want no more than "+strconv.Itoa(p.limits.MaxDepth)+" levels of nesting (Options.MaxDepth)")
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
		if n := strings.Index(t.image, "##"); n >= 0 {
			return text(t.image[:n]), true
		}
		return text(t.image[:max(0, strings.Index(t.image, "#*"))]), true
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
	case tokText, tokDot, tokRightParen, tokLeftParen, tokInteger, tokFloat, tokString, tokEscape, tokRefCurlyRight, tokNoIndex:
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

// unescapeDirective halves the backslashes before a directive, or leaves them where the word is none.
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
	case next.kind == tokIf, next.kind == tokElse, next.kind == tokElseif, next.kind == tokEnd, isDirective(name), p.macros[name]:
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
		p.want("#end of the " + name + " at " + strconv.Itoa(line) + ":" + strconv.Itoa(column))
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
		// The original cuts one character off the first token: ${x} sets a variable of the name {, which nothing can read.
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

// arg is an argument of a directive.
type arg struct {
	kind  kind
	value expr
	first int // of its tokens
	last  int
}

func (p *parser) directiveArg() arg {
	a := arg{kind: p.at(), first: p.i}
	switch {
	case a.kind == tokWord:
		p.i++
	default:
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
		p.fail(t.end, "want ( after "+t.image)
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
			p.fail(p.toks[a.first].start, "want the name of the macro, got "+strconv.Quote(p.toks[a.first].image))
		}
	case word && isDirective(name) && (name != "foreach" || pos != 1):
		p.fail(p.toks[a.first].start, "want a reference, a value or ), got "+strconv.Quote(p.toks[a.first].image))
	}
}

func (p *parser) jump(t token, name string, args []arg) stmt {
	if len(args) > 1 {
		p.fail(t.start, "want one argument of #"+name+" at most, got "+strconv.Itoa(len(args)))
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
			p.fail(t.start, "want #define($name), got "+strconv.Itoa(len(args))+" arguments")
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
	s := &foreachStmt{at: t.start, src: p.src, body: body}
	switch {
	case len(args) == 0:
		s.slot = p.slot(cut(p.toks[from].image))
		s.broken = true
	default:
		if r, ok := args[0].value.(*ref); ok {
			s.slot = p.slot(r.name)
		} else {
			s.slot = p.slot(cut(p.toks[args[0].first].image))
		}
		s.broken = len(args) == 1
	}
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
			b.WriteString(t.lost)
			b.WriteString(t.image)
		}
	}
	return b.String()
}

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

// nullText is what a text to which a null is added gets instead of it: the tokens of the null's node. Those of an operation are its right side's.
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
			p.fail(t.start, "want a number, got "+strconv.Quote(t.image))
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
		p.fail(t.start, "want an integer of up to "+strconv.Itoa(maxDigits)+" digits")
	}
	if n, err := strconv.ParseInt(t.image, 10, 64); err == nil {
		return constant{n}
	}
	b, ok := new(big.Int).SetString(t.image, 10)
	if !ok {
		p.fail(t.start, "want an integer, got "+strconv.Quote(t.image))
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

// index reads [x] as often as it stands there.
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
	case tokArgsRightParen, tokBlank, tokString, tokInteger, tokFloat, tokLeftBracket, tokLeftCurly, tokTrue, tokFalse, tokIdentifier, tokRefCurlyLeft:
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

// root takes the first token of a reference apart: backslashes, other signs before the $, a quiet or formal start. What it cuts off is gone
// from the token too, which is why #literal() doesn't print it.
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

// stringLiteral reads a string. One in double quotes is a template of its own: a blank is put behind it, and the last character of what
// comes out is cut off, so that a $ at the end is text.
func (p *parser) stringLiteral(t *token) expr {
	image := t.image
	quote := image[:1]
	s := image[1 : len(image)-1]
	if quote == `"` {
		var ok bool
		if s, ok = unescapeUnicode(s); !ok {
			p.fail(t.start, `want four hexadecimal digits after \u`)
		}
	}
	s = strings.ReplaceAll(s, quote+quote, quote)
	if quote != `"` || !strings.ContainsAny(image, "$#") {
		return constant{s}
	}
	comment := strings.Contains(s, "##")
	if !comment {
		s += " "
	}
	line, column := p.src.position(t.start)
	inner := &parser{shared: p.shared, src: newSource(p.src.name, s, line, column+1), lex: lexer{src: s}, depth: p.depth}
	body := inner.whole()
	e := &stringExpr{body: body}
	if comment || len(body) == 0 {
		return e
	}
	if last, ok := body[len(body)-1].(*textStmt); ok && strings.HasSuffix(last.text, " ") {
		last.text = last.text[:len(last.text)-1]
		if last.text == "" {
			e.body = body[:len(body)-1]
		}
	} else {
		e.cut = true
	}
	if len(e.body) == 1 && !e.cut {
		if r, ok := e.body[0].(*ref); ok && r.prefix == "" && r.more == "" && !r.escaped && !r.runt {
			e.only = r
		}
	}
	return e
}

// unescapeUnicode replaces \u00e9 and the like. ok is false where the original fails.
func unescapeUnicode(s string) (_ string, ok bool) {
	if !strings.Contains(s, `\u`) {
		return s, true
	}
	var units []uint16
	for {
		before, after, found := strings.Cut(s, `\u`)
		units = append(units, utf16.Encode([]rune(before))...)
		if !found {
			return decodeUTF16(units), true
		}
		if len(after) < 4 {
			return "", false
		}
		n, err := strconv.ParseInt(after[:4], 16, 32)
		if err != nil {
			return "", false
		}
		units = append(units, uint16(n))
		s = after[4:]
	}
}
