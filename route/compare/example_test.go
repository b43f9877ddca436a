package compare_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/compare"
)

func ExampleRun() {
	price := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	old := httptest.NewServer(price(`{"price": 7}`)) // in place of the managed gateway
	defer old.Close()
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /pets/{id}", price(`{"price": "7"}`))
	accessLog := `192.0.2.1 - - [29/Nov/2026:01:00:00 +0000] "GET /pets/9 HTTP/1.1" 200 13 Abc1hE_roAMEJlg=`

	report, err := compare.Run(context.Background(), compare.Config{
		Gateway: api, Remote: old.URL, Log: strings.NewReader(accessLog),
		Ignore: []string{"header Apigw-Requestid"}, // which our stand-in hasn't got
		Told:   func(d compare.Difference) { fmt.Println(d) },
	})
	fmt.Println(err)
	fmt.Print(report)
	// Output:
	// line 1: GET /pets/9 (GET /pets/{id}): body .price: "7" at the gateway, 7 at the remote
	// <nil>
	// 1 requests answered by both, 0 alike, 1 not
	//
	// COUNT  DIFFERENT    ROUTE           FIRST
	// 1      body .price  GET /pets/{id}  line 1
}
