package auth

import (
	"cmp"
	"log/slog"
	"regexp"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// LambdaConfig configures a [Lambda]. The zero value is an authorizer of type REQUEST whose
// identity source is the Authorization header: payload format 2.0 on HTTP APIs, the REST and the
// WebSocket event on the others.
type LambdaConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	CacheConfig

	// Type is "REQUEST" (also if empty), or "TOKEN" on REST APIs, for functions that get one header
	// and the method's ARN.
	Type string
	// PayloadFormatVersion is "2.0" (also if empty) or "1.0" on HTTP APIs. The other flavors have
	// no versions, and want it empty.
	PayloadFormatVersion string
	// EnableSimpleResponses says that the function of an HTTP API with payload 2.0 answers
	// {"isAuthorized": …} and not with a policy.
	EnableSimpleResponses bool
	// IdentityValidationExpression is a regular expression that the whole header of a TOKEN
	// authorizer must match, or the answer is 401 and the function isn't called. It is RE2's
	// syntax, whose time is linear: Java's look-around, back-references and possessive quantifiers
	// are refused.
	IdentityValidationExpression string
	// BodyDigestBytes, if positive, gives the function bodySha256, the SHA-256 of the body in
	// lower-case hex, as a member of the event: so it can check what a caller signed. A body of
	// more bytes is a 413. It is not part of the managed gateway's events, and it is part of the
	// key under which decisions are kept. At most 10 MiB.
	BodyDigestBytes int64
	// Logger gets what is odd in the function's policies, which count as on the managed gateway all
	// the same: once a minute at most, without any caller's token or context. nil means
	// slog.Default().
	Logger *slog.Logger
}

const (
	typeRequest = "REQUEST"
	typeToken   = "TOKEN"

	maxBody = 10 << 20
)

// check returns c with its defaults filled in, its sources and its expression.
func (c LambdaConfig) check() (LambdaConfig, []selector.Selector, *regexp.Regexp, error) {
	m := mistakes.In("auth: LambdaConfig")
	c.Type = cmp.Or(c.Type, typeRequest)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Type == typeToken && len(c.IdentitySource) == 0 {
		c.IdentitySource = []string{defaultIdentitySource}
	}
	var sources []selector.Selector
	c.CacheConfig, sources = c.CacheConfig.check(m)
	switch {
	case c.Type != typeRequest && c.Type != typeToken:
		m.Add("Type", "want REQUEST or TOKEN, got %s", quoted(c.Type))
	case c.Type == typeToken && (len(sources) != 1 || sources[0].Kind != selector.Header):
		m.Add("IdentitySource", "want one header for a TOKEN authorizer, got %q", c.IdentitySource)
	case c.Type == typeToken && (c.PayloadFormatVersion != "" || c.EnableSimpleResponses || c.BodyDigestBytes != 0):
		m.Add("Type", "want REQUEST with PayloadFormatVersion, EnableSimpleResponses or BodyDigestBytes, got TOKEN")
	}
	switch v := c.PayloadFormatVersion; {
	case v != "" && v != "1.0" && v != "2.0":
		m.Add("PayloadFormatVersion", "want 1.0 or 2.0, got %s", quoted(v))
	case v == "1.0" && c.EnableSimpleResponses:
		m.Add("EnableSimpleResponses", "want PayloadFormatVersion 2.0 with it, got 1.0")
	}
	mistakes.Range(m, "BodyDigestBytes", c.BodyDigestBytes, 0, maxBody)
	m.Require(c.IdentityValidationExpression == "" || c.Type == typeToken, "IdentityValidationExpression",
		"want Type TOKEN with it, got %s", quoted(c.Type))
	expression := wholeMatch(m, c.IdentityValidationExpression)
	return c, sources, expression, m.Err()
}

// wholeMatch compiles an IdentityValidationExpression, which must match all of a text. It returns
// nil for none.
func wholeMatch(m *mistakes.Mistakes, expression string) *regexp.Regexp {
	if expression == "" {
		return nil
	}
	if _, err := regexp.Compile(expression); err != nil { // alone: a ")(" must not close our group
		m.Add("IdentityValidationExpression",
			"want a regular expression of RE2, without look-around, back-references and possessive quantifiers: %v",
			err)
		return nil
	}
	return regexp.MustCompile(`\A(?:` + expression + `)\z`)
}
