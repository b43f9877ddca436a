package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HealthCheck asks each upstream how it is, in a goroutine each, which ends with the context that the Proxy was made with, or when SetUpstreams
// takes the upstream out. An upstream counts as healthy until checks have failed. One check that is well ends an ejection.
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

const (
	defaultInterval     = 10 * time.Second
	minInterval         = 10 * time.Millisecond
	defaultCheckTimeout = 5 * time.Second
	defaultThreshold    = 2
)

func (c *HealthCheck) check() error {
	var errs []error
	refuse := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Health."+field+": "+format, args...))
	}
	if u, err := url.ParseRequestURI(c.Path); err != nil || !strings.HasPrefix(c.Path, "/") || u.Host != "" {
		refuse("Path", "want a path that begins with /, got %q", c.Path)
	}
	if c.Interval != 0 && c.Interval < minInterval {
		refuse("Interval", "want at least %v, got %v", minInterval, c.Interval)
	}
	if c.Timeout < 0 {
		refuse("Timeout", "want 0 or more, got %v", c.Timeout)
	}
	if c.Unhealthy < 0 || c.Healthy < 0 {
		refuse("Healthy", "want thresholds of 0 or more, got %d and %d", c.Healthy, c.Unhealthy)
	}
	if c.Status != 0 && (c.Status < 200 || c.Status > 599) {
		refuse("Status", "want 0 or 200 to 599, got %d", c.Status)
	}
	return errors.Join(errs...)
}

func (c HealthCheck) withDefaults() *HealthCheck {
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Timeout == 0 {
		c.Timeout = defaultCheckTimeout
	}
	if c.Unhealthy == 0 {
		c.Unhealthy = defaultThreshold
	}
	if c.Healthy == 0 {
		c.Healthy = defaultThreshold
	}
	return &c
}

// startChecks starts the goroutine that asks u, if there is anything to ask.
func (p *Proxy) startChecks(u *upstream) {
	if p.health == nil {
		return
	}
	ctx, stop := context.WithCancel(p.ctx)
	u.stop = stop
	go p.checks(ctx, u)
}

func (p *Proxy) checks(ctx context.Context, u *upstream) {
	well, ill := 0, 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		ejected := u.ejectedUntil.Load() // before it is asked: an answer says nothing of an ejection that came after it
		err := p.ask(ctx, u)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			well, ill = well+1, 0
			p.well(u, ejected, well >= p.health.Healthy)
		} else if ill, well = ill+1, 0; ill >= p.health.Unhealthy {
			u.sick.Store(true)
		}
		timer.Reset(p.health.Interval)
	}
}

// well notes that u has passed a check. One ends the ejection that there was when it was asked, as Envoy's
// successful_active_health_check_uneject_host does by default: the server is back, and who was ejected for requests
// that failed may never have failed a check. What it was ejected for doesn't count any longer either, else a single
// lost request would eject it again, and for twice as long. An upstream that the checks have found sick needs as many
// as the configuration says.
func (p *Proxy) well(u *upstream, ejected int64, enough bool) {
	back := enough && u.sick.CompareAndSwap(true, false)
	if ejected != 0 && (enough || !u.sick.Load()) && u.ejectedUntil.CompareAndSwap(ejected, 0) {
		u.failures.Store(0)
		u.ejections.Store(0)
		back = true
	}
	if back {
		p.queue.wakeOne()
	}
}

// maxHealthBody is how much of an answer is read so that its connection can be used again.
const maxHealthBody = 64 << 10

func (p *Proxy) ask(ctx context.Context, u *upstream) error {
	ctx, cancel := context.WithTimeout(ctx, p.health.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.scheme+"://"+u.address+p.health.Path, nil)
	if err != nil {
		return err
	}
	r.Host = p.checkHost
	r.Header.Set("User-Agent", "gatekit-health-check")
	w, err := p.transport.RoundTrip(r) // not a Client: a redirect is an answer
	if err != nil {
		return err
	}
	defer w.Body.Close()
	_, _ = io.CopyN(io.Discard, w.Body, maxHealthBody)
	if p.health.Status != 0 && w.StatusCode != p.health.Status || w.StatusCode < 200 || p.health.Status == 0 && w.StatusCode > 399 {
		return fmt.Errorf("status %d", w.StatusCode)
	}
	return nil
}
