package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/route/definition"
)

// writer makes a document of an API.
type writer struct {
	doc        *definition.Document
	api        *definition.API
	o          Options
	root       *object
	schemes    *object
	key, sigv4 string // the names of the schemes for these, once they are used
	mistakes   *mistakes.Mistakes
}

// Write returns an API of a definition as an OpenAPI 3.0.1 document, in JSON with two blanks a
// level: one that the managed gateway can import, and that [Read] makes the same API of, but for
// places and lines. What a document can't say (stages, usage plans, domain names) is left out, but
// an authorizer that it can't say is an error: its routes would be open. With
// Options.Public it is one for the API's callers, which has these as texts and addresses.
//
// api is the API's ID; it may be empty where there is one API. WebSocket APIs have no documents. Of
// the other options Region and Account count where the API has none.
func Write(doc *definition.Document, api string, o Options) ([]byte, error) {
	a, err := find(doc, api)
	if err != nil {
		return nil, err
	}
	if _, err := doc.MarshalJSON(); err != nil { // of nil pointers in a document made by hand
		return nil, fmt.Errorf("openapi: %w", err)
	}
	if a.Flavor != definition.FlavorREST && a.Flavor != definition.FlavorHTTP {
		return nil, fmt.Errorf("openapi: want a REST or an HTTP API, got %s, of which there is no document", a.Flavor)
	}
	copied := *a
	copied.Region, copied.Account = cmp.Or(a.Region, o.Region), cmp.Or(a.Account, o.Account)
	w := &writer{doc: doc, api: &copied, o: o, root: &object{}, schemes: &object{},
		mistakes: mistakes.In("openapi: API " + strconv.Quote(a.ID))}
	info := (&object{}).must("title", cmp.Or(a.Name, a.ID)).set("description", a.Description)
	w.root.must("openapi", "3.0.1").must("info", info.must("version", cmp.Or(a.Version, "1.0")))
	if o.Public {
		w.public()
	} else {
		w.imported()
	}
	if err := w.mistakes.Err(); err != nil {
		return nil, err
	}
	text, err := w.root.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func find(doc *definition.Document, id string) (*definition.API, error) {
	if doc == nil || len(doc.APIs) == 0 {
		return nil, errors.New("openapi: want a document with an API")
	}
	if id == "" && len(doc.APIs) == 1 && doc.APIs[0] != nil {
		id = doc.APIs[0].ID
	}
	var ids []string
	for _, a := range doc.APIs {
		if a == nil {
			return nil, errors.New("openapi: want APIs, got a nil one")
		}
		if a.ID == id {
			return a, nil
		}
		ids = append(ids, a.ID)
	}
	return nil, fmt.Errorf("openapi: want the ID of an API of the document (%s), got %q", strings.Join(ids, ", "), id)
}

// imported writes a document for the managed gateway.
func (w *writer) imported() {
	w.servers()
	paths := w.root.sub("paths")
	for _, key := range sorted(w.api.Routes) {
		route := w.api.Routes[key]
		method, path, _ := strings.Cut(key, " ")
		name := strings.ToLower(method)
		op := &object{}
		switch {
		case key == defaultRoute:
			path, name = "/"+defaultRoute, anyMethod
			op.set("isDefaultRoute", true)
		case method == "ANY":
			name = anyMethod
		}
		w.operation(op, key, route)
		paths.sub(path).must(name, op)
	}
	w.authorizers()
	w.settings()
}

func (w *writer) servers() {
	endpoint := (&object{}).set("disableExecuteApiEndpoint", w.api.DefaultEndpointDisabled).
		set("vpcEndpointIds", w.api.VPCEndpoints)
	if empty(endpoint) {
		return
	}
	w.root.set("servers", []any{(&object{}).must("url", "/").must(prefix+"endpoint-configuration", endpoint)})
}

func (w *writer) operation(op *object, key string, route *definition.Route) {
	op.set("operationId", route.Operation)
	var parameters []any
	for _, name := range sorted(route.RequestParameters) {
		if p := parameterOf(name, route.RequestParameters[name]); p != nil {
			parameters = append(parameters, p)
		}
	}
	op.set("parameters", parameters)
	content := &object{}
	for _, t := range sorted(route.RequestModels) {
		content.sub(t).must("schema", modelRef(route.RequestModels[t]))
	}
	if !empty(content) {
		op.must("requestBody", (&object{}).must("content", content))
	}
	responses := &object{}
	for _, status := range sorted(route.MethodResponses) {
		responses.must(status, responseOf(route.MethodResponses[status]))
	}
	op.must("responses", responses)
	op.set("security", w.security(key, route))
	op.set(validatorExtension, w.validator(route.Validator))
	if route.Integration != nil {
		op.must(integrationExtension, w.integration(route.Integration))
	}
}

// parameterOf is the parameter that "method.request.querystring.page" declares.
func parameterOf(name string, required bool) *object {
	rest, _ := strings.CutPrefix(name, "method.request.")
	place, name, ok := strings.Cut(rest, ".")
	for in, word := range places {
		if ok && word == place {
			return (&object{}).must("name", name).must("in", in).must("required", required).
				must("schema", (&object{}).must("type", "string"))
		}
	}
	return nil
}

func modelRef(name string) *object {
	return (&object{}).must("$ref", "#/components/schemas/"+pointerEscapes.Replace(name))
}

func responseOf(m *definition.MethodResponse) *object {
	headers, content := &object{}, &object{}
	for _, name := range sorted(m.Parameters) {
		header := strings.TrimPrefix(name, "method.response.header.")
		headers.must(header, (&object{}).must("schema", (&object{}).must("type", "string")))
	}
	for _, t := range sorted(m.Models) {
		content.sub(t).must("schema", modelRef(m.Models[t]))
	}
	return (&object{}).must("description", "").set("headers", headers).set("content", content)
}

// validator is the name of one that is alike; settings writes those that have none.
func (w *writer) validator(v *definition.Validator) string {
	if v == nil {
		return ""
	}
	for _, name := range sorted(w.api.Validators) {
		if o := w.api.Validators[name]; o.Body == v.Body && o.Parameters == v.Parameters {
			return name
		}
	}
	name := fmt.Sprintf("body %t, parameters %t", v.Body, v.Parameters)
	all := map[string]*definition.Validator{name: v}
	for n, o := range w.api.Validators {
		all[n] = o
	}
	w.api.Validators = all // w.api is a copy
	return name
}

// settings writes what stands at the document's root.
func (w *writer) settings() {
	root, a := w.root, w.api
	root.set("components", (&object{}).set("schemas", w.models()).set("securitySchemes", w.schemes))
	validators := &object{}
	for _, name := range sorted(a.Validators) {
		v := a.Validators[name]
		validators.must(name, (&object{}).must("validateRequestBody", v.Body).must("validateRequestParameters",
			v.Parameters))
	}
	root.set(validatorsExtension, validators)
	responses := &object{}
	for _, name := range sorted(a.GatewayResponses) {
		g := a.GatewayResponses[name]
		responses.must(name, (&object{}).set("statusCode", g.Status).set("responseParameters", g.Parameters).
			set("responseTemplates", g.Templates))
	}
	root.set(prefix+"gateway-responses", responses)
	root.set(prefix+"binary-media-types", a.BinaryMediaTypes).set(prefix+"api-key-source", a.APIKeySource)
	if a.MinimumCompressionSize != nil {
		root.must(prefix+"minimum-compression-size", *a.MinimumCompressionSize)
	}
	root.set(prefix+"security-policy", a.SecurityPolicy).set(prefix+"endpoint-access-mode", a.EndpointAccessMode)
	root.set(prefix+"policy", a.Policy)
	if c := a.CORS; c != nil {
		cors := (&object{}).set("allowOrigins", c.Origins).set("allowMethods", c.Methods).
			set("allowHeaders", c.Headers).set("exposeHeaders", c.ExposeHeaders)
		if c.MaxAge != nil {
			cors.must("maxAge", *c.MaxAge)
		}
		if c.Credentials != nil {
			cors.must("allowCredentials", *c.Credentials)
		}
		root.must(prefix+"cors", cors)
	}
	if a.Flavor == definition.FlavorHTTP {
		root.must(prefix+"importexport-version", "1.0")
	}
}

func (w *writer) models() *object {
	schemas := &object{}
	for _, name := range sorted(w.api.Models) {
		schemas.must(name, localRefs(w.api.Models[name].Schema))
	}
	return schemas
}

// localRefs is the reverse of reader.schema: models' URLs become references within the document.
// The schema is valid JSON, as all of the document is.
func localRefs(schema json.RawMessage) json.RawMessage {
	if len(schema) == 0 {
		return json.RawMessage("{}")
	}
	return appendLocal(nil, bytes.TrimSpace(schema))
}

func appendLocal(dst, value []byte) []byte {
	comma := false
	element := func(name, v []byte) {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		if name != nil {
			dst = append(append(dst, name...), ':')
		}
		if ref, ok := localRef(name, v); ok {
			dst = jsonlex.AppendString(dst, ref)
			return
		}
		dst = appendLocal(dst, v)
	}
	switch value[0] {
	case '[':
		dst = append(dst, '[')
		for v := range jsonscan.Elements(value) {
			element(nil, v)
		}
		return append(dst, ']')
	case '{':
		dst = append(dst, '{')
		for name, v := range jsonscan.Members(value) {
			element(name, v)
		}
		return append(dst, '}')
	}
	return append(dst, value...)
}

func localRef(name, value []byte) (string, bool) {
	text, isText := jsonscan.Text(value)
	rest, isURL := strings.CutPrefix(text, modelsURL)
	_, model, named := strings.Cut(rest, "/models/")
	if string(name) != `"$ref"` || !isText || !isURL || !named {
		return "", false
	}
	model, part, _ := strings.Cut(model, "#")
	return schemaPlaces[0] + model + part, true
}
