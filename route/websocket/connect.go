package websocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// The refusals of handshakes, made once.
var (
	errOrigin = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New(
		"websocket: the page's Origin is not allowed")}
	errDraining = &gatekit.Rejection{Type: gatekit.Default5XX, Status: http.StatusServiceUnavailable,
		Cause: errors.New("websocket: the API is shutting down, or has lost its lease")}
	errConnections = &gatekit.Rejection{Type: gatekit.Default5XX, Status: http.StatusServiceUnavailable,
		Cause: errors.New("websocket: Config.MaxConnections are open")}
	errProtocol = &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway,
		Cause: errors.New("websocket: $connect selects a subprotocol that the client didn't offer")}
	errConnect = &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway,
		Cause: errors.New("websocket: $connect panicked")}
	errUpgrade = &gatekit.Rejection{Type: gatekit.Default5XX, Cause: errors.New(
		"websocket: the ResponseWriter can't be hijacked: is there a http.TimeoutHandler in front?")}
)

// ServeHTTP judges a handshake, runs $connect and opens the connection. It looks at nothing of the
// URL but its length: the stage that it is for is where the API is mounted. What is refused is
// answered in the flavor's form, in this order: what is no handshake (426, 405, 414, 400), another
// page's (403), an API that drains or is full (503), what Use and $connect refuse.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = a.Build()
	_, err := a.engine.Check(r)
	rc, r := gatekit.Attach(r)
	rc.API = &a.identity
	if a.proxies.Any() {
		rc.SetSourceIP(a.proxies.SourceIP(r))
	}
	rc.SetRequestIDHeaders(w.Header())
	if err == nil && !a.origins.allow(r) {
		err = errOrigin
	}
	if err == nil {
		err = a.reserve(rc)
	}
	if err != nil {
		a.counts.clientErrors.Add(1)
		gatekit.Reject(w, r, refusalOf(err))
		return
	}
	defer a.release(rc)
	rc.Route = &gatekit.Route{Key: connectKey}
	if at := a.routes[connectKey]; at != nil {
		rc.Route = &at.Route
	}
	rc.Connection = &gatekit.Connection{ID: newID(), ConnectedAt: rc.Time}
	a.entry.ServeHTTP(w, r)
	var of *counts
	if at := a.routes[connectKey]; at != nil {
		of = &at.counts
	}
	a.count(of, rc, rc.Rejection())
}

// refusalOf is the answer to a handshake that the engine refuses.
func refusalOf(err error) error {
	var no *wsconn.Refusal
	if errors.As(err, &no) {
		return &gatekit.Rejection{Type: gatekit.Default4XX, Status: no.Status, Header: no.Header, Cause: no}
	}
	return err
}

// reserve takes a place among MaxConnections, until release or publish.
func (a *API) reserve(rc *gatekit.RequestContext) error {
	a.open.Lock()
	defer a.open.Unlock()
	switch {
	case a.draining || a.fenced || a.ctx.Err() != nil:
		return errDraining
	case a.config.MaxConnections > 0 && len(a.opening)+len(a.conns) >= a.config.MaxConnections:
		return errConnections
	}
	a.opening[rc] = nil
	return nil
}

func (a *API) release(rc *gatekit.RequestContext) {
	a.open.Lock()
	defer a.open.Unlock()
	delete(a.opening, rc)
}

// upgrader is the handler behind Use's middlewares: $connect, and the connection.
type upgrader struct{ api *API }

// Station implements [gatekit.Station].
func (u *upgrader) Station() (kind string, next http.Handler) {
	if r := u.api.routes[connectKey]; r != nil {
		return "websocket", r.handler
	}
	return "websocket", nil
}

func (u *upgrader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, rc := u.api, gatekit.From(r.Context())
	noteRoute(rc)
	// A second time, as stations may have taken a credential out of the offered subprotocols.
	hs, err := a.engine.Check(r)
	if err != nil {
		gatekit.Reject(w, r, refusalOf(err))
		return
	}
	s := newSocket(a, rc, r)
	protocol, ok := a.runConnect(w, r, s, hs)
	if !ok {
		return
	}
	if r.Context().Err() != nil { // it has left while $connect ran, and $connect doesn't know
		a.farewell(s, wsconn.CodeAbnormal, "")
		return
	}
	if err := a.publish(r.Context(), rc, s); err != nil {
		a.log(slog.LevelError, "a connection can't be registered", s.id, err)
		gatekit.Reject(w, r, errDraining)
		a.farewell(s, wsconn.CodeAbnormal, "")
		return
	}
	if s.conn, err = hs.Accept(w, protocol); err != nil {
		close(s.opened)
		if errors.Is(err, wsconn.ErrHijack) {
			gatekit.Reject(w, r, errUpgrade)
		}
		a.log(slog.LevelDebug, "a connection can't be opened", s.id, err)
		s.End(nil, wsconn.End{Code: wsconn.CodeAbnormal})
		return
	}
	close(s.opened)
	s.watch()
	s.conn.Start(s) // over HTTP/2 it returns when the connection has ended
}

// runConnect asks $connect, if there is one, and returns the subprotocol. Unless it admits the
// client it answers for it. A client that leaves meanwhile doesn't end what $connect has begun, as
// on the managed gateway.
func (a *API) runConnect(w http.ResponseWriter, r *http.Request, s *socket, hs *wsconn.Handshake) (string, bool) {
	a.counts.connects.Add(1)
	answer := &exchange{}
	defer answer.body.Reset()
	if at := a.routes[connectKey]; at != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.config.IntegrationTimeout+slack)
		err := protect(at.handler, answer, r.WithContext(ctx))
		cancel()
		if err != nil {
			a.log(slog.LevelError, "$connect panicked", s.id, err)
			gatekit.Reject(w, r, errConnect)
			return "", false
		}
		s.learn(gatekit.From(r.Context()))
	}
	if answer.over {
		gatekit.Reject(w, r, errReply)
		return "", false
	}
	if status := answer.code(); status > 299 {
		for name, values := range answer.header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(answer.body.Bytes()) // a client that went away is no fault of ours
		return "", false
	}
	chosen := answer.header["Sec-Websocket-Protocol"]
	if len(chosen) == 1 && chosen[0] == "" { // a function that passes on what it didn't get
		chosen = nil
	}
	offered := hs.Protocols()
	switch {
	case len(chosen) > 1, len(chosen) == 1 && !slices.Contains(offered, chosen[0]):
		gatekit.Reject(w, r, errProtocol)
		return "", false
	case len(chosen) == 1:
		return chosen[0], true
	}
	for _, p := range offered {
		if slices.Contains(a.config.Subprotocols, p) {
			return p, true
		}
	}
	return "", true
}

// publish makes the connection known, here and in the registry, before the 101 is sent: whoever
// hears of its ID finds it, and waits for the 101 where that is a matter of microseconds.
func (a *API) publish(ctx context.Context, rc *gatekit.RequestContext, s *socket) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.CallTimeout)
	defer cancel()
	record := Record{ID: s.id}
	if a.config.Registry != nil {
		record.State = s.state()
	}
	// The registry may lose its memory while it is told: then it asks for what there is (records),
	// and what it has just heard must be among that.
	fences := a.setOpening(rc, s)
	if err := a.member.Add(ctx, record); err != nil {
		a.setOpening(rc, nil)
		return fmt.Errorf("websocket: add to the registry: %w", err)
	}
	a.open.Lock()
	// After a fence the record is of a lease that is over: others may judge it.
	late := a.draining || a.fenced || a.fences != fences || a.ctx.Err() != nil
	if late {
		a.opening[rc] = nil // before Remove, after which no records must have it
	} else {
		delete(a.opening, rc) // it has a place of its own now
		a.conns[s.id] = s
		a.ends.Add(1)
	}
	a.open.Unlock()
	if late {
		_, err := a.member.Remove(ctx, s.id)
		return errors.Join(errDraining, err)
	}
	return nil
}

// setOpening has records yield a connection that opens, or no longer. It returns how many fences
// there were.
func (a *API) setOpening(rc *gatekit.RequestContext, s *socket) (fences int) {
	a.open.Lock()
	defer a.open.Unlock()
	a.opening[rc] = s
	return a.fences
}

// rerecord tells the registry who the caller is, for the $disconnect that another node may have to
// run.
func (a *API) rerecord(ctx context.Context, s *socket) {
	if a.config.Registry == nil {
		return
	}
	s.recording.Lock()
	defer s.recording.Unlock()
	if a.local(ctx, s.id) != s {
		return // it has ended, and a record would be found for ever
	}
	s.mu.Lock()
	groups := slices.Collect(maps.Keys(s.groups))
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, a.config.CallTimeout)
	defer cancel()
	if err := a.member.Add(ctx, Record{ID: s.id, State: s.state(), Groups: groups}); err != nil {
		a.log(slog.LevelWarn, "the registry doesn't know who a caller is", s.id, err)
	}
}

// watch sets the connection's own deadlines.
func (s *socket) watch() {
	if d := s.api.config.AuthenticateWithin; d > 0 && s.authorization.Load() == nil {
		s.mu.Lock()
		s.admission = time.AfterFunc(d, func() {
			if s.authorization.Load() == nil {
				_ = s.conn.Close(wsconn.CodePolicy, "authentication timed out")
			}
		})
		s.mu.Unlock()
	}
	s.closeAtExpiry()
}

// closeAtExpiry closes the connection when the token that it was admitted by is no longer good.
func (s *socket) closeAtExpiry() {
	if s.api.config.IgnoreExpiry {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	select {
	case <-s.ended:
		return // nobody would stop the timer
	default:
	}
	if at, ok := expiryOf(s.authorization.Load()); ok {
		s.expiry = time.AfterFunc(time.Until(at), func() {
			_ = s.conn.Close(wsconn.CodePolicy, "token expired")
		})
	}
}
