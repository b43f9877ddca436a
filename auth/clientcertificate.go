package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// ClientCertificateConfig configures a [ClientCertificate]. The zero value admits every client
// whose certificate the TLS listener has verified. With several lists, a certificate must be in
// each of them.
type ClientCertificateConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Subjects are distinguished names as RFC 2253 writes them, "CN=client.example.com,O=Org,C=DE",
	// or as events show them (subjectDN).
	Subjects []string
	// DNSNames, URIs and EmailAddresses are subject alternative names, of which a certificate must
	// have one.
	DNSNames, URIs, EmailAddresses []string
	// Fingerprints are SHA-256 digests of whole certificates in hex; colons don't count.
	Fingerprints []string
}

// ClientCertificate admits clients by their TLS certificate. The listener verifies it
// (tls.Config.ClientAuth of tls.RequireAndVerifyClientCert or VerifyClientCertIfGiven, with
// ClientCAs); this says whose may come in, and tells handlers who it is. It is safe for concurrent
// use. (Developer guide, "Configure mutual TLS authentication for an HTTP API".)
type ClientCertificate struct {
	config       ClientCertificateConfig
	fingerprints [][sha256.Size]byte
}

// NewClientCertificate returns an authorizer, or one error that lists every field it refuses. It
// copies c.
func NewClientCertificate(c ClientCertificateConfig) (*ClientCertificate, error) {
	a := &ClientCertificate{}
	m := mistakes.In("auth: ClientCertificateConfig")
	for _, list := range []struct {
		field string
		from  []string
		to    *[]string
	}{
		{"Subjects", c.Subjects, &a.config.Subjects}, {"DNSNames", c.DNSNames, &a.config.DNSNames},
		{"URIs", c.URIs, &a.config.URIs},
		{"EmailAddresses", c.EmailAddresses, &a.config.EmailAddresses},
		{"Fingerprints", c.Fingerprints, &a.config.Fingerprints},
	} {
		*list.to = slices.Clone(list.from)
		m.Require(!slices.Contains(list.from, ""), list.field, `want names, got ""`)
	}
	for i, text := range c.Fingerprints {
		digest, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		if err != nil || len(digest) != sha256.Size {
			m.Under("Fingerprints").Index(i).Add("", "want a SHA-256 of 64 hex digits, got %s", quoted(text))
			continue
		}
		a.fingerprints = append(a.fingerprints, [sha256.Size]byte(digest))
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// Middleware is Require(a).
func (a *ClientCertificate) Middleware(next http.Handler) http.Handler { return Require(a)(next) }

var (
	errNoCertificate error = noCredentials("auth: the client has no verified certificate")
	errCertificate         = errors.New("auth: the client's certificate is in none of the lists, or out of its time")
)

// Authorize admits a client by its certificate. The principal is the subject by RFC 2253; the
// context has subjectDN, issuerDN, serialNumber and validity as events show them. Its errors are
// 403s; no certificate is [ErrNoCredentials].
func (a *ClientCertificate) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	return a.authorizeAs("", r)
}

func (a *ClientCertificate) authorizeAs(rule string, r *http.Request) (*gatekit.Authorization, error) {
	rc, _ := gatekit.Attach(r)
	n := notesOf(rc, rule, ruleCertificate)
	cert := rc.ClientCert()
	if cert == nil {
		err := forbiddenFor(errNoCertificate)
		n.authenticated("", err)
		return nil, err
	}
	shown := event.CertificateNames(cert)
	now := time.Now() // a connection may outlive the certificate that it was made with
	missing := a.missing(cert, shown)
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		missing = "validity"
	}
	if missing != "" {
		err := forbiddenFor(errCertificate)
		n.authenticated(missing, err)
		return nil, err
	}
	n.authenticated("", nil)
	return gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: cert.Subject.String(), Context: shown}), nil
}

// forbiddenFor is the 403 of mutual TLS. No recording shows its body; of the response types the API
// key's is the one that says Forbidden in every flavor, where a policy's words would be wrong.
func forbiddenFor(cause error) error {
	return &gatekit.Rejection{Type: gatekit.InvalidAPIKey, Cause: cause}
}

// missing returns the first list that doesn't have the certificate, by its field, or "". shown is
// what events show of it.
func (a *ClientCertificate) missing(cert *x509.Certificate, shown map[string]any) string {
	subject, _ := shown["subjectDN"].(string)
	var uris []string
	if len(a.config.URIs) > 0 {
		for _, u := range cert.URIs {
			uris = append(uris, u.String())
		}
	}
	for _, list := range []struct {
		field        string
		allowed, has []string
	}{
		{"Subjects", a.config.Subjects, []string{cert.Subject.String(), subject}},
		{"DNSNames", a.config.DNSNames, cert.DNSNames}, {"URIs", a.config.URIs, uris},
		{"EmailAddresses", a.config.EmailAddresses, cert.EmailAddresses},
	} {
		if len(list.allowed) > 0 && !slices.ContainsFunc(list.has,
			func(name string) bool { return slices.Contains(list.allowed, name) }) {
			return list.field
		}
	}
	if len(a.fingerprints) == 0 {
		return ""
	}
	digest, match := sha256.Sum256(cert.Raw), 0
	for i := range a.fingerprints {
		match |= subtle.ConstantTimeCompare(digest[:], a.fingerprints[i][:])
	}
	if match != 1 {
		return "Fingerprints"
	}
	return ""
}
