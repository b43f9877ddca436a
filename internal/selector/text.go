package selector

import (
	"fmt"
	"strings"
)

// Text is the right side of a mapping of HTTP APIs: literals, and selectors between them.
type Text []Selector

// ParseText reads "$selector", or text with ${selector} or $selector in it, whose selectors are
// those of the grammar without a sigil. A dollar sign within the text that begins no selector is
// one; a text that begins with one is meant to be a selector. (HTTP sheet, E.1.)
func (g Grammar) ParseText(text string) (Text, error) {
	if s, whole, err := g.parseWhole(text); whole && err != nil {
		return nil, err
	} else if whole {
		return Text{s}, nil
	}
	var t Text
	literal := func(text string) {
		if text != "" {
			t = append(t, Selector{Kind: Literal, Name: text})
		}
	}
	for {
		before, after, found := strings.Cut(text, "$")
		switch {
		case !found:
			literal(before)
			return t, nil
		case !strings.HasPrefix(after, "{") && !startsSelector(after):
			literal(before + "$") // a dollar sign
			text = after
			continue
		}
		literal(before)
		inner, rest, err := cutSelector(after)
		if err != nil {
			return nil, err
		}
		s, err := g.Parse(inner)
		if err != nil {
			return nil, err
		}
		t, text = append(t, s), rest
	}
}

// parseWhole reads a text that is one selector and nothing else, which may have a JSON path with
// brackets without braces around it. whole is false where it is to be read piece by piece.
func (g Grammar) parseWhole(text string) (s Selector, whole bool, err error) {
	inner, ok := strings.CutPrefix(text, "$")
	if !ok || strings.HasPrefix(inner, "{") {
		return s, false, nil
	}
	s, err = g.Parse(inner)
	rest := inner[bareLen(inner):]
	return s, err == nil && !hasSelector(rest) || rest == "" || rest == "." || rest[0] == '[' ||
		!startsSelector(inner), err
}

// cutSelector returns the selector that text, behind a dollar sign, begins with, and what follows
// it.
func cutSelector(text string) (inner, rest string, err error) {
	inner, ok := strings.CutPrefix(text, "{")
	if !ok {
		n := bareLen(text)
		if rest = text[n:]; strings.HasPrefix(rest, "[") {
			return "", "", fmt.Errorf("want braces around a JSON path with brackets, got %q", "$"+text)
		}
		return text[:n], rest, nil
	}
	end := closingBrace(inner)
	if end < 0 {
		return "", "", fmt.Errorf("want a } behind ${, got %q", inner)
	}
	return inner[:end], inner[end+1:], nil
}

// hasSelector reports whether another selector stands in s.
func hasSelector(s string) bool {
	for {
		_, after, found := strings.Cut(s, "$")
		if !found || startsSelector(strings.TrimPrefix(after, "{")) {
			return found
		}
		s = after
	}
}

func startsSelector(s string) bool {
	for _, root := range []string{"request.", "response.", "context.", "stageVariables."} {
		if strings.HasPrefix(s, root) {
			return true
		}
	}
	return false
}

// bareLen is how long a selector without braces is: up to the first character that can't be part of
// one. A dot at the end is text.
func bareLen(s string) int {
	n := 0
	colons := strings.HasPrefix(s, "context.")
	for n < len(s) && (isAlphanumeric(s[n]) || strings.IndexByte("_.-", s[n]) >= 0 || s[n] == ':' && colons) {
		n++
	}
	for n > 0 && (s[n-1] == '.' || s[n-1] == ':') {
		n--
	}
	return n
}

func isAlphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// closingBrace returns where the first brace is that is in no quotes between brackets, as a JSON
// path may have them, or -1.
func closingBrace(s string) int {
	for i, c := range Unquoted(s) {
		if c == '}' {
			return i
		}
	}
	return -1
}

// Asks reports whether one of t's selectors is of one of these kinds.
func (t Text) Asks(kinds Kind) bool {
	for i := range t {
		if t[i].Kind&kinds != 0 {
			return true
		}
	}
	return false
}

// Joined returns what t is for m. found is false if one of its selectors finds nothing.
func (t Text) Joined(m *Message) (text string, found bool) {
	if len(t) == 1 {
		return t[0].Joined(m)
	}
	var b strings.Builder
	for i := range t {
		if text, found = t[i].Joined(m); !found {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}
