package vtl

import "strings"

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

// slashes returns the length of the run of backslashes at i. Each is measured once: they are tokens
// one by one.
func (l *lexer) slashes(i int) int {
	if i < l.slashesFrom || i >= l.slashesTo {
		l.slashesFrom, l.slashesTo = i, i+span(l.src, i, func(c byte) bool { return c == '\\' })
	}
	return l.slashesTo - i
}

// enter goes to a state on top of the one at hand.
func (l *lexer) enter(s state) {
	l.stack = append(l.stack, saved{state: l.state, lparen: l.lparen, rparen: l.rparen})
	l.lparen, l.state = 0, s
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
			l.instead(inRef, in(inRef))
		case prefixHash:
			l.instead(inName, references)
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

// instead enters a state, and leaves the one at hand before if it is one of some. Within a comment
// it does neither.
func (l *lexer) instead(s state, of states) {
	if l.commented {
		return
	}
	if in(l.state)&of != 0 {
		l.pop()
	}
	l.enter(s)
}

func (l *lexer) comment(s state) {
	if l.commented {
		return
	}
	l.commented = true
	l.enter(s)
}

// printable is what of the text before a terminator counts as text: the original looks for $, # and
// backslashes that a $ follows.
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
		l.enter(inIndex)
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
		l.enter(inDirective)
		l.inSet = true
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
