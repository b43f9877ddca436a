package main

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 8)
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "nonsense", "", nil), "listen")
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode, "%s", b)
	return string(b)
}

// What is scraped parses as Prometheus parses it, and a collector gets the spans.
func TestScrapeAndCollector(t *testing.T) {
	got := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(r.Body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		b, _ := io.ReadAll(body)
		got <- r.URL.Path + " " + string(b)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan [2]string, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, "127.0.0.1:0", collector.URL, func(api, admin string) { ready <- [2]string{api, admin} })
	}()
	var at [2]string
	select {
	case at = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	require.Contains(t, get(t, at[0]+"/orders/7"), `"traced":true`)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(get(t, at[1]+"/metrics")))
	require.NoError(t, err)
	for name, kind := range map[string]dto.MetricType{
		"ApiGateway_Count_total": dto.MetricType_COUNTER, "ApiGateway_4xx_total": dto.MetricType_COUNTER, "ApiGateway_Latency_milliseconds": dto.MetricType_HISTOGRAM,
		"ApiGateway_IntegrationLatency_milliseconds": dto.MetricType_HISTOGRAM, "http_server_request_duration_seconds": dto.MetricType_HISTOGRAM,
		"http_server_active_requests": dto.MetricType_GAUGE, "gatekit_upstream_healthy_ratio": dto.MetricType_GAUGE, "gatekit_metering_units": dto.MetricType_GAUGE,
	} {
		require.Contains(t, families, name)
		require.Equal(t, kind, families[name].GetType(), name)
	}
	require.EqualValues(t, 1, families["http_server_request_duration_seconds"].GetMetric()[0].GetHistogram().GetSampleCount())
	require.Contains(t, get(t, at[1]+"/costs"), `"thereTotal": "0.000001"`)
	select {
	case spans := <-got:
		require.True(t, strings.HasPrefix(spans, "/v1/traces "))
		require.Contains(t, spans, "GET /orders/{id}")
		require.Contains(t, spans, "gatekit.route_key")
	case <-time.After(time.Minute):
		t.Fatal("no spans")
	}
	stop()
	require.NoError(t, <-ended)
}
