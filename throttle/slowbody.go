package throttle

import (
	"context"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/retry"
)

// guarded is a handler whose requests are counted on their connection, and whose bodies must come.
type guarded struct {
	connections *Connections
	next        http.Handler
}

func (h *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(connectionKey{}).(*connection)
	if c != nil {
		ok := c.begin(r)
		// HTTP/1 closes after this answer. HTTP/2 says GOAWAY, and reads no request behind it.
		if !ok || c.spent() && r.Header["Upgrade"] == nil {
			w.Header()["Connection"] = []string{"close"}
		}
		if !ok {
			gatekit.Reject(w, r, retry.Throttled)
			return
		}
	}
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		h.next.ServeHTTP(w, r)
		return
	}
	b := &meteredBody{
		Context: r.Context(), ReadCloser: r.Body, limits: h.connections, connection: c, w: w,
	}
	b.unhurried.Store(h.connections.minBodyRate == 0)
	defer b.end() // the timer must not reach for a ResponseWriter that is over
	hopbyhop.KeepTrailer(r)
	with := r.WithContext(b)
	with.Body = b
	h.next.ServeHTTP(w, with)
}

// Station implements [gatekit.Station].
func (h *guarded) Station() (kind string, next http.Handler) { return "connections", h.next }

// NoMinimum serves next without MinBodyRate, for requests whose client sends when it has something
// to say: gRPC streams, and whatever else goes on for long in both directions. Nothing but the
// server's timeouts then ends a body that doesn't come, so next should know who it is that it waits
// for, and for how long. It is a gatekit.Middleware, for the routes that need it; without
// [Connections] it changes nothing.
func NoMinimum(next http.Handler) http.Handler { return &noMinimum{next} }

type noMinimum struct{ next http.Handler }

func (h *noMinimum) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b, ok := r.Context().Value(bodyKey{}).(*meteredBody); ok {
		b.unhurried.Store(true)
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *noMinimum) Station() (kind string, next http.Handler) { return "no-minimum", h.next }

type bodyKey struct{}

// meteredBody is a request's body that must come with a minimum of bytes a second. Only the time
// counts that is spent waiting for the client: a handler may take its own. It is also the context
// of its request, so that handlers find it under other bodies that stations put over it.
type meteredBody struct {
	context.Context
	io.ReadCloser
	limits     *Connections
	connection *connection // nil if the server isn't behind our listener
	w          http.ResponseWriter
	unhurried  atomic.Bool // there is no minimum

	waited   time.Duration
	received int64
	timer    *time.Timer

	mu    sync.Mutex // guards what the timer looks at
	state bodyState
}

type bodyState uint8

const (
	atRest bodyState = iota
	reading
	cutOff
	ended
)

// Value implements [context.Context].
func (b *meteredBody) Value(key any) any {
	if key == (bodyKey{}) {
		return b
	}
	return b.Context.Value(key)
}

// Read reads the body, or returns os.ErrDeadlineExceeded if it has come too slowly.
func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.readInTime(p)
	if n > 0 && b.connection != nil {
		b.connection.gaveBody(n)
	}
	return n, err
}

func (b *meteredBody) readInTime(p []byte) (int, error) {
	if b.enter(reading) == cutOff {
		return 0, os.ErrDeadlineExceeded
	}
	if b.unhurried.Load() {
		n, err := b.ReadCloser.Read(p)
		b.enter(atRest)
		return n, err
	}
	left := b.limits.grace - b.waited + took(b.received, b.limits.minBodyRate)
	if b.timer == nil {
		b.timer = time.AfterFunc(left, b.cut)
	} else {
		b.timer.Reset(left)
	}
	start := time.Now()
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if b.enter(atRest) == cutOff {
		return 0, os.ErrDeadlineExceeded // also if bytes have come at last: the deadline is set
	}
	b.waited += time.Since(start)
	b.received += int64(n)
	return n, err
}

// enter changes the state, unless it is a final one, and returns which one it is now.
func (b *meteredBody) enter(s bodyState) bodyState {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state < cutOff {
		b.state = s
	}
	return b.state
}

// cut ends a Read that has waited too long.
func (b *meteredBody) cut() {
	b.mu.Lock()
	defer b.mu.Unlock() // so that end waits for it
	if b.state == reading {
		b.state = cutOff
		b.limits.refused[slowBody].Add(1)
		b.wake()
	}
}

// end is called when the handler returns. A Read that a goroutine of its goes on with is ended, as
// the server waits for it, in HTTP/1 without an end.
func (b *meteredBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == reading {
		b.wake()
	}
	b.state = ended
}

// wake ends a Read, in HTTP/1 and HTTP/2 alike, by a deadline in the past. None is set in advance:
// it would be left over for a handler that is still computing, or for the server's watch for
// clients that go away. It does no I/O, so b.mu may be held.
func (b *meteredBody) wake() {
	err := http.NewResponseController(b.w).SetReadDeadline(time.Unix(1, 0))
	if err != nil && b.connection != nil { // a ResponseWriter that hides the server's
		_ = b.connection.SetReadDeadline(time.Unix(1, 0))
	}
}

// took is how long n bytes may take at rate bytes a second: whole seconds, and no more than a
// Duration holds.
func took(n, rate int64) time.Duration {
	const most = 1 << 32
	return time.Duration(min(n/rate, most)) * time.Second
}
