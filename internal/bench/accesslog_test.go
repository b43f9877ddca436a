package bench

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

// lineFormat has the 14 fields that the peers write, too.
const lineFormat = `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime",` +
	`"httpMethod":"$context.httpMethod","routeKey":"$context.routeKey","path":"$context.path","status":$context.status,` +
	`"protocol":"$context.protocol","responseLength":$context.responseLength,"responseLatency":$context.responseLatency,` +
	`"integrationStatus":$context.integration.status,"integrationLatency":$context.integrationLatency,` +
	`"userAgent":"$context.identity.userAgent","domainName":"$context.domainName"}`

// counting is the ResponseWriter of the peers: as little as one can be that knows status and length.
type counting struct {
	http.ResponseWriter
	status, length int
}

func (w *counting) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *counting) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.length += n
	return n, err
}

// accessLogs write a line each around the same handler.
func accessLogs(tb testing.TB) map[string]http.Handler {
	hello := []byte("hello")
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(hello)
	})
	log := must[*accesslog.Log](tb)(accesslog.New(accesslog.Config{Format: lineFormat, Writer: io.Discard}))
	async := must[*accesslog.Writer](tb)(accesslog.NewWriter(tb.Context(), accesslog.WriterConfig{To: io.Discard}))
	queued := must[*accesslog.Log](tb)(accesslog.New(accesslog.Config{Format: lineFormat, Writer: async}))
	records, zero := slog.New(slog.NewJSONHandler(io.Discard, nil)), zerolog.New(io.Discard)
	const clf = "02/Jan/2006:15:04:05 -0700"
	return map[string]http.Handler{
		"none":          answer,
		"gatekit":       log.Middleware(answer),
		"gatekit-async": queued.Middleware(answer),
		"slog": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := &counting{ResponseWriter: w, status: http.StatusOK}
			answer.ServeHTTP(c, r)
			rc := gatekit.From(r.Context())
			path, i := gatekit.PathOf(r), rc.Integration()
			records.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("requestId", rc.RequestID()), slog.String("ip", rc.SourceIP().String()),
				slog.String("requestTime", rc.Time.UTC().Format(clf)), slog.String("httpMethod", r.Method),
				slog.String("routeKey", rc.RouteKey()), slog.String("path", path.Received()), slog.Int("status", c.status),
				slog.String("protocol", r.Proto), slog.Int("responseLength", c.length),
				slog.Int64("responseLatency", time.Since(rc.Time).Milliseconds()), slog.Int("integrationStatus", i.Status),
				slog.Int64("integrationLatency", i.Latency.Milliseconds()), slog.String("userAgent", rc.UserAgent()),
				slog.String("domainName", rc.DomainName()))
		}),
		"zerolog": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := &counting{ResponseWriter: w, status: http.StatusOK}
			answer.ServeHTTP(c, r)
			rc := gatekit.From(r.Context())
			path, i := gatekit.PathOf(r), rc.Integration()
			zero.Info().Str("requestId", rc.RequestID()).Str("ip", rc.SourceIP().String()).
				Str("requestTime", rc.Time.UTC().Format(clf)).Str("httpMethod", r.Method).
				Str("routeKey", rc.RouteKey()).Str("path", path.Received()).Int("status", c.status).
				Str("protocol", r.Proto).Int("responseLength", c.length).
				Int64("responseLatency", time.Since(rc.Time).Milliseconds()).Int("integrationStatus", i.Status).
				Int64("integrationLatency", i.Latency.Milliseconds()).Str("userAgent", rc.UserAgent()).
				Str("domainName", rc.DomainName()).Send()
		}),
	}
}

// logged is a request of which all that the line has is known.
func logged() *http.Request {
	rc, r := gatekit.Attach(request("GET", "https://api.example.com/prod/pets/1", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"))
	rc.Route = &gatekit.Route{Key: "GET /pets/{id}"}
	rc.SetIntegration(gatekit.Integration{Status: 200, Latency: 12 * time.Millisecond})
	return r
}

// BenchmarkAccessLog is a request through a log of 14 fields in JSON, written to nowhere. by=none is the handler without one.
func BenchmarkAccessLog(b *testing.B) {
	for name, h := range accessLogs(b) {
		b.Run("by="+name, func(b *testing.B) { measure(b, h, logged(), 200) })
	}
}
