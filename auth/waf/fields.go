package waf

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
)

// uriPath, queryString and method are the parts that every request has, or hasn't.
type (
	uriPath     struct{}
	queryString struct{}
	method      struct{}
)

func (uriPath) give(s *state) verdict {
	s.takeText(s.path())
	return undecided
}

func (queryString) give(s *state) verdict {
	if s.r.URL.RawQuery == "" && !s.r.URL.ForceQuery {
		return fails
	}
	s.takeText(s.r.URL.RawQuery)
	return undecided
}

func (method) give(s *state) verdict {
	s.takeText(s.r.Method)
	return undecided
}

// singleHeader is each value of the header with this canonical name.
type singleHeader struct{ name string }

func (f singleHeader) give(s *state) verdict {
	switch f.name {
	case "Host": // net/http takes it out of the header
		if s.r.Host == "" {
			return fails
		}
		s.takeText(s.r.Host)
		return undecided
	case "Transfer-Encoding": // and this one
		return s.takeTexts(s.r.TransferEncoding)
	}
	return s.takeTexts(s.r.Header[f.name])
}

func (s *state) takeTexts(values []string) verdict {
	if len(values) == 0 {
		return fails
	}
	for _, value := range values {
		if !s.takeText(value) {
			break
		}
	}
	return undecided
}

// queryArguments are the values of all query arguments, or of those with a name, in any letter
// case.
type queryArguments struct {
	name string // "" is all
	pre  []textform.Kind
}

func (f queryArguments) give(s *state) verdict {
	s.query = append(s.query[:0], s.r.URL.RawQuery...)
	query := textform.Apply(&s.queryBuffers, f.pre, s.query)
	found := false
	for more := len(query) > 0; more; {
		var pair []byte
		pair, query, more = bytes.Cut(query, []byte("&"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		if len(pair) == 0 || f.name != "" && !named(name, f.name) {
			continue
		}
		found = true
		if !s.take(value) {
			break
		}
	}
	if !found {
		return fails
	}
	return undecided
}

// named reports whether an argument is called want, as it is written or decoded: a backend decodes
// names, so a name with an escape in it must not hide the argument.
func named(name []byte, want string) bool {
	if bytes.IndexByte(name, '%') < 0 && bytes.IndexByte(name, '+') < 0 {
		return len(name) == len(want) && strings.EqualFold(string(name), want)
	}
	decoded, err := url.QueryUnescape(string(name))
	return strings.EqualFold(string(name), want) || err == nil && strings.EqualFold(decoded, want)
}

// hook is a part that only somebody else can tell: nil, or the ACL's function. A request that
// hasn't got it gets the fallback.
type hook struct {
	of       func(*http.Request) string
	fallback verdict
}

func (f hook) give(s *state) verdict {
	if f.of != nil {
		if text := f.of(s.r); text != "" {
			s.takeText(text)
			return undecided
		}
	}
	return f.fallback
}
