package auth

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Any returns an authorizer for callers that may show one of several credentials. The first member
// that finds credentials it can judge (doesn't say [ErrNoCredentials]) decides alone: a bad
// credential never falls through to the next member. Where none does, the answer is 401 with the
// challenges of all. Any panics if there is no member or one is nil.
func Any(as ...Authorizer) Authorizer { return &anyOf{members: members("Any", as)} }

// All returns an authorizer that admits whom every member admits. The first member's identity is
// the caller's; the others' are in Authorization.Others, in order. The first refusal is the answer.
// All panics if there is no member or one is nil.
func All(as ...Authorizer) Authorizer { return &allOf{members: members("All", as)} }

// Optional returns an authorizer that also admits callers without credentials, under an
// Authorization that knows nothing. Only [ErrNoCredentials] passes: who shows bad credentials is
// refused, and a fault is a 500. With scopes, callers without credentials have none, and are
// refused. Optional panics if a is nil.
func Optional(a Authorizer) Authorizer {
	return &optional{member: members("Optional", []Authorizer{a})[0]}
}

// Named returns a, whose Authorizations carry a name: which of several authorizers has admitted a
// request. Named panics if a is nil.
func Named(name string, a Authorizer) Authorizer {
	return &named{name, ask(members("Named", []Authorizer{a})[0])}
}

func members(function string, as []Authorizer) []Authorizer {
	if len(as) == 0 {
		panic("auth: " + function + ": want at least one Authorizer, got none")
	}
	for _, a := range as {
		if isNil(a) {
			panic("auth: " + function + ": want an Authorizer, got nil")
		}
	}
	return slices.Clone(as)
}

// withScopes returns a as the authorizer of a route that wants one of scopes.
func withScopes(a Authorizer, scopes []string) Authorizer {
	if s, ok := a.(Scoped); ok {
		return s.WithScopes(scopes...)
	}
	return &scopeCheck{member: a, scopes: checkedScopes(scopes)}
}

func allWithScopes(as []Authorizer, scopes []string) []Authorizer {
	scoped := make([]Authorizer, len(as))
	for i, a := range as {
		scoped[i] = withScopes(a, scopes)
	}
	return scoped
}

// asked is an Authorizer that another one asks.
type asked struct {
	authorizer Authorizer
	own        ruled // the same, if it notes itself what it finds
}

func ask(a Authorizer) asked {
	own, _ := a.(ruled)
	return asked{a, own}
}

// judge asks, has noted as rule what is found, and makes what isn't a verdict a fault.
func (a *asked) judge(rule string, r *http.Request) (*gatekit.Authorization, error) {
	if a.own != nil {
		return verdict(a.own.authorizeAs(rule, r))
	}
	n := notesOf(gatekit.From(r.Context()), rule, ruleForeign)
	found, err := verdict(a.authorizer.Authorize(r))
	n.said(err)
	return found, err
}

func judge(rule string, a Authorizer, r *http.Request) (*gatekit.Authorization, error) {
	of := ask(a)
	return of.judge(rule, r)
}

func verdict(found *gatekit.Authorization, err error) (*gatekit.Authorization, error) {
	if err == nil && found == nil {
		err = errNoVerdict
	}
	if err == nil {
		return found, nil
	}
	var rejection *gatekit.Rejection
	switch {
	case errors.As(err, &rejection):
		return nil, err
	case errors.Is(err, ErrNoCredentials):
		return nil, &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: err}
	}
	return nil, &gatekit.Rejection{Type: gatekit.AuthorizerFailure, Cause: err}
}

// scopeCheck gives scopes to an authorizer that doesn't know them.
type scopeCheck struct {
	member Authorizer
	scopes []string
}

func (c *scopeCheck) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return c.authorizeAs("", r)
}

func (c *scopeCheck) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	found, err := judge(rule, c.member, r)
	if err != nil {
		return nil, err
	}
	if err := c.check(gatekit.From(r.Context()), found); err != nil {
		return nil, err
	}
	return found, nil
}

// check returns nil, or the 403 of a caller without the scopes. It notes which it is.
func (c *scopeCheck) check(rc *gatekit.RequestContext, found *gatekit.Authorization) (err error) {
	scope, ok := scopeOf(found, c.scopes)
	if !ok {
		err = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errScope}
	}
	notesOf(rc, "", "").scoped(c.scopes, scope, err)
	return err
}

func (c *scopeCheck) WithScopes(scopes ...string) Authorizer { return withScopes(c.member, scopes) }

type anyOf struct{ members []Authorizer }

func (a *anyOf) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return a.authorizeAs("", r)
}

func (a *anyOf) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	var challenges []string
	add := func(challenge string) {
		if challenge != "" && !slices.Contains(challenges, challenge) {
			challenges = append(challenges, challenge)
		}
	}
	for _, member := range a.members {
		found, err := judge(rule, member, r)
		if !errors.Is(err, ErrNoCredentials) {
			return found, err
		}
		var rejection *gatekit.Rejection
		if errors.As(err, &rejection) {
			add(rejection.Challenge)
			for _, challenge := range rejection.Header["Www-Authenticate"] {
				add(challenge)
			}
		}
	}
	refusal := &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: causes[failMissing]}
	if len(challenges) > 0 {
		refusal.Challenge = challenges[0]
	}
	if len(challenges) > 1 {
		refusal.Header = http.Header{"Www-Authenticate": challenges[1:]}
	}
	return nil, refusal
}

// WithScopes implements [Scoped].
func (a *anyOf) WithScopes(scopes ...string) Authorizer {
	return &anyOf{members: allWithScopes(a.members, scopes)}
}

type allOf struct{ members []Authorizer }

func (a *allOf) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return a.authorizeAs("", r)
}

func (a *allOf) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	var first *gatekit.Authorization
	var others []*gatekit.Authorization
	for i, member := range a.members {
		found, err := judge(rule, member, r)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = found
		} else {
			others = append(others, found)
		}
	}
	return first.With(others...), nil
}

// WithScopes implements [Scoped]: the scopes are asked of the first member, whose identity is the
// caller's.
func (a *allOf) WithScopes(scopes ...string) Authorizer {
	scoped := slices.Clone(a.members)
	scoped[0] = withScopes(scoped[0], scopes)
	return &allOf{members: scoped}
}

type optional struct{ member Authorizer }

// anonymous knows nothing.
var anonymous = gatekit.NewAuthorization(gatekit.AuthorizationFields{})

func (o *optional) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return o.authorizeAs("", r)
}

func (o *optional) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	found, err := judge(rule, o.member, r)
	if errors.Is(err, ErrNoCredentials) {
		n := notesOf(gatekit.From(r.Context()), rule, ruleOptional)
		n.authenticated(reasonAnonymous, nil)
		return anonymous, nil
	}
	return found, err
}

// WithScopes implements [Scoped]. A route with scopes isn't optional any longer, as nobody without
// credentials has one.
func (o *optional) WithScopes(scopes ...string) Authorizer {
	if len(scopes) == 0 {
		return o
	}
	return withScopes(o.member, scopes)
}

type named struct {
	name string
	asked
}

func (n *named) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return n.authorizeAs(n.name, r)
}

func (n *named) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	found, err := n.judge(cmp.Or(rule, n.name), r)
	return found.Named(n.name), err
}

// WithScopes implements [Scoped].
func (n *named) WithScopes(scopes ...string) Authorizer {
	return Named(n.name, withScopes(n.authorizer, scopes))
}

// ByIssuer returns an authorizer for tokens of several issuers. The token's iss, not verified yet,
// only selects among the configured issuers, whose JWT then judges it; keys are never shared
// between them. A token of no configured issuer is refused as the first JWT refuses it. All must
// read the token from the same place. The error lists what is wrong.
func ByIssuer(js ...*JWT) (Authorizer, error) {
	m := mistakes.In("auth: ByIssuer")
	m.Require(len(js) > 0, "", "want at least one JWT, got none")
	seen := map[string]bool{}
	for i, j := range js {
		switch {
		case j == nil:
			m.Add("", "JWT %d: want a JWT, got nil", i)
		case seen[j.checks.issuer]:
			m.Add("", "JWT %d: want each issuer once, got %q twice", i, j.checks.issuer)
		case js[0] != nil && !j.identity.Same(&js[0].identity.Selector):
			m.Add("", "JWT %d: want the identity source of the first", i)
		default:
			seen[j.checks.issuer] = true
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &byIssuer{jwts: slices.Clone(js)}, nil
}

type byIssuer struct{ jwts []*JWT }

func (b *byIssuer) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return b.authorizeAs("", r)
}

func (b *byIssuer) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	return b.choose(r).authorizeAs(rule, r)
}

// choose looks for the token where tokens seen before are kept, before it takes a new one apart.
func (b *byIssuer) choose(r *http.Request) *JWT {
	text, _, cause := b.jwts[0].identity.token(r)
	if cause != nil {
		return b.jwts[0]
	}
	for _, j := range b.jwts {
		if j.cache.get(text) != nil {
			return j
		}
	}
	if t, _, ok := parseToken(text); ok {
		for _, j := range b.jwts {
			if j.checks.issuer == t.claims.issuer {
				return j
			}
		}
	}
	return b.jwts[0]
}

// WithScopes implements [Scoped].
func (b *byIssuer) WithScopes(scopes ...string) Authorizer {
	scoped := make([]*JWT, len(b.jwts))
	for i, j := range b.jwts {
		scoped[i] = j.withScopes(scopes)
	}
	return &byIssuer{jwts: scoped}
}
