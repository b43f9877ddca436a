package iam

import (
	"strings"
	"unicode/utf8"
)

// glob is a compiled pattern: the parts between its stars, in order.
//
// Matching is greedy from the left: the first part must be where the text begins, the last where it
// ends, and each part between is taken where it occurs first. That is right because a star takes
// anything: if any choice of places matches, moving each part to its first place leaves more text
// for the parts behind, and none can fail for it. So no choice is ever taken back. The matchers
// that go back, and regular expressions that do, take time exponential in the number of stars, and
// the pattern may be a stranger's (a function's answer) while the text is a client's.
//
// A regular expression of RE2 would be as safe. It isn't used as its time is a multiple, a policy
// of a thousand patterns would take megabytes, and variables, whose values are plain text, would
// have to be compiled for each request.
//
// (IAM user guide, "IAM JSON policy elements: Resource" and "Condition operators": * is any text, ?
// any one character.)
type glob struct {
	parts   [][]piece
	starred bool // there is a star between any two parts; without one, parts has one entry
}

// piece is a run of text, any one character, or a variable whose value, whatever it holds, is plain
// text.
type piece struct {
	text     string
	any      bool
	variable *variable
}

// parseGlob compiles a pattern. With wildcards unset, * and ? are plain; with variables unset, ${
// is.
func parseGlob(pattern string, wildcards, variables bool) (glob, error) {
	g := glob{}
	var part []piece
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			part = append(part, piece{text: text.String()})
			text.Reset()
		}
	}
	for pattern != "" {
		c := pattern[0]
		switch {
		case c == '*' && wildcards:
			flush()
			g.parts = append(g.parts, part)
			part, g.starred = nil, true
		case c == '?' && wildcards:
			flush()
			part = append(part, piece{any: true})
		case c == '$' && variables && strings.HasPrefix(pattern, "${"):
			v, plain, n, err := parseVariable(pattern)
			if err != nil {
				return glob{}, err
			}
			pattern = pattern[n:]
			if v == nil {
				text.WriteByte(plain)
				continue
			}
			flush()
			part = append(part, piece{variable: v})
			continue
		default:
			text.WriteByte(c)
		}
		pattern = pattern[1:]
	}
	flush()
	g.parts = append(g.parts, part)
	return g, nil
}

// match reports whether text matches. A variable without a value matches nothing.
func (g *glob) match(text string, r *Request) bool {
	first, last := g.parts[0], g.parts[len(g.parts)-1]
	n, ok := prefix(first, text, r)
	if !ok {
		return false
	}
	if !g.starred {
		return n == len(text)
	}
	text = text[n:]
	for _, part := range g.parts[1 : len(g.parts)-1] {
		end := find(part, text, r)
		if end < 0 {
			return false
		}
		text = text[end:]
	}
	return suffix(last, text, r)
}

// prefix reports whether text begins with part, and how long that is.
func prefix(part []piece, text string, r *Request) (n int, ok bool) {
	for i := range part {
		rest := text[n:]
		switch p := &part[i]; {
		case p.any:
			if rest == "" {
				return 0, false
			}
			_, size := utf8.DecodeRuneInString(rest)
			n += size
		case p.variable != nil:
			value, ok := p.variable.value(r)
			if !ok || !strings.HasPrefix(rest, value) {
				return 0, false
			}
			n += len(value)
		default:
			if !strings.HasPrefix(rest, p.text) {
				return 0, false
			}
			n += len(p.text)
		}
	}
	return n, true
}

// find returns where the first occurrence of part in text ends, or -1.
func find(part []piece, text string, r *Request) int {
	if len(part) == 0 {
		return 0
	}
	for at := 0; at <= len(text); {
		if p := &part[0]; p.text != "" {
			i := strings.Index(text[at:], p.text)
			if i < 0 {
				return -1
			}
			at += i
		}
		if n, ok := prefix(part, text[at:], r); ok {
			return at + n
		}
		if at == len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return -1
}

// suffix reports whether text ends with part. How long part is isn't known where it has ? or a
// variable, so it is measured from the end: each piece from the last to the first.
func suffix(part []piece, text string, r *Request) bool {
	for i := len(part) - 1; i >= 0; i-- {
		switch p := &part[i]; {
		case p.any:
			if text == "" {
				return false
			}
			_, size := utf8.DecodeLastRuneInString(text)
			text = text[:len(text)-size]
		case p.variable != nil:
			value, ok := p.variable.value(r)
			if !ok || !strings.HasSuffix(text, value) {
				return false
			}
			text = text[:len(text)-len(value)]
		default:
			if !strings.HasSuffix(text, p.text) {
				return false
			}
			text = text[:len(text)-len(p.text)]
		}
	}
	return true
}
