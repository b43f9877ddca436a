package otelsdk_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

// A million hosts, paths, methods, keys and statuses make no more series than the configuration has
// words, and every request is in one.
func TestMillionOfEverything(t *testing.T) {
	eachWay(t, func(t *testing.T, own bool) {
		r := newRig(t, telemetry.Config{OwnHistograms: own, Detailed: true, TopKeys: 5}, nil)
		a := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a", Stage: "s"}}))
		a.Use(r.Middleware)
		a.Handle("ANY /files/{proxy+}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.Header.Get("N"))
			gatekit.From(r.Context()).SetAPIKey("", r.Header.Get("Key"))
			gatekit.From(r.Context()).Note(gatekit.Note{Phase: gatekit.PhaseKey})
			w.WriteHeader(200 + n%700)
		}))
		workers, each := 4, floodOf
		if !own {
			each /= 10 // which is slower, and has the same labels
		}
		var all sync.WaitGroup
		for g := range workers {
			all.Go(func() {
				var w http.ResponseWriter = null{http.Header{}}
				base := httptest.NewRequestWithContext(context.Background(), "GET", "/", nil)
				for i := range each {
					n := strconv.Itoa(g*each + i)
					req := base.WithContext(context.Background())
					req.Method, req.Host, req.URL = "M"+n, n+".example", &url.URL{Path: "/files/" + n}
					if i%2 == 0 {
						req.URL.Path = "/" + n
					}
					req.Header = http.Header{"N": {n}, "Key": {n}, "User-Agent": {n}}
					if i%10 == 1 {
						req.Header["Key"] = []string{"heavy"}
					}
					clear(w.Header())
					a.ServeHTTP(w, req)
				}
			})
		}
		all.Wait()
		got := r.read(t)
		require.Less(t, len(got), 250)
		var count, measured int64
		for name, n := range got {
			if strings.HasPrefix(name, "ApiGateway/Count{") {
				count += n
			}
			if strings.HasPrefix(name, "http.server.request.duration{") {
				measured += n
			}
		}
		require.EqualValues(t, workers*each, count)
		require.EqualValues(t, workers*each, measured)
		top := r.TopKeys()
		require.Len(t, top, 5)
		require.Equal(t, "heavy", top[0].ID) // a tenth of all, and of those that have a route a fifth
		require.GreaterOrEqual(t, top[0].Count, int64(workers*each/10))
		require.LessOrEqual(t, top[0].Count-top[0].Over, int64(workers*each/10))
		require.LessOrEqual(t, top[0].Over, int64(workers*each/2/100))
	})
}

type null struct{ h http.Header }

func (n null) Header() http.Header         { return n.h }
func (n null) Write(b []byte) (int, error) { return len(b), nil }
func (n null) WriteHeader(int)             {}

// More APIs, stages and routes than there may be series are counted together, and so are statuses.
func TestMaxSeries(t *testing.T) {
	eachWay(t, func(t *testing.T, own bool) {
		r := newRig(t, telemetry.Config{OwnHistograms: own, Detailed: true, MaxSeries: 20}, nil)
		for i := range 100 {
			a := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: fmt.Sprintf("api%d", i), Stage: "s"}}))
			a.Use(r.Middleware)
			a.Handle("GET /a", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for i := range 300 {
					gatekit.From(r.Context()).Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused, Rule: strconv.Itoa(i)})
				}
				n, _ := strconv.Atoi(r.URL.RawQuery)
				w.WriteHeader(n)
			}))
			for status := range 30 {
				send(a, "GET", fmt.Sprintf("/a?%d", 400+status))
			}
		}
		var count, measured, series int64
		for name, n := range r.read(t) {
			switch {
			case strings.HasPrefix(name, "ApiGateway/Count{"):
				count, series = count+n, series+1
			case strings.HasPrefix(name, "http.server.request.duration{"):
				measured += n
			}
		}
		require.EqualValues(t, 3000, count)
		require.EqualValues(t, 3000, measured)
		require.EqualValues(t, 21, series)
	})
}

// Names of limits, authorizers and plans are the configuration's; even so they are bounded.
func TestMaxRules(t *testing.T) {
	r := newRig(t, telemetry.Config{}, nil)
	for i := range 1000 {
		rule := strconv.Itoa(i)
		if i == 7 {
			rule = strings.Repeat("x", 5000)
		}
		send(r.Middleware(station(
			gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused, Rule: rule},
			gatekit.Note{Phase: gatekit.PhaseAuthorizer, Verdict: gatekit.Hit, Rule: rule},
			gatekit.Note{Phase: gatekit.PhaseQuota, Rule: rule, Limited: true},
		)(http.NotFoundHandler())), "GET", "/")
	}
	of := map[string]int{}
	var throttled int64
	for name, n := range r.read(t) {
		kind, _, _ := strings.Cut(name, "{")
		of[kind]++
		if kind == "gatekit.throttled" {
			throttled += n
		}
		require.Less(t, len(name), 400)
	}
	require.EqualValues(t, 1000, throttled)
	require.LessOrEqual(t, of["gatekit.throttled"], 100)
	require.GreaterOrEqual(t, of["gatekit.throttled"], 99)
	require.LessOrEqual(t, of["gatekit.authorizer.cache"], 200)
	require.LessOrEqual(t, of["gatekit.quota.left"], 100)
}

// What a client writes into headers of traces is no text of ours: long ones, broken ones, many.
func TestTraceHeadersThatLie(t *testing.T) {
	r := newRig(t, telemetry.Config{ContinueFrom: []string{"192.0.2.1"}}, sdktrace.AlwaysSample())
	h := r.Middleware(http.NotFoundHandler())
	for _, value := range []string{"", "00", strings.Repeat("0", 1<<20), "ff-" + theirTrace + "-" + theirParent + "-01", "\x00", "00-" + theirTrace + "-" + theirParent + "-zz", "é"} {
		for _, name := range []string{"Traceparent", "X-Amzn-Trace-Id", "Tracestate", "Baggage"} {
			require.Equal(t, 404, send(h, "GET", "/", name, value).Code)
		}
	}
	twice := httptest.NewRequest("GET", "/", nil)
	twice.Header["Traceparent"] = []string{traceparent, traceparent}
	h.ServeHTTP(httptest.NewRecorder(), twice)
	for _, s := range r.spans.GetSpans() {
		require.NotEqual(t, theirTrace, s.SpanContext.TraceID().String())
	}
}

// What a client sends stays short in a span, and is text.
func TestLongWords(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	req := httptest.NewRequest("GET", "/", nil)
	req.Method, req.URL.Path = strings.Repeat("M", 5000), "/"+strings.Repeat("p", 1<<16)
	req.Host = strings.Repeat("h", 1<<16)
	req.Header.Set("User-Agent", strings.Repeat("\xff", 1<<16))
	r.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
	for name, value := range attributes(r.only(t)) {
		require.LessOrEqual(t, len(value), 3*1024, name)
	}
}

// A client can't turn a sum back by a length that it claims, and what isn't sent isn't counted.
func TestClaimedLengths(t *testing.T) {
	r := newRig(t, telemetry.Config{}, nil)
	h := r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte("0123456789"))
	}))
	for _, claimed := range []int64{math.MaxInt64, math.MaxInt64, -1} {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader("abc"))
		req.ContentLength = claimed
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
	send(h, "HEAD", "/")
	require.EqualValues(t, 3*13, r.read(t)["ApiGateway/DataProcessed{ApiId=,Stage=}"])
}

// An execution log's lines, which have bodies, are no steps of a trace.
func TestTextsAreNoSpans(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	send(r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		defer rc.KeepNotes(gatekit.KeepTexts).Release()
		rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration, Text: "Endpoint request headers: {}", Began: time.Now().Add(-time.Second)})
		rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration, Text: "Sending request"})
	})), "GET", "/")
	require.Len(t, r.spans.GetSpans(), 1)
	require.Empty(t, r.only(t).Events)
}

// A state in several lines is one list, and a handshake over HTTP/2 has no latency.
func TestLinesOfState(t *testing.T) {
	r := newRig(t, telemetry.Config{Remote: telemetry.InsecureContinueRemote}, sdktrace.AlwaysSample())
	var state string
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		state = gatekit.From(r.Context()).TraceContext().State
	}))
	req := httptest.NewRequestWithContext(t.Context(), "CONNECT", "/", nil)
	req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	req.Header["Tracestate"] = []string{"a=1,b=2", "c=3"}
	h.ServeHTTP(httptest.NewRecorder(), req)
	require.Equal(t, "a=1,b=2,c=3", state)
	got := r.read(t)
	require.EqualValues(t, 1, got["ApiGateway/Count{ApiId=,Stage=}"])
	require.NotContains(t, got, "ApiGateway/Latency{ApiId=,Stage=}")
}
