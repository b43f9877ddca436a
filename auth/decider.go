package auth

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
)

// decider is an authorizer whose policies can be weighed together with a resource policy: it tells who calls and what the caller's own
// policies say, and refuses only callers that it can't tell. decided is ImplicitDeny where they say nothing.
type decider interface {
	Authorizer
	decide(rc *gatekit.RequestContext, r *http.Request) (found *gatekit.Authorization, decided policy.Decision, err error)
}
