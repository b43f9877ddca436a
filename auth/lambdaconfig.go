package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/gatekit-go/gatekit/internal/selector"
)

// LambdaConfig configures a [Lambda]. The zero value is an authorizer of type REQUEST whose identity source is the Authorization header:
// payload format 2.0 on HTTP APIs, the REST and the WebSocket event on the others.
type LambdaConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	CacheConfig

	// Type is "REQUEST" (also if empty), or "TOKEN" on REST APIs, for functions that get one header and the method's ARN.
	Type string
	// PayloadFormatVersion is "2.0" (also if empty) or "1.0" on HTTP APIs. The other flavors have no versions, and want it empty.
	PayloadFormatVersion string
	// EnableSimpleResponses says that the function of an HTTP API with payload 2.0 answers {"isAuthorized": …} and not with a policy.
	EnableSimpleResponses bool
	// IdentityValidationExpression is a regular expression that the whole header of a TOKEN authorizer must match, or the answer is 401
	// and the function isn't called. It is RE2's syntax, whose time is linear: Java's look-around, back-references and possessive
	// quantifiers are refused.
	IdentityValidationExpression string
	// BodyDigestBytes, if positive, gives the function bodySha256, the SHA-256 of the body in lower-case hex, as a member of the event:
	// so it can check what a caller signed. A body of more bytes is a 413. It is not part of the managed gateway's events, and it is
	// part of the key under which decisions are kept. At most 10 MiB.
	BodyDigestBytes int64
	// Logger gets what is odd in the function's policies, which count as on the managed gateway all the same: once a minute at most, without
	// any caller's token or context. nil means slog.Default().
	Logger *slog.Logger
}

const (
	typeRequest = "REQUEST"
	typeToken   = "TOKEN"

	maxBody = 10 << 20
)

// check returns c with its defaults filled in, its sources and its expression.
func (c LambdaConfig) check() (LambdaConfig, []selector.Selector, *regexp.Regexp, error) {
	if c.Type == "" {
		c.Type = typeRequest
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Type == typeToken && len(c.IdentitySource) == 0 {
		c.IdentitySource = []string{defaultIdentitySource}
	}
	cache, sources, errs := c.CacheConfig.check("LambdaConfig")
	c.CacheConfig = cache
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("auth: LambdaConfig.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	switch {
	case c.Type != typeRequest && c.Type != typeToken:
		wrong("Type", "want REQUEST or TOKEN, got %s", quoted(c.Type))
	case c.Type == typeToken && (len(sources) != 1 || sources[0].Kind != selector.Header):
		wrong("IdentitySource", "want one header for a TOKEN authorizer, got %q", c.IdentitySource)
	case c.Type == typeToken && (c.PayloadFormatVersion != "" || c.EnableSimpleResponses || c.BodyDigestBytes != 0):
		wrong("Type", "want REQUEST with PayloadFormatVersion, EnableSimpleResponses or BodyDigestBytes, got TOKEN")
	}
	if v := c.PayloadFormatVersion; v != "" && v != "1.0" && v != "2.0" {
		wrong("PayloadFormatVersion", "want 1.0 or 2.0, got %s", quoted(v))
	} else if v == "1.0" && c.EnableSimpleResponses {
		wrong("EnableSimpleResponses", "want PayloadFormatVersion 2.0 with it, got 1.0")
	}
	if c.BodyDigestBytes < 0 || c.BodyDigestBytes > maxBody {
		wrong("BodyDigestBytes", "want 0 to %d, got %d", maxBody, c.BodyDigestBytes)
	}
	var expression *regexp.Regexp
	if c.IdentityValidationExpression != "" {
		if c.Type != typeToken {
			wrong("IdentityValidationExpression", "want Type TOKEN with it, got %s", quoted(c.Type))
		}
		var err error
		if expression, err = wholeMatch(c.IdentityValidationExpression); err != nil {
			wrong("IdentityValidationExpression", "%v", err)
		}
	}
	return c, sources, expression, errors.Join(errs...)
}

// wholeMatch compiles an expression that must match all of a text.
func wholeMatch(expression string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expression); err != nil { // alone: a ")(" must not close our group
		return nil, fmt.Errorf("want a regular expression of RE2, without look-around, back-references and possessive quantifiers: %v", err)
	}
	return regexp.Compile(`\A(?:` + expression + `)\z`)
}
