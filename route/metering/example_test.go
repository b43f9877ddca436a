package metering_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/metering"
)

func ExampleMeter() {
	meter := gatekit.Must(metering.New(metering.Config{}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}}))
	api.Use(meter.Middleware)
	api.Handle("POST /orders", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	api.Handle("GET /secret", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
	}))

	large := bytes.NewReader(make([]byte, 513<<10)) // two steps of 512 KB
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/orders", large))
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/secret", nil)) // not charged

	for _, r := range meter.Report().Rows {
		fmt.Printf("%s: %d calls, %d free, %d units, %s dollars\n", r.Route, r.Calls, r.Free, r.Units, r.Cost)
	}
	// Output:
	// GET /secret: 1 calls, 1 free, 0 units, 0.000000 dollars
	// POST /orders: 1 calls, 0 free, 2 units, 0.000002 dollars
}

func ExampleReport_WriteCSV() {
	prices := metering.USEast1()
	prices.HTTPRequests = []metering.Tier{{UpTo: 1000, PerMillion: 0}, {PerMillion: 2 * metering.Dollar}} // the first thousand are free
	meter := gatekit.Must(metering.New(metering.Config{Prices: &prices}))
	h := meter.Middleware(http.NotFoundHandler())
	for range 1005 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	var text strings.Builder
	_ = meter.Report().WriteCSV(&text)
	_, rows, _ := strings.Cut(text.String(), "\n")
	_, row, _ := strings.Cut(rows, ",") // without the month
	fmt.Fprint(os.Stdout, row)
	// Output:
	// http-request,,,,,1005,0,1005,0,19095,0.000010
}
