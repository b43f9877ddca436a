package waf

import (
	"bytes"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/auth/waf/internal/injection"
)

// The positions of a string within a text.
type (
	exactly      []byte
	startsWith   []byte
	endsWith     []byte
	contains     []byte
	containsWord []byte
)

func (m exactly) match(_ *state, text []byte) bool    { return bytes.Equal(text, m) }
func (m startsWith) match(_ *state, text []byte) bool { return bytes.HasPrefix(text, m) }
func (m endsWith) match(_ *state, text []byte) bool   { return bytes.HasSuffix(text, m) }
func (m contains) match(_ *state, text []byte) bool   { return bytes.Contains(text, m) }

// match looks for the string where no letter, digit or underscore is next to it.
func (m containsWord) match(_ *state, text []byte) bool {
	for from := 0; ; {
		i := bytes.Index(text[from:], m)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(m)
		if (i == 0 || !ofWord(text[i-1])) && (end == len(text) || !ofWord(text[end])) {
			return true
		}
		from = end // one that overlaps begins within a word
	}
}

func ofWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// patterns are regular expressions, any of which may match. A text that isn't UTF-8 is judged as it
// is, in which the characters around wrong bytes are what they are, and byte by byte: so no byte
// that is put behind a text hides it.
type patterns []*regexp.Regexp

func (m patterns) match(s *state, text []byte) bool {
	if m.matches(text) {
		return true
	}
	return !utf8.Valid(text) && m.matches(s.widen(text))
}

func (m patterns) matches(text []byte) bool {
	return slices.ContainsFunc(m, func(p *regexp.Regexp) bool { return p.Match(text) })
}

// widen makes a character of each byte of a text that isn't UTF-8, so that \xff finds that byte:
// package regexp takes each such byte for the same character U+FFFD.
func (s *state) widen(text []byte) []byte {
	s.wide = s.wide[:0]
	for _, c := range text {
		s.wide = utf8.AppendRune(s.wide, rune(c))
	}
	return s.wide
}

// size compares the length of a text.
type size struct {
	operator string
	than     int64
}

func (m size) match(_ *state, text []byte) bool {
	n := int64(len(text))
	switch m.operator {
	case "EQ":
		return n == m.than
	case "NE":
		return n != m.than
	case "LE":
		return n <= m.than
	case "LT":
		return n < m.than
	case "GE":
		return n >= m.than
	default:
		return n > m.than
	}
}

// sqli looks for SQL injection, high for the more sensitive kind.
type sqli struct{ high bool }

func (m sqli) match(_ *state, text []byte) bool { return injection.SQLi(text, m.high) }

// xss looks for scripts.
type xss struct{}

func (xss) match(_ *state, text []byte) bool { return injection.XSS(text) }
