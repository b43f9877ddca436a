package cache

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// maxRefreshing bounds the answers that are made in the background at one time. Beyond it stale
// ones are served as they are.
const maxRefreshing = 64

// refreshBehind makes a new answer in the background, if nobody does already. Only for methods that
// have no body.
func (f *filling) refreshBehind(r *http.Request) {
	c := f.cache
	if !hasNoBody(r.Method) {
		return
	}
	select {
	case c.refreshing <- struct{}{}:
	default:
		return
	}
	at := f.key.variant(r, waitedFor)
	own := newCall(f.at)
	if c.ctx.Err() != nil || c.begin(at, own) != own {
		<-c.refreshing
		return
	}
	again := *f
	// What the request's context carries stays; that it ends with the request doesn't.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.refresh)
	stop := context.AfterFunc(c.ctx, cancel)
	behind := gatekit.Detach(ctx, r)
	for _, conditional := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"} {
		delete(behind.Header, conditional) // a 304 is no answer to keep
	}
	go func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { // no server stands around this goroutine
				c.renewing.Failed(ctx, errPanic)
			}
			stop()
			cancel()
			c.leave(at, own)
			own.End(nil, nil)
			<-c.refreshing
		}()
		again.fill(nowhere{http.Header{}}, behind, own, "")
		c.renewing.Worked(ctx)
	}()
}

var errPanic = errors.New("the handler panicked")

// nowhere is the client of an answer that is made in the background.
type nowhere struct{ h http.Header }

func (w nowhere) Header() http.Header         { return w.h }
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w nowhere) WriteHeader(int)             {}
