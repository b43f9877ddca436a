package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/internal/event"
)

// authority signs client certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

func (a *authority) issue(t *testing.T, notAfter time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	uri, err := url.Parse("spiffe://example.com/client")
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0fa1), Subject: pkix.Name{CommonName: "client.example.com", Organization: []string{"Org"}, Country: []string{"DE"}}, NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter,
		DNSNames: []string{"client.example.com"}, URIs: []*url.URL{uri}, EmailAddresses: []string{"c@example.com"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	good := ca.issue(t, time.Now().Add(time.Hour))
	other := ca.issue(t, time.Now().Add(time.Hour))
	digest := sha256.Sum256(good.Certificate[0])
	for name, tt := range map[string]struct {
		config auth.ClientCertificateConfig
		cert   *tls.Certificate
		want   int
	}{
		"any": {cert: &good, want: 200}, "none": {want: 403},
		"subject": {config: auth.ClientCertificateConfig{Subjects: []string{"x", "CN=client.example.com,O=Org,C=DE"}}, cert: &good, want: 200}, "other subject": {config: auth.ClientCertificateConfig{Subjects: []string{"CN=client.example.com"}}, cert: &good, want: 403},
		"dns": {config: auth.ClientCertificateConfig{DNSNames: []string{"client.example.com"}}, cert: &good, want: 200}, "other dns": {config: auth.ClientCertificateConfig{DNSNames: []string{"example.com"}}, cert: &good, want: 403},
		"uri": {config: auth.ClientCertificateConfig{URIs: []string{"spiffe://example.com/client"}}, cert: &good, want: 200}, "email": {config: auth.ClientCertificateConfig{EmailAddresses: []string{"c@example.com"}}, cert: &good, want: 200},
		"one list of two": {config: auth.ClientCertificateConfig{DNSNames: []string{"client.example.com"}, EmailAddresses: []string{"d@example.com"}}, cert: &good, want: 403},
		"fingerprint":     {config: auth.ClientCertificateConfig{Fingerprints: []string{hex.EncodeToString(digest[:])}}, cert: &good, want: 200}, "other fingerprint": {config: auth.ClientCertificateConfig{Fingerprints: []string{hex.EncodeToString(digest[:])}}, cert: &other, want: 403},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := auth.NewClientCertificate(tt.config)
			require.NoError(t, err)
			srv := httptest.NewUnstartedServer(a.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				found := gatekit.From(r.Context()).Authorization
				_ = json.NewEncoder(w).Encode([]any{found.Principal(), found.Context()["serialNumber"], found.Context()["issuerDN"]})
			})))
			pool := x509.NewCertPool()
			pool.AddCert(ca.cert)
			srv.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool}
			srv.StartTLS()
			defer srv.Close()
			client := srv.Client()
			if tt.cert != nil {
				client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{*tt.cert}
			}
			resp, err := client.Get(srv.URL)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, tt.want, resp.StatusCode)
			if tt.want == 200 {
				require.JSONEq(t, `["CN=client.example.com,O=Org,C=DE","4001","CN=Test CA"]`, string(body))
			} else {
				require.Equal(t, forbidden, string(body))
			}
		})
	}
}

// A connection may outlive the certificate that it was made with.
func TestClientCertificateExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		leaf, err := x509.ParseCertificate(ca.issue(t, time.Now().Add(time.Hour)).Certificate[0])
		require.NoError(t, err)
		a, err := auth.NewClientCertificate(auth.ClientCertificateConfig{})
		require.NoError(t, err)
		r := request("GET", "/", "")
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, ca.cert}}}
		_, err = a.Authorize(r)
		require.NoError(t, err)
		time.Sleep(time.Hour + time.Nanosecond)
		_, err = a.Authorize(r)
		require.Error(t, err)
		require.NotErrorIs(t, err, auth.ErrNoCredentials)
	})
}

// A subject is listed as RFC 2253 writes it, or as events show it.
func TestClientCertificateSubjects(t *testing.T) {
	ca := newAuthority(t)
	leaf, err := x509.ParseCertificate(ca.issue(t, time.Now().Add(time.Hour)).Certificate[0])
	require.NoError(t, err)
	r := request("GET", "/", "")
	r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, ca.cert}}}
	shown, ok := event.CertificateNames(leaf)["subjectDN"].(string)
	require.True(t, ok)
	for subject, want := range map[string]bool{leaf.Subject.String(): true, shown: true, "C=DE,CN=client.example.com,O=Org": false, "client.example.com": false} {
		a, err := auth.NewClientCertificate(auth.ClientCertificateConfig{Subjects: []string{subject}})
		require.NoError(t, err)
		_, err = a.Authorize(r)
		require.Equal(t, want, err == nil, subject)
	}
}

func TestClientCertificateConfig(t *testing.T) {
	a, err := auth.NewClientCertificate(auth.ClientCertificateConfig{})
	require.NoError(t, err)
	_, err = a.Authorize(request("GET", "/", ""))
	require.ErrorIs(t, err, auth.ErrNoCredentials)
	_, err = auth.NewClientCertificate(auth.ClientCertificateConfig{Subjects: []string{""}, Fingerprints: []string{"zz"}})
	require.ErrorContains(t, err, "Subjects: want names")
	require.ErrorContains(t, err, "Fingerprints[0]: want a SHA-256")
}
