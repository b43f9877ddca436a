package definition_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/throttle"
)

// A certificate is verified whatever the document says, unless the program says so, too.
func TestSkippedVerification(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("back")) }))
	defer s.Close()
	text := apiOf("REST", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"http","uri":"`+s.URL+`/"},"tls":{"skip_verification":true}}}`, "")
	g := build(t, text, definition.Bindings{Strict: true})
	require.Contains(t, ask(g, "GET", "/prod/a"), "504")
	require.Contains(t, g.Report().Of(definition.Differs)[0].Do, "InsecureSkipVerification")
	g = build(t, text, definition.Bindings{Strict: true, NoDifferences: true, InsecureSkipVerification: true})
	require.Equal(t, "200 back", ask(g, "GET", "/prod/a"))
}

func TestClientCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.TLS.PeerCertificates[0].Subject.Organization[0]))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	text := apiOf("REST", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"http","uri":"`+s.URL+`/"},"tls":{"skip_verification":true}}}`,
		`"stages":{"prod":{"client_certificate":"Cert"},"plain":{}}`)
	b := definition.Bindings{InsecureSkipVerification: true}
	g := build(t, text, b)
	require.Contains(t, ask(g, "GET", "/prod/a"), "500")
	require.Equal(t, "the client certificate Cert of stage prod isn't bound", g.Report().Of(definition.Unbound)[0].What)
	b.ClientCertificates = map[string]definition.ClientCertificate{"Cert": func(context.Context) (*tls.Certificate, error) {
		return &s.TLS.Certificates[0], nil
	}}
	g = build(t, text, b)
	require.Equal(t, "200 Acme Co", ask(g, "GET", "/prod/a"))
	require.Contains(t, ask(g, "GET", "/plain/a"), "504")
}

// What a program says of itself reaches the stations.
func TestProgramsOwn(t *testing.T) {
	event := make(chan map[string]any, 1)
	f := functionOf(func(e map[string]any) map[string]any {
		event <- e["requestContext"].(map[string]any)
		return map[string]any{"statusCode": 200}
	})
	text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`, `"operation":"getA"`, `"resource_id":"abc123"`),
		`"endpoint_types":["PRIVATE"],"account":"111122223333","api_id":"a1b2c3d4e5","region":"eu-west-1","stages":{"prod":{"deployment":"d1"}},
		"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}]}`)
	b := definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": f}, ServePrivate: true,
		TrustedProxies: []string{"192.0.2.0/24"}, SourceVPCEHeader: "X-Vpce"}
	g := build(t, text, b)
	require.Contains(t, ask(g, "GET", "/prod/a"), "403")
	require.Equal(t, "200 ", ask(g, "GET", "http://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/a", "X-Vpce: vpce-1", "X-Forwarded-For: 203.0.113.9"))
	got := <-event
	require.Equal(t, "203.0.113.9", got["identity"].(map[string]any)["sourceIp"])
	require.Equal(t, []any{"getA", "abc123", "111122223333", "a1b2c3d4e5", "d1"},
		[]any{got["operationName"], got["resourceId"], got["accountId"], got["apiId"], got["deploymentId"]})

	none, err := throttle.New(throttle.Limit{})
	require.NoError(t, err)
	b.Account = none
	for _, text := range []string{text, apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{}}`)} {
		require.Contains(t, ask(build(t, text, b), "GET", "/prod/a", "X-Vpce: vpce-1"), "429", "the account's limit is for all APIs")
	}
}

// A policy that denies is asked before the authorizer, and one that is silent beside it.
func TestPolicyAndAuthorizer(t *testing.T) {
	j := &judge{}
	text := apiOf("REST", calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`), `"authorizers":{"J":{"type":"TOKEN","ttl":0,"target":{"kind":"lambda","function":"J"}}},
		"policy":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24"]}}}]}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": j}})
	require.Contains(t, ask(g, "GET", "/prod/a", "Authorization: yes"), "403")
	require.Zero(t, j.asked.Load())
}

// What a document needs no more ends when its last request has, and not with the Gateway.
func TestUpdateEndsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/health" {
				asked.Add(1)
			}
			_, _ = w.Write([]byte("back"))
		})}
		listener := newPipes()
		go func() { _ = server.Serve(listener) }()
		text := apiOf("HTTP", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"private","resource":"L"}}},`+
			calls("GET /b", `{"type":"NONE"}`), "")
		b := definition.Bindings{Functions: functions("F"), Upstreams: map[string]integration.HTTPConfig{"L": {Upstreams: []integration.Upstream{{Address: "back.example:80"}},
			Dial: listener.dial, Health: &integration.HealthCheck{Path: "/health", Interval: time.Second}}}}
		g := build(t, text, b)
		time.Sleep(5 * time.Second)
		require.Equal(t, "200 back", ask(g, "GET", "/a"))
		require.Positive(t, asked.Load())
		require.NoError(t, g.Update(t.Context(), parse(t, strings.Replace(text, `"GET /b"`, `"GET /c"`, 1))))
		before := asked.Load()
		time.Sleep(5 * time.Second)
		require.Greater(t, asked.Load(), before, "what both documents have goes on")
		require.NoError(t, g.Update(t.Context(), parse(t, apiOf("HTTP", calls("GET /b", `{"type":"NONE"}`), ""))))
		time.Sleep(2 * time.Second)
		before = asked.Load()
		time.Sleep(time.Minute)
		require.Equal(t, before, asked.Load())
		require.NoError(t, g.Close())
		require.NoError(t, server.Close())
	})
}

// pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A handler that is bound by a route key stands in for that route of each API, which is worth a
// word.
func TestHandlerOfSeveralAPIs(t *testing.T) {
	one := func(id, key string) string {
		return `{"id":"` + id + `","flavor":"REST","routes":{` + calls(key, `{"type":"NONE"}`) + `},"stages":{"prod":{}}}`
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, tt := range []struct {
		other, key string
		want       int
	}{{"GET /a", "GET /a", 2}, {"GET /b", "GET /a", 0}, {"GET /a", "One GET /a", 0}} {
		g := build(t, `{"apis":[`+one("One", "GET /a")+`,`+one("Two", tt.other)+`]}`,
			definition.Bindings{Functions: functions("F"), Handlers: map[string]http.Handler{tt.key: h}})
		require.Len(t, g.Report().Of(definition.Warning), tt.want, "%v %s", tt, g.Report())
	}
}
