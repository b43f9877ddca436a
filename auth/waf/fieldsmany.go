package waf

import (
	"net/http"
	"strings"
)

// Headers and cookies are inspected up to these.
const (
	maxManyBytes = 8 << 10
	maxMany      = 200
)

// scope is what of a pair is judged.
type scope uint8

const (
	ofKeys scope = 1 << iota
	ofValues
	ofBoth = ofKeys | ofValues
)

// selection says which headers or cookies are judged.
type selection struct {
	names   map[string]bool
	exclude bool // those that aren't in names
	scope   scope
}

func (c *selection) selects(name string) bool {
	if len(c.names) == 0 {
		return c.exclude
	}
	return c.names[name] != c.exclude
}

// headers are the headers, with those that net/http keeps elsewhere. Go keeps no order of them, so
// there is no first part: where those beyond 8 KB are to be judged as far as they fit, all are.
type headers struct {
	selection
	oversize verdict
}

func (f *headers) give(s *state) verdict {
	s.looked |= partHeaders
	if f.oversize != undecided && tooManyHeaders(s.r) {
		return f.oversize
	}
	if s.r.Host != "" && f.selects("Host") && !s.pair(f.scope, "host", s.r.Host) {
		return undecided
	}
	for _, value := range s.r.TransferEncoding {
		if f.selects("Transfer-Encoding") && !s.pair(f.scope, "transfer-encoding", value) {
			return undecided
		}
	}
	for name, values := range s.r.Header {
		if !f.selects(name) {
			continue
		}
		if f.scope&ofKeys != 0 && len(values) > 0 && !s.takeLower(name) {
			return undecided
		}
		for _, value := range values {
			if f.scope&ofValues != 0 && !s.takeText(value) {
				return undecided
			}
		}
	}
	return undecided
}

func tooManyHeaders(r *http.Request) bool {
	number, size := 1, len("host")+len(r.Host)
	for name, values := range r.Header {
		number += len(values)
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return number > maxMany || size > maxManyBytes
}

// headerOrder is the names of the headers in the order in which they came, joined by colons.
type headerOrder struct {
	of       func(*http.Request) string
	oversize verdict
}

func (f headerOrder) give(s *state) verdict {
	if f.oversize != undecided && tooManyHeaders(s.r) {
		return f.oversize
	}
	return hook{f.of, fails}.give(s)
}

// pair gives a name and a value, as far as they are judged.
func (s *state) pair(of scope, name, value string) bool {
	return (of&ofKeys == 0 || s.takeText(name)) && (of&ofValues == 0 || s.takeText(value))
}

// takeLower is takeText of a header's name, which net/http has spelled in its own way.
func (s *state) takeLower(name string) bool {
	s.raw = s.raw[:0]
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		s.raw = append(s.raw, c)
	}
	return s.take(s.raw)
}

// cookies are the cookies, whose names are compared letter by letter. A value in quotes is judged
// with and without them: which of the two a backend sees is its own affair.
type cookies struct {
	selection
	oversize verdict
}

func (f *cookies) give(s *state) verdict {
	s.looked |= partCookies
	if f.oversize != undecided && tooManyCookies(s.r) {
		return f.oversize
	}
	number, size := 0, 0
	for _, line := range s.r.Header["Cookie"] {
		if size += len(line); size > maxManyBytes {
			line = line[:max(0, len(line)-(size-maxManyBytes))]
		}
		for more := line != ""; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			if number++; number > maxMany {
				return undecided
			}
			name, value := cookiePair(pair)
			if !f.selects(name) {
				continue
			}
			if !s.pair(f.scope, name, value) {
				return undecided
			}
			if plain := unquoted(value); f.scope&ofValues != 0 && plain != value && !s.takeText(plain) {
				return undecided
			}
		}
	}
	return undecided
}

// cookiePair splits a cookie. Its name is that which net/http finds: without the blanks around it.
func cookiePair(pair string) (name, value string) {
	name, value, _ = strings.Cut(strings.Trim(pair, blanks), "=")
	return strings.TrimRight(name, blanks), value
}

const blanks = " \t\r\n"

// unquoted is a cookie's value without the quotes around it, as net/http hands it to a backend.
func unquoted(value string) string {
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1]
	}
	return value
}

func tooManyCookies(r *http.Request) bool {
	number, size := 0, 0
	for _, line := range r.Header["Cookie"] {
		size += len(line)
		number += strings.Count(line, ";") + 1
	}
	return number > maxMany || size > maxManyBytes
}

// cookie is each value of one cookie, which rate-based rules count by: without its quotes, so that
// a client with them isn't another one.
type cookie struct{ name string }

func (f cookie) give(s *state) verdict {
	found := fails
	for _, line := range s.r.Header["Cookie"] {
		for more := line != ""; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			if name, value := cookiePair(pair); name == f.name {
				found = undecided
				if !s.takeText(unquoted(value)) {
					return undecided
				}
			}
		}
	}
	return found
}
