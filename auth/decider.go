package auth

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
)

// decider is an authorizer whose policies can be weighed together with a resource policy: it tells who calls and what the caller's own
// policies say, and its error refuses only callers that it can't tell.
type decider interface {
	Authorizer
	decide(rc *gatekit.RequestContext, r *http.Request) (caller, error)
}

// caller is who calls.
type caller struct {
	found     *gatekit.Authorization
	decided   policy.Decision  // ImplicitDeny where the caller's own policies say nothing
	principal policy.Principal // of an IAM caller
	resource  string           // the ARN that an IAM caller asks for
}
