package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

// With OpenTelemetry's SDK the program has providers, and gives them in Config.MeterProvider and
// Config.TracerProvider. This one needs none: its histograms are its own.
func ExampleTelemetry() {
	t := gatekit.Must(telemetry.New(telemetry.Config{
		OwnHistograms: true, Detailed: true, Names: telemetry.ServiceNames,
	}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}}))
	api.Use(t.Middleware)
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "order") }))

	for _, path := range []string{"/orders/7", "/orders/8"} {
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	for _, h := range t.Histograms() {
		routeKey, _ := h.Attributes.Value("Route")
		fmt.Println(h.Name, routeKey.AsString(), h.Count())
	}
	// Output: ApiGateway/Latency GET /orders/{id} 2
}

// Whose trace context is believed are networks of one's own, and never everybody.
func ExampleConfig_continueFrom() {
	_, err := telemetry.New(telemetry.Config{
		OwnHistograms: true,
		ContinueFrom:  []string{"10.0.0.0/8", "0.0.0.0/0"}, // everybody's trace context would be believed
	})
	fmt.Println(err)
	// Output:
	// telemetry: Config.ContinueFrom: gatekit: NewTrustedProxies.prefixes[1]: want the proxies' own networks, got all addresses ("0.0.0.0/0"), which lets any client name its address
}
