package gatekit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// Authorization is what an authorizer learned of a caller. It is immutable and may be shared by all requests that carry one
// token: accessors return copies. All of them work on nil, which knows nothing.
type Authorization struct {
	principal  string
	authorizer string
	scopes     []string
	cognito    bool   // claims have the string form of Cognito authorizers
	claims     []byte // a JSON object, or nil; kept as text, which takes a third of the room of a map
	context    map[string]any
	usageKey   string
	caller     *IAMCaller
	others     []*Authorization

	fingerprint atomic.Pointer[[sha256.Size]byte] // once asked for
}

// AuthorizationFields are what [NewAuthorization] makes an [Authorization] from. All of them may be empty.
type AuthorizationFields struct {
	// Principal identifies the caller: a token's sub, a Lambda authorizer's principalId.
	Principal string
	// Authorizer is the authorizer's name (auth.Named).
	Authorizer string
	// Scopes are what the caller may do, one scope an entry.
	Scopes []string
	// Claims are a token's claims. They must be what encoding/json can write.
	Claims map[string]any
	// RawClaims is the JSON object of a token's claims as received; it stands in for Claims. No name may occur twice, in it and in the
	// objects within it, and they nest at most 100 deep.
	RawClaims []byte
	// CognitoClaims gives claims the string form of Cognito authorizers of REST APIs in place of that of JWT authorizers.
	CognitoClaims bool
	// Context is the context map of a Lambda authorizer: strings, numbers and booleans, and, of HTTP APIs with payload 2.0, lists ([]any)
	// and objects (map[string]any) of these.
	Context map[string]any
	// UsageKey is the API key that the authorizer found for the caller (usageIdentifierKey).
	UsageKey string
	// Caller is the IAM identity behind a signed request.
	Caller *IAMCaller
}

// maxClaimsDepth bounds what is done for lists in lists: each is decoded once for every list around it.
const maxClaimsDepth = 100

// NewAuthorization returns an Authorization that holds copies of f's values. Claims that aren't one JSON object in UTF-8, or that have a name
// twice, are left out, all of them: of two readers each would take another one, and rules on claims must fail closed.
func NewAuthorization(f AuthorizationFields) *Authorization {
	raw := bytes.TrimSpace(f.RawClaims)
	if raw == nil && f.Claims != nil {
		raw, _ = json.Marshal(f.Claims)
	}
	if strictjson.ObjectOfNames(raw, maxClaimsDepth, nil) != nil {
		raw = nil
	}
	a := &Authorization{
		principal:  f.Principal,
		authorizer: f.Authorizer,
		scopes:     slices.Clone(f.Scopes),
		cognito:    f.CognitoClaims,
		claims:     bytes.Clone(raw),
		context:    cloneContext(f.Context),
		usageKey:   f.UsageKey,
	}
	if f.Caller != nil {
		caller := *f.Caller
		a.caller = &caller
	}
	return a
}

// Named returns a copy of a under an authorizer's name.
func (a *Authorization) Named(authorizer string) *Authorization {
	if a == nil {
		return nil
	}
	named := a.copy()
	named.authorizer = authorizer
	return named
}

// copy shares the parts, as they are immutable.
func (a *Authorization) copy() *Authorization {
	return &Authorization{
		principal: a.principal, authorizer: a.authorizer, scopes: a.scopes, cognito: a.cognito, claims: a.claims,
		context: a.context, usageKey: a.usageKey, caller: a.caller, others: a.others,
	}
}

// With returns a copy of a with others beside it.
func (a *Authorization) With(others ...*Authorization) *Authorization {
	if a == nil {
		return nil
	}
	with := a.copy()
	with.others = slices.Concat(a.others, others)
	return with
}

// Others returns what further authorizers learned of the same request (auth.All), in a list of its own.
func (a *Authorization) Others() []*Authorization {
	if a == nil {
		return nil
	}
	return slices.Clone(a.others)
}

// Principal returns who is calling: a token's sub, a Lambda authorizer's principalId.
func (a *Authorization) Principal() string {
	if a == nil {
		return ""
	}
	return a.principal
}

// Authorizer returns the name of the authorizer that admitted the request, given with auth.Named, or "".
func (a *Authorization) Authorizer() string {
	if a == nil {
		return ""
	}
	return a.authorizer
}

// Scopes returns a copy of the caller's scopes, all of them and not only those that the route asked for.
func (a *Authorization) Scopes() []string {
	if a == nil {
		return nil
	}
	return slices.Clone(a.scopes)
}

// HasScope reports whether s is one of the caller's scopes, compared whole and byte by byte.
func (a *Authorization) HasScope(s string) bool {
	return a != nil && slices.Contains(a.scopes, s)
}

// Claims returns the token's claims in a map of its own, numbers as json.Number, or nil if there are none. Each call decodes
// them anew: read single claims with Claim or ClaimString.
func (a *Authorization) Claims() map[string]any {
	if a == nil || a.claims == nil {
		return nil
	}
	var claims map[string]any
	if err := a.decode(a.claims, &claims); err != nil {
		return nil
	}
	return claims
}

// Claim returns one claim, numbers as json.Number, and whether the token has it. A claim that is null is present.
func (a *Authorization) Claim(name string) (any, bool) {
	raw, ok := a.rawClaim(name)
	if !ok {
		return nil, false
	}
	var value any
	if err := a.decode(raw, &value); err != nil {
		return nil, false
	}
	return value, true
}

// ClaimString returns a claim in the string form that the managed gateway hands to integrations, and whether there is one: a
// number in full, an array as [a b]; from a Cognito authorizer an array as a,b and the times exp and iat as "Tue Apr 04 18:39:39 UTC 2023".
// A claim that is null counts as absent. (Recorded events of both.)
func (a *Authorization) ClaimString(name string) (string, bool) {
	raw, ok := a.rawClaim(name)
	if !ok {
		return "", false
	}
	return a.claimText(name, raw)
}

// ClaimStrings returns all claims in the form of [Authorization.ClaimString], in a map of its own, or nil if there are none.
func (a *Authorization) ClaimStrings() map[string]string {
	if a == nil || a.claims == nil {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(a.claims, &raw); err != nil {
		return nil
	}
	texts := make(map[string]string, len(raw))
	for name, value := range raw {
		if text, ok := a.claimText(name, value); ok {
			texts[name] = text
		}
	}
	return texts
}

// HasClaims reports whether there are claims: a token's, in contrast to what a function or a signature told.
func (a *Authorization) HasClaims() bool { return a != nil && a.claims != nil }

// AppendClaimStrings appends [Authorization.ClaimStrings] to b as a JSON object, in the token's order; {} if there are none.
func (a *Authorization) AppendClaimStrings(b []byte) []byte {
	b = append(b, '{')
	if a == nil || a.claims == nil {
		return append(b, '}')
	}
	first := true
	for rest := skipSpace(a.claims[1:]); len(rest) > 0 && rest[0] == '"'; {
		n := valueLength(rest)
		key := rest[:n]
		rest = skipSpace(rest[n:])
		rest = skipSpace(rest[1:]) // the colon
		n = valueLength(rest)
		value := rest[:n]
		if rest = skipSpace(rest[n:]); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
		if value[0] == 'n' {
			continue // null counts as absent
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, key...), ':')
		b = a.appendClaim(b, key, value)
	}
	return append(b, '}')
}

// appendClaim appends a claim that isn't null as a JSON string. Strings, words and whole numbers are in the text as they are to be.
func (a *Authorization) appendClaim(b, key, value []byte) []byte {
	switch c := value[0]; {
	case c == '"':
		return append(b, value...)
	case c == 't' || c == 'f' || !a.cognito && c != '[' && c != '{' && !bytes.ContainsAny(value, ".eE"):
		b = append(append(b, '"'), value...)
		return append(b, '"')
	}
	var name string
	_ = json.Unmarshal(key, &name) // valid, as all of the claims
	text, _ := a.claimText(name, value)
	quoted, _ := json.Marshal(text) // a string always encodes
	return append(b, quoted...)
}

func (a *Authorization) claimText(name string, raw []byte) (string, bool) {
	if a.cognito {
		return cognitoText(name, raw)
	}
	return claimText(raw)
}

// DecodeClaims decodes the claims into v as json.Unmarshal does. Without claims it decodes an empty object. A struct's fields take names in
// any letter case, the last one wins: where an issuer has claims whose names differ in that alone, decode into a map, or use Claim.
func (a *Authorization) DecodeClaims(v any) error {
	raw := []byte("{}")
	if a != nil && a.claims != nil {
		raw = a.claims
	}
	return json.Unmarshal(raw, v)
}

// Context returns a copy of the Lambda authorizer's context map, or nil.
func (a *Authorization) Context() map[string]any {
	if a == nil {
		return nil
	}
	return cloneContext(a.context)
}

// ContextValue returns one member of the Lambda authorizer's context map, and whether there is one. It copies no others.
func (a *Authorization) ContextValue(name string) (any, bool) {
	if a == nil {
		return nil, false
	}
	value, ok := a.context[name]
	return cloneValue(value), ok
}

// cloneContext copies lists and objects, too: nothing that is handed out is shared.
func cloneContext(context map[string]any) map[string]any {
	cloned := maps.Clone(context)
	for name, value := range cloned {
		cloned[name] = cloneValue(value)
	}
	return cloned
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return cloneContext(v)
	case []any:
		cloned := slices.Clone(v)
		for i := range cloned {
			cloned[i] = cloneValue(cloned[i])
		}
		return cloned
	}
	return value
}

// UsageKey returns the API key that the authorizer found for the caller (usageIdentifierKey), or "".
func (a *Authorization) UsageKey() string {
	if a == nil {
		return ""
	}
	return a.usageKey
}

// Caller returns the IAM identity behind a signed request, and whether there is one.
func (a *Authorization) Caller() (IAMCaller, bool) {
	if a == nil || a.caller == nil {
		return IAMCaller{}, false
	}
	return *a.caller, true
}

func (a *Authorization) rawClaim(name string) ([]byte, bool) {
	if a == nil || a.claims == nil {
		return nil, false
	}
	return objectMember(a.claims, name)
}

func (a *Authorization) decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}
