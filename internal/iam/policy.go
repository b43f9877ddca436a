// Package iam is the policy engine: it parses IAM policy documents once and evaluates them many
// times, without allocating. Its public face is auth/policy; caches and connections ask it for
// permissions, too.
//
// Nothing is compiled when a request comes: patterns are cut at their stars, addresses and dates
// are parsed, keys are numbers, so that an evaluation is comparisons of text that is there already.
// What it costs is bounded by the documents' size times the request's: a statement is asked once, a
// pattern reads its text once (see glob), and no statement's outcome depends on another's.
//
// Whatever can't be evaluated closes: a statement that allows is passed over, one that denies
// denies. (IAM user guide, "Grammar of the IAM JSON policy language", "Policy evaluation logic".)
package iam

import (
	"slices"
	"strings"
)

// Policy is a parsed policy document. It is immutable and safe for concurrent use.
type Policy struct {
	statements []statement
	findings   []string
}

// Findings says what is odd in the policy: what is taken as the managed gateway takes it, though
// the grammar has it otherwise, or what has no effect. Each says where it is, and what to write. At
// most 20 are kept; nil is a policy without any.
func (p *Policy) Findings() []string { return slices.Clone(p.findings) }

type statement struct {
	sid           string
	deny          bool
	principals    *principals // nil in identity-based policies
	notPrincipals bool
	actions       []glob // in lower case
	notActions    bool
	resources     []arnGlob
	notResources  bool
	conditions    []condition
}

// Effect is what policies say of a request.
type Effect uint8

// The effects. The zero value is the one that refuses without a statement that says so.
const (
	ImplicitDeny Effect = iota
	ExplicitDeny
	Allow
)

// Decision is the outcome of an evaluation.
type Decision struct {
	// Effect is what all policies say together.
	Effect Effect
	// Policy is the index of the policy, Statement that of the statement, that decided; both are -1
	// if none did.
	Policy, Statement int
	// Sid is that statement's Sid, or "".
	Sid string
}

// Allowed reports whether the effect is Allow.
func (d Decision) Allowed() bool { return d.Effect == Allow }

// String says which statement decided: "explicit deny by statement 2 (OfficeOnly) of policy 0".
func (d Decision) String() string {
	if d.Statement < 0 {
		return "implicit deny: no statement applies"
	}
	return d.Effect.String() + " by " + d.where()
}

// actionName is an action in lower case. Those of a gateway cost no allocation.
func actionName(action string) string {
	switch action {
	case "execute-api:Invoke":
		return "execute-api:invoke"
	case "execute-api:InvalidateCache":
		return "execute-api:invalidatecache"
	case "execute-api:ManageConnections":
		return "execute-api:manageconnections"
	}
	return strings.ToLower(action)
}

// Evaluate asks all policies: a statement that denies decides, else one that allows, else nothing
// is allowed. The order of statements and of policies doesn't matter. A nil policy says nothing.
func Evaluate(r *Request, policies ...*Policy) Decision {
	decision := Decision{Policy: -1, Statement: -1}
	arn, isARN := splitARN(r.Resource, false)
	action := actionName(r.Action)
	for i, p := range policies {
		if p == nil {
			continue
		}
		for j := range p.statements {
			s := &p.statements[j]
			if !s.deny && decision.Effect == Allow || s.obstacle(r, action, &arn, isARN) != applies {
				continue
			}
			if s.deny {
				return Decision{ExplicitDeny, i, j, s.sid}
			}
			decision = Decision{Allow, i, j, s.sid}
		}
	}
	return decision
}

// obstacle is an element of a statement by which it isn't about a request. Those from ofCondition
// on are its conditions, in order.
type obstacle int

const (
	applies obstacle = iota // none is
	ofAction
	ofResource
	ofPrincipal
	ofCondition
)

// obstacle returns the first element by which the statement isn't about the request. All of its
// elements must be; they are asked from the cheapest on. What is decided doesn't show the order: no
// element changes anything, and one that can't be evaluated is only ever a condition, which comes
// last.
//
// Where an element can be read in two ways, the statement's effect chooses: the reading in which
// less is allowed. So a doubt never opens, and a document that the managed gateway takes needn't be
// refused for it.
func (s *statement) obstacle(r *Request, action string, arn *arnParts, isARN bool) obstacle {
	// An empty list matches nothing. Read like this, all but an empty list would allow everything,
	// which nobody has written.
	if !s.deny && s.notActions && len(s.actions) == 0 {
		return ofAction
	}
	if !s.deny && s.notResources && len(s.resources) == 0 {
		return ofResource
	}
	if slices.ContainsFunc(s.actions, func(g glob) bool { return g.match(action, r) }) == s.notActions {
		return ofAction
	}
	// A pattern that can be read in two ways is read in the one that allows less. A request for
	// what is no ARN is for nothing that a pattern but * can name.
	wide := s.deny != s.notResources
	if slices.ContainsFunc(s.resources, func(a arnGlob) bool {
		return a.all || isARN &&
			a.match(arn, r, wide)
	}) == s.notResources {
		return ofResource
	}
	if s.principals != nil && !s.principals.apply(&r.Principal, s.notPrincipals, s.deny) {
		return ofPrincipal
	}
	for i := range s.conditions {
		switch s.conditions[i].evaluate(r) {
		case doesNotHold:
			return ofCondition + obstacle(i)
		case failed:
			if !s.deny {
				return ofCondition + obstacle(i)
			}
		}
	}
	return applies
}

// String returns "implicit deny", "explicit deny" or "allow".
func (e Effect) String() string {
	switch e {
	case Allow:
		return "allow"
	case ExplicitDeny:
		return "explicit deny"
	}
	return "implicit deny"
}
