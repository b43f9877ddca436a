package waf

import (
	"io"
	"net/http"

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
// What fails to be read fails for the next reader as well, at the same place: so it is judged as
// far as it came, and nobody behind sees more.
func (s *state) readBody() {
	r := s.r
	if s.bodyRead || r.Body == nil || r.Body == http.NoBody {
		return
	}
	s.bodyRead = true
	limit := s.acl.bodyLimit
	room := limit + 1
	if 0 <= r.ContentLength && r.ContentLength < int64(room) {
		room = int(r.ContentLength) + 1 // one more, to see the end
	}
	whole, err := readUpTo(r.Body, make([]byte, 0, min(room, 16<<10)), limit+1)
	s.body = whole[:min(len(whole), limit)]
	s.bodyTooLarge = len(whole) > limit
	r.Body = &putBack{front: whole, err: err, rest: r.Body}
}

// readUpTo appends up to limit bytes of r to b, whose room grows with what comes.
func readUpTo(r io.Reader, b []byte, limit int) ([]byte, error) {
	for empty := 0; len(b) < limit; {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):min(cap(b), limit)])
		b = b[:len(b)+n]
		if err != nil {
			return b, err
		}
		if empty++; n > 0 {
			empty = 0
		}
		if empty > 100 { // as bufio has it
			return b, io.ErrNoProgress
		}
	}
	return b, nil
}

// putBack is a body of which the front has been read. It is the handler's, so nothing of it is used
// again.
type putBack struct {
	front []byte
	err   error // what the last Read said
	rest  io.ReadCloser
}

func (b *putBack) Read(p []byte) (int, error) {
	switch {
	case len(b.front) > 0:
		n := copy(p, b.front)
		b.front = b.front[n:]
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	return b.rest.Read(p)
}

// Close closes the body. What is read afterwards fails, as with net/http's.
func (b *putBack) Close() error {
	b.front, b.err = nil, http.ErrBodyReadAfterClose
	return b.rest.Close()
}
