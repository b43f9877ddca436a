package definition

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/domain"
)

// buildDomains makes what chooses an API by host: the custom domain names, and the APIs' own.
func (b *builder) buildDomains() {
	config := domain.Config{Logger: b.log}
	parts, reached := []any{}, map[string]bool{}
	for _, host := range sortedKeys(b.doc.Domains) {
		d := b.doc.Domains[host]
		if name, p := b.buildName(host, d); p != nil {
			b.report("", host, p.at(d.Origin))
			config.Names = append(config.Names, b.refusedNames(host, p)...)
		} else {
			config.Names = append(config.Names, name)
			for _, m := range d.Mappings {
				reached[m.API] = true
			}
			for _, r := range d.Rules {
				reached[r.API] = true
			}
		}
		parts = append(parts, host, d)
	}
	for _, a := range b.doc.APIs {
		if a.DefaultEndpointDisabled && !reached[a.ID] {
			b.unreached(a)
		}
		h := b.own(a)
		for _, host := range []string{a.host(), strings.ToLower(a.Identifier()) + ".execute-api.localhost"} {
			name := domain.Name{Host: host, Mappings: []domain.Mapping{{Handler: h}}}
			if _, err := domain.New(b.ctx, domain.Config{Names: []domain.Name{name}}); err == nil {
				config.Names = append(config.Names, name)
			}
		}
		parts = append(parts, a.ID, a.host(), a.Flavor, a.DefaultEndpointDisabled)
	}
	if len(b.doc.APIs) == 1 {
		config.OtherHosts = b.own(b.doc.APIs[0])
	}
	b.entry = refuse(noStage)
	if len(config.Names) == 0 {
		return
	}
	sum, _ := digest(append(parts, len(b.doc.APIs) == 1, b.resourcesSum)...)
	made, err := keep(b, "domains "+sum, func(ctx context.Context) (*domain.Domain, error) {
		return domain.New(ctx, config)
	})
	if err != nil { // of names that are good each by itself
		b.report("", "", asProblem("the domain names can't be served", err))
		return
	}
	b.domains, b.entry = made, made
}

// unreached says that no host leads to an API.
func (b *builder) unreached(a *API) {
	p := &problem{severity: Warning, do: "map it to a domain name, or mount Gateway.Stage",
		what: "the API's own host is disabled, and no domain name that is served leads to it"}
	b.report(a.ID, "", p.at(a.Origin))
	for i := range b.routes {
		if b.routes[i].API == a.ID {
			b.routes[i].refused(p)
		}
	}
}

// own is what is behind the API's own host name: all its stages, whichever document is served.
func (b *builder) own(a *API) http.Handler {
	if flavor, ok := flavors[a.Flavor]; ok && a.DefaultEndpointDisabled {
		return domain.DisabledEndpoint(flavor)
	}
	return &stageHandler{gateway: b.gateway, api: a.ID}
}

// refusedNames answer for a host that can't be served, so that no other API does.
func (b *builder) refusedNames(host string, p *problem) []domain.Name {
	name := domain.Name{Host: strings.ToLower(host), Mappings: []domain.Mapping{{Handler: refuseFor(p)}}}
	if _, err := domain.New(b.ctx, domain.Config{Names: []domain.Name{name}}); err != nil {
		return nil // a host that no request can name
	}
	return []domain.Name{name}
}

// buildName makes one custom domain name, or says why it can't be served.
func (b *builder) buildName(host string, d *Domain) (name domain.Name, p *problem) {
	if _, unknown := digest(host, d); unknown != "" {
		return name, unknownValue("the domain name "+host, unknown)
	}
	if d.Private && !b.bindings.ServePrivate {
		return name, unsupportedf("set Bindings.ServePrivate where only the VPC's clients reach the program",
			"the domain name %s is private to a VPC", host)
	}
	name = domain.Name{Host: strings.ToLower(host), RoutingMode: domain.RoutingMode(d.RoutingMode)}
	for _, m := range d.Mappings {
		name.Mappings = append(name.Mappings, domain.Mapping{
			BasePath: m.BasePath, Handler: b.mapped(host, m.API, m.Stage, m.Origin.or(d.Origin))})
	}
	for _, r := range d.Rules {
		rule := domain.RoutingRule{Priority: r.Priority, MatchBasePaths: r.BasePaths, StripBasePath: r.Strip,
			Handler: b.mapped(host, r.API, r.Stage, r.Origin.or(d.Origin))}
		for _, any := range [][][2]string{r.Headers, r.AlsoHeaders} {
			var globs domain.AnyOf
			for _, pair := range any {
				globs = append(globs, domain.HeaderGlob{Header: pair[0], ValueGlob: pair[1]})
			}
			if len(globs) > 0 {
				rule.MatchHeaders = append(rule.MatchHeaders, globs)
			}
		}
		name.Rules = append(name.Rules, rule)
	}
	if len(name.Mappings) == 0 && len(name.Rules) == 0 {
		b.add(Finding{Severity: Warning, Route: host, What: "nothing is mapped to the domain name", Do: "map an API",
			Origin: d.Origin})
		name.Mappings = []domain.Mapping{{Handler: refuse(noStage)}}
	}
	if _, err := domain.New(b.ctx, domain.Config{Names: []domain.Name{name}}); err != nil {
		return name, asProblem("the domain name "+host+" can't be served", err)
	}
	if p = b.nameTLS(&name, host, d); p != nil {
		return name, p
	}
	if _, err := domain.New(b.ctx, domain.Config{Names: []domain.Name{name}, Logger: b.log}); err != nil {
		return name, asProblem("the domain name "+host+" can't be served", err)
	}
	return name, nil
}

// mapped is an API's stage behind a domain name. It refuses as long as there is none.
func (b *builder) mapped(host, api, stage string, origin Origin) http.Handler {
	has := b.apiOf(api)
	if has == nil || stage != "" && b.stages[stageName{api, stage}] == nil && has.Stages[stage] == nil {
		p := unsupportedf("add it to the document",
			"the API %s with the stage %q is mapped to %s, and isn't in the document", api, stage, host).at(origin)
		b.report("", host, p)
	}
	return &stageHandler{gateway: b.gateway, api: api, stage: stage}
}

// reloadInterval is domain's default.
const reloadInterval = 10 * time.Second

// opened is a certificate's source that is open: once for each name, however often its domain is
// made.
type opened struct{ domain.Certificates }

// Open implements domain.CertificateSource.
func (o opened) Open(context.Context, domain.CertificateRequest) (domain.Certificates, error) {
	return o.Certificates, nil
}

// nameTLS fills in a name's certificate, and whose certificates it asks for. Without one TLS ends
// in front of the program, and mutual TLS can't be demanded.
func (b *builder) nameTLS(name *domain.Name, host string, d *Domain) *problem {
	ref := b.ref(d.Certificate, "", "", "")
	if strings.HasPrefix(d.Certificate, "arn:") {
		ref = b.ref("", "", d.Certificate, "")
	}
	ref.Also = slices.Insert(ref.Also, 0, host)
	certificate, ok, err := b.look.certificates.find(ref)
	b.fault(err)
	if !ok || certificate == nil {
		if d.MutualTLS {
			return unboundf(b.look.certificates.hint(Ref{Name: host}),
				"the domain name %s demands clients' certificates, and has none bound itself", host)
		}
		b.add(Finding{Severity: Differs, Route: host, Do: b.look.certificates.hint(Ref{Name: host}), Origin: d.Origin,
			What: "the domain name has no certificate bound: TLS ends in front of the program"})
		return nil
	}
	sum, _ := digest(ref)
	open, err := keep(b, "certificate "+name.Host+" "+sum, func(ctx context.Context) (opened, error) {
		c, err := certificate.Open(ctx, domain.CertificateRequest{
			Host: name.Host, ReloadInterval: reloadInterval, Logger: b.log,
		})
		return opened{c}, err
	})
	if err != nil {
		return asProblem("the certificate of the domain name "+host+" can't be used", err)
	}
	name.Certificate, name.SecurityPolicy = open, domain.SecurityPolicy(d.SecurityPolicy)
	name.EndpointAccessMode = domain.EndpointAccessMode(d.EndpointAccessMode)
	if !d.MutualTLS {
		return nil
	}
	ref = Ref{Also: slices.DeleteFunc([]string{host, d.Truststore}, func(name string) bool { return name == "" })}
	trusted, ok, err := b.look.truststores.find(ref)
	b.fault(err)
	if !ok || trusted == nil {
		return unboundf(b.look.truststores.hint(ref), "nothing says whose certificates the domain name %s takes", host)
	}
	name.MutualTLS = trusted
	return nil
}
