package domain

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

var errNoCertificate = errors.New("domain: no Name has a certificate")

// TLSConfig returns the configuration for http.Server.TLSConfig or tls.Listen: each client gets the
// certificate, the security policy and the demand for a certificate of the Name that it asks for.
// Clients that send no server name, or one of nobody's, get the certificate of the first Name that
// has one, and no Name with mutual TLS serves them.
func (d *Domain) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12, // of no effect, but for those who look
		NextProtos:         d.protocols(),    // net/http serves HTTP/2 if it is here
		GetConfigForClient: d.configFor,
	}
}

func (d *Domain) protocols() []string {
	if d.http1 {
		return []string{"http/1.1"}
	}
	return []string{"h2", "http/1.1"}
}

func (d *Domain) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	n, _ := d.hosts.find(hello.ServerName)
	switch {
	case n == nil || n.plain == nil:
		if d.fallback == nil {
			return nil, errNoCertificate
		}
		return d.fallback, nil
	case n.challenge != nil && len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == n.challengeProtocol:
		return n.challenge, nil
	case n.mutual != nil:
		return n.mutual().config, nil
	}
	return n.plain, nil
}

// compileTLS makes the Name's configurations, each with ticket keys of its own.
func (d *Domain) compileTLS(ctx context.Context, cfg *Config, from *Name, n *name, m *mistakes.Mistakes) {
	opened, err := from.Certificate.Open(ctx,
		CertificateRequest{Host: from.Host, ReloadInterval: cfg.ReloadInterval, Logger: cfg.Logger})
	if err == nil && opened.Get == nil {
		err = errors.New("want a source whose Get isn't nil")
	}
	if err != nil {
		m.Add("Certificate", "%w", err)
		return
	}
	n.policy = policies[from.securityPolicy()]
	base := func() *tls.Config {
		c := n.policy.config(d.protocols())
		c.GetCertificate = opened.Get
		return c
	}
	n.plain = base()
	if d.fallback == nil {
		d.fallback = base()
		asked := from.Host
		if asked[0] == '*' {
			asked = "any" + asked[1:]
		}
		d.fallback.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			as := *hello
			as.ServerName = asked
			return opened.Get(&as)
		}
	}
	if opened.ChallengeProtocol != "" {
		n.challengeProtocol = opened.ChallengeProtocol
		n.challenge = base()
		// net/http has no handler for it, and closes the connection.
		n.challenge.NextProtos = []string{opened.ChallengeProtocol}
	}
	if from.MutualTLS == nil {
		return
	}
	if n.mutual, err = openTruststore(cfg, from, base); err != nil {
		m.Add("MutualTLS", "%w", err)
	}
}

// openTruststore returns what gives the truststore, which changes if it is in a file.
func openTruststore(cfg *Config, from *Name, base func() *tls.Config) (func() *mutual, error) {
	file := from.MutualTLS.TruststoreFile
	if file == "" {
		m, err := newMutual(from.MutualTLS.Truststore, base)
		return func() *mutual { return m }, err
	}
	report := func(err error) {
		cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn,
			"domain: the truststore could not be reloaded, the old one stays",
			slog.String("host", from.Host), slog.String("file", file), slog.String("error", err.Error()))
	}
	w, err := watch([]string{file}, cfg.ReloadInterval, report, func(contents [][]byte) (*mutual, error) {
		return newMutual(contents[0], base)
	})
	if err != nil {
		return nil, err
	}
	return w.get, nil
}

// misdirected returns why a request for n can't have come on a connection that n would have made:
// without the client certificate that it demands, with less than its security policy, or, where it
// is strict, for another Name; nil if it can. HTTP/2 clients may use one connection for all hosts
// that its certificate is for, and so end up here without an evil thought.
func (d *Domain) misdirected(n *name, c *tls.ConnectionState) *refusal {
	if c == nil {
		if n.mutual != nil || n.strict {
			return noTLS
		}
		return nil
	}
	if !n.policy.allows(c) {
		return weakTLS
	}
	if n.mutual == nil && !n.strict {
		return nil
	}
	if made, _ := d.hosts.find(c.ServerName); made != n {
		return otherServerName
	}
	if n.mutual != nil && (len(c.VerifiedChains) == 0 || !n.mutual().trustsAny(c)) {
		return noCertificate
	}
	return nil
}

// demandsCertificate reports whether the connection was made for a Name with mutual TLS.
func (d *Domain) demandsCertificate(c *tls.ConnectionState) bool {
	if c == nil {
		return false
	}
	n, _ := d.hosts.find(c.ServerName)
	return n != nil && n.mutual != nil
}
