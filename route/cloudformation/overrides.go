package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const typeV2Overrides = "AWS::ApiGatewayV2::ApiGatewayManagedOverrides"

// overrides change what the service makes of an API that names its target (quickCreate). They
// protect the route and limit the stage, so that what of them can't be read refuses.
func (b *builder) overrides(r *resource) {
	a, of := b.apiAt(r, r.text("ApiId"))
	if a == nil {
		return
	}
	key := quickKey(of)
	route, stage := a.Routes[key], a.Stages["$default"]
	if of.text("Target") == "" || route == nil || stage == nil {
		r.note(definition.Unsupported, "give the API a Target, or write Route and Stage themselves",
			"%s overrides what isn't made, as the API %s has no Target", r.id, a.ID)
		return
	}
	if part := r.part("Route", typeV2Route); part != nil {
		b.overrideRoute(a, of, part, route)
	}
	if part := r.part("Integration", typeV2Integration); part != nil && route.Integration != nil {
		b.overrideIntegration(part, route.Integration)
	}
	if part := r.part("Stage", typeV2Stage); part != nil {
		b.stageSettings(part, stage)
		stage.AutoDeploy = stage.AutoDeploy || part.get("AutoDeploy") == nil
	}
	if r.misspelled("route", "auth", "stage", "throttl") {
		route.Auth = definition.Auth{Type: "misspelled"}
	}
}

// part is a property, which is a map, as the resource that it is a part of. What can't be read has
// the unknown value in the place of each of its properties.
func (r *resource) part(property, kind string) *resource {
	n := r.get(property)
	if n == nil {
		return nil
	}
	p := &resource{stack: r.stack, id: r.id, logical: r.logical, kind: kind, node: r.node, properties: n,
		rule: &rule{properties: nested[typeV2Overrides+"."+property]}, values: map[string]*doctree.Node{},
		evaluating: map[string]bool{}, exists: r.exists}
	for _, m := range members(n) {
		p.values[m.Name] = m.Value
	}
	if n.Kind != doctree.Map {
		unknown := textNode(n.Line, *r.notKnown(property, n))
		for name := range strings.FieldsSeq("AuthorizationType RouteSettings") {
			p.values[name] = unknown
		}
	}
	return p
}

func (b *builder) overrideRoute(a *definition.API, api, part *resource, route *definition.Route) {
	auth := b.auth(a, part)
	if part.get("AuthorizationType") == nil && auth.Type == definition.AuthNone { // which it doesn't say
		auth.Type = route.Auth.Type
	}
	route.Auth, route.Origin = auth, part.origin()
	route.Operation = cmp.Or(part.text("OperationName"), route.Operation)
	if target := part.text("Target"); target != "" {
		route.Integration = b.quickIntegration(a, api, target)
		route.Integration.Origin = part.origin()
	}
}

func (b *builder) overrideIntegration(part *resource, i *definition.Integration) {
	i.Description = cmp.Or(part.text("Description"), i.Description)
	i.Method = cmp.Or(capitals(part.text("IntegrationMethod")), i.Method)
	if format := part.text("PayloadFormatVersion"); format != "" {
		if i.PayloadFormat = format; len(format) == 1 {
			i.PayloadFormat += ".0"
		}
	}
	if ms := part.number(part.get("TimeoutInMillis"), "TimeoutInMillis"); ms != nil {
		i.Timeout = *ms
	}
	i.Origin = part.origin()
}
