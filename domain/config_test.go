package domain_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/domain"
)

// Every refusal names the field and says what it wants.
func TestConfigRefusals(t *testing.T) {
	h := api("x")
	mapped := func(basePath string) domain.Name {
		return domain.Name{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: basePath, Handler: h}}}
	}
	with := func(change func(*domain.Name)) domain.Name {
		n := mapped("")
		n.Certificate = domain.Static(newServerCertificate(t, "api.example.com"))
		change(&n)
		return n
	}
	ruled := func(r domain.RoutingRule) domain.Name {
		return domain.Name{Host: "api.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: []domain.RoutingRule{r}}
	}
	glob := func(s string) domain.Name {
		return ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchHeaders: []domain.AnyOf{{{Header: "Pet", ValueGlob: s}}}})
	}
	header := func(s string) domain.Name {
		return ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchHeaders: []domain.AnyOf{{{Header: s, ValueGlob: "x"}}}})
	}
	pet := domain.AnyOf{{Header: "Pet", ValueGlob: "x"}}
	for _, tt := range []struct {
		name string
		n    domain.Name
		want string // after "domain: Config.Names[0]."; empty: taken
	}{
		{"no-host", domain.Name{Mappings: mapped("").Mappings}, `Host: want a DNS name such as "api.example.com" or "*.example.com", where * is the whole first label, got ""`},
		{"upper-case", domain.Name{Host: "API.example.com"}, `Host: want lower case, no port and no dot at the end, got "API.example.com"`},
		{"port", domain.Name{Host: "api.example.com:443"}, "Host: want lower case, no port"},
		{"dot", domain.Name{Host: "api.example.com."}, "Host: want lower case, no port"},
		{"partial-wildcard", domain.Name{Host: "a*.example.com"}, "Host: want a DNS name such as"},
		{"inner-wildcard", domain.Name{Host: "a.*.example.com"}, "Host: want a DNS name such as"},
		{"two-wildcards", domain.Name{Host: "*.*.example.com"}, "Host: want a DNS name such as"},
		{"wildcard-alone", domain.Name{Host: "*"}, "Host: want a DNS name such as"},
		{"address", domain.Name{Host: "10.0.0.1"}, "Host: want a DNS name, not an address"},
		{"address-6", domain.Name{Host: "[::1]"}, "Host: want a DNS name such as"},
		{"long-label", domain.Name{Host: strings.Repeat("a", 64) + ".com"}, "Host: want a DNS name such as"},
		{"long-name", domain.Name{Host: strings.Repeat("a.", 127) + "com"}, "Host: want a DNS name such as"},
		{"unicode", domain.Name{Host: "bücher.example"}, "Host: want a DNS name such as"},
		{"nothing-behind", domain.Name{Host: "api.example.com"}, "Mappings: want at least one, or a rule, got none"},

		{"slash", mapped("/"), `Mappings[0].BasePath: want letters, digits and $-_.+!*'() in segments divided by single slashes, none at the ends, got "/"`},
		{"leading-slash", mapped("/orders"), "Mappings[0].BasePath: want letters"},
		{"trailing-slash", mapped("orders/"), "Mappings[0].BasePath: want letters"},
		{"double-slash", mapped("orders//v1"), "Mappings[0].BasePath: want letters"},
		{"dots", mapped("a/../b"), "Mappings[0].BasePath: want no dot segments"},
		{"dot-segment", mapped("."), "Mappings[0].BasePath: want no dot segments"},
		{"percent", mapped("a%2Fb"), "Mappings[0].BasePath: want letters"},
		{"space", mapped("a b"), "Mappings[0].BasePath: want letters"},
		{"non-ascii", mapped("é"), "Mappings[0].BasePath: want letters"},
		{"long-key", mapped(strings.Repeat("a", 301)), "Mappings[0].BasePath: want at most 300 characters"},
		{"longest-key", mapped(strings.Repeat("a", 300)), ""},
		{"all-characters", mapped("aZ09$-_.+!*'()/x"), ""},
		{"nil-handler", domain.Name{Host: "api.example.com", Mappings: []domain.Mapping{{}}}, "Mappings[0].Handler: want a handler, got nil"},
		{"twice", domain.Name{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "a", Handler: h}, {BasePath: "a", Handler: h}}}, `Mappings[1].BasePath: want each once, got "a" again`},
		{"none-twice", domain.Name{Host: "api.example.com", Mappings: []domain.Mapping{{Handler: h}, {BasePath: "(none)", Handler: h}}}, `Mappings[1].BasePath: want each once, got "(none)" again`},
		{"v1-levels", domain.Name{Host: "api.example.com", RoutingMode: "BASE_PATH_MAPPING_ONLY", Mappings: []domain.Mapping{{BasePath: "a/b", Handler: h}}}, "Mappings[0].BasePath: want one level, as the V1 API's"},
		{"tls10-levels", domain.Name{Host: "api.example.com", SecurityPolicy: domain.TLS10, Mappings: []domain.Mapping{{BasePath: "a/b", Handler: h}}}, "Mappings[0].BasePath: want one level beside TLS_1_0"},

		{"mode", domain.Name{Host: "api.example.com", RoutingMode: "RULES"}, `RoutingMode: want API_MAPPING_ONLY, ROUTING_RULE_ONLY or ROUTING_RULE_THEN_API_MAPPING, got "RULES"`},
		{"rules-unseen", domain.Name{Host: "api.example.com", Rules: []domain.RoutingRule{{Priority: 1, Handler: h}}}, `RoutingMode: want one that looks at Rules beside them, got ""`},
		{"mappings-unseen", domain.Name{Host: "api.example.com", RoutingMode: domain.RoutingRuleOnly, Mappings: mapped("").Mappings}, "RoutingMode: want one that looks at Mappings beside them"},
		{"priority-0", ruled(domain.RoutingRule{Handler: h}), "Rules[0].Priority: want 1 to 1,000,000, got 0"},
		{"priority-high", ruled(domain.RoutingRule{Priority: 1_000_001, Handler: h}), "Rules[0].Priority: want 1 to 1,000,000, got 1000001"},
		{"priority-twice", domain.Name{Host: "api.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: []domain.RoutingRule{{Priority: 7, Handler: h}, {Priority: 7, Handler: h}}}, "Rules[1].Priority: want each once, got 7 again"},
		{"rule-handler", ruled(domain.RoutingRule{Priority: 1}), "Rules[0].Handler: want a handler, got nil"},
		{"three-headers", ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchHeaders: []domain.AnyOf{pet, pet, pet}}), "Rules[0].MatchHeaders: want at most two, got 3"},
		{"empty-any-of", ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchHeaders: []domain.AnyOf{{}}}), "Rules[0].MatchHeaders[0]: want at least one header, got none"},
		{"header-name", header("Pet:"), "Rules[0].MatchHeaders[0][0].Header: want a header's name of at most 39 characters"},
		{"header-empty", header(""), "Rules[0].MatchHeaders[0][0].Header: want a header's name"},
		{"header-39", header(strings.Repeat("x", 39)), ""},
		{"header-40", header(strings.Repeat("x", 40)), "Rules[0].MatchHeaders[0][0].Header: want a header's name"},
		{"glob-empty", glob(""), "Rules[0].MatchHeaders[0][0].ValueGlob: want 1 to 127 characters"},
		{"glob-127", glob(strings.Repeat("x", 127)), ""},
		{"glob-128", glob(strings.Repeat("x", 128)), "Rules[0].MatchHeaders[0][0].ValueGlob: want 1 to 127 characters"},
		{"glob-inner-star", glob("a*b"), "Rules[0].MatchHeaders[0][0].ValueGlob: want * as the first character, the last, or both"},
		{"glob-two-stars", glob("**"), "Rules[0].MatchHeaders[0][0].ValueGlob: want * as"},
		{"glob-space", glob("a b"), "Rules[0].MatchHeaders[0][0].ValueGlob: want letters, digits and"},
		{"glob-all", glob("*aZ9?-!#$%&'.^_`|~/*"), ""},
		{"base-path", ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchBasePaths: []string{""}}), "Rules[0].MatchBasePaths[0]: want letters"},
		{"base-path-twice", ruled(domain.RoutingRule{Priority: 1, Handler: h, MatchBasePaths: []string{"a", "a"}}), "Rules[0].MatchBasePaths[1]: want each once"},
		{"strip-nothing", ruled(domain.RoutingRule{Priority: 1, Handler: h, StripBasePath: true}), "Rules[0].StripBasePath: want MatchBasePaths beside it"},

		{"policy", with(func(n *domain.Name) { n.SecurityPolicy = "TLS_1_3" }), `SecurityPolicy: want TLS_1_2, TLS_1_0 or the name of an enhanced policy, got "TLS_1_3"`},
		{"enhanced-without-mode", with(func(n *domain.Name) { n.SecurityPolicy = "SecurityPolicy_TLS13_1_3_2025_09" }), "EndpointAccessMode: want BASIC or STRICT beside an enhanced policy"},
		{"access-mode", with(func(n *domain.Name) { n.EndpointAccessMode = "strict" }), `EndpointAccessMode: want BASIC or STRICT, got "strict"`},
		{"fips", with(func(n *domain.Name) {
			n.SecurityPolicy, n.EndpointAccessMode = "SecurityPolicy_TLS13_1_3_FIPS_2025_09", domain.AccessBasic
		}), "SecurityPolicy: want a program in FIPS 140-3 mode"},
		{"policy-without-certificate", domain.Name{Host: "api.example.com", Mappings: mapped("").Mappings, SecurityPolicy: domain.TLS12}, "Certificate: want one beside SecurityPolicy"},
		{"mutual-without-certificate", domain.Name{Host: "api.example.com", Mappings: mapped("").Mappings, MutualTLS: &domain.MutualTLS{}}, "Certificate: want one beside SecurityPolicy, EndpointAccessMode or MutualTLS"},
		{"mutual-empty", with(func(n *domain.Name) { n.MutualTLS = &domain.MutualTLS{} }), "MutualTLS: want exactly one of TruststoreFile and Truststore"},
		{"mutual-both", with(func(n *domain.Name) { n.MutualTLS = &domain.MutualTLS{TruststoreFile: "x", Truststore: []byte("x")} }), "MutualTLS: want exactly one"},
		{"mutual-tls10", with(func(n *domain.Name) {
			n.SecurityPolicy, n.MutualTLS = domain.TLS10, &domain.MutualTLS{TruststoreFile: "x"}
		}), `MutualTLS: want TLS_1_2, got "TLS_1_0"`},
		{"mutual-enhanced", with(func(n *domain.Name) {
			n.SecurityPolicy, n.EndpointAccessMode, n.MutualTLS = "SecurityPolicy_TLS13_1_3_2025_09", domain.AccessBasic, &domain.MutualTLS{TruststoreFile: "x"}
		}), "MutualTLS: want TLS_1_2, as enhanced policies exclude it"},
		{"mutual-no-file", with(func(n *domain.Name) { n.MutualTLS = &domain.MutualTLS{TruststoreFile: "testdata/nothing.pem"} }), "MutualTLS: open testdata/nothing.pem"},
		{"certificate-no-file", with(func(n *domain.Name) { n.Certificate = domain.Files("testdata/nothing.pem", "testdata/nothing.pem") }), "Certificate: open testdata/nothing.pem"},
		{"certificate-directory", with(func(n *domain.Name) { n.Certificate = domain.Files(".", ".") }), "Certificate: .: want a regular file"},
		{"certificate-none", with(func(n *domain.Name) { n.Certificate = domain.Static() }), "Certificate: want a certificate, got none"},
		{"certificate-no-key", with(func(n *domain.Name) { n.Certificate = domain.Static(tls.Certificate{}) }), "Certificate: want a certificate and its private key"},
		{"certificate-of-another", with(func(n *domain.Name) { n.Certificate = domain.Static(newServerCertificate(t, "www.example.com")) }), "Certificate: want a certificate for the host: x509: certificate is valid for www.example.com"},
		{"certificate-not-wild", domain.Name{Host: "*.example.com", Certificate: domain.Static(newServerCertificate(t, "api.example.com")), Mappings: mapped("").Mappings}, "Certificate: want a certificate for the host"},
		{"certificate-wild", domain.Name{Host: "*.example.com", Certificate: domain.Static(newServerCertificate(t, "*.example.com")), Mappings: mapped("").Mappings}, ""},
		{"certificate-wild-for-exact", with(func(n *domain.Name) { n.Certificate = domain.Static(newServerCertificate(t, "*.example.com")) }), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{tt.n}})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "domain: Config.Names[0]."+tt.want)
		})
	}
}

// All mistakes are told at once.
func TestConfigJoinsItsRefusals(t *testing.T) {
	_, err := domain.New(t.Context(), domain.Config{ReloadInterval: -1})
	require.EqualError(t, err, "domain: Config.Names: want at least one, got none\ndomain: Config.ReloadInterval: want 0 or more, got -1ns")

	bad := domain.Name{Host: "a", RoutingMode: domain.RoutingRuleThenAPIMapping, Mappings: []domain.Mapping{{BasePath: "/"}}, Rules: []domain.RoutingRule{{}}}
	_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{bad, bad}})
	for _, want := range []string{
		"Names[0].Mappings[0].BasePath", "Names[0].Mappings[0].Handler", "Names[0].Rules[0].Priority", "Names[0].Rules[0].Handler",
		`Names[1].Host: want each once, got "a" again`,
	} {
		require.ErrorContains(t, err, want)
	}
}
