package cors_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
)

// In debug mode the headers tell the browser what passed, and the record names the step of the
// standard that failed.
func TestDebugNamesTheStepThatFailed(t *testing.T) {
	for _, tt := range []struct {
		name, origin, method, headers string
		step                          string // "" is allowed
		want                          map[string]string
	}{
		{"origin", "https://evil.example", "PUT", "authorization", "CORS check", nil},
		{"method", "https://myapp.com", "DELETE", "authorization", "methods", map[string]string{
			"Access-Control-Allow-Origin": "https://myapp.com", "Access-Control-Allow-Credentials": "true",
		}},
		{"header", "https://myapp.com", "PUT", "x-secret", "header names", map[string]string{
			"Access-Control-Allow-Origin": "https://myapp.com", "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "PUT",
		}},
		{"allowed", "https://myapp.com", "PUT", "authorization", "", map[string]string{
			"Access-Control-Allow-Origin": "https://myapp.com", "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "PUT",
			"Access-Control-Allow-Headers": "Authorization", "Access-Control-Max-Age": "60",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			c := gatekit.Must(cors.New(cors.Config{
				AllowOrigins: []string{"https://myapp.com"}, AllowMethods: []string{"PUT"}, AllowHeaders: []string{"Authorization"},
				AllowCredentials: true, MaxAge: time.Minute, Debug: true, Logger: slog.New(slog.NewTextHandler(&out, nil)),
			}))
			w := httptest.NewRecorder()
			c.Middleware(http.NotFoundHandler()).ServeHTTP(w, preflight(tt.origin, tt.method, tt.headers))
			require.Equal(t, http.StatusNoContent, w.Code)
			got := map[string]string{}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					got[name] = w.Header().Get(name)
				}
			}
			if tt.want == nil {
				tt.want = map[string]string{}
			}
			require.Equal(t, tt.want, got)
			if tt.step == "" {
				require.Empty(t, out.String())
				return
			}
			require.Contains(t, out.String(), tt.step)
			require.Contains(t, out.String(), tt.origin)
		})
	}
}

func TestDebugTellsOfActualRequestsToo(t *testing.T) {
	var out bytes.Buffer
	c := gatekit.Must(cors.New(cors.Config{
		AllowOrigins: []string{"https://myapp.com"}, Debug: true, Logger: slog.New(slog.NewTextHandler(&out, nil)),
	}))
	h := c.Middleware(http.NotFoundHandler())
	h.ServeHTTP(httptest.NewRecorder(), actual("https://myapp.com"))
	h.ServeHTTP(httptest.NewRecorder(), actual(""))
	require.Empty(t, out.String())
	h.ServeHTTP(httptest.NewRecorder(), actual("https://evil.example/"+strings.Repeat("x", 10_000)))
	require.Contains(t, out.String(), "CORS check")
	require.Less(t, out.Len(), 1000, "what a client sends is cut")
}

func TestWithoutDebugNothingIsSaid(t *testing.T) {
	var out bytes.Buffer
	c := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}, Logger: slog.New(slog.NewTextHandler(&out, nil))}))
	h := c.Middleware(http.NotFoundHandler())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, preflight("https://myapp.com", "PUT", "x-a"))
	h.ServeHTTP(httptest.NewRecorder(), actual("https://evil.example"))
	require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	require.Empty(t, out.String())
}
