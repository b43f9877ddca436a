package gatekit_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

func stagesFor(t *testing.T, c route.Config, stage string, routes map[string][]gatekit.Middleware) http.Handler {
	t.Helper()
	api := gatekit.Must(route.New(c))
	for key, mw := range routes {
		api.Handle(key, admitted, mw...)
	}
	return gatekit.Must(route.NewStages(route.Stage{Name: stage, API: api}))
}

func statusOf(h http.Handler, target string) int {
	r := fromWire(target)
	if r == nil {
		return 400
	}
	return answerOf(h, r).Code
}

var closed gatekit.Middleware = func(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
	})
}

// A guarded route can't be reached through an open one beside it.
func TestNoWayAroundAGuardedRoute(t *testing.T) {
	rest := stagesFor(t, route.Config{API: gatekit.API{Flavor: gatekit.REST}}, "dev",
		map[string][]gatekit.Middleware{"ANY /admin": {closed}, "ANY /{proxy+}": nil, "GET /files/{proxy+}": nil})
	plain := stagesFor(t, route.Config{}, "dev", map[string][]gatekit.Middleware{"ANY /admin": {closed}, "ANY /{proxy+}": nil})
	for target, want := range map[string]struct{ rest, http int }{
		"/dev/admin":     {401, 401},
		"/dev/%61dmin":   {401, 401},
		"/dev//admin":    {401, 204}, // another path on HTTP APIs, to everybody
		"/dev///admin/":  {401, 204},
		"/dev/admin/":    {401, 204},
		"/dev/%2Fadmin":  {204, 204}, // one segment, to everybody
		"//dev/admin":    {403, 404}, // no stage
		"/dev//files/a":  {204, 204},
		"/dev/..;/admin": {400, 400},
		"/dev//../admin": {400, 400},
		"/dev/%5cadmin":  {400, 400},
		"/dev/x/..%2f":   {400, 400},
	} {
		require.Equal(t, want.rest, statusOf(rest, target), "REST %s", target)
		require.Equal(t, want.http, statusOf(plain, target), "HTTP %s", target)
	}
}

// Policies judge the path that routes are chosen by, with a cached decision as with a new one.
func TestNoWayAroundAPolicy(t *testing.T) {
	const resource = "arn:aws:execute-api:*:*:*/dev/GET/admin*"
	answer := `{"principalId":"u","policyDocument":` + policyText("Deny", "", resource) + `}`
	resourcePolicy := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{
		Document: policyText("Deny", `"Principal":"*",`, "execute-api:/dev/GET/admin*"),
	}))
	rs := &readers{}
	authorizer := gatekit.Must(auth.NewLambda(rs.function(answer), auth.LambdaConfig{}))
	for name, mw := range map[string]gatekit.Middleware{"resource": resourcePolicy.Middleware, "lambda": auth.Require(authorizer)} {
		h := stagesFor(t, route.Config{API: gatekit.API{Flavor: gatekit.REST}}, "dev", map[string][]gatekit.Middleware{"ANY /{proxy+}": {mw}})
		require.Equal(t, 204, statusOf(h, "/dev/open"), name)
		rs.event = nil
		for _, target := range []string{"/dev/admin", "/dev//admin", "/dev///admin", "/dev/%61dmin", "/dev/admin/", "/dev/admin%2Fx", "/dev/admin;x", "/dev//admin%3bx"} {
			require.Equal(t, 403, statusOf(h, target), "%s %s", name, target)
		}
		require.Nil(t, rs.event, "decided by what was kept")
		require.Equal(t, 204, statusOf(h, "/dev/%2Fadmin"), "%s: told with its escape", name)
	}
}

// Where a route ignores a slash at the end, so do policies, whatever the flavor.
func TestSlashesAtTheEndInPolicies(t *testing.T) {
	for _, tt := range []struct {
		flavor gatekit.Flavor
		slash  route.TrailingSlash
		want   int
	}{
		{gatekit.HTTP, route.TrailingSlashIgnored, 403},
		{gatekit.REST, route.TrailingSlashIgnored, 403},
		{gatekit.REST, route.TrailingSlashByFlavor, 403},
		{gatekit.HTTP, route.TrailingSlashByFlavor, 204}, // /pets/ is another path, and another route
		{gatekit.REST, route.TrailingSlashDiffers, 204},
	} {
		policy := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{
			Document: policyText("Deny", `"Principal":"*",`, "execute-api:/dev/GET/pets"),
		}))
		h := stagesFor(t, route.Config{API: gatekit.API{Flavor: tt.flavor}, TrailingSlash: tt.slash}, "dev",
			map[string][]gatekit.Middleware{"GET /pets": {policy.Middleware}, "ANY /{proxy+}": {policy.Middleware}})
		require.Equal(t, 403, statusOf(h, "/dev/pets"))
		require.Equal(t, tt.want, statusOf(h, "/dev/pets/"), "%+v", tt)
	}
}

// Under another router, of which gatekit.Describe tells the flavor, slashes in front are one for
// policies, events and whoever reads r.URL.
func TestSlashesInFrontUnderOtherRouters(t *testing.T) {
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST, Stage: "dev"}))
	policy := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{
		Document: policyText("Deny", `"Principal":"*",`, "execute-api:/dev/GET/admin"),
	}))
	rs := &readers{}
	f := gatekit.Must(integration.NewLambda(rs.function(`{"statusCode":204}`), integration.LambdaConfig{}))
	tell := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.True(t, strings.HasPrefix(r.URL.Path, "/") && !strings.HasPrefix(r.URL.Path, "//"), r.URL.Path)
		f.ServeHTTP(w, r)
	})
	for name, h := range map[string]http.Handler{
		"outside": gatekit.Chain(tell, describe, policy.Middleware),
		"inside":  http.StripPrefix("/v1", gatekit.Chain(tell, describe, policy.Middleware)),
	} {
		prefix := map[string]string{"inside": "/v1"}[name]
		require.Equal(t, 403, statusOf(h, prefix+"/admin"), name)
		require.Equal(t, 403, statusOf(h, prefix+"//admin"), name)
		require.Equal(t, 403, statusOf(h, prefix+"///admin/"), name)
		require.Equal(t, 204, statusOf(h, prefix+"//open//x"), name)
		require.Equal(t, "/open//x", rs.event["path"], name)
		require.Equal(t, prefix+"//open//x", rs.event["requestContext"].(map[string]any)["path"], name)
	}
}

// A signature is for the path as the client sent it, with stage, and in its spelling.
func TestSignaturesAreForTheReceivedPath(t *testing.T) {
	iam := gatekit.Must(auth.NewSigV4(auth.SigV4Config{Region: "us-east-1", Credentials: auth.StaticCredentials{
		"AKIDEXAMPLE": {SecretAccessKey: "secret"},
	}}))
	signer := authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", Region: "us-east-1"}
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		h := stagesFor(t, route.Config{API: gatekit.API{Flavor: flavor}}, "dev", map[string][]gatekit.Middleware{"ANY /{proxy+}": {auth.Require(iam)}})
		for _, target := range []string{"/dev/a", "/dev/a%2fb", "/dev/a%2Fb/%3b;c/%25/", "/dev/%61"} {
			r := httptest.NewRequest("GET", target, nil)
			require.NoError(t, signer.Sign(r, time.Now()))
			require.Equal(t, 204, answerOf(h, r).Code, target)
			moved := httptest.NewRequest("GET", strings.Replace(target, "/a", "/b", 1), nil)
			if moved.RequestURI == target {
				continue
			}
			moved.Header = r.Header
			require.Equal(t, 403, answerOf(h, moved).Code, target)
		}
	}
}

// An API within an API, behind what cuts the outer route's path off, has its own routed path.
func TestAPIWithinAPI(t *testing.T) {
	rs := &readers{}
	f := gatekit.Must(integration.NewLambda(rs.function(`{"statusCode":204}`), integration.LambdaConfig{}))
	inner := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	inner.Handle("GET /pets/{id}", f)
	outer := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	outer.Handle("ANY /v1/{proxy+}", http.StripPrefix("/v1", inner))
	require.Equal(t, 204, statusOf(outer, "//v1//pets/a%2fb"))
	text, err := json.Marshal(rs.event["pathParameters"])
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"a%2fb"}`, string(text))
	require.Equal(t, "/pets/a%2fb", rs.event["path"])
}
