package function_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/route/integration"
)

// Whatever the adapter gets, it answers or returns an error; and an event that it takes says the
// same when it was written and read again.
func FuzzFunction(f *testing.F) {
	f.Add(eventV2)
	f.Add(`{"version":"1.0","path":"/base/x%2Fy","httpMethod":"GET","headers":{"Host":"h"},"multiValueHeaders":{"A":["b","c"]},"queryStringParameters":{"a":"1"},"requestContext":{"stage":"prod","identity":{"userArn":"x"},"authorizer":{"claims":{"sub":"x"}}},"body":"YQ==","isBase64Encoded":true}`)
	f.Add(`{"resource":"/{id}","path":"/x","httpMethod":"POST","pathParameters":{"id":"x%20y"},"requestContext":{"authorizer":{"principalId":"p","n":1},"requestTimeEpoch":1}}`)
	f.Add(`{"version":"2.0","rawPath":"/caf%C3%A9","requestContext":{"domainName":"x.lambda-url.eu-west-1.on.aws","http":{"method":"GET"},"authorizer":{"lambda":null}}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		var seen *http.Request
		fn := gatekit.Must(function.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r
			fmt.Fprint(w, r.URL.Path)
		}), function.Config{}))
		reply, err := fn.Invoke(t.Context(), []byte(payload))
		if err != nil {
			require.Nil(t, seen)
			return
		}
		if !utf8.ValidString(payload + seen.URL.Path + fmt.Sprint(seen.URL.Query())) {
			return // an event can't hold it
		}
		var answer struct {
			StatusCode        int
			MultiValueHeaders map[string][]string
		}
		require.NoError(t, json.Unmarshal(reply, &answer), "%s", reply)
		require.Equal(t, 200, answer.StatusCode)
		c := integration.LambdaConfig{BinaryMediaTypes: []string{"*/*"}, MaxEventBytes: 100 << 20, MaxRequestBytes: 100 << 20}
		if answer.MultiValueHeaders != nil {
			c.PayloadFormatVersion = "1.0"
		}
		again, err := gatekit.Must(integration.NewLambda(fn, c)).Event(seen)
		require.NoError(t, err)
		require.True(t, json.Valid(again), "%q", again)
		r, err := fn.Request(t.Context(), again)
		require.NoError(t, err, "%s", again)
		before, after := gatekit.From(seen.Context()), gatekit.From(r.Context())
		require.Equal(t, seen.Method, r.Method)
		require.Equal(t, seen.URL.Path, r.URL.Path, "%s", again)
		require.Equal(t, seen.URL.Query(), r.URL.Query(), "%s", again)
		require.Equal(t, before.RequestID(), after.RequestID())
		want := *before.API
		want.Stage = cmp.Or(want.Stage, after.API.Stage)                      // an HTTP API's is $default
		want.DeploymentID = cmp.Or(want.DeploymentID, after.API.DeploymentID) // events make one up
		require.Equal(t, want, *after.API)
		require.Equal(t, before.SourceIP(), after.SourceIP())
		require.Equal(t, before.Time.UnixMilli(), after.Time.UnixMilli())
		require.Equal(t, before.OperationName(), after.OperationName())
		require.Equal(t, before.Authorization.Principal(), after.Authorization.Principal())
		require.Equal(t, before.Authorization.ClaimStrings(), after.Authorization.ClaimStrings())
	})
}

// What looks like an event and is none is refused, with what it is: a guess would serve a request
// that the gateway in front didn't make.
func TestOthersEvents(t *testing.T) {
	fn := gatekit.Must(function.New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") }), function.Config{}))
	for name, tt := range map[string]struct{ event, want string }{
		"load-balancer": {`{"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/t/1"}},"httpMethod":"GET","path":"/caf%C3%A9",
			"queryStringParameters":{"q":"a%20b"},"headers":{"host":"h","x-forwarded-for":"203.0.113.9"},"body":"","isBase64Encoded":false}`, "got a load balancer's"},
		"websocket":                {`{"requestContext":{"routeKey":"$connect","eventType":"CONNECT","connectionId":"x=","stage":"prod"},"isBase64Encoded":false}`, "got a WebSocket API's"},
		"websocket-of-2019":        {`{"httpMethod":"GET","path":"/","requestContext":{"routeKey":"r","eventType":"MESSAGE","connectionId":"x="},"body":"{}"}`, "got a WebSocket API's"},
		"websocket-without-a-type": {`{"httpMethod":"GET","path":"/","requestContext":{"connectionId":"x="}}`, "got a WebSocket API's"},
		"authorizer-rest":          {`{"type":"REQUEST","methodArn":"arn","httpMethod":"GET","path":"/","requestContext":{}}`, "got an authorizer's"},
		"authorizer-v1":            {`{"version":"1.0","type":"REQUEST","methodArn":"arn","httpMethod":"GET","path":"/","requestContext":{}}`, "got an authorizer's"},
		"authorizer-v2":            {`{"version":"2.0","type":"REQUEST","routeArn":"arn","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`, "got an authorizer's"},
		"authorizer-token":         {`{"type":"TOKEN","authorizationToken":"secret","methodArn":"arn"}`, "got an authorizer's"},
		"lattice":                  {`{"version":"2.0","path":"/","method":"GET","headers":{},"requestContext":{"serviceNetworkArn":"arn"}}`, "proxy integration"},
	} {
		_, err := fn.Invoke(t.Context(), []byte(tt.event))
		require.ErrorContains(t, err, tt.want, name)
		require.NotContains(t, err.Error(), "secret")
	}
}
