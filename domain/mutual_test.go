package domain_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// whoami tells the client certificate's subject.
var whoami = []domain.Mapping{{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if c := gatekit.From(r.Context()).ClientCert(); c != nil {
		fmt.Fprint(w, c.Subject.CommonName)
		return
	}
	fmt.Fprint(w, "nobody")
})}}

// guarded has two Names with mutual TLS, under an authority each, and an open one. change edits the
// first.
func guarded(t testing.TB, a, b *issued, change ...func(*domain.Config)) *domain.Domain {
	c := domain.Config{Names: []domain.Name{
		{Host: "a.example.com", Certificate: domain.Static(newServerCertificate(t, "a.example.com")), MutualTLS: &domain.MutualTLS{Truststore: bundle(a)}, Mappings: whoami},
		{Host: "b.example.com", Certificate: domain.Static(newServerCertificate(t, "b.example.com")), MutualTLS: &domain.MutualTLS{Truststore: bundle(b)}, Mappings: whoami},
		{Host: "open.example.com", Certificate: domain.Static(newServerCertificate(t, "open.example.com")), Mappings: whoami},
	}}
	for _, f := range change {
		f(&c)
	}
	return gatekit.Must(domain.New(t.Context(), c))
}

// handshake makes a connection and waits until the server has judged it: in TLS 1.3 the client's
// side ends before that.
func handshake(t testing.TB, addr string, c *tls.Config) error {
	conn, err := dial(t, addr, c)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", c.ServerName); err != nil {
		return err
	}
	_, err = io.ReadAll(conn)
	return err
}

func TestMutualTLS(t *testing.T) {
	a, b := authority(t, nil, "A"), authority(t, nil, "B")
	ann, bob := client(t, a, "ann"), client(t, b, "bob")
	addr := serve(t, guarded(t, a, b))
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, http2 := range []bool{false, true} {
			as := func(sni string, who *issued) *http.Client {
				return httpClient(t, addr, clientTLS(sni, version(v), func(c *tls.Config) {
					if who != nil {
						c.Certificates = []tls.Certificate{who.pair()}
					}
				}), http2)
			}
			for _, tt := range []struct {
				name, sni, host string
				who             *issued
				code            int
				body            string
			}{
				{"own", "a.example.com", "", ann, 200, "ann"},
				{"own", "b.example.com", "", bob, 200, "bob"},
				{"nobody-asked", "open.example.com", "", ann, 200, "nobody"},
				{"sni-open-host-guarded", "open.example.com", "a.example.com", ann, 421, `{"message":"Misdirected Request"}`},
				{"sni-open-host-guarded", "open.example.com", "A.example.com.:443", nil, 421, `{"message":"Misdirected Request"}`},
				{"sni-a-host-b", "a.example.com", "b.example.com", ann, 421, `{"message":"Misdirected Request"}`},
				{"sni-b-host-a", "b.example.com", "a.example.com", bob, 421, `{"message":"Misdirected Request"}`},
				{"sni-a-host-open", "a.example.com", "open.example.com", ann, 200, "nobody"}, // A's truststore says nothing to open
				{"sni-a-host-unknown", "a.example.com", "x.example.com", ann, 403, `{"message":"Forbidden"}`},
			} {
				code, body := fetch(t, as(tt.sni, tt.who), "https://"+tt.sni+"/", tt.host)
				require.Equal(t, tt.code, code, tt)
				require.Equal(t, tt.body, body, tt)
			}
		}
		// Without a server name, or with nobody's, no certificate is asked for, and a guarded Name
		// isn't served.
		for _, sni := range []string{"", "other.org"} {
			c := clientTLS(sni, version(v), withClient(ann), func(c *tls.Config) { c.InsecureSkipVerify = true })
			code, _ := fetch(t, httpClient(t, addr, c, false), "https://127.0.0.1/", "a.example.com")
			require.Equal(t, 421, code)
		}
	}
	// Nor is it without TLS.
	require.Equal(t, 421, get(guarded(t, a, b), "http://a.example.com/").Code)
}

// What the handshake refuses, in both versions.
func TestClientCertificatesRefused(t *testing.T) {
	a := authority(t, nil, "A")
	middle := authority(t, a, "A middle")
	low := authority(t, middle, "A low")
	lower := authority(t, low, "A lower")
	addr := serve(t, guarded(t, a, authority(t, nil, "B")))
	key := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		return k
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	named := func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "ann"} }
	forged := client(t, a, "ann")
	forged.key = client(t, a, "eve").key
	tampered := client(t, a, "ann")
	tampered.chain = [][]byte{append([]byte(nil), tampered.chain[0]...)}
	tampered.chain[0][len(tampered.chain[0])-1] ^= 1
	withoutChain := client(t, middle, "ann")
	withoutChain.chain = withoutChain.chain[:1]
	for _, tt := range []struct {
		name string
		who  *issued
		ok   bool
	}{
		{"own", client(t, a, "ann"), true},
		{"rsa-2048", issue(t, a, key(2048), named), true},
		{"chain-of-4", client(t, low, "ann"), true},
		{"none", nil, false},
		{"self-signed", client(t, nil, "ann"), false},
		{"authority-of-the-same-name", client(t, authority(t, nil, "A"), "ann"), false},
		{"expired", client(t, a, "ann", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), false},
		{"not-yet", client(t, a, "ann", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}), false},
		{"rsa-1024", issue(t, a, key(1024), named), false},
		{"p224", issue(t, a, p224, named), false},
		{"chain-of-5", client(t, lower, "ann"), false},
		{"issuer-missing", withoutChain, false},
		{"issuer-not-an-authority", client(t, client(t, a, "bob"), "ann"), false},
		{"server-only", client(t, a, "ann", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), false},
		{"another-key", forged, false},
		{"tampered", tampered, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				err := handshake(t, addr, clientTLS("a.example.com", version(v), func(c *tls.Config) {
					if tt.who != nil {
						pair := tt.who.pair()
						c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil } // sent even if nobody asked for its issuer
					}
				}))
				require.Equal(t, tt.ok, err == nil, "%s: %v", tls.VersionName(v), err)
			}
		})
	}
}

// A bundle with the whole chain: the handshake may then end at any certificate in it, and the rest
// of the chain counts all the same.
func TestIntermediatesInTheTruststore(t *testing.T) {
	root := authority(t, nil, "root")
	middle := authority(t, root, "middle")
	low := authority(t, middle, "low")
	lower := authority(t, low, "lower")
	expired := authority(t, nil, "expired root", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	underExpired := authority(t, expired, "under expired")
	self := client(t, nil, "self")
	addr := serve(t, guarded(t, root, root, func(c *domain.Config) {
		c.Names[0].MutualTLS.Truststore = bundle(root, middle, low, lower, expired, underExpired, self)
	}))
	for _, tt := range []struct {
		name string
		who  *issued
		ok   bool
	}{
		{"root", client(t, root, "ann"), true},
		{"middle", client(t, middle, "ann"), true},
		{"low", client(t, low, "ann"), true},
		{"lower", client(t, lower, "ann"), false}, // five
		{"under-an-expired-root", client(t, underExpired, "ann"), false},
		{"itself", self, true},
	} {
		for _, leafOnly := range []bool{true, false} {
			who := *tt.who
			if leafOnly {
				who.chain = [][]byte{who.certificate.Raw}
			}
			err := handshake(t, addr, clientTLS("a.example.com", withClient(&who)))
			require.Equal(t, tt.ok, err == nil, "%s: %v", tt.name, err)
		}
	}
}

func TestTruststoreRefusals(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	ca := func(parent *issued, key any, name string) *issued {
		change := func(c *x509.Certificate) {
			c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = pkix.Name{CommonName: name}, true, true, x509.KeyUsageCertSign
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return issue(t, parent, key, change)
		case *ecdsa.PrivateKey:
			return issue(t, parent, key, change)
		}
		return issue(t, parent, nil, change)
	}
	root := ca(nil, nil, "root")
	m1 := ca(root, nil, "m1")
	m2 := ca(m1, nil, "m2")
	m3 := ca(m2, nil, "m3")
	m4 := ca(m3, nil, "m4")
	// x and y sign each other.
	x := ca(root, nil, "x")
	y := ca(x, nil, "y")
	xByY := ca(y, x.key, "x")
	var many []*issued
	for i := range 700 {
		many = append(many, issueFast(t, root, fmt.Sprintf("%0100d", i)))
	}
	sha1, err := os.ReadFile("testdata/sha1.pem")
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		bundle []byte
		want   string // empty: taken
	}{
		{"root", bundle(root), ""},
		{"twice", bundle(root, root), ""},
		{"ed25519", bundle(issue(t, nil, ed25519.NewKeyFromSeed(make([]byte, 32)), func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "ed25519"} })), ""},
		{"with-comments", append([]byte("# root\n"), bundle(root, m1)...), ""},
		{"chain-of-4", bundle(root, m1, m2, m3), ""},
		{"chain-of-5", bundle(root, m1, m2, m3, m4), `want chains of at most 4 certificates, got a longer one of the certificate "CN=m4"`},
		{"incomplete", bundle(root, m2), `want the full chain of the certificate "CN=m2" to its root, got no issuer "CN=m1"`},
		{"issuer-of-the-same-name", bundle(ca(nil, nil, "m1"), m2), `want the full chain of the certificate "CN=m2"`},
		{"conflict", bundle(root, m1, ca(nil, nil, "m1")), "The certificate subject CN=m1 conflicts with an existing certificate from a different issuer."},
		{"loop", bundle(y, xByY), `want chains of at most 4 certificates`},
		{"rsa-1024", bundle(ca(nil, weak, "weak")), `the certificate "CN=weak" has an RSA key of 1024 bits: want at least 2048`},
		{"p224", bundle(ca(nil, p224, "weak")), `the certificate "CN=weak" has an ECDSA key of 224 bits: want at least 256`},
		{"sha1", sha1, "a signature by SHA1-RSA: want SHA-256 or stronger"},
		{"nothing", []byte("nothing"), "want at least one certificate in PEM, got none"},
		{"key", keyPEM(t, root.key), `want certificates only, got a PEM block of type "PRIVATE KEY"`},
		{"damaged-in-the-middle", bytes.Replace(bundle(root, m1), []byte("-----END CERTIFICATE-----\n-----BEGIN"), []byte("-----END CERTIFICATE-----\n -----BEGIN"), 1), "want PEM, got a block that doesn't parse"},
		{"damaged-first", bytes.Replace(bundle(root, m1), []byte("-----END"), []byte("--END"), 1), "want PEM, got a block that doesn't parse"},
		{"half", bundle(root, m1)[:len(bundle(root, m1))-30], "want PEM, got a block that doesn't parse"},
		{"not-a-certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "x509: malformed certificate"},
		{"too-many-subjects", bundle(append(many, root)...), "want subjects of at most 65533 bytes in all, as every handshake lists them, got"},
		{"too-many", []byte(strings.Repeat(string(bundle(root)), 3) + string(bundle(repeated(t, root, 1001)...))), "want at most 1000 certificates"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := domain.Name{Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: whoami}
			n.MutualTLS = &domain.MutualTLS{Truststore: tt.bundle}
			_, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{n}})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "domain: Config.Names[0].MutualTLS: ")
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// A byte order mark, at the start or where two files were joined, doesn't cost a certificate.
func TestByteOrderMarks(t *testing.T) {
	a, b := authority(t, nil, "A"), authority(t, nil, "B")
	const bom = "\ufeff"
	server := newServer(t, nil, "a.example.com")
	files := [2]string{filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")}
	write(t, files[0], []byte(bom+string(bundle(server))))
	write(t, files[1], []byte(bom+string(keyPEM(t, server.key))))
	for name, bundled := range map[string]string{"start": bom + string(bundle(a, b)), "each": bom + string(bundle(a)) + bom + string(bundle(b))} {
		addr := serve(t, guarded(t, a, b, func(c *domain.Config) {
			c.Names[0].MutualTLS.Truststore, c.Names[0].Certificate = []byte(bundled), domain.Files(files[0], files[1])
		}))
		for _, who := range []*issued{client(t, a, "ann"), client(t, b, "bob")} {
			require.NoError(t, handshake(t, addr, clientTLS("a.example.com", withClient(who))), name)
		}
	}
}

// issueFast makes a certificate with its parent's key, which saves making one.
func issueFast(t testing.TB, parent *issued, name string) *issued {
	return issue(t, parent, parent.key, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name} })
}

func repeated(t testing.TB, parent *issued, n int) []*issued {
	all := make([]*issued, n)
	for i := range all {
		all[i] = issueFast(t, parent, "same")
	}
	return all
}

// anyHost is a session cache that offers each ticket to every host.
type anyHost struct{ tls.ClientSessionCache }

func (c anyHost) Get(string) (*tls.ClientSessionState, bool)  { return c.ClientSessionCache.Get("any") }
func (c anyHost) Put(_ string, state *tls.ClientSessionState) { c.ClientSessionCache.Put("any", state) }

// A session resumes under its own Name only: nothing that one Name has verified carries over to
// another.
func TestResumedSessionsBetweenNames(t *testing.T) {
	a, b := authority(t, nil, "A"), authority(t, nil, "B")
	ann := client(t, a, "ann")
	// One certificate for both hosts, so that clients would resume.
	shared := newServerCertificate(t, "a.example.com", "b.example.com", "open.example.com")
	addr := serve(t, guarded(t, a, b, func(c *domain.Config) {
		for i := range c.Names {
			c.Names[i].Certificate = domain.Static(shared)
		}
	}))
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := anyHost{tls.NewLRUClientSessionCache(1)}
		visit := func(host string, who *issued) (resumed bool, body string, err error) {
			c := clientTLS(host, version(v), func(c *tls.Config) {
				c.ClientSessionCache = cache
				if who != nil {
					pair := who.pair()
					c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
				}
			})
			w, err := httpClient(t, addr, c, false).Get("https://" + host + "/")
			if err != nil {
				return false, "", err
			}
			defer w.Body.Close()
			text, err := io.ReadAll(w.Body)
			return w.TLS.DidResume, string(text), err
		}
		resumed, body, err := visit("a.example.com", ann)
		require.NoError(t, err)
		require.False(t, resumed)
		require.Equal(t, "ann", body)

		resumed, body, err = visit("a.example.com", nil) // the session says who it is
		require.NoError(t, err)
		require.True(t, resumed)
		require.Equal(t, "ann", body)

		_, _, err = visit("b.example.com", nil)
		require.Error(t, err, "A's session opened B")
		_, _, err = visit("b.example.com", ann)
		require.Error(t, err)

		_, _, err = visit("a.example.com", ann)
		require.NoError(t, err)
		resumed, body, err = visit("open.example.com", nil)
		require.NoError(t, err)
		require.False(t, resumed)
		require.Equal(t, "nobody", body)
		resumed, _, err = visit("open.example.com", nil)
		require.NoError(t, err)
		require.True(t, resumed, "sessions do resume")
		_, _, err = visit("a.example.com", nil)
		require.Error(t, err, "a session without a certificate opened A")
	}
}

// Even where crypto/tls would find nothing wrong with it: Names that believe the same authority,
// and Names that ask for nothing.
func TestTicketsAreNotShared(t *testing.T) {
	a := authority(t, nil, "A")
	ann := client(t, a, "ann")
	shared := newServerCertificate(t, "a.example.com", "b.example.com", "open.example.com", "second.example.com")
	addr := serve(t, guarded(t, a, a, func(c *domain.Config) {
		c.Names = append(c.Names, domain.Name{Host: "second.example.com", Mappings: whoami})
		for i := range c.Names {
			c.Names[i].Certificate = domain.Static(shared)
		}
	}))
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, between := range [][2]string{{"a.example.com", "b.example.com"}, {"open.example.com", "second.example.com"}, {"", "open.example.com"}} {
			cache := anyHost{tls.NewLRUClientSessionCache(1)}
			resumes := func(host string) bool {
				c := clientTLS(host, version(v), func(c *tls.Config) {
					c.ClientSessionCache, c.InsecureSkipVerify = cache, host == ""
					pair := ann.pair()
					c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
				})
				w, err := httpClient(t, addr, c, false).Get("https://a.example.com/") // 421 for others: all the same here
				require.NoError(t, err)
				defer w.Body.Close()
				_, err = io.ReadAll(w.Body)
				require.NoError(t, err)
				return w.TLS.DidResume
			}
			require.False(t, resumes(between[0]))
			require.True(t, resumes(between[0]))
			require.False(t, resumes(between[1]), "%v", between)
			require.True(t, resumes(between[1]))
		}
	}
}

// With a new truststore, who was only in the old one is refused: new connections, sessions, and
// open connections.
func TestTruststoreReload(t *testing.T) {
	a, b := authority(t, nil, "A"), authority(t, nil, "B")
	ann, bob := client(t, a, "ann"), client(t, b, "bob")
	file := filepath.Join(t.TempDir(), "truststore.pem")
	write(t, file, bundle(a))
	var log logged
	addr := serve(t, guarded(t, a, b, func(c *domain.Config) {
		c.ReloadInterval, c.Logger = time.Nanosecond, log.logger()
		c.Names[0].MutualTLS = &domain.MutualTLS{TruststoreFile: file}
	}))
	cache := tls.NewLRUClientSessionCache(1)
	session := func(c *tls.Config) { c.ClientSessionCache = cache }
	open := httpClient(t, addr, clientTLS("a.example.com", withClient(ann)), true)
	code, body := fetch(t, open, "https://a.example.com/", "")
	require.Equal(t, 200, code)
	require.Equal(t, "ann", body)
	require.NoError(t, handshake(t, addr, clientTLS("a.example.com", withClient(ann), session)))
	require.Error(t, handshake(t, addr, clientTLS("a.example.com", withClient(bob))))

	write(t, file, []byte("nothing")) // reported, and of no effect
	code, _ = fetch(t, open, "https://a.example.com/", "")
	require.Equal(t, 200, code)
	require.NoError(t, handshake(t, addr, clientTLS("a.example.com", withClient(ann))))
	require.Equal(t, 1, lines(log.String()), log.String())
	require.Contains(t, log.String(), "the truststore could not be reloaded")

	write(t, file, bundle(b))
	code, _ = fetch(t, open, "https://a.example.com/", "")
	require.Equal(t, 421, code)
	require.Error(t, handshake(t, addr, clientTLS("a.example.com", withClient(ann))))
	require.Error(t, handshake(t, addr, clientTLS("a.example.com", withClient(ann), session)))
	require.NoError(t, handshake(t, addr, clientTLS("a.example.com", withClient(bob))))

	write(t, file, bundle(a, b)) // clients that both have aren't disturbed
	kept := httpClient(t, addr, clientTLS("a.example.com", withClient(bob)), true)
	fetch(t, kept, "https://a.example.com/", "")
	write(t, file, bundle(b))
	code, _ = fetch(t, kept, "https://a.example.com/", "")
	require.Equal(t, 200, code)
}
