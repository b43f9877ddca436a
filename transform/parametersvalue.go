package transform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// value is the right side of a mapping: text, which is a literal, and selectors.
type value []selector.Selector

var (
	requestValues = selector.Grammar{
		Forms: []selector.Form{selector.Request},
		Kinds: selector.Header | selector.Query | selector.Body | selector.BodyPart | selector.Path |
			selector.PathVariable |
			selector.Context | selector.StageVariable,
	}
	responseValues = selector.Grammar{
		Forms: []selector.Form{selector.Response},
		Kinds: selector.Header | selector.Body | selector.BodyPart | selector.Context | selector.StageVariable,
	}
)

// parseValue reads "$selector", or text with ${selector} or $selector in it. (HTTP sheet, E.1.)
func parseValue(text string, from selector.Grammar) (value, error) {
	if text == "" {
		return nil, errors.New(`want a value; to drop what is there, use remove`)
	}
	if httpword.HasControl(text) {
		return nil, fmt.Errorf("want a value without control characters, got %q", text)
	}
	if s, whole, err := parseWhole(text, from); whole {
		return value{s}, err
	}
	var v value
	literal := func(text string) {
		if text != "" {
			v = append(v, selector.Selector{Kind: selector.Literal, Name: text})
		}
	}
	for {
		before, after, found := strings.Cut(text, "$")
		switch {
		case !found:
			literal(before)
			return v, nil
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
		s, err := from.Parse(inner)
		if err != nil {
			return nil, err
		}
		v, text = append(v, s), rest
	}
}

// parseWhole reads a text that is one selector and nothing else, which may have a JSON path with
// brackets without braces around it. whole is false where it is to be read piece by piece.
func parseWhole(text string, from selector.Grammar) (s selector.Selector, whole bool, err error) {
	inner, ok := strings.CutPrefix(text, "$")
	if !ok || strings.HasPrefix(inner, "{") {
		return s, false, nil
	}
	s, err = from.Parse(inner)
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
	for i, c := range selector.Unquoted(s) {
		if c == '}' {
			return i
		}
	}
	return -1
}

func (v value) asks(kinds selector.Kind) bool {
	for i := range v {
		if v[i].Kind&kinds != 0 {
			return true
		}
	}
	return false
}

// text returns what v is for m. ok is false if one of its selectors finds nothing.
func (v value) text(m *selector.Message) (text string, ok bool) {
	if len(v) == 1 {
		return v[0].Joined(m)
	}
	var b strings.Builder
	for i := range v {
		if text, ok = v[i].Joined(m); !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

// peek reads the beginning of a body, and returns it with a body that begins with it.
func peek(body io.ReadCloser) ([]byte, io.ReadCloser) {
	if body == nil || body == http.NoBody {
		return nil, body
	}
	head, err := io.ReadAll(io.LimitReader(body, maxMappedBody))
	rest := io.Reader(body)
	if err != nil {
		rest = failed{err} // for who reads that far
	}
	return head, &peeked{io.MultiReader(bytes.NewReader(head), rest), body}
}

type peeked struct {
	io.Reader
	io.Closer
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
