package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// domainName is a custom domain name, of either generation, public or private.
func (b *builder) domainName(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	d := &definition.Domain{Mappings: []*definition.Mapping{}, RoutingMode: r.text("RoutingMode"),
		SecurityPolicy: r.text("SecurityPolicy"), EndpointAccessMode: r.text("EndpointAccessMode"), Origin: r.origin(),
		Private: r.kind == "AWS::ApiGateway::DomainNameV2"}
	first := &doctree.Node{Kind: doctree.Map}
	if all := items(r.get("DomainNameConfigurations")); len(all) > 0 {
		first = all[0]
	}
	d.SecurityPolicy = cmp.Or(d.SecurityPolicy, scalar(first.Get("SecurityPolicy")))
	if at := cmp.Or(r.text("RegionalCertificateArn"), r.text("CertificateArn"),
		scalar(first.Get("CertificateArn"))); at != "" {
		d.Certificate = b.refer(at)
	}
	if m := r.get("MutualTlsAuthentication"); m != nil && m.Kind != doctree.Null {
		d.MutualTLS, d.Truststore = true, scalar(m.Get("TruststoreUri"))
	}
	for _, t := range r.endpointTypes() {
		_, unknown := definition.UnknownIn(t)
		d.Private = d.Private || unknown || strings.EqualFold(t, "PRIVATE")
	}
	if r.misspelled("EndpointConfiguration", "MutualTlsAuthentication", "tls", "mutual", "truststore", "endpoint",
		"policy") {
		d.RoutingMode = r.none("the rules")
	}
	name := r.text("DomainName")
	if name == "" {
		r.note(definition.Unsupported, "name it", "the domain name %s has no name", r.id)
		return
	}
	if was := b.doc.Domains[name]; was != nil { // what either asks for is asked for
		r.note(definition.Unsupported, "take one out", "%s: there is another resource for the domain name %s", r.id,
			name)
		d.Private, d.MutualTLS = d.Private || was.Private, d.MutualTLS || was.MutualTLS
		d.Truststore = cmp.Or(d.Truststore, was.Truststore)
	}
	put(&b.doc.Domains, name, d)
}

// domain is the domain name that a mapping is of: by its name, or its ARN. One that isn't in the
// import is served all the same, as far as that is known.
func (b *builder) domain(r *resource, name string) *definition.Domain {
	if of := b.handed[name]; of != nil && of.kind != r.kind {
		name = cmp.Or(of.text("DomainName"), name)
	} else if _, rest, ok := strings.Cut(name, ":/domainnames/"); ok {
		name, _, _ = strings.Cut(rest, "+")
	}
	if name == "" {
		r.note(definition.Unsupported, "name the domain", "%s is of no domain name", r.id)
		return nil
	}
	d := b.doc.Domains[name]
	if d == nil {
		d = &definition.Domain{Mappings: []*definition.Mapping{}, Origin: r.origin()}
		put(&b.doc.Domains, name, d)
		r.note(definition.Differs, "read it together with the stack that has the domain name",
			"the domain name %s isn't in the import: whether it asks clients for certificates isn't known", name)
	}
	return d
}

// mapping is an API behind a base path of a domain name.
func (b *builder) mapping(r *resource) {
	id := cmp.Or(r.text("RestApiId"), r.text("ApiId"))
	a, _ := b.apiAt(r, id)
	d := b.domain(r, cmp.Or(r.text("DomainName"), r.text("DomainNameArn")))
	if a == nil || d == nil {
		return
	}
	path := cmp.Or(r.text("BasePath"), r.text("ApiMappingKey"))
	if path == "(none)" {
		path = ""
	}
	d.Mappings = append(d.Mappings, &definition.Mapping{BasePath: path, API: a.ID, Stage: r.text("Stage"),
		Origin: r.origin()})
}

// routingRule is a rule of a domain name.
func (b *builder) routingRule(r *resource) {
	d := b.domain(r, r.text("DomainNameArn"))
	if d == nil {
		return
	}
	priority := r.number(r.get("Priority"), "Priority")
	if priority == nil {
		return
	}
	rule := &definition.Rule{Priority: *priority, Origin: r.origin()}
	for _, action := range items(r.get("Actions")) {
		invoke := action.Get("InvokeApi")
		a, _ := b.apiAt(r, scalar(invoke.Get("ApiId")))
		if a == nil {
			return
		}
		rule.API, rule.Stage, rule.Strip = a.ID, scalar(invoke.Get("Stage")), truthOf(invoke.Get("StripBasePath"))
	}
	for _, c := range items(r.get("Conditions")) {
		if paths := texts(c.Get("MatchBasePaths").Get("AnyOf")); paths != nil {
			rule.BasePaths = append(rule.BasePaths, paths...)
		} else if len(items(c.Get("MatchHeaders").Get("AnyOf"))) == 0 { // it would match everything
			rule.BasePaths = append(rule.BasePaths, r.none("a condition"))
		}
		var globs [][2]string
		for _, h := range items(c.Get("MatchHeaders").Get("AnyOf")) {
			globs = append(globs, [2]string{scalar(h.Get("Header")), scalar(h.Get("ValueGlob"))})
		}
		switch {
		case globs == nil:
		case rule.Headers == nil:
			rule.Headers = globs
		case rule.AlsoHeaders == nil:
			rule.AlsoHeaders = globs
		default:
			r.note(definition.Unsupported, "use at most two conditions of headers",
				"%s has more conditions of headers than two, and isn't served", r.id)
			return
		}
	}
	d.Rules = append(d.Rules, rule)
}
