// Observability is an orders API whose metrics a Prometheus scrapes, whose spans go to a collector
// (OTLP) or to stderr, and which tells what its traffic would cost on the managed gateway.
//
//	go -C examples/observability run .
//
// With -otlp http://127.0.0.1:4318 spans go to a collector there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/throttle"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	otlp := flag.String("otlp", "", "URL of a collector; empty writes spans to stderr")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *otlp, printTry); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and calls ready with the addresses of the API and of the operator's
// listener.
func run(ctx context.Context, addr, otlp string, ready func(api, admin string)) (err error) {
	spans, err := exporter(ctx, otlp)
	if err != nil {
		return err
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(time.Second)))
	defer func() { err = errors.Join(err, closed(tracers.Shutdown)) }() // sends what is left
	api, admin, err := gateway(ctx, tracers)
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	// Metrics and costs are for the operator: they have a listener that no client reaches.
	private, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	errs := make(chan error, 2)
	go func() { errs <- serve(ctx, private, admin) }()
	go func() { errs <- serve(ctx, public, api) }()
	ready("http://"+public.Addr().String(), "http://"+private.Addr().String())
	return errors.Join(<-errs, <-errs)
}

// exporter returns where spans go.
func exporter(ctx context.Context, otlp string) (sdktrace.SpanExporter, error) {
	if otlp == "" {
		return stdouttrace.New(stdouttrace.WithWriter(os.Stderr))
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(otlp+"/v1/traces"))
}

// closed calls what ends a provider, which may take five seconds.
func closed(end func(context.Context) error) error {
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return end(last)
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		MaxHeaderBytes: 10 << 10,
	}
	go func() {
		<-ctx.Done()
		_ = closed(server.Shutdown)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// gateway returns the API, and what the operator reads.
func gateway(ctx context.Context, tracers *sdktrace.TracerProvider) (api *route.API, admin http.Handler, err error) {
	meters, scrape, histograms, err := prometheus()
	if err != nil {
		return nil, nil, err
	}
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: meters, TracerProvider: tracers, Detailed: true, OwnHistograms: true,
	})
	if err != nil {
		return nil, nil, err
	}
	histograms.Of(tel)
	meter, err := metering.New(metering.Config{})
	if err != nil {
		return nil, nil, err
	}
	orders, err := backend(ctx)
	if err != nil {
		return nil, nil, err
	}
	api, err = route.New(route.Config{API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}})
	if err != nil {
		return nil, nil, err
	}
	three, err := throttle.New(throttle.Limit{Rate: 1.0 / 60, Burst: 3})
	if err != nil {
		return nil, nil, err
	}
	api.Use(tel.Middleware, meter.Middleware, gatekit.LogRefusals(nil))
	api.Handle("GET /orders/{id}", orders)
	search := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") })
	api.Handle("GET /search", search, three.Middleware)

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrape)
	mux.Handle("GET /costs", meter.Handler())
	return api, mux, errors.Join(api.Build(), tel.ObserveUpstreams("orders", orders), tel.ObserveMeter(meter))
}

// backend starts the server that orders are asked of, which answers with the trace that it is told,
// and returns the way to it.
func backend(ctx context.Context) (*integration.Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const hex = "0123456789abcdef"
		traced := len(r.Header.Get("Traceparent")) == len("00-"+hex+hex+"-"+hex+"-01")
		fmt.Fprintf(w, `{"path":%q,"traced":%t}`, r.URL.Path, traced)
	})
	go func() { _ = server.Serve(l) }() // until Close
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return integration.NewHTTP(ctx, integration.HTTPConfig{
		URI:       "http://orders.internal/v1/orders/{id}",
		Upstreams: []integration.Upstream{{Address: l.Addr().String()}},
	})
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order.
func printTry(api, admin string) {
	fmt.Printf("listening on %s, for the operator on %s\n\nAPI=%s\nADMIN=%s\n", api, admin, api, admin)
	fmt.Print(`
# the backend is told where in the trace it is; the span is on stderr, or at the collector
curl -sw ' %{http_code}\n' $API/orders/7   # {"path":"/v1/orders/7","traced":true} 200
# three searches a minute
for i in 1 2 3 4; do curl -so /dev/null -w '%{http_code} ' $API/search; done   # 200 200 200 429
curl -sw ' %{http_code}\n' $API/nothing   # {"message":"Not Found"} 404
# what a Prometheus reads: requests by route, the limit that refused, the backend that is well
curl -s $ADMIN/metrics | grep '^ApiGateway_Count_total.*search'   # ApiGateway_Count_total{ApiId="a1b2c3d4e5",Route="GET /search",Stage="prod"} 4
curl -s $ADMIN/metrics | grep '^gatekit_refusals_total.*search' | cut -d, -f4   # gatekit_phase="throttle"} 1
curl -s $ADMIN/metrics | grep '^http_server_request_duration_seconds_count.*="200".*search' | cut -d' ' -f2   # 3
curl -s $ADMIN/metrics | grep '^gatekit_upstream_healthy' | cut -d' ' -f2   # 1
# what this would cost on the managed gateway: the search that was refused isn't charged
curl -s "$ADMIN/costs?format=csv" | grep search | cut -d, -f2-   # http-request,a1b2c3d4e5,prod,GET /search,,4,1,3,0,37,0.000003
`)
}
