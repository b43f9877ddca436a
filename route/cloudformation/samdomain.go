package cloudformation

import (
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// samDomain is an API's Domain, with the values of parameters.
type samDomain struct {
	*doctree.Node
	name, certificate *doctree.Node
	paths             []*doctree.Node // nil: one mapping of the root
}

// domain reads what both generations have. It is nil where the API has none.
func (r *samResource) domain() (*samDomain, error) {
	given := r.s.resolve(said(r.props, "Domain"))
	if given == nil {
		return nil, nil
	}
	if !isMap(given) {
		return nil, r.refuse(given, "Domain: want a map")
	}
	if err := r.s.checkGuards("Domain", given, domainMembers, r.refuse); err != nil {
		return nil, err
	}
	d := &samDomain{Node: given, name: said(given, "DomainName"), certificate: said(given, "CertificateArn")}
	if d.name == nil || d.certificate == nil {
		return nil, r.refuse(given, "Domain: want DomainName and CertificateArn")
	}
	if route53 := given.Get("Route53"); !isNull(route53) {
		if !isMap(route53) {
			return nil, r.refuse(route53, "Domain.Route53: want a map")
		}
		if isNull(route53.Get("HostedZoneId")) && isNull(route53.Get("HostedZoneName")) {
			return nil, r.refuse(route53, "Domain.Route53: want HostedZoneId or HostedZoneName")
		}
	}
	if path := given.Get("BasePath"); truthy(path) && !intrinsic(path) {
		d.paths = listOf(path).Items
	}
	for _, path := range d.paths {
		if !isText(path) {
			return nil, r.refuse(nodeOr(path, given), "Domain.BasePath: want text, or a list of texts")
		}
	}
	return d, nil
}

// mutualTLS copies where the certificates of clients are checked against.
func (r *samResource) mutualTLS(d *samDomain, props *doctree.Node) error {
	given := d.Get("MutualTlsAuthentication")
	if given == nil || noValue(given) {
		return nil
	}
	if !truthy(given) { // the service's translator passes over it, and nobody is asked for a certificate
		return r.refuse(d.Node, "Domain.MutualTlsAuthentication: want TruststoreUri")
	}
	if !isMap(given) {
		return r.refuse(given, "Domain.MutualTlsAuthentication: want a map of TruststoreUri and TruststoreVersion")
	}
	trust := newMap(given.Line)
	err := r.known("Domain.MutualTlsAuthentication", given, []string{"TruststoreUri", "TruststoreVersion"})
	if err != nil {
		return err
	}
	for name, v := range eachMember(given) {
		if truthy(v) {
			trust.Set(name, v)
		}
	}
	props.Set("MutualTlsAuthentication", trust)
	return nil
}

// restDomain makes the domain name of a REST API and its mappings.
func (r *samResource) restDomain() error {
	d, err := r.domain()
	if err != nil || d == nil {
		return err
	}
	props := newMap(d.Line, member("DomainName", d.name))
	endpoint := "REGIONAL"
	if v := said(d.Node, "EndpointConfiguration"); v != nil {
		endpoint = textOf(v)
	}
	id, typ, mapping := "ApiGatewayDomainName", "AWS::ApiGateway::DomainName", "AWS::ApiGateway::BasePathMapping"
	switch endpoint {
	case "REGIONAL":
		props.Set("RegionalCertificateArn", d.certificate)
	case "EDGE":
		props.Set("CertificateArn", d.certificate)
	case "PRIVATE":
		id, typ, mapping = id+"V2", typ+"V2", mapping+"V2"
		props.Set("CertificateArn", d.certificate)
	default:
		return r.refuse(d.Get("EndpointConfiguration"), "Domain.EndpointConfiguration: want EDGE, REGIONAL or PRIVATE")
	}
	configuration := newMap(d.Line, member("Types", listNode(d.Line, textNode(d.Line, endpoint))))
	if v := said(d.Node, "IpAddressType"); v != nil {
		configuration.Set("IpAddressType", v)
	}
	props.Set("EndpointConfiguration", configuration)
	if err := r.mutualTLS(d, props); err != nil {
		return err
	}
	for _, name := range []string{"SecurityPolicy", "EndpointAccessMode", "OwnershipVerificationCertificateArn",
		"Policy"} {
		if v := d.Get(name); truthy(v) {
			props.Set(name, v)
		}
	}
	domain := id + hash(d.name)
	r.derived(domain, typ, props)
	r.refer(strings.TrimPrefix(id, "ApiGateway"), domain)
	for _, path := range orRoot(d.paths) {
		r.basePath(domain, mapping, path, d.Get("NormalizeBasePath"))
	}
	return nil
}

// orRoot is one nil for the root where there are no paths.
func orRoot(paths []*doctree.Node) []*doctree.Node {
	if paths == nil {
		return []*doctree.Node{nil}
	}
	return paths
}

// basePath makes a mapping. Of the path letters and digits are left, unless it isn't to be
// normalized; in the logical ID they always are.
func (r *samResource) basePath(domain, typ string, path, normalize *doctree.Node) {
	props := newMap(r.line)
	if typ == "AWS::ApiGateway::BasePathMapping" {
		props.Set("DomainName", refNode(r.line, domain))
	} else {
		props.Set("DomainNameArn", getAttNode(r.line, domain, "DomainNameArn"))
	}
	props.Set("RestApiId", refNode(r.line, r.id))
	props.Set("Stage", refNode(r.line, r.id+".Stage"))
	word := ""
	if path != nil {
		word = words(path.Text)
		base := word
		if normalize != nil && !truthy(normalize) {
			base = path.Text
		}
		props.Set("BasePath", textNode(path.Line, base))
	}
	r.derived(r.id+word+"BasePathMapping", typ, props)
}

var httpBasePath = regexp.MustCompile(`^[0-9a-zA-Z/_-]*$`)

// httpDomain makes the domain name of an API of the second generation and its mappings, of which a
// path may have several segments.
func (r *samResource) httpDomain() error {
	d, err := r.domain()
	if err != nil || d == nil {
		return err
	}
	if v := said(d.Node, "EndpointConfiguration"); v != nil && textOf(v) != "REGIONAL" {
		return r.refuse(v, "Domain.EndpointConfiguration: want REGIONAL")
	}
	configuration := newMap(d.Line, member("CertificateArn", d.certificate),
		member("EndpointType", textNode(d.Line, "REGIONAL")))
	for _, name := range []string{"OwnershipVerificationCertificateArn", "SecurityPolicy", "IpAddressType"} {
		if v := d.Get(name); truthy(v) {
			configuration.Set(name, v)
		}
	}
	props := newMap(d.Line, member("DomainName", d.name),
		member("DomainNameConfigurations", listNode(d.Line, configuration)))
	if err := r.mutualTLS(d, props); err != nil {
		return err
	}
	domain := "ApiGatewayDomainNameV2" + hash(d.name)
	r.derived(domain, "AWS::ApiGatewayV2::DomainName", props)
	r.refer("DomainName", domain)
	for _, path := range orRoot(d.paths) {
		mapping := newMap(r.line, member("DomainName", refNode(r.line, domain)),
			member("ApiId", refNode(r.line, r.id)), member("Stage", refNode(r.line, r.id+".Stage")))
		word := ""
		if path != nil {
			if !httpBasePath.MatchString(path.Text) {
				return r.refuse(path, "Domain.BasePath: want letters, digits, / - and _, got %q", path.Text)
			}
			word = strings.NewReplacer("-", "", "_", "", "/", "").Replace(path.Text)
			mapping.Set("ApiMappingKey", textNode(path.Line, strings.Trim(path.Text, "/")))
		}
		r.derived(r.id+word+"ApiMapping", "AWS::ApiGatewayV2::ApiMapping", mapping)
	}
	return nil
}
