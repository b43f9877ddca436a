package gatekit_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/gatekit-go/gatekit"
)

// plain leaves out what differs from run to run.
var plain = &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "request" {
		return slog.Attr{}
	}
	return a
}}

// broken stands for any station that refuses: an authorizer that can't reach its issuer.
func broken(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.AuthorizerFailure, Cause: errors.New("auth: fetch https://idp.example: connection refused")})
	})
}

// The client is told nothing but the status; the owner is told why.
func ExampleLogRefusals() {
	log := slog.New(slog.NewTextHandler(os.Stdout, plain))
	h := gatekit.Chain(http.NotFoundHandler(), gatekit.LogRefusals(log), broken)

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// level=ERROR msg="gatekit: request refused" status=500 type=AUTHORIZER_FAILURE phase=authenticate method=GET route="" cause="auth: fetch https://idp.example: connection refused"
	// 500 {"message":"Internal Server Error"}
}

// Any station outside may ask what was refused, for a metric or a log of its own.
func ExampleRequestContext_Rejection() {
	count := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			next.ServeHTTP(w, r)
			if rej := rc.Rejection(); rej != nil {
				fmt.Println(rej.Type, rej.Type.Phase(), rej.Cause)
			}
		})
	}
	h := gatekit.Chain(http.NotFoundHandler(), count, broken)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders", nil))
	// Output:
	// AUTHORIZER_FAILURE authenticate auth: fetch https://idp.example: connection refused
}
