package telemetry_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/route/websocket"
)

func TestConfig(t *testing.T) {
	_, err := telemetry.New(telemetry.Config{})
	require.ErrorContains(t, err, "MeterProvider: want one, or a TracerProvider")
	_, err = telemetry.New(telemetry.Config{
		OwnHistograms: true, Names: 9, Remote: 9, MaxSeries: -1, TopKeys: 101, ContinueFrom: []string{"0.0.0.0/0", "x"},
	})
	for _, want := range []string{"Names: want", "Remote: want", "MaxSeries", "TopKeys", "ContinueFrom", "all addresses", `got "x"`} {
		require.ErrorContains(t, err, want)
	}
}

// Without an SDK everything works, and nothing is told.
func TestNoSDK(t *testing.T) {
	for name, cfg := range map[string]telemetry.Config{
		"noop": {MeterProvider: noop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider()},
		"own":  {OwnHistograms: true, TopKeys: 3, Detailed: true},
	} {
		t.Run(name, func(t *testing.T) {
			tel := gatekit.Must(telemetry.New(cfg))
			chat := gatekit.Must(websocket.New(t.Context(), websocket.Config{RouteSelection: "$request.body.action"}))
			proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: "http://127.0.0.1:1"}))
			require.NoError(t, tel.ObserveWebSocket(chat))
			require.NoError(t, tel.ObserveUpstreams("orders", proxy))
			require.NoError(t, tel.ObserveMeter(gatekit.Must(metering.New(metering.Config{}))))
			w := httptest.NewRecorder()
			tel.Middleware(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, 404, w.Code)
			require.Equal(t, name == "own", len(tel.Histograms()) > 0)
			require.Empty(t, tel.TopKeys())
			require.NoError(t, tel.Close())
		})
	}
}

func TestStation(t *testing.T) {
	tel := gatekit.Must(telemetry.New(telemetry.Config{OwnHistograms: true}))
	kind, next := tel.Middleware(http.NotFoundHandler()).(gatekit.Station).Station()
	require.Equal(t, "telemetry", kind)
	require.NotNil(t, next)
}

// refusing makes no instruments, as an SDK does that takes a name for none.
type refusing struct {
	noop.MeterProvider
	meter refusingMeter
}

func (p refusing) Meter(string, ...metric.MeterOption) metric.Meter { return p.meter }

type refusingMeter struct {
	noop.Meter
	instruments, callbacks error
}

func (m refusingMeter) Int64ObservableCounter(string, ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return noop.Int64ObservableCounter{}, m.instruments
}

func (m refusingMeter) Int64ObservableGauge(string, ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return noop.Int64ObservableGauge{}, m.instruments
}

func (m refusingMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return noop.Registration{}, m.callbacks
}

func TestProviderThatRefuses(t *testing.T) {
	no := errors.New("no")
	for _, m := range []refusingMeter{{instruments: no}, {callbacks: no}} {
		_, err := telemetry.New(telemetry.Config{MeterProvider: refusing{meter: m}})
		require.ErrorIs(t, err, no)
	}
}
