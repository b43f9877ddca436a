package auth

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatekit-go/gatekit"
)

// checks are what a token's claims are held against. It reads no clock and speaks no HTTP.
type checks struct {
	issuer   string
	audience []string // nil: anyone's, as Cognito has it
	typ      string   // in lower case without "application/"; "" is any
	leeway   float64

	additional []AdditionalClaim
}

// typed reports whether the token's typ header is the required one. (RFC 8725, section 3.11; RFC
// 9068, section 4.)
func (c *checks) typed(typ string) bool {
	return c.typ == "" || mediaType(typ) == c.typ
}

func mediaType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// claims reports whether the claims hold at now, and which check fails first. The order is the
// managed gateway's. (Developer guide, "Controlling access to HTTP APIs with JWT authorizers".)
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

// addressed reports whether one of the token's audiences is configured; client_id counts only where
// there is no aud at all.
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

// times are the checks that a token, once verified, must still pass on each use. The second in
// which exp falls is past it (RFC 7519, section 4.1.4); the one in which nbf falls is not before
// it.
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

// failure is one way in which a token fails, with the words that the client and the access log get.
// They are in one table, as only three of the managed gateway's texts are known; where they aren't,
// the words are golang-jwt's.
type failure uint8

const (
	failMissing failure = iota
	failSegments
	failMalformed
	failAlgorithm
	failKey
	failSignature
	failType
	failIssuer
	failAudience
	failNoExpiry
	failExpired
	failNotYet
	failIssuedLater
	failClaims
	failures  // how many there are
	noFailure = failures
)

// checked are the checks by name, for notes: what fails is told more closely to who runs the API
// than to who calls it.
var checked = [failures + 1]string{
	failMissing: "no token", failSegments: "three segments", failMalformed: "syntax", failAlgorithm: "alg",
	failKey: "kid", failSignature: "signature", failType: "typ", failIssuer: "iss", failAudience: "aud",
	failNoExpiry: "exp, which is missing", failExpired: "exp", failNotYet: "nbf", failIssuedLater: "iat",
	failClaims: "AdditionalClaims",
}

// descriptions are the error_description of the challenge.
var descriptions = [failures]string{
	failSegments:    "token contains an invalid number of segments", // recorded
	failMalformed:   jwt.ErrTokenMalformed.Error(),
	failAlgorithm:   jwt.ErrTokenSignatureInvalid.Error(),
	failKey:         jwt.ErrTokenUnverifiable.Error(),
	failSignature:   jwt.ErrTokenSignatureInvalid.Error(),
	failType:        jwt.ErrTokenMalformed.Error(),
	failIssuer:      "issuer does not match",                    // recorded in access logs
	failAudience:    "the token does not have a valid audience", // the guide's
	failNoExpiry:    jwt.ErrTokenRequiredClaimMissing.Error(),
	failExpired:     jwt.ErrTokenExpired.Error(),
	failNotYet:      jwt.ErrTokenNotValidYet.Error(),
	failIssuedLater: jwt.ErrTokenUsedBeforeIssued.Error(),
	failClaims:      jwt.ErrTokenInvalidClaims.Error(),
}

// causes are the Rejections' causes, made once: "missing: token not provided", "invalid_token: …".
var causes = func() (errs [failures]error) {
	for f, text := range descriptions {
		errs[f] = errors.New("invalid_token: " + text)
	}
	errs[failMissing] = noCredentials("missing: token not provided")
	return errs
}()

// causeOtherScheme is the cause of a request with credentials of another scheme, such as Basic.
var causeOtherScheme error = noCredentials("invalid_token: " + descriptions[failSegments])

var errInsufficientScope = errors.New("insufficient_scope: the token has none of the route's scopes")

// noCredentials is a cause that is ErrNoCredentials under a text of its own.
type noCredentials string

func (e noCredentials) Error() string        { return string(e) }
func (e noCredentials) Is(target error) bool { return target == ErrNoCredentials }

// challenges are the WWW-Authenticate values of one route. The auth-params are separated by blanks
// where RFC 9110, section 11.6.1 wants commas: that is what the managed gateway's clients parse.
type challenges struct {
	values [failures]string
	scope  string
}

func newChallenges(scopes []string) *challenges {
	c := &challenges{}
	frame := `Bearer scope="` + strings.Join(scopes, " ") + `" error="`
	for f, text := range descriptions {
		c.values[f] = frame + `invalid_token" error_description="` + text + `"`
	}
	c.values[failMissing] = "Bearer"
	c.scope = frame + `insufficient_scope"`
	return c
}

// unauthorized is the 401 of a token that fails. It is fresh, since it carries a cause.
func (c *challenges) unauthorized(f failure) *gatekit.Rejection {
	return &gatekit.Rejection{Type: gatekit.Unauthorized, Challenge: c.values[f], Cause: causes[f]}
}

// forbidden is the 403 of a good token without the route's scopes.
func (c *challenges) forbidden() *gatekit.Rejection {
	return &gatekit.Rejection{Type: gatekit.AccessDenied, Challenge: c.scope, Cause: errInsufficientScope}
}

func quoted(s string) string {
	const enough = 100
	if len(s) > enough {
		s = s[:enough] + "…"
	}
	return strconv.Quote(s)
}
