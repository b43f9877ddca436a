package cloudformation

import (
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// requestModel has the method take bodies of a model of the API, whose name SAM lower-cases, and
// validate what the event says.
func (e *samEvent) requestModel(b *samBody) error {
	request := said(e.props, "RequestModel")
	if !truthy(request) {
		return nil
	}
	if !isMap(request) {
		return e.refuse(request, "RequestModel: want a map")
	}
	model := request.Get("Model")
	if !truthy(model) {
		return nil
	}
	models := said(e.api.props, "Models")
	if !isText(model) || !isMap(models) || !truthy(models.Get(model.Text)) {
		return e.refuse(model, "RequestModel: the API's Models have no %q", model.Text)
	}
	name := strings.ToLower(model.Text)
	defs, err := b.methods(e.path, e.method)
	if err != nil {
		return err
	}
	for _, m := range defs {
		if err := e.setModel(b, m, name, request.Get("Required")); err != nil {
			return err
		}
	}
	body, parameters := said(request, "ValidateBody"), said(request, "ValidateParameters")
	if body == nil && parameters == nil {
		return nil
	}
	for _, v := range []*doctree.Node{body, parameters} {
		if v != nil && v.Kind != doctree.Bool {
			return e.refuse(v, "RequestModel: want ValidateBody and ValidateParameters to be true or false")
		}
	}
	return e.setValidator(b, defs, isTrue(body), isTrue(parameters))
}

func (e *samEvent) setModel(b *samBody, m samMethod, name string, required *doctree.Node) error {
	if b.doc.Get("swagger") == nil {
		schema := newMap(e.line, member("schema", textsNode(e.line, "$ref", "#/components/schemas/"+name)))
		body := newMap(e.line, member("content", newMap(e.line, member("application/json", schema))))
		if !isNull(required) {
			body.Set("required", required)
		}
		m.def.Set("requestBody", body)
		return nil
	}
	parameter := textsNode(e.line, "in", "body", "name", name)
	parameter.Set("schema", textsNode(e.line, "$ref", "#/definitions/"+name))
	if !isNull(required) {
		parameter.Set("required", required)
	}
	return e.addParameter(b, m, parameter)
}

func (e *samEvent) addParameter(b *samBody, m samMethod, parameter *doctree.Node) error {
	list := m.def.Get("parameters")
	if isNull(list) {
		list = listNode(e.line)
		m.def.Set("parameters", list)
	}
	if !isList(list) {
		return b.refuse(list, "paths.%s.%s.parameters: want a list", e.path, m.name)
	}
	list.Items = append(list.Items, parameter)
	return nil
}

func (e *samEvent) setValidator(b *samBody, defs []samMethod, body, parameters bool) error {
	name := "no-validation"
	switch {
	case body && parameters:
		name = "body-and-params"
	case body:
		name = "body-only"
	case parameters:
		name = "params-only"
	}
	all, err := into(b.doc, xRequestValidators)
	if err != nil {
		return b.refuse(b.doc.Get(xRequestValidators), "%v", err)
	}
	if !truthy(all.Get(name)) {
		all.Set(name, newMap(e.line, member("validateRequestBody", boolNode(e.line, body)),
			member("validateRequestParameters", boolNode(e.line, parameters))))
	}
	for _, m := range defs {
		m.def.Set(xRequestValidator, textNode(e.line, name))
	}
	return nil
}

var requestParameter = regexp.MustCompile(`^method\.request\.(querystring|path|header)\.`)

// requestParameters declares those of an event; one that is cached is a part of the cache's key.
func (e *samEvent) requestParameters(b *samBody) error {
	list := said(e.props, "RequestParameters")
	if !truthy(list) {
		return nil
	}
	if !isList(list) {
		return e.refuse(list, "RequestParameters: want a list")
	}
	defs, err := b.methods(e.path, e.method)
	if err != nil {
		return err
	}
	for _, item := range list.Items {
		name, settings := item.Text, newMap(item.Line)
		if isMap(item) && len(item.Members) > 0 {
			name, settings = item.Members[0].Name, item.Members[0].Value
		}
		if !requestParameter.MatchString(name) || !isMap(settings) {
			return e.refuse(item, "RequestParameters: want method.request.querystring.NAME, .path.NAME or "+
				".header.NAME, or a map from it to Required and Caching")
		}
		for key := range settings.Names() {
			if key != "Required" && key != "Caching" {
				return e.refuse(settings, "RequestParameters.%s: want Required or Caching, got %s", name, key)
			}
		}
		for _, m := range defs {
			if err := e.declare(b, m, name, settings); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *samEvent) declare(b *samBody, m samMethod, name string, settings *doctree.Node) error {
	in, short, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
	if in == "querystring" {
		in = "query"
	}
	required := settings.Get("Required")
	if required == nil {
		required = boolNode(e.line, false)
	}
	parameter := textsNode(e.line, "in", in, "name", short)
	parameter.Set("required", required)
	parameter.Set("type", textNode(e.line, "string"))
	if err := e.addParameter(b, m, parameter); err != nil {
		return err
	}
	if !truthy(settings.Get("Caching")) {
		return nil
	}
	integration := m.def.Get(xIntegration)
	keys := integration.Get("cacheKeyParameters")
	if isNull(keys) {
		keys = listNode(e.line)
		integration.Set("cacheKeyParameters", keys)
	}
	if !isList(keys) {
		return b.refuse(keys, "paths.%s.%s: want cacheKeyParameters to be a list", e.path, m.name)
	}
	keys.Items = append(keys.Items, textNode(e.line, name))
	return nil
}
