package route_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// A route's operation name is known to every station behind the choice of the route, wherever it
// stands among them.
func TestOperationName(t *testing.T) {
	seen := ""
	see := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen += gatekit.From(r.Context()).OperationName() + ","
			next.ServeHTTP(w, r)
		})
	}
	api := gatekit.Must(route.New(route.Config{}))
	api.UseMatched(see)
	getPet := gatekit.Must(route.OperationName("getPet"))
	api.Handle("GET /pets/{id}", http.NotFoundHandler(), see, getPet, see)
	api.Handle("GET /pets", http.NotFoundHandler(), see)
	for target, want := range map[string]string{"/pets/1": "getPet,getPet,getPet,", "/pets": ",,"} {
		seen = ""
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
		require.Equal(t, want, seen, target)
	}
	mux := http.NewServeMux()
	mux.Handle("/", getPet(see(http.NotFoundHandler())))
	seen = ""
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "getPet,", seen)
	for _, bad := range []string{"", "a\nb", strings.Repeat("x", 1025)} {
		_, err := route.OperationName(bad)
		require.ErrorContains(t, err, "route: OperationName: want 1 to 1024 bytes")
	}
	_, err := route.OperationName("GET HTTP")
	require.NoError(t, err)
}

// The ids of an API that was elsewhere before are what templates, logs and functions are told; so is
// the stage's deployment. What comes back from a function's event is the same.
func TestIDsOfTheDocument(t *testing.T) {
	var payload []byte
	f := invoker(func(_ context.Context, event []byte) ([]byte, error) {
		payload = event
		return []byte(`{"statusCode":200}`), nil
	})
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Handle("GET /pets/{id}", gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{})),
		gatekit.Must(route.OperationName("getPet")), gatekit.Must(route.ResourceID("a1b2c3")))
	api.Handle("GET /pets", gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{})))
	template := `{"statusCode":200}#set($context.responseOverride.header.x = "$context.resourceId $context.operationName $context.deploymentId")`
	api.Handle("GET /template", gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.Mock, RequestTemplates: map[string]string{"application/json": template},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	})), gatekit.Must(route.ResourceID("d4e5f6")), gatekit.Must(route.OperationName("render")))
	stages, err := route.NewStages(route.Stage{Name: "prod", API: api, Deployment: "dep123"})
	require.NoError(t, err)
	send := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		stages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		require.Equal(t, 200, w.Code, w.Body)
		return w
	}
	send("/prod/pets/1")
	var event events.APIGatewayProxyRequest
	require.NoError(t, json.Unmarshal(payload, &event))
	require.Equal(t, "a1b2c3", event.RequestContext.ResourceID)
	require.Equal(t, "getPet", event.RequestContext.OperationName)
	require.Contains(t, string(payload), `"deploymentId":"dep123"`)
	stated := payload
	send("/prod/pets")
	require.NoError(t, json.Unmarshal(payload, &event))
	require.NotEqual(t, "a1b2c3", event.RequestContext.ResourceID)
	require.Len(t, event.RequestContext.ResourceID, 6)
	require.Equal(t, "d4e5f6 render dep123", send("/prod/template").Header().Get("X"))

	var seen gatekit.Route
	back := gatekit.Must(function.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = *gatekit.From(r.Context()).Route
	}), function.Config{}))
	_, err = back.Invoke(t.Context(), stated)
	require.NoError(t, err)
	require.Equal(t, gatekit.Route{Key: "GET /pets/{id}", OperationName: "getPet", ResourceID: "a1b2c3"}, seen)

	_, err = route.ResourceID("")
	require.ErrorContains(t, err, "route: ResourceID: want 1 to 1024 bytes")
}

type invoker func(context.Context, []byte) ([]byte, error)

func (f invoker) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }
