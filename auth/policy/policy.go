// Package policy answers what a policy says of a request: it reads IAM policy documents and
// evaluates them as the managed gateway does for the answers of Lambda authorizers, for IAM callers
// and for resource policies.
//
//	p, err := policy.Parse(document)
//	d := policy.Evaluate(&policy.Request{Action: policy.Invoke, Resource: arn, SourceIP: client}, p)
//	if !d.Allowed() {
//		log.Print(d) // "explicit deny by statement 1 (OfficeOnly) of policy 0"
//	}
//
// A policy is parsed once: an element, operator or value that isn't known is an error that says
// where it is. What the managed gateway takes is taken, and what of it is odd is told by [Lint].
// Evaluation allocates nothing, and takes time in proportion to pattern and text, whatever the
// wildcards.
//
// # What is understood
//
// All of the grammar: Version, Id, Sid, Effect, Principal and NotPrincipal, Action and NotAction,
// Resource and NotResource, Condition with every operator, IfExists, ForAllValues:, ForAnyValue:
// and Null, and, in documents of version 2012-10-17, variables with defaults. The keys are those
// that a gateway can know ([Request]); further ones are in Request.Extra, others are missing.
//
// # Differences
//
//   - A condition that can't be evaluated (a value of the request isn't a number where one is
//     wanted) doesn't hold in a statement that allows, and holds in one that denies. So do several
//     values under an operator for one.
//   - A wildcard in the value of a variable is plain text: a user named * doesn't widen
//     ${aws:username}.
//   - Variables aren't known in Bool conditions, on which the manuals disagree.
//   - An empty list matches nothing, and "all but" an empty list (NotResource, NotAction,
//     NotPrincipal, a negated condition without values) holds only in a statement that denies.
//   - An ARN of fewer than six parts that ends in *, as arn:aws:execute-api:*, stands for all that
//     begin so. One that ends otherwise, has an empty part, or a wildcard for its service can be
//     read in several ways: it allows nothing, and denies all that it may mean.
//   - NotPrincipal in a statement that denies spares only callers that it lists by account, role
//     and session or user.
package policy

import (
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/iam"
)

// The actions of a gateway. ("Control access for invoking an API" of the developer guide.)
const (
	Invoke            = "execute-api:Invoke"
	InvalidateCache   = "execute-api:InvalidateCache"
	ManageConnections = "execute-api:ManageConnections"
)

// Policy is a parsed policy document. It is immutable and safe for concurrent use.
type Policy = iam.Policy

// Request is what a policy is asked about: Action, Resource (an ARN), Principal, Time, SourceIP and
// the further values of the table of condition keys. It is only read.
type Request = iam.Request

// Principal is who makes a request. The zero value is anonymous.
type Principal = iam.Principal

// PrincipalType is the kind of a [Principal].
type PrincipalType = iam.PrincipalType

// The kinds of principals.
const (
	Anonymous     = iam.Anonymous
	Account       = iam.Account
	User          = iam.User
	FederatedUser = iam.FederatedUser
	AssumedRole   = iam.AssumedRole
)

// Decision is the outcome of an evaluation: its Effect, and the Policy, Statement and Sid that
// decided.
type Decision = iam.Decision

// Effect is what policies say of a request.
type Effect = iam.Effect

// The effects.
const (
	ImplicitDeny = iam.ImplicitDeny
	ExplicitDeny = iam.ExplicitDeny
	Allow        = iam.Allow
)

// Parse reads an identity-based policy, as a Lambda authorizer answers it or an IAM user has it:
// its statements name no principal. The error says where each mistake is, as in "policy:
// Statement[1].Effect: want …".
func Parse(document string) (*Policy, error) { return parse(document, iam.Options{}) }

// ParseResource reads a resource-based policy, whose statements name principals. Its resources may
// have the short form "execute-api:/stage/METHOD/path", which means the API that is asked.
func ParseResource(document string) (*Policy, error) {
	return parse(document, iam.Options{Principals: true})
}

// Lint says what is wrong or odd in a document that [Parse] reads: its mistakes, or, where there
// are none, what is taken as the managed gateway takes it although the grammar has it otherwise,
// and what has no effect. Each entry says where it is and what to write, as in
// "Statement[0].Effect: want …"; nil is a document without any. It is for tests and reviews: no
// verdict depends on it.
func Lint(document string) []string { return lint(document, iam.Options{}) }

// LintResource is [Lint] of a document that [ParseResource] reads.
func LintResource(document string) []string { return lint(document, iam.Options{Principals: true}) }

func lint(document string, o iam.Options) []string {
	p, err := iam.Parse([]byte(document), o)
	if err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return p.Findings()
}

func parse(document string, o iam.Options) (*Policy, error) {
	p, err := iam.Parse([]byte(document), o)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

// Evaluate asks all policies: a statement that denies decides, else one that allows, else nothing
// is allowed. The order of statements and policies doesn't matter; a nil policy says nothing.
// ("Policy evaluation logic" of the IAM user guide.)
func Evaluate(r *Request, policies ...*Policy) Decision { return iam.Evaluate(r, policies...) }

// Verdict is what a function behind auth.NewCustom says of a caller. The zero value refuses.
type Verdict struct {
	// Principal identifies the caller.
	Principal string
	// Allow admits the caller to every route. It doesn't count if there is a Policy.
	Allow bool
	// Policy decides by the ARN of what is asked for, anew for each request that the verdict is
	// used for.
	Policy *Policy
	// Context is handed to the backend: strings, booleans and numbers.
	Context map[string]any
	// Scopes are what auth.Require's scopes are looked up in.
	Scopes []string
	// UsageKey is the caller's API key (usageIdentifierKey).
	UsageKey string
}
