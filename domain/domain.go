package domain

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// Domain is an http.Handler that sends each request to the API of its host and base path. It is
// immutable, but for files that are read again, and safe for concurrent use.
type Domain struct {
	hosts    hosts
	fallback *tls.Config // for connections of no Name; nil if no Name has a certificate
	http1    bool
	targets  []target
	others   http.Handler // of hosts that are no Name's, or nil
}

// name is a Name, compiled.
type name struct {
	host     string
	custom   bool // it isn't a generated host name
	mappings keys[http.Handler]
	domains  map[string]*gatekit.Domain // what requests are told, by base path; a wildcard's are made for each
	rules    []*rule                    // by priority

	policy            *policy     // nil without a certificate
	plain             *tls.Config // without client certificates; nil without a certificate
	challenge         *tls.Config // nil if the certificate's source proves nothing in TLS
	challengeProtocol string
	mutual            func() *mutual // nil unless a client certificate is demanded
	strict            bool
}

// New returns a Domain, or one error that lists every field it refuses, files among them, and what
// the Build methods of its handlers do, such as that of a route.API, which it calls. It copies cfg.
// It starts no goroutine; what certificate sources start ends with ctx.
func New(ctx context.Context, cfg Config) (*Domain, error) {
	m := mistakes.In("domain: Config")
	cfg.check(m)
	cfg.ReloadInterval = cmp.Or(cfg.ReloadInterval, defaultReloadInterval)
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	d := &Domain{hosts: hosts{exact: map[string]*name{}, wild: map[string]*name{}}, http1: cfg.HTTP1Only,
		others: cfg.OtherHosts}
	if d.others != nil {
		d.targets = append(d.targets, target{"other hosts", d.others})
	}
	for i := range cfg.Names {
		from := &cfg.Names[i]
		own, before := m.Under("Names").Index(i), m.Len()
		from.check(own)
		n := d.compile(from, own)
		if !d.hosts.add(n) {
			own.Add("Host", "want each once, got %q again", n.host)
		}
		if m.Len() == before && from.Certificate != nil { // else it might be asked for nonsense
			d.compileTLS(ctx, &cfg, from, n, own)
		}
	}
	if m.Len() == 0 { // building ends an API's set-up, so only for a Domain that could serve it
		for _, t := range d.targets {
			for h := range gatekit.Stations(t.handler) {
				if api, ok := h.(interface{ Build() error }); ok {
					m.Join(wrapped(t.what, api.Build()))
				}
			}
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// wrapped says which handler err is about.
func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("domain: %s: %w", what, err)
}

// compile compiles what chooses an API.
func (d *Domain) compile(from *Name, m *mistakes.Mistakes) *name {
	n := &name{host: from.Host, custom: !isGenerated(from.Host), strict: from.EndpointAccessMode == AccessStrict}
	n.domains = map[string]*gatekit.Domain{"": {Name: n.host, Custom: n.custom}}
	for _, mapping := range from.Mappings {
		n.domains[mapping.key()] = &gatekit.Domain{Name: n.host, BasePath: mapping.key(), Custom: n.custom}
	}
	for i, mapping := range from.Mappings {
		if !n.mappings.add(mapping.key(), &mapping.Handler) {
			m.Under("Mappings").Index(i).Add("BasePath", "want each once, got %q again", mapping.BasePath)
		}
		d.targets = append(d.targets, target{from.Host + "/" + mapping.key(), mapping.Handler})
	}
	priorities := map[int]bool{}
	for i := range from.Rules {
		own := m.Under("Rules").Index(i)
		r := from.Rules[i].compile(own)
		if priorities[r.priority] {
			own.Add("Priority", "want each once, got %d again", r.priority)
		}
		priorities[r.priority] = true
		r.what = fmt.Sprintf("%s rule %d", from.Host, r.priority)
		n.rules = append(n.rules, r)
		d.targets = append(d.targets, target{r.what, r.handler})
	}
	slices.SortFunc(n.rules, func(a, b *rule) int { return a.priority - b.priority })
	return n
}

// Selected is what a request is for.
type Selected struct {
	// Host is the request's host, normalized: lower case, without a port.
	Host string
	// Name is the Name's Host: "api.example.com", or "*.example.com".
	Name string
	// BasePath is the mapping's key, or the rule's base path, that is cut off the URL. It is empty
	// for the empty mapping, and where a rule leaves the path as it is.
	BasePath string
	// Handler is the API.
	Handler http.Handler

	mutual, custom bool
	domains        map[string]*gatekit.Domain
	rule           *rule // that has chosen, or nil for a mapping
}

// Select returns what r is for, or a *gatekit.Rejection: 403 where no Name has the host or no
// mapping the path, 400 for a path that two readers might take for different ones, 421 for a host
// that the connection wasn't made for. It allocates nothing, unless the host is in upper case or
// the path in an unusual encoding, and changes nothing.
func (d *Domain) Select(r *http.Request) (Selected, error) {
	s, no := d.choose(r)
	if no != nil {
		return Selected{}, no.answer
	}
	return s, nil
}

// choose is Select that says why not.
func (d *Domain) choose(r *http.Request) (Selected, *refusal) {
	n, host := d.hosts.find(r.Host)
	switch {
	case n == nil:
		return Selected{}, noName
	case r.URL.User != nil:
		// No target has userinfo; who sends it wants the host to be read as another (RFC 9110,
		// section 4.2.4).
		return Selected{}, userinfo
	case n.policy != nil:
		if no := d.misdirected(n, r.TLS); no != nil {
			return Selected{}, no
		}
	}
	sent := requestpath.FormOf(r.URL)
	if sent.Check(false) != nil {
		// Refused here, as what is behind a base path could read /orders/../users as the path of
		// another API, or clean it.
		return Selected{}, ambiguousPath
	}
	path, asSent := sent.Raw()
	for _, rule := range n.rules {
		if basePath, ok := rule.holds(r, path, asSent); ok {
			if !rule.strip {
				basePath = ""
			}
			return Selected{host, n.host, basePath, rule.handler, n.mutual != nil, n.custom, n.domains, rule}, nil
		}
	}
	h, basePath := n.mappings.match(path, asSent)
	if h == nil {
		return Selected{}, noMapping
	}
	return Selected{host, n.host, basePath, *h, n.mutual != nil, n.custom, n.domains, nil}, nil
}

// ServeHTTP sends the request to its API, or refuses it; see [Domain.Select]. Behind it,
// gatekit.From(ctx) has DomainName, BasePath and CustomDomain, and r.URL is without the base path;
// RequestPath and RequestURI are as received. A host that Select finds no Name for is
// [Config].OtherHosts's, if there is one.
func (d *Domain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, no := d.choose(r)
	if no != nil {
		other := no == noName && d.others != nil && r.URL.User == nil
		if rc := gatekit.From(r.Context()); rc.Keeps(gatekit.KeepOutcomes) {
			no.note(rc, other)
		}
		if other {
			d.others.ServeHTTP(w, r)
			return
		}
		refuse(w, r, no.answer)
		return
	}
	received := r
	rc, r := gatekit.Attach(r)
	chosen := s.domains[s.BasePath]
	if chosen == nil || chosen.Name != s.Host {
		chosen = &gatekit.Domain{Name: s.Host, BasePath: s.BasePath, Custom: s.custom}
	}
	rc.SetDomain(chosen)
	foreign := rc.ClientCert() != nil && !s.mutual && d.demandsCertificate(r.TLS)
	if foreign {
		rc.SetClientCert(nil) // another Name's truststore has verified it
	}
	if rc.Keeps(gatekit.KeepOutcomes) {
		s.note(rc, foreign)
	}
	if s.BasePath != "" {
		if r == received { // attached by a station outside, who goes on to see the request as it was
			r = r.WithContext(r.Context())
		}
		cut := requestpath.Cut(r.URL, 1+len(s.BasePath))
		r.URL = &cut
		requestpath.Follow(&rc.Path, r.URL, rc.API.Flavor == gatekit.REST)
	}
	s.Handler.ServeHTTP(w, r)
}

// Handlers returns the APIs, each with what leads to it: "api.example.com/orders",
// "api.example.com/" for the empty mapping, and "api.example.com rule 10". A built program can be
// walked and checked by it (gatekit.Station).
func (d *Domain) Handlers() iter.Seq2[string, http.Handler] {
	return func(yield func(string, http.Handler) bool) {
		for _, t := range d.targets {
			if !yield(t.what, t.handler) {
				return
			}
		}
	}
}
