package upstream

import "time"

// Ejection says when a server that fails gets no more requests for a while.
type Ejection struct {
	Failures int           // in a row; 0 or less ejects none
	For      time.Duration // and twice as long the next time, up to 8 times
}

const maxEjections = 8

// answered notes that s gave an answer.
func (p *Pool) answered(s *server) {
	if s.failures.Load() != 0 { // reading is shared between processors, writing isn't
		s.failures.Store(0)
	}
	if s.ejections.Load() != 0 {
		s.ejections.Store(0)
	}
}

// failed notes that s gave none. That it may eject the last one that is healthy does no harm: then
// all get requests again.
func (p *Pool) failed(s *server) (ejected bool) {
	after := int32(p.config.Ejection.Failures)
	if after <= 0 || s.failures.Add(1) < after || p.config.Fixed || len(p.servers.Load().all) == 1 {
		return false
	}
	now := time.Now()
	until := s.ejectedUntil.Load()
	if until > now.UnixNano() {
		return false // by another request that failed with this one
	}
	times := time.Duration(min(s.ejections.Load()+1, maxEjections))
	if s.ejectedUntil.CompareAndSwap(until, now.Add(times*p.config.Ejection.For).UnixNano()) {
		s.ejections.Add(1)
		s.failures.Store(after - 1) // after that time, one more failure is enough
		return true
	}
	return false
}
