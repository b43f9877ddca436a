package vtl

import "strings"

// A rule says what a token looks like, and in which states of the lexer it is one. The longest that
// fits wins, and of two as long the one that stands first here; the order is that of the tokens in
// Velocity's grammar (Velocity 1.7, Parser.jjt), of which JavaCC makes the same choice. A lexer by
// hand, one switch for each state, was rejected: that "1." is a float, "1.." an integer before a
// range and "#else" not the beginning of "#elseif" are accidents of the longest match, which come
// out by themselves this way.
type rule struct {
	in    states
	kind  kind
	texts string                              // separated by blanks, or
	match func(l *lexer, s string, i int) int // how long it is
}

// states are a set.
type states uint16

func in(s ...state) (set states) {
	for _, one := range s {
		set |= 1 << one
	}
	return set
}

var (
	everywhere  = ^states(0)
	references  = in(inRef, inMember)
	values      = in(inDirective, inArgs)
	withIndexes = in(inDirective, inArgs, inIndex)
)

// rules are those of each state.
var rules = byState([]rule{
	{in: references, kind: tokIndexLeft, texts: "["},
	{in: in(inMember), kind: tokLeftParen, texts: "("},
	{in: in(inIndex), kind: tokIndexRight, texts: "]"},
	{in: values, kind: tokLeftBracket, texts: "["},
	{in: values, kind: tokRightBracket, texts: "]"},
	{in: values, kind: tokComma, texts: ","},
	{in: values, kind: tokDotDot, texts: ".."},
	{in: values, kind: tokColon, texts: ":"},
	{in: values, kind: tokLeftCurly, texts: "{"},
	{in: values, kind: tokRightCurly, texts: "}"},
	{in: in(inDirective), kind: tokLeftParen, texts: "("},
	{in: in(inDirective), kind: tokRightParen, match: closing},
	{in: in(inArgs), kind: tokArgsRightParen, texts: ")"},
	{in: in(inText), kind: tokEscapedDirective, match: (*lexer).matchEscapedDirective},
	{in: in(inText, inRef, inMember, inArgs), kind: tokSet, match: alone(matchSet)},
	{in: everywhere, kind: prefixDollar, match: (*lexer).matchDollar},
	{in: everywhere, kind: prefixBlock, texts: "#[["},
	{in: everywhere, kind: prefixFormal, match: alone(matchFormal)},
	{in: everywhere, kind: prefixComment, texts: "#*"},
	{in: everywhere, kind: prefixHash, texts: "#"},
	{in: in(inText, inName, inDirective, inRef), kind: tokLineComment, texts: "##"},
	{in: in(inText), kind: tokDoubleEscape, texts: `\\`},
	{in: in(inText), kind: tokEscape, texts: `\`},
	{in: in(inText), kind: tokText, match: alone(textLen)},
	{in: in(inLine), kind: tokLineEnd, match: alone(lineEnd)},
	{in: in(inBlock), kind: tokBlock, texts: "]]#"},
	{in: in(inFormal), kind: tokFormalComment, texts: "*#"},
	{in: in(inComment), kind: tokComment, texts: "*#"},
	{in: in(inLine, inBlock, inFormal, inComment), kind: skipped, match: one},
	{in: withIndexes, kind: tokBlank, match: run(isSpace)},
	{in: withIndexes, kind: tokString, match: alone(matchString)},
	{in: withIndexes | references, kind: tokTrue, texts: "true"},
	{in: withIndexes | references, kind: tokFalse, texts: "false"},
	{in: in(inDirective), kind: tokMinus, texts: "-"},
	{in: in(inDirective), kind: tokPlus, texts: "+"},
	{in: in(inDirective), kind: tokTimes, texts: "*"},
	{in: in(inDirective), kind: tokDivide, texts: "/"},
	{in: in(inDirective), kind: tokModulo, texts: "%"},
	{in: in(inDirective), kind: tokAnd, texts: "&& and"},
	{in: in(inDirective), kind: tokOr, texts: "|| or"},
	{in: in(inDirective), kind: tokLess, texts: "< lt"},
	{in: in(inDirective), kind: tokLessEqual, texts: "<= le"},
	{in: in(inDirective), kind: tokGreater, texts: "> gt"},
	{in: in(inDirective), kind: tokGreaterEqual, texts: ">= ge"},
	{in: in(inDirective), kind: tokEqual, texts: "== eq"},
	{in: in(inDirective), kind: tokNotEqual, texts: "!= ne"},
	{in: in(inDirective), kind: tokNot, texts: "! not"},
	{in: in(inDirective), kind: tokAssign, texts: "="},
	{in: in(inName), kind: tokIf, texts: "if {if}"},
	{in: in(inName), kind: tokElseif, texts: "elseif {elseif}"},
	{in: in(inName), kind: tokEnd, match: withLineEnd("end")},
	{in: in(inName), kind: tokElse, match: withLineEnd("else")},
	{in: withIndexes | in(inName), kind: tokInteger, match: alone(matchInteger)},
	{in: withIndexes | in(inName), kind: tokFloat, match: alone(matchFloat)},
	{in: in(inName, inDirective), kind: tokWord, match: alone(word)},
	{in: in(inName, inDirective), kind: tokBracedWord, match: alone(matchBracedWord)},
	{in: references | in(inArgs), kind: tokIdentifier, match: alone(identifier)},
	{in: references | in(inArgs), kind: tokDot, match: alone(dot)},
	{in: references, kind: tokRefCurlyLeft, texts: "{"},
	{in: references, kind: tokRefCurlyRight, texts: "}"},
	{in: references, kind: terminatorRef, match: one},
	{in: in(inName), kind: terminatorName, match: one},
	// These look like references and are text.
	{in: in(inText, inRef), kind: tokNoIndex, texts: `$[ $![ $\![ $.`},
})

func byState(all []rule) (table [inComment + 1][]rule) {
	for _, r := range all {
		for s := range table {
			switch {
			case r.in&(1<<s) == 0:
			case r.match != nil:
				table[s] = append(table[s], r)
			default:
				for _, text := range strings.Fields(r.texts) {
					table[s] = append(table[s], rule{kind: r.kind, texts: text})
				}
			}
		}
	}
	return table
}

// match returns the kind and length of what stands at the current position, in the current state.
func (l *lexer) match() (k kind, n int) {
	k = noToken
	rest := l.src[l.at:]
	for i := range rules[l.state] {
		r, length := &rules[l.state][i], 0
		switch {
		case r.match != nil:
			length = r.match(l, l.src, l.at)
		case strings.HasPrefix(rest, r.texts):
			length = len(r.texts)
		}
		if length > n {
			k, n = r.kind, length
		}
	}
	return k, n
}

// alone is a match that needs nothing of the lexer.
func alone(match func(s string, i int) int) func(*lexer, string, int) int {
	return func(_ *lexer, s string, i int) int { return match(s, i) }
}

func run(of func(byte) bool) func(*lexer, string, int) int {
	return func(_ *lexer, s string, i int) int { return span(s, i, of) }
}

func one(*lexer, string, int) int { return 1 }

// closing is a parenthesis that ends a directive, and the line end right behind it, which belongs
// to the directive.
func closing(_ *lexer, s string, i int) int {
	if s[i] != ')' {
		return 0
	}
	return 1 + toLineEnd(s, i+1)
}

// withLineEnd is the name of a directive without parentheses, which takes the rest of its line if
// that is blank.
func withLineEnd(name string) func(*lexer, string, int) int {
	return func(_ *lexer, s string, i int) int {
		for _, n := range [...]string{name, "{" + name + "}"} {
			if strings.HasPrefix(s[i:], n) {
				return len(n) + toLineEnd(s, i+len(n))
			}
		}
		return 0
	}
}

// matchDollar is $ or $!, with backslashes before the dollar and before the exclamation mark.
func (l *lexer) matchDollar(s string, i int) int {
	if s[i] != '$' && s[i] != '\\' {
		return 0
	}
	dollar := l.slashes(i) + 1
	if i+dollar > len(s) || s[i+dollar-1] != '$' {
		return 0
	}
	quiet := dollar
	if i+quiet < len(s) && s[i+quiet] == '\\' {
		quiet += l.slashes(i + quiet)
	}
	if i+quiet < len(s) && s[i+quiet] == '!' {
		return quiet + 1
	}
	return dollar
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
