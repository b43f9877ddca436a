package openapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/route/definition"
)

// schemaPlaces are where schemas with names are: of 3.0, and of 2.0. Some documents of one version
// have the other's, which the import takes as well.
var schemaPlaces = []string{"#/components/schemas/", "#/definitions/"}

func (r *reader) findSchemas() {
	for _, place := range []value{r.root.get("definitions"), r.root.get("components").get("schemas")} {
		for name, schema := range place.members() {
			r.schemas[name] = schema
		}
	}
}

// models makes a model of each schema that has a name, and of each that a request body has inline.
func (r *reader) models() {
	all := maps.Clone(r.schemas)
	maps.Copy(all, r.generated)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		schema := all[name]
		r.noted = map[string]bool{}
		if notAlphanumeric.MatchString(name) {
			r.note(definition.Differs, schema, "", "the managed gateway refuses this name",
				"Model name must be alphanumeric: %s", name)
		}
		put(&r.api.Models, name, &definition.Model{Description: schema.get("description").text(),
			Schema: json.RawMessage(r.schema(nil, schema, true)), Origin: r.origin(schema)})
	}
}

// keywords are those of schemas that models don't have, with what becomes of them. (Developer
// guide, "Amazon API Gateway important notes".)
var keywords = map[string]definition.Severity{
	"discriminator": definition.Ignored, "example": definition.Ignored, "readOnly": definition.Ignored,
	"default": definition.Ignored, "nullable": definition.Ignored, "writeOnly": definition.Ignored,
	"xml": definition.Ignored, "externalDocs": definition.Ignored, "exclusiveMinimum": definition.Differs,
}

// schemaMaps are the keywords whose members are schemas by name, and no keywords.
var schemaMaps = map[string]bool{"properties": true, "patternProperties": true, "definitions": true,
	"dependencies": true}

// data are the keywords whose values are anybody's.
var data = map[string]bool{"enum": true, "default": true, "example": true, "examples": true, "const": true}

// schema appends a schema as JSON, with its references in the form that models have. keyed says
// that the value's members are keywords, and not names of schemas.
func (r *reader) schema(dst []byte, v value, keyed bool) []byte {
	switch {
	case v.is(doctree.List):
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.schema(dst, v.item(i), keyed)
		}
		return append(dst, ']')
	case !v.is(doctree.Map):
		return v.AppendJSON(dst)
	}
	dst = append(dst, '{')
	first := true
	for name, member := range v.members() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsonlex.AppendString(dst, name), ':')
		if severity, known := keywords[name]; keyed && known && !r.noted[name] {
			r.noted[name] = true
			r.note(severity, member, "", "", "models don't have the keyword %s", name)
		}
		switch {
		case keyed && name == "$ref" && member.is(doctree.Text):
			dst = jsonlex.AppendString(dst, r.modelURL(v, member.Text))
		case keyed && data[name]:
			dst = member.AppendJSON(dst)
		default:
			dst = r.schema(dst, member, !keyed || !schemaMaps[name])
		}
	}
	return append(dst, '}')
}

// modelURL is how a model refers to what a document's reference does: another model, or a part of
// one.
func (r *reader) modelURL(at value, ref string) string {
	if bare(ref) {
		ref = schemaPlaces[0] + ref
	}
	for _, prefix := range schemaPlaces {
		rest, ok := strings.CutPrefix(ref, prefix)
		if !ok {
			continue
		}
		name, part, _ := strings.Cut(rest, "/")
		if r.schemas[name].Node == nil && r.api.Models[name] == nil {
			r.warn(at, "", "Reference to model '%s' not found. Ignoring.", name)
		}
		url := modelsURL + r.modelsOf() + "/models/" + name
		if part != "" {
			url += "#/" + part
		}
		return url
	}
	if !strings.HasPrefix(ref, modelsURL) && !strings.HasPrefix(ref, "#") {
		r.fail(at, "Unable to resolve the reference '%s': want one within the document, to what is there", ref)
	}
	return ref
}

func (r *reader) modelsOf() string { return cmp.Or(r.o.APIID, r.o.id()) }
