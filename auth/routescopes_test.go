package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
)

type scopedCaller struct{}

func (scopedCaller) Authorize(*http.Request) (*gatekit.Authorization, error) {
	return gatekit.NewAuthorization(gatekit.AuthorizationFields{Scopes: []string{"a", "b"}}), nil
}

// Events tell a token's scopes only where the route demands some, so what comes behind must know.
func TestRouteScopesAreNoted(t *testing.T) {
	for _, want := range [][]string{nil, {"b", "c"}} {
		var got []string
		h := auth.Require(scopedCaller{}, want...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = gatekit.From(r.Context()).AuthorizationScopes()
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		require.Equal(t, want, got)
	}
}

// Callers of one in-process function never get each other's verdict, however many call at once. (aws-lambda-go v1.55.1 returns bytes of a
// buffer that it lends to the next call; run with -race.)
func TestVerdictsAreNotMixedUp(t *testing.T) {
	f := lambda.NewHandler(func(_ context.Context, e events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true, Context: map[string]any{"who": e.Headers["authorization"]}}, nil
	})
	a := gatekit.Must(auth.NewLambda(f, auth.LambdaConfig{EnableSimpleResponses: true}))
	var wg sync.WaitGroup
	mixed := make(chan string, 8)
	for i := range 8 {
		wg.Go(func() {
			for n := range 100 {
				who := strings.Repeat(fmt.Sprintf("%d-%d.", i, n), 20)
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Authorization", who)
				found, err := a.Authorize(r)
				if err != nil || found.Context()["who"] != who {
					mixed <- who
					return
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, mixed)
}
