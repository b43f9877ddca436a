package definition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/throttle"
)

// shared is what all documents of a [Gateway] share.
type shared struct {
	account *throttle.Limiter
	limits  *throttle.MethodLimits // of all REST stages; they name API and stage
	sigv4   *auth.SigV4            // nil without credentials
	log     *slog.Logger
	refused gatekit.Middleware // logs the causes of refusals
	plans   *plans             // nil until a document has some
}

func (s *shared) init(b *Bindings) (err error) {
	s.account = b.Account
	if s.account == nil {
		s.account = throttle.NewAccount()
	}
	s.limits = throttle.NewMethodLimits(s.account)
	s.log = cmp.Or(b.Logger, slog.Default())
	s.refused = gatekit.LogRefusals(s.log)
	if b.Credentials != nil {
		if s.sigv4, err = auth.NewSigV4(auth.SigV4Config{Credentials: b.Credentials}); err != nil {
			return fmt.Errorf("definition: Bindings.Credentials: %w", err)
		}
	}
	return nil
}

// builder makes a generation of a document.
type builder struct {
	*shared
	reporting

	root      context.Context // of what works in the background
	ctx       context.Context // of the building
	gateway   *Gateway
	bindings  *Bindings
	look      *lookups
	doc       *Document
	resources map[string]string // logical IDs by name and ARN
	// resourcesSum is the digest of all of them, by which what depends on their names tells them
	// from those of another document.
	resourcesSum string
	pool         *pool
	before       *pool // the one that is served, or nil
	errs         []error

	routes  []RouteReport
	stages  map[stageName]http.Handler
	domains *domain.Domain
	entry   http.Handler
	planned *planBuilder
}

// build makes a generation, or says why there can't be one.
func (g *Gateway) build(ctx context.Context, doc *Document, served *generation) (*generation, error) {
	if doc == nil {
		return nil, errors.New("definition: want a document, got nil")
	}
	b := &builder{
		shared: &g.shared, root: g.ctx, ctx: ctx, gateway: g, bindings: &g.bindings, look: newLookups(&g.bindings),
		pool: newPool(), stages: map[stageName]http.Handler{},
	}
	if served != nil {
		b.before = served.pool
	}
	made, err := b.build(doc)
	if err != nil {
		b.pool.release()
		return nil, err
	}
	return made, nil
}

func (b *builder) build(doc *Document) (*generation, error) {
	var err error
	if b.doc, err = b.known(doc); err != nil {
		return nil, err
	}
	b.resources = map[string]string{}
	for _, id := range slices.Backward(sortedKeys(b.doc.Resources)) { // of two alike the first
		b.resources[b.doc.Resources[id].Name], b.resources[b.doc.Resources[id].ARN] = id, id
	}
	delete(b.resources, "")
	b.resourcesSum, _ = digest(withoutCode(b.doc.Resources))
	for _, f := range b.doc.Findings {
		b.add(f)
	}
	ids := map[string]string{}
	for _, a := range b.doc.APIs {
		if other, ok := ids[a.Identifier()]; ok {
			return nil, fmt.Errorf("definition: want APIs with IDs of their own, got %q and %q", other, a.ID)
		}
		ids[a.Identifier()] = a.ID
	}
	plans, err := b.buildPlans()
	if err != nil {
		return nil, err
	}
	for _, a := range b.doc.APIs {
		b.buildAPI(a)
	}
	b.buildDomains()
	for _, key := range b.look.unused() {
		b.add(Finding{Severity: UnusedBinding, What: "Bindings." + key + " is for nothing in the document",
			Do: "correct the name, or take it out"})
	}
	slices.SortFunc(b.routes, func(x, y RouteReport) int {
		return cmp.Or(cmp.Compare(x.API, y.API), cmp.Compare(x.Route, y.Route))
	})
	report := &Report{Findings: b.sorted(), Routes: b.routes}
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	if err := report.err(b.bindings.Strict, b.bindings.NoDifferences); err != nil {
		return nil, err
	}
	if err := plans.apply(b.ctx); err != nil { // the last step, as it can't be taken back
		return nil, err
	}
	return &generation{entry: b.entry, stages: b.stages, domains: b.domains, report: report, pool: b.pool}, nil
}

// known returns a copy of the document in which the values that parameters are bound to stand for
// those that it doesn't know. It reads the JSON form, and so is as strict as [Unmarshal].
func (b *builder) known(doc *Document) (*Document, error) {
	text, err := doc.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	rest := string(text)
	for {
		before, after, found := strings.Cut(rest, unknownBegin)
		out.WriteString(before)
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, unknownEnd)
		if !closed {
			out.WriteString(unknownBegin)
			rest = after
			continue
		}
		rest = behind
		plain, _ := jsonscan.Text(`"` + name + `"`) // as it is within a text
		value, ok, err := b.look.parameters.find(Ref{Name: plain})
		b.fault(err)
		if !ok {
			out.WriteString(unknownBegin + name + unknownEnd)
			continue
		}
		quoted, err := marshal(value)
		if err != nil {
			return nil, err
		}
		out.Write(quoted[1 : len(quoted)-1]) // within a text
	}
	made, err := Unmarshal([]byte(out.String()))
	if err == nil {
		made.settleLimits()
	}
	return made, err
}

// fault notes an error that is no property of the document: an ambiguous binding.
func (b *builder) fault(err error) {
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

// report adds the finding of a problem.
func (b *builder) report(api, route string, p *problem) {
	if p != nil {
		b.add(Finding{Severity: p.severity, API: api, Route: route, What: p.what, Do: p.do, Origin: p.origin})
	}
}

// ref is what is known of the names of something that the document calls one or some of these.
func (b *builder) ref(logicalID, name, arn, qualifier string) Ref {
	r := Ref{LogicalID: logicalID, Name: name, ARN: arn, Qualifier: qualifier}
	if known := b.doc.Resources[logicalID]; known != nil {
		r.Path, r.Name, r.ARN = known.Path, cmp.Or(name, known.Name), cmp.Or(arn, known.ARN)
		return r
	}
	// A value that is a name or an ARN may be that of a resource that has more names.
	if id, ok := b.resources[cmp.Or(arn, name)]; ok {
		known := b.doc.Resources[id]
		r.LogicalID, r.Path = cmp.Or(logicalID, id), known.Path
		r.Name, r.ARN = cmp.Or(name, known.Name), cmp.Or(arn, known.ARN)
	}
	return r
}

// withoutCode are resources without what only who runs functions asks for: a function whose code
// has changed is the same to all who call it.
func withoutCode(resources map[string]*Resource) map[string]*Resource {
	named := make(map[string]*Resource, len(resources))
	for id, r := range resources {
		if r != nil {
			other := *r
			other.Environment, other.Memory, other.Code, other.InlineCode = nil, 0, "", ""
			named[id] = &other
		}
	}
	return named
}
