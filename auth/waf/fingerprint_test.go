package waf_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/domain/proxyprotocol"
	"github.com/gatekit-go/gatekit/throttle"
)

// The examples of the definitions: JA3's README, and JA4's technical details.
func TestPublishedFingerprints(t *testing.T) {
	old := &tls.ClientHelloInfo{
		SupportedVersions: []uint16{tls.VersionTLS10, 0x0300}, CipherSuites: []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
		Extensions: []uint16{0, 10, 11}, SupportedCurves: []tls.CurveID{23, 24, 25}, SupportedPoints: []uint8{0},
	}
	require.Equal(t, "ada70206e40642a3e4461f35503241d5", waf.JA3Of(old))
	require.Equal(t, "de350869b8c85de67a350c8d186f11e6", waf.JA3Of(&tls.ClientHelloInfo{
		SupportedVersions: []uint16{tls.VersionTLS10, 0x0300}, CipherSuites: []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}}), "no extensions")
	chrome := &tls.ClientHelloInfo{
		SupportedVersions: []uint16{0x3a3a, tls.VersionTLS13, tls.VersionTLS12},
		CipherSuites:      []uint16{0xdada, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		Extensions:        []uint16{0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015},
		SignatureSchemes:  []tls.SignatureScheme{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
		SupportedProtos:   []string{"h2", "http/1.1"},
	}
	require.Equal(t, "t13d1516h2_8daaf6152771_e5627efa2ab1", waf.JA4Of(chrome))
	require.Equal(t, "t00i000000_000000000000_000000000000", waf.JA4Of(&tls.ClientHelloInfo{}))
	for protocol, want := range map[string]string{"http/1.1": "h1", "h": "hh", "\xab\xcd": "ad", "0/": "3f", "": "00"} {
		require.Equal(t, "t12i0000"+want, waf.JA4Of(&tls.ClientHelloInfo{SupportedVersions: []uint16{tls.VersionTLS12}, SupportedProtos: []string{protocol}})[:10])
	}
}

// A server with fingerprints blocks a client by its TLS, over HTTP/1.1 and HTTP/2, and keeps what
// its configuration did before.
func TestFingerprintsOfAServer(t *testing.T) {
	var seen []string
	fallback := &waf.FingerprintField{FallbackBehavior: "NO_MATCH"}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "here", r.Context().Value(contextKey{}))
		seen = append(seen, waf.JA3(r))
		acl := compiled(t, waf.Config{JA3: waf.JA3, JA4: waf.JA4, ACL: webACL(
			rule("known", 0, text("EXACTLY", waf.JA4(r), waf.FieldToMatch{JA4Fingerprint: fallback}), count),
			rule("bad", 1, text("EXACTLY", seen[0], waf.FieldToMatch{JA3Fingerprint: fallback}), block))})
		require.Equal(t, []string{"known"}, acl.Check(r).Counted)
		acl.Middleware(echo).ServeHTTP(w, r)
	})
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS() // for its certificate
	defer server.Close()

	asked := 0
	config := &tls.Config{Certificates: server.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}}
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { asked++; return nil, nil }
	srv := &http.Server{Handler: handler, TLSConfig: config, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, contextKey{}, "here")
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(waf.Fingerprints(srv, l), "", "") }()
	defer func() {
		require.NoError(t, srv.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	}()
	for i, client := range []struct {
		protocols *http.Protocols
		status    int
	}{
		{protocols(true), 403}, {protocols(false), 200}, {protocols(true), 403},
	} {
		transport := server.Client().Transport.(*http.Transport).Clone()
		transport.Protocols = client.protocols
		if client.status == 200 {
			transport.TLSClientConfig.NextProtos, transport.TLSClientConfig.MaxVersion = []string{"http/1.1"}, tls.VersionTLS12
		}
		response, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, client.status, response.StatusCode, i)
		transport.CloseIdleConnections()
	}
	require.Equal(t, 3, asked)
	require.Len(t, seen[0], 32)
	require.Equal(t, seen[0], seen[2])
	require.NotEqual(t, seen[0], seen[1])
	require.Empty(t, waf.JA3(get("/"))+waf.JA4(get("/")))
}

// The whole front door: limits, fingerprints and the PROXY protocol under TLS know the client,
// whichever of the first two is the outer one, and make no flood of an upload.
func TestFingerprintsAmongOtherListeners(t *testing.T) {
	proxies, err := gatekit.NewTrustedProxies("", "127.0.0.1")
	require.NoError(t, err)
	certificate := httptest.NewTLSServer(nil)
	defer certificate.Close()
	for _, tt := range []struct {
		name  string
		stack func(c *throttle.Connections, srv *http.Server, inner, behind net.Listener) net.Listener
	}{
		{"limits-outside", func(c *throttle.Connections, srv *http.Server, _, behind net.Listener) net.Listener {
			return c.Guard(srv, waf.Fingerprints(srv, behind))
		}},
		{"fingerprints-outside", func(c *throttle.Connections, srv *http.Server, _, behind net.Listener) net.Listener {
			return waf.Fingerprints(srv, c.Guard(srv, behind))
		}},
		{"proxyprotocol-outside", func(c *throttle.Connections, srv *http.Server, inner, _ net.Listener) net.Listener {
			l, err := proxyprotocol.New(waf.Fingerprints(srv, c.Guard(srv, inner)), proxyprotocol.Config{Proxies: proxies})
			require.NoError(t, err)
			return l
		}},
	} {
		for _, two := range []bool{false, true} {
			c, err := throttle.NewConnections(throttle.ConnectionsConfig{})
			require.NoError(t, err)
			srv := &http.Server{TLSConfig: &tls.Config{Certificates: certificate.TLS.Certificates}}
			srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n, err, " ", gatekit.SourceIP(r), " ", len(waf.JA3(r)), " ", len(waf.JA4(r)))
			})
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			behind, err := proxyprotocol.New(inner, proxyprotocol.Config{Proxies: proxies})
			require.NoError(t, err)
			served := make(chan error, 1)
			go func() { served <- srv.ServeTLS(tt.stack(c, srv, inner, behind), "", "") }()

			transport := certificate.Client().Transport.(*http.Transport).Clone()
			transport.Protocols = protocols(two)
			transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", inner.Addr().String())
				if err == nil {
					_, err = io.WriteString(conn, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n")
				}
				return conn, err
			}
			response, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Post(
				"https://example.com", "text/plain", strings.NewReader(strings.Repeat("a", 8<<20)))
			require.NoError(t, err, "%s: %+v", tt.name, c.Counts())
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, "8388608 <nil> 203.0.113.9 32 36", string(body), tt.name)
			require.Equal(t, throttle.ConnectionCounts{Open: 1, Accepted: 1}, c.Counts(), tt.name)
			transport.CloseIdleConnections()
			require.NoError(t, srv.Close())
			_ = behind.Close() // again, unless it stands aside
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		}
	}
}

type contextKey struct{}

func protocols(two bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP2(two)
	p.SetHTTP1(!two)
	return p
}

// What is told by hooks is judged like any other part; a request without it gets the fallback.
func TestHooks(t *testing.T) {
	fingerprint := func(fallback string) waf.Statement {
		return text("EXACTLY", "f", waf.FieldToMatch{JA3Fingerprint: &waf.FingerprintField{FallbackBehavior: fallback}})
	}
	hook := func(r *http.Request) string { return r.Header.Get("X-Told") }
	for fallback, want := range map[string]bool{"MATCH": true, "NO_MATCH": false} {
		require.Equal(t, want, blocked(blocking(t, fingerprint(fallback)), get("/", "X-Told", "f")), "nobody tells")
		acl := compiled(t, waf.Config{JA3: hook, ACL: webACL(rule("r", 0, fingerprint(fallback), block))})
		require.True(t, blocked(acl, get("/", "X-Told", "f")))
		require.False(t, blocked(acl, get("/", "X-Told", "g")))
		require.Equal(t, want, blocked(acl, get("/")), "nothing is told")
	}
	order := text("EXACTLY", "host:accept", waf.FieldToMatch{HeaderOrder: &waf.BodyField{OversizeHandling: "MATCH"}})
	acl := compiled(t, waf.Config{HeaderOrder: hook, ACL: webACL(rule("r", 0, order, block))})
	require.True(t, blocked(acl, get("/", "X-Told", "host:accept")))
	require.False(t, blocked(acl, get("/", "X-Told", "accept:host")))
	require.False(t, blocked(acl, get("/")))
	require.True(t, blocked(acl, withHeaders(300)), "too many headers")

	asked := 0
	once := func(*http.Request) string { asked++; return "x" }
	acl = compiled(t, waf.Config{HeaderOrder: once, ACL: webACL(rule("r", 0, order, block), rule("s", 1, order, block))})
	require.False(t, blocked(acl, get("/")))
	require.Equal(t, 1, asked, "two rules look at one part")
}
