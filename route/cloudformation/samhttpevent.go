package cloudformation

import (
	"regexp"
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

var pathVariables = regexp.MustCompile(`\{(.*?)\}`)

// httpEvent writes a function's method into an HTTP API, be it managed or not, unless it has an
// integration there: a second one is refused only where SAM has made the first.
func (s *sam) httpEvent(f invoked, m doctree.Member) error {
	e, err := s.event(f, httpEvents, m, httpEventProperties)
	if err != nil {
		return err
	}
	e.permission("")
	if e.api == nil || isNull(e.api.props.Get("DefinitionBody")) {
		return nil
	}
	b := e.api.body(true)
	if b == nil {
		return e.api.refuse(e.api.props.Get("DefinitionBody"), "DefinitionBody: want an OpenAPI 3 document with paths")
	}
	has, err := b.integrated(e.path, e.method)
	if err != nil {
		return err
	}
	if !has || s.managed[e.api.id] {
		integration := textsNode(e.line, "type", "aws_proxy", "httpMethod", "POST", "payloadFormatVersion", "2.0")
		integration.Set("uri", e.uri(false))
		if err := e.write(b, integration, newMap(e.line)); err != nil {
			return err
		}
	}
	if auth := said(e.props, "Auth"); truthy(auth) {
		if err := e.writeHTTPAuth(b, auth); err != nil {
			return err
		}
	}
	defs, err := b.methods(e.path, e.method)
	if err != nil {
		return err
	}
	var problems []error
	for _, def := range defs {
		problems = append(problems, e.completeHTTP(b, def))
	}
	return joined(problems)
}

// completeHTTP adds what an event says beside its path and method.
func (e *samEvent) completeHTTP(b *samBody, m samMethod) error {
	integration := m.def.Get(xIntegration)
	if !isMap(integration) {
		return b.refuse(integration, "paths.%s.%s: want the integration to be a map", e.path, m.name)
	}
	if e.path == defaultPath && m.name == xAnyMethod {
		m.def.Set("isDefaultRoute", boolNode(e.line, true))
	}
	if v := e.props.Get("TimeoutInMillis"); truthy(v) {
		integration.Set("timeoutInMillis", v)
	}
	if v := e.props.Get("PayloadFormatVersion"); truthy(v) {
		integration.Set("payloadFormatVersion", v)
	}
	variables := pathVariables.FindAllStringSubmatch(e.path, -1)
	if len(variables) == 0 {
		return nil
	}
	list := m.def.Get("parameters")
	if isNull(list) {
		list = listNode(e.line)
		m.def.Set("parameters", list)
	}
	if !isList(list) {
		return b.refuse(list, "paths.%s.%s.parameters: want a list", e.path, m.name)
	}
	for _, v := range variables {
		i := slices.IndexFunc(list.Items, func(n *doctree.Node) bool { return textOf(n.Get("name")) == v[1] })
		if i < 0 {
			i = len(list.Items)
			list.Items = append(list.Items, textsNode(e.line, "name", v[1]))
		}
		list.Items[i].Set("in", textNode(e.line, "path"))
		list.Items[i].Set("required", boolNode(e.line, true))
	}
	return nil
}
