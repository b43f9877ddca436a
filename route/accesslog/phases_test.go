package accesslog_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
	"github.com/gatekit-go/gatekit/route/integration"
)

// guard is an authorizer function that knows two tokens, of which one may nothing, and takes 7 ms.
type guard struct{}

func (guard) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	<-time.After(7 * time.Millisecond)
	effect := "Deny"
	switch {
	case strings.Contains(string(payload), `"authorizationToken":"ann"`):
		effect = "Allow"
	case strings.Contains(string(payload), `"authorizationToken":"nobody"`):
		return nil, errors.New("it failed")
	}
	return []byte(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect +
		`","Resource":"*"}]},"context":{"tenant":"acme"}}`), nil
}

// Each phase of a REST API tells how it ended, and how long it took.
func TestPhasesOfAChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, kept := logTo(t, accesslog.Config{Format: `$context.requestId waf=$context.waf.status/$context.waf.error/$context.wafResponseCode ` +
			`authenticate=$context.authenticate.status/$context.authenticate.error ` +
			`authorizer=$context.authorizer.status/$context.authorizer.latency/$context.authorizer.integrationStatus/$context.authorizer.integrationLatency/$context.authorizer.error ` +
			`authorize=$context.authorize.status/$context.authorize.error ` +
			`integration=$context.integration.status/$context.integration.integrationStatus/$context.integration.latency/$context.integration.error ` +
			`$context.status $context.responseLatency $context.error.responseType`})
		acl, err := waf.New(t.Context(), waf.Config{ACL: &waf.WebACL{
			Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
			Rules: []waf.Rule{{Name: "no-admin", Priority: 0, Action: &waf.Action{Block: &waf.BlockAction{}},
				Statement: waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{
					FieldToMatch: waf.FieldToMatch{UriPath: &struct{}{}}, SearchString: "/admin", PositionalConstraint: "STARTS_WITH",
					TextTransformations: []waf.TextTransformation{{Type: "NONE"}}}}}},
		}})
		require.NoError(t, err)
		authorizer, err := auth.NewLambda(guard{}, auth.LambdaConfig{Type: "TOKEN"})
		require.NoError(t, err)
		api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", APIID: "a1b2c3d4e5", Region: "eu-west-1", Stage: "prod"}})
		require.NoError(t, err)
		api.Use(log.Middleware, acl.Middleware)
		h, err := integration.NewLambda(function(`{"statusCode":404,"body":"none"}`), integration.LambdaConfig{})
		require.NoError(t, err)
		api.Handle("GET /pets", h, auth.Require(authorizer))
		failing, err := integration.NewLambda(function("fails"), integration.LambdaConfig{})
		require.NoError(t, err)
		api.Handle("GET /broken", failing, auth.Require(authorizer))
		for _, tt := range []struct{ path, token, want string }{
			{"/admin", "", `waf=403/waf: rule acl/no-admin: Block/WAF_BLOCK authenticate=-/- authorizer=-/-/-/-/- authorize=-/- integration=-/-/-/- 403 0 WAF_FILTERED`},
			{"/pets", "ann", `waf=200/-/WAF_ALLOW authenticate=200/- authorizer=200/7/200/7/- authorize=200/- integration=404/200/0/- 404 7 -`},
			{"/pets", "ann", `waf=200/-/WAF_ALLOW authenticate=200/- authorizer=200/-/-/-/- authorize=200/- integration=404/200/0/- 404 0 -`},
			{"/pets", "bob", `waf=200/-/WAF_ALLOW authenticate=200/- authorizer=200/7/200/7/- authorize=403/auth: explicit deny by statement 0 of policy 0 integration=-/-/-/- 403 7 ACCESS_DENIED`},
			{"/pets", "nobody", `waf=200/-/WAF_ALLOW authenticate=500/auth: the authorizer function failed authorizer=500/7/-/7/auth: the authorizer function failed authorize=-/- integration=-/-/-/- 500 7 AUTHORIZER_CONFIGURATION_ERROR`},
			{"/pets", "", `waf=200/-/WAF_ALLOW authenticate=401/missing: an identity source is missing, blank or there twice authorizer=401/0/-/-/missing: an identity source is missing, blank or there twice authorize=-/- integration=-/-/-/- 401 0 UNAUTHORIZED`},
			{"/broken", "ann", `waf=200/-/WAF_ALLOW authenticate=200/- authorizer=200/-/-/-/- authorize=200/- integration=-/200/0/it failed 502 0 INTEGRATION_FAILURE`},
		} {
			r := httptest.NewRequest("GET", tt.path, nil)
			if tt.token != "" {
				r.Header.Set("Authorization", tt.token)
			}
			kept.text.Reset()
			api.ServeHTTP(httptest.NewRecorder(), r)
			_, line, _ := strings.Cut(kept.all()[0], " ")
			require.Equal(t, tt.want, line)
		}
	})
}
