package upstream

import (
	"sync/atomic"
	"time"
)

// Server is a server that requests may be sent to.
type Server struct {
	Address string // host:port
	Weight  int    // at least 1
}

// State is what a [Pool] thinks of a server.
type State struct {
	Address      string
	Weight       int
	Healthy      bool      // what the checks say; true without checks
	EjectedUntil time.Time // zero: it isn't ejected
	Outstanding  int       // requests that it has not answered yet to the end
}

// server is a Server in use. One that [Pool.Set] keeps keeps its state.
type server struct {
	address string
	weight  int32
	stop    func() // ends the health checks, or nil

	outstanding  atomic.Int32
	sick         atomic.Bool  // the health checks say so
	failures     atomic.Int32 // in a row
	ejections    atomic.Int32 // in a row
	ejectedUntil atomic.Int64 // Unix nanoseconds
}

func (s *server) usable(now int64) bool {
	return !s.sick.Load() && s.ejectedUntil.Load() <= now
}

// serverSet is what [Pool.Set] replaces as a whole.
type serverSet struct {
	all    []*server
	stride uint32 // see coprime
	total  uint32 // the sum of the weights
	equal  bool   // all weights are
}

func newServerSet(all []*server) *serverSet {
	s := &serverSet{all: all, equal: true}
	for _, one := range all {
		s.total += uint32(one.weight)
		s.equal = s.equal && one.weight == all[0].weight
	}
	s.stride = coprime(s.total)
	return s
}

// coprime returns a number that has no factor in common with n and is about 0.618 of it: its
// multiples modulo n take every value once before they repeat, and neighbors are far apart, so that
// a server of a large weight doesn't get all its requests in a row.
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

// Set puts other servers, at least one, in the place of those that there are. Requests that have
// begun end where they are; a server whose address and weight stay keeps what is known of its
// health. It may be called at any time, from any goroutine.
func (p *Pool) Set(servers []Server) {
	p.setting.Lock()
	defer p.setting.Unlock()
	old := map[string]*server{}
	if set := p.servers.Load(); set != nil {
		for _, s := range set.all {
			old[s.address] = s
		}
	}
	var all []*server
	for _, c := range servers {
		s := &server{address: c.Address, weight: int32(c.Weight)}
		if was := old[c.Address]; was != nil && was.weight == s.weight {
			s = was
			delete(old, c.Address)
		} else {
			p.startChecks(s)
		}
		all = append(all, s)
	}
	p.servers.Store(newServerSet(all))
	for _, gone := range old {
		if gone.stop != nil {
			gone.stop()
		}
	}
}

// States returns what the Pool thinks of its servers, in the order that they were given.
func (p *Pool) States() []State {
	var states []State
	now := time.Now()
	for _, s := range p.servers.Load().all {
		state := State{
			Address: s.address, Weight: int(s.weight),
			Healthy: !s.sick.Load(), Outstanding: int(s.outstanding.Load()),
		}
		if until := s.ejectedUntil.Load(); until > now.UnixNano() {
			state.EjectedUntil = time.Unix(0, until)
		}
		states = append(states, state)
	}
	return states
}
