package domain

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// CertificateSource gives a Name its certificate. [Files], [Static] and package domain/acme have
// one each.
type CertificateSource interface {
	// Open is called by [New], once for each Name that has the source. What it starts must end with
	// ctx.
	Open(ctx context.Context, r CertificateRequest) (Certificates, error)
}

// CertificateRequest is what a Name wants of a source.
type CertificateRequest struct {
	// Host is the name that the certificate must be for: "api.example.com", or "*.example.com".
	Host string
	// ReloadInterval is how long a source may go without looking at its files again.
	ReloadInterval time.Duration
	// Logger gets what goes wrong later. It isn't nil.
	Logger *slog.Logger
}

// Certificates are an opened source.
type Certificates struct {
	// Get returns the certificate for a handshake, whose server name is the Name's or, with a
	// wildcard, one of its. It is called from several goroutines. What it returns isn't modified.
	Get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// ChallengeProtocol is the protocol by which a certificate authority has Get prove whose the
	// name is, such as "acme-tls/1". It is only spoken with clients that offer nothing else, and no
	// client certificate is demanded of them. Empty: none.
	ChallengeProtocol string
}

// Files is a certificate, with its chain, and its private key in two PEM files. They are looked at
// again during handshakes, at most once in Config.ReloadInterval, and a new pair is taken without a
// connection being dropped. A pair that doesn't parse, isn't for the host or has expired is
// reported to Config.Logger, and the old one stays.
func Files(certFile, keyFile string) CertificateSource { return &files{certFile, keyFile} }

type files struct{ cert, key string }

func (f *files) Open(_ context.Context, r CertificateRequest) (Certificates, error) {
	report := func(err error) {
		r.Logger.LogAttrs(context.Background(), slog.LevelWarn,
			"domain: the certificate could not be reloaded, the old one stays",
			slog.String("host", r.Host), slog.String("file", f.cert), slog.String("error", err.Error()))
	}
	w, err := watch([]string{f.cert, f.key}, r.ReloadInterval, report,
		func(contents [][]byte) (*tls.Certificate, error) {
			pair, err := tls.X509KeyPair(withoutBOM(contents[0]), withoutBOM(contents[1]))
			if err != nil {
				return nil, err
			}
			return &pair, checkCertificate(&pair, r.Host, time.Now())
		})
	if err != nil {
		return Certificates{}, err
	}
	return Certificates{Get: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.get(), nil }}, nil
}

// Static is a certificate that stays, or several with keys of different types, of which each client
// gets the first that it supports.
func Static(certificates ...tls.Certificate) CertificateSource { return static(certificates) }

type static []tls.Certificate

func (s static) Open(_ context.Context, r CertificateRequest) (Certificates, error) {
	if len(s) == 0 {
		return Certificates{}, errors.New("want a certificate, got none")
	}
	own := make([]tls.Certificate, len(s))
	for i := range s {
		own[i] = s[i]
		if err := checkCertificate(&own[i], r.Host, time.Now()); err != nil {
			return Certificates{}, err
		}
	}
	return Certificates{Get: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for i := range own {
			if hello.SupportsCertificate(&own[i]) == nil {
				return &own[i], nil
			}
		}
		return &own[0], nil // whose handshake then says what doesn't fit
	}}, nil
}

// checkCertificate returns why clients would refuse the certificate for host, or nil. It sets Leaf.
func checkCertificate(c *tls.Certificate, host string, now time.Time) error {
	if len(c.Certificate) == 0 || c.PrivateKey == nil {
		return errors.New("want a certificate and its private key")
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return err
	}
	c.Leaf = leaf
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return fmt.Errorf("want a certificate that is valid now, got one from %s to %s",
			leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		host = "any" + suffix // which only a wildcard is for
	}
	if err := leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("want a certificate for the host: %w", err)
	}
	return nil
}
