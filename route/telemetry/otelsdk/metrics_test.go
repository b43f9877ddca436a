package otelsdk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

// Both ways of keeping histograms tell the same.
func eachWay(t *testing.T, f func(t *testing.T, own bool)) {
	for name, own := range map[string]bool{"sdk": false, "own": true} {
		t.Run(name, func(t *testing.T) { f(t, own) })
	}
}

func TestHTTPAPI(t *testing.T) {
	eachWay(t, func(t *testing.T, own bool) {
		r := newRig(t, telemetry.Config{OwnHistograms: own}, nil)
		h := api(t, r.Telemetry, gatekit.HTTP)
		for range 3 {
			send(h, "GET", "/orders/7")
		}
		send(h, "GET", "/missing")
		send(h, "GET", "/broken")
		send(h, "GET", "/nothing")
		const of = "{ApiId=a1b2c3d4e5,Stage=prod}"
		got := r.read(t)
		for name, want := range map[string]int64{
			"ApiGateway/Count" + of: 6, "ApiGateway/4xx" + of: 2, "ApiGateway/5xx" + of: 1, "ApiGateway/Latency" + of: 6,
			"ApiGateway/CacheHitCount" + of: 0, "ApiGateway/CacheMissCount" + of: 0, "gatekit.integration.retries" + of: 0,
			"http.server.request.duration{ApiId=a1b2c3d4e5,Stage=prod,http.request.method=GET,http.response.status_code=200}":                3,
			"http.server.request.duration{ApiId=a1b2c3d4e5,Stage=prod,http.request.method=GET,http.response.status_code=404}":                2,
			"http.server.request.duration{ApiId=a1b2c3d4e5,Stage=prod,error.type=503,http.request.method=GET,http.response.status_code=503}": 1,
			"http.server.active_requests{http.request.method=GET}":                                                                           0,
			"gatekit.refusals{ApiId=a1b2c3d4e5,Stage=prod,gatekit.phase=route}":                                                              1,
		} {
			require.Contains(t, got, name)
			require.Equal(t, want, got[name], name)
		}
		require.EqualValues(t, 5*10+len(`{"message":"Not Found"}`), got["ApiGateway/DataProcessed"+of])
		require.NotContains(t, got, "ApiGateway/IntegrationLatency"+of, "no backend was asked")
		for name := range got {
			require.NotContains(t, name, "Route")
			require.NotContains(t, name, "http.route")
			require.NotContains(t, name, "XXError")
		}
	})
}

func TestDetailed(t *testing.T) {
	eachWay(t, func(t *testing.T, own bool) {
		r := newRig(t, telemetry.Config{OwnHistograms: own, Detailed: true}, nil)
		h := api(t, r.Telemetry, gatekit.HTTP)
		send(h, "GET", "/orders/7")
		send(h, "GET", "/orders/8")
		send(h, "GET", "/nothing/7")
		send(h, "GET", "/nothing/8")
		got := r.read(t)
		require.EqualValues(t, 2, got["ApiGateway/Count{ApiId=a1b2c3d4e5,Route=GET /orders/{id},Stage=prod}"])
		require.EqualValues(t, 2, got["ApiGateway/4xx{ApiId=a1b2c3d4e5,Route=(unmatched),Stage=prod}"])
		require.EqualValues(t, 2, got["http.server.request.duration{ApiId=a1b2c3d4e5,Stage=prod,http.request.method=GET,http.response.status_code=200,http.route=/orders/{id}}"])
		require.EqualValues(t, 2, got["http.server.request.duration{ApiId=a1b2c3d4e5,Stage=prod,http.request.method=GET,http.response.status_code=404}"])
	})
}

func TestRESTAPI(t *testing.T) {
	r := newRig(t, telemetry.Config{Detailed: true, APINames: map[string]string{"a1b2c3d4e5": "shop"}}, nil)
	h := api(t, r.Telemetry, gatekit.REST)
	send(h, "GET", "/orders/7")
	send(h, "GET", "/broken")
	send(h, "GET", "/nothing")
	got := r.read(t)
	require.EqualValues(t, 1, got["ApiGateway/Count{ApiName=shop,Method=GET,Resource=/orders/{id},Stage=prod}"])
	require.EqualValues(t, 1, got["ApiGateway/5XXError{ApiName=shop,Method=GET,Resource=/broken,Stage=prod}"])
	require.EqualValues(t, 1, got["ApiGateway/4XXError{ApiName=shop,Method=(unmatched),Resource=(unmatched),Stage=prod}"])
	for name := range got {
		require.False(t, strings.HasPrefix(name, "ApiGateway/4xx") || strings.HasPrefix(name, "ApiGateway/5xx"), name)
	}
}

func TestNames(t *testing.T) {
	for names, want := range map[telemetry.Names][2]bool{
		telemetry.AllNames: {true, true}, telemetry.ServiceNames: {true, false}, telemetry.HTTPNames: {false, true},
	} {
		eachWay(t, func(t *testing.T, own bool) {
			r := newRig(t, telemetry.Config{Names: names, OwnHistograms: own}, nil)
			send(api(t, r.Telemetry, gatekit.HTTP), "GET", "/orders/7")
			var service, http bool
			for name := range r.read(t) {
				service = service || strings.HasPrefix(name, "ApiGateway/")
				http = http || strings.HasPrefix(name, "http.")
			}
			require.Equal(t, want, [2]bool{service, http})
		})
	}
}

// station notes what real ones do.
func station(notes ...gatekit.Note) gatekit.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			for _, n := range notes {
				rc.Note(n)
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestNotes(t *testing.T) {
	r := newRig(t, telemetry.Config{TopKeys: 2}, nil)
	a := api(t, r.Telemetry, gatekit.HTTP)
	a.Use(station(
		gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Hit},
		gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Miss},
		gatekit.Note{Phase: gatekit.PhaseAuthorizer, Verdict: gatekit.Miss, Rule: "lambda"},
		gatekit.Note{Phase: gatekit.PhaseAuthenticate, Verdict: gatekit.Hit, Rule: "jwt"},
		gatekit.Note{Phase: gatekit.PhaseQuota, Rule: "gold", Left: 12, Limited: true},
		gatekit.Note{Phase: gatekit.PhaseQuota, Rule: "gold", Left: 7, Limited: true},
		gatekit.Note{Phase: gatekit.PhaseQuota, Rule: "none", Verdict: gatekit.Skipped},
		gatekit.Note{Phase: gatekit.PhaseIntegration, Verdict: gatekit.Retried},
		gatekit.Note{Phase: gatekit.PhaseWAF, Verdict: gatekit.OnTrial, Rule: "count"},
		gatekit.Note{Phase: gatekit.Phase(200), Verdict: gatekit.Verdict(200)},
	), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			rc.SetAPIKey("secret-value", "key-id")
			rc.SetIntegration(gatekit.Integration{Status: 200, Latency: 30 * time.Millisecond})
			if r.Header.Get("Throttle") != "" {
				rc.Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused, Rule: "account"})
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	send(a, "GET", "/orders/7")
	send(a, "GET", "/orders/7", "Throttle", "1")
	got := r.read(t)
	of := func(name, label string) int64 {
		name += "{ApiId=a1b2c3d4e5,Stage=prod" + label + "}"
		require.Contains(t, got, name)
		return got[name]
	}
	require.EqualValues(t, 2, of("ApiGateway/CacheHitCount", ""))
	require.EqualValues(t, 2, of("ApiGateway/CacheMissCount", ""))
	require.EqualValues(t, 2, of("ApiGateway/IntegrationLatency", ""))
	require.EqualValues(t, 2, of("gatekit.authorizer.cache", ",gatekit.authorizer=lambda,gatekit.cache.result=miss"))
	require.EqualValues(t, 0, of("gatekit.authorizer.cache", ",gatekit.authorizer=lambda,gatekit.cache.result=hit"))
	require.EqualValues(t, 2, of("gatekit.authorizer.cache", ",gatekit.authorizer=jwt,gatekit.cache.result=hit"))
	require.EqualValues(t, 7, of("gatekit.quota.left", ",gatekit.plan=gold"))
	require.EqualValues(t, 2, of("gatekit.integration.retries", ""))
	require.EqualValues(t, 2, of("gatekit.refusals.on_trial", ",gatekit.phase=waf"))
	require.EqualValues(t, 1, of("gatekit.throttled", ",gatekit.limit=account"))
	require.EqualValues(t, 1, of("gatekit.refusals", ",gatekit.phase=throttle"))
	require.EqualValues(t, 2, got["gatekit.top_keys{gatekit.api_key.id=key-id}"])
	require.Equal(t, []telemetry.KeyCount{{ID: "key-id", Count: 2}}, r.TopKeys())
	for name := range got {
		require.NotContains(t, name, "secret-value")
		require.NotContains(t, name, "gatekit.plan=none")
	}
	require.EqualValues(t, 7, r.read(t)["gatekit.quota.left{ApiId=a1b2c3d4e5,Stage=prod,gatekit.plan=gold}"], "nothing new: as before")
}

// Each histogram has the boundaries that the conventions advise, and a value on a boundary belongs
// below it.
func TestBuckets(t *testing.T) {
	eachWay(t, func(t *testing.T, own bool) {
		r := newRig(t, telemetry.Config{OwnHistograms: own, Names: telemetry.ServiceNames}, nil)
		h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			d, _ := time.ParseDuration(r.Header.Get("Took"))
			gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: 200, Latency: d})
		}))
		for _, took := range []string{"0s", "5ms", "5001us", "1s", "10s", "11s"} {
			send(h, "GET", "/", "Took", took)
		}
		var all metricdata.ResourceMetrics
		require.NoError(t, r.reader.Collect(t.Context(), &all))
		found := false
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				if m.Name != "ApiGateway/IntegrationLatency" {
					continue
				}
				found = true
				p := m.Data.(metricdata.Histogram[float64]).DataPoints[0]
				require.Equal(t, "ms", m.Unit)
				require.Equal(t, []float64{5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000}, p.Bounds)
				require.Equal(t, []uint64{2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1}, p.BucketCounts)
				require.InDelta(t, 22010.001, p.Sum, 1e-6)
				require.EqualValues(t, 6, p.Count)
			}
		}
		require.True(t, found)
	})
}

func TestActiveRequests(t *testing.T) {
	r := newRig(t, telemetry.Config{}, nil)
	var during map[string]int64
	h := r.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during = r.read(t) }))
	send(h, "PATCH", "/")
	require.EqualValues(t, 1, during["http.server.active_requests{http.request.method=PATCH}"])
	require.Zero(t, r.read(t)["http.server.active_requests{http.request.method=PATCH}"])
}

// What panics is counted as the 500 that it is for the client, and still panics.
func TestPanic(t *testing.T) {
	r := newRig(t, telemetry.Config{}, nil)
	h := r.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { send(h, "GET", "/") })
	got := r.read(t)
	require.EqualValues(t, 1, got["ApiGateway/5xx{ApiId=,Stage=}"])
	require.Zero(t, got["http.server.active_requests{http.request.method=GET}"])
}

// Behind http.ServeMux the route is its pattern's.
func TestServeMux(t *testing.T) {
	r := newRig(t, telemetry.Config{Detailed: true}, nil)
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", r.Middleware(http.NotFoundHandler()))
	mux.Handle("/", r.Middleware(http.NotFoundHandler()))
	send(mux, "GET", "/orders/7")
	send(mux, "GET", "/other/7")
	got := r.read(t)
	require.EqualValues(t, 1, got["ApiGateway/Count{ApiId=,Route=GET /orders/{id},Stage=}"])
	require.EqualValues(t, 1, got["ApiGateway/Count{ApiId=,Route=(unmatched),Stage=}"])
}

// A handler that outlives its request, with TimeoutHandler between the Telemetry and the routes:
// what the one reads the other still writes. The race detector judges.
func TestTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the time is over when the handler waits
		r := newRig(t, telemetry.Config{Detailed: true, TopKeys: 1}, sdktrace.AlwaysSample())
		release, left := make(chan struct{}), make(chan struct{})
		a := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a", Stage: "s"}}))
		a.Handle("GET /a", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			<-release
			rc := gatekit.From(r.Context())
			rc.Route, rc.API = &gatekit.Route{Key: "GET /late"}, &gatekit.API{APIID: "late"}
			rc.SetAPIKey("a", "b")
			rc.SetSourceIP(netip.Addr{})
			rc.SetUserAgent("late")
			rc.SetIntegration(gatekit.Integration{Status: 200})
			rc.Note(gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Hit})
			_, err := w.Write([]byte("late"))
			require.Error(t, errors.Join(err))
		}))
		w := httptest.NewRecorder()
		r.Middleware(http.TimeoutHandler(a, time.Millisecond, "")).ServeHTTP(w, httptest.NewRequest("GET", "/a", nil))
		require.Equal(t, 503, w.Code)
		close(release)
		<-left
		got := r.read(t)
		require.EqualValues(t, 1, got["ApiGateway/5xx{ApiId=a,Route=GET /a,Stage=s}"])
	})
}

func TestClose(t *testing.T) {
	r := newRig(t, telemetry.Config{Names: telemetry.ServiceNames, OwnHistograms: true}, nil)
	h := api(t, r.Telemetry, gatekit.HTTP)
	send(h, "GET", "/orders/7")
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	send(h, "GET", "/orders/7")
	for name := range r.read(t) {
		require.Contains(t, name, "Latency")
	}
}
