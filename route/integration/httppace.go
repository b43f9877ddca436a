package integration

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
)

// slowest is how many bytes a second a client must send or take that others aren't to overtake.
const slowest = 32 << 10

// pace is how a client keeps up in one direction. One goroutine writes to it, any may read it.
type pace struct {
	since  atomic.Int64 // since when the client is waited for, in Unix nanoseconds; 0: it isn't
	behind atomic.Int64 // by how many nanoseconds it is slower than slowest; never less than 0, so that no credit can be saved up
	waited atomic.Int64 // how long it was waited for in all
	bytes  atomic.Int64
}

func (p *pace) begin(now time.Time) { p.since.Store(now.UnixNano()) }

func (p *pace) end(now time.Time, n int) {
	took := now.UnixNano() - p.since.Swap(0)
	p.waited.Add(took)
	p.bytes.Add(int64(n))
	p.behind.Store(max(p.behind.Load()+took-int64(timeFor(int64(n))), 0))
}

// late returns how far behind the client is.
func (p *pace) late(now time.Time) time.Duration {
	behind := p.behind.Load()
	if since := p.since.Load(); since != 0 {
		behind += now.UnixNano() - since
	}
	return time.Duration(behind)
}

// timeFor is how long n bytes may take.
func timeFor(n int64) time.Duration { return time.Duration(n) * (time.Second / slowest) }

// slowOnes are the exchanges that have a place at an upstream and may have to wait for their clients. A place isn't a
// client's to keep by sending half a request, or by reading nothing: when somebody waits for one, the exchange whose
// client is furthest behind gives its own up, and the queue prefers those whose client has fewer of them. A fixed share
// by client was rejected: many have one address.
type slowOnes struct {
	mu       sync.Mutex
	all      map[*exchange]bool // true: it has been given up, and counts until it is gone
	byClient map[netip.Addr]int
}

// giveUpOne ends the exchange whose client is furthest behind, if that is by patience or more.
func (s *slowOnes) giveUpOne(now time.Time, patience time.Duration) {
	s.mu.Lock()
	var slowestOne *exchange
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
func (s *slowOnes) remove(x *exchange) {
	if _, in := s.all[x]; !in {
		return
	}
	delete(s.all, x)
	if s.byClient[x.client]--; s.byClient[x.client] == 0 {
		delete(s.byClient, x.client)
	}
}

// rank is where x stands among those who wait for a place: before those of a higher one.
func (x *exchange) rank() int {
	s := &x.proxy.slow
	s.mu.Lock()
	defer s.mu.Unlock()
	rank := s.byClient[clientOf(x.in)]
	if x.body != nil && !x.body.complete() {
		rank += 1 << 30 // there is no telling when the rest comes
	}
	return rank
}

// clientOf is who a request is from, as far as places are concerned. Who has one IPv6 address has its network's.
func clientOf(r *http.Request) netip.Addr {
	addr := gatekit.SourceIP(r)
	if addr.Is6() {
		if network, err := addr.WithZone("").Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

// patience is how far behind the client of a request may be that keeps a place while others wait for one: half of what they wait at the most.
func (p *Proxy) patience() time.Duration { return p.connectionWait / 2 }

// hold notes that x has a place at u.
func (x *exchange) hold(u *upstream) {
	x.at = u
	if x.body != nil && !x.body.own {
		x.mayBeSlow()
	}
}

// mayBeSlow makes x one of those that may lose their place.
func (x *exchange) mayBeSlow() {
	if x.slow {
		return
	}
	x.slow, x.client = true, clientOf(x.in)
	s := &x.proxy.slow
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.byClient = map[*exchange]bool{}, map[netip.Addr]int{}
	}
	s.all[x] = false
	s.byClient[x.client]++
}

// release gives x's place up, if it has one.
func (x *exchange) release() {
	if x.slow {
		s := &x.proxy.slow
		s.mu.Lock()
		s.remove(x)
		s.mu.Unlock()
		x.slow = false
	}
	if u := x.at; u != nil {
		x.at = nil
		x.proxy.release(u)
	}
}

// behind returns how far behind x's client is.
func (x *exchange) behind(now time.Time) time.Duration {
	late := x.down.late(now)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.body != nil && !x.body.complete() {
		late = max(late, x.body.up.late(now))
	}
	return late
}

// giveUp ends x for those who wait for its place.
func (x *exchange) giveUp() {
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

// allowance returns how much longer the headers may take, as it is the client's body that has taken its time: the wait
// for it doesn't count, up to what as many bytes may take.
func (x *exchange) allowance(now time.Time) time.Duration {
	if x.body == nil || x.body.own {
		return 0
	}
	up := &x.body.up
	waited := time.Duration(up.waited.Load())
	if since := up.since.Load(); since != 0 {
		waited += time.Duration(now.UnixNano() - since)
	}
	allowed := x.proxy.timeout[x.flavor] + min(waited, timeFor(up.bytes.Load()))
	return allowed - now.Sub(x.sendFrom)
}
