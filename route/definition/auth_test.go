package definition_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/definition"
)

// apiOf is the JSON form of a document of one API: its flavor, its routes, and other members of it.
func apiOf(flavor, routes, more string) string {
	stage := map[string]string{"REST": "prod", "HTTP": "$default"}[flavor]
	if !strings.Contains(more, `"stages"`) {
		more = strings.TrimSuffix(`"stages":{"`+stage+`":{}},`+more, ",")
	}
	return `{"apis":[{"id":"Api","flavor":"` + flavor + `","routes":{` + routes + `},` + more + `}]}`
}

// calls is a route to the function F for whom auth says.
func calls(key, auth string, more ...string) string {
	return fmt.Sprintf(`%q:{"auth":%s,%s"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"F"}}}`,
		key, auth, strings.Join(append(more, ""), ","))
}

// judge is an authorizer function: who says "yes" may call, and who says "no" may not.
type judge struct {
	simple bool
	asked  atomic.Int32
	last   atomic.Pointer[map[string]any]
}

func (j *judge) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	j.asked.Add(1)
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	j.last.Store(&event)
	yes := strings.Contains(string(payload), "yes")
	if j.simple {
		return json.Marshal(map[string]any{"isAuthorized": yes})
	}
	effect := map[bool]string{true: "Allow", false: "Deny"}[yes]
	return []byte(`{"principalId":"me","usageIdentifierKey":"` + keyValue + `","policyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":"*"}]}}`), nil
}

const keyValue = "0123456789abcdefghij"

func TestLambdaAuthorizers(t *testing.T) {
	const target = `"target":{"kind":"lambda","function":"Judge","qualifier":"live"}`
	for _, tt := range []struct {
		name, flavor, authorizer, key string
		simple                        bool
		headers                       []string
		url, anonymous, denied        string
		twice                         int32 // how often the function is asked for two requests of one caller
		typ                           string
	}{
		{name: "token", flavor: "REST", authorizer: `"type":"TOKEN","identity_source":["method.request.header.X-Token"],"identity_validation":"yes|no"`,
			headers: []string{"X-Token: yes"}, url: "/prod/a", anonymous: `401 {"message":"Unauthorized"}`,
			denied: `403 {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`,
			twice:  1, typ: "TOKEN"},
		{name: "token-uncached", flavor: "REST", authorizer: `"type":"TOKEN","ttl":0`, headers: []string{"Authorization: yes"},
			url: "/prod/a", anonymous: `401 {"message":"Unauthorized"}`,
			denied: `403 {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`,
			twice:  2, typ: "TOKEN"},
		{name: "request", flavor: "REST", authorizer: `"type":"REQUEST","identity_source":["method.request.querystring.who"]`,
			url: "/prod/a?who=yes", anonymous: `401 {"message":"Unauthorized"}`,
			denied: `403 {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`,
			twice:  1, typ: "REQUEST"},
		{name: "http-1.0", flavor: "HTTP", authorizer: `"type":"REQUEST","payload_format":"1.0","identity_source":["$request.header.X-Token"],"ttl":60`,
			headers: []string{"X-Token: yes"}, url: "/a", anonymous: `401 {"message":"Unauthorized"}`, denied: `403 {"message":"Forbidden"}`,
			twice: 1, typ: "REQUEST"},
		{name: "http-2.0-simple", flavor: "HTTP", authorizer: `"type":"REQUEST","payload_format":"2.0","simple_responses":true,"identity_source":["$request.header.X-Token"]`,
			simple: true, headers: []string{"X-Token: yes"}, url: "/a", anonymous: `401 {"message":"Unauthorized"}`,
			denied: `403 {"message":"Forbidden"}`, twice: 2, typ: "REQUEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judge{simple: tt.simple}
			text := apiOf(tt.flavor, calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`), `"authorizers":{"J":{`+tt.authorizer+`,`+target+`}}`)
			g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "Judge:live": j}})
			anonymous, _, _ := strings.Cut(tt.url, "?")
			require.Equal(t, tt.anonymous, ask(g, "GET", anonymous))
			require.Zero(t, j.asked.Load())
			require.Equal(t, "200 F", ask(g, "GET", tt.url, tt.headers...))
			require.Equal(t, "200 F", ask(g, "GET", tt.url, tt.headers...))
			require.Equal(t, tt.twice, j.asked.Load())
			require.Equal(t, tt.typ, (*j.last.Load())["type"])
			no := strings.ReplaceAll(strings.Join(tt.headers, "\n"), "yes", "no")
			var headers []string
			if no != "" {
				headers = strings.Split(no, "\n")
			}
			require.Equal(t, tt.denied, ask(g, "GET", strings.ReplaceAll(tt.url, "yes", "no"), headers...))
		})
	}
}

func TestJWT(t *testing.T) {
	iss := authtest.NewIssuer(t)
	text := apiOf("HTTP", calls("GET /a", `{"type":"JWT","authorizer":"J","scopes":["read"]}`),
		`"authorizers":{"J":{"type":"JWT","issuer":"https://issuer.example","audience":["me"],"identity_source":["$request.header.X-Token"]}}`)
	for name, bound := range map[string]definition.IssuerBinding{
		"fetched": {URL: iss.URL()}, "keys": {URL: iss.URL(), JWKS: iss.JWKS()},
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, text, definition.Bindings{Strict: true, Functions: functions("F"),
				Issuers: map[string]definition.IssuerBinding{"https://issuer.example": bound}})
			require.Equal(t, `401 {"message":"Unauthorized"}`, ask(g, "GET", "/a"))
			require.Equal(t, "200 F", ask(g, "GET", "/a", "X-Token: "+iss.Mint(authtest.Claims{"aud": "me", "scope": "read"})))
			require.Equal(t, `403 {"message":"Forbidden"}`, ask(g, "GET", "/a", "X-Token: "+iss.Mint(authtest.Claims{"aud": "me"})))
			require.Equal(t, `401 {"message":"Unauthorized"}`, ask(g, "GET", "/a", "X-Token: "+iss.Mint(authtest.Claims{"aud": "you", "scope": "read"})))
		})
	}
}

func TestCognito(t *testing.T) {
	iss := authtest.NewIssuer(t)
	for name, more := range map[string]string{
		"logical-id": `"authorizers":{"C":{"type":"COGNITO_USER_POOLS","providers":["Pool"]}}`,
		"arn":        `"authorizers":{"C":{"type":"COGNITO_USER_POOLS","providers":["arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Abc"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := apiOf("REST", calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"C"}`), more)
			text = strings.TrimSuffix(text, "}") + `,"resources":{"Pool":{"type":"AWS::Cognito::UserPool","name":"eu-west-1_Abc","arn":"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Abc"}}}`
			g := build(t, text, definition.Bindings{Strict: true, Functions: functions("F"),
				Issuers: map[string]definition.IssuerBinding{"Pool": {URL: iss.URL()}}})
			require.Equal(t, `401 {"message":"Unauthorized"}`, ask(g, "GET", "/prod/a"))
			require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "Authorization: "+iss.Mint(authtest.Claims{"aud": "x", "token_use": "id"})))
		})
	}
}

// What the pools of an authorizer are bound with holds for all of them.
func TestCognitoBindings(t *testing.T) {
	iss, other := authtest.NewIssuer(t), authtest.NewIssuer(t)
	text := apiOf("REST", calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"C"}`), `"authorizers":{"C":{"type":"COGNITO_USER_POOLS","providers":["Pool","Other"]}}`)
	expired := "Authorization: " + iss.Mint(authtest.Claims{"aud": "x", "token_use": "id", "exp": time.Now().Add(-20 * time.Second).Unix()})
	for leeway, want := range map[time.Duration]string{0: "401", 50 * time.Second: "200"} {
		g := build(t, text, definition.Bindings{Functions: functions("F"), Issuers: map[string]definition.IssuerBinding{
			"Pool": {URL: iss.URL(), Leeway: leeway}, "Other": {URL: other.URL(), Leeway: leeway}}})
		require.Contains(t, ask(g, "GET", "/prod/a", expired), want)
	}
	for name, odd := range map[string]definition.IssuerBinding{
		"leeway": {URL: other.URL(), Leeway: time.Second}, "client": {URL: other.URL(), HTTPClient: &http.Client{}},
		"interval": {URL: other.URL(), RefreshInterval: time.Hour},
	} {
		g := build(t, text, definition.Bindings{Functions: functions("F"), Issuers: map[string]definition.IssuerBinding{"Pool": {URL: iss.URL()}, "Other": odd}})
		require.Contains(t, ask(g, "GET", "/prod/a", expired), "500", name)
		require.Len(t, g.Report().Of(definition.Unsupported), 1)
	}
}

func TestIAM(t *testing.T) {
	caller := policy.Principal{ARN: "arn:aws:iam::123456789012:user/ann", AccountID: "123456789012"}
	b := definition.Bindings{Strict: true, Functions: functions("F"), Credentials: auth.StaticCredentials{
		"AKIDEXAMPLE": {SecretAccessKey: "secret", Principal: caller}}}
	g := build(t, apiOf("REST", calls("GET /a", `{"type":"AWS_IAM"}`), ""), b)
	require.Equal(t, `403 {"message":"Missing Authentication Token"}`, ask(g, "GET", "/prod/a"))
	r := httptest.NewRequest("GET", "/prod/a", nil)
	signer := authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", Region: "us-east-1"}
	require.NoError(t, signer.Sign(r, time.Now()))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body)
}

func TestResourcePolicy(t *testing.T) {
	const allow = `"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/prod/GET/a"}]}`
	j := &judge{}
	text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`)+`,`+calls("GET /b", `{"type":"NONE"}`)+`,`+
		calls("GET /c", `{"type":"CUSTOM","authorizer":"J"}`),
		allow+`,"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"}}}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": j}})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
	require.Contains(t, ask(g, "GET", "/prod/b"), `403 {"Message":"User: anonymous is not authorized to perform: execute-api:Invoke`)
	require.Equal(t, "200 F", ask(g, "GET", "/prod/c", "Authorization: yes"), "the authorizer allows where the policy is silent")
}

// refusing are documents of one route, GET /a, that is to be protected, and can't be.
var refusing = map[string]struct {
	flavor, route, more string
	b                   definition.Bindings
	want                definition.Severity
}{
	"type":                {flavor: "REST", route: calls("GET /a", `{"type":"FANCY"}`), want: definition.Unsupported},
	"none":                {flavor: "REST", route: calls("GET /a", `{"type":""}`), want: definition.Unsupported},
	"none-but-authorizer": {flavor: "REST", route: calls("GET /a", `{"type":"NONE","authorizer":"J"}`), want: definition.Unsupported},
	"no-authorizer":       {flavor: "REST", route: calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`), want: definition.Unsupported},
	"unnamed":             {flavor: "HTTP", route: calls("GET /a", `{"type":"JWT"}`), want: definition.Unsupported},
	"of-another-type": {flavor: "REST", route: calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"F"}}}`, want: definition.Unsupported},
	"unbound-function": {flavor: "REST", route: calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"Nobody"}}}`, want: definition.Unbound},
	"function-of-a-variable": {flavor: "REST", route: calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","name":"f-${stageVariables.none}"}}}`, want: definition.UnknownValue},
	"no-function": {flavor: "REST", route: calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"REQUEST"}}`, want: definition.Unsupported},
	"bad-authorizer": {flavor: "REST", route: calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"TOKEN","identity_validation":"(?=x)","target":{"kind":"lambda","function":"F"}}}`, want: definition.Unsupported},
	"unknown-value": {flavor: "HTTP", route: calls("GET /a", `{"type":"JWT","authorizer":"J"}`),
		more: `"authorizers":{"J":{"type":"JWT","issuer":"` + definition.Unknown("Custom::Idp.Url") + `","audience":["a"]}}`, want: definition.UnknownValue},
	"unknown-scope":  {flavor: "REST", route: calls("GET /a", `{"type":"AWS_IAM","scopes":["`+definition.Unknown("parameter S")+`"]}`), want: definition.UnknownValue},
	"unbound-issuer": {flavor: "HTTP", route: calls("GET /a", `{"type":"JWT","authorizer":"J"}`), more: `"authorizers":{"J":{"type":"JWT","issuer":"https://i.example","audience":["a"]}}`, want: definition.Unbound},
	"no-audience": {flavor: "HTTP", route: calls("GET /a", `{"type":"JWT","authorizer":"J"}`), more: `"authorizers":{"J":{"type":"JWT","issuer":"https://i.example"}}`,
		b: definition.Bindings{Issuers: map[string]definition.IssuerBinding{"*": {}}}, want: definition.Unsupported},
	"unbound-pool": {flavor: "REST", route: calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"C"}`), more: `"authorizers":{"C":{"type":"COGNITO_USER_POOLS","providers":["Pool"]}}`, want: definition.Unbound},
	"no-pools":     {flavor: "REST", route: calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"C"}`), more: `"authorizers":{"C":{"type":"COGNITO_USER_POOLS"}}`, want: definition.Unsupported},
	"unknown-pool": {flavor: "REST", route: calls("GET /a", `{"type":"COGNITO_USER_POOLS","authorizer":"C"}`), more: `"authorizers":{"C":{"type":"COGNITO_USER_POOLS","providers":["Pool"]}}`,
		b: definition.Bindings{Issuers: map[string]definition.IssuerBinding{"Pool": {}}}, want: definition.Unsupported},
	"no-credentials":   {flavor: "REST", route: calls("GET /a", `{"type":"AWS_IAM"}`), want: definition.Unbound},
	"bad-policy":       {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"policy":{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`, want: definition.Unsupported},
	"policy-of-http":   {flavor: "HTTP", route: calls("GET /a", `{"type":"NONE"}`), more: `"policy":{"Statement":[]}`, want: definition.Unsupported},
	"unknown-policy":   {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"` + definition.Unknown("parameter Vpce") + `"}}}]}`, want: definition.UnknownValue},
	"private":          {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"endpoint_types":["PRIVATE"]`, want: definition.Unsupported},
	"web-acl":          {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"prod":{"web_acl":"Acl"}}`, want: definition.Unbound},
	"key-source":       {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`, `"api_key_required":true`), more: `"api_key_source":"COOKIE"`, want: definition.Unsupported},
	"validator":        {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`, `"validator":{"body":true,"parameters":false},"request_models":{"application/json":"Gone"}`), want: definition.Unsupported},
	"bad-model":        {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`, `"validator":{"body":true,"parameters":false},"request_models":{"application/json":"M"}`), more: `"models":{"M":{"schema":{"type":"nothing"}}}`, want: definition.Unsupported},
	"bad-stage":        {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"prod":{"variables":{"a":"ä"}}}`, want: definition.Unsupported},
	"unknown-variable": {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"prod":{"variables":{"a":"` + definition.Unknown("x") + `"}}}`, want: definition.UnknownValue},
	"bad-limit":        {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"prod":{"method_settings":[{"path":"/*","method":"*","rate":-5,"burst":1}]}}`, want: definition.Unsupported},
	"http-limit":       {flavor: "HTTP", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"$default":{"throttle":{"rate":-5,"burst":1}}}`, want: definition.Unsupported},
	"bad-flavor":       {flavor: "SOAP", route: calls("GET /a", `{"type":"NONE"}`), more: `"stages":{"prod":{}}`, want: definition.Unsupported},
	"bad-account":      {flavor: "REST", route: calls("GET /a", `{"type":"NONE"}`), more: `"account":"1"`, want: definition.Unsupported},
}

// What can't be protected isn't served, is reported with what to do, and Strict refuses it.
func TestNeverOpenByAccident(t *testing.T) {
	for name, tt := range refusing {
		t.Run(name, func(t *testing.T) {
			text := apiOf(tt.flavor, tt.route, tt.more)
			tt.b.Functions = functions("F")
			g := build(t, text, tt.b)
			for _, url := range []string{"/prod/a", "/a"} {
				got := ask(g, "GET", url)
				require.NotContains(t, got, "200", "%s\n%s", url, g.Report())
			}
			report := g.Report()
			served, all := report.Served()
			require.Equal(t, []int{0, 1}, []int{served, all}, "%s", report)
			require.Equal(t, "GET /a", report.Routes[0].Route)
			found := report.Of(tt.want)
			require.NotEmpty(t, found, "%s", report)
			require.Equal(t, report.Routes[0].Why, found[0].What)
			require.NotEmpty(t, found[0].Do)
			strict := tt.b
			strict.Strict = true
			_, err := definition.Build(t.Context(), parse(t, text), strict)
			var refused *definition.ReportError
			require.ErrorAs(t, err, &refused)
			require.Contains(t, err.Error(), found[0].What[:20])
		})
	}
}
