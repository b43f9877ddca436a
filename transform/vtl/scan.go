package vtl

import "strings"

// What a rule of the lexer finds at a place of a text: how long it is, 0 where it isn't there.

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
func isNameChar(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

// word is the name of a directive, identifier that of a variable or a member, where a hyphen
// belongs to it.
func word(s string, i int) int {
	if isLetter(s[i]) || s[i] == '_' || s[i] == '@' {
		return span(s, i, isWordChar)
	}
	return 0
}

func identifier(s string, i int) int {
	if isLetter(s[i]) || s[i] == '_' {
		return span(s, i, isNameChar)
	}
	return 0
}

// dot is one that a member follows. The lexer gives the letter back.
func dot(s string, i int) int {
	return 2 * boolInt(s[i] == '.' && i+1 < len(s) && isLetter(s[i+1]))
}

// matchFormal is the beginning of a comment with two stars, and the character behind it: #**# is an
// ordinary one.
func matchFormal(s string, i int) int {
	return 4 * boolInt(strings.HasPrefix(s[i:], "#**") && i+3 < len(s) && s[i+3] != '#')
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

// toLineEnd returns the length of blanks and one line end at i, or 0 where there is no line end
// after them.
func toLineEnd(s string, i int) int {
	blanks := span(s, i, isBlank)
	if n := lineEnd(s, i+blanks); n > 0 {
		return blanks + n
	}
	return 0
}

// matchBracedWord is a name in braces, as in #{else}.
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

// matchString returns the length of the longest string literal: a doubled quote goes on, unless
// there is no quote after it.
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

// matchInteger takes the dots of a range along, which the lexer gives back: else 1. would be a
// float.
func matchInteger(s string, i int) int {
	n := sign(s, i)
	digits := span(s, i+n, isDigit)
	switch {
	case digits == 0:
		return 0
	case strings.HasPrefix(s[i+n+digits:], ".."):
		return n + digits + len("..")
	}
	return n + digits
}

// matchFloat wants a point or an exponent, and a digit.
func matchFloat(s string, i int) int {
	at := i + sign(s, i)
	end := at + span(s, at, isDigit)
	longest := 0
	if end > at {
		longest = withExponent(s, i, end)
	}
	if end < len(s) && s[end] == '.' {
		fraction := span(s, end+1, isDigit)
		if end == at && fraction == 0 {
			return 0
		}
		end += 1 + fraction
		longest = max(longest, end-i, withExponent(s, i, end))
	}
	return longest
}

func sign(s string, i int) int { return boolInt(s[i] == '-') }

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

// textLen returns the length of the text up to the next character that may mean something.
func textLen(s string, i int) int {
	if n := strings.IndexAny(s[i:], "$#\\"); n >= 0 {
		return n
	}
	return len(s) - i
}
