// Package acme gets certificates of custom domain names from a certificate authority that speaks
// ACME (RFC 8555), such as Let's Encrypt, and renews them. It stands on
// golang.org/x/crypto/acme/autocert, which importing package domain alone doesn't compile.
//
//	m, err := acme.New(ctx, acme.Config{AcceptTOS: true, Cache: autocert.DirCache("/var/lib/orders/acme"), Email: "ops@example.com"})
//	…
//	d, err := domain.New(ctx, domain.Config{Names: []domain.Name{{Host: "api.example.com", Certificate: m, Mappings: …}}})
//	server := &http.Server{Addr: ":443", Handler: d, TLSConfig: d.TLSConfig()}
//
// The authority looks whether the name is ours by a handshake on port 443 (tls-alpn-01, RFC 8737),
// for which nothing more is needed, or, if that fails and [Manager.HTTPHandler] is served on port
// 80, by a request there (http-01). A Name with mutual TLS asks the authority for no client
// certificate in that handshake.
//
// A certificate is got in the first handshake for its Name, which waits for it, and renewed in the
// background when a third of its time, and at most 30 days, is left. Certificates are only got for
// the hosts of Names, and not for wildcards, which neither challenge can prove.
//
// # Differences
//
// The managed gateway's certificates come from AWS Certificate Manager, which proves names by DNS
// or e-mail, and issues wildcards too.
package acme

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [Manager].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// AcceptTOS says that you accept the authority's terms of service. Required.
	AcceptTOS bool
	// Cache keeps the account's key and the certificates with their keys, so that a restart asks
	// for nothing: autocert.DirCache for a directory, or another for a fleet. Required, as
	// authorities limit how many certificates a name gets in a week.
	Cache autocert.Cache
	// Email is where the authority warns of a certificate that expires. Optional.
	Email string
	// DirectoryURL is the authority's: an https URL. Let's Encrypt by default.
	DirectoryURL string
	// RenewBefore is how long before its end a certificate is renewed: at most 30 days, 0 for the
	// default.
	RenewBefore time.Duration
	// ExternalAccountKeyID and ExternalAccountKey bind the account to one that you have with the
	// authority, where it wants that (RFC 8555, section 7.3.4). Both or none.
	ExternalAccountKeyID string
	ExternalAccountKey   []byte
	// HTTPClient talks to the authority. nil means one with a deadline of 30 s.
	HTTPClient *http.Client
}

const maxRenewBefore = 30 * 24 * time.Hour

// Manager is a domain.CertificateSource, for any number of Names. It is safe for concurrent use.
type Manager struct {
	autocert *autocert.Manager

	mu    sync.RWMutex
	hosts map[string]bool
}

// New returns a Manager, or one error that lists every field it refuses. It sends nothing: the
// first handshake does. When ctx ends, so does all talk with the authority; certificates that are
// there are served on.
func New(ctx context.Context, cfg Config) (*Manager, error) {
	wrong := mistakes.In("acme: Config")
	wrong.Require(cfg.AcceptTOS, "AcceptTOS", "want true: no authority issues without")
	wrong.Require(cfg.Cache != nil,
		"Cache", "want one, as a restart without would ask for each certificate again, got nil")
	if cfg.Email != "" {
		a, err := mail.ParseAddress(cfg.Email)
		wrong.Require(err == nil && a.Address == cfg.Email,
			"Email", "want an address such as ops@example.com, got %q", cfg.Email)
	}
	if cfg.DirectoryURL != "" {
		u, err := url.Parse(cfg.DirectoryURL)
		wrong.Require(err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil,
			"DirectoryURL", "want an https URL, got %q", cfg.DirectoryURL)
	}
	wrong.Require(cfg.RenewBefore >= 0 && cfg.RenewBefore <= maxRenewBefore,
		"RenewBefore", "want 0 to 720h, got %v", cfg.RenewBefore)
	wrong.Require((cfg.ExternalAccountKeyID == "") == (len(cfg.ExternalAccountKey) == 0),
		"ExternalAccountKey", "want it beside ExternalAccountKeyID, or neither")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	m := &Manager{hosts: map[string]bool{}}
	m.autocert = &autocert.Manager{
		Prompt:      autocert.AcceptTOS,
		Cache:       cfg.Cache,
		HostPolicy:  m.check,
		RenewBefore: cfg.RenewBefore,
		Email:       cfg.Email,
		Client: &acme.Client{DirectoryURL: cfg.DirectoryURL, HTTPClient: until(ctx, cfg.HTTPClient),
			UserAgent: "gatekit"},
	}
	if cfg.DirectoryURL == "" {
		m.autocert.Client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	if cfg.ExternalAccountKeyID != "" {
		m.autocert.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: cfg.ExternalAccountKeyID,
			Key: append([]byte(nil), cfg.ExternalAccountKey...)}
	}
	return m, nil
}

// Open implements domain.CertificateSource.
func (m *Manager) Open(_ context.Context, r domain.CertificateRequest) (domain.Certificates, error) {
	if strings.HasPrefix(r.Host, "*") {
		return domain.Certificates{}, fmt.Errorf(
			"want a host without a wildcard, as ACME's challenges over HTTP and TLS prove none, got %q", r.Host)
	}
	if !strings.Contains(r.Host, ".") {
		return domain.Certificates{}, fmt.Errorf("want a public name, got %q", r.Host)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hosts[r.Host] = true
	return domain.Certificates{Get: m.autocert.GetCertificate, ChallengeProtocol: acme.ALPNProto}, nil
}

// HTTPHandler answers the authority's http-01 challenges, for port 80, and gives all other requests
// to next. nil redirects them to https. It makes http-01 a challenge that is tried.
func (m *Manager) HTTPHandler(next http.Handler) http.Handler {
	h := m.autocert.HTTPHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// autocert asks for the Host as it is, which has a port where the authority, or what is in
		// front, came by another than 80.
		if host, _, ok := strings.Cut(r.Host, ":"); ok &&
			strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") {
			r = r.WithContext(r.Context())
			r.Host = host
		}
		h.ServeHTTP(w, r)
	})
}

// check is asked before a certificate is. Whoever connects can write any name into a handshake.
func (m *Manager) check(_ context.Context, host string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.hosts[host] {
		return errors.New("acme: no Name has this host")
	}
	return nil
}
