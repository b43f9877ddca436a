package openapi

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// places are where a request has what a document calls a parameter in another word.
var places = map[string]string{"query": "querystring", "header": "header", "path": "path"}

// otherPlaces are those of parameters that have no effect.
var otherPlaces = words("cookie formData")

// parameters reads what a REST method declares of its request: parameters and models.
func (r *reader) parameters(at place, item value) {
	declared := map[string]bool{}
	for _, list := range []value{item.get("parameters"), at.op.get("parameters")} { // the operation's win
		for _, p := range r.items(list) {
			if in, name := p.get("in").text(), p.get("name").text(); in == "body" {
				r.bodyParameter(at, p)
			} else if word, ok := places[in]; !ok && !otherPlaces[in] {
				r.note(definition.Warning, p, at.key, "", "the parameter %.100q is in %.40q, and has no effect%s",
					name, in, hint(r, in, places))
			} else if ok && name != "" {
				if word == "path" {
					name = strings.TrimSuffix(name, "+")
				}
				declared["method.request."+word+"."+name] = r.truth(p.get("required"))
			}
		}
	}
	// What the last segment has is required by being there, also of an OPTIONS method, whatever its
	// declaration says; a greedy variable isn't.
	last := at.path[strings.LastIndexByte(at.path, '/')+1:]
	if name, ok := strings.CutPrefix(last, "{"); ok && !strings.HasSuffix(name, "+}") {
		declared["method.request.path."+strings.TrimSuffix(name, "}")] = true
	}
	if len(declared) > 0 {
		at.route.RequestParameters = declared
	}
	body := r.deref(at.op.get("requestBody"))
	for contentType, media := range body.get("content").members() {
		r.requestModel(at, contentType, media.get("schema"))
	}
}

// items are the elements of a list, references followed.
func (r *reader) items(list value) (all []value) {
	if list.given() && !list.is(doctree.List) {
		r.fail(list, "Parse issue: attribute parameters is not of type `array`")
	}
	if !list.is(doctree.List) {
		return nil
	}
	for i := range list.Items {
		item := r.deref(list.item(i))
		switch {
		case item.is(doctree.Map):
			all = append(all, item)
		case item.Node != nil:
			r.fail(item, "Parse issue: attribute parameters[%d] is not of type `object`", i)
		}
	}
	return all
}

// bodyParameter is 2.0's body, whose content types are what the operation, or the document,
// consumes.
func (r *reader) bodyParameter(at place, p value) {
	types := at.op.get("consumes").texts()
	if types == nil && at.op.get("consumes").Node == nil {
		types = r.root.get("consumes").texts()
	}
	if len(types) == 0 {
		types = []string{jsonType}
	}
	for _, contentType := range types {
		r.requestModel(at, contentType, p.get("schema"))
	}
}

const jsonType = "application/json"

func (r *reader) requestModel(at place, contentType string, schema value) {
	if !schema.is(doctree.Map) {
		return
	}
	name := r.modelName(schema)
	switch {
	case name == "":
		name = r.generate(at, "Request", schema)
	case r.schemas[name].Node == nil && r.api.Models[name] == nil:
		r.warn(schema, at.key, "Reference to model '%s' not found. Ignoring.", name)
	}
	put(&at.route.RequestModels, contentType, name)
}

// modelsURL is what models call each other by.
const modelsURL = "https://apigateway.amazonaws.com/restapis/"

// modelName is the model that a schema is a reference to, "" if it is no such reference.
func (r *reader) modelName(schema value) string {
	ref := schema.get("$ref").text()
	for _, prefix := range schemaPlaces {
		if name, ok := strings.CutPrefix(ref, prefix); ok && !strings.Contains(name, "/") {
			return name
		}
	}
	if rest, ok := strings.CutPrefix(ref, modelsURL); ok {
		_, name, _ := strings.Cut(rest, "/models/")
		return name
	}
	if bare(ref) {
		return ref
	}
	return ""
}

// bare reports whether a reference is the name of a model alone, which 2.0's parser takes.
func bare(ref string) bool { return ref != "" && !strings.ContainsAny(ref, "#/:.") }

var notAlphanumeric = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// generate names the model of a schema that stands where it is used: by method, path and place, so
// that the same document gives the same names. The managed gateway's own names are random.
func (r *reader) generate(at place, what string, schema value) string {
	name := at.method
	for word := range strings.SplitSeq(notAlphanumeric.ReplaceAllString(at.path, " "), " ") {
		if word != "" {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	name += what
	for free := name; ; free = name + strconv.Itoa(r.numbers[name]) {
		r.numbers[name]++
		if r.generated[free].Node == nil && r.schemas[free].Node == nil {
			r.generated[free] = schema
			return free
		}
	}
}

// methodResponses reads what a REST method declares of its responses.
func (r *reader) methodResponses(at place) {
	for status, response := range at.op.get("responses").members() {
		if status == "default" || strings.HasPrefix(status, "x-") {
			continue
		}
		if ref := response.get("$ref"); ref.Node != nil {
			r.note(definition.Differs, response, at.key, "write the response where it is used",
				"the response %s is a reference, which the managed gateway's import doesn't follow", status)
		}
		response = r.deref(response)
		declared := &definition.MethodResponse{}
		for name, header := range response.get("headers").members() {
			put(&declared.Parameters, "method.response.header."+name, false)
			if r.v2 && header.get("schema").Node != nil {
				r.warn(header, at.key,
					"Parse issue: attribute paths.'%s'(%s).responses.%s.headers.%s.schema is unexpected",
					at.path, strings.ToLower(at.method), status, name)
			}
		}
		r.responseModel(at, declared, jsonType, response.get("schema"))
		for contentType, media := range response.get("content").members() {
			r.responseModel(at, declared, contentType, media.get("schema"))
		}
		put(&at.route.MethodResponses, status, declared)
	}
}

// responseModel has no effect on answers, so that a schema without name needs none.
func (r *reader) responseModel(at place, declared *definition.MethodResponse, contentType string, schema value) {
	name := r.modelName(schema)
	switch {
	case name == "":
	case r.schemas[name].Node == nil && r.api.Models[name] == nil:
		r.warn(schema, at.key, "Reference to model '%s' not found. Ignoring.", name)
	default:
		put(&declared.Models, contentType, name)
	}
}

const (
	validatorExtension  = "x-amazon-apigateway-request-validator"
	validatorsExtension = "x-amazon-apigateway-request-validators"
)

func (r *reader) validators() {
	all := r.root.get(validatorsExtension)
	if all.given() && !all.is(doctree.Map) {
		r.fail(all, "Invalid request validators specified: want a map")
	}
	for name, v := range all.members() {
		if !v.is(doctree.Map) {
			r.fail(v, "Invalid request validator specified: %.100s: want a map", name)
		}
		r.known(v, &validatorMembers, name)
		put(&r.api.Validators, name, &definition.Validator{Body: r.truth(v.get("validateRequestBody")),
			Parameters: r.truth(v.get("validateRequestParameters")), Origin: r.origin(v)})
	}
	r.allValid = r.validatorName(r.root)
}

// validatorName is the one that the root, or an operation, names.
func (r *reader) validatorName(v value) string {
	named := v.get(validatorExtension)
	if named.is(doctree.List) || named.is(doctree.Map) {
		r.fail(named, "Invalid request validator specified: want the name of one, got a %s", named.Kind)
	}
	return named.text()
}

func (r *reader) validatorOf(at place) *definition.Validator {
	own := at.op.get(validatorExtension)
	name := cmp.Or(r.validatorName(at.op), r.allValid)
	if name == "" {
		return nil
	}
	v, ok := r.api.Validators[name]
	if !ok {
		r.fail(own, "Unable to put method '%s' on resource at path '%s': Invalid request validator specified: %s%s",
			at.method, at.path, name, nearest.Hint(name, slices.Values(slices.Sorted(maps.Keys(r.api.Validators)))))
		return nil
	}
	return v
}
