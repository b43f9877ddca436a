package contextvar_test

import (
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/event"
)

// logs is what a log makes of the variables.
func logs(t *testing.T, rc *gatekit.RequestContext, o *contextvar.Outcome, names ...string) map[string]string {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	all := map[string]string{}
	for _, name := range names {
		v, err := contextvar.Logged(name)
		require.NoError(t, err, name)
		text, ok := v.Logs(rc, r, o)
		require.Equal(t, ok, text != "", name)
		if v.Appends() {
			appended, same := v.Append([]byte("x"), rc, o)
			require.Equal(t, "x"+text, string(appended), name)
			require.Equal(t, ok, same, name)
		}
		if ok {
			all[name] = text
		}
	}
	return all
}

// What can be appended is what there is otherwise a string of.
func TestAppendedIsTheText(t *testing.T) {
	rc, _ := attached()
	for name := range contextvar.Names() {
		logs(t, rc, &contextvar.Outcome{}, name)
	}
	rc.SetIntegration(gatekit.Integration{Status: 404, Latency: time.Second})
	logs(t, rc, &contextvar.Outcome{}, slices.Collect(contextvar.Names())...)
	rc.SetIntegration(gatekit.Integration{FunctionError: "failed"})
	logs(t, rc, &contextvar.Outcome{}, slices.Collect(contextvar.Names())...)
	bare, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	logs(t, bare, &contextvar.Outcome{}, slices.Collect(contextvar.Names())...)
	v, err := contextvar.Logged("requestId")
	require.NoError(t, err)
	_, ok := v.Append(nil, nil, nil)
	require.False(t, ok, "outside a gateway")
}

func TestOutcome(t *testing.T) {
	rc, _ := attached()
	o := &contextvar.Outcome{Status: 201, Received: 3, Sent: 4, Took: 1500 * time.Microsecond}
	require.Equal(t, map[string]string{"status": "201", "responseLength": "4", "responseLatency": "1", "dataProcessed": "7"},
		logs(t, rc, o, "status", "responseLength", "responseLatency", "dataProcessed", "integration.responseTransferMode"))
	require.Empty(t, logs(t, rc, &contextvar.Outcome{}, "status"), "nothing was sent")
	rc.SetIntegration(gatekit.Integration{Status: 200})
	require.Equal(t, map[string]string{"integration.responseTransferMode": "BUFFERED"}, logs(t, rc, o, "integration.responseTransferMode"))
	o.Streamed = true
	require.Equal(t, map[string]string{"integration.responseTransferMode": "STREAMED"}, logs(t, rc, o, "integration.responseTransferMode"))
	v, err := contextvar.Logged("xrayTraceId")
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
	text, _ := v.Logs(rc, r, o)
	require.Equal(t, "1-5759e988-bd862e3fe1be46a994272793", text)
}

// What the notes of a phase come to.
func TestPhases(t *testing.T) {
	const authenticate, authorizer, authorize, waf = gatekit.PhaseAuthenticate, gatekit.PhaseAuthorizer, gatekit.PhaseAuthorize, gatekit.PhaseWAF
	for _, tt := range []struct {
		name  string
		notes []gatekit.Note
		want  map[string]string
	}{
		{"none", nil, map[string]string{}},
		{"other-phase", []gatekit.Note{{Phase: gatekit.PhaseRoute, Took: time.Second}, {Phase: 99}}, map[string]string{}},
		{"passed", []gatekit.Note{{Phase: waf, Took: 2 * time.Millisecond}, {Phase: waf, Took: time.Millisecond, Verdict: gatekit.Skipped}},
			map[string]string{"waf.status": "200", "waf.latency": "3"}},
		{"refused", []gatekit.Note{{Phase: waf, Verdict: gatekit.Refused, Status: 403, Reason: "Forbidden"}},
			map[string]string{"waf.status": "403", "waf.error": "Forbidden"}},
		{"on-trial", []gatekit.Note{{Phase: waf, Verdict: gatekit.OnTrial, Status: 403, Reason: "Forbidden"}}, map[string]string{}},
		{"token", []gatekit.Note{{Phase: authenticate, Verdict: gatekit.Miss}, {Phase: authenticate, Verdict: gatekit.Refused, Status: 401, Err: errors.New("expired"), Reason: "no"}},
			map[string]string{"authenticate.status": "401", "authenticate.error": "expired", "authorizer.status": "401", "authorizer.error": "expired"}},
		{"called", []gatekit.Note{
			{Phase: authorizer, Verdict: gatekit.Miss},
			{Phase: authorizer, Status: 200, RequestID: "id", Took: 7 * time.Millisecond},
			{Phase: authorize, Verdict: gatekit.Refused, Status: 403, Err: errors.New("explicit deny"), Took: time.Microsecond},
		}, map[string]string{"authorizer.status": "200", "authorizer.integrationStatus": "200", "authorizer.requestId": "id", "authorizer.latency": "7",
			"authorizer.integrationLatency": "7", "authorize.status": "403", "authorize.error": "explicit deny", "authorize.latency": "0"}},
		{"kept", []gatekit.Note{{Phase: authorizer, Verdict: gatekit.Hit, Took: time.Microsecond}, {Phase: authorize}},
			map[string]string{"authorizer.status": "200", "authorizer.latency": "0", "authorize.status": "200"}},
		{"failed", []gatekit.Note{{Phase: authorizer, Verdict: gatekit.Miss}, {Phase: authorizer, Verdict: gatekit.Failed, Err: errors.New("timeout")}},
			map[string]string{"authorizer.error": "timeout"}},
		{"stale", []gatekit.Note{{Phase: authorizer, Verdict: gatekit.Failed, Status: 500, Err: errors.New("timeout")}, {Phase: authorizer, Verdict: gatekit.Hit}},
			map[string]string{"authorizer.status": "200"}},
		{"no-words", []gatekit.Note{{Phase: authorize, Verdict: gatekit.Refused, Status: 403, Err: errors.New(""), Reason: "why"}},
			map[string]string{"authorize.status": "403", "authorize.error": "why"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rc, _ := attached()
			var names []string
			keep := gatekit.Keep(0)
			for name := range contextvar.Names() {
				if v, err := contextvar.Logged(name); err == nil && v.Keep() != 0 {
					names, keep = append(names, name), keep|v.Keep()
				}
			}
			require.Equal(t, gatekit.KeepOutcomes|gatekit.KeepTimes, keep)
			notes := rc.KeepNotes(keep)
			defer notes.Release()
			for _, n := range tt.notes {
				rc.Note(n)
			}
			var o contextvar.Outcome
			o.Read(notes)
			require.Equal(t, tt.want, logs(t, rc, &o, names...))
		})
	}
}

func TestIntegration(t *testing.T) {
	rc, r := attached()
	names := []string{"integration.status", "integration.integrationStatus", "integrationStatus", "integration.error", "integrationErrorMessage",
		"integration.requestId", "awsEndpointRequestId", "awsEndpointRequestId2"}
	require.Empty(t, logs(t, rc, &contextvar.Outcome{}, names...))
	rc.SetIntegration(gatekit.Integration{ServiceStatus: 429, Err: errors.New("throttled"), RequestID: "id", ExtendedRequestID: "id2"})
	require.Equal(t, map[string]string{
		"integration.integrationStatus": "429", "integrationStatus": "429", "integration.error": "throttled", "integrationErrorMessage": "throttled",
		"integration.requestId": "id", "awsEndpointRequestId": "id", "awsEndpointRequestId2": "id2",
	}, logs(t, rc, &contextvar.Outcome{}, names...))
	_, ok := contextvar.Value(r, "integration.error")
	require.False(t, ok, "templates answer clients, who aren't told")
}

// Outside of logs these names are members of what an authorizer says.
func TestLoggedAlone(t *testing.T) {
	rc, r := attached()
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: map[string]any{"status": "gold"}})
	text, ok := contextvar.Value(r, "authorizer.status")
	require.True(t, ok)
	require.Equal(t, "gold", text)
	require.Empty(t, logs(t, rc, &contextvar.Outcome{}, "authorizer.status"))
	_, err := contextvar.Logged("authorize.nothing")
	require.ErrorContains(t, err, `got "authorize.nothing"`)
}

func TestKinds(t *testing.T) {
	of := func(name string) *contextvar.Var {
		v, err := contextvar.Logged(name)
		require.NoError(t, err)
		return &v
	}
	for name, want := range map[string]bool{
		"identity.apiKey": true, "identity.accessKey": true, "authorizer.claims.sub": true, "authorizer.tenant": true, "authorizer.jwt.claims.sub": true,
		"identity.apiKeyId": false, "authorizer.principalId": false, "authorizer.status": false, "authorizer.error": false, "requestId": false,
	} {
		require.Equal(t, want, of(name).Secret(), name)
	}
	for name, want := range map[string]bool{"status": true, "waf.latency": true, "requestTimeEpoch": true, "connectedAt": true, "requestTime": false, "waf.error": false} {
		require.Equal(t, want, of(name).Number(), name)
	}
	require.Zero(t, of("status").Keep())
	require.Equal(t, gatekit.KeepOutcomes, of("waf.status").Keep())
	names := slices.Collect(contextvar.Names())
	require.True(t, slices.IsSorted(names))
	require.Contains(t, names, "authorizer.integrationStatus")
	require.Len(t, maps.Collect(func(yield func(string, bool) bool) {
		for _, name := range names {
			yield(name, true)
		}
	}), len(names))
}

// The trace in a log is the one that functions and backends are told.
func TestTraceIsTheOneThatIsTold(t *testing.T) {
	v, err := contextvar.Logged("xrayTraceId")
	require.NoError(t, err)
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST, gatekit.WebSocket} {
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		rc.API = &gatekit.API{Flavor: flavor}
		for _, of := range []*gatekit.TraceContext{nil, {TraceID: [16]byte{1}, SpanID: [8]byte{2}}} {
			rc.SetTraceContext(of)
			text, _ := v.Logs(rc, r, &contextvar.Outcome{})
			require.Equal(t, event.Trace(rc, r).Root, text, flavor)
		}
	}
}
