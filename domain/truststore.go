package domain

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	rsakeys "crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds of a truststore. (Developer guide, "Configuring mutual TLS authentication for an HTTP
// API".)
const (
	maxTruststoreCertificates = 1000
	maxChain                  = 4
	minRSABits                = 2048
	minECDSABits              = 256
	// maxSubjectBytes is what a handshake has room for: the subjects, each behind two bytes of
	// length. (RFC 8446, section 4.2.4)
	maxSubjectBytes = 65535 - 2
)

// truststore is whom a Name believes about clients.
type truststore struct {
	pool    *x509.CertPool
	anchors map[string]*anchor // by the certificate's DER
}

// anchor is a certificate of the bundle, on its way to the root.
type anchor struct {
	length              int       // of the chain from here to the root, both included
	notBefore, notAfter time.Time // when all of these are valid
}

// parseTruststore returns the truststore in a PEM bundle, or every reason why it can't be one.
func parseTruststore(bundle []byte) (*truststore, error) {
	certificates, err := parseBundle(bundle)
	if err != nil {
		return nil, err
	}
	var wrong []error
	t := &truststore{pool: x509.NewCertPool(), anchors: map[string]*anchor{}}
	issuers, room := map[string][]byte{}, 0
	bySubject := map[string][]*x509.Certificate{}
	for _, c := range certificates {
		if err := checkStrength(c); err != nil {
			wrong = append(wrong, fmt.Errorf("the certificate %q has %w", c.Subject, err))
		}
		subject := string(c.RawSubject)
		if issuer, ok := issuers[subject]; ok && !bytes.Equal(issuer, c.RawIssuer) {
			//lint:ignore ST1005 the managed gateway's own sentence, which people look up
			err := fmt.Errorf("The certificate subject %s conflicts with an existing certificate from a different issuer.", c.Subject)
			wrong = append(wrong, err)
		} else if !ok {
			room += 2 + len(subject)
		}
		issuers[subject] = c.RawIssuer
		bySubject[subject] = append(bySubject[subject], c)
		t.pool.AddCert(c)
	}
	if room > maxSubjectBytes {
		wrong = append(wrong, fmt.Errorf(
			"want subjects of at most %d bytes in all, as every handshake lists them, got %d", maxSubjectBytes, room))
	}
	for _, c := range certificates {
		a, err := chainOf(c, bySubject)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		t.anchors[string(c.Raw)] = a
	}
	return t, errors.Join(wrong...)
}

// parseBundle returns the certificates, each once. A bundle of which a block can't be read is
// refused whole: pem.Decode passes over such a block without a word, as the first one behind a byte
// order mark, and the clients of that authority alone would be kept out.
func parseBundle(bundle []byte) ([]*x509.Certificate, error) {
	bundle = withoutBOM(bundle)
	var certificates []*x509.Certificate
	seen := map[string]bool{}
	unread := bytes.Count(bundle, []byte("-----BEGIN"))
	for ; ; unread-- {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("want certificates only, got a PEM block of type %q", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if seen[string(c.Raw)] {
			continue
		}
		seen[string(c.Raw)] = true
		if certificates = append(certificates, c); len(certificates) > maxTruststoreCertificates {
			return nil, fmt.Errorf("want at most %d certificates", maxTruststoreCertificates)
		}
	}
	if unread != 0 {
		return nil, errors.New("want PEM, got a block that doesn't parse")
	}
	if len(certificates) == 0 {
		return nil, errors.New("want at least one certificate in PEM, got none")
	}
	return certificates, nil
}

// withoutBOM takes out the byte order marks that editors on Windows put before a text, also where
// such texts were joined: pem.Decode wants a block to begin a line.
func withoutBOM(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\ufeff"), nil) }

// chainOf follows a certificate of the bundle to a root in it: "the full chain from the issuing CA
// to the root CA".
func chainOf(c *x509.Certificate, bySubject map[string][]*x509.Certificate) (*anchor, error) {
	a := &anchor{length: 1, notBefore: c.NotBefore, notAfter: c.NotAfter}
	for at := c; !selfSigned(at); a.length++ {
		var issuer *x509.Certificate
		for _, candidate := range bySubject[string(at.RawIssuer)] {
			if at.CheckSignatureFrom(candidate) == nil {
				issuer = candidate
				break
			}
		}
		if issuer == nil {
			return nil, fmt.Errorf("want the full chain of the certificate %q to its root, got no issuer %q", c.Subject,
				at.Issuer)
		}
		if a.length == maxChain { // also where two sign each other
			return nil, fmt.Errorf("want chains of at most %d certificates, got a longer one of the certificate %q",
				maxChain, c.Subject)
		}
		at = issuer
		if at.NotBefore.After(a.notBefore) {
			a.notBefore = at.NotBefore
		}
		if at.NotAfter.Before(a.notAfter) {
			a.notAfter = at.NotAfter
		}
	}
	return a, nil
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) &&
		c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// checkStrength returns which of a certificate's key and signature is too weak, or nil.
func checkStrength(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsakeys.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return fmt.Errorf("an RSA key of %d bits: want at least %d", bits, minRSABits)
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < minECDSABits {
			return fmt.Errorf("an ECDSA key of %d bits: want at least %d", bits, minECDSABits)
		}
	case ed25519.PublicKey:
	default:
		return errors.New("a key of another type than RSA, ECDSA and Ed25519")
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return nil
	}
	return fmt.Errorf("a signature by %v: want SHA-256 or stronger", c.SignatureAlgorithm)
}

// check is the last step of a handshake: crypto/tls has verified signatures, names and validity, up
// to the first certificate that is in the bundle. What it doesn't look at is how strong they are
// and how long the whole chain is.
func (t *truststore) check(chains [][]*x509.Certificate, now time.Time) error {
	err := errors.New("domain: the client certificate was not verified")
	for _, chain := range chains {
		if err = t.checkChain(chain, now); err == nil {
			return nil
		}
	}
	return err
}

func (t *truststore) checkChain(chain []*x509.Certificate, now time.Time) error {
	if !t.trusts(chain) {
		return errors.New("domain: the client certificate was verified by another truststore")
	}
	for _, c := range chain {
		if err := checkStrength(c); err != nil {
			return fmt.Errorf("domain: the client's chain has %w", err)
		}
	}
	a := t.anchors[string(chain[len(chain)-1].Raw)]
	if length := len(chain) - 1 + a.length; length > maxChain {
		return fmt.Errorf("domain: the client's chain has %d certificates: want at most %d", length, maxChain)
	}
	if now.Before(a.notBefore) || now.After(a.notAfter) {
		return errors.New("domain: the client's chain has a certificate that isn't valid now")
	}
	return nil
}

// trusts reports whether a verified chain ends in this truststore.
func (t *truststore) trusts(chain []*x509.Certificate) bool {
	return len(chain) > 0 && t.anchors[string(chain[len(chain)-1].Raw)] != nil
}

// mutual is a Name's demand for client certificates: the truststore, and connections under it. With
// a new truststore comes a new configuration, and with that come new ticket keys: no session that
// an old truststore has verified is resumed.
type mutual struct {
	truststore *truststore
	config     *tls.Config
}

// newMutual returns connections that demand a certificate of bundle's. base returns the Name's
// configuration without that.
func newMutual(bundle []byte, base func() *tls.Config) (*mutual, error) {
	t, err := parseTruststore(bundle)
	if err != nil {
		return nil, err
	}
	c := base()
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, t.pool
	// VerifyPeerCertificate isn't called for resumed sessions.
	c.VerifyConnection = func(state tls.ConnectionState) error { return t.check(state.VerifiedChains, time.Now()) }
	return &mutual{t, c}, nil
}

// trustsAny reports whether the truststore, as it is now, still has whom the connection's
// certificate was verified by.
func (m *mutual) trustsAny(c *tls.ConnectionState) bool {
	return slices.ContainsFunc(c.VerifiedChains, m.truststore.trusts)
}
