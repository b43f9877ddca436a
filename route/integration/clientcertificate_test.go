package integration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// authority issues client certificates for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.pool.AddCert(a.cert)
	return a
}

// issue returns the certificate of a client called name.
func (a *authority) issue(t testing.TB, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// demanding serves h over TLS to clients with a certificate of a's.
func demanding(t testing.TB, a *authority, h http.Handler) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

// A backend knows the stage by its certificate, which is replaced while requests are served.
func TestClientCertificate(t *testing.T) {
	a := newAuthority(t)
	up, roots := demanding(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	for _, protocol := range []integration.Protocol{integration.HTTP1, integration.HTTP2} {
		var current atomic.Pointer[tls.Certificate]
		current.Store(a.issue(t, "stage one"))
		s := front(t, gatekit.REST, newProxy(t, integration.HTTPConfig{URI: up.URL, Protocol: protocol, TLS: integration.TLS{
			RootCAs: roots, ClientCertificate: func(context.Context) (*tls.Certificate, error) { return current.Load(), nil },
		}}))
		require.Equal(t, "stage one", do(t, "GET", s.URL, nil).body, protocol)
		current.Store(a.issue(t, "stage two"))
		up.CloseClientConnections()
		require.Eventually(t, func() bool { return do(t, "GET", s.URL, nil).body == "stage two" }, 10*time.Second, time.Millisecond)
	}
}

// Who shows no certificate, or another authority's, isn't served, and hears nothing of why.
func TestClientCertificateRefused(t *testing.T) {
	a := newAuthority(t)
	up, roots := demanding(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("served") }))
	for name, certificate := range map[string]func(context.Context) (*tls.Certificate, error){
		"no-option":         nil,
		"none":              func(context.Context) (*tls.Certificate, error) { return nil, nil },
		"empty":             func(context.Context) (*tls.Certificate, error) { return &tls.Certificate{}, nil },
		"error":             func(context.Context) (*tls.Certificate, error) { return nil, errors.New("the vault is shut") },
		"another-authority": func(context.Context) (*tls.Certificate, error) { return newAuthority(t).issue(t, "stage one"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := front(t, gatekit.REST, newProxy(t, integration.HTTPConfig{URI: up.URL, TLS: integration.TLS{RootCAs: roots, ClientCertificate: certificate}}))
			w := do(t, "GET", s.URL, nil)
			require.Equal(t, 504, w.StatusCode)
			require.Equal(t, `{"message": "Network error communicating with endpoint"}`, w.body)
		})
	}
	_, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: up.URL, TLS: integration.TLS{
		Certificates: []tls.Certificate{{}}, ClientCertificate: func(context.Context) (*tls.Certificate, error) { return nil, nil },
	}})
	require.ErrorContains(t, err, "integration: HTTPConfig.TLS.Certificates: want them or ClientCertificate, got both")
}
