package waf

import (
	"net/http"

	"github.com/gatekit-go/gatekit/auth/waf/internal/bodyfront"
	"github.com/gatekit-go/gatekit/auth/waf/internal/jsonbody"
)

// body is the body as it came, up to the limit of inspection.
type body struct{ oversize verdict }

func (f body) give(s *state) verdict {
	s.looked |= partBody
	s.readBody()
	if s.bodyTooLarge && f.oversize != undecided {
		return f.oversize
	}
	if len(s.body) == 0 {
		return fails
	}
	s.take(s.body)
	return undecided
}

// jsonField is the body as JSON, text by text.
type jsonField struct {
	pattern  *jsonbody.Pattern
	oversize verdict
	invalid  verdict
	asString bool // what isn't JSON is judged as a whole
}

func (f *jsonField) give(s *state) verdict {
	s.looked |= partJSON
	s.readBody()
	if s.bodyTooLarge && f.oversize != undecided {
		return f.oversize
	}
	if len(s.body) == 0 {
		return fails
	}
	// What is wrong at the end decides about what was good before it: so that is found out first.
	if (f.invalid != undecided || f.asString) && f.pattern.Walk(&s.json, s.body, passOver) != nil {
		if f.asString {
			s.take(s.body)
		}
		return f.invalid
	}
	_ = f.pattern.Walk(&s.json, s.body, s.takeOne) // up to the first error, if there is one
	return undecided
}

func passOver([]byte) bool { return true }

// readBody reads as much of the body as is inspected, once, and puts it back in front of the rest.
func (s *state) readBody() {
	if s.bodyRead || s.r.Body == nil || s.r.Body == http.NoBody {
		return
	}
	s.bodyRead = true
	s.body, s.bodyTooLarge = bodyfront.Read(s.r, s.acl.bodyLimit)
}
