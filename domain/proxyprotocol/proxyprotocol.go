// Package proxyprotocol answers who is behind a connection that a load balancer has passed on
// without looking into it: a listener for the PROXY protocol, versions 1 and 2, as network load
// balancers, HAProxy and Envoy speak it.
//
//	proxies, err := gatekit.NewTrustedProxies("", "10.0.0.0/8")
//	inner, err := net.Listen("tcp", ":443")
//	listener, err := proxyprotocol.New(inner, proxyprotocol.Config{Proxies: proxies})
//	…
//	err = server.ServeTLS(connections.Guard(server, listener), "", "")
//
// A connection's RemoteAddr is then the client's, and so is all that is made of it:
// gatekit.SourceIP, throttle.ByIP, access logs, and the limits by address of throttle.Connections,
// which stand outside of this listener, as above. TLS begins behind the header.
//
// # Who is believed
//
// A trusted proxy must send a header, and one that is right: it is never guessed whether there is
// one. Anybody else is closed at once, or, with AllowDirect, served as it is: a header of its own
// making is then nothing but a malformed request, and names no address.
//
// The proxy's own connections (LOCAL, and UNKNOWN in version 1), with which it checks the health of
// the program, keep the proxy's address. A header that is for UDP or a Unix socket, or whose client
// has no address (0.0.0.0), is refused. A line of version 1 must come in one piece, as the
// specification demands of senders. A header of version 2 has at most 4,096 bytes behind the first
// 16; what it says beside the addresses (TLVs) isn't used.
//
// # Waiting
//
// A header is waited for beside Accept, so that one client who sends none keeps nobody waiting, for
// HeaderTimeout, and by no more than MaxPending connections at a time. That Accept returns only
// connections whose client is known matters: http.Server.ConnContext runs in the loop that accepts,
// and looks at the address.
//
// The parser is that of github.com/pires/go-proxyproto.
package proxyprotocol

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/netconn"
)

// Config configures a [Listener].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Proxies are those whose headers are believed. Required.
	Proxies *gatekit.TrustedProxies
	// AllowDirect serves connections that don't come from a trusted proxy, with their own address.
	AllowDirect bool
	// HeaderTimeout is how long a header may take. 0 means five seconds; at most a minute.
	HeaderTimeout time.Duration
	// MaxPending is how many connections may wait for their header, or for Accept, at one time. 0
	// means 1,024. One more is closed.
	MaxPending int
}

const (
	defaultHeaderTimeout = 5 * time.Second
	defaultPending       = 1024
)

// Listener accepts connections whose client's address is known. It is safe for concurrent use.
type Listener struct {
	inner    net.Listener
	config   Config
	ready    chan accepted
	done     chan struct{}
	ended    chan struct{} // the inner listener has
	starting sync.Once
	closing  sync.Once
	closeErr error
	running  sync.WaitGroup

	mu      sync.Mutex
	pending map[net.Conn]struct{} // nil once closed

	untrusted, headers, late atomic.Uint64
}

type accepted struct {
	conn net.Conn
	err  error
}

// Counts is what a [Listener] has refused since it was made.
type Counts struct {
	// Untrusted are connections from who is no proxy.
	Untrusted uint64
	// Headers are those of proxies whose header didn't come, or was none.
	Headers uint64
	// Pending are those that came while MaxPending were waiting.
	Pending uint64
}

// New returns a listener on inner, which it closes with itself, or one error that names every field
// it refuses. The first Accept starts its goroutines, which Close ends.
func New(inner net.Listener, c Config) (*Listener, error) {
	m := mistakes.In("proxyprotocol: Config")
	if inner == nil {
		m.Join(errors.New("proxyprotocol: New: inner: want a listener, got nil"))
	}
	m.Require(c.Proxies.Any(), "Proxies", "want at least one, as nobody else's header is believed")
	mistakes.Range(m, "HeaderTimeout", c.HeaderTimeout, 0, time.Minute)
	mistakes.Range(m, "MaxPending", c.MaxPending, 0, 1<<20)
	if err := m.Err(); err != nil {
		return nil, err
	}
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, defaultHeaderTimeout)
	c.MaxPending = cmp.Or(c.MaxPending, defaultPending)
	return &Listener{
		inner: inner, config: c,
		ready: make(chan accepted), done: make(chan struct{}), ended: make(chan struct{}),
		pending: map[net.Conn]struct{}{},
	}, nil
}

// Accept returns the next connection whose client is known. Errors of the inner listener are
// returned as they are; after Close, its or the inner listener's, it is net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	l.starting.Do(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.pending != nil {
			l.running.Go(l.loop)
		}
	})
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close closes the inner listener and what waits for its header. It returns once its goroutines
// have ended, and may be called again.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.done)
		l.closeErr = l.inner.Close()
		l.mu.Lock()
		for conn := range l.pending {
			_ = conn.Close()
		}
		l.pending = nil
		l.mu.Unlock()
	})
	l.running.Wait()
	return l.closeErr
}

// Addr is the inner listener's.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Counts returns what was refused. It is meant for metrics.
func (l *Listener) Counts() Counts {
	return Counts{Untrusted: l.untrusted.Load(), Headers: l.headers.Load(), Pending: l.late.Load()}
}

// loop accepts until the inner listener is closed.
func (l *Listener) loop() {
	defer close(l.ended)
	for {
		conn, err := l.inner.Accept()
		switch {
		case err != nil:
			if !l.deliver(accepted{err: err}) || errors.Is(err, net.ErrClosed) {
				return
			}
		case !l.config.Proxies.TrustsAddr(addrOf(conn.RemoteAddr())):
			if l.config.AllowDirect {
				l.deliver(accepted{conn: conn})
				continue
			}
			l.untrusted.Add(1)
			drop(conn)
		case !l.wait(conn):
			l.late.Add(1)
			drop(conn)
		}
	}
}

// wait starts to read a connection's header, if there is room.
func (l *Listener) wait(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil || len(l.pending) >= l.config.MaxPending {
		return false
	}
	l.pending[conn] = struct{}{}
	l.running.Go(func() { l.read(conn) })
	return true
}

func (l *Listener) read(conn net.Conn) {
	c := proxyproto.NewConn(conn, proxyproto.WithPolicy(proxyproto.REQUIRE),
		proxyproto.SetReadHeaderTimeout(l.config.HeaderTimeout), proxyproto.ValidateHeader(validate))
	header := c.ProxyHeader()
	if header == nil {
		l.headers.Add(1)
		drop(conn)
	} else {
		l.deliver(accepted{conn: &passedOn{c}})
	}
	l.mu.Lock()
	delete(l.pending, conn)
	l.mu.Unlock()
}

// deliver hands over to Accept, or closes what comes too late. It reports whether it was taken.
func (l *Listener) deliver(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.done:
		if a.conn != nil {
			_ = a.conn.Close()
		}
		return false
	}
}

var errAddress = errors.New("proxyprotocol: the header names no client that TCP could have come from")

// validate refuses a header that would leave the proxy's own address on a client's connection, or
// an address that nobody has.
func validate(h *proxyproto.Header) error {
	if h.Command.IsLocal() {
		return nil
	}
	tcp, _, ok := h.TCPAddrs()
	if !ok {
		return errAddress
	}
	if a := addrOf(tcp); !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return errAddress
	}
	return nil
}

func addrOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr, _ := netip.AddrFromSlice(tcp.IP)
	return addr.Unmap()
}

// drop closes a connection without lingering, so that nothing of it is left in the kernel.
func drop(conn net.Conn) {
	if tcp, ok := netconn.Find[*net.TCPConn](conn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// passedOn is a connection whose client is known.
type passedOn struct{ *proxyproto.Conn }

// CloseWrite is for the server, which ends its half first where a client is still sending.
func (c *passedOn) CloseWrite() error {
	if below, ok := c.Raw().(interface{ CloseWrite() error }); ok {
		return below.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn returns the connection below, as that of tls.Conn does.
func (c *passedOn) NetConn() net.Conn { return c.Raw() }

// WritesTo returns the connection below: what is written has no header.
func (c *passedOn) WritesTo() net.Conn { return c.Raw() }
