package cloudformation

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// eventKind is one of the two kinds of events that make routes.
type eventKind struct {
	event, api, property string
	// implicit is the API of events that name none, condition the name of the condition under which
	// it exists, if all of its events have one.
	implicit, condition string
}

var (
	restEvents = eventKind{"Api", samAPI, "RestApiId", "ServerlessRestApi", "ServerlessRestApiCondition"}
	httpEvents = eventKind{"HttpApi", samHTTPAPI, "ApiId", "ServerlessHttpApi", "ServerlessHttpApiCondition"}
)

// defaultBody gives an API without a document one without paths, which events then fill: SAM
// manages it.
func (s *sam) defaultBody(r *samResource) error {
	if truthy(r.props.Get("DefinitionBody")) || truthy(r.props.Get("DefinitionUri")) {
		return nil
	}
	r.props.Set("DefinitionBody", skeleton(r.line, r.typ == samHTTPAPI))
	s.managed[r.id] = true
	return nil
}

func skeleton(line int, http bool) *doctree.Node {
	version := member("swagger", textNode(line, "2.0"))
	if http {
		version = member("openapi", textNode(line, "3.0.1"))
	}
	info := textsNode(line, "version", "1.0")
	info.Set("title", refNode(line, "AWS::StackName"))
	return newMap(line, version, member("info", info), member("paths", newMap(line)))
}

// conditions are those of an API's methods, by path and method. "" is none.
type conditions map[string]map[string]map[string]string

// implicitAPI looks at the events of a kind: it puts their methods, still empty, into the bodies
// that SAM manages, makes the implicit API if an event is for it, and has conditions of functions
// hold for paths and for the implicit API where all of their methods have one.
func (s *sam) implicitAPI(kind eventKind) {
	existing := s.resources.Get(kind.implicit)
	line := s.resources.Line
	props := newMap(line, member("DefinitionBody", skeleton(line, kind.api == samHTTPAPI)))
	if kind.api == samAPI {
		props.Set("StageName", textNode(line, "Prod"))
	}
	implicit := newMap(line, member("Type", textNode(line, kind.api)), member("Properties", props))
	s.resources.Set(kind.implicit, implicit)
	wasManaged := s.managed[kind.implicit]
	s.managed[kind.implicit] = true

	found := conditions{}
	s.eachOf(samFunction, samStateMachine)(func(r *samResource) error {
		for _, m := range events(r) {
			if textOf(m.Value.Get("Type")) != kind.event {
				continue
			}
			if err := s.linkEvent(kind, r, m, found); err != nil {
				return err
			}
		}
		return nil
	})
	s.conditionAPI(kind, implicit, found)
	s.conditionPaths(kind, found)
	if len(props.Get("DefinitionBody").Get("paths").Members) > 0 {
		s.checkReplaced(kind, said(existing, "Properties"))
		return
	}
	delete(s.bodies, kind.implicit)
	s.managed[kind.implicit] = wasManaged
	if existing != nil {
		s.resources.Set(kind.implicit, existing)
	} else {
		s.resources.Delete(kind.implicit)
	}
}

// checkReplaced refuses a resource of the implicit API's name that says who may call. The service's
// translator replaces it, and what it says is lost.
func (s *sam) checkReplaced(kind eventKind, properties *doctree.Node) {
	for name, v := range eachMember(properties) {
		if protecting.MatchString(name) && truthy(v) {
			s.problems = append(s.problems, s.refuse(v.Line, "resource "+kind.implicit,
				"%s is lost, as the API of the events that name none replaces it; give this one another name, and the "+
					"events a %s", name, kind.property))
		}
	}
}

// events are those of a function or a state machine that are maps.
func events(r *samResource) (all []doctree.Member) {
	if list := r.props.Get("Events"); isMap(list) {
		for _, m := range list.Members {
			if isMap(m.Value) {
				all = append(all, m)
			}
		}
	}
	return all
}

// refuseEvent blames an event of the resource.
func (r *samResource) refuseEvent(event string, at *doctree.Node, format string, args ...any) error {
	return r.s.refuse(lineOf(at, r.line), "resource "+r.id+", event "+event, format, args...)
}

// linkEvent checks what an event names and puts its method into the body of its API.
func (s *sam) linkEvent(kind eventKind, r *samResource, event doctree.Member, found conditions) error {
	props := event.Value.Get("Properties")
	if kind.event == httpEvents.event && isNull(props) {
		props = newMap(event.Line)
		event.Value.Set("Properties", props)
	}
	switch {
	case kind.event == restEvents.event && !truthy(props):
		return nil // refused later, for want of a path
	case !isMap(props):
		return r.refuseEvent(event.Name, props, "Properties: want a map")
	}
	if props.Get(kind.property) == nil {
		props.Set(kind.property, refNode(event.Line, kind.implicit))
	}
	if kind.event == httpEvents.event && !truthy(props.Get("Path")) && !truthy(props.Get("Method")) {
		props.Set("Path", textNode(event.Line, defaultPath))
		props.Set("Method", textNode(event.Line, xAnyMethod))
	}
	for _, name := range []string{"Path", "Method"} {
		switch v := props.Get(name); {
		case !truthy(v):
			return r.refuseEvent(event.Name, nodeOr(v, props), "%s is required", name)
		case !isText(v):
			return r.refuseEvent(event.Name, v, "%s: want text, got %s", name, v.Kind)
		}
	}
	id := refOrText(props.Get(kind.property))
	if id == "" {
		return r.refuseEvent(event.Name, props.Get(kind.property), "%s: want the name of an API of the template, "+
			"or a Ref to it", kind.property)
	}
	api := s.resources.Get(id)
	if api == nil || kind.event == restEvents.event && textOf(api.Get("Type")) == samHTTPAPI {
		return r.refuseEvent(event.Name, props.Get(kind.property), "%s: %s is no %s of the template",
			kind.property, id, kind.api)
	}
	path, method := props.Get("Path").Text, props.Get("Method").Text
	if found[id] == nil {
		found[id] = map[string]map[string]string{}
	}
	if found[id][path] == nil {
		found[id][path] = map[string]string{}
	}
	found[id][path][method] = textOf(r.node.Get("Condition"))
	target := s.resource(doctree.Member{Name: id, Line: api.Line, Value: api})
	if target == nil {
		return nil // an API of CloudFormation: its methods are its own
	}
	if b := target.body(kind.api == samHTTPAPI); b != nil && s.managed[id] {
		if _, err := b.add(path, normalMethod(method), event.Line); err != nil {
			return err
		}
	}
	if settings := props.Get("RouteSettings"); settings != nil && kind.event == httpEvents.event {
		return s.routeSettings(r, event, target, settings)
	}
	return nil
}

// routeSettings adds those of an event to its API's.
func (s *sam) routeSettings(r *samResource, event doctree.Member, api *samResource, settings *doctree.Node) error {
	if !isMap(settings) {
		return r.refuseEvent(event.Name, settings, "RouteSettings: want a map")
	}
	all, err := into(api.props, "RouteSettings")
	if err != nil {
		return api.refuse(api.props.Get("RouteSettings"), "%v", err)
	}
	props := event.Value.Get("Properties")
	path, method := props.Get("Path").Text, props.Get("Method").Text
	key := strings.ToUpper(method) + " " + path
	if method == xAnyMethod {
		key = path
	}
	route, err := into(all, key)
	if err != nil {
		return api.refuse(all.Get(key), "RouteSettings: %v", err)
	}
	if condition := textOf(r.node.Get("Condition")); condition != "" {
		settings = ifNode(condition, s.copy(settings))
	}
	for _, m := range settings.Members {
		route.Set(m.Name, m.Value)
	}
	return nil
}

// conditionAPI has the implicit API exist only if one of its methods does.
func (s *sam) conditionAPI(kind eventKind, implicit *doctree.Node, found conditions) {
	names := map[string]bool{}
	for _, methods := range found[kind.implicit] {
		for _, condition := range methods {
			names[condition] = true
		}
	}
	if name := s.anyOf(names, kind.condition, implicit.Line); name != "" {
		implicit.Set("Condition", textNode(implicit.Line, name))
	}
}

// conditionPaths does so for the paths of the bodies that SAM manages.
func (s *sam) conditionPaths(kind eventKind, found conditions) {
	for _, m := range s.resources.Members {
		b := s.bodies[m.Name]
		if b == nil || !s.managed[m.Name] || textOf(m.Value.Get("Type")) != kind.api {
			continue
		}
		for i := range b.paths.Members {
			item := &b.paths.Members[i]
			names := map[string]bool{}
			for _, condition := range found[m.Name][item.Name] {
				names[condition] = true
			}
			name := m.Name + pathWords.Replace(item.Name) + "PathCondition"
			if name := s.anyOf(names, name, item.Line); name != "" {
				item.Value = ifNode(name, item.Value)
			}
		}
	}
}

var pathWords = strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB")

// anyOf is the name of a condition that holds if one of those does: the one itself, or a new one.
// It is empty if something exists without any.
func (s *sam) anyOf(names map[string]bool, combined string, line int) string {
	if len(names) == 0 || names[""] {
		return ""
	}
	sorted := slices.Sorted(maps.Keys(names))
	if len(sorted) == 1 {
		return sorted[0]
	}
	all, err := into(s.root, "Conditions")
	if err != nil {
		return sorted[0] // the evaluation refuses a template whose Conditions are no map
	}
	all.Set(combined, or(line, sorted))
	return combined
}

// or is Fn::Or of conditions, which takes at most ten: more are nested.
func or(line int, names []string) *doctree.Node {
	items := make([]*doctree.Node, len(names))
	for i, name := range names {
		items[i] = mapNode(line, "Condition", textNode(line, name))
	}
	for len(items) > 1 {
		var next []*doctree.Node
		for chunk := range slices.Chunk(items, 10) {
			if len(chunk) == 1 {
				next = append(next, chunk[0])
				continue
			}
			next = append(next, mapNode(line, "Fn::Or", listNode(line, chunk...)))
		}
		items = next
	}
	return items[0]
}
