package domain

import (
	"crypto/tls"
	"slices"
)

// SecurityPolicy is the managed gateway's name of a TLS security policy: the lowest version of TLS,
// and the cipher suites. See the package documentation for what crypto/tls can serve of each.
// (Developer guide, "Choose a security policy for your custom domain in API Gateway" and "Supported
// security policies".)
type SecurityPolicy string

const (
	// TLS12 wants TLS 1.2 or later. The default.
	TLS12 SecurityPolicy = "TLS_1_2"
	// TLS10 lets clients of TLS 1.0 and 1.1 in, which is insecure. It excludes multi-level base
	// paths and mutual TLS.
	TLS10 SecurityPolicy = "TLS_1_0"
)

// EndpointAccessMode says how strictly a request must fit its connection. The enhanced security
// policies want one.
type EndpointAccessMode string

const (
	// AccessBasic lets a Host be asked for on another Name's connection, as long as that is as
	// secure. The default.
	AccessBasic EndpointAccessMode = "BASIC"
	// AccessStrict wants the TLS server name and the Host to be of the same Name.
	AccessStrict EndpointAccessMode = "STRICT"
)

// policy is what crypto/tls serves of a SecurityPolicy.
type policy struct {
	minVersion uint16
	suites     []uint16 // of TLS 1.2 and below; those of 1.3 can't be chosen
	curves     []tls.CurveID
	enhanced   bool // the policies of 2025, with rules of their own
	fips       bool
}

// The groups of cipher suites that the policies are made of, in OpenSSL's names, without those that
// crypto/tls doesn't have: ECDHE-*-AES256-SHA384 and AES256-SHA256.
var (
	ecdheGCM = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
	ecdheCBC = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}
	rsa      = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA256}
	addedBy10 = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	}

	classic = slices.Concat(ecdheGCM, ecdheCBC, rsa)

	// postQuantum offers the hybrid key exchanges before the classical ones.
	postQuantum = []tls.CurveID{
		tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521,
	}
)

// policies are all names. A policy of TLS 1.3 alone has no suites to list.
var policies = map[SecurityPolicy]*policy{
	TLS10: {minVersion: tls.VersionTLS10, suites: slices.Concat(classic, addedBy10)},
	TLS12: {minVersion: tls.VersionTLS12, suites: classic},

	"SecurityPolicy_TLS13_1_3_2025_09":      {minVersion: tls.VersionTLS13, enhanced: true},
	"SecurityPolicy_TLS13_1_3_FIPS_2025_09": {minVersion: tls.VersionTLS13, enhanced: true, fips: true},
	"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09": {minVersion: tls.VersionTLS12, suites: ecdheGCM,
		curves: postQuantum, enhanced: true},
	"SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09": {minVersion: tls.VersionTLS12, suites: classic, curves: postQuantum,
		enhanced: true, fips: true},
	"SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09": {minVersion: tls.VersionTLS12, suites: ecdheGCM,
		curves: postQuantum, enhanced: true, fips: true},
	"SecurityPolicy_TLS13_1_2_PQ_2025_09": {minVersion: tls.VersionTLS12, suites: classic, curves: postQuantum,
		enhanced: true},
	"SecurityPolicy_TLS13_1_2_2021_06":   {minVersion: tls.VersionTLS12, suites: classic, enhanced: true},
	"SecurityPolicy_TLS13_2025_EDGE":     {minVersion: tls.VersionTLS13, enhanced: true},
	"SecurityPolicy_TLS12_PFS_2025_EDGE": {minVersion: tls.VersionTLS12, suites: ecdheGCM, enhanced: true},
	"SecurityPolicy_TLS12_2018_EDGE":     {minVersion: tls.VersionTLS12, suites: classic, enhanced: true},
}

// allows reports whether a connection could have been made under p. It may have been made for
// another Name.
func (p *policy) allows(c *tls.ConnectionState) bool {
	return c.Version >= p.minVersion && (c.Version >= tls.VersionTLS13 || slices.Contains(p.suites, c.CipherSuite))
}

// config returns a configuration for connections under p. It is made from nothing, as a clone of
// another could hold that one's ticket keys.
func (p *policy) config(protocols []string) *tls.Config {
	c := &tls.Config{
		MinVersion:       p.minVersion,
		CipherSuites:     p.suites,
		CurvePreferences: p.curves,
		NextProtos:       protocols,
	}
	// Tickets are sealed with this configuration's own keys, which crypto/tls makes and rotates: by
	// default it takes those of the outer one, and a session of one Name could be resumed under
	// another.
	c.WrapSession, c.UnwrapSession = c.EncryptTicket, c.DecryptTicket
	return c
}
