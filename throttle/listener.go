package throttle

import (
	"net"
	"net/netip"
	"sync"

	"github.com/gatekit-go/gatekit/internal/netconn"
)

// listener closes what is too much before anybody reads from it.
type listener struct {
	net.Listener
	connections *Connections
}

// Accept returns the next connection that the limits let in. It doesn't return for those that they
// don't, so a flood looks like a quiet day to the server.
func (l *listener) Accept() (net.Conn, error) {
	c := l.connections
	for {
		n, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		by, trusted := c.network(n)
		why, ok := c.admit(by)
		if !ok {
			c.refused[why].Add(1)
			reset(n)
			continue
		}
		c.accepted.Add(1)
		return &connection{Conn: n, limits: c, network: by, trusted: trusted}, nil
	}
}

// network returns what a connection is counted by beside the total, or the zero Prefix: a proxy's
// isn't one client's, and what comes through a Unix socket has no address.
func (c *Connections) network(n net.Conn) (by netip.Prefix, trusted bool) {
	tcp, ok := n.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	if addr = addr.Unmap(); c.proxies.TrustsAddr(addr) {
		return netip.Prefix{}, true
	}
	return network(addr, 32, 64), false
}

// admit takes a place for a connection. The total is asked first, as it costs the least; the rate
// before the number, so that who tries again and again at its limit runs out of tries as well.
func (c *Connections) admit(by netip.Prefix) (reason, bool) {
	if c.open.Add(1) > c.max {
		c.open.Add(-1)
		return tooMany, false
	}
	if by.IsValid() {
		var b [16]byte
		if !c.accepts.Take(c.accepts.HashBytes(appendNetwork(b[:0], by.Addr()))).OK {
			c.open.Add(-1)
			return tooOften, false
		}
		if !c.places.take(by) {
			c.open.Add(-1)
			return tooManyByAddress, false
		}
	}
	return 0, true
}

func (c *Connections) release(by netip.Prefix) {
	if by.IsValid() {
		c.places.give(by)
	}
	c.open.Add(-1)
}

// reset closes a connection in a way that leaves nothing behind: without lingering the kernel sends
// RST, keeps no state for the minutes of TIME_WAIT, and sends nothing that was written before.
func reset(n net.Conn) {
	if tcp, ok := netconn.Find[*net.TCPConn](n); ok { // also behind the PROXY protocol
		_ = tcp.SetLinger(0)
	}
	_ = n.Close()
}

// places counts the connections of each network. It has an entry for those that have one, so its
// size is bounded by the total. One lock serves: it is held for a look into a map, twice a
// connection.
type places struct {
	mu      sync.Mutex
	most    int
	byPlace map[netip.Prefix]int
}

func newPlaces(most int) places { return places{most: most, byPlace: map[netip.Prefix]int{}} }

func (p *places) take(by netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.byPlace[by]
	if n >= p.most {
		return false
	}
	p.byPlace[by] = n + 1
	return true
}

func (p *places) give(by netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.byPlace[by]; n > 1 {
		p.byPlace[by] = n - 1
	} else {
		delete(p.byPlace, by)
	}
}
