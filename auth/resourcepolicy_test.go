package auth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
)

type verdict = policy.Verdict

func newResourcePolicy(t testing.TB, c auth.ResourcePolicyConfig) *auth.ResourcePolicy {
	t.Helper()
	p, err := auth.NewResourcePolicy(c)
	require.NoError(t, err)
	return p
}

func resourceDocument(effect string) string {
	resource := "execute-api:/*"
	if effect == "" { // a policy that says nothing of this request
		effect, resource = "Allow", "execute-api:/other/*"
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":"*","Action":"execute-api:Invoke","Resource":"` + resource + `"}]}`
}

const masked = ` is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********3333:abc123/prod/GET/pets`

// TestResourcePolicyTables walks both tables: every authorizer against every policy, and what the refusal says.
func TestResourcePolicyTables(t *testing.T) {
	const (
		anonymousDeny   = `403 {"Message":"User: anonymous` + masked + ` with an explicit deny in a resource-based policy"}`
		anonymousSilent = `403 {"Message":"User: anonymous` + masked + ` because no resource-based policy allows the execute-api:Invoke action"}`
		userDeny        = `403 {"Message":"User: ` + bobARN + masked + ` with an explicit deny in a resource-based policy"}`
		userSilent      = `403 {"Message":"User: ` + bobARN + masked + ` because no resource-based policy allows the execute-api:Invoke action"}`
		ownDeny         = `403 {"Message":"User: ` + bobARN + masked + ` with an explicit deny in an identity-based policy"}`
		ownSilent       = `403 {"Message":"User: ` + bobARN + masked + ` because no identity-based policy allows the execute-api:Invoke action"}`
	)
	statements := map[string]string{"Allow": statement("Allow", "*"), "": statement("Allow", testARN+"GET/other"), "Deny": statement("Deny", "*")}
	foreignAPI := rest
	foreignAPI.AccountID = "444455553333"
	for _, tt := range []struct {
		kind string
		api  gatekit.API
		want map[[2]string]string // by authorizer and policy; 200 if not there
	}{
		{"lambda", rest, map[[2]string]string{
			{"Allow", "Deny"}: anonymousDeny, {"", "Deny"}: anonymousDeny, {"Deny", "Deny"}: anonymousDeny, {"", ""}: "403 " + noIdentityPolicy, {"Deny", "Allow"}: "403 " + identityDeny, {"Deny", ""}: "403 " + identityDeny,
		}},
		{"iam", rest, map[[2]string]string{
			{"Allow", "Deny"}: userDeny, {"", "Deny"}: userDeny, {"Deny", "Deny"}: userDeny, {"", ""}: ownSilent, {"Deny", "Allow"}: ownDeny, {"Deny", ""}: ownDeny,
		}},
		{"iam", foreignAPI, map[[2]string]string{
			{"Allow", "Deny"}: userDeny, {"", "Deny"}: userDeny, {"Deny", "Deny"}: userDeny, {"", ""}: ownSilent, {"Deny", "Allow"}: ownDeny, {"Deny", ""}: ownDeny, {"Allow", ""}: userSilent, {"", "Allow"}: ownSilent,
		}},
		{"jwt", rest, map[[2]string]string{{"Allow", "Deny"}: anonymousDeny, {"Allow", ""}: anonymousSilent, {"Deny", "Deny"}: anonymousDeny, {"Deny", "Allow"}: "401 " + unauthorized, {"Deny", ""}: "401 " + unauthorized}},
	} {
		for identity, own := range statements {
			if tt.kind == "jwt" && identity == "" {
				continue
			}
			for _, resource := range []string{"Allow", "", "Deny"} {
				t.Run(fmt.Sprintf("%s-%s-%q-%q", tt.kind, tt.api.AccountID, identity, resource), func(t *testing.T) {
					p := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument(resource)})
					f := &answering{text: policyAnswer(own)}
					var a auth.Authorizer
					r := unsigned("GET", "/pets", "")
					switch tt.kind {
					case "lambda":
						a = newLambda(t, f, auth.LambdaConfig{})
						r.Header.Set("Authorization", "t")
					case "iam":
						credential := bob
						credential.Policy = gatekit.Must(policy.Parse(`{"Version":"2012-10-17","Statement":` + strings.ReplaceAll(own, "111122223333", tt.api.AccountID) + `}`))
						a = newSigV4(t, auth.SigV4Config{Credentials: auth.StaticCredentials{keyID: credential}})
						require.NoError(t, signer.Sign(r, time.Now()))
					case "jwt":
						a = newJWT(t, iss(), auth.JWTConfig{})
						r.Header.Set("Authorization", "Bearer "+iss().Mint(good(nil))+map[string]string{"Deny": "x"}[identity])
					}
					want, refused := tt.want[[2]string{identity, resource}]
					for _, a := range []auth.Authorizer{p.With(a), p.With(auth.Named("n", a))} {
						w := serve(behind(t, tt.api, a), r)
						if refused {
							require.Equal(t, want, fmt.Sprint(w.Code, " ", w.Body))
							if w.Code == 403 {
								require.Equal(t, "AccessDeniedException", w.Header().Get("X-Amzn-Errortype"))
							}
						} else {
							require.Equal(t, 200, w.Code, w.Body)
						}
					}
					if tt.kind == "lambda" && resource == "Deny" {
						require.Zero(t, f.calls.Load(), "nobody is asked")
					}
				})
			}
		}
	}
	for effect, want := range map[string]string{"Allow": `200 ["",null,""]`, "": anonymousSilent, "Deny": anonymousDeny} {
		p := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument(effect)})
		w := serve(behind(t, rest, p), unsigned("GET", "/pets", ""))
		require.Equal(t, want, fmt.Sprint(w.Code, " ", w.Body), "without an authorizer")
		w = serve(behind(t, testAPI, p), unsigned("HEAD", "/pets", ""))
		require.Equal(t, effect == "Allow", w.Code == 200)
	}
	lenient := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument(""), SilenceAllowsTokens: true})
	r := bearer(iss().Mint(good(nil)))
	require.Equal(t, 200, serve(behind(t, rest, lenient.With(newJWT(t, iss(), auth.JWTConfig{}))), r).Code)
	scoped := auth.Require(lenient.With(newJWT(t, iss(), auth.JWTConfig{})), "orders:write")
	require.Equal(t, 403, serve(scoped, r).Code)
	c, err := auth.NewCustom(func(*http.Request) (*verdict, error) {
		return &verdict{Allow: true, Scopes: []string{"a"}}, nil
	}, auth.CacheConfig{})
	require.NoError(t, err)
	require.Equal(t, 200, serve(auth.Require(lenient.With(c), "a"), r).Code)
	require.Equal(t, 403, serve(auth.Require(lenient.With(c), "b"), r).Code)
}

// A policy that begins to deny counts for callers whose decision is kept.
func TestResourcePolicyAfterCachedDecision(t *testing.T) {
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{})
	p := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("Deny")})
	require.Equal(t, 200, status(behind(t, rest, l), "/pets", "t"))
	require.Equal(t, 403, status(behind(t, rest, p.With(l)), "/pets", "t"))
	require.EqualValues(t, 1, f.calls.Load())
}

func TestResourcePolicyAddresses(t *testing.T) {
	from := func(a auth.Authorizer, peer string, headers ...string) int {
		r := request("GET", "/pets", "t")
		r.RemoteAddr = peer
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return serve(behind(t, rest, a), r).Code
	}
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{})
	const inside, outside = "192.0.2.7:1", "198.51.100.7:1"
	onlyAllows := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: strings.Replace(resourceDocument("Allow"), `"Resource"`, `"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}},"Resource"`, 1)})
	require.Equal(t, 200, from(onlyAllows, inside))
	require.Equal(t, 403, from(onlyAllows, outside))
	require.Equal(t, 200, from(onlyAllows.With(l), outside), "an allow-only list is no fence beside an authorizer: as documented")
	fence := newResourcePolicy(t, auth.ResourcePolicyConfig{AllowSourceIPs: []string{"192.0.2.0/24", "2001:db8::/32"}})
	calls := f.calls.Load()
	require.Equal(t, 200, from(fence, inside))
	require.Equal(t, 200, from(fence, "[2001:db8::1]:1"))
	require.Equal(t, 200, from(fence, "[::ffff:192.0.2.1]:1"))
	require.Equal(t, 403, from(fence.With(l), outside))
	require.Equal(t, 403, from(fence.With(l), "@"), "an address that isn't known")
	require.Equal(t, calls, f.calls.Load())
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip"} {
		require.Equal(t, 403, from(fence, outside, header, "192.0.2.7"), header)
	}
	require.Equal(t, 403, from(fence, outside, "Forwarded", "for=192.0.2.7"))
	block := newResourcePolicy(t, auth.ResourcePolicyConfig{DenySourceIPs: []string{"192.0.2.7"}})
	require.Equal(t, 403, from(block, inside))
	require.Equal(t, 200, from(block, outside))

	referer := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: strings.Replace(resourceDocument("Allow"), `"Resource"`, `"Condition":{"StringLike":{"aws:Referer":"https://good.example/*"}},"Resource"`, 1)})
	require.Equal(t, 200, from(referer, outside, "Referer", "https://good.example/x"), "a forged one works: it is no protection")
	require.Equal(t, 403, from(referer, outside))
}

// What is refused says so on every version of HTTP, to HEAD without a body; headers that name another API mean nothing.
func TestResourcePolicyOverHTTP(t *testing.T) {
	p := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("Deny")})
	l := newLambda(t, &answering{text: allowAll}, auth.LambdaConfig{})
	for _, http2 := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(behind(t, rest, p.With(l))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") })))
		srv.EnableHTTP2 = http2
		srv.StartTLS()
		defer srv.Close()
		for _, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequest(method, srv.URL+"/pets", nil)
			require.NoError(t, err)
			r.Host = "other.execute-api.us-east-1.amazonaws.com"
			r.Header.Set("Authorization", "t")
			r.Header.Set("X-Apigw-Api-Id", "other")
			resp, err := srv.Client().Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http2, resp.ProtoMajor == 2)
			require.Equal(t, 403, resp.StatusCode)
			require.Equal(t, "AccessDeniedException", resp.Header.Get("X-Amzn-Errortype"))
			want := ""
			if method == "GET" {
				want = `{"Message":"User: anonymous` + masked + ` with an explicit deny in a resource-based policy"}`
			}
			require.Equal(t, want, string(body))
		}
	}
}

func TestResourcePolicyVPC(t *testing.T) {
	private := newResourcePolicy(t, auth.ResourcePolicyConfig{
		Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
			{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}},
			{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}}]}`,
		TrustedProxies: []string{"10.9.9.9"}, SourceVPCEHeader: "x-vpce-id",
	})
	send := func(peer string, vpce ...string) int {
		r := request("GET", "/pets", "")
		r.RemoteAddr = peer
		r.Header["X-Vpce-Id"] = vpce
		return serve(behind(t, rest, private), r).Code
	}
	require.Equal(t, 200, send("10.9.9.9:1", "vpce-1"))
	require.Equal(t, 403, send("10.9.9.9:1", "vpce-2"))
	require.Equal(t, 403, send("10.9.9.9:1"))
	require.Equal(t, 403, send("10.9.9.9:1", "vpce-1", "vpce-1"), "two are none")
	require.Equal(t, 403, send("10.1.1.1:1", "vpce-1"), "forged by one who isn't the proxy")
}

func TestResourcePolicyConfig(t *testing.T) {
	for want, c := range map[string]auth.ResourcePolicyConfig{
		"Document: want a policy, AllowSourceIPs or DenySourceIPs":  {},
		"Document: policy: Statement.Effect":                        {Document: `{"Statement":{"Effect":"x","Principal":"*","Action":"*","Resource":"*"}}`},
		"want 1 of Principal and NotPrincipal":                      {Document: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		"Document: want at most 8192 characters":                    {Document: strings.Repeat("x", 8193)},
		"AllowSourceIPs: want addresses":                            {AllowSourceIPs: []string{"192.0.2.0/33"}},
		"DenySourceIPs: want addresses":                             {DenySourceIPs: []string{"here"}},
		"TrustedProxies":                                            {DenySourceIPs: []string{"::1"}, TrustedProxies: []string{"x"}},
		"SourceVPCHeader: want a header's name, and TrustedProxies": {DenySourceIPs: []string{"::1"}, SourceVPCHeader: "X-Vpc"},
	} {
		_, err := auth.NewResourcePolicy(c)
		require.ErrorContains(t, err, want)
	}
	require.Panics(t, func() { newResourcePolicy(t, auth.ResourcePolicyConfig{DenySourceIPs: []string{"::1"}}).With(nil) })
}
