package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// files are certificates for a day, in a directory of their own.
type files struct {
	dir                   string
	authority             string // what clients believe
	cert, key             string // the server's
	truststore            string // what the server believes of clients
	clientCert, clientKey string
}

// makeFiles makes an authority, which signs itself, a server's certificate for the hosts, and a
// client's.
func makeFiles(hosts ...string) (*files, error) {
	dir, err := os.MkdirTemp("", "customdomain-")
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	f := &files{dir, in("ca.pem"), in("cert.pem"), in("key.pem"), in("clients-ca.pem"), in("client.pem"),
		in("client-key.pem")}
	for _, chain := range []struct {
		authority, cert, key string
		leaf                 x509.Certificate
	}{
		{f.authority, f.cert, f.key, x509.Certificate{Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts}},
		{f.truststore, f.clientCert, f.clientKey, x509.Certificate{Subject: pkix.Name{CommonName: "bank"}}},
	} {
		if err := makeChain(chain.authority, chain.cert, chain.key, &chain.leaf); err != nil {
			os.RemoveAll(dir)
			return nil, err
		}
	}
	return f, nil
}

// makeChain writes an authority and what it has signed.
func makeChain(authorityFile, certFile, keyFile string, leaf *x509.Certificate) error {
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "customdomain example"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth,
		x509.ExtKeyUsageClientAuth}
	for i, c := range []*x509.Certificate{authority, leaf} {
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(int64(i+1)),
			time.Now().Add(-time.Minute), time.Now().Add(24*time.Hour)
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name, kind string
		der        []byte
	}{{authorityFile, "CERTIFICATE", authorityDER}, {certFile, "CERTIFICATE", der}, {keyFile, "PRIVATE KEY", keyDER}} {
		if err := os.WriteFile(file.name, pem.EncodeToMemory(&pem.Block{Type: file.kind, Bytes: file.der}),
			0o600); err != nil {
			return err
		}
	}
	return nil
}
