package definition_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

func ExampleAPI_Table() {
	rate, burst, narrow := 10.0, 20, 1.0
	api := &definition.API{
		Routes: map[string]*definition.Route{
			"GET /orders/{id}": {
				Auth:           definition.Auth{Type: definition.AuthJWT, Authorizer: "users", Scopes: []string{"orders/read"}},
				APIKeyRequired: true,
				Integration:    &definition.Integration{Target: definition.Target{Kind: definition.KindLambda, Function: "GetOrder"}},
			},
			"POST /orders": {
				Auth: definition.Auth{Type: definition.AuthNone},
				Integration: &definition.Integration{Target: definition.Target{
					Kind: definition.KindService, Service: "sqs", Action: "SendMessage",
				}},
			},
			"$default": {Auth: definition.Auth{Type: definition.AuthIAM}},
		},
		Stages: map[string]*definition.Stage{
			"beta": {},
			"prod": {
				Throttle:      &definition.Throttle{Rate: &rate, Burst: &burst},
				RouteThrottle: map[string]*definition.Throttle{"POST /orders": {Rate: &narrow}},
			},
		},
	}
	fmt.Print(api.Table())
	// Output:
	// ROUTE             WHO                               LIMITS               CALLS
	// $default          AWS_IAM                           prod: 10/s burst 20  nothing
	// GET /orders/{id}  JWT users (orders/read), API key  prod: 10/s burst 20  lambda GetOrder
	// POST /orders      NONE                              prod: 1/s            service sqs:SendMessage
}

// A REST stage's settings are by path and method, and the narrower one counts.
func TestTableOfMethodSettings(t *testing.T) {
	number := func(f float64) *float64 { return &f }
	settings := []*definition.MethodSettings{
		{Path: "/pets", Method: "GET", Rate: number(3)}, {Path: "/pets", Method: "*", Rate: number(2)}, {Path: "/*", Method: "*", Rate: number(1)},
		{Path: "/pets", Method: "POST", Caching: true},
	}
	for key, want := range map[string]string{"GET /pets": "prod: 3/s", "POST /pets": "prod: 2/s", "GET /": "prod: 1/s"} {
		api := &definition.API{
			Routes: map[string]*definition.Route{key: {Auth: definition.Auth{Type: "NONE"}}, "nothing": nil},
			Stages: map[string]*definition.Stage{"prod": {MethodSettings: settings}},
		}
		require.Contains(t, api.Table(), want, key)
	}
	require.Contains(t, (&definition.API{Routes: map[string]*definition.Route{"GET /": {}}}).Table(), "the account's")
}
