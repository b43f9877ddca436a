package authtest

import (
	"testing"

	"github.com/gatekit-go/gatekit/auth/policy"
)

// PolicyCase is one request that a policy is asked about.
type PolicyCase struct {
	// Name is the subtest's.
	Name string
	// Request is asked. Without an Action it is execute-api:Invoke.
	Request policy.Request
	// Want is what the policies say together.
	Want policy.Effect
	// Sid, if set, is the Sid of the statement that must have decided.
	Sid string
}

// TestPolicies asks policies about each case, in a subtest of its own, and fails those that come
// out otherwise; the failure says which statement decided.
func TestPolicies(t *testing.T, cases []PolicyCase, policies ...*policy.Policy) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Helper()
			if c.Request.Action == "" {
				c.Request.Action = policy.Invoke
			}
			d := policy.Evaluate(&c.Request, policies...)
			if d.Effect != c.Want || c.Sid != "" && d.Sid != c.Sid {
				t.Errorf("%s on %s: got %v, want effect %v and sid %q", c.Request.Action, c.Request.Resource, d, c.Want, c.Sid)
			}
		})
	}
}
