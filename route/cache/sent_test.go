package cache_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/integration"
)

// ask sends one request as it is written, and returns the answer's body.
func ask(t *testing.T, s *httptest.Server, head string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	fmt.Fprint(conn, head, "Host: x\r\n\r\n")
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return string(body)
}

// The key is made of what the upstream is sent. What a client says of a header that doesn't get
// there, or gets there under another name, by another method, is no part of an answer for others.
func TestTheKeyIsWhatTheBackendIsSent(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin, Accept")
		variable := func(name string) string { // as a CGI program has it
			for key, values := range r.Header {
				if strings.EqualFold(strings.ReplaceAll(key, "_", "-"), name) {
					name = strings.Join(values, ",")
				}
			}
			return name
		}
		method := r.Method
		for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			if value := variable(name); value != name {
				method = value
			}
		}
		fmt.Fprintf(w, "%s tenant=%s origin=%s accept=%s", method, variable("X-Tenant"), variable("Origin"), variable("Accept"))
	}))
	defer up.Close()
	const honest = "GET /a HTTP/1.1\r\nX-Tenant: a\r\nOrigin: o\r\nAccept: b\r\n"
	const right = "GET tenant=a origin=o accept=b"
	for name, attack := range map[string]string{
		"connection":           honest + "Connection: x-tenant, accept, origin\r\n",
		"connection-two-lines": honest + "Connection: close\r\nConnection: X-TENANT\r\n",
		"connection-vary":      honest + "Connection: origin\r\n",
		"method-override":      honest + "X-HTTP-Method-Override: DELETE\r\n",
		"method-override-same": honest + "X-Http-Method-Override: PATCH\r\nX-Http-Method-Override: GET\r\n",
		"http-method":          honest + "X-HTTP-Method: PUT\r\n",
		"underscore-method":    honest + "X_HTTP_Method_Override: DELETE\r\n",
		"underscore-one":       honest + "X-HTTP_Method-Override: PUT\r\n",
		"underscore-short":     honest + "X_Method_Override: PATCH\r\nX_HTTP_Method: PUT\r\n",
		"underscore-alone":     "GET /a HTTP/1.1\r\nX_Tenant: evil\r\nOrigin: o\r\nAccept: b\r\n",
		"underscore-beside":    honest + "X_Tenant: evil\r\n",
		"underscore-mixed":     honest + "x_TENANT: evil\r\n",
	} {
		for _, bare := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/bare=", bare), func(t *testing.T) {
				p := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: up.URL, MethodOverride: true}))
				c := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.header.X-Tenant"}}})
				h := c.Middleware(p) // under no router
				if !bare {
					api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
					api.Handle("GET /a", p, c.Middleware)
					h = api
				}
				s := httptest.NewServer(h)
				defer s.Close()
				ask(t, s, attack)
				ask(t, s, attack)
				require.Equal(t, right, ask(t, s, honest))
				require.Equal(t, right, ask(t, s, honest))
				require.NotZero(t, c.Stats().Hits)
				require.NotEqual(t, "", ask(t, s, attack))
				require.Equal(t, right, ask(t, s, honest))
				// Who has no tenant isn't given the answer of one who has.
				require.Equal(t, "GET tenant=X-Tenant origin=o accept=b", ask(t, s, "GET /a HTTP/1.1\r\nOrigin: o\r\nAccept: b\r\n"))
			})
		}
	}
}
