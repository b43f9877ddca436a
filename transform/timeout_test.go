package transform_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/validate"
)

// A handler that outlives its request reads what it was given, while the stations outside answer.
// (Run with -race.)
func TestHandlerThatOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := responses(t, map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Default5XX: {StatusCode: 599}})
		outer := parameters(t, map[string]string{"append:header.x-id": "$context.requestId"}, map[int]map[string]string{503: {"append:header.x-outer": "$context.requestId"}})
		inner := parameters(t, map[string]string{"append:header.x-inner": "$request.body"}, map[int]map[string]string{200: {"append:header.x": "$response.body"}})
		timeout := func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Second, "too slow") }
		late := make(chan struct{})
		h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(late)
			time.Sleep(time.Minute)
			_, _ = io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.Header.Get("X-Id")+r.Header.Get("X-Inner"))
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
		}), g.Middleware, outer.Middleware, timeout, bodies(t).Middleware, inner.Middleware)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(`{}`)))
		require.Equal(t, 503, w.Code)
		require.NotEmpty(t, w.Header().Get("X-Outer"))
		<-late
		require.Equal(t, "too slow", w.Body.String())
	})
}

func bodies(t testing.TB) *validate.Validator {
	t.Helper()
	models, err := validate.NewModels(validate.ModelsConfig{})
	require.NoError(t, err)
	v, err := validate.New(validate.Config{ValidateBody: true, Models: models, RequestModels: map[string]string{"$default": "Empty"}})
	require.NoError(t, err)
	return v
}
