package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
)

var exampleAPI = gatekit.Must(gatekit.Describe(gatekit.API{
	Flavor: gatekit.REST, Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3", Stage: "prod",
}))

// ask sends a request with an Authorization header and prints the answer.
func ask(h http.Handler, path, authorization string) {
	r := httptest.NewRequest("GET", path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "hello ", gatekit.From(r.Context()).Authorization.Principal())
})

// A function that runs behind the managed gateway, unchanged. What is kept is its policy, which is evaluated for each request.
func ExampleNewLambda() {
	function := func(e events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		if e.AuthorizationToken != "Bearer secret" {
			return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized") // the text that means 401
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "ann",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Version: "2012-10-17", Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{"arn:aws:execute-api:*:*:*/GET/pets*"}},
			}},
		}, nil
	}
	l := gatekit.Must(auth.NewLambda(lambda.NewHandler(function), auth.LambdaConfig{Type: "TOKEN"}))
	h := gatekit.Chain(greet, exampleAPI, l.Middleware)
	ask(h, "/pets", "Bearer secret")
	ask(h, "/pets/1", "Bearer secret")
	ask(h, "/owners", "Bearer secret")
	ask(h, "/pets", "Bearer guess")
	ask(h, "/pets", "")
	fmt.Printf("%+v\n", l.Stats())
	// Output:
	// 200 hello ann
	// 200 hello ann
	// 403 {"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}
	// 401 {"message":"Unauthorized"}
	// 401 {"message":"Unauthorized"}
	// {Hits:2 Stale:0 Misses:2 Coalesced:0 Evicted:0 Entries:1}
}

// A policy that names only the method of the first request refuses the second: it is kept under the token, not under the method. Name all that
// the caller may do.
func ExampleNewLambda_incorrect() {
	function := func(e events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "ann",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Version: "2012-10-17", Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{e.MethodArn}},
			}},
		}, nil
	}
	l := gatekit.Must(auth.NewLambda(lambda.NewHandler(function), auth.LambdaConfig{Type: "TOKEN"}))
	h := gatekit.Chain(greet, exampleAPI, l.Middleware)
	ask(h, "/pets", "t")
	ask(h, "/pets/1", "t")
	// Output:
	// 200 hello ann
	// 403 {"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}
}

func ExampleNewCustom() {
	c := gatekit.Must(auth.NewCustom(func(r *http.Request) (*policy.Verdict, error) {
		// Ask a session store here; the answer is used for a minute.
		return &policy.Verdict{Principal: "ann", Allow: r.Header.Get("X-Session") == "s1"}, nil
	}, auth.CacheConfig{IdentitySource: []string{"$request.header.X-Session"}, TTL: time.Minute}))
	h := c.Middleware(greet)
	for _, session := range []string{"s1", "s1", "s2"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Session", session)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	fmt.Println(c.Stats().Hits, "hit,", c.Stats().Misses, "calls")
	// Output:
	// 200 hello ann
	// 200 hello ann
	// 403 {"message":"Forbidden"}
	// 1 hit, 2 calls
}

func ExampleNewSigV4() {
	iam := gatekit.Must(auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials{
		"AKIDBILLING": {
			SecretAccessKey: "secret",
			Principal:       policy.Principal{ARN: "arn:aws:iam::111122223333:user/billing"},
			Policy: gatekit.Must(policy.Parse(`{"Version": "2012-10-17", "Statement":
				{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/GET/invoices/*"}}`)),
		},
	}}))
	h := gatekit.Chain(greet, exampleAPI, iam.Middleware)
	for _, key := range []authtest.Signer{
		{AccessKeyID: "AKIDBILLING", SecretAccessKey: "secret", Region: "us-east-1"}, {AccessKeyID: "AKIDBILLING", SecretAccessKey: "secret", Region: "us-west-2"},
	} {
		r := httptest.NewRequest("GET", "/invoices/7", nil)
		if err := key.Sign(r, time.Now()); err != nil {
			panic(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	ask(h, "/invoices/7", "")
	// Output:
	// 200 hello arn:aws:iam::111122223333:user/billing
	// 403 {"message":"Credential should be scoped to a valid Region, not us-west-2"}
	// 403 {"message":"Missing Authentication Token"}
}

// AllowSourceIPs is a fence: it denies everybody else, whatever the authorizer says.
func ExampleResourcePolicy_With() {
	jwt := gatekit.Must(auth.NewCustom(func(*http.Request) (*policy.Verdict, error) {
		return &policy.Verdict{Principal: "ann", Allow: true}, nil
	}, auth.CacheConfig{}))
	office := gatekit.Must(auth.NewResourcePolicy(auth.ResourcePolicyConfig{AllowSourceIPs: []string{"192.0.2.0/24"}}))
	h := gatekit.Chain(greet, exampleAPI, auth.Require(office.With(jwt)))
	for _, peer := range []string{"192.0.2.7:4711", "198.51.100.7:4711"} {
		r := httptest.NewRequest("GET", "/pets", nil)
		r.RemoteAddr = peer
		r.Header.Set("Authorization", "t")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello ann
	// 403 {"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********3333:a1b2c3/prod/GET/pets with an explicit deny in a resource-based policy"}
}

func ExampleNewCognito() {
	pool := gatekit.Must(authtest.StartIssuer()) // stands in for a user pool
	defer pool.Close()
	const arn = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_Example"
	users := gatekit.Must(auth.NewCognito(context.Background(), auth.CognitoConfig{
		UserPools: []string{arn},
		Issuers:   map[string]string{arn: pool.URL()}, // leave it out for a real one
	}))
	defer users.Close()
	h := gatekit.Chain(greet, exampleAPI, users.Middleware)
	ask(h, "/", pool.Mint(authtest.Claims{"token_use": "id", "sub": "ann"}))
	ask(h, "/", pool.Mint(authtest.Claims{"token_use": "access", "sub": "ann"}))
	ask(h, "/", pool.Mint(authtest.Claims{"token_use": "id", "exp": 1}))
	// Output:
	// 200 hello ann
	// 401 {"message":"Unauthorized"}
	// 401 {"message":"The incoming token has expired"}
}

func ExampleNewClientCertificate() {
	partner := gatekit.Must(auth.NewClientCertificate(auth.ClientCertificateConfig{Subjects: []string{"CN=partner.example.com"}}))
	// The listener's tls.Config has ClientAuth: tls.VerifyClientCertIfGiven, and ClientCAs. Here the client has shown none.
	ask(gatekit.Chain(greet, exampleAPI, partner.Middleware), "/", "")
	// Output:
	// 403 {"message":"Forbidden"}
}
