// Package wholebody reads request bodies that a station has to see as a whole.
package wholebody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/gatekit-go/gatekit"
)

// ErrTooLarge is the cause of the rejection of a body beyond its bound.
var ErrTooLarge = errors.New("the body is larger than its bound")

var errLonger = errors.New("the body is longer than it says")

var tooLarge = &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: ErrTooLarge}

// reserveAtOnce is how large a body may say to be and get its room before it has come.
const reserveAtOnce = 128 << 10

// Read reads the whole body, at most limit bytes of it, and puts an equal one in its place. It is
// never pooled: a handler may keep it. The error is [Into]'s.
func Read(pkg string, r *http.Request, limit int64) ([]byte, error) {
	body, err := Into(new(bytes.Buffer), pkg, r, limit)
	if body == nil || err != nil {
		return nil, err
	}
	_ = r.Body.Close() // it has been read
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// Into reads the whole body into room, at most limit bytes of it, and returns what is room's, nil
// where the request has no body. The error is a *gatekit.Rejection: RequestTooLarge, also where an
// http.MaxBytesReader in front says so, 408 for a body that has come too slowly, or 400 for one
// that can't be read. Its cause names pkg.
func Into(room *bytes.Buffer, pkg string, r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	// Beyond that the room grows with what has come, not with what was announced: that costs a
	// caller nothing.
	if n := r.ContentLength; 0 <= n && n <= reserveAtOnce {
		room.Grow(int(n) + bytes.MinRead)
	}
	n, err := room.ReadFrom(io.LimitReader(r.Body, limit+1))
	var bounded *http.MaxBytesError
	switch {
	case n > limit || errors.As(err, &bounded):
		return nil, tooLarge
	case err == nil && r.ContentLength > n:
		err = io.ErrUnexpectedEOF
	case err == nil && r.ContentLength > 0 && r.ContentLength < n:
		err = errLonger // no server hands one on: whoever made the request has judged another body than this
	}
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, os.ErrDeadlineExceeded) { // the server's ReadTimeout, or a minimum rate
			status = http.StatusRequestTimeout
		}
		return nil, &gatekit.Rejection{
			Type: gatekit.Default4XX, Status: status, Cause: fmt.Errorf("%s: read the body: %w", pkg, err),
		}
	}
	return room.Bytes(), nil
}
