// Package wholebody reads request bodies that a station has to see as a whole.
package wholebody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// ErrTooLarge is the cause of the rejection of a body beyond its bound.
var ErrTooLarge = errors.New("the body is larger than its bound")

// reserveAtOnce is how large a body may say to be and get its room before it has come.
const reserveAtOnce = 128 << 10

// Read reads the whole body, at most limit bytes of it, and puts an equal one in its place. It is
// never pooled: a handler may keep it. The error is a *gatekit.Rejection: RequestTooLarge, or 400
// for a body that can't be read, whose cause names pkg.
func Read(pkg string, r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: ErrTooLarge}
	}
	var body []byte
	var err error
	if n := r.ContentLength; 0 <= n && n <= reserveAtOnce {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
	} else { // the room grows with what has come, not with what was announced: that costs a caller nothing
		body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
		if err == nil && n >= 0 && int64(len(body)) != n && int64(len(body)) <= limit {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: fmt.Errorf("%s: read the body: %w", pkg, err)}
	}
	if int64(len(body)) > limit {
		return nil, &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: ErrTooLarge}
	}
	_ = r.Body.Close() // it has been read
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
