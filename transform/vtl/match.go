package vtl

import "strings"

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
