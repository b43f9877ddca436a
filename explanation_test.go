package gatekit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// explanation has each field, so that each form shows each.
func explanation() *gatekit.Explanation {
	return &gatekit.Explanation{
		Time: time.Date(2026, 11, 29, 1, 2, 3, 4_000_000, time.UTC), Took: 1500 * time.Microsecond,
		RequestID: "JKJaXmPLvHcESHA=", APIID: "a1b2c3", Stage: "prod", RouteKey: "GET /orders/{id}", Method: "GET", Status: 429, Dropped: 2,
		Notes: []gatekit.Note{
			{Phase: gatekit.PhaseRoute, Rule: "GET /orders/{id}"},
			{Phase: gatekit.PhaseAuthorizer, Verdict: gatekit.Failed, Rule: "judge", Status: 500, RequestID: "r-1", Err: errors.New("broken"), Took: time.Millisecond},
			{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused, Rule: "stage", Status: 429, Limited: true, Reason: "the bucket has no token left"},
		},
	}
}

func TestExplanationForms(t *testing.T) {
	e := explanation()
	require.True(t, e.Refused())
	require.Equal(t, `GET /orders/{id} of stage prod: 429, refused by throttle "stage": the bucket has no token left
request JKJaXmPLvHcESHA= to API a1b2c3 at 2026-11-29T01:02:03.004Z, took 1.5ms
  1 route       passed   GET /orders/{id}
  2 authorizer  failed   judge  500; 1ms; broken; its request r-1
  3 throttle    refused  stage  429; 0 left; the bucket has no token left
and 2 more, for which there was no room
`, e.String())
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.Equal(t, `{"time":"2026-11-29T01:02:03.004Z","tookNanos":1500000,"requestId":"JKJaXmPLvHcESHA=","apiId":"a1b2c3","stage":"prod",`+
		`"routeKey":"GET /orders/{id}","method":"GET","status":429,"notes":[{"phase":"route","verdict":"passed","rule":"GET /orders/{id}"},`+
		`{"phase":"authorizer","verdict":"failed","rule":"judge","error":"broken","status":500,"requestId":"r-1","tookNanos":1000000},`+
		`{"phase":"throttle","verdict":"refused","rule":"stage","reason":"the bucket has no token left","status":429,"left":0}],"dropped":2}`, string(text))
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "why", e)
	_, group, _ := strings.Cut(b.String(), `"why":`)
	require.Equal(t, `{"request":"JKJaXmPLvHcESHA=","api":"a1b2c3","stage":"prod","route":"GET /orders/{id}","method":"GET","status":429,"took":1500000,`+
		`"notes":{"1 route":"passed; GET /orders/{id}","2 authorizer":"failed; judge; 500; 1ms; broken; its request r-1",`+
		`"3 throttle":"refused; stage; 429; 0 left; the bucket has no token left"},"dropped":2}}`+"\n", group)
}

func TestSummaries(t *testing.T) {
	note := func(v gatekit.Verdict) gatekit.Note { return gatekit.Note{Phase: gatekit.PhaseCache, Verdict: v} }
	for _, tt := range []struct {
		e    gatekit.Explanation
		want string
	}{
		{gatekit.Explanation{Method: "GET"}, "GET without a route: passed\n"},
		{gatekit.Explanation{RouteKey: "$default", Status: 200}, "$default: 200\n"},
		{gatekit.Explanation{RouteKey: "$default", Notes: []gatekit.Note{note(gatekit.Answered), note(gatekit.Failed), note(gatekit.OnTrial)}}, "$default: failed by cache\n"},
		{gatekit.Explanation{RouteKey: "$default", Notes: []gatekit.Note{{Verdict: gatekit.Refused, Err: errors.New("why")}, note(gatekit.Failed)}}, "$default: refused by gateway: why\n"},
	} {
		require.True(t, strings.HasPrefix(tt.e.String(), tt.want), tt.e.String())
	}
	require.False(t, (&gatekit.Explanation{}).Refused())
}

func TestExplain(t *testing.T) {
	require.Contains(t, gatekit.Explain(httptest.NewRequest("GET", "/", nil)), "want one of gatekit.Explained")
	_, attached := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.Contains(t, gatekit.Explain(attached), "want one of gatekit.Explained")

	r := gatekit.Explained(httptest.NewRequest("PUT", "/", nil))
	onRoute := gatekit.Must(gatekit.OnRoute("GET /orders"))
	gatekit.Chain(http.NotFoundHandler(), onRoute).ServeHTTP(httptest.NewRecorder(), r)
	const want = `PUT without a route: 500, refused by integration "API_CONFIGURATION_ERROR": Internal Server Error
  1 integration  refused  API_CONFIGURATION_ERROR  500; Internal Server Error; gatekit: OnRoute("GET /orders") stands in front of a request with another method
`
	require.Equal(t, want, gatekit.Explain(r))
	require.Equal(t, want, gatekit.Explain(r), "asked again")

	// Under another router the pattern tells the route.
	r = gatekit.Explained(httptest.NewRequest("GET", "/orders/7", nil))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id...}", func(w http.ResponseWriter, r *http.Request) {
		gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: 201})
	})
	mux.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "GET /orders/{id+}: 201\n  1 integration  passed    201\n", gatekit.Explain(r))
}

// The route that was stated is noted where somebody wants to know how it came to be.
func TestOnRouteIsNoted(t *testing.T) {
	r := gatekit.Explained(httptest.NewRequest("GET", "/orders", nil))
	gatekit.Chain(http.NotFoundHandler(), gatekit.Must(gatekit.OnRoute("GET /orders"))).ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "GET /orders: passed\n  1 route  passed  GET /orders  stated by OnRoute\n", gatekit.Explain(r))
}

// Whatever an error or a station says, an explanation stays small, and in one line each.
func TestExplanationsAreBounded(t *testing.T) {
	r := gatekit.Explained(httptest.NewRequest("GET", "/", nil))
	rc := gatekit.From(r.Context())
	long := "evil\r\nX-Injected: 1\u2028" + strings.Repeat("é", 10_000)
	for range gatekit.MaxNotes + 5 {
		rc.Note(gatekit.Note{Rule: long, Reason: long, RequestID: long, Err: errors.New(long + "!")})
	}
	got := gatekit.Explain(r)
	require.Less(t, len(got), gatekit.MaxNotes*1500)
	require.Len(t, strings.Split(strings.TrimSpace(got), "\n"), gatekit.MaxNotes+2)
	require.NotContains(t, got, "\r")
	require.NotContains(t, got, "\u2028")
	require.NotContains(t, got, "\ufffd")
	require.Contains(t, got, "and 5 more")
}

// Who the proxy says that the client is, and whom it wasn't believed of.
func TestForwardedClientCertIsNoted(t *testing.T) {
	h := reader(t, nil).Middleware(http.NotFoundHandler())
	for want, r := range map[string]*http.Request{
		"  1 authenticate  passed  X-Forwarded-Client-Cert\n":                                  fromPeer("10.0.0.1:1", xfcc, element("alice")),
		"  1 authenticate  refused  X-Forwarded-Client-Cert  400; gatekit: the proxy's header": fromPeer("10.0.0.1:1", xfcc, "x"),
		"  1 authenticate  skipped  X-Forwarded-Client-Cert  not from a trusted proxy\n":       fromPeer("192.0.2.1:1", xfcc, element("alice")),
		"GET without a route: passed\n":                                                        fromPeer("10.0.0.1:1", xfcc),
	} {
		r = gatekit.Explained(r)
		h.ServeHTTP(httptest.NewRecorder(), r)
		require.Contains(t, gatekit.Explain(r), want)
	}
}
