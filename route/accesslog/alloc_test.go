//go:build !race

package accesslog_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

func answering() (http.Handler, *http.Request) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	r := httptest.NewRequest("GET", "https://api.example.com/prod/pets/1", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
	rc, r := gatekit.Attach(r)
	rc.API = &gatekit.API{Flavor: gatekit.HTTP, AccountID: "123456789012", APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.Route = &gatekit.Route{Key: "GET /pets/{id}"}
	rc.SetIntegration(gatekit.Integration{Status: 200, Latency: 12e6})
	return h, r
}

func TestAllocations(t *testing.T) {
	log, err := accesslog.New(accesslog.Config{Format: fourteen, Writer: io.Discard})
	require.NoError(t, err)
	h, r := answering()
	logged, w := log.Middleware(h), httptest.NewRecorder()
	logged.ServeHTTP(w, r)
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { logged.ServeHTTP(w, r) }), 1.0, "the ResponseWriter alone")
}

func BenchmarkLine(b *testing.B) {
	h, r := answering()
	w := httptest.NewRecorder()
	async, err := accesslog.NewWriter(b.Context(), accesslog.WriterConfig{To: io.Discard})
	require.NoError(b, err)
	for name, to := range map[string]io.Writer{"discard": io.Discard, "async": async} {
		b.Run("to="+name, func(b *testing.B) {
			log, err := accesslog.New(accesslog.Config{Format: fourteen, Writer: to})
			require.NoError(b, err)
			logged := log.Middleware(h)
			b.ReportAllocs()
			for b.Loop() {
				logged.ServeHTTP(w, r)
			}
		})
	}
}
