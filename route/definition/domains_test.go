package definition_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route/definition"
)

// oneRoute is an API of a document.
func oneRoute(id, flavor, more string) string {
	return `{"id":"` + id + `","flavor":"` + flavor + `","api_id":"` + strings.ToLower(id) + `","routes":{"GET /who":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"` + id + `"}}}},` + more + `}`
}

func TestDomains(t *testing.T) {
	text := `{"apis":[` + oneRoute("A", "REST", `"stages":{"prod":{},"dev":{}}`) + `,` + oneRoute("B", "HTTP", `"region":"eu-west-1","stages":{"$default":{},"beta":{}}`) + `,` +
		oneRoute("C", "HTTP", `"default_endpoint_disabled":true,"stages":{"$default":{}}`) + `],
	"domains":{
		"API.example.com":{"mappings":[{"api":"A","stage":"prod"},{"base_path":"b/v1","api":"B","stage":"$default"},{"base_path":"all","api":"A"},{"base_path":"gone","api":"Gone","stage":"x"}]},
		"rules.example.com":{"mappings":[],"routing_mode":"ROUTING_RULE_ONLY","rules":[{"priority":10,"api":"B","stage":"$default","headers":[["X-Version","v2*"]]},{"priority":20,"api":"A","stage":"prod","strip":true,"base_paths":["a"]}]},
		"empty.example.com":{"mappings":[]},
		"private.example.com":{"mappings":[{"api":"A","stage":"prod"}],"private":true},
		"mutual.example.com":{"mappings":[{"api":"A","stage":"prod"}],"mutual_tls":true,"truststore":"s3://b/k"},
		"` + definition.Unknown("parameter Name") + `":{"mappings":[{"api":"A","stage":"prod"}]}}}`
	g := build(t, text, definition.Bindings{Functions: functions("A", "B", "C")})
	at := func(host, path string, headers ...string) string {
		return ask(g, "GET", "http://"+host+path, headers...)
	}
	for _, tt := range []struct{ host, path, header, want string }{
		{"api.example.com", "/who", "", "200 A"},
		{"api.example.com", "/b/v1/who", "", "200 B"},
		{"api.example.com", "/all/dev/who", "", "200 A"},
		{"api.example.com", "/gone/who", "", forbidden},
		{"rules.example.com", "/who", "X-Version: v2.1", "200 B"},
		{"rules.example.com", "/a/who", "", "200 A"},
		{"rules.example.com", "/who", "", forbidden},
		{"a.execute-api.us-east-1.amazonaws.com", "/dev/who", "", "200 A"},
		{"b.execute-api.eu-west-1.amazonaws.com", "/who", "", "200 B"},
		{"b.execute-api.localhost:8080", "/beta/who", "", "200 B"},
		{"c.execute-api.us-east-1.amazonaws.com", "/who", "", `404 {"message":"Not Found"}`},
		{"empty.example.com", "/who", "", forbidden},
		{"other.example.com", "/prod/who", "", forbidden},
		{"private.example.com", "/who", "", `500 {"message":"Internal Server Error"}`},
		{"mutual.example.com", "/who", "", `500 {"message":"Internal Server Error"}`},
	} {
		var headers []string
		if tt.header != "" {
			headers = append(headers, tt.header)
		}
		require.Equal(t, tt.want, at(tt.host, tt.path, headers...), tt.host+tt.path)
	}
	require.NotNil(t, g.Domains())
	var found []string
	for _, f := range g.Report().Of(definition.Unsupported, definition.Unbound, definition.UnknownValue) {
		found = append(found, f.Route)
	}
	require.Equal(t, []string{"API.example.com", "private.example.com", "mutual.example.com", definition.Unknown("parameter Name")}, found)
}

// One API is served under any host that isn't another's.
func TestAnyHost(t *testing.T) {
	text := `{"apis":[` + oneRoute("A", "HTTP", `"stages":{"$default":{}}`) + `],"domains":{"private.example.com":{"mappings":[{"api":"A","stage":"$default"}],"private":true}}}`
	g := build(t, text, definition.Bindings{Functions: functions("A")})
	require.Equal(t, "200 A", ask(g, "GET", "http://127.0.0.1:80/who"))
	require.Equal(t, "200 A", ask(g, "GET", "http://[::1]/who"))
	require.Contains(t, ask(g, "GET", "http://private.example.com/who"), "500")
	g = build(t, `{"apis":[`+oneRoute("A", "HTTP", `"default_endpoint_disabled":true,"stages":{"$default":{}}`)+`]}`, definition.Bindings{Functions: functions("A")})
	require.Equal(t, `404 {"message":"Not Found"}`, ask(g, "GET", "http://127.0.0.1/who"))
	h, err := g.Stage("A", "$default")
	require.NoError(t, err)
	require.Equal(t, "200 A", ask(h, "GET", "/who"))
}

func TestNothing(t *testing.T) {
	g := build(t, `{}`, definition.Bindings{Strict: true})
	require.Equal(t, forbidden, ask(g, "GET", "/"))
	require.Nil(t, g.Domains())
	require.Equal(t, "0 of 0 routes served\n", g.Report().String())
	_, err := g.TLSConfig().GetConfigForClient(&tls.ClientHelloInfo{})
	require.ErrorContains(t, err, "no domain names")
}

// A domain name's certificate is the binding's, and TLSConfig follows an Update.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	certificate := server.TLS.Certificates[0] // of example.com
	doc := func(domains string) string {
		return `{"apis":[` + oneRoute("A", "HTTP", `"stages":{"$default":{}}`) + `],"domains":{` + domains + `}}`
	}
	g := build(t, doc(`"other.example":{"mappings":[{"api":"A","stage":"$default"}]}`), definition.Bindings{Functions: functions("A"),
		Certificates: map[string]domain.CertificateSource{"example.com": domain.Static(certificate)}})
	hello := &tls.ClientHelloInfo{ServerName: "example.com", SupportedVersions: []uint16{tls.VersionTLS13}}
	_, err := g.TLSConfig().GetConfigForClient(hello)
	require.Error(t, err)
	require.Len(t, g.Report().Of(definition.UnusedBinding), 1)
	require.Len(t, g.Report().Of(definition.Differs), 1)
	require.NoError(t, g.Update(t.Context(), parse(t, doc(`"example.com":{"mappings":[{"api":"A","stage":"$default"}],"security_policy":"TLS_1_2","certificate":"Cert"}`))))
	c, err := g.TLSConfig().GetConfigForClient(hello)
	require.NoError(t, err)
	require.NotNil(t, c)
	require.Empty(t, g.Report().Findings)
}

// Who is behind a host follows an Update.
func TestHostsFollow(t *testing.T) {
	doc := func(more string) *definition.Document {
		return parse(t, `{"apis":[`+oneRoute("A", "HTTP", `"stages":{"$default":{}}`)+more+`]}`)
	}
	g := build(t, `{}`, definition.Bindings{Functions: functions("A", "B")})
	const own, any = "http://a.execute-api.localhost/who", "http://127.0.0.1/who"
	require.NoError(t, g.Update(t.Context(), doc("")))
	require.Equal(t, "200 A", ask(g, "GET", own))
	require.Equal(t, "200 A", ask(g, "GET", any))
	require.NoError(t, g.Update(t.Context(), doc(","+oneRoute("B", "HTTP", `"stages":{"$default":{}}`))))
	require.Equal(t, "200 A", ask(g, "GET", own))
	require.Equal(t, forbidden, ask(g, "GET", any), "of two APIs nobody knows which is meant")
	require.NoError(t, g.Update(t.Context(), doc("")))
	require.Equal(t, "200 A", ask(g, "GET", any))
	require.NoError(t, g.Update(t.Context(), parse(t, `{"apis":[`+oneRoute("A", "HTTP", `"default_endpoint_disabled":true,"stages":{"$default":{}}`)+`]}`)))
	require.Contains(t, ask(g, "GET", own), "404")
	require.Contains(t, ask(g, "GET", any), "404")
}

// counting is a certificate's source that counts how often it is opened, and what is open.
type counting struct {
	domain.CertificateSource
	opened, open atomic.Int32
}

func (c *counting) Open(ctx context.Context, r domain.CertificateRequest) (domain.Certificates, error) {
	c.opened.Add(1)
	c.open.Add(1)
	context.AfterFunc(ctx, func() { c.open.Add(-1) })
	return c.CertificateSource.Open(ctx, r)
}

// A certificate's source is opened once, and ends when no document needs it.
func TestCertificateOpensOnce(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	source := &counting{CertificateSource: domain.Static(server.TLS.Certificates[0])}
	doc := func(more string) *definition.Document {
		return parse(t, `{"apis":[`+oneRoute("A", "HTTP", `"stages":{"$default":{}}`)+`],"domains":{`+more+`}}`)
	}
	const name, other = `"example.com":{"mappings":[{"api":"A","stage":"$default"}]}`, `"other.example":{"mappings":[{"api":"A","stage":"$default"}]}`
	g, err := definition.Build(t.Context(), doc(name), definition.Bindings{Functions: functions("A"),
		Certificates: map[string]domain.CertificateSource{"example.com": source}})
	require.NoError(t, err)
	require.NoError(t, g.Update(t.Context(), doc(name+","+other)))
	require.EqualValues(t, 1, source.opened.Load())
	require.EqualValues(t, 1, source.open.Load())
	require.NoError(t, g.Update(t.Context(), doc(other)))
	require.Eventually(t, func() bool { return source.open.Load() == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, g.Update(t.Context(), doc(name)))
	require.EqualValues(t, 2, source.opened.Load())
	require.NoError(t, g.Close())
	require.Eventually(t, func() bool { return source.open.Load() == 0 }, 10*time.Second, time.Millisecond)
}

// Mutual TLS is demanded where the document says so, by the authorities that the program brings.
func TestMutualTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	text := `{"apis":[` + oneRoute("A", "HTTP", `"default_endpoint_disabled":true,"stages":{"$default":{}}`) + `],"domains":{"example.com":{"mutual_tls":true,"truststore":"s3://trust/store.pem","mappings":[{"api":"A","stage":"$default"}]}}}`
	b := definition.Bindings{Functions: functions("A"), Certificates: map[string]domain.CertificateSource{"*": domain.Static(server.TLS.Certificates[0])}}
	g := build(t, text, b)
	require.Contains(t, ask(g, "GET", "http://example.com/who"), "500")
	require.Equal(t, "nothing says whose certificates the domain name example.com takes", g.Report().Of(definition.Unbound)[0].What)
	b.Truststores = map[string]*domain.MutualTLS{"s3://trust/*": {Truststore: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})}}
	b.Strict = true
	g = build(t, text, b)
	require.Contains(t, ask(g, "GET", "http://example.com/who"), "421", "nobody has shown a certificate")
	c, err := g.TLSConfig().GetConfigForClient(&tls.ClientHelloInfo{ServerName: "example.com", SupportedVersions: []uint16{tls.VersionTLS12}})
	require.NoError(t, err)
	require.Equal(t, tls.RequireAndVerifyClientCert, c.ClientAuth)
}

// An API that no host leads to isn't called served.
func TestUnreachedAPI(t *testing.T) {
	doc := func(domains string) string {
		return strings.TrimSuffix(apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"default_endpoint_disabled":true`), "}") + `,"domains":{` + domains + `}}`
	}
	for domains, want := range map[string]int{
		"": 0, `"` + definition.Unknown("Host") + `":{"mappings":[{"api":"Api","stage":"prod"}]}`: 0,
		`"a.example":{"private":true,"mappings":[{"api":"Api","stage":"prod"}]}`:                                                  0,
		`"a.example":{"mappings":[{"api":"Api","stage":"prod"}]}`:                                                                 1,
		`"a.example":{"routing_mode":"ROUTING_RULE_ONLY","rules":[{"priority":1,"api":"Api","stage":"prod","base_paths":["x"]}]}`: 1,
	} {
		g := build(t, doc(domains), judged())
		served, all := g.Report().Served()
		require.Equal(t, []int{want, 1}, []int{served, all}, "%s\n%s", domains, g.Report())
		stage, err := g.Stage("Api", "prod")
		require.NoError(t, err)
		require.Equal(t, "200 F", ask(stage, "GET", "/a"))
	}
}
