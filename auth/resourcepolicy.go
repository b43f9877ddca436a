package auth

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// ResourcePolicyConfig configures a [ResourcePolicy]. The zero value is refused: without a policy
// there is nothing to ask.
type ResourcePolicyConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Document is a resource-based IAM policy, whose statements have a Principal. Resources may
	// have the short form "execute-api:/stage/METHOD/path". At most 8,192 characters but for
	// blanks. What is odd in it is logged to slog.Default() (see policy.LintResource).
	Document string
	// AllowSourceIPs lets only these addresses and ranges in ("192.0.2.0/24"): it denies all
	// others, whatever else allows them.
	AllowSourceIPs []string
	// DenySourceIPs keeps these addresses and ranges out. Without a Document, everybody else is
	// allowed.
	DenySourceIPs []string

	// TrustedProxies are the addresses or ranges of the proxies whose headers say through which VPC
	// endpoint a request came. None by default: then the three headers below are not read.
	TrustedProxies []string
	// SourceVPCEHeader and SourceVPCHeader are the headers in which these proxies put the ids of
	// the endpoint and of its VPC (aws:SourceVpce, aws:SourceVpc). A request that has one came
	// through an endpoint: it has aws:VpcSourceIp in place of aws:SourceIp.
	SourceVPCEHeader, SourceVPCHeader string

	// SilenceAllowsTokens admits a caller whom a JWT or Cognito authorizer has admitted where the
	// policy says nothing, as a table of the developer guide has it. Its text says that the policy
	// must allow explicitly, which is the default.
	SilenceAllowsTokens bool
}

// ResourcePolicy is the policy of a REST API itself: who may come from where, whatever the
// authorizer says. It is safe for concurrent use. Alone it stands for methods without an
// authorizer, before one [ResourcePolicy.With] weighs both. (Developer guide, "Control access to a
// REST API with API Gateway resource policies", "How API Gateway resource policies affect
// authorization workflow".)
type ResourcePolicy struct {
	policies  []*policy.Policy
	proxies   *gatekit.TrustedProxies
	names     []string // of policies, in notes; "" is Document's
	vpce, vpc string   // canonical header names
	lenient   bool
}

const maxResourcePolicy = 8192

// NewResourcePolicy returns a resource policy, or one error that lists every field it refuses.
func NewResourcePolicy(c ResourcePolicyConfig) (*ResourcePolicy, error) {
	p := &ResourcePolicy{
		lenient: c.SilenceAllowsTokens,
		vpce:    textproto.CanonicalMIMEHeaderKey(c.SourceVPCEHeader),
		vpc:     textproto.CanonicalMIMEHeaderKey(c.SourceVPCHeader),
	}
	m := mistakes.In("auth: ResourcePolicyConfig")
	m.Require(c.Document != "" || len(c.AllowSourceIPs) > 0 || len(c.DenySourceIPs) > 0, "Document",
		"want a policy, AllowSourceIPs or DenySourceIPs, got none")
	if n := len(strings.Join(strings.Fields(c.Document), "")); n > maxResourcePolicy {
		m.Add("Document", "want at most %d characters but for blanks, got %d", maxResourcePolicy, n)
	} else if c.Document != "" {
		document, err := policy.ParseResource(c.Document)
		if err != nil {
			m.Add("Document", "%w", err)
		} else if findings := document.Findings(); len(findings) > 0 {
			slog.Warn("auth: the resource policy is odd (see policy.LintResource)", slog.Any("findings", findings))
		}
		p.policies, p.names = append(p.policies, document), append(p.names, "")
	}
	for _, list := range []struct {
		field, operator string
		ranges          []string
	}{{"AllowSourceIPs", "NotIpAddress", c.AllowSourceIPs}, {"DenySourceIPs", "IpAddress", c.DenySourceIPs}} {
		if len(list.ranges) == 0 {
			continue
		}
		fence, err := policy.ParseResource(fenceOf(list.operator, list.ranges, c.Document == ""))
		if err != nil {
			m.Add(list.field, "want addresses and ranges such as 192.0.2.0/24: %w", err)
		}
		p.policies, p.names = append(p.policies, fence), append(p.names, list.field)
	}
	var err error
	if p.proxies, err = gatekit.NewTrustedProxies("", c.TrustedProxies...); err != nil {
		m.Add("TrustedProxies", "%w", err)
	}
	for field, name := range map[string]string{"SourceVPCEHeader": c.SourceVPCEHeader,
		"SourceVPCHeader": c.SourceVPCHeader} {
		m.Require(name == "" || httpword.IsToken(name) && len(c.TrustedProxies) > 0, field,
			"want a header's name, and TrustedProxies with it, got %s", quoted(name))
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// fenceOf is the policy of an address list: a list that only allows would be no fence beside an
// authorizer that allows, so it denies.
func fenceOf(operator string, ranges []string, allow bool) string {
	list, _ := json.Marshal(ranges) // strings always encode
	statements := `{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"` +
		operator + `":{"aws:SourceIp":` + string(list) + `}}}`
	if allow {
		statements += `,{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}`
	}
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

// Middleware is Require(p): the policy alone decides, as on a method without an authorizer.
func (p *ResourcePolicy) Middleware(next http.Handler) http.Handler { return Require(p)(next) }

// Authorize admits a request that the policy explicitly allows, by an anonymous caller. Otherwise
// its error is a 403.
func (p *ResourcePolicy) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return p.authorizeAs("", r)
}

func (p *ResourcePolicy) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, r := gatekit.Attach(r)
	n := notesOf(rc, rule, rulePolicy)
	asked, err := p.asked(rc, r)
	if err != nil {
		return nil, err
	}
	d := policy.Evaluate(&asked, p.policies...)
	if !d.Allowed() {
		err = notAuthorized(rc, "", asked.Resource, d, resourceTails)
	}
	if p.says(n, &asked, d, err); err != nil {
		return nil, err
	}
	return anonymous, nil
}

// says notes what the policy says when it is asked, and with err that it refuses.
func (p *ResourcePolicy) says(n *notes, asked *policy.Request, d policy.Decision, err error) {
	if n == nil {
		return
	}
	if d.Policy >= 0 {
		n.rule = cmp.Or(p.names[d.Policy], n.rule)
	}
	n.look(d, asked, p.policies...)
	n.decided(d, err)
}

// With returns an authorizer that weighs the policy and a together, as the developer guide's tables
// have it.
//
// A Lambda or custom authorizer isn't asked at all where the policy denies. Else one of the two
// must allow and none deny: an authorizer that allows suffices where the policy is silent, so that
// a list of allowed addresses is no fence; deny the others (or use AllowSourceIPs). A signed
// request is the same, but by the caller's own principal, and a caller of another account must be
// allowed by both. For every other authorizer (JWT, Cognito, Any, All, Optional) a must admit and
// the policy allow. With panics if a is nil.
func (p *ResourcePolicy) With(a Authorizer) Authorizer {
	return &guarded{policy: p, member: members("ResourcePolicy.With", []Authorizer{a})[0]}
}

// asked is what the policy is asked about a request by an anonymous caller.
func (p *ResourcePolicy) asked(rc *gatekit.RequestContext, r *http.Request) (policy.Request, error) {
	resource, err := arnOf(rc, r)
	if err != nil {
		return policy.Request{}, err
	}
	asked := policyRequest(rc, r, resource, time.Now())
	if p.proxies.Trusts(r) {
		asked.SourceVPCE, asked.SourceVPC = header(r, p.vpce), header(r, p.vpc)
	}
	return asked, nil
}

// header returns the only value of a header; two values are none.
func header(r *http.Request, name string) string {
	if values := r.Header[name]; name != "" && len(values) == 1 {
		return values[0]
	}
	return ""
}

type guarded struct {
	policy *ResourcePolicy
	member Authorizer
}

var _ Scoped = (*guarded)(nil)

// WithScopes implements [Scoped].
func (g *guarded) WithScopes(scopes ...string) Authorizer {
	return &guarded{policy: g.policy, member: withScopes(g.member, scopes)}
}

func (g *guarded) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return g.authorizeAs("", r)
}

func (g *guarded) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, attached := gatekit.Attach(r)
	found, err := g.weigh(rule, rc, attached)
	if attached != r {
		r.Body = attached.Body
	}
	return found, err
}

func (g *guarded) weigh(rule string, rc *gatekit.RequestContext, r *http.Request) (*gatekit.Authorization, error) {
	n := notesOf(rc, "", rulePolicy)
	asked, err := g.policy.asked(rc, r)
	if err != nil {
		return nil, err
	}
	resource := policy.Evaluate(&asked, g.policy.policies...)
	n.evaluated()
	weighed, signed := decides(g.member)
	refused := func(caller string, d policy.Decision, t tails) error {
		return notAuthorized(rc, caller, asked.Resource, d, t)
	}
	if resource.Effect == policy.ExplicitDeny && !signed {
		err := refused("", resource, resourceTails) // before anybody is asked
		g.policy.says(n, &asked, resource, err)
		return nil, err
	}
	if !weighed {
		found, err := judge(rule, g.member, r)
		if err != nil {
			return nil, err
		}
		if !resource.Allowed() && !g.policy.lenient {
			err = refused("", resource, resourceTails)
			found = nil
		}
		g.policy.says(n, &asked, resource, err)
		return found, err
	}
	own := notesOf(rc, ruleOf(rule, g.member), "")
	c, err := decide(own, g.member, rc, r)
	if err != nil {
		return nil, fault(err)
	}
	if signed {
		asked.Principal = c.principal
		resource = policy.Evaluate(&asked, g.policy.policies...)
	}
	both := signed && foreign(rc, c.principal.AccountID)
	switch {
	case resource.Effect == policy.ExplicitDeny:
		err = refused(c.principal.ARN, resource, resourceTails)
	case c.decided.Effect == policy.ExplicitDeny, !c.decided.Allowed() && (both || !resource.Allowed()):
		if err = denied(rc, c.decided); signed {
			err = refused(c.principal.ARN, c.decided, callerTails)
		}
		g.policy.says(n, &asked, resource, nil)
		own.decided(c.decided, err)
		return nil, err
	case both && !resource.Allowed():
		err = refused(c.principal.ARN, resource, resourceTails)
	}
	own.decided(c.decided, nil)
	if g.policy.says(n, &asked, resource, err); err != nil {
		return nil, err
	}
	return c.found, nil
}

// decides reports whether a's policies can be weighed, and whether its callers are IAM's.
func decides(a Authorizer) (weighed, signed bool) {
	switch a := a.(type) {
	case *named:
		return decides(a.authorizer)
	case *scopeCheck:
		return decides(a.member)
	case *SigV4:
		return true, true
	case decider:
		return true, false
	}
	return false, false
}

// ruleOf is what notes call an authorizer of which decides has said that it can be weighed.
func ruleOf(rule string, a Authorizer) string {
	switch a := a.(type) {
	case *named:
		return ruleOf(cmp.Or(rule, a.name), a.authorizer)
	case *scopeCheck:
		return ruleOf(rule, a.member)
	case decider:
		return cmp.Or(rule, a.kind())
	}
	return rule
}

// decide asks an authorizer of which decides has said that it can be weighed.
func decide(n *notes, a Authorizer, rc *gatekit.RequestContext, r *http.Request) (caller, error) {
	switch a := a.(type) {
	case *named:
		c, err := decide(n, a.authorizer, rc, r)
		c.found = c.found.Named(a.name)
		return c, err
	case *scopeCheck:
		c, err := decide(n, a.member, rc, r)
		if err == nil {
			err = a.check(rc, c.found)
		}
		return c, err
	case decider:
		return a.decide(n, rc, r)
	}
	return caller{}, errNoVerdict
}
