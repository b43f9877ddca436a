package domain_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/domain"
)

// issued is a certificate with its key, and, if it is an authority, what it has issued.
type issued struct {
	certificate *x509.Certificate
	key         crypto.Signer
	chain       [][]byte // DER, leaf first, without the root
}

var serial atomic.Int64

// issue makes a certificate that parent signs, or itself if parent is nil. change edits the
// template.
func issue(t testing.TB, parent *issued, key crypto.Signer, change func(*x509.Certificate)) *issued {
	t.Helper()
	if key == nil {
		var err error
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	change(template)
	signer, above := key, template
	var chain [][]byte
	if parent != nil {
		signer, above = parent.key, parent.certificate
		chain = parent.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above, key.Public(), signer)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	i := &issued{certificate: c, key: key, chain: append([][]byte{der}, chain...)}
	if parent == nil && c.IsCA {
		i.chain = nil
	}
	return i
}

// authority makes a certificate that may sign others.
func authority(t testing.TB, parent *issued, name string, change ...func(*x509.Certificate)) *issued {
	return issue(t, parent, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
		for _, f := range change {
			f(c)
		}
	})
}

func client(t testing.TB, parent *issued, name string, change ...func(*x509.Certificate)) *issued {
	return issue(t, parent, nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		for _, f := range change {
			f(c)
		}
	})
}

func (i *issued) pair() tls.Certificate {
	return tls.Certificate{Certificate: i.chain, PrivateKey: i.key}
}

func bundle(is ...*issued) []byte {
	var b bytes.Buffer
	for _, i := range is {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw})
	}
	return b.Bytes()
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// serverCA is whom test clients believe about servers.
var serverCA = sync.OnceValue(func() *issued {
	var t fatal
	return authority(t, nil, "server CA")
})

// fatal is a testing.TB for what is made once.
type fatal struct{ testing.TB }

func (fatal) Helper()                   {}
func (fatal) Errorf(f string, a ...any) { log.Panicf(f, a...) }
func (fatal) FailNow()                  { panic("failed") }

func newServer(t testing.TB, key crypto.Signer, hosts ...string) *issued {
	return issue(t, serverCA(), key, func(c *x509.Certificate) {
		c.Subject, c.DNSNames = pkix.Name{CommonName: hosts[0]}, hosts
	})
}

func newServerCertificate(t testing.TB, hosts ...string) tls.Certificate {
	return newServer(t, nil, hosts...).pair()
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// serve serves d in TLS until the test ends, and returns the address.
func serve(t testing.TB, d *domain.Domain) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: d, TLSConfig: d.TLSConfig(), ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = s.Close()
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return l.Addr().String()
}

// clientTLS is what a client of host brings along; change edits it.
func clientTLS(host string, change ...func(*tls.Config)) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(serverCA().certificate)
	c := &tls.Config{RootCAs: roots, ServerName: host}
	for _, f := range change {
		f(c)
	}
	return c
}

func withClient(i *issued) func(*tls.Config) {
	return func(c *tls.Config) { c.Certificates = []tls.Certificate{i.pair()} }
}

func version(v uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MinVersion, c.MaxVersion = v, v }
}

// httpClient connects to addr whatever the URL says.
func httpClient(t testing.TB, addr string, c *tls.Config, http2 bool) *http.Client {
	tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: http2, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// fetch asks for a URL with a Host, and returns status and body.
func fetch(t testing.TB, c *http.Client, url, host string) (int, string) {
	t.Helper()
	code, body, err := tryFetch(c, url, host)
	require.NoError(t, err)
	return code, body
}

func tryFetch(c *http.Client, url, host string) (int, string, error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Host = host
	w, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	return w.StatusCode, string(body), err
}

// write replaces a file at once, as deployment tools do.
func write(t testing.TB, name string, data []byte) {
	t.Helper()
	next := filepath.Join(filepath.Dir(name), "next")
	require.NoError(t, os.WriteFile(next, data, 0o600))
	require.NoError(t, os.Rename(next, name))
}

// logged is what a logger was told.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// exampleCertificate makes a server's certificate and a truststore.
func exampleCertificate(host string) (tls.Certificate, []byte) {
	var t fatal
	return newServerCertificate(t, host), bundle(serverCA())
}
