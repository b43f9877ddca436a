package websocket

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// state is what another node needs to run the connection's $disconnect. It has no API key and no
// token.
type state struct {
	ConnectedAt time.Time    `json:"connectedAt"`
	Path        string       `json:"path,omitempty"`
	Host        string       `json:"host,omitempty"`
	TLS         bool         `json:"tls,omitempty"`
	SourceIP    string       `json:"sourceIp,omitempty"`
	UserAgent   string       `json:"userAgent,omitempty"`
	Domain      *domainState `json:"domain,omitempty"`
	// Authorization is absent where nobody was asked.
	Authorization *authorizationState `json:"authorization,omitempty"`
	Caller        *gatekit.IAMCaller  `json:"caller,omitempty"`
}

// authorizationState is what an authorizer has learned, without the API key that it may have found.
type authorizationState struct {
	Principal  string             `json:"principal,omitempty"`
	Authorizer string             `json:"authorizer,omitempty"`
	Scopes     []string           `json:"scopes,omitempty"`
	Claims     json.RawMessage    `json:"claims,omitempty"`
	Context    exact              `json:"context,omitempty"`
	Caller     *gatekit.IAMCaller `json:"caller,omitempty"`
}

// exact is a JSON object whose numbers keep all their digits.
type exact map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (e *exact) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode((*map[string]any)(e))
}

func authorizationStateOf(a *gatekit.Authorization) *authorizationState {
	if a == nil {
		return nil
	}
	st := &authorizationState{
		Principal: a.Principal(), Authorizer: a.Authorizer(), Scopes: a.Scopes(), Context: a.Context(),
	}
	if a.HasClaims() {
		st.Claims, _ = json.Marshal(a.Claims()) // they were JSON
	}
	if caller, ok := a.Caller(); ok {
		st.Caller = &caller
	}
	return st
}

func (st *authorizationState) authorization() *gatekit.Authorization {
	if st == nil {
		return nil
	}
	return gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Principal: st.Principal, Authorizer: st.Authorizer, Scopes: st.Scopes, RawClaims: st.Claims,
		Context: st.Context, Caller: st.Caller,
	})
}

type domainState struct {
	Name, BasePath string
	Custom         bool
}

const maxState = 64 << 10

func (s *socket) state() []byte {
	p := &s.peer
	st := state{
		ConnectedAt: s.connectedAt, Path: p.url.EscapedPath(), Host: p.host, TLS: p.tls != nil,
		SourceIP: event.AddrText(p.sourceIP), UserAgent: p.userAgent, Caller: p.caller,
		Authorization: authorizationStateOf(s.authorization.Load()),
	}
	if p.domain != nil {
		st.Domain = &domainState{p.domain.Name, p.domain.BasePath, p.domain.Custom}
	}
	b, err := json.Marshal(st)
	if err != nil || len(b) > maxState { // then $disconnect tells less
		st.Authorization = nil
		b, _ = json.Marshal(st)
	}
	return b
}

// orphan implements Node.Orphan: the connection was another node's, which is no more.
func (a *API) orphan(_ context.Context, r Record) {
	_ = a.Build()
	var st state
	if err := json.Unmarshal(r.State, &st); err != nil {
		a.log(slog.LevelError, "the record of a dead node can't be read", r.ID, err)
		return
	}
	u, err := url.ParseRequestURI(st.Path)
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	s := &socket{api: a, id: r.ID, connectedAt: st.ConnectedAt, peer: peer{
		url: u, uri: u.RequestURI(), host: st.Host, userAgent: st.UserAgent, caller: st.Caller,
	}}
	s.peer.sourceIP, _ = netip.ParseAddr(st.SourceIP)
	if st.TLS {
		s.peer.tls = &tls.ConnectionState{HandshakeComplete: true}
	}
	if d := st.Domain; d != nil {
		s.peer.domain = &gatekit.Domain{Name: d.Name, BasePath: d.BasePath, Custom: d.Custom}
	}
	s.authorization.Store(st.Authorization.authorization())
	a.farewell(s, wsconn.CodeAbnormal, "")
}
