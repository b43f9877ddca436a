package integration_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

func custom(t *testing.T, f gatekit.Invoker, body, kind string) (*httptest.ResponseRecorder, *gatekit.Integration) {
	t.Helper()
	h, err := integration.NewLambdaCustom(f, integration.LambdaCustomConfig{})
	require.NoError(t, err)
	rc, r := gatekit.Attach(httptest.NewRequest("POST", "/", strings.NewReader(body)))
	if kind != "" {
		r.Header.Set("X-Amz-Invocation-Type", kind)
	}
	rc.API = &gatekit.API{Flavor: gatekit.REST}
	w := serve(h, r)
	require.NoError(t, h.Shutdown(t.Context()))
	return w, rc.Integration()
}

func TestLambdaCustom(t *testing.T) {
	echo := function(func(_ context.Context, payload []byte) ([]byte, error) { return payload, nil })
	boom := lambda.NewHandler(func() (string, error) { return "", errors.New("Malformed input ...") })
	for _, tt := range []struct {
		name       string
		f          gatekit.Invoker
		body, kind string
		status     int
		want       string
		outcome    int
		failed     string
	}{
		{"as-is", echo, ` {"a" : 1} `, "", 200, ` {"a" : 1} `, 200, ""},
		{"empty", echo, "", "RequestResponse", 200, "{}", 200, ""},
		{"not-json", echo, "a=1", "", 400, `{"Type":"User","message":"Could not parse request body into json"}`, 400, ""},
		{"function-error", boom, "{}", "", 200, `{"errorMessage":"Malformed input ...","errorType":"errorString"}`, 200, "Malformed input ..."},
		{"panic", function(func(context.Context, []byte) ([]byte, error) { panic(errors.New("p")) }), "{}", "", 200, `{"errorMessage":"p","errorType":"errorString"}`, 200, "p"},
		{"remote-error", function(func(context.Context, []byte) ([]byte, error) {
			kind := "Unhandled"
			return integration.FunctionResult(&kind, []byte(`{"errorMessage":"m","stackTrace":["x"]}`))
		}), "{}", "", 200, `{"errorMessage":"m","stackTrace":["x"]}`, 200, "m"},
		{"refused", function(func(context.Context, []byte) ([]byte, error) { return nil, &integration.InvokeError{Status: 403} }), "{}", "", 500, failedREST, 0, ""},
		{"too-large", function(func(context.Context, []byte) ([]byte, error) { return make([]byte, 7<<20), nil }), "{}", "", 502, failedREST, 0, ""},
		{"event-too-large", echo, `"` + strings.Repeat("x", 6<<20) + `"`, "", 413, `{"message": "Request Too Long"}`, -1, ""},
		{"unknown-kind", echo, "{}", "DryRun", 500, failedREST, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, outcome := custom(t, tt.f, tt.body, tt.kind)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.want, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			if tt.outcome < 0 {
				require.Nil(t, outcome)
				return
			}
			require.Equal(t, tt.outcome, outcome.Status)
			require.Equal(t, tt.failed, outcome.FunctionError)
		})
	}
}

// An asynchronous call is answered at once and goes on; Shutdown waits for it.
func TestLambdaCustomAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		h := gatekit.Must(integration.NewLambdaCustom(function(func(ctx context.Context, payload []byte) ([]byte, error) {
			select {
			case <-time.After(time.Hour):
			case <-ctx.Done():
			}
			got = append(got, string(payload))
			panic("nobody hears it")
		}), integration.LambdaCustomConfig{Concurrency: 1}))
		ctx, cancel := context.WithCancel(t.Context())
		send := func() *httptest.ResponseRecorder {
			rc, r := gatekit.Attach(httptest.NewRequest("POST", "/", strings.NewReader(`{"a":1}`)).WithContext(ctx))
			r.Header.Set("X-Amz-Invocation-Type", "Event")
			rc.API = &gatekit.API{Flavor: gatekit.REST}
			return serve(h, r)
		}
		began := time.Now()
		w := send()
		cancel() // the request's end isn't the call's
		require.Equal(t, 202, w.Code)
		require.Empty(t, w.Body.String())
		require.Zero(t, time.Since(began))
		ctx = t.Context()
		require.Equal(t, 500, send().Code, "throttled: one is running")
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, 15*time.Minute, time.Since(began), "Lambda's longest")
		require.Equal(t, []string{`{"a":1}`}, got)
		require.Equal(t, 500, send().Code, "none begins any more")
	})
}

func TestLambdaCustomTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gatekit.Must(integration.NewLambdaCustom(function(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), integration.LambdaCustomConfig{}))
		rc, r := gatekit.Attach(httptest.NewRequest("POST", "/", nil))
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		began := time.Now()
		w := serve(h, r)
		require.Equal(t, 504, w.Code)
		require.Equal(t, `{"message": "Endpoint request timed out"}`, w.Body.String())
		require.Equal(t, 29*time.Second, time.Since(began))
	})
	_, err := integration.NewLambdaCustom(nil, integration.LambdaCustomConfig{Timeout: 1, AsyncTimeout: -1, MaxEventBytes: -1, MaxReplyBytes: -1, Concurrency: -1})
	for _, field := range []string{"want an Invoker", "Timeout", "AsyncTimeout", "MaxEventBytes", "MaxReplyBytes", "Concurrency"} {
		require.ErrorContains(t, err, field)
	}
}
