package integration

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/upstream"
)

// Upstream is a server that requests may be sent to.
type Upstream struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Address is host:port. It is what is connected to; the URI says what is asked for. A host that
	// is a name is resolved for each new connection.
	Address string
	// Weight is its share of the requests beside the others' weights. 0 means 1; at most 1,000.
	Weight int
}

// UpstreamState is what the Proxy thinks of an upstream.
type UpstreamState struct {
	// Address is the upstream's.
	Address string
	// Weight is the upstream's, at least 1.
	Weight int
	// Healthy is what the health checks say. Without checks it is true.
	Healthy bool
	// EjectedUntil is when requests are sent to it again that it lost by failing. The zero Time
	// means that it isn't ejected.
	EjectedUntil time.Time
	// Outstanding is how many requests it has not answered yet to the end.
	Outstanding int
}

// Balance says which of several upstreams gets a request. All of them look at weights and pass over
// upstreams that aren't healthy or have all their connections in use.
type Balance = upstream.Balance

const (
	// RoundRobin takes one after the other. The default.
	RoundRobin = upstream.RoundRobin
	// LeastOutstanding takes one that has the fewest requests to answer.
	LeastOutstanding = upstream.LeastOutstanding
	// PowerOfTwo draws two and takes the one with fewer requests to answer. Where several gateways
	// share upstreams they don't all run to the same one, as with LeastOutstanding.
	PowerOfTwo = upstream.PowerOfTwo
)

// HealthCheck asks each upstream how it is, in a goroutine each, which ends with the context that
// the Proxy was made with, or when SetUpstreams takes the upstream out. An upstream counts as
// healthy until checks have failed. One check that is well ends an ejection.
type HealthCheck struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Path is what is asked for with GET: a path, with or without a query. Required.
	Path string
	// Interval is the time from an answer to the next question. 0 means 10 seconds; at least 10 ms.
	Interval time.Duration
	// Timeout is how long an answer may take. 0 means 5 seconds.
	Timeout time.Duration
	// Unhealthy is how many checks in a row must fail. 0 means 2.
	Unhealthy int
	// Healthy is how many checks in a row must be well again. 0 means 2.
	Healthy int
	// Status is the only status that is well. 0 means any from 200 to 399.
	Status int
}

// Ejection says when an upstream that fails gets no more requests for a while. A failure is a
// request that was not answered to the end: refused, reset, out of time, or with a body that broke
// off. What the client breaks off is none. A health check that is well ends an ejection.
type Ejection struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Failures is how many in a row eject an upstream. 0 means 5; negative ejects none. The only
	// upstream is never ejected.
	Failures int
	// For is how long. 0 means 10 seconds; the second ejection without an answer in between takes
	// twice as long, and so on up to 8 times.
	For time.Duration
}

// Retry says when a request that an upstream didn't answer is sent again, to another upstream if
// there is one. Only what is safe is: a request of which nothing was sent, as the connection was
// refused; or one of a method that is idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE), whose
// body, if it has one, is at hand. What is answered, with whatever status, isn't sent again unless
// Statuses says so.
type Retry struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Attempts is how often a request is sent at the most, the first time included. 0 means as
	// often as there are upstreams, but at most 3; 1 means no retries, as on the managed gateway.
	// At most
	// 10. A request that net/http sends again because a kept connection was found closed isn't
	// counted.
	Attempts int
	// Ratio is how many retries there may be for each request in the long run, so that retries
	// don't multiply an overload. 0 means 0.2; at most 1.
	Ratio float64
	// Burst is how many retries there may be at once, which is what an upstream that dies under
	// load needs: all that it had in hand. 0 means 100.
	Burst int
	// BodyBytes is the longest body that is kept at hand while it is sent. 0 means 64 KiB, negative
	// none.
	BodyBytes int
	// Statuses are answers that count as none: 502, 503 and 504 make sense. The last one is passed
	// on if no attempt is left.
	Statuses []int
}

// Bounds of a set of upstreams, and of what is done with them.
const (
	maxUpstreams   = 1000
	maxWeight      = 1000
	minInterval    = 10 * time.Millisecond
	maxRetryBody   = 10 << 20
	maxConnections = 1_000_000
)

// checkUpstreams adds what is wrong to m, which speaks of the list.
func checkUpstreams(m *mistakes.Mistakes, upstreams []Upstream) {
	m.Require(len(upstreams) <= maxUpstreams, "", "want at most %d upstreams, got %d", maxUpstreams, len(upstreams))
	seen := map[string]bool{}
	for i, u := range upstreams {
		m := m.Index(i)
		if _, _, err := net.SplitHostPort(u.Address); err != nil || !httpword.IsHost(u.Address) {
			m.Add("Address", "want host:port, got %q", u.Address)
		} else if seen[u.Address] {
			m.Add("Address", "want each once, with a Weight, got %q twice", u.Address)
		}
		seen[u.Address] = true
		mistakes.Range(m, "Weight", u.Weight, 0, maxWeight)
	}
}

func (c *HealthCheck) check(m *mistakes.Mistakes) {
	u, err := url.ParseRequestURI(c.Path)
	m.Require(err == nil && strings.HasPrefix(c.Path, "/") && u.Host == "",
		"Path", "want a path that begins with /, got %q", c.Path)
	m.Require(c.Interval == 0 || c.Interval >= minInterval,
		"Interval", "want at least %v, got %v", minInterval, c.Interval)
	mistakes.AtLeast(m, "Timeout", c.Timeout, 0)
	mistakes.AtLeast(m, "Unhealthy", c.Unhealthy, 0)
	mistakes.AtLeast(m, "Healthy", c.Healthy, 0)
	mistakes.RangeOrZero(m, "Status", c.Status, 200, 599)
}

func (c *Retry) check(m *mistakes.Mistakes) {
	mistakes.Range(m, "Attempts", c.Attempts, 0, upstream.MaxAttempts)
	mistakes.Range(m, "Ratio", c.Ratio, 0, 1)
	mistakes.Range(m, "Burst", c.Burst, 0, maxConnections)
	m.Require(c.BodyBytes <= maxRetryBody, "BodyBytes", "want at most %d, got %d", maxRetryBody, c.BodyBytes)
	for i, s := range c.Statuses {
		mistakes.Range(m.Under("Statuses").Index(i), "", s, 500, 599)
	}
}

// servers are upstreams with their defaults.
func servers(upstreams []Upstream) []upstream.Server {
	var all []upstream.Server
	for _, u := range upstreams {
		all = append(all, upstream.Server{Address: u.Address, Weight: max(u.Weight, 1)})
	}
	return all
}

// health is the check with its defaults, nil for nil.
func (c *HealthCheck) health(host string) *upstream.Health {
	if c == nil {
		return nil
	}
	return &upstream.Health{
		Path: c.Path, Host: host, Status: c.Status,
		Interval: cmp.Or(c.Interval, 10*time.Second), Timeout: cmp.Or(c.Timeout, 5*time.Second),
		Unhealthy: cmp.Or(c.Unhealthy, 2), Healthy: cmp.Or(c.Healthy, 2),
	}
}

func (c *Retry) retry() upstream.Retry {
	return upstream.Retry{
		Attempts: c.Attempts, Ratio: cmp.Or(c.Ratio, 0.2), Burst: cmp.Or(c.Burst, 100),
		BodyBytes: int64(cmp.Or(c.BodyBytes, 64<<10)), Statuses: slices.Clone(c.Statuses),
	}
}

// SetUpstreams puts other upstreams in the place of those that the Proxy has. Requests that have
// begun end where they are; one whose address stays keeps what is known of its health. It returns
// an error that names every mistake, and then changes nothing. It may be called at any time, from
// any goroutine: with what a service registry says, say.
func (p *Proxy) SetUpstreams(upstreams ...Upstream) error {
	m := mistakes.In("integration: SetUpstreams")
	m.Require(len(upstreams) > 0, "", "want at least one upstream, got none")
	m.Require(!p.implicit, "", "want a Proxy that was made with HTTPConfig.Upstreams; this one sends to its URI's host")
	checkUpstreams(m, upstreams)
	if err := m.Err(); err != nil {
		return err
	}
	p.pool.Set(servers(upstreams))
	return nil
}

// Upstreams returns what the Proxy thinks of its upstreams, in the order that they were given.
func (p *Proxy) Upstreams() []UpstreamState {
	var states []UpstreamState
	for _, s := range p.pool.States() {
		states = append(states, UpstreamState(s))
	}
	return states
}
