package upstream

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// slowOnes are the exchanges that have a place at a server and may have to wait for their clients.
// A place isn't a client's to keep by sending half a request, or by reading nothing: when somebody
// waits for one, the exchange whose client is furthest behind gives its own up, and the queue
// prefers those whose client has fewer of them. A fixed share by client was rejected: many have one
// address.
type slowOnes struct {
	mu       sync.Mutex
	all      map[*Exchange]bool // true: it has been given up, and counts until it is gone
	byClient map[netip.Addr]int
}

// giveUpOne ends the exchange whose client is furthest behind, if that is by patience or more.
func (s *slowOnes) giveUpOne(now time.Time, patience time.Duration) {
	s.mu.Lock()
	var slowestOne *Exchange
	most := patience
	for x, givenUp := range s.all {
		if givenUp {
			continue
		}
		if late := x.behind(now); late >= most {
			slowestOne, most = x, late
		}
	}
	if slowestOne != nil {
		s.all[slowestOne] = true
	}
	s.mu.Unlock()
	if slowestOne != nil {
		slowestOne.giveUp()
	}
}

// remove takes x out, if it is in. The caller holds the lock.
func (s *slowOnes) remove(x *Exchange) {
	if _, in := s.all[x]; !in {
		return
	}
	delete(s.all, x)
	if s.byClient[x.client]--; s.byClient[x.client] == 0 {
		delete(s.byClient, x.client)
	}
}

// rank is where x stands among those who wait for a place: before those of a higher one.
func (x *Exchange) rank() int {
	s := &x.pool.slow
	s.mu.Lock()
	defer s.mu.Unlock()
	rank := s.byClient[x.pool.clientOf(x.In)]
	if x.body != nil && !x.body.complete() {
		rank += 1 << 30 // there is no telling when the rest comes
	}
	return rank
}

// clientOf is who a request is from, as far as places are concerned. Who has one IPv6 address has
// its network's.
func (p *Pool) clientOf(r *http.Request) netip.Addr {
	addr := p.config.Client(r)
	if addr.Is6() {
		if network, err := addr.WithZone("").Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

// patience is how far behind the client of a request may be that keeps a place while others wait
// for one: half of what they wait at the most.
func (p *Pool) patience() time.Duration { return p.config.ConnectionWait / 2 }

// hold notes that x has a place at s.
func (x *Exchange) hold(s *server) {
	x.at = s
	if x.body != nil && !x.body.own {
		x.mayBeSlow()
	}
}

// mayBeSlow makes x one of those that may lose their place.
func (x *Exchange) mayBeSlow() {
	if x.slow {
		return
	}
	x.slow, x.client = true, x.pool.clientOf(x.In)
	s := &x.pool.slow
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.byClient = map[*Exchange]bool{}, map[netip.Addr]int{}
	}
	s.all[x] = false
	s.byClient[x.client]++
}

// release gives x's place up, if it has one.
func (x *Exchange) release() {
	if x.slow {
		s := &x.pool.slow
		s.mu.Lock()
		s.remove(x)
		s.mu.Unlock()
		x.slow = false
	}
	if at := x.at; at != nil {
		x.at = nil
		x.pool.release(at)
	}
}

// behind returns how far behind x's client is.
func (x *Exchange) behind(now time.Time) time.Duration {
	late := x.down.late(now)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.body != nil && !x.body.complete() {
		late = max(late, x.body.up.late(now))
	}
	return late
}

// giveUp ends x for those who wait for its place.
func (x *Exchange) giveUp() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase == done {
		return
	}
	x.cancel(errGivenUp)
	x.endBodyLocked()
	if x.phase == forClient {
		x.endWriteLocked()
	}
}

// allowance returns how much longer the headers may take, as it is the client's body that has taken
// its time: the wait for it doesn't count, up to what as many bytes may take.
func (x *Exchange) allowance(now time.Time) time.Duration {
	if x.body == nil || x.body.own {
		return 0
	}
	up := &x.body.up
	waited := time.Duration(up.waited.Load())
	if since := up.since.Load(); since != 0 {
		waited += time.Duration(now.UnixNano() - since)
	}
	allowed := x.timeout + min(waited, timeFor(up.bytes.Load()))
	return allowed - now.Sub(x.sendFrom)
}
