package domain_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// whole is a mapping of everything to an API that tells its name.
func whole(name string) []domain.Mapping {
	return []domain.Mapping{{Handler: api(name)}}
}

func dial(t testing.TB, addr string, c *tls.Config) (*tls.Conn, error) {
	conn, err := tls.Dial("tcp", addr, c)
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// Each client gets the certificate of the Name that it asks for; one that asks for none or
// nobody's, the first's.
func TestServerNames(t *testing.T) {
	names := []domain.Name{{Host: "plain.example.com", Mappings: whole("plain")}} // has no certificate
	certificates := map[string]tls.Certificate{}
	for _, host := range []string{"first.example.com", "*.example.com", "api.example.com"} {
		certificates[host] = newServerCertificate(t, host)
		names = append(names, domain.Name{Host: host, Certificate: domain.Static(certificates[host]), Mappings: whole(host)})
	}
	addr := serve(t, gatekit.Must(domain.New(t.Context(), domain.Config{Names: names})))
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for asked, want := range map[string]string{
			"api.example.com": "api.example.com", "API.EXAMPLE.com": "api.example.com", "tenant.example.com": "*.example.com", "first.example.com": "first.example.com",
			"": "first.example.com", "other.org": "first.example.com", "plain.example.com": "first.example.com", "a.b.example.com": "first.example.com",
		} {
			conn, err := dial(t, addr, clientTLS(asked, version(v), func(c *tls.Config) { c.InsecureSkipVerify = true })) // looked at below
			require.NoError(t, err, asked)
			require.Equal(t, certificates[want].Certificate[0], conn.ConnectionState().PeerCertificates[0].Raw, asked)
		}
	}
	// A request on any of these connections goes by its Host.
	c := httpClient(t, addr, clientTLS("first.example.com"), true)
	code, body := fetch(t, c, "https://first.example.com/", "api.example.com")
	require.Equal(t, 200, code)
	require.Contains(t, body, "api.example.com / ")
	code, body = fetch(t, c, "https://first.example.com/", "other.org")
	require.Equal(t, 403, code)
	require.Equal(t, `{"message":"Forbidden"}`, body)
}

func TestNoCertificateAtAll(t *testing.T) {
	addr := serve(t, one(t, "api.example.com", map[string]string{"": "x"}))
	_, err := dial(t, addr, clientTLS("api.example.com"))
	require.ErrorContains(t, err, "internal error")
}

func TestHTTP2(t *testing.T) {
	for _, http1 := range []bool{false, true} {
		d := gatekit.Must(domain.New(t.Context(), domain.Config{HTTP1Only: http1, Names: []domain.Name{{
			Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")),
			Mappings: []domain.Mapping{{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })}},
		}}}))
		_, body := fetch(t, httpClient(t, serve(t, d), clientTLS("api.example.com"), true), "https://api.example.com/", "")
		require.Equal(t, map[bool]string{false: "HTTP/2.0", true: "HTTP/1.1"}[http1], body)
	}
}

// Of several static certificates a client gets one that it supports.
func TestStaticByKeyType(t *testing.T) {
	forRSA, forECDSA := newServer(t, rsaKey(), "api.example.com").pair(), newServerCertificate(t, "api.example.com")
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{
		Host: "api.example.com", Certificate: domain.Static(forECDSA, forRSA), Mappings: whole("x"),
	}}}))
	addr := serve(t, d)
	for suite, want := range map[uint16]tls.Certificate{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: forRSA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: forECDSA,
	} {
		conn, err := dial(t, addr, clientTLS("api.example.com", version(tls.VersionTLS12), func(c *tls.Config) { c.CipherSuites = []uint16{suite} }))
		require.NoError(t, err)
		require.Equal(t, want.Certificate[0], conn.ConnectionState().PeerCertificates[0].Raw)
	}
}

// What each policy takes and refuses.
func TestSecurityPolicies(t *testing.T) {
	certificate := domain.Static(newServer(t, rsaKey(), "api.example.com").pair())
	type attempt struct {
		version, suite uint16
	}
	var (
		tls10    = attempt{tls.VersionTLS10, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
		tls11    = attempt{tls.VersionTLS11, tls.TLS_RSA_WITH_AES_256_CBC_SHA}
		desCBC   = attempt{tls.VersionTLS12, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}
		cbcSHA   = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
		rsaGCM   = attempt{tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		rsaCBC   = attempt{tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA256}
		cbc256   = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
		gcm128   = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		gcm256   = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
		rc4      = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}
		chacha   = attempt{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}
		tls13    = attempt{tls.VersionTLS13, 0}
		attempts = []attempt{tls10, tls11, desCBC, cbcSHA, rsaGCM, rsaCBC, cbc256, gcm128, gcm256, rc4, chacha, tls13}
	)
	for policy, takes := range map[domain.SecurityPolicy][]attempt{
		"":                                 {rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
		domain.TLS12:                       {rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
		domain.TLS10:                       {tls10, tls11, desCBC, cbcSHA, rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
		"SecurityPolicy_TLS13_1_3_2025_09": {tls13},
		"SecurityPolicy_TLS13_2025_EDGE":   {tls13},
		"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09": {gcm128, gcm256, tls13},
		"SecurityPolicy_TLS12_PFS_2025_EDGE":      {gcm128, gcm256, tls13},
		"SecurityPolicy_TLS13_1_2_PQ_2025_09":     {rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
		"SecurityPolicy_TLS13_1_2_2021_06":        {rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
		"SecurityPolicy_TLS12_2018_EDGE":          {rsaGCM, rsaCBC, cbc256, gcm128, gcm256, tls13},
	} {
		n := domain.Name{Host: "api.example.com", Certificate: certificate, SecurityPolicy: policy, Mappings: whole("x")}
		if len(policy) > len("TLS_1_2") {
			n.EndpointAccessMode = domain.AccessBasic
		}
		addr := serve(t, gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{n}})))
		for _, a := range attempts {
			_, err := dial(t, addr, clientTLS("api.example.com", version(a.version), func(c *tls.Config) {
				if a.suite != 0 {
					c.CipherSuites = []uint16{a.suite}
				}
			}))
			taken := false
			for _, take := range takes {
				taken = taken || take == a
			}
			require.Equal(t, taken, err == nil, "%s: %s %s: %v", policy, tls.VersionName(a.version), tls.CipherSuiteName(a.suite), err)
		}
	}
}

// The PQ policies offer the hybrid key exchanges.
func TestPostQuantum(t *testing.T) {
	n := domain.Name{
		Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: whole("x"),
		SecurityPolicy: "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", EndpointAccessMode: domain.AccessBasic,
	}
	addr := serve(t, gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{n}})))
	for _, curve := range []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256} {
		conn, err := dial(t, addr, clientTLS("api.example.com", func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{curve} }))
		require.NoError(t, err, curve)
		require.Equal(t, curve, conn.ConnectionState().CurveID)
	}
}

// A FIPS policy is served by a program in FIPS mode, which then refuses what isn't approved.
func TestFIPS(t *testing.T) {
	if os.Getenv("GATEKIT_FIPS_TEST") == "" {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestFIPS$", "-test.v")
		cmd.Env = append(os.Environ(), "GATEKIT_FIPS_TEST=1", "GODEBUG=fips140=on")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "PASS: TestFIPS")
		return
	}
	for _, policy := range []domain.SecurityPolicy{"SecurityPolicy_TLS13_1_3_FIPS_2025_09", "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09", "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09"} {
		d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{{
			Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: whole("x"),
			SecurityPolicy: policy, EndpointAccessMode: domain.AccessBasic,
		}}})
		require.NoError(t, err)
		conn, err := dial(t, serve(t, d), clientTLS("api.example.com"))
		require.NoError(t, err)
		require.Equal(t, uint16(tls.VersionTLS13), conn.ConnectionState().Version)
	}
}

// A Host whose policy is stricter than the connection is refused: the server name would else be a
// way around the policy.
func TestPolicyHoldsForTheHost(t *testing.T) {
	names := []domain.Name{
		{Host: "old.example.com", SecurityPolicy: domain.TLS10},
		{Host: "new.example.com", SecurityPolicy: "SecurityPolicy_TLS13_1_3_2025_09", EndpointAccessMode: domain.AccessBasic},
		{Host: "pfs.example.com", SecurityPolicy: "SecurityPolicy_TLS12_PFS_2025_EDGE", EndpointAccessMode: domain.AccessBasic},
		{Host: "strict.example.com", SecurityPolicy: domain.TLS10, EndpointAccessMode: domain.AccessStrict},
	}
	for i := range names {
		names[i].Certificate = domain.Static(newServer(t, rsaKey(), names[i].Host).pair())
		names[i].Mappings = whole(names[i].Host)
	}
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: names}))
	addr := serve(t, d)
	cbc := func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256} }
	for _, tt := range []struct {
		asked, host string
		change      func(*tls.Config)
		want        int
	}{
		{"old.example.com", "new.example.com", version(tls.VersionTLS12), 421},
		{"old.example.com", "new.example.com", version(tls.VersionTLS13), 200},
		{"new.example.com", "new.example.com", version(tls.VersionTLS13), 200},
		{"new.example.com", "old.example.com", version(tls.VersionTLS13), 200},
		{"old.example.com", "pfs.example.com", func(c *tls.Config) { version(tls.VersionTLS12)(c); cbc(c) }, 421},
		{"old.example.com", "pfs.example.com", version(tls.VersionTLS12), 200},
		{"old.example.com", "old.example.com", version(tls.VersionTLS10), 200},
		{"old.example.com", "strict.example.com", version(tls.VersionTLS13), 421},
		{"strict.example.com", "strict.example.com", version(tls.VersionTLS13), 200},
		{"strict.example.com", "old.example.com", version(tls.VersionTLS13), 200},
	} {
		code, body := fetch(t, httpClient(t, addr, clientTLS(tt.asked, tt.change), false), "https://"+tt.asked+"/", tt.host)
		require.Equal(t, tt.want, code, "%v", tt)
		if code == 421 {
			require.Equal(t, `{"message":"Misdirected Request"}`, body)
		}
	}
	// Without TLS a strict Name isn't served; others are, as TLS may end in front.
	require.Equal(t, 421, get(d, "http://strict.example.com/").Code)
	require.Equal(t, 200, get(d, "http://new.example.com/").Code)
}

// The pair of files is replaced under load: no request fails, old connections stay, and new ones
// see the new certificate.
func TestReloadUnderLoad(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put := func(i *issued) {
		write(t, keyFile, keyPEM(t, i.key)) // the two don't fit for a moment
		write(t, certFile, bundle(i))
	}
	first, second := newServer(t, nil, "api.example.com"), newServer(t, nil, "api.example.com")
	put(first)
	var log logged
	d := gatekit.Must(domain.New(t.Context(), domain.Config{ReloadInterval: time.Nanosecond, Logger: log.logger(), Names: []domain.Name{{
		Host: "api.example.com", Certificate: domain.Files(certFile, keyFile), Mappings: whole("x"),
	}}}))
	addr := serve(t, d)
	served := func() []byte {
		conn, err := dial(t, addr, clientTLS("api.example.com"))
		require.NoError(t, err)
		return conn.ConnectionState().PeerCertificates[0].Raw
	}
	require.Equal(t, first.certificate.Raw, served())

	kept := httpClient(t, addr, clientTLS("api.example.com"), true)
	fetch(t, kept, "https://api.example.com/", "")
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	var requests atomic.Int64
	stop := make(chan struct{})
	for i := range 4 {
		c := httpClient(t, addr, clientTLS("api.example.com"), i%2 == 0)
		c.Transport.(*http.Transport).DisableKeepAlives = i >= 2
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if code, _, err := tryFetch(c, "https://api.example.com/x", ""); err != nil || code != 200 {
					err = fmt.Errorf("%d %w", code, err)
					failed.Store(&err)
					return
				}
				requests.Add(1)
			}
		})
	}
	for i := range 20 {
		if i%2 == 0 {
			put(second)
		} else {
			put(first)
		}
		for enough := requests.Load() + 5; requests.Load() < enough && failed.Load() == nil; {
			served()
		}
	}
	put(second)
	close(stop)
	wg.Wait()
	require.Nil(t, failed.Load())
	require.Equal(t, second.certificate.Raw, served())
	code, _ := fetch(t, kept, "https://api.example.com/", "")
	require.Equal(t, 200, code)
}

// Bad files are reported once each, and the old certificate stays.
func TestBadFilesAreReported(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	serverCA() // made outside the bubble, whose clock is another
	synctest.Test(t, func(t *testing.T) {
		good := newServer(t, nil, "api.example.com")
		write(t, certFile, bundle(good))
		write(t, keyFile, keyPEM(t, good.key))
		var log logged
		source := domain.Files(certFile, keyFile)
		opened, err := source.Open(t.Context(), domain.CertificateRequest{Host: "api.example.com", ReloadInterval: 10 * time.Second, Logger: log.logger()})
		require.NoError(t, err)
		look := func() string {
			before := len(log.String())
			for range 3 {
				time.Sleep(10 * time.Second)
				c, err := opened.Get(nil)
				require.NoError(t, err)
				require.Equal(t, good.certificate.Raw, c.Certificate[0])
			}
			return log.String()[before:]
		}
		require.Empty(t, look())
		expired := issue(t, serverCA(), good.key, func(c *x509.Certificate) {
			c.DNSNames, c.NotBefore, c.NotAfter = []string{"api.example.com"}, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		})
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		for _, bad := range []struct {
			cert []byte
			want string
		}{
			{[]byte("nothing"), "failed to find any PEM data"},
			{bundle(good)[:100], "failed to find"},
			{bundle(expired), "valid now"},
			{bundle(newServer(t, good.key, "www.example.com")), "valid for www.example.com"},
			{bundle(newServer(t, other, "api.example.com")), "private key does not match"},
			{make([]byte, 1<<20+1), "at most 1 MiB"},
		} {
			write(t, certFile, bad.cert)
			report := look()
			require.Contains(t, report, bad.want)
			require.Contains(t, report, "host=api.example.com")
			require.Equal(t, 1, lines(report), report)
			require.NotContains(t, report, "PRIVATE KEY")
		}
		require.NoError(t, os.Remove(certFile))
		require.Equal(t, 1, lines(look()))
		write(t, certFile, bundle(good))
		require.Empty(t, look())

		// Nobody looks before the interval is over.
		next := newServer(t, good.key, "api.example.com")
		write(t, certFile, bundle(next))
		c, err := opened.Get(nil)
		require.NoError(t, err)
		require.Equal(t, good.certificate.Raw, c.Certificate[0])
		time.Sleep(10 * time.Second)
		c, err = opened.Get(nil)
		require.NoError(t, err)
		require.Equal(t, next.certificate.Raw, c.Certificate[0])
	})
}

// source is a certificate source that a user wrote.
type source func(*tls.ClientHelloInfo) (*tls.Certificate, error)

func (s source) Open(ctx context.Context, r domain.CertificateRequest) (domain.Certificates, error) {
	if r.Host == "" || r.Logger == nil || r.ReloadInterval != 10*time.Second {
		return domain.Certificates{}, fmt.Errorf("got %+v", r)
	}
	return domain.Certificates{Get: s, ChallengeProtocol: "acme-tls/1"}, nil
}

// An authority that has a name proved in a handshake is asked for no certificate, gets no further,
// and finds no other Name.
func TestChallenge(t *testing.T) {
	ordinary, proof := newServerCertificate(t, "api.example.com"), newServerCertificate(t, "api.example.com")
	get := source(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if slices.Equal(hello.SupportedProtos, []string{"acme-tls/1"}) {
			return &proof, nil
		}
		return &ordinary, nil
	})
	a := authority(t, nil, "A")
	addr := serve(t, gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "other.example.com", Certificate: domain.Static(newServerCertificate(t, "other.example.com")), Mappings: whole("other")},
		{Host: "api.example.com", Certificate: get, Mappings: whole("x"), MutualTLS: &domain.MutualTLS{Truststore: bundle(a)}},
	}})))
	asking := func(protocols ...string) func(*tls.Config) { return func(c *tls.Config) { c.NextProtos = protocols } }
	conn, err := dial(t, addr, clientTLS("api.example.com", asking("acme-tls/1")))
	require.NoError(t, err)
	require.Equal(t, proof.Certificate[0], conn.ConnectionState().PeerCertificates[0].Raw)
	require.Equal(t, "acme-tls/1", conn.ConnectionState().NegotiatedProtocol)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	require.Empty(t, answer)
	require.Error(t, handshake(t, addr, clientTLS("api.example.com", asking("acme-tls/1", "http/1.1"))), "not a challenge, and no certificate")
	_, err = dial(t, addr, clientTLS("other.example.com", asking("acme-tls/1")))
	require.ErrorContains(t, err, "no application protocol")

	_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Certificate: source(nil), Mappings: whole("x")}}})
	require.EqualError(t, err, "domain: Config.Names[0].Certificate: want a source whose Get isn't nil")
}

// Files behind a link that is turned, as Kubernetes mounts secrets.
func TestLinkedFiles(t *testing.T) {
	dir := t.TempDir()
	version := func(name string) *issued {
		i := newServer(t, nil, "api.example.com")
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "tls.crt"), bundle(i), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "tls.key"), keyPEM(t, i.key), 0o600))
		require.NoError(t, os.Symlink(name, filepath.Join(dir, "next")))
		require.NoError(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
		return i
	}
	first := version("1")
	opened, err := domain.Files(filepath.Join(dir, "current", "tls.crt"), filepath.Join(dir, "current", "tls.key")).
		Open(t.Context(), domain.CertificateRequest{Host: "api.example.com", ReloadInterval: time.Nanosecond, Logger: new(logged).logger()})
	require.NoError(t, err)
	for _, want := range []func() *issued{func() *issued { return first }, func() *issued { return version("2") }} {
		want := want()
		c, err := opened.Get(nil)
		require.NoError(t, err)
		require.Equal(t, want.certificate.Raw, c.Certificate[0])
	}
}

func lines(text string) int { return strings.Count(text, "\n") }

// The listener of tls.Listen works as http.Server's own.
func TestTLSListen(t *testing.T) {
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{
		Host: "api.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: whole("x"),
	}}}))
	l, err := tls.Listen("tcp", "127.0.0.1:0", d.TLSConfig())
	require.NoError(t, err)
	s := &http.Server{Handler: d, TLSConfig: d.TLSConfig()}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	for _, http2 := range []bool{false, true} {
		code, _ := fetch(t, httpClient(t, l.Addr().String(), clientTLS("api.example.com"), http2), "https://api.example.com/", "")
		require.Equal(t, 200, code)
	}
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-done, http.ErrServerClosed)
}
