package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// buffers are for copying bodies. Nothing keeps one.
var buffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

const (
	copyBytes = 32 << 10
	// small is what fits into the server's own buffer beside most headers, so that writing it waits
	// for nobody.
	small = 2 << 10
)

// Copy copies an answer's body to the client. What has no length (-1) is flushed as it comes. With
// now the headers are, too, and whatever comes: the client may have to see them before it goes on
// sending, or nothing may come for long. The error is why it isn't all: whoever reads the answer
// must see that, as by http.ErrAbortHandler.
func (x *Exchange) Copy(body io.Reader, length int64, now bool) error {
	if length == 0 {
		return nil
	}
	stream := length < 0 || now
	control := http.NewResponseController(x.W)
	if now {
		if err := flush(control); err != nil {
			return err
		}
	}
	b := buffers.Get().(*[copyBytes]byte)
	defer buffers.Put(b)
	for left := length; ; {
		x.await(forUpstream)
		n, readErr := body.Read(b[:])
		if left -= int64(n); left == 0 && readErr == nil {
			_, readErr = body.Read(b[n:n]) // nothing is left but the end, which ends the server's part in it
		}
		x.watch.Stop()
		if readErr == io.EOF {
			x.Answered() // before the client is waited for
		}
		if n > 0 {
			if readErr == nil || n > small {
				x.await(forClient)
			}
			if err := x.pass(b[:n]); err != nil {
				return err
			}
			if stream {
				if err := flush(control); err != nil {
					return err
				}
			}
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			x.brokeOff()
			return readErr
		}
	}
}

// flush flushes where the writer can.
func flush(control *http.ResponseController) error {
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// pass writes to the client, and keeps in mind how long it takes to read.
func (x *Exchange) pass(b []byte) error {
	if x.at != nil { // and somebody may be waiting for the place
		x.mayBeSlow()
	}
	x.down.begin(time.Now())
	_, err := x.W.Write(b)
	x.down.end(time.Now(), len(b))
	return err
}

// Answered notes that the server has answered to the end, and gives its place to others.
func (x *Exchange) Answered() {
	if x.at != nil {
		x.pool.answered(x.at)
		x.release()
	}
}

// brokeOff notes that the body of the answer did, if the server is to blame.
func (x *Exchange) brokeOff() {
	if why := context.Cause(x.ctx); x.at != nil && (why == nil || why == errSilent) && x.serversFault() {
		x.pool.failed(x.at)
	}
}
