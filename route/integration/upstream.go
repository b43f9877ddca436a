package integration

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Upstream is a server that requests may be sent to.
type Upstream struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Address is host:port. It is what is connected to; the URI says what is asked for. A host that is a name is resolved for each new
	// connection.
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
	// EjectedUntil is when requests are sent to it again that it lost by failing. The zero Time means that it isn't ejected.
	EjectedUntil time.Time
	// Outstanding is how many requests it has not answered yet to the end.
	Outstanding int
}

// Bounds of a set of upstreams.
const (
	maxUpstreams = 1000
	maxWeight    = 1000
)

// upstream is an Upstream in use. One that SetUpstreams keeps keeps its state.
type upstream struct {
	address string
	weight  int32
	stop    func() // ends the health checks, or nil

	outstanding  atomic.Int32
	sick         atomic.Bool  // the health checks say so
	failures     atomic.Int32 // in a row
	ejections    atomic.Int32 // in a row
	ejectedUntil atomic.Int64 // Unix nanoseconds
}

func (u *upstream) usable(now int64) bool {
	return !u.sick.Load() && u.ejectedUntil.Load() <= now
}

// upstreamSet is what SetUpstreams replaces as a whole.
type upstreamSet struct {
	all    []*upstream
	stride uint32 // see share
	total  uint32 // the sum of the weights
	equal  bool   // all weights are
}

func newUpstreamSet(all []*upstream) *upstreamSet {
	s := &upstreamSet{all: all, equal: true}
	for _, u := range all {
		s.total += uint32(u.weight)
		s.equal = s.equal && u.weight == all[0].weight
	}
	s.stride = coprime(s.total)
	return s
}

// coprime returns a number that has no factor in common with n and is about 0.618 of it: its multiples modulo n take every value once before
// they repeat, and neighbors are far apart, so that an upstream of a large weight doesn't get all its requests in a row.
func coprime(n uint32) uint32 {
	for k := max(n*618/1000, 1); ; k++ {
		a, b := n, k
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return k
		}
	}
}

// checkUpstreams returns an error that names every mistake, as a part of field.
func checkUpstreams(field string, upstreams []Upstream) error {
	var errs []error
	if len(upstreams) > maxUpstreams {
		errs = append(errs, fmt.Errorf("integration: %s: want at most %d upstreams, got %d", field, maxUpstreams, len(upstreams)))
	}
	seen := map[string]bool{}
	for i, u := range upstreams {
		if err := checkAddress(u.Address); err != nil {
			errs = append(errs, fmt.Errorf("integration: %s[%d].Address: %w", field, i, err))
		} else if seen[u.Address] {
			errs = append(errs, fmt.Errorf("integration: %s[%d].Address: want each once, with a Weight, got %q twice", field, i, u.Address))
		}
		seen[u.Address] = true
		if u.Weight < 0 || u.Weight > maxWeight {
			errs = append(errs, fmt.Errorf("integration: %s[%d].Weight: want 0 to %d, got %d", field, i, maxWeight, u.Weight))
		}
	}
	return errors.Join(errs...)
}

func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil || !httpword.IsHost(address) {
		return fmt.Errorf("want host:port, got %q", address)
	}
	return nil
}

// SetUpstreams puts other upstreams in the place of those that the Proxy has. Requests that have begun end where they are; one whose address stays
// keeps what is known of its health. It returns an error that names every mistake, and then changes nothing. It may be called at any time, from
// any goroutine: with what a service registry says, say.
func (p *Proxy) SetUpstreams(upstreams ...Upstream) error {
	err := checkUpstreams("SetUpstreams", upstreams)
	if len(upstreams) == 0 {
		err = errors.New("integration: SetUpstreams: want at least one upstream, got none")
	}
	if p.implicit {
		err = errors.Join(err, errors.New("integration: SetUpstreams: want a Proxy that was made with HTTPConfig.Upstreams; this one sends to its URI's host"))
	}
	if err != nil {
		return err
	}
	p.setUpstreams(upstreams)
	return nil
}

func (p *Proxy) setUpstreams(upstreams []Upstream) {
	p.setting.Lock()
	defer p.setting.Unlock()
	old := map[string]*upstream{}
	if set := p.upstreams.Load(); set != nil {
		for _, u := range set.all {
			old[u.address] = u
		}
	}
	var all []*upstream
	for _, c := range upstreams {
		weight := int32(max(c.Weight, 1))
		u := &upstream{address: c.Address, weight: weight}
		if was := old[c.Address]; was != nil && was.weight == weight {
			u = was
			delete(old, c.Address)
		} else {
			p.startChecks(u)
		}
		all = append(all, u)
	}
	p.upstreams.Store(newUpstreamSet(all))
	for _, gone := range old {
		if gone.stop != nil {
			gone.stop()
		}
	}
}

// Upstreams returns what the Proxy thinks of its upstreams, in the order that they were given.
func (p *Proxy) Upstreams() []UpstreamState {
	var states []UpstreamState
	now := time.Now()
	for _, u := range p.upstreams.Load().all {
		s := UpstreamState{Address: u.address, Weight: int(u.weight), Healthy: !u.sick.Load(), Outstanding: int(u.outstanding.Load())}
		if until := u.ejectedUntil.Load(); until > now.UnixNano() {
			s.EjectedUntil = time.Unix(0, until)
		}
		states = append(states, s)
	}
	return states
}
