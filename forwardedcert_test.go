package gatekit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/internal/contextvar"
)

const xfcc = "X-Forwarded-Client-Cert"

var certificates = sync.OnceValue(func() (made map[string]*x509.Certificate) {
	made = map[string]*x509.Certificate{}
	for _, name := range []string{"alice", "bob"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name + ".example"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			panic(err)
		}
		if made[name], err = x509.ParseCertificate(der); err != nil {
			panic(err)
		}
	}
	return made
})

func pemOf(name string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificates()[name].Raw}))
}

// element is Envoy's, as it writes it.
func element(name string) string {
	digest := sha256.Sum256(certificates()[name].Raw)
	return fmt.Sprintf(`By=spiffe://x/gate;Hash=%s;Cert="%s";Subject="CN=%s,O=\"A, B; C\"";URI=spiffe://x/%s;DNS=a.x;DNS=b.x`,
		hex.EncodeToString(digest[:]), escapedPEM(name), name, name)
}

// escapedPEM is a certificate as Envoy and nginx write it.
func escapedPEM(name string) string {
	return strings.NewReplacer("\n", "%0A", " ", "%20", "+", "%2B", "/", "%2F", "=", "%3D").Replace(pemOf(name))
}

func reader(t testing.TB, change func(*gatekit.ForwardedClientCertConfig)) *gatekit.ForwardedClientCert {
	proxies, err := gatekit.NewTrustedProxies("", "10.0.0.0/8")
	require.NoError(t, err)
	c := gatekit.ForwardedClientCertConfig{Proxies: proxies}
	if change != nil {
		change(&c)
	}
	f, err := gatekit.NewForwardedClientCert(c)
	require.NoError(t, err)
	return f
}

// fromPeer is a request from a connection, with lines of a header.
func fromPeer(remote, header string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = remote
	if len(lines) > 0 {
		r.Header[header] = lines
	}
	return r
}

func inElement(e gatekit.ForwardedElement) func(*gatekit.ForwardedClientCertConfig) {
	return func(c *gatekit.ForwardedClientCertConfig) { c.Element = e }
}

func inHeader(name string) func(*gatekit.ForwardedClientCertConfig) {
	return func(c *gatekit.ForwardedClientCertConfig) { c.Header = name }
}

func issuedBy(name string) func(*gatekit.ForwardedClientCertConfig) {
	return func(c *gatekit.ForwardedClientCertConfig) {
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AddCert(certificates()[name])
	}
}

// What each header comes to: a certificate, none ("nobody"), or a 400.
func TestForwardedClientCert(t *testing.T) {
	const refused, nobody, proxy, elsewhere = "refused", "nobody", "10.0.0.1:1", "198.51.100.7:1"
	alice, bob := element("alice"), element("bob")
	bobsDigest := sha256.Sum256(certificates()["bob"].Raw)
	first, last := inElement(gatekit.FirstElement), inElement(gatekit.LastElement)
	const leaf = "X-Amzn-Mtls-Clientcert-Leaf"
	rfc9440 := ":" + base64.StdEncoding.EncodeToString(certificates()["alice"].Raw) + ":"
	for _, tt := range []struct {
		name   string
		change func(*gatekit.ForwardedClientCertConfig)
		remote string
		lines  []string
		want   string
	}{
		{"one", nil, proxy, []string{alice}, "alice"},
		{"unquoted", nil, proxy, []string{"Cert=" + escapedPEM("alice")}, "alice"},
		{"any-case", nil, proxy, []string{`cert="` + escapedPEM("alice") + `"`}, "alice"},
		{"spaces", nil, proxy, []string{`  Cert="` + escapedPEM("alice") + `" ; Hash=` + hash("alice")}, "alice"},
		{"none", nil, proxy, nil, nobody},
		{"from-a-client", nil, elsewhere, []string{alice}, nobody},
		{"two-in-a-line", nil, proxy, []string{alice + "," + bob}, refused},
		{"two-lines", nil, proxy, []string{alice, bob}, refused},
		{"first-of-a-line", first, proxy, []string{alice + ", " + bob}, "alice"},
		{"last-of-a-line", last, proxy, []string{alice + "," + bob}, "bob"},
		{"first-of-lines", first, proxy, []string{alice, bob}, "alice"},
		{"last-of-lines", last, proxy, []string{alice, bob}, "bob"},
		{"one-that-is-bad-of-several", last, proxy, []string{"Cert", bob}, refused},
		{"comma-in-a-client's-name", nil, proxy,
			[]string{`Cert="` + escapedPEM("bob") + `";URI=spiffe://x,Cert="` + escapedPEM("alice") + `"`}, refused},
		{"second-cert-in-a-client's-name", nil, proxy,
			[]string{`Cert="` + escapedPEM("bob") + `";URI=spiffe://x;Cert="` + escapedPEM("alice") + `"`}, refused},
		{"second-hash", nil, proxy, []string{alice + ";Hash=" + hash("alice")}, refused},
		{"quote-in-a-client's-name", nil, proxy, []string{`Subject="CN=\"";Cert="` + escapedPEM("alice") + `"`}, "alice"},
		{"hash-of-another", nil, proxy,
			[]string{`Hash=` + hex.EncodeToString(bobsDigest[:]) + `;Cert="` + escapedPEM("alice") + `"`}, refused},
		{"hash-that-is-none", nil, proxy, []string{`Hash=zz;Cert="` + escapedPEM("alice") + `"`}, refused},
		{"hash-alone", nil, proxy, []string{"Hash=" + hash("alice") + `;Subject="CN=alice"`}, refused},
		{"empty", nil, proxy, []string{""}, refused},
		{"empty-element", last, proxy, []string{alice + ","}, refused},
		{"empty-cert", nil, proxy, []string{`Cert=""`}, refused},
		{"no-key", nil, proxy, []string{`="` + escapedPEM("alice") + `"`}, refused},
		{"no-pairs", nil, proxy, []string{"alice"}, refused},
		{"quote-without-an-end", nil, proxy, []string{`Cert="` + escapedPEM("alice")}, refused},
		{"backslash-at-the-end", nil, proxy, []string{`Cert="` + escapedPEM("alice") + `\`}, refused},
		{"text-behind-a-quote", nil, proxy, []string{`Cert="` + escapedPEM("alice") + `"x`}, refused},
		{"quote-within", nil, proxy, []string{`Subject=a"b;Cert="` + escapedPEM("alice") + `"`}, refused},
		{"bad-escape", nil, proxy, []string{`Cert="%zz` + escapedPEM("alice") + `"`}, refused},
		{"two-certificates", nil, proxy, []string{`Cert="` + escapedPEM("alice") + escapedPEM("bob") + `"`}, refused},
		{"text-in-front", nil, proxy, []string{`Cert="x%0A` + escapedPEM("alice") + `"`}, refused},
		{"a-key", nil, proxy, []string{`Cert="` + strings.ReplaceAll(escapedPEM("alice"), "CERTIFICATE", "PRIVATE%20KEY") + `"`}, refused},
		{"der-that-is-none", nil, proxy,
			[]string{`Cert="-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A"`}, refused},
		{"too-long", nil, proxy, []string{alice + `;Subject="` + strings.Repeat("a", 64<<10) + `"`}, refused},
		{"too-many", last, proxy, []string{strings.Repeat("By=a,", 16) + alice}, refused},
		{"trusted-issuer", issuedBy("alice"), proxy, []string{alice}, "alice"},
		{"another-issuer", issuedBy("bob"), proxy, []string{alice}, refused},
		{"leaf", inHeader(leaf), proxy, []string{escapedPEM("alice")}, "alice"},
		{"leaf-twice", inHeader(leaf), proxy, []string{escapedPEM("alice"), escapedPEM("bob")}, refused},
		{"leaf-as-an-element", inHeader(leaf), proxy, []string{alice}, refused},
		{"leaf-from-a-client", inHeader(leaf), elsewhere, []string{escapedPEM("alice")}, nobody},
		{"rfc-9440", inHeader("client-cert"), proxy, []string{rfc9440}, "alice"},
		{"rfc-9440-without-colons", inHeader("Client-Cert"), proxy, []string{strings.Trim(rfc9440, ":")}, refused},
		{"rfc-9440-not-base64", inHeader("Client-Cert"), proxy, []string{":%:"}, refused},
		{"rfc-9440-twice", inHeader("Client-Cert"), proxy, []string{rfc9440 + ", " + rfc9440}, refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := reader(t, tt.change)
			header := map[string]string{"le": leaf, "rf": "Client-Cert"}[tt.name[:2]]
			if header == "" {
				header = xfcc
			}
			got, seen := nobody, "nothing"
			h := f.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if c := gatekit.From(r.Context()).ClientCert(); c != nil {
					got = c.Subject.CommonName
				}
				seen = strings.Join(r.Header[header], "|")
			}))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, fromPeer(tt.remote, header, tt.lines...))
			if w.Code == http.StatusBadRequest {
				got = refused
			}
			require.Equal(t, tt.want, got)
			if tt.remote == elsewhere {
				require.Empty(t, seen, "the header is for nobody behind")
			}
		})
	}
}

func hash(name string) string {
	digest := sha256.Sum256(certificates()[name].Raw)
	return hex.EncodeToString(digest[:])
}

// The proxy's own certificate, of the connection, is never the client's; a client's own is, which
// comes without a proxy.
func TestForwardedClientCertBesideTLS(t *testing.T) {
	f := reader(t, nil)
	for remote, want := range map[string]*x509.Certificate{"10.0.0.1:1": nil, "198.51.100.7:1": certificates()["bob"]} {
		r := fromPeer(remote, xfcc)
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{certificates()["bob"]}}}
		h := gatekit.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			require.Equal(t, want, gatekit.From(r.Context()).ClientCert())
		}), gatekit.Must(gatekit.Describe(gatekit.API{})), f.Middleware)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// A client can't have the header taken out behind the proxy's back and pass for the proxy, nor
// anything else than nobody.
func TestConnectionNamesTheHeader(t *testing.T) {
	r := fromPeer("10.0.0.1:1", xfcc, element("alice"))
	r.Header["Connection"] = []string{xfcc}
	h := reader(t, nil).Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.Nil(t, gatekit.From(r.Context()).ClientCert())
	}))
	h.ServeHTTP(httptest.NewRecorder(), r)
}

// Authorizer and $context see the certificate as if TLS had ended here.
func TestForwardedClientCertIsSeen(t *testing.T) {
	only, err := auth.NewClientCertificate(auth.ClientCertificateConfig{DNSNames: []string{"alice.example"}})
	require.NoError(t, err)
	called := 0
	h := gatekit.Chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called++
		subject, _ := contextvar.Value(r, "identity.clientCert.subjectDN")
		require.Equal(t, "CN=alice", subject)
	}), reader(t, nil).Middleware, only.Middleware)
	for name, want := range map[string]int{"alice": 200, "bob": 403} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, fromPeer("10.0.0.1:1", xfcc, element(name)))
		require.Equal(t, want, w.Code, name)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, fromPeer("198.51.100.7:1", xfcc, element("alice")))
	require.Equal(t, 403, w.Code)
	require.Equal(t, 1, called)
}

func TestNewForwardedClientCertRefuses(t *testing.T) {
	_, err := gatekit.NewForwardedClientCert(gatekit.ForwardedClientCertConfig{Header: "a b", Element: 9})
	require.ErrorContains(t, err, "ForwardedClientCertConfig.Proxies: want at least one")
	require.ErrorContains(t, err, `Header: want a header's name, got "a b"`)
	require.ErrorContains(t, err, "Element: want 0 to 2, got 9")
	nobody, err := gatekit.NewTrustedProxies("")
	require.NoError(t, err)
	_, err = gatekit.NewForwardedClientCert(gatekit.ForwardedClientCertConfig{Proxies: nobody, Header: "Client-Cert", Element: gatekit.LastElement})
	require.ErrorContains(t, err, "Proxies: want at least one")
	require.ErrorContains(t, err, "Element: want OnlyElement, as Client-Cert has no elements")
}

// An error means no certificate, none comes from a header without one, and what is read of one
// element is what is read of it among others.
func FuzzForwardedClientCert(f *testing.F) {
	for _, seed := range []string{element("alice"), `Cert="a";Hash=b`, `Subject="a\"b,";By=x`, `,`, `Cert=x,Cert=y`, `a="\`, "=;", ""} {
		f.Add(seed)
	}
	only, last, rfc9440 := reader(f, nil), reader(f, inElement(gatekit.LastElement)), reader(f, inHeader("Client-Cert"))
	f.Fuzz(func(t *testing.T, header string) {
		cert, err := only.Certificate(fromPeer("10.0.0.1:1", xfcc, header))
		require.True(t, (cert == nil) == (err != nil))
		again, err2 := last.Certificate(fromPeer("10.0.0.1:1", xfcc, element("bob"), header))
		if err == nil {
			require.NoError(t, err2)
			require.Equal(t, cert, again)
		}
		if plain, err := rfc9440.Certificate(fromPeer("10.0.0.1:1", "Client-Cert", header)); err == nil && plain != nil {
			require.Equal(t, header, ":"+base64.StdEncoding.EncodeToString(plain.Raw)+":")
		}
	})
}

func ExampleForwardedClientCert_Middleware() {
	proxies := gatekit.Must(gatekit.NewTrustedProxies("", "10.0.0.0/8"))
	forwarded := gatekit.Must(gatekit.NewForwardedClientCert(gatekit.ForwardedClientCertConfig{Proxies: proxies}))
	h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := gatekit.From(r.Context()).ClientCert(); c != nil {
			fmt.Println(c.Subject)
			return
		}
		fmt.Println("nobody")
	}), gatekit.Must(gatekit.Describe(gatekit.API{})), forwarded.Middleware)

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-Client-Cert", element("alice")) // Hash=…;Cert="-----BEGIN%20CERTIFICATE-----%0A…";Subject=…
	for _, peer := range []string{"10.0.0.1:4711", "198.51.100.7:4711"} {
		r.RemoteAddr = peer
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// CN=alice
	// nobody
}
