package cors_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
)

// The step that decided is noted, and nothing of what the page sent.
func TestNotes(t *testing.T) {
	h := gatekit.Must(cors.New(full)).Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, tt := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"allowed", preflight("https://myapp.com", "PUT", "authorization"), `
OPTIONS without a route: answered by cors
  1 cors  answered    204
`},
		{"origin", preflight("https://evil.com", "PUT", ""), `
OPTIONS without a route: refused by cors "AllowOrigins": CORS check: the origin isn't in AllowOrigins
  1 cors  refused  AllowOrigins  204; CORS check: the origin isn't in AllowOrigins
`},
		{"method", preflight("https://myapp.com", "EVIL", ""), `
OPTIONS without a route: refused by cors "AllowMethods": CORS-preflight fetch, methods: the method isn't in AllowMethods
  1 cors  refused  AllowMethods  204; CORS-preflight fetch, methods: the method isn't in AllowMethods
`},
		{"headers", preflight("https://myapp.com", "PUT", "x-evil"), `
OPTIONS without a route: refused by cors "AllowHeaders": CORS-preflight fetch, header names: a name isn't in AllowHeaders
  1 cors  refused  AllowHeaders  204; CORS-preflight fetch, header names: a name isn't in AllowHeaders
`},
		{"actual", actual("https://myapp.com"), `
GET without a route: passed
  1 cors  passed
`},
		{"actual-of-others", actual("https://evil.com"), `
GET without a route: passed
  1 cors  skipped  AllowOrigins  CORS check: the origin isn't in AllowOrigins
`},
		{"no-page", actual(""), "\nGET without a route: passed\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := gatekit.Explained(tt.r)
			h.ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, tt.want[1:], gatekit.Explain(r))
		})
	}
}
