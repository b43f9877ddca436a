package auth

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Cognito is the Cognito user pool authorizer of REST APIs: it admits requests with an ID token of
// one of its pools, or, on routes with scopes, with an access token that has one of them. It is
// safe for concurrent use. (Developer guide, "Control access to REST APIs using Amazon Cognito user
// pools as an authorizer".)
type Cognito struct {
	*cognitoPools
	scopes []string
}

type cognitoPools struct {
	identity   identitySource
	expression *regexp.Regexp
	cache      *tokenCache
	pools      map[string]*verifier // by issuer
}

var _ Scoped = (*Cognito)(nil)

// NewCognito returns a Cognito authorizer, or one error that lists every field it refuses. It
// fetches the pools' keys before it returns (see CognitoConfig.StartWithoutKeys), and copies c. Its
// refreshes end when ctx does, or with [Cognito.Close].
func NewCognito(ctx context.Context, c CognitoConfig) (*Cognito, error) {
	configs, source, expression, err := c.check()
	if err != nil {
		return nil, err
	}
	cache := newTokenCache(configs[0].TokenCache, tokenCacheBytes(configs[0].TokenCache))
	verifiers, err := startPools(ctx, configs, cache)
	if err != nil {
		return nil, err
	}
	p := &cognitoPools{identity: identitySource{source}, expression: expression, cache: cache,
		pools: map[string]*verifier{}}
	for _, v := range verifiers {
		v.cognito = true
		p.pools[v.checks.issuer] = v
	}
	return &Cognito{cognitoPools: p}, nil
}

// Close ends the refresh of all pools' keys and waits for it. It returns nil.
func (c *Cognito) Close() error {
	for _, v := range c.pools {
		v.source.close()
	}
	return nil
}

// WithScopes implements [Scoped]. It panics if a scope isn't a scope token (RFC 6749, section 3.3).
func (c *Cognito) WithScopes(scopes ...string) Authorizer {
	return &Cognito{cognitoPools: c.cognitoPools, scopes: checkedScopes(scopes)}
}

// Middleware is Require(c).
func (c *Cognito) Middleware(next http.Handler) http.Handler { return Require(c)(next) }

var (
	errTokenUse = errors.New("auth: the route wants the other kind of token: an ID token without scopes, " +
		"an access token with them")
	errAppClient = errors.New("auth: the token's aud doesn't match IdentityValidationExpression")
	errNoPool    = errors.New("auth: the token is of no configured user pool")
)

// textExpired is what REST APIs say of an expired token, as users report it.
const textExpired = "The incoming token has expired"

// Authorize admits a request with a good token of the kind that the route wants. Its errors are
// 401s, one with a text of its own for an expired token, and a 500 while a pool's keys can't be
// had. A request without a token is [ErrNoCredentials].
func (c *Cognito) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return c.authorizeAs("", r)
}

func (c *Cognito) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	n := notesOf(gatekit.From(r.Context()), rule, ruleCognito)
	found, fail, err := c.authenticate(n, r)
	n.authenticated(checked[fail], err)
	if err != nil {
		return nil, err
	}
	scope, ok := scopeOf(found, c.scopes)
	if !ok {
		err = unauthorized(errScope)
		found = nil
	}
	n.scoped(c.scopes, scope, err)
	return found, err
}

func unauthorized(cause error) error {
	return &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: cause}
}

// authenticate returns what a good token of the kind that the route wants says, or why there is
// none, and the check that failed.
func (c *Cognito) authenticate(n *notes, r *http.Request) (*gatekit.Authorization, failure, error) {
	text, fail, cause := c.identity.token(r)
	if cause != nil {
		return nil, fail, unauthorized(cause)
	}
	pool := c.pool(text)
	if pool == nil {
		return nil, failIssuer, unauthorized(errNoPool)
	}
	now := time.Now()
	if !pool.source.usable(now) {
		return nil, noFailure, &gatekit.Rejection{Type: gatekit.AuthorizerConfigurationError, Cause: errNoKeys}
	}
	found, fail, ok := pool.known(r.Context(), n, text, now)
	switch {
	case !ok && fail == failExpired:
		refusal := &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: causes[fail]}
		if rc := gatekit.From(r.Context()); rc != nil && rc.API.Flavor == gatekit.REST {
			refusal.Message = textExpired
		}
		return nil, fail, refusal
	case !ok:
		return nil, fail, unauthorized(causes[fail])
	}
	want := "id"
	if len(c.scopes) > 0 {
		want = "access"
	}
	if use, _ := found.Claim("token_use"); use != want {
		return nil, noFailure, unauthorized(errTokenUse)
	}
	if c.expression != nil && !c.expression.MatchString(appClient(found)) {
		return nil, noFailure, unauthorized(errAppClient)
	}
	return found, noFailure, nil
}

// pool returns the pool that judges a token: the one that knows it, or the one that its iss, not
// verified yet, names.
func (c *Cognito) pool(text string) *verifier {
	if known := c.cache.get(text); known != nil {
		return known.Value.by
	}
	if t, _, ok := parseToken(text); ok {
		return c.pools[t.claims.issuer]
	}
	if len(c.pools) == 1 {
		for _, v := range c.pools {
			return v // it says what is wrong with the token
		}
	}
	return nil
}

// appClient returns the app client that an ID token is for: its only aud.
func appClient(found *gatekit.Authorization) string {
	switch aud, _ := found.Claim("aud"); aud := aud.(type) {
	case string:
		return aud
	case []any:
		if len(aud) == 1 {
			client, _ := aud[0].(string)
			return client
		}
	}
	return ""
}
