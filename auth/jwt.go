package auth

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit"
)

// JWT is the JWT authorizer of HTTP APIs, for any OpenID Connect provider: it admits requests with
// a token that the issuer signed for one of the audiences. That of REST APIs, which has several
// issuers, is several of them under [ByIssuer]. It is safe for concurrent use. (Developer guide,
// "Controlling access to HTTP APIs with JWT authorizers", "Control access to REST APIs using JWT
// authorizers".)
type JWT struct {
	*verifier
	scopes     []string // at least one of them; empty: any token will do
	challenges *challenges
}

// verifier is what the JWTs of all routes share.
type verifier struct {
	identity identitySource
	methods  map[string]jwt.SigningMethod
	checks   checks
	source   *keySource
	keyfunc  keyfunc.Keyfunc // over source.set
	cache    *tokenCache     // Cognito's pools share one
	cognito  bool            // claims have Cognito's string form
}

var _ Scoped = (*JWT)(nil)

// NewJWT returns a JWT authorizer, or one error that lists every field it refuses. Unless cfg has a
// fixed key set, it fetches the issuer's keys before it returns, and the error tells if that fails
// (see JWTConfig.StartWithoutKeys). It copies cfg.
//
// Its refresh ends when ctx does, or with [JWT.Close]. It then still admits requests, until the
// keys are too old to be trusted.
func NewJWT(ctx context.Context, cfg JWTConfig) (*JWT, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	cache := newTokenCache(cfg.TokenCache, tokenCacheBytes(cfg.TokenCache))
	v, err := newVerifier(ctx, cfg, cache)
	if err != nil {
		return nil, err
	}
	return &JWT{verifier: v, challenges: newChallenges(nil)}, nil
}

// newVerifier starts what verifies an issuer's tokens. cfg has been checked and has its defaults.
func newVerifier(ctx context.Context, cfg JWTConfig, cache *tokenCache) (*verifier, error) {
	v := &verifier{methods: map[string]jwt.SigningMethod{}, cache: cache}
	v.identity, _ = parseIdentitySource(cfg.IdentitySource) // checked before
	for _, name := range cfg.Algorithms {
		v.methods[name] = algorithms[name]
	}
	v.checks = checks{issuer: cfg.Issuer, audience: cfg.Audience, typ: mediaType(cfg.RequireType),
		leeway: cfg.Leeway.Seconds(), additional: cfg.AdditionalClaims}
	set := &keySet{onReplace: v.cache.clear}
	fetcher := &fetcher{
		client: newClient(cfg.HTTPClient), issuer: cfg.Issuer, jwksURL: cfg.JWKSURL,
		insecure: cfg.InsecureAllowHTTP, timeout: cfg.FetchTimeout,
	}
	v.source = &keySource{
		set: set, fetch: fetcher.keys, issuer: cfg.Issuer, interval: cfg.RefreshInterval, maxStale: cfg.MaxStale,
		limiter: rate.NewLimiter(rate.Every(cfg.RefetchInterval), 1),
	}
	v.source.ctx, v.source.cancel = context.WithCancel(ctx)
	var err error
	if v.keyfunc, err = keyfunc.New(keyfunc.Options{Ctx: v.source.ctx, Storage: set,
		UseWhitelist: []jwkset.USE{"", jwkset.UseSig}}); err != nil {
		return nil, fmt.Errorf("auth: %v", err)
	}
	if err := v.start(cfg); err != nil {
		v.source.close()
		return nil, err
	}
	return v, nil
}

// start gets the first keys.
func (v *verifier) start(cfg JWTConfig) error {
	if cfg.JWKS != nil {
		keys, err := parseJWKS(cfg.JWKS)
		if err == nil && len(keys) == 0 {
			err = errNoKey
		}
		if err != nil {
			return fmt.Errorf("auth: JWTConfig.JWKS: %w", err)
		}
		v.source.fix(keys)
		return nil
	}
	v.source.set.refetch = v.source.refetch
	f, _ := v.source.join(false)
	if f == nil {
		return fmt.Errorf("auth: NewJWT: %w", context.Cause(v.source.ctx))
	}
	<-f.Done() // it has deadlines, and ends with the context
	_, fetchErr := f.Result()
	err := fetchErr
	if err == nil && v.source.set.size() == 0 {
		// which an API must not start with unless it says so
		err = fmt.Errorf("auth: the keys of %s: %w", cfg.Issuer, errNoKey)
	}
	if err != nil && !cfg.StartWithoutKeys {
		return err
	}
	if v.source.report(cfg.Logger); err != nil {
		v.source.note(err)
	}
	v.source.running.Add(1)
	go v.source.refresh(fetchErr != nil)
	return nil
}

// Close ends the refresh of the keys and waits for it. It returns nil. Requests are still judged by
// the keys at hand, until these are too old to be trusted.
func (j *JWT) Close() error {
	j.source.close()
	return nil
}

// WithScopes implements [Scoped]. It panics if a scope isn't a scope token (RFC 6749, section 3.3).
func (j *JWT) WithScopes(scopes ...string) Authorizer { return j.withScopes(scopes) }

func (j *JWT) withScopes(scopes []string) *JWT {
	scopes = checkedScopes(scopes)
	return &JWT{verifier: j.verifier, scopes: scopes, challenges: newChallenges(scopes)}
}

// Middleware is Require(j): it lets those requests in whose token is good.
func (j *JWT) Middleware(next http.Handler) http.Handler { return Require(j)(next) }

var errNoKeys = errors.New("auth: no keys of the issuer that can be trusted: it couldn't be reached")

// Authorize admits a request with a good token. Its errors are 401 Rejections with a
// WWW-Authenticate header that says which check failed, a 403 if the token has none of the route's
// scopes, and a 500 while there are no keys. A request without a token, or with an Authorization
// header of another scheme, is [ErrNoCredentials].
//
// It may wait for a fetch of the issuer's keys, within JWTConfig.FetchTimeout, if the token names a
// key that isn't known.
func (j *JWT) Authorize(r *http.Request) (*gatekit.Authorization, error) { return j.authorizeAs("", r) }

func (j *JWT) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	n := notesOf(gatekit.From(r.Context()), rule, ruleJWT)
	found, fail, err := j.authenticate(n, r)
	if err != nil {
		n.authenticated(checked[fail], err)
		return nil, err
	}
	n.authenticated("", nil)
	scope, ok := scopeOf(found, j.scopes)
	if !ok {
		err = j.challenges.forbidden()
		found = nil
	}
	n.scoped(j.scopes, scope, err)
	return found, err
}

// authenticate returns what a good token says, or why there is none, and the check that failed.
func (j *JWT) authenticate(n *notes, r *http.Request) (*gatekit.Authorization, failure, error) {
	text, fail, cause := j.identity.token(r)
	if cause != nil {
		rejection := j.challenges.unauthorized(fail)
		rejection.Cause = cause
		return nil, fail, rejection
	}
	now := time.Now()
	if !j.source.usable(now) {
		return nil, noFailure, &gatekit.Rejection{Type: gatekit.AuthorizerConfigurationError, Cause: errNoKeys}
	}
	found, fail, ok := j.known(r.Context(), n, text, now)
	if !ok {
		return nil, fail, j.challenges.unauthorized(fail)
	}
	return found, noFailure, nil
}

// known returns what a good token says, or what is wrong with it.
func (v *verifier) known(
	ctx context.Context, n *notes, text string, now time.Time,
) (*gatekit.Authorization, failure, bool) {
	token := v.cache.get(text)
	if v.cache != nil {
		n.remembered(token != nil)
	}
	if token == nil {
		return v.verify(ctx, n, text, now)
	}
	if fail, ok := v.checks.times(token.Value.expires, token.Value.notBefore, now); !ok {
		if fail == failExpired {
			v.cache.forget(token)
		}
		return nil, fail, false
	}
	return token.Value.authorization, 0, true
}

// verify judges a token that hasn't been seen before, or says what is wrong with it.
func (v *verifier) verify(
	ctx context.Context, n *notes, text string, now time.Time,
) (*gatekit.Authorization, failure, bool) {
	table := v.cache.table() // before the keys are read: see keySet.replace
	t, fail, ok := parseToken(text)
	if !ok {
		return nil, fail, false
	}
	method := v.methods[t.algorithm]
	switch {
	case method == nil:
		return nil, failAlgorithm, false
	case t.keyID == "":
		return nil, failKey, false
	case !v.checks.typed(t.typ):
		return nil, failType, false
	}
	if fail, ok := v.signature(ctx, t, method); !ok {
		return nil, fail, false
	}
	if fail, ok := v.checks.claims(&t.claims, now); !ok {
		return nil, fail, false
	}
	if claim := v.checks.failsAdditional(t.payload); claim != "" {
		n.failing(claim)
		return nil, failClaims, false
	}
	found := gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Principal: t.claims.subject, Scopes: t.claims.scopes, RawClaims: t.payload, CognitoClaims: v.cognito,
	})
	v.cache.put(table, text, verified{found, v, math.Floor(t.claims.expires), math.Ceil(t.claims.notBefore)})
	return found, 0, true
}

// signature checks the token's signature. A key that fails may have been replaced at the issuer
// under its old kid, so the set is then fetched once more, behind the same limiter as for an
// unknown kid.
func (v *verifier) signature(ctx context.Context, t *token, method jwt.SigningMethod) (failure, bool) {
	for retried := false; ; retried = true {
		key, fail, ok := v.key(ctx, t)
		if !ok {
			return fail, false
		}
		if method.Verify(t.signed, t.signature, key) == nil {
			return 0, true
		}
		if retried || !v.source.replaced(ctx, t.keyID, key) {
			return failSignature, false
		}
	}
}

// key returns the key that the token names, if it is one for the token's algorithm.
func (v *verifier) key(ctx context.Context, t *token) (any, failure, bool) {
	key, err := v.keyfunc.KeyfuncCtx(ctx)(&jwt.Token{
		Header: map[string]any{"alg": t.algorithm, jwkset.HeaderKID: t.keyID},
	})
	switch {
	case errors.Is(err, jwkset.ErrKeyNotFound):
		return nil, failKey, false
	case err != nil || !fitsKey(t.algorithm, key):
		return nil, failAlgorithm, false
	}
	return key, 0, true
}
