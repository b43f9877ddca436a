package domain_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

func TestNotes(t *testing.T) {
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	a := authority(t, nil, "a")
	ann := client(t, a, "ann")
	names := []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: h}}},
		{Host: "*.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: []domain.RoutingRule{{Priority: 10, MatchHeaders: []domain.AnyOf{{{Header: "Pet", ValueGlob: "Dog"}}}, Handler: h}}},
		{Host: "old.example.com", Certificate: domain.Static(newServerCertificate(t, "old.example.com")), Mappings: []domain.Mapping{{Handler: h}}},
		{Host: "mutual.example.com", Certificate: domain.Static(newServerCertificate(t, "mutual.example.com")), MutualTLS: &domain.MutualTLS{Truststore: bundle(a)}, Mappings: []domain.Mapping{{Handler: h}}},
	}
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: names}))
	made := func(name string, version uint16) *tls.ConnectionState {
		return &tls.ConnectionState{Version: version, ServerName: name, CipherSuite: tls.TLS_AES_128_GCM_SHA256}
	}
	verified := made("mutual.example.com", tls.VersionTLS13)
	verified.PeerCertificates = []*x509.Certificate{ann.certificate}
	verified.VerifiedChains = [][]*x509.Certificate{{ann.certificate, a.certificate}}
	for _, tt := range []struct {
		name, target string
		tls          *tls.ConnectionState
		want         string
	}{
		{"mapping", "https://api.example.com/orders/7", nil, "  1 route  passed  api.example.com/orders\n"},
		{"rule", "https://shop.example.com/orders", nil, "  1 route  passed  *.example.com rule 10\n"},
		{"no-name", "https://evil.org/", nil, "  1 route  refused    403; no Name has the request's host\n"},
		{"userinfo", "https://me@api.example.com/orders", nil, "  1 route  refused    403; the request's target has userinfo\n"},
		{"no-mapping", "https://api.example.com/users", nil, "  1 route  refused    403; no mapping and no rule of the Name has the path\n"},
		{"path", "https://api.example.com/orders/..", nil, "  1 route  refused    400; two readers might take the path for different ones\n"},
		{"no-tls", "http://mutual.example.com/", nil, "421; the Name wants a client certificate, or is strict, and the connection is without TLS\n"},
		{"weak-tls", "https://old.example.com/", made("old.example.com", tls.VersionTLS11), "421; the connection is weaker than the Name's security policy"},
		{"other-name", "https://mutual.example.com/", made("old.example.com", tls.VersionTLS13), "421; the connection was made for another Name"},
		{"no-certificate", "https://mutual.example.com/", made("mutual.example.com", tls.VersionTLS13), "421; the connection has no client certificate"},
		{"certificate", "https://mutual.example.com/", verified, "  1 route         passed  mutual.example.com/\n  2 authenticate  passed  mutual.example.com  client certificate\n"},
		{"certificate-for-another", "https://old.example.com/", verified, "2 authenticate  skipped  old.example.com  the client certificate is verified for another Name\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tt.target, nil)
			r.TLS = tt.tls
			r.Header.Set("Pet", "Dog")
			r = gatekit.Explained(r)
			d.ServeHTTP(httptest.NewRecorder(), r)
			got := gatekit.Explain(r)
			require.Contains(t, got, tt.want)
			require.NotContains(t, got, "evil")
		})
	}
	d = gatekit.Must(domain.New(t.Context(), domain.Config{Names: names, OtherHosts: h}))
	r := gatekit.Explained(httptest.NewRequest("GET", "https://other.org/", nil))
	d.ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, gatekit.Explain(r), "  1 route  passed  OtherHosts  no Name has the request's host\n")
}
