package acme

import (
	"context"
	"io"
	"net/http"
	"time"
)

// until returns a client whose requests end with ctx. autocert's renewals run by timers that nobody
// can stop; this makes them harmless.
func until(ctx context.Context, from *http.Client) *http.Client {
	c := http.Client{Timeout: 30 * time.Second}
	if from != nil {
		c = *from
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	c.Transport = &ending{ctx, c.Transport}
	return &c
}

type ending struct {
	ctx  context.Context
	next http.RoundTripper
}

func (e *ending) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := e.ctx.Err(); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(e.ctx, func() { cancel(e.ctx.Err()) })
	w, err := e.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel(nil)
		return nil, err
	}
	w.Body = &endingBody{w.Body, func() { stop(); cancel(nil) }}
	return w, nil
}

// endingBody lets go of the request's context when the body is closed.
type endingBody struct {
	io.ReadCloser
	done func()
}

func (b *endingBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
