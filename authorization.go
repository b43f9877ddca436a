package gatekit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// Authorization is what an authorizer learned of a caller. It is immutable and may be shared by all
// requests that carry one token: accessors return copies. All of them work on nil, which knows
// nothing.
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

// AuthorizationFields are what [NewAuthorization] makes an [Authorization] from. All of them may be
// empty.
type AuthorizationFields struct {
	// Principal identifies the caller: a token's sub, a Lambda authorizer's principalId.
	Principal string
	// Authorizer is the authorizer's name (auth.Named).
	Authorizer string
	// Scopes are what the caller may do, one scope an entry.
	Scopes []string
	// Claims are a token's claims. They must be what encoding/json can write.
	Claims map[string]any
	// RawClaims is the JSON object of a token's claims as received; it stands in for Claims. No
	// name may occur twice, in it and in the objects within it, and they nest at most 100 deep.
	RawClaims []byte
	// CognitoClaims gives claims the string form of Cognito authorizers of REST APIs in place of
	// that of JWT authorizers.
	CognitoClaims bool
	// Context is the context map of a Lambda authorizer: strings, numbers and booleans, and, of
	// HTTP APIs with payload 2.0, lists ([]any) and objects (map[string]any) of these.
	Context map[string]any
	// UsageKey is the API key that the authorizer found for the caller (usageIdentifierKey).
	UsageKey string
	// Caller is the IAM identity behind a signed request.
	Caller *IAMCaller
}

// maxClaimsDepth bounds what is done for lists in lists: each is passed over once for every list
// around it.
const maxClaimsDepth = 100

// NewAuthorization returns an Authorization that holds copies of f's values. Claims that aren't one
// JSON object in UTF-8, or that have a name twice, are left out, all of them: of two readers each
// would take another one, and rules on claims must fail closed.
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

// Others returns what further authorizers learned of the same request (auth.All), in a list of its
// own.
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

// Authorizer returns the name of the authorizer that admitted the request, given with auth.Named,
// or "".
func (a *Authorization) Authorizer() string {
	if a == nil {
		return ""
	}
	return a.authorizer
}

// Scopes returns a copy of the caller's scopes, all of them and not only those that the route asked
// for.
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

// Context returns a copy of the Lambda authorizer's context map, or nil.
func (a *Authorization) Context() map[string]any {
	if a == nil {
		return nil
	}
	return cloneContext(a.context)
}

// ContextValue returns one member of the Lambda authorizer's context map, and whether there is one.
// It copies no others.
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

// UsageKey returns the API key that the authorizer found for the caller (usageIdentifierKey), or
// "".
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

// perToken are the claims that tell one token of a caller from the next, and nothing of the caller.
// (RFC 7519, section 4.1; OpenID Connect Core 1.0, section 2; Cognito's tokens.)
var perToken = map[string]bool{
	"exp": true, "nbf": true, "iat": true, "jti": true, "auth_time": true, "nonce": true,
	"at_hash": true, "c_hash": true, "s_hash": true,
	"sid": true, "event_id": true, "origin_jti": true,
}

// Fingerprint is a digest of all that an authorizer learned of a caller, and of the API key that it
// found: two requests with one fingerprint may have one answer. Of a token's claims those are left
// out that differ from token to token (exp, iat, jti …), so that a caller keeps the fingerprint
// when the token is renewed. It is computed at the first call, and zero on nil.
func (a *Authorization) Fingerprint() [sha256.Size]byte {
	if a == nil {
		return [sha256.Size]byte{}
	}
	if known := a.fingerprint.Load(); known != nil {
		return *known
	}
	sum := sha256.Sum256(a.appendIdentity(nil))
	a.fingerprint.Store(&sum)
	return sum
}

// appendIdentity appends what Fingerprint is made of, each part after its length.
func (a *Authorization) appendIdentity(b []byte) []byte {
	text := func(parts ...string) {
		for _, s := range parts {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	scopes := slices.Sorted(slices.Values(a.scopes))
	b = binary.AppendUvarint(b, uint64(len(scopes)))
	text(scopes...)
	text(a.principal, a.authorizer, a.usageKey)
	claims := map[string][]byte{}
	for quoted, value := range jsonscan.Members(a.claims) {
		if name, _ := jsonscan.Text(quoted); !perToken[name] {
			claims[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		text(name, string(claims[name]))
	}
	b = append(b, 0)
	context, err := json.Marshal(a.context) // sorts
	if err != nil {
		context = []byte(err.Error()) // strings, numbers, booleans: NaN at most
	}
	text(string(context))
	if a.caller != nil {
		caller, _ := json.Marshal(a.caller) // strings
		text(string(caller))
	}
	b = append(b, 0)
	for _, other := range a.others {
		sum := other.Fingerprint()
		b = append(b, sum[:]...)
	}
	return b
}
