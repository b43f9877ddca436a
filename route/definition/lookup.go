package definition

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/integration"
)

// table is one kind of bindings, and which of them have been of use.
type table[T any] struct {
	kind  string
	named map[string]T
	globs []string // sorted
	rest  func(Ref) (T, bool)
	used  map[string]bool
}

func newTable[T any](kind string, named map[string]T, rest func(Ref) (T, bool)) *table[T] {
	t := &table[T]{kind: kind, named: named, rest: rest, used: map[string]bool{}}
	for key := range named {
		if strings.ContainsAny(key, "*?") {
			t.globs = append(t.globs, key)
		}
	}
	slices.Sort(t.globs)
	return t
}

// find returns what r is bound to. The error is of a name that is ambiguous.
func (t *table[T]) find(r Ref) (found T, ok bool, err error) {
	r.Kind = t.kind
	plain := r.names()
	if r.Qualifier != "" {
		var qualified []string
		for _, name := range plain {
			qualified = append(qualified, name+":"+r.Qualifier)
		}
		if found, ok, err = t.exactly(qualified); ok || err != nil {
			return found, ok, err
		}
		plain = append(plain, qualified...) // a glob may be for either
	}
	if found, ok, err = t.exactly(r.names()); ok || err != nil {
		return found, ok, err
	}
	var fit []string
	for _, glob := range t.globs {
		if slices.ContainsFunc(plain, func(name string) bool { return matches(glob, name) }) {
			fit = append(fit, glob)
		}
	}
	if found, ok, err = t.only(fit); ok || err != nil || t.rest == nil {
		return found, ok, err
	}
	found, ok = t.rest(r)
	return found, ok, nil
}

// first returns what the first of several names of a thing is bound to, where they say more and
// less of it; then globs are asked, and the Other function.
func (t *table[T]) first(names []string) (found T, ok bool, err error) {
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	for _, name := range names {
		if found, ok = t.named[name]; ok {
			t.used[name] = true
			return found, true, nil
		}
	}
	return t.find(Ref{Also: names})
}

func (t *table[T]) exactly(names []string) (found T, ok bool, err error) {
	var fit []string
	for _, name := range names {
		if _, bound := t.named[name]; bound && !slices.Contains(fit, name) {
			fit = append(fit, name)
		}
	}
	return t.only(fit)
}

func (t *table[T]) only(fit []string) (found T, ok bool, err error) {
	for _, key := range fit {
		t.used[key] = true
	}
	switch len(fit) {
	case 0:
		return found, false, nil
	case 1:
		return t.named[fit[0]], true, nil
	}
	return found, false, fmt.Errorf("definition: Bindings.%s: want one key for each thing, got %q for the same",
		t.kind, fit)
}

// unused are the keys that nothing was looked up by, sorted. "*" is for whatever there is, be it
// nothing.
func (t *table[T]) unused() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.named)), func(key string) bool {
		return t.used[key] || key == "*"
	})
}

// hint is what a person can write to bind r.
func (t *table[T]) hint(r Ref) string {
	name := cmp.Or(r.Path, r.LogicalID, r.Name, r.ARN)
	if name == "" && len(r.Also) > 0 {
		name = r.Also[0]
	}
	hint := fmt.Sprintf("bind Bindings.%s[%q]", t.kind, name)
	if len(t.named) > 0 {
		hint += nearest.Hint(name, maps.Keys(t.named))
	}
	return hint
}

// names are all names of r without its qualifier, the likeliest first.
func (r Ref) names() []string {
	names := slices.Concat([]string{r.LogicalID, r.Path, r.Name, r.ARN}, r.Also)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// String is how a report names r.
func (r Ref) String() string {
	name := cmp.Or(r.LogicalID, r.Path, r.Name, r.ARN)
	if name == "" && len(r.Also) > 0 {
		name = r.Also[0]
	}
	if r.Qualifier != "" {
		name += ":" + r.Qualifier
	}
	return name
}

// matches reports whether a glob describes all of a name. It goes back to the last * only, so that
// it takes at most the product of their lengths.
func matches(glob, name string) bool {
	g, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, from = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g++
			n++
		case star >= 0:
			from++
			g, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}

// lookups are all kinds of bindings.
type lookups struct {
	functions          *table[gatekit.Invoker]
	issuers            *table[IssuerBinding]
	upstreams          *table[integration.HTTPConfig]
	services           *table[integration.ServiceConfig]
	handlers           *table[http.Handler]
	keys               *table[string]
	certificates       *table[domain.CertificateSource]
	truststores        *table[*domain.MutualTLS]
	clientCertificates *table[ClientCertificate]
	webACLs            *table[gatekit.Middleware]
	parameters         *table[string]
	accessLogs         *table[io.Writer]
	executionLogs      *table[io.Writer]
}

func newLookups(b *Bindings) *lookups {
	return &lookups{
		functions:          newTable("Functions", b.Functions, b.OtherFunction),
		issuers:            newTable("Issuers", b.Issuers, b.OtherIssuer),
		upstreams:          newTable("Upstreams", b.Upstreams, b.OtherUpstream),
		services:           newTable("Services", b.Services, b.OtherService),
		handlers:           newTable("Handlers", b.Handlers, b.OtherHandler),
		keys:               newTable("Keys", b.Keys, b.OtherKey),
		certificates:       newTable("Certificates", b.Certificates, b.OtherCertificate),
		truststores:        newTable("Truststores", b.Truststores, b.OtherTruststore),
		clientCertificates: newTable("ClientCertificates", b.ClientCertificates, b.OtherClientCertificate),
		webACLs:            newTable("WebACLs", b.WebACLs, b.OtherWebACL),
		parameters:         newTable("Parameters", b.Parameters, b.OtherParameter),
		accessLogs:         newTable("AccessLogs", b.AccessLogs, b.OtherAccessLog),
		executionLogs:      newTable("ExecutionLogs", b.ExecutionLogs, b.OtherExecutionLog),
	}
}

// unused are the bindings that nothing in the document was for, by field and key.
func (l *lookups) unused() (all []string) {
	for _, t := range []interface{ unusedFields() []string }{l.functions, l.issuers, l.upstreams, l.services,
		l.handlers, l.keys, l.certificates, l.truststores, l.clientCertificates, l.webACLs,
		l.parameters, l.accessLogs, l.executionLogs} {
		all = append(all, t.unusedFields()...)
	}
	return all
}

func (t *table[T]) unusedFields() (all []string) {
	for _, key := range t.unused() {
		all = append(all, fmt.Sprintf("%s[%q]", t.kind, key))
	}
	return all
}
