package acme_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/acme/autocert"

	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/domain/acme"
)

// Getting certificates is tested with a real authority in internal/pebble.

func TestConfigRefusals(t *testing.T) {
	_, err := acme.New(t.Context(), acme.Config{
		Email: "Ops <ops@example.com>", DirectoryURL: "http://ca.example", RenewBefore: 31 * 24 * time.Hour, ExternalAccountKeyID: "x",
	})
	for _, want := range []string{
		"acme: Config.AcceptTOS: want true", "acme: Config.Cache: want one", `acme: Config.Email: want an address such as ops@example.com, got "Ops <ops@example.com>"`,
		`acme: Config.DirectoryURL: want an https URL, got "http://ca.example"`, "acme: Config.RenewBefore: want 0 to 720h, got 744h0m0s",
		"acme: Config.ExternalAccountKey: want it beside ExternalAccountKeyID, or neither",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNamesThatCannotBeProved(t *testing.T) {
	m, err := acme.New(t.Context(), acme.Config{AcceptTOS: true, Cache: autocert.DirCache(t.TempDir())})
	require.NoError(t, err)
	for host, want := range map[string]string{"*.example.com": "want a host without a wildcard", "localhost": "want a public name"} {
		_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: host, Certificate: m, Mappings: []domain.Mapping{{Handler: http.NotFoundHandler()}}}}})
		require.ErrorContains(t, err, "domain: Config.Names[0].Certificate: "+want)
	}
}

// No name of a stranger's handshake reaches the authority, and nothing does once the context has
// ended.
func TestWhatIsAskedOfTheAuthority(t *testing.T) {
	asked := 0
	authority := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.WriteHeader(http.StatusForbidden)
	}))
	defer authority.Close()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	m, err := acme.New(ctx, acme.Config{
		AcceptTOS: true, Cache: autocert.DirCache(t.TempDir()), DirectoryURL: authority.URL, HTTPClient: authority.Client(),
		ExternalAccountKeyID: "id", ExternalAccountKey: []byte("key"),
	})
	require.NoError(t, err)
	c, err := m.Open(ctx, domain.CertificateRequest{Host: "api.example.com"})
	require.NoError(t, err)
	_, err = c.Get(&tls.ClientHelloInfo{ServerName: "other.example.com"})
	require.EqualError(t, err, "acme: no Name has this host")
	require.Zero(t, asked)
	_, err = c.Get(&tls.ClientHelloInfo{ServerName: "api.example.com"})
	require.Error(t, err)
	require.Equal(t, 1, asked)
	end()
	_, err = m2(t, ctx, authority).Get(&tls.ClientHelloInfo{ServerName: "api.example.com"})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, asked)
}

func m2(t *testing.T, ctx context.Context, authority *httptest.Server) domain.Certificates {
	m, err := acme.New(ctx, acme.Config{AcceptTOS: true, Cache: autocert.DirCache(t.TempDir()), DirectoryURL: authority.URL, HTTPClient: authority.Client()})
	require.NoError(t, err)
	c, err := m.Open(ctx, domain.CertificateRequest{Host: "api.example.com"})
	require.NoError(t, err)
	return c
}

// A request to the authority that is under way ends with the context.
func TestRequestsEndWithTheContext(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	authority := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		end()
		<-r.Context().Done()
	}))
	defer authority.Close()
	_, err := m2(t, ctx, authority).Get(&tls.ClientHelloInfo{ServerName: "api.example.com"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestHTTPHandler(t *testing.T) {
	m, err := acme.New(t.Context(), acme.Config{AcceptTOS: true, Cache: autocert.DirCache(t.TempDir())})
	require.NoError(t, err)
	_, err = m.Open(t.Context(), domain.CertificateRequest{Host: "api.example.com"})
	require.NoError(t, err)
	for target, want := range map[string]string{
		"http://api.example.com/orders":                         "302 https://api.example.com/orders",
		"http://api.example.com/.well-known/acme-challenge/x":   "404 ",
		"http://other.example.com/.well-known/acme-challenge/x": "403 ",
	} {
		w := httptest.NewRecorder()
		m.HTTPHandler(nil).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		require.Equal(t, want, fmt.Sprint(w.Code, " ", w.Header().Get("Location")), target)
	}
}

func ExampleNew() {
	ctx := context.Background()
	m, err := acme.New(ctx, acme.Config{AcceptTOS: true, Cache: autocert.DirCache("testdata/acme"), Email: "ops@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := domain.New(ctx, domain.Config{Names: []domain.Name{{
		Host: "api.example.com", Certificate: m, Mappings: []domain.Mapping{{BasePath: "orders", Handler: http.NotFoundHandler()}},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// To serve: two servers.
	_ = &http.Server{Addr: ":443", Handler: d, TLSConfig: d.TLSConfig()}
	_ = &http.Server{Addr: ":80", Handler: m.HTTPHandler(nil)}

	_, err = domain.New(ctx, domain.Config{Names: []domain.Name{{
		Host: "*.example.com", Certificate: m, Mappings: []domain.Mapping{{Handler: http.NotFoundHandler()}},
	}}})
	fmt.Println(err)
	// Output:
	// domain: Config.Names[0].Certificate: want a host without a wildcard, as ACME's challenges over HTTP and TLS prove none, got "*.example.com"
}
