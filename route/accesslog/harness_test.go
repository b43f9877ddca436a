package accesslog_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

// lines keeps what is written to it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// all are the lines so far.
func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

// logTo makes a log whose lines are kept.
func logTo(t testing.TB, cfg accesslog.Config) (*accesslog.Log, *lines) {
	t.Helper()
	kept := &lines{}
	cfg.Writer = kept
	log, err := accesslog.New(cfg)
	require.NoError(t, err)
	return log, kept
}

// lineOf is the line of one request without its end and the request's ID in front.
func lineOf(t testing.TB, cfg accesslog.Config, h http.HandlerFunc, r *http.Request) string {
	t.Helper()
	cfg.Format = "$context.requestId|" + cfg.Format
	log, kept := logTo(t, cfg)
	log.Middleware(h).ServeHTTP(httptest.NewRecorder(), r)
	require.Len(t, kept.all(), 1, "%q", kept.all())
	_, rest, _ := strings.Cut(kept.all()[0], "|")
	return rest
}

// attached is a request with a RequestContext, for tests that say what a gateway knows.
func attached(method, target string) (*gatekit.RequestContext, *http.Request) {
	return gatekit.Attach(httptest.NewRequest(method, target, nil))
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }

// fourteen is a line as people have it: 14 variables, in JSON.
const fourteen = `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","requestTime":"$context.requestTime",` +
	`"httpMethod":"$context.httpMethod","routeKey":"$context.routeKey","path":"$context.path","status":$context.status,` +
	`"protocol":"$context.protocol","responseLength":$context.responseLength,"responseLatency":$context.responseLatency,` +
	`"integrationStatus":$context.integration.status,"integrationLatency":$context.integrationLatency,` +
	`"userAgent":"$context.identity.userAgent","domainName":"$context.domainName"}`
