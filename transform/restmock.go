package transform

import "strconv"

// mockStatus returns the statusCode in the object that a mock's request template makes. The managed
// gateway reads it leniently: names without quotes or in single ones, and commas and braces too
// many, pass. (Developer guide, "Mock integrations for REST APIs in API Gateway".)
func mockStatus(text []byte) (status int, ok bool) {
	s := lenient{text: trimBlanks(text)}
	if len(s.text) < 2 || s.text[0] != '{' || s.text[len(s.text)-1] != '}' {
		return 0, false
	}
	s.at = 1
	depth, open := 1, 1
	for {
		token, name, more := s.next()
		if !more {
			return status, ok && !s.unbalanced && open <= 0 // more may be closed than was opened, but no less
		}
		switch token {
		case '{', '[':
			depth++
			open++
		case '}', ']':
			depth = max(depth-1, 1) // one too many closes nothing
			open--
		case 'w', '"':
			if depth > 1 || name != "statusCode" {
				break
			}
			mark := s.at
			if token, _, _ = s.next(); token != ':' {
				s.at = mark
				break
			}
			mark = s.at
			token, value, _ := s.next()
			if token == 'w' {
				status, ok = integer(value)
			} else {
				s.at, ok = mark, false // looked at again: it may open something
			}
		}
	}
}

func integer(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil
}

func trimBlanks(text []byte) []byte {
	for len(text) > 0 && blank(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && blank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// lenient cuts text into tokens.
type lenient struct {
	text       []byte
	at         int
	unbalanced bool // a quote that nothing closes
}

// next returns a token: a punctuation mark, 'w' for a word or '"' for a text in quotes, both with
// their value.
func (s *lenient) next() (token byte, value string, ok bool) {
	for s.at < len(s.text) && blank(s.text[s.at]) {
		s.at++
	}
	if s.at >= len(s.text) {
		return 0, "", false
	}
	c := s.text[s.at]
	switch c {
	case '{', '}', '[', ']', ':', ',':
		s.at++
		return c, "", true
	case '"', '\'':
		from := s.at + 1
		for s.at = from; s.at < len(s.text) && s.text[s.at] != c; s.at++ {
			if s.text[s.at] == '\\' {
				s.at++
			}
		}
		if s.at >= len(s.text) {
			s.unbalanced = true
			return 0, "", false
		}
		s.at++
		return '"', string(s.text[from : s.at-1]), true
	}
	from := s.at
	for s.at < len(s.text) && !blank(s.text[s.at]) {
		switch s.text[s.at] {
		case '{', '}', '[', ']', ':', ',': // a quote within a word is part of it
			return 'w', string(s.text[from:s.at]), true
		}
		s.at++
	}
	return 'w', string(s.text[from:s.at]), true
}
