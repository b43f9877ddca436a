package cloudformation

import (
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

var (
	restEventProperties = []string{"Path", "Method", "RestApiId", "Stage", "Auth", "RequestModel", "RequestParameters",
		"TimeoutInMillis", "ResponseTransferMode"}
	httpEventProperties = []string{"Path", "Method", "ApiId", "Stage", "Auth", "TimeoutInMillis", "RouteSettings",
		"PayloadFormatVersion"}
	machineEventProperties = []string{"Path", "Method", "RestApiId", "Stage", "Auth", "UnescapeMappingTemplate"}
)

// samEvent is an event of a function or a state machine that makes a method.
type samEvent struct {
	f            invoked
	name         string
	line         int
	props        *doctree.Node
	path, method string // as the body has it
	api          *samResource
	stage        string // of the API, as permissions and policies name it
}

// event reads what events of both kinds have. api is nil for an API that isn't SAM's: all is in
// its own hands.
func (s *sam) event(f invoked, kind eventKind, m doctree.Member, known []string) (*samEvent, error) {
	e := &samEvent{f: f, name: m.Name, line: m.Line, props: m.Value.Get("Properties")}
	if !isMap(e.props) {
		return nil, e.refuse(m.Value, "Path and Method are required")
	}
	for name, v := range eachMember(e.props) {
		if !slices.Contains(known, name) {
			return nil, e.refuse(v, "%s isn't a property of an event of type %s%s", name, kind.event,
				nearest.Hint(name, slices.Values(known)))
		}
	}
	if !isText(e.props.Get("Path")) || !isText(e.props.Get("Method")) {
		return nil, e.refuse(e.props, "Path and Method are required, as text")
	}
	e.path, e.method = e.props.Get("Path").Text, normalMethod(e.props.Get("Method").Text)
	id := refOrText(e.props.Get(kind.property))
	api := s.resources.Get(id)
	if !isMap(api) {
		return nil, e.refuse(e.props, "%s: want the name of an API of the template", kind.property)
	}
	e.stage = "Stage"
	if name := said(said(api, "Properties"), "StageName"); isText(name) {
		if e.stage = name.Text; e.stage == "" {
			return nil, s.refuse(name.Line, "resource "+id, "StageName cannot be empty")
		}
	}
	e.api = s.resource(doctree.Member{Name: id, Line: api.Line, Value: api})
	return e, nil
}

func eachMember(n *doctree.Node) func(yield func(string, *doctree.Node) bool) {
	return func(yield func(string, *doctree.Node) bool) {
		if n == nil {
			return
		}
		for _, m := range n.Members {
			if !yield(m.Name, m.Value) {
				return
			}
		}
	}
}

func (e *samEvent) refuse(at *doctree.Node, format string, args ...any) error {
	return e.f.refuseEvent(e.name, at, format, args...)
}

// permission lets the API call the function. Its ID is the translator's; whom it lets is left out,
// since nothing here asks.
func (e *samEvent) permission(suffix string) {
	id := e.f.id + e.name + "Permission"
	if suffix != "" && !isAlphanumeric(suffix) {
		suffix = hash(textNode(e.line, suffix))
	}
	props := textsNode(e.line, "Action", "lambda:InvokeFunction", "Principal", "apigateway.amazonaws.com")
	props.Set("FunctionName", refNode(e.line, e.f.id))
	e.f.derived(id+suffix, "AWS::Lambda::Permission", props)
}

// restEvent writes a function's method into a REST API, if SAM manages its body or the author wants
// both merged. Into the author's own body it writes nothing but an authorization that is to replace
// the one there.
func (s *sam) restEvent(f invoked, m doctree.Member) error {
	e, err := s.event(f, restEvents, m, restEventProperties)
	if err != nil {
		return err
	}
	e.permission(e.stage)
	if e.api == nil {
		return nil
	}
	merge := truthy(e.api.props.Get("MergeDefinitions"))
	auth := said(e.props, "Auth")
	switch {
	case s.managed[e.api.id] || merge:
		b, err := e.restBody(merge)
		if err != nil || b == nil {
			return err
		}
		if err := e.writeREST(b); err != nil {
			return err
		}
		if merge {
			return e.mergeInto(b)
		}
	case truthy(said(auth, "OverrideApiAuth")):
		b, err := e.restBody(false)
		if err != nil || b == nil {
			return err
		}
		return e.writeAuth(b, auth)
	}
	return nil
}

// restBody is the body that the event writes into: the API's, or an empty one that is merged into
// it, so that what the author wrote isn't taken for a second definition.
func (e *samEvent) restBody(empty bool) (*samBody, error) {
	if isNull(e.api.props.Get("DefinitionBody")) {
		return nil, nil
	}
	b := e.api.body(false)
	if b == nil {
		return nil, e.api.refuse(e.api.props.Get("DefinitionBody"), "DefinitionBody: want OpenAPI with paths")
	}
	if empty {
		doc := skeleton(e.line, false)
		b = &samBody{s: b.s, id: b.id, doc: doc, paths: doc.Get("paths")}
	}
	return b, nil
}

func (e *samEvent) writeREST(b *samBody) error {
	auth := said(e.props, "Auth")
	if auth != nil && !isMap(auth) {
		return e.refuse(auth, "Auth: want a map")
	}
	api, err := e.api.auth()
	if err != nil {
		return err
	}
	stream := textOf(e.props.Get("ResponseTransferMode")) == "RESPONSE_STREAM"
	integration := textsNode(e.line, "type", "aws_proxy", "httpMethod", "POST")
	integration.Set("uri", e.uri(stream))
	if stream {
		integration.Set("responseTransferMode", textNode(e.line, "STREAM"))
	}
	if v := said(e.props, "TimeoutInMillis"); v != nil {
		integration.Set("timeoutInMillis", v)
	}
	if credentials := iamCredentials(auth, api, e.line); credentials != nil {
		integration.Set("credentials", credentials)
	}
	if err := e.write(b, integration, newMap(e.line)); err != nil {
		return err
	}
	if auth != nil {
		if err := e.writeAuth(b, auth); err != nil {
			return err
		}
	}
	if err := e.requestModel(b); err != nil {
		return err
	}
	return e.requestParameters(b)
}

// uri is that of an invocation. A function that doesn't exist under a condition can't be referred
// to then.
func (e *samEvent) uri(stream bool) *doctree.Node {
	version, suffix := "2015-03-31", "/invocations"
	if stream {
		version, suffix = "2021-11-15", "/response-streaming-invocations"
	}
	uri := subNode(e.line, "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/"+version+"/functions/"+
		e.f.arn+suffix)
	if e.f.condition != "" {
		return ifNode(e.f.condition, uri)
	}
	return uri
}

// write puts the method with its integration into the body.
func (e *samEvent) write(b *samBody, integration, responses *doctree.Node) error {
	switch twice, err := b.integrated(e.path, e.method); {
	case err != nil:
		return err
	case twice:
		return e.refuse(e.props, "the method %s of %s is defined more than once", e.method, e.path)
	}
	items, err := b.add(e.path, e.method, e.line)
	if err != nil {
		return err
	}
	for _, item := range items {
		def := item.Get(e.method)
		if isNull(def) {
			def = newMap(e.line)
			item.Set(e.method, def)
		}
		if !isMap(def) {
			return b.refuse(def, "paths.%s.%s: want a map", e.path, e.method)
		}
		def.Set(xIntegration, b.s.copy(integration))
		if def.Get("responses") == nil {
			def.Set("responses", b.s.copy(responses))
		}
		if e.f.condition != "" {
			item.Set(e.method, ifNode(e.f.condition, def))
		}
	}
	return nil
}

// mergeInto merges the event's own body into the API's: of a method both have, members of the
// event's count.
func (e *samEvent) mergeInto(own *samBody) error {
	target := e.api.body(false)
	generated, err := own.methods(e.path, e.method)
	if err != nil {
		return err
	}
	items, err := target.add(e.path, e.method, e.line)
	if err != nil {
		return err
	}
	for _, item := range items {
		def := item.Get(e.method)
		if isNull(def) {
			def = newMap(e.line)
			item.Set(e.method, def)
		}
		if !isMap(def) {
			return target.refuse(def, "paths.%s.%s: want a map", e.path, e.method)
		}
		for _, g := range generated {
			for _, m := range g.def.Members {
				def.Set(m.Name, m.Value)
			}
		}
	}
	// The service's translator loses what the event has defined beside its path, so that a key that
	// the method asks for isn't asked for. Here it stays.
	for _, name := range []string{"securityDefinitions", xRequestValidators, xPolicy} {
		for n, v := range eachMember(nodeOr(own.doc.Get(name), newMap(e.line))) {
			all, err := into(target.doc, name)
			if err != nil {
				return target.refuse(target.doc.Get(name), "%v", err)
			}
			if all.Get(n) == nil {
				all.Set(n, v)
			}
		}
	}
	return nil
}
