package definition

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/transform/validate"
)

// models compiles an API's models: all together, or, where one of them is no schema, those that a
// route needs, so that the others aren't refused with it.
type models struct {
	builder *apiBuilder
	tried   bool
	all     *validate.Models // nil: not all of them are good
	some    map[string]*validate.Models
}

// of returns models that have those that a route names by content type.
func (m *models) of(named map[string]string) (*validate.Models, *problem) {
	api := m.builder.api
	for _, contentType := range slices.Sorted(maps.Keys(named)) {
		name := named[contentType]
		if api.Models[name] == nil && name != "Empty" && name != "Error" {
			return nil, unsupportedf("add the model", "the model %q of %s isn't there", name, contentType)
		}
	}
	if !m.tried {
		m.tried = true
		m.all, _ = m.compile(slices.Collect(maps.Keys(api.Models)))
	}
	if m.all != nil {
		return m.all, nil
	}
	needed := m.closure(slices.Collect(maps.Values(named)))
	id := strings.Join(needed, "\x00")
	if made := m.some[id]; made != nil {
		return made, nil
	}
	made, p := m.compile(needed)
	if p == nil {
		if m.some == nil {
			m.some = map[string]*validate.Models{}
		}
		m.some[id] = made
	}
	return made, p
}

func (m *models) compile(names []string) (*validate.Models, *problem) {
	schemas := map[string]string{}
	for _, name := range names {
		model := m.builder.api.Models[name]
		if model == nil {
			continue // Empty or Error, or what a schema refers to in vain
		}
		if _, unknown := digest(model); unknown != "" {
			return nil, unknownValue("the model "+name, unknown).at(model.Origin)
		}
		schemas[name] = text(model.Schema, "{}")
	}
	made, err := validate.NewModels(validate.ModelsConfig{Schemas: schemas, AnyNames: true})
	return made, asProblem("a model can't be used", err)
}

var modelReference = regexp.MustCompile(`/models/([A-Za-z0-9._~-]+)`)

// closure returns the names with those that their schemas refer to, sorted.
func (m *models) closure(names []string) []string {
	found := map[string]bool{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		model := m.builder.api.Models[name]
		if found[name] || model == nil {
			continue
		}
		found[name] = true
		for _, reference := range modelReference.FindAllStringSubmatch(string(model.Schema), -1) {
			names = append(names, reference[1])
		}
	}
	return slices.Sorted(maps.Keys(found))
}
