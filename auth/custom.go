package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// CustomFunc decides on a request's caller. It gets a copy of the request without the body, whose
// context ends with CacheConfig.Timeout. A Verdict of nil without an error is a 500; so is an
// error, unless it is a *gatekit.Rejection, or [ErrNoCredentials] for a 401. It must be safe for
// concurrent use, and return when the context ends.
type CustomFunc = func(r *http.Request) (*policy.Verdict, error)

// Custom is the Lambda authorizer's cache around a function of the program itself. It is safe for
// concurrent use.
type Custom struct {
	*decisions
	function CustomFunc
	sources  []selector.Selector
}

var _ decider = (*Custom)(nil)

// NewCustom returns an authorizer that asks f, or one error that lists every field it refuses. The
// verdict must depend on nothing but the identity sources, and on policies: it is used for all
// requests with the same ones.
func NewCustom(f CustomFunc, c CacheConfig) (*Custom, error) {
	m := mistakes.In("auth: CacheConfig")
	c, sources := c.check(m)
	if f == nil {
		m.Join(errors.New("auth: NewCustom: want a function, got nil"))
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Custom{decisions: newDecisions(c), function: f, sources: sources}, nil
}

// Middleware is Require(c).
func (c *Custom) Middleware(next http.Handler) http.Handler { return Require(c)(next) }

// Authorize asks the function, or the cache, whether r's caller may make r. A missing identity
// source is a 401 ([ErrNoCredentials]), a verdict that doesn't allow what r asks for a 403.
func (c *Custom) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return c.authorizeAs("", r)
}

func (c *Custom) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, r := gatekit.Attach(r)
	n := notesOf(rc, rule, ruleCustom)
	found, err := c.decide(n, rc, r)
	return found.admitted(n, rc, err)
}

func (*Custom) kind() string { return ruleCustom }

// decide implements decider.
func (c *Custom) decide(n *notes, rc *gatekit.RequestContext, r *http.Request) (caller, error) {
	var room [4]string
	values, ok := sourceValues(rc, r, c.sources, room[:0])
	if !ok {
		return caller{}, n.authenticated("", &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errNoIdentity})
	}
	resource, err := arnOf(rc, r)
	if n.authenticated("", err) != nil {
		return caller{}, err
	}
	key, now := keyOf(rc, values, nil), time.Now()
	asked := policyRequest(rc, r, resource, now)
	made := c.hit(key, now)
	if made != nil {
		n.kept("")
	} else if made, err = c.ask(n, r, key, asked); err != nil {
		return caller{}, fault(err)
	}
	found := caller{found: made.authorization, decided: made.of(&asked)}
	if n != nil {
		n.look(found.decided, &asked, made.policy)
	}
	return found, nil
}

func (c *Custom) ask(n *notes, r *http.Request, key decisionKey, asked policy.Request) (*decision, error) {
	copied := r.Clone(r.Context()) // the call may outlive the request
	copied.Body = http.NoBody
	n.again()
	made, how, err := c.get(r.Context(), key, asked.Time, question{func(ctx context.Context) (*decision, error) {
		v, err := c.function(copied.WithContext(ctx))
		if err != nil || v == nil {
			return nil, err
		}
		told := v.Context
		if told == nil && v.Principal == "" {
			told = map[string]any{} // as of a Lambda authorizer that tells nothing
		}
		return &decision{
			policy: v.Policy, allow: v.Allow,
			authorization: gatekit.NewAuthorization(gatekit.AuthorizationFields{
				Principal: v.Principal, Scopes: v.Scopes, Context: told, UsageKey: v.UsageKey,
			}),
		}, nil
	}, func(made *decision) bool { return !made.of(&asked).Allowed() }})
	n.called(how, nil, err)
	return made, err
}
