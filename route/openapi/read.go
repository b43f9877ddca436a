package openapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// The bounds of a document. The managed gateway's is 6 MB.
const (
	MaxBytes  = 6 << 20
	maxDepth  = 100
	maxValues = 400_000
	maxRoutes = 5_000
)

// reader is one import.
type reader struct {
	o    Options
	root value
	v2   bool // swagger 2.0
	rest bool // a REST API, else an HTTP API
	base string

	api       *definition.API
	schemes   map[string]*scheme
	forAll    []requirement    // of operations without a list of their own
	schemas   map[string]value // of models, by name
	generated map[string]value // of models that the document has inline
	numbers   map[string]int   // how often such a name was made
	children  map[string]string
	noted     map[string]bool // keywords of the model that is read
	made      map[string]bool // routes of this document, and not of Into
	hints     int             // about unknown names, so far
	allValid  string          // the validator of operations that name none

	errors, warnings, notes []definition.Finding
}

// Read reads an OpenAPI document, in JSON or YAML, as the managed gateway's import does: 2.0 and
// 3.0.x for REST APIs, 3.0.x for HTTP APIs. The result has one API, without stages, since a
// document has none, and as Findings the import's warnings and what else a person should know.
//
// The error is an [*Error] where the import would refuse the document; it lists all reasons. Read
// opens no files and no connections. Text of more than [MaxBytes], nested deeper than 100, with
// more than 400,000 values (counting what YAML aliases repeat) or 5,000 routes is refused.
func Read(doc []byte, o Options) (*definition.Document, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &reader{o: o, schemes: map[string]*scheme{}, schemas: map[string]value{},
		generated: map[string]value{}, numbers: map[string]int{}, children: map[string]string{},
		made: map[string]bool{}}
	root, err := doctree.Parse(doc, doctree.Limits{Bytes: MaxBytes, Depth: maxDepth, Values: maxValues})
	if err != nil {
		return nil, r.invalid(0, "%v", err)
	}
	r.root = value{Node: root}
	if err := r.version(); err != nil {
		return nil, err
	}
	fill(root, strings.NewReplacer(o.variables()...))
	r.flavor()
	r.read()
	if err := r.refused(); err != nil {
		return nil, err
	}
	findings := slices.Concat(r.warnings, r.notes)
	slices.SortStableFunc(findings, func(a, b definition.Finding) int {
		return cmp.Compare(a.Origin.Line, b.Origin.Line)
	})
	return &definition.Document{APIs: []*definition.API{r.api}, Findings: findings}, nil
}

// version refuses what is no OpenAPI document of a version that the import takes.
func (r *reader) version() error {
	if !r.root.is(doctree.Map) {
		return r.invalid(r.root.Line, "want a map")
	}
	if t := tagged(r.root.Node); t != nil {
		return r.invalid(t.Line, "line %d: the tag %s is of a template, whose values have to be found first", t.Line,
			t.Tag)
	}
	two, three := r.root.get("swagger"), r.root.get("openapi")
	switch {
	case two.Node != nil && three.Node != nil:
		return r.invalid(three.Line, "want swagger or openapi, got both")
	case two.Node != nil && (two.text() == "2.0" || two.text() == "2"):
		r.v2 = true
		if r.o.Flavor == definition.FlavorHTTP {
			return r.invalid(two.Line, "want OpenAPI 3.0 for an HTTP API, got 2.0")
		}
	case three.Node != nil && (three.text() == "3.0" || strings.HasPrefix(three.text(), "3.0.")):
	default:
		return r.invalid(r.root.Line, `want swagger: "2.0" or openapi: 3.0.x, got %.40q`,
			cmp.Or(two.text(), three.text()))
	}
	return nil
}

func (r *reader) read() {
	o, info := &r.o, r.root.get("info")
	r.api = &definition.API{ID: o.id(), Flavor: o.Flavor, APIID: o.APIID, Account: o.Account, Region: o.Region,
		Name: info.get("title").text(), Description: info.get("description").text(),
		Version: info.get("version").text(), EndpointTypes: slices.Clone(o.EndpointTypes),
		Routes: map[string]*definition.Route{},
		Origin: definition.Origin{Template: o.File, Line: r.root.Line}}
	if o.Into != nil {
		r.merge(o.Into)
	}
	r.base = r.basePath()
	r.known(r.root, &rootMembers, "")
	r.rootSettings()
	r.readSchemes()
	r.forAll = r.requirements(r.root.get("security"))
	if r.rest {
		r.findSchemas()
		r.validators()
	}
	r.paths()
	if r.rest {
		r.models()
	}
	if len(r.api.Routes) > maxRoutes {
		r.fail(r.root.get("paths"), "want at most %d routes, got %d", maxRoutes, len(r.api.Routes))
	}
}

// merge begins with what another API has. What the document says replaces it by name.
func (r *reader) merge(into *definition.API) {
	api := *into
	api.Routes, api.Authorizers = maps.Clone(into.Routes), maps.Clone(into.Authorizers)
	api.Models, api.Validators = maps.Clone(into.Models), maps.Clone(into.Validators)
	api.GatewayResponses = maps.Clone(into.GatewayResponses)
	api.BinaryMediaTypes = slices.Clone(into.BinaryMediaTypes)
	api.Name = cmp.Or(r.api.Name, api.Name)
	api.Description = cmp.Or(r.api.Description, api.Description)
	api.Version = cmp.Or(r.api.Version, api.Version)
	if r.api.EndpointTypes != nil {
		api.EndpointTypes = r.api.EndpointTypes
	}
	if api.Routes == nil {
		api.Routes = map[string]*definition.Route{}
	}
	r.api = &api
	for key := range api.Routes {
		if _, path, ok := strings.Cut(key, " "); ok && r.rest {
			r.resource(r.root, path)
		}
	}
}

// put sets an element of one of the API's maps, which are nil while they are empty.
func put[T any](m *map[string]T, name string, element T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[name] = element
}
