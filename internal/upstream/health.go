package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Health asks each server how it is. A server counts as healthy until checks have failed. One check
// that is well ends an ejection.
type Health struct {
	Path               string // a path, with or without a query
	Host               string // the Host header
	Interval, Timeout  time.Duration
	Unhealthy, Healthy int // how many checks in a row must fail, and be well again
	Status             int // the only status that is well; 0: any from 200 to 399
}

// startChecks starts the goroutine that asks s, if there is anything to ask.
func (p *Pool) startChecks(s *server) {
	if p.config.Health == nil {
		return
	}
	ctx, stop := context.WithCancel(p.ctx)
	s.stop = stop
	go p.checks(ctx, s)
}

func (p *Pool) checks(ctx context.Context, s *server) {
	well, ill := 0, 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		ejected := s.ejectedUntil.Load() // before it is asked: an answer says nothing of an ejection that came after it
		err := p.ask(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			well, ill = well+1, 0
			p.well(s, ejected, well >= p.config.Health.Healthy)
		} else if ill, well = ill+1, 0; ill >= p.config.Health.Unhealthy {
			s.sick.Store(true)
		}
		timer.Reset(p.config.Health.Interval)
	}
}

// well notes that s has passed a check. One ends the ejection that there was when it was asked, as
// Envoy's successful_active_health_check_uneject_host does by default: the server is back, and who
// was ejected for requests that failed may never have failed a check. What it was ejected for
// doesn't count any longer either, else a single lost request would eject it again, and for twice
// as long. An server that the checks have found sick needs as many as the configuration says.
func (p *Pool) well(s *server, ejected int64, enough bool) {
	back := enough && s.sick.CompareAndSwap(true, false)
	if ejected != 0 && (enough || !s.sick.Load()) && s.ejectedUntil.CompareAndSwap(ejected, 0) {
		s.failures.Store(0)
		s.ejections.Store(0)
		back = true
	}
	if back {
		p.queue.wakeOne()
	}
}

// maxHealthBody is how much of an answer is read so that its connection can be used again.
const maxHealthBody = 64 << 10

func (p *Pool) ask(ctx context.Context, s *server) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Health.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.config.Scheme+"://"+s.address+p.config.Health.Path, nil)
	if err != nil {
		return err
	}
	r.Host = p.config.Health.Host
	r.Header.Set("User-Agent", "gatekit-health-check")
	w, err := p.config.Transport.RoundTrip(r) // not a Client: a redirect is an answer
	if err != nil {
		return err
	}
	defer w.Body.Close()
	_, _ = io.CopyN(io.Discard, w.Body, maxHealthBody)
	well := w.StatusCode >= 200 && w.StatusCode <= 399
	if only := p.config.Health.Status; only != 0 {
		well = w.StatusCode == only
	}
	if !well {
		return fmt.Errorf("status %d", w.StatusCode)
	}
	return nil
}
