package gatekit

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
)

// IAMCaller is the identity behind a signed request. Fields that don't apply are empty. (Developer
// guide, "Variables for data models, authorizers, mapping templates, and CloudWatch access
// logging", $context.identity.)
type IAMCaller struct {
	// AccessKey is the access key ID that signed, AccountID the caller's account of 12 digits.
	AccessKey, AccountID string
	// CallerID and UserID are the principal's unique IDs: $context.identity.caller and .user.
	CallerID, UserID string
	// UserARN is the principal's ARN, PrincipalOrgID the organization of the caller's account.
	UserARN, PrincipalOrgID string

	// CognitoIdentityID and CognitoIdentityPoolID name an identity of an identity pool, where the
	// caller's credentials came from one.
	CognitoIdentityID, CognitoIdentityPoolID string
	// CognitoAuthenticationType is "authenticated" or "unauthenticated" then, and
	// CognitoAuthenticationProvider who had authenticated the identity.
	CognitoAuthenticationType, CognitoAuthenticationProvider string
}

// identity is what a station knows of the client better than the request says it. It is immutable,
// as connections and copies of a RequestContext share it.
type identity struct {
	sourceIP    netip.Addr
	userAgent   string
	clientCert  *x509.Certificate
	hasSourceIP bool
	hasAgent    bool
	hasCert     bool
}

// peer is a connection whose client's address is known.
type peer struct {
	context.Context
	identity identity
}

// ConnContext is for http.Server.ConnContext: the peer's address is then parsed once a connection
// and not once a request.
//
//	srv := &http.Server{Handler: api, ConnContext: gatekit.ConnContext}
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return &peer{Context: ctx, identity: identity{sourceIP: remoteIP(c.RemoteAddr().String()), hasSourceIP: true}}
}

// Value ends the search for a RequestContext, which goes on to the connection in a request that has
// none yet: so finding the peer costs nothing.
func (p *peer) Value(key any) any {
	if key == (contextKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// change makes a copy of what is known for f to change.
func (rc *RequestContext) change(f func(*identity)) {
	if rc == nil {
		return
	}
	var known identity
	if rc.known != nil {
		known = *rc.known
	}
	f(&known)
	rc.known = &known
}

// SourceIP returns the client's address: the connection's peer, or, behind proxies that are trusted
// ([TrustedProxies]), what they say. It has no zone and is never an IPv4 address in IPv6 form. The
// zero Addr means that it isn't known. Unless somebody has set it, or [ConnContext] is in use, each
// call parses the request's RemoteAddr.
func (rc *RequestContext) SourceIP() netip.Addr {
	if rc != nil && rc.known != nil && rc.known.hasSourceIP {
		return rc.known.sourceIP
	}
	if r := rc.request(); r != nil {
		return remoteIP(r.RemoteAddr)
	}
	return netip.Addr{}
}

// SetSourceIP states the client's address, for a station that knows it better than the connection
// does.
func (rc *RequestContext) SetSourceIP(ip netip.Addr) {
	rc.change(func(i *identity) { i.sourceIP, i.hasSourceIP = ip, true })
}

// UserAgent returns the User-Agent header of the request as it came, unless a station has changed
// the header's map in place.
func (rc *RequestContext) UserAgent() string {
	if rc != nil && rc.known != nil && rc.known.hasAgent {
		return rc.known.userAgent
	}
	if r := rc.request(); r != nil {
		if agent := r.Header["User-Agent"]; len(agent) > 0 {
			return agent[0]
		}
	}
	return ""
}

// SetUserAgent states the user agent, where the request has come in another form than HTTP.
func (rc *RequestContext) SetUserAgent(agent string) {
	rc.change(func(i *identity) { i.userAgent, i.hasAgent = agent, true })
}

// ClientCert returns the client's certificate, which the TLS handshake has verified, or nil.
func (rc *RequestContext) ClientCert() *x509.Certificate {
	if rc != nil && rc.known != nil && rc.known.hasCert {
		return rc.known.clientCert
	}
	if r := rc.request(); r != nil && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return r.TLS.VerifiedChains[0][0]
	}
	return nil
}

// SetClientCert states the client's certificate: nil for one that was verified for somebody else,
// or one that a front has verified.
func (rc *RequestContext) SetClientCert(cert *x509.Certificate) {
	rc.change(func(i *identity) { i.clientCert, i.hasCert = cert, true })
}

// Caller returns the IAM identity that signed the request, or nil. It must not be modified.
func (rc *RequestContext) Caller() *IAMCaller {
	if rc == nil {
		return nil
	}
	return rc.caller
}

// SetCaller states it, for the authorizer that has verified the signature.
func (rc *RequestContext) SetCaller(caller *IAMCaller) {
	if rc != nil {
		rc.caller = caller
	}
}

// APIKey returns the API key of the caller, and its ID. Where a usage plan has judged the request
// they are what the plan found, be the key in a header or named by an authorizer. Before that, as
// in an authorizer's event, the key is what a REST or WebSocket API's client has sent in X-Api-Key,
// and its ID isn't known: "". Such a key may be anybody's, and lets nobody in. Of two header lines
// nobody knows which one is meant: they are no key. HTTP APIs have no keys; what a usage plan finds
// there is [RequestContext.FoundAPIKey].
//
// It is made when it is asked for, and never logged by this module. (Developer guide, "Choose an
// API key source".)
func (rc *RequestContext) APIKey() (value, id string) {
	if rc == nil || rc.API.Flavor == HTTP {
		return "", ""
	}
	if value, id = rc.FoundAPIKey(); value != "" {
		return value, id
	}
	if r := rc.request(); r != nil {
		if values := r.Header["X-Api-Key"]; len(values) == 1 {
			return values[0], ""
		}
	}
	return "", ""
}

// FoundAPIKey returns the key that a usage plan has found, and its ID, or "": what a client merely
// sent doesn't count.
func (rc *RequestContext) FoundAPIKey() (value, id string) {
	if rc == nil {
		return "", ""
	}
	return rc.apiKey, rc.apiKeyID
}

// SetAPIKey states the caller's key, for the station that has found it among its keys.
func (rc *RequestContext) SetAPIKey(value, id string) {
	if rc != nil {
		rc.apiKey, rc.apiKeyID = value, id
	}
}

// APIKey is [RequestContext.APIKey] of r's, which it doesn't attach.
func APIKey(r *http.Request) (value, id string) { return From(r.Context()).APIKey() }
