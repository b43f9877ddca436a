package domain

import (
	"crypto/fips140"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [Domain]. The zero value is refused: without a name there is nothing to
// answer for.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Names are the custom domain names. At least one. In TLS, clients that send no server name, or
	// one of nobody's, get the certificate of the first one that has a certificate.
	Names []Name
	// OtherHosts gets the requests for hosts that are no Name's, addresses among them, as they
	// came. nil: they are refused with 403.
	OtherHosts http.Handler
	// ReloadInterval is how long files of certificates and truststores may go without being looked
	// at again: during the next handshake after it they are read. 0 means 10 s.
	ReloadInterval time.Duration
	// HTTP1Only leaves HTTP/2 out of TLS, for servers that don't speak it.
	HTTP1Only bool
	// Logger gets what goes wrong when a file is looked at again. nil means slog.Default().
	Logger *slog.Logger
}

// Name is a custom domain name with the APIs behind it.
type Name struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Host is a DNS name in lower case, or one with a wildcard, which stands for exactly one label
	// and is the whole first one: "api.example.com", "*.example.com". A request goes to the exact
	// name before the wildcard. Required.
	Host string
	// Certificate is served to clients that ask for Host in TLS. nil where TLS ends in front of the
	// program.
	Certificate CertificateSource
	// SecurityPolicy is TLS_1_2 by default.
	SecurityPolicy SecurityPolicy
	// EndpointAccessMode is BASIC by default. The enhanced security policies want it to be said.
	EndpointAccessMode EndpointAccessMode
	// MutualTLS demands a certificate of clients. nil: none is asked for.
	MutualTLS *MutualTLS

	// Mappings are the APIs by base path: the longest base path that a request's path begins with
	// wins, without a look at the routes of the API behind it.
	Mappings []Mapping
	// RoutingMode says whether Rules, Mappings or both choose. API_MAPPING_ONLY by default.
	RoutingMode RoutingMode
	// Rules are the routing rules.
	Rules []RoutingRule
}

// MutualTLS says whose certificates a Name takes. Exactly one of the fields is set.
//
// A truststore has at most 1,000 certificates in 1 MiB of PEM, with the full chain of each to its
// root, of at most four certificates, client's included. Signatures are SHA-256 or stronger, RSA
// keys have at least 2048 bits and ECDSA keys 256. A subject has one issuer.
type MutualTLS struct {
	_ struct{} // keyed literals only, so that fields can be added

	// TruststoreFile is a PEM file, looked at again as certificates are ([Config].ReloadInterval).
	// A bad one is reported, and the old truststore stays. With a new one, clients that only the
	// old one knew are refused on their open connections too.
	TruststoreFile string
	// Truststore is the PEM itself.
	Truststore []byte
}

const defaultReloadInterval = 10 * time.Second

// check adds every mistake that isn't one of a Name.
func (c *Config) check(m *mistakes.Mistakes) {
	if len(c.Names) == 0 {
		m.Add("Names", "want at least one, got none")
	}
	if c.ReloadInterval < 0 {
		m.Add("ReloadInterval", "want 0 or more, got %v", c.ReloadInterval)
	}
}

// check adds every mistake that shows without reading a file or compiling a rule.
func (n *Name) check(m *mistakes.Mistakes) {
	if want := checkHost(n.Host); want != "" {
		m.Add("Host", "want %s, got %q", want, n.Host)
	}
	n.checkTLS(m)
	n.checkRouting(m)
}

func (n *Name) checkTLS(m *mistakes.Mistakes) {
	p := policies[n.securityPolicy()]
	if p == nil {
		m.Add("SecurityPolicy", "want TLS_1_2, TLS_1_0 or the name of an enhanced policy, got %q", n.SecurityPolicy)
		p = policies[TLS12]
	}
	switch n.EndpointAccessMode {
	case "", AccessBasic, AccessStrict:
	default:
		m.Add("EndpointAccessMode", "want BASIC or STRICT, got %q", n.EndpointAccessMode)
	}
	if p.enhanced && n.EndpointAccessMode == "" {
		m.Add("EndpointAccessMode", "want BASIC or STRICT beside an enhanced policy, got none")
	}
	if p.fips && !fips140.Enabled() {
		m.Add("SecurityPolicy", "want a program in FIPS 140-3 mode (GODEBUG=fips140=on) for %q", n.SecurityPolicy)
	}
	if n.Certificate == nil {
		if n.SecurityPolicy != "" || n.EndpointAccessMode != "" || n.MutualTLS != nil {
			m.Add("Certificate", "want one beside SecurityPolicy, EndpointAccessMode or MutualTLS, got none")
		}
		return
	}
	if demand := n.MutualTLS; demand != nil {
		if (demand.TruststoreFile == "") == (len(demand.Truststore) == 0) {
			m.Add("MutualTLS", "want exactly one of TruststoreFile and Truststore")
		}
		if p.enhanced {
			m.Add("MutualTLS", "want TLS_1_2, as enhanced policies exclude it, got %q", n.SecurityPolicy)
		}
		if n.SecurityPolicy == TLS10 {
			m.Add("MutualTLS", "want TLS_1_2, got %q", n.SecurityPolicy)
		}
	}
}

func (n *Name) securityPolicy() SecurityPolicy {
	if n.SecurityPolicy == "" {
		return TLS12
	}
	return n.SecurityPolicy
}

func (n *Name) checkRouting(m *mistakes.Mistakes) {
	rules, mappings, oneLevel := false, true, false
	switch n.RoutingMode {
	case "", APIMappingOnly:
	case RoutingRuleOnly:
		rules, mappings = true, false
	case RoutingRuleThenAPIMapping:
		rules = true
	case basePathMappingOnly:
		oneLevel = true
	case routingRuleThenBasePathMapping:
		rules, oneLevel = true, true
	default:
		m.Add("RoutingMode", "want API_MAPPING_ONLY, ROUTING_RULE_ONLY or ROUTING_RULE_THEN_API_MAPPING, got %q",
			n.RoutingMode)
		rules = true
	}
	if !rules && len(n.Rules) > 0 {
		m.Add("RoutingMode", "want one that looks at Rules beside them, got %q", n.RoutingMode)
	}
	if !mappings && len(n.Mappings) > 0 {
		m.Add("RoutingMode", "want one that looks at Mappings beside them, got %q", n.RoutingMode)
	}
	if len(n.Mappings) == 0 && len(n.Rules) == 0 {
		m.Add("Mappings", "want at least one, or a rule, got none")
	}
	for i, mapping := range n.Mappings {
		if key := mapping.key(); key != "" {
			want := checkKey(key)
			if multi := strings.Contains(key, "/"); want == "" && multi && oneLevel {
				want = "one level, as the V1 API's base path mappings have"
			} else if want == "" && multi && n.SecurityPolicy == TLS10 {
				want = "one level beside TLS_1_0"
			}
			if want != "" {
				m.Under("Mappings").Index(i).Add("BasePath", "want %s, got %q", want, key)
			}
		}
		if mapping.Handler == nil {
			m.Under("Mappings").Index(i).Add("Handler", "want a handler, got nil")
		}
	}
}

// key returns the base path, in one spelling.
func (m *Mapping) key() string {
	if m.BasePath == none {
		return ""
	}
	return m.BasePath
}

// target is a handler and what leads to it, for [Domain.Handlers].
type target struct {
	what    string
	handler http.Handler
}
