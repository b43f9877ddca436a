package auth

import (
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/arn"
)

// arnOf is the ARN of what r asks for: with the path as the route sees it, without base path and
// stage. A path that is ambiguous is a 400, and one whose ARN is too long a 414. (Developer guide,
// "Control access for invoking an API".)
func arnOf(rc *gatekit.RequestContext, r *http.Request) (string, error) {
	api := arn.API{Region: rc.API.Region, AccountID: rc.API.AccountID, APIID: rc.API.APIID, Stage: rc.API.Stage}
	if rc.API.Flavor == gatekit.WebSocket {
		return api.Route(rc.RouteKey()), nil
	}
	path := gatekit.PathOf(r)
	if err := path.Routed().Check(false); err != nil {
		return "", &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: err}
	}
	resource := api.Method(r.Method, path.Normal())
	if len(resource) > arn.MaxBytes {
		return "", errTooLong
	}
	return resource, nil
}

var errTooLong error = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusRequestURITooLong,
	Message: "Request URI too long"}

// policyRequest is what policies are asked about r, by an anonymous caller.
func policyRequest(rc *gatekit.RequestContext, r *http.Request, resource string, now time.Time) policy.Request {
	return policy.Request{
		Action: actionOf(rc), Resource: resource, Time: now,
		SecureTransport: r.TLS != nil, SourceIP: rc.SourceIP(),
		UserAgent: rc.UserAgent(), Referer: r.Header.Get("Referer"),
		Region: rc.API.Region, ResourceAccount: rc.API.AccountID,
	}
}

// actionOf is what a request does. The routes of a WebSocket API's @connections, whose keys are
// METHOD/@connections/ID as in their ARNs, want a permission of their own. (Developer guide,
// "Control access to a WebSocket API with IAM authorization".)
func actionOf(rc *gatekit.RequestContext) string {
	if rc.API.Flavor == gatekit.WebSocket && strings.Contains(rc.RouteKey(), "/@connections/") {
		return policy.ManageConnections
	}
	return policy.Invoke
}

// What REST APIs say of a refusal by a policy. (Knowledge-center article on 403 errors, in its
// newer wording.)
const (
	unauthorizedUser  = "User is not authorized to access this resource"
	explicitDeny      = " with an explicit deny in an identity-based policy"
	noIdentityPolicy  = " because no identity-based policy allows the execute-api:Invoke action"
	resourceDeny      = " with an explicit deny in a resource-based policy"
	noResourcePolicy  = " because no resource-based policy allows the execute-api:Invoke action"
	notAuthorizedVerb = " is not authorized to perform: execute-api:Invoke on resource: "
)

// admitted is the verdict where no resource policy has a say.
func (c caller) admitted(n *notes, rc *gatekit.RequestContext, err error) (*gatekit.Authorization, error) {
	if err != nil {
		return nil, err
	}
	if !c.decided.Allowed() {
		err = denied(rc, c.decided)
		c.found = nil
	}
	n.decided(c.decided, err)
	return c.found, err
}

// denied is the 403 of a decision on a Lambda authorizer's caller. Its cause names the statement.
func denied(rc *gatekit.RequestContext, d policy.Decision) error {
	refusal := &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: deniedBy{d}}
	if rc.API.Flavor == gatekit.REST {
		if refusal.Message = unauthorizedUser + noIdentityPolicy; d.Effect == policy.ExplicitDeny {
			refusal.Message = unauthorizedUser + explicitDeny
		}
	}
	return refusal
}

// deniedBy says in logs which statement decided.
type deniedBy struct{ decision policy.Decision }

func (e deniedBy) Error() string { return "auth: " + e.decision.String() }

// foreign reports whether a caller is known to be of another account than the API.
func foreign(rc *gatekit.RequestContext, accountID string) bool {
	return rc.API.AccountID != "" && accountID != "" && rc.API.AccountID != accountID
}

// tails are the ends of the texts of a refusal.
type tails struct{ deny, silent string }

var (
	callerTails   = tails{explicitDeny, noIdentityPolicy}
	resourceTails = tails{resourceDeny, noResourcePolicy}
)

// notAuthorized is the 403 that names caller and resource; "" is anonymous.
func notAuthorized(rc *gatekit.RequestContext, caller, resource string, d policy.Decision, t tails) error {
	refusal := &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: deniedBy{d}}
	if rc.API.Flavor == gatekit.REST {
		if caller == "" {
			caller = "anonymous"
		}
		tail := t.silent
		if d.Effect == policy.ExplicitDeny {
			tail = t.deny
		}
		refusal.Message = "User: " + caller + notAuthorizedVerb + arn.Mask(resource) + tail
	}
	return refusal
}

// decider is an authorizer whose policies can be weighed together with a resource policy: it tells
// who calls and what the caller's own policies say, and its error refuses only callers that it
// can't tell.
type decider interface {
	Authorizer
	decide(n *notes, rc *gatekit.RequestContext, r *http.Request) (caller, error)
	// kind is what it is called in notes.
	kind() string
}

// caller is who calls.
type caller struct {
	found     *gatekit.Authorization
	decided   policy.Decision  // ImplicitDeny where the caller's own policies say nothing
	principal policy.Principal // of an IAM caller
	resource  string           // the ARN that an IAM caller asks for
}
