package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/selector"
)

// CognitoConfig configures a [Cognito]. The zero value is refused: no user pool is a safe default.
type CognitoConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// UserPools are the pools whose users may call, as ARNs: "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbC". 1 to 1,000;
	// they may be of several accounts and regions.
	UserPools []string
	// IdentitySource is the header with the token: "method.request.header.NAME", or "$request.header.NAME". Empty means the Authorization
	// header.
	IdentitySource string
	// IdentityValidationExpression is a regular expression (RE2) that the whole aud of a token must match: the app clients that may call.
	// Without it those of all clients of the pools may. Access tokens have no aud and never match.
	IdentityValidationExpression string
	// Issuers gives pools, by their ARNs, other issuers than Cognito's, with discovery: for tests, and for servers that stand in for
	// Cognito. https URLs, or http ones on a loopback host.
	Issuers map[string]string

	// HTTPClient, RefreshInterval, MaxStale, StartWithoutKeys, TokenCache and Logger are as in [JWTConfig]. The pools share one TokenCache.
	HTTPClient       *http.Client
	RefreshInterval  time.Duration
	MaxStale         time.Duration
	StartWithoutKeys bool
	TokenCache       int
	Logger           *slog.Logger
}

const maxUserPools = 1000

var userPoolForm = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):cognito-idp:([a-z0-9-]+):[0-9]{12}:userpool/(([a-z0-9-]+)_[0-9A-Za-z]+)$`)

// poolSource is where the token of a pool's user can be: in a header.
var poolSource = selector.Grammar{Forms: []selector.Form{selector.Method, selector.Dollar}, Kinds: selector.Header}

// check returns a JWTConfig for each pool and the expression, or every mistake.
func (c *CognitoConfig) check() (pools []JWTConfig, source selector.Selector, expression *regexp.Regexp, err error) {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("auth: CognitoConfig.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if n := len(c.UserPools); n == 0 || n > maxUserPools {
		wrong("UserPools", "want 1 to %d, got %d", maxUserPools, n)
	}
	source, sourceErr := poolSource.Parse(cmp.Or(c.IdentitySource, defaultIdentitySource))
	if sourceErr != nil {
		wrong("IdentitySource", "%v", sourceErr)
	}
	if c.IdentityValidationExpression != "" {
		if expression, err = wholeMatch(c.IdentityValidationExpression); err != nil {
			wrong("IdentityValidationExpression", "%v", err)
		}
	}
	seen := map[string]bool{}
	for i, pool := range c.UserPools[:min(len(c.UserPools), maxUserPools)] {
		field := fmt.Sprintf("UserPools[%d]", i)
		m := userPoolForm.FindStringSubmatch(pool)
		if m == nil || m[2] != m[4] {
			wrong(field, "want an ARN such as arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbC, got %s", quoted(pool))
			continue
		}
		domain := ".amazonaws.com"
		if m[1] == "aws-cn" {
			domain = ".amazonaws.com.cn"
		}
		issuer := "https://cognito-idp." + m[2] + domain + "/" + m[3]
		if other, ok := c.Issuers[pool]; ok {
			issuer = other
		}
		if seen[issuer] {
			wrong(field, "want each pool and issuer once, got %s twice", quoted(pool))
		}
		seen[issuer] = true
		j := JWTConfig{
			Issuer: issuer, Audience: []string{"any"}, Algorithms: []string{"RS256"}, HTTPClient: c.HTTPClient, RefreshInterval: c.RefreshInterval,
			MaxStale: c.MaxStale, StartWithoutKeys: c.StartWithoutKeys, TokenCache: c.TokenCache, Logger: c.Logger,
		}
		if err := j.check(); err != nil {
			wrong(field, "%v", err)
			continue
		}
		j = j.withDefaults()
		j.Audience = nil // anyone's
		pools = append(pools, j)
	}
	for pool := range c.Issuers {
		if !strings.Contains("\n"+strings.Join(c.UserPools, "\n")+"\n", "\n"+pool+"\n") {
			wrong("Issuers", "want ARNs of UserPools, got %s", quoted(pool))
		}
	}
	return pools, source, expression, errors.Join(errs...)
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
