package websocket

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// socket is a connection, from the moment on at which $connect has admitted it.
type socket struct {
	api           *API
	id            string
	connectedAt   time.Time
	peer          peer
	authorization atomic.Pointer[gatekit.Authorization]

	opened chan struct{} // closed when conn is set, or never will be
	ended  chan struct{} // closed by End
	conn   *wsconn.Conn
	slots  chan struct{} // a token for each message that is served, with Config.Parallel

	recording sync.Mutex // over the record in the registry, once there is one

	mu          sync.Mutex
	serving     int
	drain       bool // close when nothing is served
	fenced      bool // without $disconnect
	expiry      *time.Timer
	admission   *time.Timer // for AuthenticateWithin
	refused     int
	refusedFrom time.Time
	groups      map[string]bool
}

// peer is what later requests of a connection tell of its client. It has no header of the
// handshake: those are gone when it is answered, as on the managed gateway.
type peer struct {
	url              *url.URL
	uri              string
	host, remoteAddr string
	tls              *tls.ConnectionState // without certificates; nil without TLS
	sourceIP         netip.Addr
	userAgent        string
	cert             *x509.Certificate
	domain           *gatekit.Domain
	apiKey, apiKeyID string
	caller           *gatekit.IAMCaller
}

func newSocket(a *API, rc *gatekit.RequestContext, r *http.Request) *socket {
	s := &socket{
		api: a, id: rc.Connection.ID, connectedAt: rc.Connection.ConnectedAt, opened: make(chan struct{}),
		ended: make(chan struct{}),
		peer: peer{
			url: &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath}, host: r.Host, remoteAddr: r.RemoteAddr,
			sourceIP: rc.SourceIP(), userAgent: rc.UserAgent(), cert: rc.ClientCert(),
		},
	}
	s.peer.uri = s.peer.url.RequestURI()
	if r.TLS != nil {
		s.peer.tls = &tls.ConnectionState{Version: r.TLS.Version, HandshakeComplete: true, ServerName: r.TLS.ServerName}
	}
	if a.config.Parallel > 1 {
		s.slots = make(chan struct{}, a.config.Parallel)
	}
	s.learn(rc)
	return s
}

// learn takes over what the stations have learned of the caller.
func (s *socket) learn(rc *gatekit.RequestContext) {
	s.authorization.Store(rc.Authorization)
	s.peer.caller = rc.Caller()
	s.peer.apiKey, s.peer.apiKeyID = rc.FoundAPIKey()
	if rc.CustomDomain() || rc.BasePath() != "" {
		s.peer.domain = &gatekit.Domain{Name: rc.DomainName(), BasePath: rc.BasePath(), Custom: rc.CustomDomain()}
	}
}

// slack is how much longer a request lives than its handler may take: an integration with the same
// timeout ends by its own, and says so, before it is told that its client has gone.
const slack = time.Second

// Message implements wsconn.Handler. While it runs nothing more is read from the client.
func (s *socket) Message(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
	a := s.api
	a.counts.message(len(payload))
	s.begin()
	if s.slots == nil {
		if !c.Lent() {
			payload = bytes.Clone(payload) // a handler may leave somebody behind who reads it
		}
		if s.serveInTurn(op, payload) {
			c.Keep()
		}
		return
	}
	body := bytes.Clone(payload)
	s.slots <- struct{}{}
	go func() {
		s.serveInTurn(op, body)
		<-s.slots
	}()
}

// serveInTurn serves a message when it is one of those that are served at once. It reports whether
// somebody still reads it.
func (s *socket) serveInTurn(op wsconn.Opcode, body []byte) (inUse bool) {
	defer s.done()
	select {
	case s.api.inFlight <- struct{}{}:
	case <-s.api.ctx.Done():
		return false
	}
	rc, m := s.serve(op, body)
	s.answer(rc, m) // waits for its client, and holds nothing that others wait for
	return !m.sent.end()
}

func (s *socket) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving++
}

// done ends the service of a message, and closes a connection that has waited for it.
func (s *socket) done() {
	s.mu.Lock()
	s.serving--
	now := s.drain && s.serving == 0
	s.mu.Unlock()
	if now {
		_ = s.conn.Close(wsconn.CodeRestart, restartReason)
	}
}

// serve serves a message, and gives back what it takes of MaxInFlight.
func (s *socket) serve(op wsconn.Opcode, body []byte) (*gatekit.RequestContext, *exchange) {
	a := s.api
	defer func() { <-a.inFlight }()
	at := a.selectRoute(body)
	ctx := newDeadline(a.ctx, a.config.IntegrationTimeout+slack)
	defer ctx.end()
	// Text is called JSON whatever it is: a client can't choose to pass a model, or a template, by
	// sending something else.
	contentType := "application/json"
	if op == wsconn.Binary {
		contentType = octetStream
	}
	m := &exchange{connection: gatekit.Connection{MessageID: newID()}}
	rc, r := s.request(ctx, m, &at.Route, contentType, body)
	if at == a.noRoute {
		rc.Route = nil
	}
	if a.config.AuthenticateWithin > 0 && s.authorization.Load() == nil && !at.authenticate {
		gatekit.Reject(m, r, errNotAdmitted)
	} else if err := protect(at.handler, m, r); err != nil {
		a.log(slog.LevelError, "a handler panicked", s.id, err)
		m.rejection = errPanic
	}
	at.counts.message(len(body))
	a.count(&at.counts, rc, m.rejection)
	return rc, m
}

// answer sends what came of a message.
func (s *socket) answer(rc *gatekit.RequestContext, m *exchange) {
	a, tooLarge, messageID := s.api, m.over, m.connection.MessageID
	m.over = true // nothing more is written
	defer m.body.Reset()
	switch {
	case m.rejection != nil:
		s.refuse(rc, m.rejection, messageID)
	case tooLarge:
		a.log(slog.LevelError, "a reply is too large", s.id, ErrTooLarge)
		s.refuse(rc, errReply, messageID)
	case len(m.body.Bytes()) > 0:
		reply, ok := a.opcode(m.kind(), m.body.Bytes())
		if !ok {
			a.log(slog.LevelError, "a reply isn't text", s.id, errNotText)
			s.refuse(rc, errReply, messageID)
			return
		}
		n := len(m.body.Bytes()) // SendDraft takes it
		s.replied(n, s.conn.SendDraft(a.ctx, reply, &m.body))
	}
}

// replied counts a reply of n bytes. It is sent when there is room: nothing is read from the client
// before.
func (s *socket) replied(n int, err error) {
	if err == nil {
		s.api.counts.message(n)
	} // else the client has left, and with it the reply
}

// refuse sends an error frame, and closes a connection that asks for nothing else.
func (s *socket) refuse(rc *gatekit.RequestContext, why *gatekit.Rejection, messageID string) {
	if limit := s.api.config.MaxRefused; limit > 0 && why.StatusFor(gatekit.WebSocket) < 500 {
		s.mu.Lock()
		if rc.Time.Sub(s.refusedFrom) > refusedWindow {
			s.refused, s.refusedFrom = 0, rc.Time
		}
		s.refused++
		flood := s.refused > limit
		s.mu.Unlock()
		if flood {
			_ = s.conn.Close(wsconn.CodePolicy, "too many requests")
			return
		}
	}
	frame := appendErrorFrame(nil, why, s.id, rc.RequestID(), messageID)
	s.replied(len(frame), s.conn.Send(s.api.ctx, wsconn.Text, frame))
}

// request makes the request that a message, or the end of the connection, travels as: a POST to the
// address of the handshake, with none of its headers, whose refusals m gets.
func (s *socket) request(
	ctx context.Context, m *exchange, at *gatekit.Route, contentType string, body []byte,
) (*gatekit.RequestContext, *http.Request) {
	p := &s.peer
	m.url, m.contentType[0] = *p.url, contentType // a router behind may cut the URL's path
	r := (&http.Request{
		Method: http.MethodPost, URL: &m.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Host: p.host, RemoteAddr: p.remoteAddr, TLS: p.tls,
		Body: http.NoBody, RequestURI: p.uri,
	}).WithContext(ctx)
	if contentType != "" {
		m.sent.data.Reset(body)
		r.Header["Content-Type"] = m.contentType[:1:1]
		r.Body, r.ContentLength = &m.sent, int64(len(body))
	}
	rc, r := gatekit.Attach(r)
	m.connection.ID, m.connection.ConnectedAt = s.id, s.connectedAt
	rc.API, rc.Route, rc.Connection = &s.api.identity, at, &m.connection
	rc.Authorization = s.authorization.Load()
	rc.SetSourceIP(p.sourceIP)
	if p.userAgent != "" {
		rc.SetUserAgent(p.userAgent)
	}
	if p.cert != nil {
		rc.SetClientCert(p.cert)
	}
	rc.SetDomain(p.domain)
	rc.SetCaller(p.caller)
	rc.SetAPIKey(p.apiKey, p.apiKeyID)
	rc.SetResponder(m.respond)
	return rc, r
}

// protect calls a handler, and returns a panic as an error: of all the connections of a process it
// should cost one reply.
func protect(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v\n%s", v, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// End implements wsconn.Handler: the connection is gone.
func (s *socket) End(_ *wsconn.Conn, e wsconn.End) {
	a := s.api
	close(s.ended)
	defer a.ends.Done()
	s.recording.Lock()
	a.drop(s)
	s.mu.Lock()
	for _, t := range []*time.Timer{s.expiry, s.admission} {
		if t != nil {
			t.Stop()
		}
	}
	fenced := s.fenced
	s.mu.Unlock()
	removed, err := a.member.Remove(a.ctx, s.id)
	s.recording.Unlock()
	if err != nil && a.ctx.Err() == nil {
		a.log(slog.LevelError, "a record can't be removed", s.id, err)
	}
	if removed && !fenced {
		a.farewell(s, e.Code, e.Reason)
	}
}

// noStatus is what the managed gateway reports of a close frame without a code. (Recorded.)
const noStatus = "Client-side close frame status not set"

// farewell runs $disconnect. Nothing of it reaches the client, who is gone.
func (a *API) farewell(s *socket, code int, reason string) {
	at := a.routes[disconnectKey]
	if at == nil {
		return
	}
	if code == wsconn.CodeNoStatus {
		reason = noStatus
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), a.config.IntegrationTimeout+slack)
	defer cancel()
	m := &exchange{connection: gatekit.Connection{CloseCode: code, CloseReason: reason}}
	rc, r := s.request(ctx, m, &at.Route, "", nil)
	err := protect(at.handler, m, r)
	if err == nil && m.rejection != nil {
		err = m.rejection
	}
	a.count(&at.counts, rc, m.rejection)
	if err != nil {
		a.log(slog.LevelWarn, "$disconnect failed", s.id, err)
	}
}

// drop takes the connection out of those that can be sent to, and reports whether it was there.
func (a *API) drop(s *socket) bool {
	a.open.Lock()
	defer a.open.Unlock()
	if a.conns[s.id] != s {
		return false
	}
	delete(a.conns, s.id)
	a.connected += time.Since(s.connectedAt)
	return true
}
