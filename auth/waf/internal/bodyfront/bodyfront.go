// Package bodyfront reads the front of request bodies: as much as rules inspect. It is put back in
// front of the rest, which is streamed.
package bodyfront

import (
	"io"
	"net/http"
)

// Read reads up to limit bytes of the body, once, and puts them back in front of the rest, in r
// itself. more reports whether the body goes on behind them.
//
// What fails to be read fails for the next reader as well, at the same place: so it is to be judged
// as far as it came, and nobody behind sees more. front is shared with that reader, and mustn't be
// changed.
func Read(r *http.Request, limit int) (front []byte, more bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, false
	}
	room := limit + 1
	if 0 <= r.ContentLength && r.ContentLength < int64(room) {
		room = int(r.ContentLength) + 1 // one more, to see the end
	}
	whole, err := readUpTo(r.Body, make([]byte, 0, min(room, 16<<10)), limit+1)
	r.Body = &body{front: whole, err: err, rest: r.Body}
	return whole[:min(len(whole), limit)], len(whole) > limit
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

// body is a body of which the front has been read. It is the handler's, so nothing of it is used
// again.
type body struct {
	front []byte
	err   error // what the last Read said
	rest  io.ReadCloser
}

func (b *body) Read(p []byte) (int, error) {
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
func (b *body) Close() error {
	b.front, b.err = nil, http.ErrBodyReadAfterClose
	return b.rest.Close()
}
