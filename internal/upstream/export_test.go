package upstream

import "time"

// Take takes a place at a server for a request that comes now, and returns its address and what gives
// the place back, or "" if all are full.
func (p *Pool) Take() (address string, release func()) {
	s := p.take(time.Now().UnixNano(), nil)
	if s == nil {
		return "", nil
	}
	return s.address, func() { p.release(s) }
}

// Fail notes a request that the server has lost, Answer one that it has answered.
func (p *Pool) Fail(address string)   { p.failed(p.at(address)) }
func (p *Pool) Answer(address string) { p.answered(p.at(address)) }

func (p *Pool) at(address string) *server {
	for _, s := range p.servers.Load().all {
		if s.address == address {
			return s
		}
	}
	return nil
}

// Budget returns a retry's budget: what a request pays in, and what a retry takes.
func Budget(c Retry) (deposit func(), withdraw func() bool) {
	r := newRetries(c)
	return r.budget.deposit, r.budget.withdraw
}
