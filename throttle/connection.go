package throttle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatekit-go/gatekit/internal/netconn"
)

// connection is one that was let in. It stands below TLS, so it sees how much is sent, not what.
type connection struct {
	net.Conn
	limits  *Connections
	network netip.Prefix // whose place it holds, or the zero Prefix
	trusted bool         // a proxy's
	known   atomic.Bool  // the server's requests and bodies can be told to be this connection's
	left    atomic.Bool  // it was hijacked
	closed  atomic.Bool
	// requests and overhead are when its buckets are full again, by [steady].
	requests, overhead atomic.Int64
	// writeBy is the write deadline that the server has set, in nanoseconds since 1970, or 0.
	writeBy atomic.Int64
}

// Close gives back the connection's place, once.
func (c *connection) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.limits.release(c.network)
	}
	return c.Conn.Close()
}

// NetConn returns the connection below, as that of tls.Conn does.
func (c *connection) NetConn() net.Conn { return c.Conn }

// CloseWrite says that no more is sent, which the server does before it closes on a client that is
// still sending.
func (c *connection) CloseWrite() error {
	if below, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return below.CloseWrite()
	}
	return errors.ErrUnsupported
}

// cut ends the connection for good.
func (c *connection) cut() {
	if c.closed.CompareAndSwap(false, true) {
		c.limits.release(c.network)
	}
	reset(c.Conn)
}

// WritesTo returns the connection below once nobody asks any more how much is written.
func (c *connection) WritesTo() net.Conn {
	if c.left.Load() {
		return c.Conn
	}
	return nil
}

// Read charges what comes as overhead; what turns out to be a request or a body is given back. What
// is left are frames of HTTP/2 that net/http takes without an end: PING, SETTINGS, WINDOW_UPDATE,
// PRIORITY, unknown and empty ones. Where nothing can be given back, nothing is charged.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.trusted && c.known.Load() && !c.left.Load() {
		at := int64(time.Since(c.limits.start))
		if c.limits.overhead.take(&c.overhead, at, int64(n)) > 0 {
			c.limits.refused[tooMuchOverhead].Add(1)
			c.cut()
			return 0, net.ErrClosed
		}
	}
	return n, err
}

// What else is sent with a piece of a body, in the worst case that clients of use come to: small
// frames, each in a record of TLS of its own.
const (
	bodyTimes = 4
	bodyPlus  = 64
)

// gaveBody gives back what a piece of a body has cost.
func (c *connection) gaveBody(n int) {
	c.limits.overhead.give(&c.overhead, int64(n)*bodyTimes+bodyPlus)
}

const (
	// requestPlus is what a client may send with a request beside its headers.
	requestPlus = 256
	// mostOfHTTP2 is the most that a request of HTTP/2 gives back: HPACK sends a header that it has
	// sent before in one byte, and how much came isn't known here. Headers that would cost more and
	// aren't compressed count as overhead.
	mostOfHTTP2 = 1 << 10
)

// gaveRequest gives back what r's headers have cost, uncompressed.
func (c *connection) gaveRequest(r *http.Request) {
	n := requestPlus + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	if r.ProtoMajor > 1 {
		n = min(n, mostOfHTTP2)
	}
	c.limits.overhead.give(&c.overhead, int64(n))
}

// piece is how much is sent between two looks at the clock: a client that reads nothing more is
// known by the time that a piece may take, whatever is left to send.
const piece = 64 << 10

// Write gives the client Grace, and a second for each MinAnswerRate bytes, to make room for b.
func (c *connection) Write(b []byte) (total int, err error) {
	for {
		part := b[:min(len(b), piece)]
		ours := c.arm(len(part))
		n, err := c.Conn.Write(part)
		c.wrote(n, err, ours)
		total += n
		if b = b[n:]; err != nil || len(b) == 0 {
			return total, err
		}
	}
}

// arm sets the write deadline for n bytes, and reports whether it is ours and not the server's.
func (c *connection) arm(n int) bool {
	if c.limits.minAnswerRate == 0 || c.left.Load() || !c.known.Load() { // it might have left unnoticed
		return false
	}
	for {
		by := time.Now().Add(c.limits.grace + took(int64(n), c.limits.minAnswerRate))
		own := c.writeBy.Load()
		ours := own == 0 || by.UnixNano() < own
		if !ours {
			by = time.Unix(0, own)
		}
		_ = c.Conn.SetWriteDeadline(by)
		if c.writeBy.Load() == own { // else somebody has set another one meanwhile, which must not be lost
			return ours
		}
	}
}

// acknowledges is how many bytes a client is sent for one that it may send back. Clients with
// windows of some use send 13 to 70 bytes, TLS included, for every four kilobytes or more. It is
// far from what floods of PING get, which are answered by as much as they send.
const acknowledges = 32

// wrote pays for what a client must send to be sent something.
func (c *connection) wrote(n int, err error, ours bool) {
	c.limits.overhead.give(&c.overhead, int64(n/acknowledges))
	if ours && errors.Is(err, os.ErrDeadlineExceeded) {
		c.limits.refused[slowReader].Add(1)
	}
}

// ReadFrom keeps sendfile for files. What isn't one is read before the clock starts: a slow source
// isn't a slow client.
func (c *connection) ReadFrom(r io.Reader) (total int64, err error) {
	to, ok := c.Conn.(io.ReaderFrom)
	limited, isLimited := r.(*io.LimitedReader) // io.CopyN's
	if !isLimited {
		limited = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	if !ok || !regular(limited.R) {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	for limited.N > 0 {
		part := io.LimitedReader{R: limited.R, N: min(limited.N, piece)}
		want := part.N
		ours := c.arm(int(want))
		n, err := to.ReadFrom(&part)
		c.wrote(int(n), err, ours)
		total += n
		limited.N -= n
		if err != nil || n < want {
			return total, err
		}
	}
	return total, nil
}

// regular reports whether r is what sendfile takes, and a file that has an end. It may be *os.File,
// or what that is wrapped in by its own WriteTo.
func regular(r io.Reader) bool {
	f, ok := r.(interface {
		fs.File
		syscall.Conn
	})
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// SetWriteDeadline keeps the server's deadline, so that arm doesn't go beyond it.
func (c *connection) SetWriteDeadline(t time.Time) error {
	c.keepDeadline(t)
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *connection) SetDeadline(t time.Time) error {
	c.keepDeadline(t)
	return c.Conn.SetDeadline(t)
}

func (c *connection) keepDeadline(t time.Time) {
	if t.IsZero() {
		c.writeBy.Store(0)
		return
	}
	c.writeBy.Store(t.UnixNano())
}

// begin notes that r begins. A request too many is refused; who goes on for another burst, and so
// doesn't read that, is cut.
func (c *connection) begin(r *http.Request) (ok bool) {
	if c.trusted {
		return true
	}
	c.gaveRequest(r)
	over := c.limits.requests.take(&c.requests, int64(time.Since(c.limits.start)), 1)
	if over > 0 {
		c.limits.refused[tooManyRequests].Add(1) // before the client can know
	}
	if over > 1 {
		c.cut()
	}
	return over == 0
}

// spent reports whether half of the overhead's burst is used up. The connection then ends with an
// answer, as honest clients get there, too: with uploads that are refused because a token has
// expired. They connect anew; a flood goes on until it is cut.
func (c *connection) spent() bool {
	return !c.trusted && c.overhead.Load()-int64(time.Since(c.limits.start)) > c.limits.overhead.whole/2
}

// steady is a token bucket in one number, the time when it is full again, as internal/bucket keeps
// them; here each connection keeps its own.
type steady struct {
	token, whole int64 // nanoseconds for one token, and from empty to full; 0: always empty
}

func newSteady(l Limit) steady {
	if l.Rate == 0 || l.Burst == 0 {
		return steady{}
	}
	token := max(int64(float64(time.Second)/l.Rate), 1)
	return steady{token: token, whole: token * int64(l.Burst)}
}

// take takes n tokens, and returns 0, or 1 if there weren't so many, or 2 if a whole bucket of them
// has been missed. What is missed is owed, but beyond that.
func (s steady) take(full *atomic.Int64, at, n int64) (over int) {
	for {
		was := full.Load()
		after := max(was, at) + n*s.token
		ahead := after - at
		switch {
		case s.token == 0 || ahead > 2*s.whole:
			return 2
		case ahead > s.whole:
			over = 1
		default:
			over = 0
		}
		if full.CompareAndSwap(was, after) {
			return over
		}
	}
}

// give puts n tokens back. A bucket that holds all it can loses them: a time that has passed is as
// good as any.
func (s steady) give(full *atomic.Int64, n int64) { full.Add(-n * s.token) }

type connectionKey struct{}

// connectionContext is a connection's context that knows it.
type connectionContext struct {
	context.Context
	connection *connection
}

func (c *connectionContext) Value(key any) any {
	if key == (connectionKey{}) {
		return c.connection
	}
	return c.Context.Value(key)
}

// connContext is the type of http.Server.ConnContext.
type connContext = func(context.Context, net.Conn) context.Context

// withConnection is an http.Server.ConnContext that keeps the connection, before the server's own.
func (c *Connections) withConnection(next connContext) connContext {
	return func(ctx context.Context, n net.Conn) context.Context {
		if of, ok := netconn.Find[*connection](n); ok {
			of.known.Store(true)
			ctx = &connectionContext{Context: ctx, connection: of}
		} else {
			c.hidden.Add(1)
		}
		if next != nil {
			ctx = next(ctx, n)
		}
		return ctx
	}
}
