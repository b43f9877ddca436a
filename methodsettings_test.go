package gatekit_test

import (
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestStageSettings(t *testing.T) {
	s, err := gatekit.NewStageSettings(map[string]gatekit.MethodSettings{
		"pets/{id}/GET": {CachingEnabled: true}, "/GET": {OpenCacheControl: true}, "any/ANY": {UnauthorizedCacheControl: gatekit.FailWith403},
	})
	require.NoError(t, err)
	require.True(t, s.Of("GET", "/pets/{id}").CachingEnabled)
	require.True(t, s.Of("GET", "/").OpenCacheControl)
	require.Equal(t, gatekit.FailWith403, s.Of("DELETE", "/any").UnauthorizedCacheControl)
	require.Nil(t, s.Of("POST", "/pets/{id}"))
	s, err = gatekit.NewStageSettings(map[string]gatekit.MethodSettings{"/*/*": {CachingEnabled: true}})
	require.NoError(t, err, "as patches write it")
	require.True(t, s.Of("GET", "/pets").CachingEnabled)
	require.Nil(t, (*gatekit.StageSettings)(nil).Of("GET", "/"))
	require.Nil(t, (*gatekit.RequestContext)(nil).MethodSettings("GET"))
}

// An entry holds for the requests that its path matches, whatever a canary, another document or
// OnRoute calls the variables; an entry of the same name goes first.
func TestStageSettingsUnderOtherNames(t *testing.T) {
	s := gatekit.Must(gatekit.NewStageSettings(map[string]gatekit.MethodSettings{
		"*/*": {CacheTTL: 9 * time.Second}, "pets/{id}/GET": {CacheTTL: 1 * time.Second}, "pets/{named}/GET": {CacheTTL: 2 * time.Second},
		"files/{proxy+}/ANY": {CacheTTL: 3 * time.Second}, "a/{b}/c/{d}/GET": {CacheTTL: 4 * time.Second},
	}))
	for key, want := range map[string]time.Duration{
		"GET /pets/{id}": 1, "GET /pets/{named}": 2, "GET /pets/{petId}": 1, "POST /pets/{petId}": 9, "GET /pets/{id+}": 9, "GET /pets/id": 9, "GET /pets/{id}/x": 9,
		"ANY /files/{path+}": 3, "ANY /files/{path}": 9, "GET /a/{x}/c/{y}": 4, "GET /a/{x}/d/{y}": 9, "$default": 9,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		rc, r := gatekit.Attach(r)
		rc.API, rc.Route = &gatekit.API{Settings: s}, &gatekit.Route{Key: key}
		require.Equal(t, want*time.Second, rc.MethodSettings("GET").CacheTTL, key)
		got, err := gatekit.MethodSettingsOf(r)
		require.NoError(t, err)
		require.Equal(t, want*time.Second, got.CacheTTL, key)
		require.Zero(t, testing.AllocsPerRun(10, func() { rc.MethodSettings("GET") }), key)
	}
}

func TestStageSettingsThatCannotBe(t *testing.T) {
	for want, settings := range map[string]map[string]gatekit.MethodSettings{
		`StageSettings["pets"]: want a path and a method`:                  {"pets": {}},
		`StageSettings["pets/get"]: want a method such as GET`:             {"pets/get": {}},
		`StageSettings["pets/*"]: want a method such as GET`:               {"pets/*": {}},
		`StageSettings["*/GET"]: want a path without *`:                    {"*/GET": {}},
		`StageSettings["pets/*/GET"]: want a path without *`:               {"pets/*/GET": {}},
		`want one entry for GET /pets, got two`:                            {"pets/GET": {}, "/pets/GET": {}},
		`Throttling: want a RateLimit and a BurstLimit`:                    {"*/*": {Throttling: &gatekit.MethodThrottling{BurstLimit: 1}}},
		`blocks all requests; MethodThrottling{} says that in full, got 1`: {"*/*": {Throttling: &gatekit.MethodThrottling{RateLimit: 1}}},
		`Throttling.RateLimit: want a finite number of requests a second`:  {"*/*": {Throttling: &gatekit.MethodThrottling{RateLimit: math.NaN(), BurstLimit: 1}}},
		`Throttling.BurstLimit: want 0 or more, got -1`:                    {"*/*": {Throttling: &gatekit.MethodThrottling{BurstLimit: -1}}},
		`want one entry for */*, got two`:                                  {"*/*": {}, "/*/*": {}},
		`CacheTTL: want 0 to 1h0m0s, or Off, got 2h0m0s`:                   {"*/*": {CacheTTL: 2 * time.Hour}},
		`CacheTTL: want 0 to 1h0m0s, or Off, got -1s`:                      {"*/*": {CacheTTL: -time.Second}},
		`UnauthorizedCacheControl: want one of its constants, got 7`:       {"*/*": {UnauthorizedCacheControl: 7}},
	} {
		_, err := gatekit.NewStageSettings(settings)
		require.ErrorContains(t, err, want)
	}
}
