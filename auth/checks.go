package auth

import (
	"math"
	"slices"
	"strings"
	"time"
)

// checks are what a token's claims are held against. It reads no clock and speaks no HTTP.
type checks struct {
	issuer   string
	audience []string // nil: anyone's, as Cognito has it
	typ      string   // in lower case without "application/"; "" is any
	leeway   float64
}

// typed reports whether the token's typ header is the required one. (RFC 8725, section 3.11; RFC 9068, section 4.)
func (c *checks) typed(typ string) bool {
	return c.typ == "" || mediaType(typ) == c.typ
}

func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// claims reports whether the claims hold at now, and which check fails first. The order is the managed gateway's. (Developer
// guide, "Controlling access to HTTP APIs with JWT authorizers".)
func (c *checks) claims(t *claims, now time.Time) (failure, bool) {
	switch {
	case t.issuer != c.issuer:
		return failIssuer, false
	case !c.addressed(t):
		return failAudience, false
	case !t.hasExpires:
		return failNoExpiry, false
	}
	if f, ok := c.times(math.Floor(t.expires), math.Ceil(t.notBefore), now); !ok {
		return f, false
	}
	if math.Ceil(t.issued) > seconds(now)+c.leeway {
		return failIssuedLater, false
	}
	return 0, true
}

// addressed reports whether one of the token's audiences is configured; client_id counts only where there is no aud at all.
func (c *checks) addressed(t *claims) bool {
	if c.audience == nil {
		return true
	}
	if !t.hasAudience {
		return t.clientID != "" && slices.Contains(c.audience, t.clientID)
	}
	return slices.ContainsFunc(t.audience, func(aud string) bool {
		return slices.Contains(c.audience, aud)
	})
}

// times are the checks that a token, once verified, must still pass on each use. The second in which exp falls is past it (RFC
// 7519, section 4.1.4); the one in which nbf falls is not before it.
func (c *checks) times(expires, notBefore float64, now time.Time) (failure, bool) {
	s := seconds(now)
	switch {
	case s-c.leeway >= expires:
		return failExpired, false
	case s+c.leeway < notBefore:
		return failNotYet, false
	}
	return 0, true
}

func seconds(t time.Time) float64 { return float64(t.Unix()) }
