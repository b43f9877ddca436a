package pebble_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/acme/autocert"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/domain/acme"
)

// authority is Pebble in this process, whose validation connects to these ports of 127.0.0.1 for every name.
type authority struct {
	server *httptest.Server
	roots  *x509.CertPool
	asked  atomic.Int64
}

func newAuthority(t *testing.T, httpPort, tlsPort int) *authority {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	logger := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validation := va.New(logger, httpPort, tlsPort, false, resolver(t), store)
	front := wfe.New(logger, store, validation, issuer, []string{"pebble.letsencrypt.org"}, false, false, 1, 1)
	a := &authority{roots: x509.NewCertPool()}
	a.roots.AddCert(issuer.GetRootCert(0).Cert)
	h := front.Handler()
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(a.server.Close)
	return a
}

func (a *authority) manager(t *testing.T, ctx context.Context, dir string) *acme.Manager {
	m, err := acme.New(ctx, acme.Config{
		AcceptTOS: true, Cache: autocert.DirCache(dir), Email: "ops@example.com", DirectoryURL: a.server.URL + wfe.DirectoryPath, HTTPClient: a.server.Client(),
	})
	require.NoError(t, err)
	return m
}

// resolver answers every question for an address with 127.0.0.1.
func resolver(t *testing.T) string {
	l := listen(t) // Pebble asks over TCP
	started := make(chan struct{})
	s := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		for _, question := range q.Question {
			if question.Qtype == dns.TypeA {
				m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
			}
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		require.NoError(t, s.Shutdown())
		require.NoError(t, <-done)
	})
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func serve(t *testing.T, l net.Listener, h http.Handler, c *tls.Config) {
	s := &http.Server{Handler: h, TLSConfig: c, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error, 1)
	go func() {
		if c == nil {
			done <- s.Serve(l)
		} else {
			done <- s.ServeTLS(l, "", "")
		}
	}()
	t.Cleanup(func() {
		_ = s.Close()
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
}

func domainOf(t *testing.T, m *acme.Manager, change func(*domain.Name), hosts ...string) *domain.Domain {
	c := domain.Config{}
	for _, host := range hosts {
		n := domain.Name{Host: host, Certificate: m, Mappings: []domain.Mapping{{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, gatekit.From(r.Context()).DomainName())
		})}}}
		change(&n)
		c.Names = append(c.Names, n)
	}
	d, err := domain.New(t.Context(), c)
	require.NoError(t, err)
	return d
}

// handshake returns the leaf that a client gets who believes the authority.
func handshake(t *testing.T, l net.Listener, c *tls.Config) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", l.Addr().String(), c)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// The first handshake of a Name gets its certificate, by a challenge in TLS on the same port; later ones, and those after a restart, use it.
// Mutual TLS isn't in the authority's way.
func TestTLSALPN(t *testing.T) {
	l := listen(t)
	a := newAuthority(t, 1, port(l)) // nothing listens on port 1
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ann"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	truststore := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	guarded := func(n *domain.Name) {
		if n.Host == "guarded.example.com" {
			n.MutualTLS = &domain.MutualTLS{Truststore: truststore}
		}
	}
	hosts := []string{"api.example.com", "guarded.example.com"}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	d := domainOf(t, a.manager(t, ctx, dir), guarded, hosts...)
	serve(t, l, d, d.TLSConfig())

	client := &tls.Config{RootCAs: a.roots, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	var leaves []*x509.Certificate
	for _, host := range hosts {
		client.ServerName = host
		leaf, err := handshake(t, l, client)
		require.NoError(t, err)
		require.NoError(t, leaf.VerifyHostname(host))
		leaves = append(leaves, leaf)
	}
	asked := a.asked.Load()
	require.NotZero(t, asked)
	again, err := handshake(t, l, client)
	require.NoError(t, err)
	require.Equal(t, leaves[1].Raw, again.Raw)

	// Nobody's names aren't asked for: they get the first Name's certificate.
	stranger := client.Clone()
	stranger.ServerName, stranger.InsecureSkipVerify = "stranger.example.com", true
	leaf, err := handshake(t, l, stranger)
	require.NoError(t, err)
	require.Equal(t, leaves[0].Raw, leaf.Raw)
	stranger.ServerName = ""
	leaf, err = handshake(t, l, stranger)
	require.NoError(t, err)
	require.Equal(t, leaves[0].Raw, leaf.Raw)

	// A client that speaks the challenge's protocol gets no further than the handshake.
	prober := client.Clone()
	prober.ServerName, prober.NextProtos, prober.Certificates = "guarded.example.com", []string{"acme-tls/1"}, nil
	_, err = handshake(t, l, prober)
	require.Error(t, err, "there is no challenge now")

	// A restart asks for nothing, and goes on when the authority is away.
	end()
	l2 := listen(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	d2 := domainOf(t, a.manager(t, ended, dir), guarded, hosts...)
	serve(t, l2, d2, d2.TLSConfig())
	kept, err := handshake(t, l2, client)
	require.NoError(t, err)
	require.Equal(t, leaves[1].Raw, kept.Raw)
	require.Equal(t, asked, a.asked.Load())
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
}

// Where the authority can't reach port 443, it is port 80's turn.
func TestHTTP01(t *testing.T) {
	plain, l := listen(t), listen(t)
	a := newAuthority(t, port(plain), 1)
	m := a.manager(t, t.Context(), t.TempDir())
	d := domainOf(t, m, func(*domain.Name) {}, "api.example.com")
	serve(t, plain, m.HTTPHandler(nil), nil)
	serve(t, l, d, d.TLSConfig())
	leaf, err := handshake(t, l, &tls.Config{RootCAs: a.roots, ServerName: "api.example.com"})
	require.NoError(t, err)
	require.NoError(t, leaf.VerifyHostname("api.example.com"))
	c := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.roots}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		},
	}}
	defer c.CloseIdleConnections()
	w, err := c.Get("https://api.example.com/")
	require.NoError(t, err)
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	require.Equal(t, "api.example.com", string(body))
	require.Equal(t, 2, w.ProtoMajor)
}
