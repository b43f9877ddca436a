package cloudformation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// readBody reads the OpenAPI document that an API has, inline or in a file, into a. Where it lies
// elsewhere the API's routes are unknown.
func (b *builder) readBody(a *definition.API, r *resource) {
	text, file, why := b.bodyText(r)
	switch {
	case why != "":
		a.RoutesUnknown = true
		r.note(definition.Unsupported, "give the document by Options.Files",
			"the routes of %s are in a document that isn't here: %s", r.id, why)
		return
	case text == nil:
		return
	}
	basePath := r.text("BasePath")
	if a.Flavor == definition.FlavorREST {
		basePath = scalar(r.get("Parameters").Get("basepath"))
	}
	o := openapi.Options{Flavor: a.Flavor, ID: a.ID, APIID: a.APIID, File: file, BasePath: strings.ToLower(basePath),
		FailOnWarnings: truthOf(r.get("FailOnWarnings")), Account: a.Account, Region: a.Region}
	o.EndpointTypes = r.importedTypes()
	doc, err := openapi.Read(text, o)
	if o.FailOnWarnings && onlyDefault(err) {
		o.FailOnWarnings = false
		doc, err = openapi.Read(text, o)
	}
	if err != nil {
		r.refuse(err)
		return
	}
	for _, f := range doc.Findings {
		f.Origin.LogicalID = r.id
		b.note(f)
	}
	read := doc.APIs[0]
	read.RoutesUnknown = a.RoutesUnknown
	read.Stages, read.Origin, read.VPCEndpoints = a.Stages, a.Origin, append(read.VPCEndpoints, a.VPCEndpoints...)
	if read.EndpointTypes == nil {
		read.EndpointTypes = a.EndpointTypes
	}
	*a = *read
	b.resolve(a, r)
}

// importedTypes are the endpoint's types as the import's parameters have them.
func (r *resource) importedTypes() (types []string) {
	const name = "endpointConfigurationTypes"
	given := r.get("Parameters")
	if given != nil && given.Kind != doctree.Map {
		return []string{r.none("the Parameters")}
	}
	for t := range strings.SplitSeq(scalar(given.Get(name)), ",") {
		if t = strings.TrimSpace(t); t != "" {
			types = append(types, t)
		}
	}
	for _, m := range members(given) {
		meant := m.Name == name || alike(strings.ToLower(m.Name), strings.ToLower(name))
		if meant && (m.Name != name || compound(m.Value)) {
			types = append(types, r.none("the Parameters"))
		}
	}
	return types
}

// onlyDefault reports whether a document is refused for the path $default alone. People's reports
// have the managed gateway warn of it, and templates in use have it, with FailOnWarnings.
func onlyDefault(err error) bool {
	var refused *openapi.Error
	if !errors.As(err, &refused) || len(refused.Errors) > 0 {
		return false
	}
	return !slices.ContainsFunc(refused.Warnings, func(f definition.Finding) bool {
		return !strings.Contains(f.What, "Resource $default should start with /")
	})
}

// bodyText is the text of an API's document, nil where it has none; why says that it isn't here.
func (b *builder) bodyText(r *resource) (text []byte, file, why string) {
	file = r.stack.t.file
	body := r.get("Body")
	if body != nil {
		if name, unknown := definition.UnknownIn(scalar(body)); unknown {
			return nil, "", name + " isn't known"
		}
		switch body.Kind {
		case doctree.Map:
			if body.Get("swagger") == nil && body.Get("openapi") == nil {
				return nil, "", "it is no OpenAPI document, but a map without swagger or openapi"
			}
			if lost, unknown := definition.UnknownIn(closeUnknown(body)); unknown {
				r.note(definition.UnknownValue, doAbout(lost), "some of the routes of %s hang on %s: none is served",
					r.id, lost)
				b.apis[r].RoutesUnknown = true
			}
			return inLines(body), file, ""
		case doctree.Text:
			return []byte(body.Text), file, ""
		}
	}
	location := r.get("BodyS3Location")
	if location == nil {
		return nil, "", ""
	}
	at := scalar(location)
	if location.Kind == doctree.Map {
		at = "s3://" + scalar(location.Get("Bucket")) + "/" + scalar(location.Get("Key"))
	}
	if name, unknown := definition.UnknownIn(at); unknown {
		return nil, "", name + " isn't known"
	}
	file, err := r.stack.fileAt(at)
	if err == nil {
		text, err = b.file(file)
	}
	if err != nil {
		return nil, "", fmt.Sprintf("%.200s: %v", at, err)
	}
	return text, file, ""
}

// inLines writes a tree as JSON in which each member stands on the line that it has in the
// template, so that what is said of the document is said of the template's lines.
func inLines(n *doctree.Node) []byte {
	w := &lineWriter{line: 1}
	w.write(n)
	return w.out
}

type lineWriter struct {
	out  []byte
	line int
}

// maxAhead is how many lines the writer goes ahead: a tree has no more lines than bytes.
const maxAhead = maxBytes

func (w *lineWriter) to(line int) {
	for w.line < line && line < maxAhead {
		w.out = append(w.out, '\n')
		w.line++
	}
}

func (w *lineWriter) write(n *doctree.Node) {
	w.to(n.Line)
	switch n.Kind {
	case doctree.List:
		w.out = append(w.out, '[')
		for i, item := range n.Items {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.write(item)
		}
		w.out = append(w.out, ']')
	case doctree.Map:
		w.out = append(w.out, '{')
		for i, m := range n.Members {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.to(m.Line)
			w.out = append(jsonlex.AppendString(w.out, m.Name), ':')
			w.write(m.Value)
		}
		w.out = append(w.out, '}')
	default:
		w.out = n.AppendJSON(w.out)
	}
}

// resolve names what the document's targets are in the templates.
func (b *builder) resolve(a *definition.API, r *resource) {
	for _, route := range a.Routes {
		if route.Origin.LogicalID == "" {
			route.Origin.LogicalID = r.id
		}
		if i := route.Integration; i != nil {
			b.known(&i.Target)
			if i.Connection != nil {
				i.Connection.ID = b.refer(i.Connection.ID)
			}
			b.refer(i.Credentials)
		}
	}
	for _, one := range a.Authorizers {
		if one.Origin.LogicalID == "" {
			one.Origin.LogicalID = r.id
		}
		if one.Target != nil {
			b.known(one.Target)
		}
		for _, pool := range one.Providers {
			b.refer(pool)
		}
	}
}

// target reads a URI, and names what it leads to. One that the service would refuse is reported,
// and leads nowhere.
func (b *builder) target(r *resource, flavor, kind, uri string, private bool) definition.Target {
	t, err := openapi.ReadTarget(flavor, kind, uri, private)
	if err != nil {
		if _, unknown := definition.UnknownIn(uri); !unknown {
			r.note(definition.Unsupported, "correct it, or bind a handler for it",
				"%s: the URI %.200q can't be called: %v", r.id, uri, err)
		}
		if _, unknown := definition.UnknownIn(uri); unknown && kind == "AWS_PROXY" {
			return definition.Target{Kind: definition.KindLambda, Name: uri} // which can't be anything else
		}
		return definition.Target{Kind: definition.KindOther, URI: uri}
	}
	b.known(&t)
	return t
}

// functionARNs makes known the ARNs of functions that no template has asked for: one may have made
// them of the name, as an alias does. It reports whether it did.
func (b *builder) functionARNs() bool {
	if b.functions {
		return false
	}
	b.functions = true
	for _, s := range b.stacks {
		for _, r := range s.order {
			if r.kind == lambdaFunction && r.lives() {
				s.handOut(r, "Arn", r.node.Line)
			}
		}
	}
	return true
}

// known replaces the ARN of a function or a listener of the templates by its logical ID.
func (b *builder) known(t *definition.Target) {
	switch t.Kind {
	case definition.KindLambda:
		r := b.find(t.ARN, lambdaFunction)
		if r == nil && b.functionARNs() {
			r = b.find(t.ARN, lambdaFunction)
		}
		if r != nil {
			b.bindable(r)
			t.Function, t.Name, t.ARN = r.id, "", ""
		} else if _, unknown := definition.UnknownIn(t.URI); unknown && t.Name == "" {
			if r := b.find(t.URI, lambdaFunction); r != nil { // whose name isn't known, but which it is
				b.bindable(r)
				t.Function, t.URI = r.id, ""
			} else {
				t.Name = t.URI
			}
		}
	case definition.KindPrivate:
		if id := b.refer(t.ARN); id != t.ARN {
			t.Resource = id
		}
		if t.URI == "" {
			t.URI = t.ARN // which is where it is called
		}
	}
}
