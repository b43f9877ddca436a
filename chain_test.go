package gatekit_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// invokerFunc is a function of this process that isn't aws-lambda-go's.
type invokerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

const customHost, generatedHost = "api.example.com", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"

// frontDoor is one API with the stages $default (of HTTP APIs) and s, behind both of its names, as an installation has it. got is the last event.
func frontDoor(t *testing.T, flavor gatekit.Flavor, format string, got *map[string]any) http.Handler {
	t.Helper()
	f, err := integration.Lambda(invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		*got = nil
		return []byte(`{"statusCode":200}`), json.Unmarshal(payload, got)
	}), integration.LambdaConfig{PayloadFormatVersion: format})
	require.NoError(t, err)
	api, err := route.New(route.Config{API: gatekit.API{Flavor: flavor, APIID: "a1b2c3d4e5"}})
	require.NoError(t, err)
	api.Handle("GET /p", f)
	api.Handle("ANY /f/{x}/{proxy+}", f)
	all := []route.Stage{{Name: "s", API: api, Variables: map[string]string{"k": "v"}}}
	if flavor == gatekit.HTTP {
		all = append(all, route.Stage{Name: "$default", API: api})
	}
	stages, err := route.NewStages(all...)
	require.NoError(t, err)
	s, err := stages.Handler("s")
	require.NoError(t, err)
	byDefault := s
	if flavor == gatekit.HTTP {
		byDefault, err = stages.Handler("$default")
		require.NoError(t, err)
	}
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: generatedHost, Mappings: []domain.Mapping{{Handler: stages}}},
		{Host: customHost, Mappings: []domain.Mapping{
			{BasePath: "base", Handler: s}, {BasePath: "v1/base", Handler: byDefault}, {BasePath: "all", Handler: stages},
		}},
		{Host: "stage." + customHost, Mappings: []domain.Mapping{{Handler: s}}},
		{Host: "all." + customHost, Mappings: []domain.Mapping{{Handler: stages}}},
	}})
	require.NoError(t, err)
	return d
}

// Which path a function sees through domain, base path, stage and route together (spec/http-api.md A.8 and G.4).
func TestPathsThroughTheWholeChain(t *testing.T) {
	for _, tt := range []struct {
		flavor         gatekit.Flavor
		format         string
		host, target   string
		path, ctxPath  string
		stage          string
		pathParameters any
	}{
		{gatekit.HTTP, "2.0", generatedHost, "/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", generatedHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/base/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/v1/base/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", customHost, "/all/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", customHost, "/all/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", "stage." + customHost, "/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/base/f/a%20b/%E2%98%95/c%2Fd", "/s/f/a b/☕/c/d", "/s/f/a b/☕/c/d", "s", map[string]any{"x": "a b", "proxy": "☕/c/d"}},

		{gatekit.HTTP, "1.0", generatedHost, "/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "1.0", generatedHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "1.0", customHost, "/base/p", "/base/p", "/base/p", "s", nil},
		{gatekit.HTTP, "1.0", customHost, "/v1/base/p", "/v1/base/p", "/v1/base/p", "$default", nil},
		{gatekit.HTTP, "1.0", customHost, "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "/base/f/a b/c+d/", "s", map[string]any{"x": "a b", "proxy": "c+d/"}},

		// Recorded by LocalStack against the managed gateway, the first four.
		{gatekit.REST, "", generatedHost, "/s/p", "/p", "/s/p", "s", nil},
		{gatekit.REST, "", "all." + customHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.REST, "", customHost, "/all/s/p", "/all/s/p", "/all/s/p", "s", nil},
		{gatekit.REST, "", customHost, "/base/p", "/base/p", "/base/p", "s", nil},
		{gatekit.REST, "", "stage." + customHost, "/p", "/p", "/p", "s", nil},
		{gatekit.REST, "", generatedHost, "/s/f/a%20b/c%2Bd/", "/f/a%20b/c%2Bd/", "/s/f/a%20b/c%2Bd/", "s", map[string]any{"x": "a%20b", "proxy": "c%2Bd"}},
		{gatekit.REST, "", customHost, "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "s", map[string]any{"x": "a%20b", "proxy": "c%2Bd"}},
	} {
		t.Run(strings.TrimSpace(tt.flavor.String()+tt.format+" "+tt.host+tt.target), func(t *testing.T) {
			var e map[string]any
			r := httptest.NewRequest("GET", tt.target, nil)
			r.Host = tt.host + ":443"
			w := httptest.NewRecorder()
			frontDoor(t, tt.flavor, tt.format, &e).ServeHTTP(w, r)
			require.Equal(t, 200, w.Code, w.Body)
			c := e["requestContext"].(map[string]any)
			require.Equal(t, tt.stage, c["stage"])
			require.Equal(t, tt.host, c["domainName"])
			require.Equal(t, strings.Split(tt.host, ".")[0], c["domainPrefix"])
			require.Equal(t, "a1b2c3d4e5", c["apiId"])
			require.Equal(t, tt.pathParameters, e["pathParameters"])
			if tt.stage == "s" {
				require.Equal(t, map[string]any{"k": "v"}, e["stageVariables"])
			}
			if tt.format == "2.0" {
				require.Equal(t, tt.path, e["rawPath"])
				require.Equal(t, tt.ctxPath, c["http"].(map[string]any)["path"])
				return
			}
			require.Equal(t, tt.path, e["path"])
			require.Equal(t, tt.ctxPath, c["path"])
		})
	}
}
