package gatekit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// records reads what a JSON handler wrote.
func records(t *testing.T, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(text) {
		var one map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &one))
		all = append(all, one)
	}
	return all
}

func refusing(why error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, why) })
}

func TestLogRefusalsTellsTheOwnerWhatTheClientIsNotTold(t *testing.T) {
	for _, tt := range []struct {
		name              string
		why               error
		level, typ, phase string
		status            float64
		cause             any
	}{
		{"unauthorized", &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errors.New("the token has expired")}, "INFO", "UNAUTHORIZED", "authenticate", 401, "the token has expired"},
		{"throttled", &gatekit.Rejection{Type: gatekit.Throttled}, "INFO", "THROTTLED", "throttle", 429, nil},
		{"own-status", &gatekit.Rejection{Status: 418}, "INFO", "DEFAULT_4XX", "gateway", 418, nil},
		{"fault", errors.New("the store is away"), "ERROR", "DEFAULT_5XX", "gateway", 500, "the store is away"},
		{"timeout", &gatekit.Rejection{Type: gatekit.IntegrationTimeout, Cause: context.DeadlineExceeded}, "ERROR", "INTEGRATION_TIMEOUT", "integration", 503, "context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			h := gatekit.LogRefusals(slog.New(slog.NewJSONHandler(&out, nil)))(refusing(tt.why))
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/orders?token=secret", nil)
			r.Pattern = "GET /orders"
			h.ServeHTTP(w, r)
			one := records(t, out.String())
			require.Len(t, one, 1)
			delete(one[0], "time")
			want := map[string]any{
				"level": tt.level, "msg": "gatekit: request refused", "status": tt.status, "type": tt.typ, "phase": tt.phase,
				"request": w.Header().Get("Apigw-Requestid"), "method": "GET", "route": "GET /orders",
			}
			if tt.cause != nil {
				want["cause"] = tt.cause
				require.NotContains(t, w.Body.String(), tt.cause)
			}
			require.Equal(t, want, one[0])
			require.NotContains(t, out.String(), "secret")
		})
	}
}

func TestLogRefusalsIsSilentAboutWhatIsServed(t *testing.T) {
	var out bytes.Buffer
	h := gatekit.LogRefusals(slog.New(slog.NewJSONHandler(&out, nil)))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError) // the handler's own answer is no refusal
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	require.Empty(t, out.String())
}

// An attacker makes refusals: the log is bounded, says what it left out, and no flood of one level
// hides the other.
func TestLogRefusalsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		station := gatekit.LogRefusals(slog.New(slog.NewJSONHandler(&out, nil)))
		flood, fault := station(refusing(&gatekit.Rejection{Type: gatekit.Throttled})), station(refusing(errors.New("broken")))
		serve := func(h http.Handler) {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		}
		for range 10 * gatekit.MaxRefusalRecords {
			serve(flood)
		}
		serve(fault)
		got := records(t, out.String())
		require.Len(t, got, gatekit.MaxRefusalRecords+1)
		require.Equal(t, "ERROR", got[gatekit.MaxRefusalRecords]["level"])
		require.NotContains(t, out.String(), "suppressed")

		out.Reset()
		time.Sleep(time.Second)
		serve(flood)
		serve(flood)
		got = records(t, out.String())
		require.Len(t, got, 2)
		require.EqualValues(t, 9*gatekit.MaxRefusalRecords, got[0]["suppressed"])
		require.NotContains(t, got[1], "suppressed")
	})
}

func TestLogRefusalsOfALevelThatIsOffCountsNothing(t *testing.T) {
	var out bytes.Buffer
	h := gatekit.LogRefusals(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelError})))(refusing(&gatekit.Rejection{Type: gatekit.Throttled}))
	for range 2 * gatekit.MaxRefusalRecords {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	require.Empty(t, out.String())
}

// A type that is added later says where it refuses.
func TestEveryResponseTypeHasAPhase(t *testing.T) {
	for typ := gatekit.AccessDenied; !strings.HasPrefix(typ.String(), "ResponseType("); typ++ {
		if phase := typ.Phase(); phase == gatekit.PhaseGateway {
			require.Contains(t, []gatekit.ResponseType{gatekit.Default4XX, gatekit.Default5XX}, typ)
		}
	}
}
