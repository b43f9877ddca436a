package gatekit_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestLimits(t *testing.T) {
	require.Equal(t, 30*time.Second, gatekit.HTTP.Limits().IntegrationTimeout)
	require.Equal(t, 29*time.Second, gatekit.REST.Limits().IntegrationTimeout)
	require.Equal(t, 29*time.Second, gatekit.WebSocket.Limits().IntegrationTimeout)
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		l := gatekit.Limits{HeaderBytes: 200, URLBytes: 100, PayloadBytes: 10}
		target := map[gatekit.Flavor]int{gatekit.HTTP: len("/")}[flavor] // a REST API counts it apart
		read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			var tooLong *http.MaxBytesError
			fmt.Fprint(w, errors.As(err, &tooLong))
		})
		h := gatekit.Chain(read, gatekit.Must(gatekit.Describe(gatekit.API{Flavor: flavor})), l.Middleware)
		for _, tt := range []struct {
			name   string
			target string
			header int
			body   string
			sized  bool
			status int
			want   string
		}{
			{"fine", "/", 0, "0123456789", true, 200, "false"},
			{"fine-unsized", "/", 0, "0123456789", false, 200, "false"},
			{"body", "/", 0, "0123456789a", true, 413, map[gatekit.Flavor]string{gatekit.HTTP: `{"message":"Request Entity Too Large"}`, gatekit.REST: `{"message": "Request Too Long"}`}[flavor]},
			{"body-unsized", "/", 0, "0123456789a", false, 200, "true"},
			{"url-fits", "/" + strings.Repeat("a", 99), 0, "", true, 200, "false"},
			{"url", "/" + strings.Repeat("a", 100), 0, "", true, 414, `{"message":"Request URI too long"}`},
			{"query", "/?" + strings.Repeat("a", 100), 0, "", true, 414, `{"message":"Request URI too long"}`},
			{"headers-fit", "/", 200 - target - len("Host: example.com\r\n") - len("A: \r\n"), "", true, 200, "false"},
			{"headers", "/", 201 - target - len("Host: example.com\r\n") - len("A: \r\n"), "", true, 431, `{"message":"Request Header Fields Too Large"}`},
		} {
			t.Run(fmt.Sprint(flavor, "/", tt.name), func(t *testing.T) {
				var body io.Reader = strings.NewReader(tt.body)
				if !tt.sized {
					body = struct{ io.Reader }{body}
				}
				r := httptest.NewRequest("POST", tt.target, body)
				if tt.header > 0 {
					r.Header.Set("A", strings.Repeat("x", tt.header))
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				require.Equal(t, tt.status, w.Code)
				require.Equal(t, tt.want, w.Body.String())
			})
		}
	}
}

// Without limits nothing is refused.
func TestNoLimits(t *testing.T) {
	h := gatekit.Limits{}.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/"+strings.Repeat("a", 20_000), strings.NewReader("x")))
	require.Equal(t, "x", w.Body.String())
	require.Zero(t, gatekit.Limits{}.HTTPServer(h).MaxHeaderBytes)
}

func ExampleLimits() {
	limits := gatekit.HTTP.Limits()
	limits.PayloadBytes = 20 // raised or, as here, lowered
	h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "stored") }), limits.Middleware)
	server := limits.HTTPServer(h)
	fmt.Println(server.MaxHeaderBytes, limits.IntegrationTimeout)
	for _, body := range []string{"short", strings.Repeat("long", 10)} {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequest("PUT", "/pets/7", strings.NewReader(body)))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 10240 30s
	// 200 stored
	// 413 {"message":"Request Entity Too Large"}
}

// A server's read timeouts are set, whatever the limits, and grow with what may be sent.
func TestServerTimeouts(t *testing.T) {
	for bytes, want := range map[int64]time.Duration{
		10 << 20: 90 * time.Second, 1: 10 * time.Second, 1 << 20: 18 * time.Second, 1 << 30: 5 * time.Minute, 1 << 62: 5 * time.Minute, 0: 5 * time.Minute, -1: 5 * time.Minute,
	} {
		s := gatekit.Limits{PayloadBytes: bytes}.HTTPServer(http.NotFoundHandler())
		require.Equal(t, want, s.ReadTimeout, bytes)
		require.Equal(t, 10*time.Second, s.ReadHeaderTimeout)
		require.Equal(t, time.Minute, s.IdleTimeout)
		require.Zero(t, s.WriteTimeout)
		require.Equal(t, 100, s.HTTP2.MaxConcurrentStreams)
		require.Equal(t, 30*time.Second, s.HTTP2.WriteByteTimeout)
	}
}
