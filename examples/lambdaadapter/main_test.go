package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/exampletest"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 5)
}

// The same program is the function where Lambda's environment says so: against a runtime API it
// answers events.
func TestIsTheFunction(t *testing.T) {
	runtime := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{}))
	server := httptest.NewServer(runtime)
	defer server.Close()
	cmd := exampletest.Command(t)
	cmd.Env = append(cmd.Env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		server.CloseClientConnections()
	}()
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		h := gatekit.Must(integration.NewLambda(runtime, integration.LambdaConfig{}))
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
		api.Handle("ANY /{proxy+}", h)
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/orders/9", nil)
		r.Header.Set("Origin", "https://myapp.com")
		api.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
		require.Equal(t, `{"order":"9","for":"192.0.2.1"}`, w.Body.String())
		require.Equal(t, "https://myapp.com", w.Header().Get("Access-Control-Allow-Origin"))
	}
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "nonsense"), "listen")
	w := httptest.NewRecorder()
	invoke(nil).ServeHTTP(w, httptest.NewRequest("GET", "/function/x", nil))
	require.Equal(t, 404, w.Code)
}
