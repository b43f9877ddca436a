package auth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// CognitoConfig configures a [Cognito]. The zero value is refused: no user pool is a safe default.
type CognitoConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// UserPools are the pools whose users may call, as ARNs:
	// "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbC". 1 to 1,000; they may be
	// of several accounts and regions.
	UserPools []string
	// IdentitySource is the header with the token: "method.request.header.NAME", or
	// "$request.header.NAME". Empty means the Authorization header.
	IdentitySource string
	// IdentityValidationExpression is a regular expression (RE2) that the whole aud of a token must
	// match: the app clients that may call. Without it those of all clients of the pools may.
	// Access tokens have no aud and never match.
	IdentityValidationExpression string
	// Issuers gives pools, by their ARNs, other issuers than Cognito's, with discovery: for tests,
	// and for servers that stand in for Cognito. https URLs, or http ones on a loopback host.
	Issuers map[string]string

	// Leeway, HTTPClient, RefreshInterval, MaxStale, StartWithoutKeys, TokenCache and Logger are as
	// in [JWTConfig]. The pools share one TokenCache.
	Leeway           time.Duration
	HTTPClient       *http.Client
	RefreshInterval  time.Duration
	MaxStale         time.Duration
	StartWithoutKeys bool
	TokenCache       int
	Logger           *slog.Logger
}

const maxUserPools = 1000

var userPoolForm = regexp.MustCompile(
	`^arn:(aws|aws-cn|aws-us-gov):cognito-idp:([a-z0-9-]+):[0-9]{12}:userpool/(([a-z0-9-]+)_[0-9A-Za-z]+)$`)

// poolSource is where the token of a pool's user can be: in a header.
var poolSource = selector.Grammar{Forms: []selector.Form{selector.Method, selector.Dollar}, Kinds: selector.Header}

// check returns a JWTConfig for each pool, where the token is, and the expression, or every
// mistake.
func (c *CognitoConfig) check() (pools []JWTConfig, source selector.Selector, expression *regexp.Regexp, err error) {
	m := mistakes.In("auth: CognitoConfig")
	mistakes.Range(m, "UserPools", len(c.UserPools), 1, maxUserPools)
	if source, err = poolSource.Parse(cmp.Or(c.IdentitySource, defaultIdentitySource)); err != nil {
		m.Add("IdentitySource", "%w", err)
	}
	expression = wholeMatch(m, c.IdentityValidationExpression)
	seen := map[string]bool{}
	for i, pool := range c.UserPools[:min(len(c.UserPools), maxUserPools)] {
		in := m.Under("UserPools").Index(i)
		issuer, ok := c.issuer(pool)
		if !ok {
			in.Add("", "want an ARN such as arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbC, got %s",
				quoted(pool))
			continue
		}
		in.Require(!seen[issuer], "", "want each pool and issuer once, got %s twice", quoted(pool))
		seen[issuer] = true
		j := JWTConfig{
			Issuer: issuer, Audience: []string{"any"}, Algorithms: []string{"RS256"}, HTTPClient: c.HTTPClient,
			Leeway: c.Leeway, RefreshInterval: c.RefreshInterval,
			MaxStale: c.MaxStale, StartWithoutKeys: c.StartWithoutKeys, TokenCache: c.TokenCache,
			Logger: c.Logger,
		}
		if err := j.check(); err != nil {
			in.Add("", "%w", err)
			continue
		}
		j = j.withDefaults()
		j.Audience = nil // anyone's
		pools = append(pools, j)
	}
	for pool := range c.Issuers {
		m.Require(slices.Contains(c.UserPools, pool), "Issuers", "want ARNs of UserPools, got %s", quoted(pool))
	}
	return pools, source, expression, m.Err()
}

// issuer returns the issuer of a pool's tokens. ok is false if pool isn't a user pool's ARN, whose
// id begins with its region.
func (c *CognitoConfig) issuer(pool string) (issuer string, ok bool) {
	m := userPoolForm.FindStringSubmatch(pool)
	if m == nil || m[2] != m[4] {
		return "", false
	}
	if other, ok := c.Issuers[pool]; ok {
		return other, true
	}
	domain := ".amazonaws.com"
	if m[1] == "aws-cn" {
		domain = ".amazonaws.com.cn"
	}
	return "https://cognito-idp." + m[2] + domain + "/" + m[3], true
}

// startPools starts a verifier for each pool, all at once, since each waits for its issuer.
func startPools(ctx context.Context, configs []JWTConfig, cache *tokenCache) ([]*verifier, error) {
	const together = 16
	pools, errs := make([]*verifier, len(configs)), make([]error, len(configs))
	slots, done := make(chan struct{}, together), make(chan struct{})
	for i := range configs {
		go func() {
			slots <- struct{}{}
			pools[i], errs[i] = newVerifier(ctx, configs[i], cache)
			<-slots
			done <- struct{}{}
		}()
	}
	for range configs {
		<-done
	}
	err := errors.Join(errs...)
	if err != nil {
		for _, p := range pools {
			if p != nil {
				p.source.close()
			}
		}
	}
	return pools, err
}
