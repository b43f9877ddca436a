package compare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// secrets decides what of an answer, or of the log, may be told.
type secrets struct {
	known []string // values that were sent, and their words
}

// minKnown is how long a word of a header or a query is that counts as a secret: a shorter one is
// in any text.
const minKnown = 4

func newSecrets(c Config) *secrets {
	s := &secrets{}
	for _, h := range []http.Header{c.Header, c.GatewayHeader} {
		for name, values := range h {
			if !slices.Contains(open, name) {
				s.add(values...)
			}
		}
	}
	return s
}

// open are headers that are no secrets.
var open = []string{"Accept", "Accept-Language", "Origin", "User-Agent"}

// schemes are words before a secret.
var schemes = []string{"Bearer", "Basic", "Digest"}

func (s *secrets) add(texts ...string) {
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(" ;,=\"", c) }) {
			if len(word) >= minKnown && !slices.Contains(schemes, word) {
				s.known = append(s.known, word)
			}
		}
	}
}

// with knows the values of a question's query as well, which an answer may repeat.
func (s *secrets) with(q question) *secrets {
	_, query, _ := strings.Cut(q.target, "?")
	if query == "" {
		return s
	}
	more := &secrets{known: slices.Clone(s.known)}
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		_, value, _ := strings.Cut(pair, "=")
		more.add(value)
		if decoded, err := url.QueryUnescape(value); err == nil {
			more.add(decoded)
		}
	}
	return more
}

const (
	hidden   = "(not shown)"
	maxShown = 100
)

var (
	// secretName are names of what nobody else should read. It rather takes too much: "author" is
	// one, too.
	secretName = regexp.MustCompile(`(?i)auth|cookie|token|secret|passw|passphrase|pwd|credential|key|session|` +
		`signature|private|jwt|bearer|csrf|xsrf|otp|nonce|assertion|verifier|\b(pin|sid|code|state)\b`)
	// longRun is what keys, tokens and digests are written in. An equals sign ends it, as it stands
	// between names and values.
	longRun = regexp.MustCompile(`[A-Za-z0-9+/_.~-]{16,}=*`)
	// longSegment is the same of paths.
	longSegment = regexp.MustCompile(`[A-Za-z0-9+_.~=:@!$&'()*,;-]{16,}`)
)

// maxWord is the length from which on a run without digits is no word any more.
const maxWord = 32

// inText are secrets within a text, and what is told of them: the query of a URL, the user of one,
// and what is written behind its name.
var inText = []struct {
	find *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`\?[^\s"?]*=[^\s"]*`), "?…"},
	{regexp.MustCompile(`//[^\s"/@]*@`), "//…@"},
	{regexp.MustCompile(`(?i)([\w-]*(?:token|secret|passw|pwd|credential|key|session|signature|otp)[\w-]*["']?\s*` +
		`[=:]\s*)[^\s,;]+`), "$1…"},
	{regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[^\s,;="]+([\s,;"]|$)`), "$1…$2"},
}

func mask(text string, runs *regexp.Regexp) string {
	for _, secret := range inText {
		text = secret.find.ReplaceAllString(text, secret.say)
	}
	return runs.ReplaceAllStringFunc(text, func(run string) string {
		if len(run) < maxWord && !strings.ContainsAny(run, "0123456789") {
			return run
		}
		return fmt.Sprintf("(%d characters)", len(run))
	})
}

// knows reports whether text has something in it that was sent as a secret.
func (s *secrets) knows(text string) bool {
	for _, k := range s.known {
		if strings.Contains(text, k) {
			return true
		}
	}
	return false
}

// name is a header's or a member's own.
func (s *secrets) name(name string) string {
	if s.knows(name) {
		return hidden
	}
	return printable(mask(name, longRun))
}

// text is the value of what is named so.
func (s *secrets) text(name, text string) string {
	switch {
	case text == absent:
		return text
	case name == "Set-Cookie" && !s.knows(text): // it has no value any more
		return strconv.Quote(printable(mask(text, longRun)))
	case secretName.MatchString(name) && name != "Www-Authenticate", s.knows(text):
		return hidden
	}
	return strconv.Quote(printable(mask(text, longRun)))
}

// value is a value of JSON, at the end of members with these names.
func (s *secrets) value(names string, v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	case []any:
		return fmt.Sprintf("a list of %d elements", len(v))
	case string:
		return s.text(names, v)
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		text := s.text(names, v.String())
		return strings.Trim(text, `"`)
	}
	return hidden
}

// request is a request of the log, without values of the query, and without what a path may have
// for keys.
func (s *secrets) request(q question) string {
	path, query, _ := strings.Cut(q.target, "?")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	if s.knows(path) {
		path = hidden
	}
	text := q.method + " " + printable(mask(path, longSegment))
	if query != "" {
		text += "?…"
	}
	return text
}

// printable is text in one line, for a terminal, and not too long.
func printable(text string) string {
	quoted := strconv.Quote(text)
	text = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}
