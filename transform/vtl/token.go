package vtl

import "strings"

// Velocity's lexer is a stack of states, and what a character means depends on the state: this one has the same states and the same tokens,
// so that the odd cases come out the same too. Two kinds of token are no tokens by themselves: a prefix ("$", "#", "$!") is glued in front of
// the next one, and a terminator ends a state, is read again in the one below, and is only remembered as what stood before the next token.
// In each state the longest token wins, and of two the one that stands first in [lexer.match].
type state uint8

const (
	inText      state = iota // outside of everything
	inRef                    // after $
	inMember                 // after a dot in a reference
	inArgs                   // in the parentheses of a method
	inIndex                  // in the brackets of a reference
	inDirective              // after the name of a directive
	inName                   // after #
	inBlock                  // #[[
	inLine                   // ##
	inFormal                 // #**
	inComment                // #*
)

type kind uint8

const (
	tokEOF kind = iota
	tokIndexLeft
	tokIndexRight
	tokLeftBracket
	tokRightBracket
	tokComma
	tokDotDot
	tokColon
	tokLeftCurly
	tokRightCurly
	tokLeftParen
	tokRightParen
	tokArgsRightParen
	tokEscapedDirective
	tokSet
	tokLineComment
	tokDoubleEscape
	tokEscape
	tokText
	tokLineEnd
	tokFormalComment
	tokComment
	tokBlock
	tokBlank
	tokString
	tokTrue
	tokFalse
	tokMinus
	tokPlus
	tokTimes
	tokDivide
	tokModulo
	tokAnd
	tokOr
	tokLess
	tokLessEqual
	tokGreater
	tokGreaterEqual
	tokEqual
	tokNotEqual
	tokNot
	tokAssign
	tokEnd
	tokIf
	tokElseif
	tokElse
	tokInteger
	tokFloat
	tokWord
	tokBracedWord
	tokIdentifier
	tokDot
	tokRefCurlyLeft
	tokRefCurlyRight
	tokNoIndex

	// What follows is never returned.
	prefixDollar
	prefixHash
	prefixBlock
	prefixFormal
	prefixComment
	skipped
	terminatorRef
	terminatorName
	noToken
)

type token struct {
	kind  kind
	image string // with its prefix
	lost  string // what terminators before it held; texts print it
	start int    // offsets of the image in the source
	end   int
}

type saved struct {
	state          state
	lparen, rparen int
}

type lexer struct {
	src       string
	at        int
	state     state
	stack     []saved
	lparen    int
	rparen    int // not reset with lparen: so the original counts
	inSet     bool
	commented bool

	slashesFrom, slashesTo int // the run of backslashes that was looked at last
}

// slashes returns the length of the run of backslashes at i. Each is measured once: they are tokens one by one.
func (l *lexer) slashes(i int) int {
	if i < l.slashesFrom || i >= l.slashesTo {
		l.slashesFrom, l.slashesTo = i, i+span(l.src, i, func(c byte) bool { return c == '\\' })
	}
	return l.slashesTo - i
}

func (l *lexer) push() {
	l.stack = append(l.stack, saved{state: l.state, lparen: l.lparen, rparen: l.rparen})
	l.lparen = 0
}

func (l *lexer) pop() bool {
	if len(l.stack) == 0 {
		l.lparen, l.state = 0, inText
		return false
	}
	top := l.stack[len(l.stack)-1]
	l.stack = l.stack[:len(l.stack)-1]
	l.state, l.lparen, l.rparen = top.state, top.lparen, top.rparen
	return true
}

// closeParen goes down to the state that has an open parenthesis.
func (l *lexer) closeParen() {
	for !l.commented {
		if l.lparen > 0 {
			if l.lparen == l.rparen+1 {
				l.pop()
			} else {
				l.rparen++
			}
			return
		}
		if !l.pop() {
			return
		}
	}
}

// next returns the next token, or false where no token matches.
func (l *lexer) next() (token, bool) {
	lost := ""
	start := l.at
	for {
		if l.at >= len(l.src) {
			// A prefix at the end has nothing to be glued to.
			return token{kind: tokEOF, lost: lost, start: start, end: l.at}, start == l.at
		}
		k, n := l.match()
		if k == noToken {
			return token{start: l.at, end: l.at}, false
		}
		end := l.at + n
		from := l.at
		l.at = end
		switch k {
		case prefixDollar:
			if !l.commented {
				if l.state == inRef {
					l.pop()
				}
				l.push()
				l.state = inRef
			}
		case prefixHash:
			if !l.commented {
				if l.state == inRef || l.state == inMember {
					l.pop()
				}
				l.push()
				l.state = inName
			}
		case prefixBlock:
			l.comment(inBlock)
		case prefixFormal:
			if !l.commented {
				l.at-- // the character after #**
			}
			l.comment(inFormal)
		case prefixComment:
			l.comment(inComment)
		case skipped:
			if l.state != inBlock {
				start = l.at
			}
		case terminatorRef, terminatorName:
			lost += printable(l.src[start:end])
			l.at = from
			l.pop()
			start = l.at
		default:
			t := token{kind: k, image: l.src[start:end], lost: lost, start: start, end: end}
			l.act(&t)
			return t, true
		}
	}
}

func (l *lexer) comment(s state) {
	if l.commented {
		return
	}
	l.commented = true
	l.push()
	l.state = s
}

// printable is what of the text before a terminator counts as text: the original looks for $, # and backslashes that a $ follows.
func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '#', '$':
			b.WriteByte(s[i])
		case '\\':
			j := i
			for j < len(s) && s[j] == '\\' {
				j++
			}
			if j < len(s) && s[j] == '$' {
				b.WriteString(s[i : j+1])
				i = j + 1 // and so it loses a character after the $
			}
		}
	}
	return b.String()
}

// act does what a token does to the states.
func (l *lexer) act(t *token) {
	switch t.kind {
	case tokIndexLeft:
		l.push()
		l.state = inIndex
	case tokIndexRight, tokRefCurlyRight:
		l.pop()
	case tokLeftParen:
		l.lparen++
		if l.state == inMember {
			l.state = inArgs
		}
	case tokRightParen:
		l.closeParen()
	case tokArgsRightParen:
		l.state = inRef
	case tokSet:
		l.push()
		l.inSet = true
		l.state = inDirective
		l.lparen++
	case tokLineComment:
		if l.state == inRef {
			l.pop()
		}
		l.comment(inLine)
	case tokLineEnd, tokFormalComment, tokComment, tokBlock:
		l.commented = false
		l.pop()
	case tokString:
		if l.state == inDirective && !l.inSet && l.lparen == 0 {
			l.pop()
		}
	case tokInteger:
		if strings.HasSuffix(t.image, "..") {
			l.at -= 2
			t.end -= 2
			t.image = t.image[:len(t.image)-2]
		}
		if l.lparen == 0 && !l.inSet && l.state != inArgs && l.state != inIndex {
			l.pop()
		}
	case tokFloat:
		if l.lparen == 0 && !l.inSet && l.state != inArgs {
			l.pop()
		}
	case tokEnd, tokElse:
		l.pop()
	case tokIf, tokElseif:
		l.state = inDirective
	case tokDot:
		l.at--
		t.end--
		t.image = "." // without the prefix, if there is one
		l.state = inMember
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// span returns the length of the run of bytes at i that ok accepts.
func span(s string, i int, ok func(byte) bool) int {
	n := i
	for n < len(s) && ok(s[n]) {
		n++
	}
	return n - i
}

func isBlank(c byte) bool    { return c == ' ' || c == '\t' }
func isSpace(c byte) bool    { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isWordChar(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '@' }
func isIdentifierChar(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '-'
}

// lineEnd returns the length of the line end at i, or 0.
func lineEnd(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '\n':
		return 1
	case s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n':
		return 2
	case s[i] == '\r':
		return 1
	}
	return 0
}

// toLineEnd returns the length of blanks and one line end at i, or 0 where there is no line end after them.
func toLineEnd(s string, i int) int {
	blanks := span(s, i, isBlank)
	if n := lineEnd(s, i+blanks); n > 0 {
		return blanks + n
	}
	return 0
}

// A longest collects candidates: the first of the longest wins.
type longest struct {
	kind kind
	n    int
}

func (m *longest) try(k kind, n int) {
	if n > m.n {
		m.kind, m.n = k, n
	}
}

// match returns the kind and length of what stands at the current position, in the current state.
func (l *lexer) match() (kind, int) {
	m := longest{kind: noToken}
	s, i, st := l.src, l.at, l.state
	c := s[i]
	switch st {
	case inRef, inMember:
		switch c {
		case '[':
			m.try(tokIndexLeft, 1)
		case '(':
			if st == inMember {
				m.try(tokLeftParen, 1)
			}
		}
	case inIndex:
		if c == ']' {
			m.try(tokIndexRight, 1)
		}
	case inDirective, inArgs:
		switch c {
		case '[':
			m.try(tokLeftBracket, 1)
		case ']':
			m.try(tokRightBracket, 1)
		case ',':
			m.try(tokComma, 1)
		case '.':
			if strings.HasPrefix(s[i:], "..") {
				m.try(tokDotDot, 2)
			}
		case ':':
			m.try(tokColon, 1)
		case '{':
			m.try(tokLeftCurly, 1)
		case '}':
			m.try(tokRightCurly, 1)
		case '(':
			if st == inDirective {
				m.try(tokLeftParen, 1)
			}
		case ')':
			if st == inDirective {
				m.try(tokRightParen, 1+toLineEnd(s, i+1))
			} else {
				m.try(tokArgsRightParen, 1)
			}
		}
	case inText:
		m.try(tokEscapedDirective, l.matchEscapedDirective(s, i))
	}
	switch st {
	case inText, inRef, inMember, inArgs:
		m.try(tokSet, matchSet(s, i))
	}
	l.matchPrefix(&m, s, i)
	switch st {
	case inText, inName, inDirective, inRef:
		if strings.HasPrefix(s[i:], "##") {
			m.try(tokLineComment, 2)
		}
	}
	switch st {
	case inText:
		if c == '\\' {
			if strings.HasPrefix(s[i:], `\\`) {
				m.try(tokDoubleEscape, 2)
			}
			m.try(tokEscape, 1)
		}
		m.try(tokText, textLen(s, i))
	case inLine:
		m.try(tokLineEnd, lineEnd(s, i))
		m.try(skipped, 1)
	case inFormal, inComment, inBlock:
		switch {
		case st == inBlock && strings.HasPrefix(s[i:], "]]#"):
			m.try(tokBlock, 3)
		case st == inFormal && strings.HasPrefix(s[i:], "*#"):
			m.try(tokFormalComment, 2)
		case st == inComment && strings.HasPrefix(s[i:], "*#"):
			m.try(tokComment, 2)
		}
		m.try(skipped, 1)
	case inDirective, inArgs, inIndex:
		m.try(tokBlank, span(s, i, isSpace))
		m.try(tokString, matchString(s, i))
	}
	switch st {
	case inRef, inDirective, inMember, inArgs, inIndex:
		if strings.HasPrefix(s[i:], "true") {
			m.try(tokTrue, 4)
		}
		if strings.HasPrefix(s[i:], "false") {
			m.try(tokFalse, 5)
		}
	}
	switch st {
	case inDirective:
		matchOperator(&m, s[i:])
	case inName:
		matchName(&m, s, i)
	}
	switch st {
	case inName, inDirective, inArgs, inIndex:
		matchNumber(&m, s, i)
	}
	switch st {
	case inName, inDirective:
		if isLetter(c) || c == '_' || c == '@' {
			m.try(tokWord, span(s, i, isWordChar))
		}
		m.try(tokBracedWord, matchBracedWord(s, i))
	case inRef, inMember, inArgs:
		if isLetter(c) || c == '_' {
			m.try(tokIdentifier, span(s, i, isIdentifierChar))
		}
		if c == '.' && i+1 < len(s) && isLetter(s[i+1]) {
			m.try(tokDot, 2)
		}
	}
	switch st {
	case inRef, inMember:
		switch c {
		case '{':
			m.try(tokRefCurlyLeft, 1)
		case '}':
			m.try(tokRefCurlyRight, 1)
		}
		m.try(terminatorRef, 1)
	case inName:
		m.try(terminatorName, 1)
	}
	if st == inText || st == inRef {
		for _, p := range noIndexes {
			if strings.HasPrefix(s[i:], p) {
				m.try(tokNoIndex, len(p))
			}
		}
	}
	return m.kind, m.n
}

// noIndexes look like references and are text.
var noIndexes = []string{"$[", "$![", `$\![`, "$."}

// textLen returns the length of the text up to the next character that may mean something.
func textLen(s string, i int) int {
	if n := strings.IndexAny(s[i:], "$#\\"); n >= 0 {
		return n
	}
	return len(s) - i
}

func (l *lexer) matchPrefix(m *longest, s string, i int) {
	switch s[i] {
	case '$', '\\':
		n := l.slashes(i)
		if i+n >= len(s) || s[i+n] != '$' {
			return
		}
		m.try(prefixDollar, n+1)
		quiet := n + 1
		if i+quiet < len(s) && s[i+quiet] == '\\' {
			quiet += l.slashes(i + quiet)
		}
		if i+quiet < len(s) && s[i+quiet] == '!' {
			m.try(prefixDollar, quiet+1)
		}
	case '#':
		rest := s[i:]
		if strings.HasPrefix(rest, "#[[") {
			m.try(prefixBlock, 3)
		}
		if strings.HasPrefix(rest, "#**") && len(rest) > 3 && rest[3] != '#' {
			m.try(prefixFormal, 4)
		}
		if strings.HasPrefix(rest, "#*") {
			m.try(prefixComment, 2)
		}
		m.try(prefixHash, 1)
	}
}

func (l *lexer) matchEscapedDirective(s string, i int) int {
	n := l.slashes(i)
	if n%2 == 0 || i+n >= len(s) || s[i+n] != '#' {
		return 0
	}
	n++
	if i+n >= len(s) {
		return 0
	}
	if c := s[i+n]; isLetter(c) || c == '_' || c == '@' {
		return n + span(s, i+n, isWordChar)
	}
	if w := matchBracedWord(s, i+n); w > 0 {
		return n + w
	}
	return 0
}

func matchBracedWord(s string, i int) int {
	if s[i] != '{' || i+1 >= len(s) || !isLetter(s[i+1]) && s[i+1] != '_' {
		return 0
	}
	n := 1 + span(s, i+1, isWordChar)
	if i+n < len(s) && s[i+n] == '}' {
		return n + 1
	}
	return 0
}

func matchSet(s string, i int) int {
	if s[i] != '#' && !isBlank(s[i]) {
		return 0
	}
	n := span(s, i, isBlank)
	switch rest := s[i+n:]; {
	case strings.HasPrefix(rest, "#set"):
		n += len("#set")
	case strings.HasPrefix(rest, "#{set}"):
		n += len("#{set}")
	default:
		return 0
	}
	n += span(s, i+n, func(c byte) bool { return c == ' ' })
	if i+n < len(s) && s[i+n] == '(' {
		return n + 1
	}
	return 0
}

// matchString returns the length of the longest string literal: a doubled quote goes on, unless there is no quote after it.
func matchString(s string, i int) int {
	quote := s[i]
	if quote != '"' && quote != '\'' {
		return 0
	}
	n := 0
	for at := i + 1; ; {
		j := strings.IndexByte(s[at:], quote)
		if j < 0 {
			return n
		}
		at += j + 1
		n = at - i
		if at >= len(s) || s[at] != quote {
			return n
		}
		at++
	}
}

func matchNumber(m *longest, s string, i int) {
	n := 0
	if s[i] == '-' {
		n++
	}
	digits := span(s, i+n, isDigit)
	after := i + n + digits
	if digits > 0 {
		if strings.HasPrefix(s[after:], "..") {
			m.try(tokInteger, n+digits+2)
		}
		m.try(tokInteger, n+digits)
		m.try(tokFloat, withExponent(s, i, after))
	}
	if after < len(s) && s[after] == '.' {
		fraction := span(s, after+1, isDigit)
		if digits == 0 && fraction == 0 {
			return
		}
		end := after + 1 + fraction
		m.try(tokFloat, end-i)
		m.try(tokFloat, withExponent(s, i, end))
	}
}

// withExponent returns the length up to the end of the exponent that stands at end, or 0.
func withExponent(s string, start, end int) int {
	if end >= len(s) || s[end]|0x20 != 'e' {
		return 0
	}
	end++
	if end < len(s) && (s[end] == '+' || s[end] == '-') {
		end++
	}
	if n := span(s, end, isDigit); n > 0 {
		return end + n - start
	}
	return 0
}

var operators = []struct {
	text string
	kind kind
}{
	{"-", tokMinus}, {"+", tokPlus}, {"*", tokTimes}, {"/", tokDivide}, {"%", tokModulo},
	{"&&", tokAnd}, {"and", tokAnd}, {"||", tokOr}, {"or", tokOr},
	{"<", tokLess}, {"lt", tokLess}, {"<=", tokLessEqual}, {"le", tokLessEqual},
	{">", tokGreater}, {"gt", tokGreater}, {">=", tokGreaterEqual}, {"ge", tokGreaterEqual},
	{"==", tokEqual}, {"eq", tokEqual}, {"!=", tokNotEqual}, {"ne", tokNotEqual},
	{"!", tokNot}, {"not", tokNot}, {"=", tokAssign},
}

func matchOperator(m *longest, s string) {
	for _, op := range operators {
		if strings.HasPrefix(s, op.text) {
			m.try(op.kind, len(op.text))
		}
	}
}

// matchName matches the directives of the grammar. #else and #end take the rest of their line if it is blank.
func matchName(m *longest, s string, i int) {
	for _, d := range [...]struct {
		name string
		kind kind
		line bool
	}{{"end", tokEnd, true}, {"if", tokIf, false}, {"elseif", tokElseif, false}, {"else", tokElse, true}} {
		rest := s[i:]
		n := 0
		switch {
		case strings.HasPrefix(rest, d.name):
			n = len(d.name)
		case strings.HasPrefix(rest, "{"+d.name+"}"):
			n = len(d.name) + 2
		default:
			continue
		}
		m.try(d.kind, n)
		if d.line {
			m.try(d.kind, n+toLineEnd(s, i+n))
		}
	}
}
