package definitiontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// tokenPlace is where a request has its token, and what a transcript has in its place.
const tokenPlace = "{token}"

// tokens mints what the document's JWT and Cognito authorizers take. Its issuer starts when
// something asks for it.
type tokens struct {
	issuer func() *authtest.Issuer
	aud    []string

	mu      sync.Mutex
	issuers map[string]bool // whose tokens it mints
}

func newTokens(t *testing.T, doc *definition.Document) *tokens {
	s := &tokens{issuers: map[string]bool{}}
	s.issuer = sync.OnceValue(func() *authtest.Issuer { return authtest.NewIssuer(t) })
	if doc == nil {
		return s
	}
	for _, api := range doc.APIs {
		for _, name := range sortedNames(api.Authorizers) {
			for _, audience := range api.Authorizers[name].Audience {
				if !slices.Contains(s.aud, audience) {
					s.aud = append(s.aud, audience)
				}
			}
		}
	}
	return s
}

// bind puts the issuer behind what the bindings have. An issuer keeps the document's name, so that
// functions are told it; a user pool is where its keys are.
func (s *tokens) bind(b definition.Bindings) definition.Bindings {
	other := b.OtherIssuer
	b.OtherIssuer = func(r definition.Ref) (definition.IssuerBinding, bool) {
		if other != nil {
			if bound, ok := other(r); ok {
				return bound, true
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range r.Also {
			if strings.HasPrefix(name, "https://") {
				s.issuers[name] = true
				return definition.IssuerBinding{JWKS: s.issuer().JWKS()}, true
			}
		}
		s.issuers[s.issuer().URL()] = true
		return definition.IssuerBinding{URL: s.issuer().URL()}, true
	}
	return b
}

// request is the case's, with its token in it.
func (s *tokens) request(c Case) (text, token string, err error) {
	if c.Claims == nil {
		return c.Request, "", nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The times are always the same, and so is what functions are told of them.
	claims := authtest.Claims{"iat": 1_700_000_000, "exp": int64(4_102_444_799)}
	issuers := sortedNames(s.issuers)
	_, says := c.Claims["iss"]
	switch {
	case len(issuers) == 0:
		return "", "", errors.New("the document has no issuer that isn't bound: mint the token with the one that is")
	case len(issuers) == 1:
		claims["iss"] = issuers[0]
	case !says:
		return "", "", fmt.Errorf("want iss, as the document has several: %q", issuers)
	}
	if len(s.aud) == 1 {
		claims["aud"] = s.aud[0]
	}
	maps.Copy(claims, c.Claims)
	token = s.issuer().Mint(claims)
	if strings.Contains(c.Request, tokenPlace) {
		return strings.ReplaceAll(c.Request, tokenPlace, token), token, nil
	}
	line, rest, more := strings.Cut(c.Request, "\n")
	text = line + "\nAuthorization: Bearer " + token
	if more {
		text += "\n" + rest
	}
	return text, token, nil
}

// Allow is what a Lambda authorizer's function answers that lets its caller call everything, with a
// policy: for REST and WebSocket APIs, and HTTP APIs without simple responses, whose functions
// answer {"isAuthorized":true,"context":{…}}. The context goes to the integration; it may be nil.
func Allow(principal string, context map[string]any) string {
	return verdict("Allow", principal, context)
}

// Deny is what one answers that refuses everything, with 403.
func Deny(principal string) string { return verdict("Deny", principal, nil) }

func verdict(effect, principal string, context map[string]any) string {
	answer := map[string]any{
		"principalId": principal,
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"},
		}},
	}
	if context != nil {
		answer["context"] = context
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Errorf("definitiontest: Allow: context: %w", err)) // a literal's, which no JSON can say
	}
	return string(text)
}
