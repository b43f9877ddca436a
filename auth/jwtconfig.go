package auth

import (
	"cmp"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// JWTConfig configures a [JWT]. The zero value is refused: no issuer and no audience is a safe
// default.
type JWTConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Issuer is the iss claim to accept, compared byte by byte, and where discovery starts.
	// Required: an https URL, or an http one on a loopback host.
	Issuer string
	// Audience lists who tokens may be meant for: one of them must be in aud, or, in a token
	// without aud, be client_id. Required.
	Audience []string
	// AdditionalClaims are checks of other claims, as the JWT authorizer of REST APIs has them for
	// each of its issuers.
	AdditionalClaims []AdditionalClaim
	// IdentitySource is where the token is: "$request.header.NAME" or "$request.querystring.name",
	// or the same as REST APIs write it, "method.request.header.NAME". Empty means
	// "$request.header.Authorization".
	IdentitySource string

	// JWKSURL is where the key set is, in place of discovery.
	JWKSURL string
	// JWKS is a fixed key set (RFC 7517), in place of JWKSURL and discovery. Nothing is fetched
	// then.
	JWKS []byte
	// Algorithms lists the signature algorithms to accept. Empty means RS256, RS384, RS512, PS256,
	// PS384, PS512, ES256, ES384, ES512 and EdDSA. The managed gateway takes only the RSA ones.
	Algorithms []string
	// RequireType is the typ header that tokens must have, such as "at+jwt", which tells access
	// tokens from ID tokens (RFC 9068). Empty means any.
	RequireType string
	// Leeway is the clock skew allowed for exp, nbf and iat. 0 means none; at most 60 seconds.
	Leeway time.Duration

	// HTTPClient makes the requests for discovery and keys. nil means one that refuses link-local
	// addresses. A copy is used, which follows no redirect to another origin.
	HTTPClient *http.Client
	// FetchTimeout bounds each of these requests. 0 means 1.5 seconds, as on the managed gateway;
	// at most 30 seconds.
	FetchTimeout time.Duration
	// RefreshInterval is how often the keys are fetched in the background: a key that the issuer
	// withdrew lives no longer, tokens that it has verified before included. 0 means an hour; 1
	// minute to 24 hours.
	RefreshInterval time.Duration
	// RefetchInterval is the least time between two fetches because of tokens that name an unknown
	// key or fail with a known one. A new key is good within this time of its publication, whatever
	// tokens strangers send, and the time of one fetch. 0 means 10 seconds; at least 1 second.
	RefetchInterval time.Duration
	// MaxStale is how long beyond RefreshInterval keys are trusted while the issuer can't be
	// reached, or answers something else than a key set of at most 150,000 bytes; then the answer
	// is 500. A key set without a usable key is an answer: it counts at once, and tokens are a 401.
	// 0 means 24 hours, [Off] not at all; at most 30 days.
	MaxStale time.Duration
	// StartWithoutKeys lets NewJWT succeed while the issuer is down, where the answer is 500 until
	// it is back, or has no usable key. Without it NewJWT returns the error.
	StartWithoutKeys bool
	// InsecureAllowHTTP accepts an issuer and key sets over http on any host. Who is on the way to
	// it can then sign tokens.
	InsecureAllowHTTP bool

	// TokenCache is how many verified tokens are kept. 0 means 10,000, [Off] none; at most
	// 100,000,000. In any case they are at most 1,677 bytes each on average: 16 MiB of token text
	// for 10,000.
	TokenCache int
	// Logger gets what goes wrong in the background. nil means slog.Default().
	Logger *slog.Logger
}

const (
	maxLeeway              = 60 * time.Second
	defaultFetchTimeout    = 1500 * time.Millisecond
	maxFetchTimeout        = 30 * time.Second
	defaultRefreshInterval = time.Hour
	minRefreshInterval     = time.Minute
	maxRefreshInterval     = 24 * time.Hour
	defaultRefetchInterval = 10 * time.Second
	minRefetchInterval     = time.Second
	defaultMaxStale        = 24 * time.Hour
	maxMaxStale            = 30 * 24 * time.Hour
	defaultTokenCache      = 10_000
	maxTokenCache          = 100_000_000
	defaultTokenCacheBytes = 16 << 20
)

// algorithms are those that can be allowed, each with what verifies it.
var algorithms = map[string]jwt.SigningMethod{
	"RS256": jwt.SigningMethodRS256, "RS384": jwt.SigningMethodRS384, "RS512": jwt.SigningMethodRS512,
	"PS256": strictPSS(jwt.SigningMethodPS256), "PS384": strictPSS(jwt.SigningMethodPS384),
	"PS512": strictPSS(jwt.SigningMethodPS512),
	"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512,
	"EdDSA": jwt.SigningMethodEdDSA,
}

// strictPSS is m with the one length of salt that RFC 7518, section 3.5 allows: the hash's.
// golang-jwt verifies any.
func strictPSS(m *jwt.SigningMethodRSAPSS) *jwt.SigningMethodRSAPSS {
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: m.SigningMethodRSA,
		Options:          &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.Hash},
	}
}

// check returns every mistake in c.
func (c *JWTConfig) check() error {
	m := mistakes.In("auth: JWTConfig")
	if err := checkFetchURL(c.Issuer, c.InsecureAllowHTTP, true); err != nil {
		m.Add("Issuer", "%w", err)
	} else if u, _ := url.Parse(c.Issuer); u.RawQuery != "" || u.ForceQuery {
		m.Add("Issuer", "want an https URL without a query, got %q", c.Issuer)
	}
	m.Require(len(c.Audience) > 0, "Audience", "want at least one, got none")
	for i, audience := range c.Audience {
		m.Under("Audience").Index(i).Require(audience != "", "", `want an audience, got ""`)
	}
	checkAdditional(m.Under("AdditionalClaims"), c.AdditionalClaims)
	if _, err := parseIdentitySource(c.IdentitySource); err != nil {
		m.Add("IdentitySource", "%w", err)
	}
	if c.JWKSURL != "" {
		if err := checkFetchURL(c.JWKSURL, c.InsecureAllowHTTP, true); err != nil {
			m.Add("JWKSURL", "%w", err)
		}
		m.Require(c.JWKS == nil, "JWKS", "want it or JWKSURL, got both")
	}
	for i, name := range c.Algorithms {
		m.Under("Algorithms").Index(i).Require(algorithms[name] != nil, "",
			"want RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA, got %q", name)
	}
	m.Require(strings.TrimSpace(c.RequireType) == c.RequireType &&
		(mediaType(c.RequireType) != "" || c.RequireType == ""),
		"RequireType", `want a type such as "at+jwt", got %q`, c.RequireType)
	mistakes.Range(m, "Leeway", c.Leeway, 0, maxLeeway)
	mistakes.RangeOrZero(m, "FetchTimeout", c.FetchTimeout, time.Millisecond, maxFetchTimeout)
	mistakes.RangeOrZero(m, "RefreshInterval", c.RefreshInterval, minRefreshInterval, maxRefreshInterval)
	mistakes.RangeOrZero(m, "RefetchInterval", c.RefetchInterval, minRefetchInterval, maxRefreshInterval)
	zeroOrOff(m, "MaxStale", c.MaxStale, maxMaxStale)
	zeroOrOff(m, "TokenCache", c.TokenCache, maxTokenCache)
	return m.Err()
}

// withDefaults returns a copy of c that shares nothing with it and has every default filled in. In
// it 0 is none.
func (c *JWTConfig) withDefaults() JWTConfig {
	d := *c
	d.Audience = slices.Clone(c.Audience)
	d.Algorithms = slices.Clone(c.Algorithms)
	d.JWKS = slices.Clone(c.JWKS)
	d.AdditionalClaims = slices.Clone(c.AdditionalClaims)
	for i := range d.AdditionalClaims {
		d.AdditionalClaims[i].ExpectedValues = slices.Clone(d.AdditionalClaims[i].ExpectedValues)
	}
	if len(d.Algorithms) == 0 {
		for name := range algorithms {
			d.Algorithms = append(d.Algorithms, name)
		}
	}
	d.FetchTimeout = cmp.Or(c.FetchTimeout, defaultFetchTimeout)
	d.RefreshInterval = cmp.Or(c.RefreshInterval, defaultRefreshInterval)
	d.RefetchInterval = cmp.Or(c.RefetchInterval, defaultRefetchInterval)
	d.MaxStale = or(c.MaxStale, defaultMaxStale)
	d.TokenCache = or(c.TokenCache, defaultTokenCache)
	d.Logger = cmp.Or(c.Logger, slog.Default())
	return d
}
