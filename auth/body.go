package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

var errBodyTooLarge = errors.New("auth: the body is larger than its bound")

// readBody reads the whole body, at most limit bytes of it, and puts an equal one in its place. It is never pooled: a handler may keep it.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: errBodyTooLarge}
	}
	var body []byte
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	}
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: fmt.Errorf("auth: read the body: %w", err)}
	}
	if int64(len(body)) > limit {
		return nil, &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: errBodyTooLarge}
	}
	_ = r.Body.Close() // it has been read
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
