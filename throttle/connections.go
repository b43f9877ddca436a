package throttle

import (
	"cmp"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/netconn"
)

// ConnectionsConfig configures [Connections]. The zero value is of use: each field's zero is its
// default.
type ConnectionsConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MaxConnections is how many may be open at one time. 0 means 10,000. Each is a file descriptor
	// and some 10 KiB: see that the process may open so many.
	MaxConnections int
	// MaxPerAddress is how many an address may hold open: an IPv4 address, or the /64 network of an
	// IPv6 address. 0 means 100.
	MaxPerAddress int
	// AcceptRate is how often an address may connect. nil means Limit{Rate: 50, Burst: 200}, and
	// Limit{} refuses all.
	AcceptRate *Limit
	// MaxAddresses is how many addresses' rates are remembered, as KeyConfig.MaxKeys. 0 means
	// 131,072, which take at most 4 MiB.
	MaxAddresses int
	// Proxies are those whose connections carry many clients' requests, and don't count by address
	// nor by RequestRate and OverheadRate. Behind a listener that reads the PROXY protocol
	// (domain/proxyprotocol) leave it nil: there each connection has its client's address.
	Proxies *gatekit.TrustedProxies

	// RequestRate is how many requests a connection may begin, those that the client resets at once
	// included. nil means Limit{Rate: 1000, Burst: 2000}.
	RequestRate *Limit
	// OverheadRate is how many bytes a second a client may send, on one connection and below TLS,
	// that are neither requests nor bodies that a handler reads: a body that is refused unread
	// counts, and what the headers of an HTTP/2 request have above 1 KiB, as HPACK may have sent
	// them in a byte each. Beyond half of the burst the next answer is the connection's last,
	// beyond all of it the connection is reset. nil means Limit{Rate: 256 << 10, Burst: 4 << 20}.
	// The burst is at least 3 << 20, as HTTP/2 lets a client send 1 MiB of bodies ahead; it should
	// be more where http.HTTP2Config lets it send more.
	OverheadRate *Limit

	// Grace is how long a body, and each write of an answer, may take however slow it is. 0 means
	// five seconds.
	Grace time.Duration
	// MinBodyRate and MinAnswerRate are how many bytes a second a request's body must come with,
	// and an answer be taken, after Grace. 0 means 240, a negative number that there is no minimum.
	MinBodyRate, MinAnswerRate int
}

// The defaults. 240 bytes a second after five seconds is what Kestrel asks for both directions.
const (
	defaultConnections  = 10_000
	defaultPerAddress   = 100
	defaultAddresses    = 1 << 17
	defaultGrace        = 5 * time.Second
	defaultMinimumRate  = 240
	defaultOverheadRate = 256 << 10
	defaultOverhead     = 4 << 20
	leastOverhead       = 3 << 20
	mostMinimumRate     = 1 << 30
	mostConnections     = 1 << 24
	defaultAcceptRate   = 50
	defaultAcceptBurst  = 200
	defaultRequestRate  = 1000
	defaultRequestBurst = 2000
)

// Connections limits what clients may do to a server before a handler could refuse them: how often
// and how many times they connect, how slowly they send and read, and what they send beside
// requests. What is too much is closed, which costs less than an answer. It is safe for concurrent
// use, and may guard several servers together.
//
// It keeps 16 bytes for an address that has connected lately, an entry of a map for one that is
// connected, and one small object a connection.
type Connections struct {
	start         time.Time
	max           int64
	open          atomic.Int64
	places        places
	accepts       *bucket.Table
	proxies       *gatekit.TrustedProxies
	requests      steady
	overhead      steady
	grace         time.Duration
	minBodyRate   int64 // 0: none
	minAnswerRate int64
	accepted      atomic.Uint64
	hidden        atomic.Uint64
	refused       [reasons]atomic.Uint64
}

// reason is why a connection or a request was cut.
type reason int

const (
	tooMany reason = iota
	tooManyByAddress
	tooOften
	tooManyRequests
	tooMuchOverhead
	slowBody
	slowReader
	reasons
)

// ConnectionCounts is what [Connections] have seen since they were made.
type ConnectionCounts struct {
	// Open is how many connections there are now, Accepted how many were let in.
	Open     int
	Accepted uint64
	// TooMany, TooManyByAddress and TooOften are connections that were closed when they came, for
	// MaxConnections, MaxPerAddress and AcceptRate.
	TooMany, TooManyByAddress, TooOften uint64
	// TooManyRequests are requests beyond RequestRate, Overhead connections that were closed for
	// OverheadRate.
	TooManyRequests, Overhead uint64
	// SlowBodies are requests whose body came too slowly, SlowReaders connections whose client took
	// its answers too slowly.
	SlowBodies, SlowReaders uint64
	// Hidden are connections that a guarded server got from another listener, or in a wrapper that
	// can't be looked through (one without a method NetConn() net.Conn): no limit, or only those of
	// connecting and MinBodyRate, hold for them.
	Hidden uint64
}

// NewConnections returns the limits, or one error that names every field it refuses.
func NewConnections(c ConnectionsConfig) (*Connections, error) {
	m := mistakes.In("throttle: ConnectionsConfig")
	mistakes.Range(m, "MaxConnections", c.MaxConnections, 0, mostConnections)
	mistakes.Range(m, "MaxPerAddress", c.MaxPerAddress, 0, mostConnections)
	mistakes.AtLeast(m, "MaxAddresses", c.MaxAddresses, 0)
	mistakes.Range(m, "Grace", c.Grace, 0, time.Hour)
	const atMost = "want at most %d, got %d"
	m.Require(c.MinBodyRate <= mostMinimumRate, "MinBodyRate", atMost, mostMinimumRate, c.MinBodyRate)
	m.Require(c.MinAnswerRate <= mostMinimumRate, "MinAnswerRate", atMost, mostMinimumRate, c.MinAnswerRate)
	accepts, requests := Limit{defaultAcceptRate, defaultAcceptBurst}, Limit{defaultRequestRate, defaultRequestBurst}
	overhead := Limit{defaultOverheadRate, defaultOverhead}
	if l := c.OverheadRate; l != nil && l.Burst < leastOverhead {
		m.Under("OverheadRate").Add("Burst", "want %d or more, got %d", leastOverhead, l.Burst)
	}
	for _, limit := range []struct {
		field    string
		from, to *Limit
	}{
		{"AcceptRate", c.AcceptRate, &accepts}, {"RequestRate", c.RequestRate, &requests},
		{"OverheadRate", c.OverheadRate, &overhead},
	} {
		if limit.from != nil {
			*limit.to = *limit.from
			m.Join(limit.from.Validate("ConnectionsConfig." + limit.field))
			if err := bucket.Check(limit.from.Rate, limit.from.Burst); err != nil {
				m.Add(limit.field, "%w", err)
			}
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	table, err := bucket.New(accepts.Rate, accepts.Burst, cmp.Or(c.MaxAddresses, defaultAddresses))
	if err != nil {
		return nil, err
	}
	return &Connections{
		start:         time.Now(),
		max:           int64(cmp.Or(c.MaxConnections, defaultConnections)),
		places:        newPlaces(cmp.Or(c.MaxPerAddress, defaultPerAddress)),
		accepts:       table,
		proxies:       c.Proxies,
		requests:      newSteady(requests),
		overhead:      newSteady(overhead),
		grace:         cmp.Or(c.Grace, defaultGrace),
		minBodyRate:   int64(max(cmp.Or(c.MinBodyRate, defaultMinimumRate), 0)),
		minAnswerRate: int64(max(cmp.Or(c.MinAnswerRate, defaultMinimumRate), 0)),
	}, nil
}

// Guard makes s ask these limits, and returns the listener for its Serve or ServeTLS. It is called
// before s is started, once a listener; it changes s.Handler, ConnContext and ConnState, and calls
// what is there.
//
//	server := gatekit.HTTP.Limits().HTTPServer(api)
//	err = server.ServeTLS(connections.Guard(server, listener), "", "")
func (c *Connections) Guard(s *http.Server, l net.Listener) net.Listener {
	if g, ok := s.Handler.(*guarded); ok && g.connections == c {
		return &listener{Listener: l, connections: c}
	}
	handler, connContext, connState := s.Handler, s.ConnContext, s.ConnState
	if handler == nil {
		handler = http.DefaultServeMux // as the server does
	}
	s.Handler = &guarded{connections: c, next: handler}
	s.ConnContext = c.withConnection(connContext)
	s.ConnState = func(n net.Conn, state http.ConnState) {
		if state == http.StateHijacked { // it has left HTTP, and has limits of its own
			if of, ok := netconn.Find[*connection](n); ok {
				of.left.Store(true)
			}
		}
		if connState != nil {
			connState(n, state)
		}
	}
	return &listener{Listener: l, connections: c}
}

// Counts returns what was let in and refused. It is meant for metrics.
func (c *Connections) Counts() ConnectionCounts {
	of := func(why reason) uint64 { return c.refused[why].Load() }
	return ConnectionCounts{
		Open: int(c.open.Load()), Accepted: c.accepted.Load(),
		TooMany: of(tooMany), TooManyByAddress: of(tooManyByAddress), TooOften: of(tooOften),
		TooManyRequests: of(tooManyRequests), Overhead: of(tooMuchOverhead),
		SlowBodies: of(slowBody), SlowReaders: of(slowReader), Hidden: c.hidden.Load(),
	}
}
