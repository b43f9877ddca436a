package terraform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/tfplan"
	"github.com/gatekit-go/gatekit/route/definition"
)

type emitted struct { // a resource of the template
	Type       string
	Properties map[string]any
}

// translator makes a template of a plan.
type translator struct {
	o          *Options
	apis       map[string]string // addresses of APIs, by ID
	out        map[string]*emitted
	places     map[string]map[string]any // properties of methods and stages, by type and place
	attributes map[string]string         // of cloudformation.Options
	findings   []definition.Finding
	closed     map[string]string // APIs, or flavors, of which something isn't known: the address of what
}

// translate makes the template's resources, and then puts into them those that are parts of others.
func (t *translator) translate(all []*tfplan.Resource) {
	var parts []*tfplan.Resource
	for _, r := range all {
		switch k := kinds[r.Type]; {
		case k == nil && !strings.HasPrefix(r.Type, "aws_api_gateway_") && !isV2(r):
		case k == nil || k.name == "":
			parts = append(parts, r)
		default:
			p := t.properties(r, k)
			t.out[r.Address], t.places[k.name+place(p)] = &emitted{k.name, p}, p
			t.given(r)
			t.checkPlace(r, p)
			if acl, _ := r.Values["web_acl_arn"].(string); acl != "" && r.Type == "aws_api_gateway_stage" {
				t.out[r.Address+".web_acl_arn"] = &emitted{kinds["aws_wafv2_web_acl_association"].name,
					map[string]any{"ResourceArn": t.made("stage", r), "WebACLArn": acl}}
			}
		}
	}
	for _, r := range parts {
		t.part(r, t.properties(r, cmp.Or(kinds[r.Type], &kind{})))
	}
}

// given tells the template of values that the service has made.
func (t *translator) given(r *tfplan.Resource) {
	for attribute, suffix := range map[string]string{"id": "", "arn": ".Arn", "root_resource_id": ".RootResourceId",
		"endpoint": ".ProviderName", "execution_arn": ".ExecuteApiArn"} {
		if text, _ := r.Values[attribute].(string); text != "" {
			t.attributes[r.Address+suffix] = text
		}
	}
	if isAPI(r) {
		t.apis[t.attributes[r.Address]] = r.Address
	}
}

func isV2(r *tfplan.Resource) bool { return strings.HasPrefix(r.Type, "aws_apigatewayv2_") }
func isAPI(r *tfplan.Resource) bool {
	return kinds[r.Type] != nil && strings.HasSuffix(kinds[r.Type].name, "Api")
}

// checkPlace closes the APIs that a route or a web ACL may belong to, where that isn't known: what
// is known of them would answer in its place.
func (t *translator) checkPlace(r *tfplan.Resource, p map[string]any) {
	for _, property := range []string{"RestApiId", "ApiId", "ResourceId", "ParentId", "ResourceArn", "Body"} {
		text, _ := p[property].(string)
		if _, not := definition.UnknownIn(text); not && !strings.HasSuffix(r.Type, "_mapping") {
			t.refuse(r, p)
		}
	}
}

// refuse closes the API of a resource, or where that isn't known all that it may be of.
func (t *translator) refuse(r *tfplan.Resource, p map[string]any) {
	if api := t.api(p); isAPI(r) || api != "" {
		t.closed[cmp.Or(api, r.Address)] = r.Address
	} else if isV2(r) {
		t.closed[definition.FlavorHTTP], t.closed[definition.FlavorWebSocket] = r.Address, r.Address
	} else {
		t.closed[definition.FlavorREST] = r.Address
	}
}

// api is the address of the API that a resource belongs to, or "".
func (t *translator) api(p map[string]any) string {
	id := cmp.Or(p["RestApiId"], p["ApiId"])
	if text, ok := id.(string); ok {
		return t.apis[text]
	}
	address, _ := tfplan.Object(id)["Ref"].(string)
	return address
}

func (t *translator) note(r *tfplan.Resource, s definition.Severity, do, format string, args ...any) {
	t.findings = append(t.findings, definition.Finding{Severity: s, Do: do, What: fmt.Sprintf(format, args...),
		Origin: definition.Origin{Template: t.o.File, LogicalID: r.Address}})
}

// properties are a resource's, as CloudFormation has them.
func (t *translator) properties(r *tfplan.Resource, k *kind) map[string]any {
	p := map[string]any{}
	for _, attribute := range r.Attributes() {
		if idle[attribute] && attribute != k.required || len(k.only) > 0 && !k.only[attribute] {
			continue
		}
		if v := t.convert(r, attribute, attribute, r.Value(attribute, blocks)); v != nil {
			p[cmp.Or(k.names[attribute], property(attribute))] = v
		}
	}
	if name := cmp.Or(k.names[k.required], property(k.required)); name != "" && p[name] == nil {
		p[name] = t.notKnown(r, k.required)
	}
	if all := tfplan.Object(p["DefaultRouteSettings"]); all["ThrottlingRateLimit"] == json.Number("0") &&
		all["ThrottlingBurstLimit"] == json.Number("0") {
		if !r.Configured("default_route_settings") { // which the provider reads of a stage without limits
			delete(p, "DefaultRouteSettings")
		} else {
			t.note(r, definition.Differs, "show a plan, if there are none", "%s: limits of 0 block all", r.Address)
		}
	}
	return p
}

// convert is a value as CloudFormation has it, nil if it is none, as empty texts are. A list of
// objects is a block, whose attributes are properties; the names of other objects are anybody's.
func (t *translator) convert(r *tfplan.Resource, path, attribute string, v any) any {
	switch v := v.(type) {
	case *tfplan.Unknown:
		return t.settle(r, path, attribute, v)
	case string:
		if v == "" {
			return nil
		}
	case map[string]any:
		return t.members(r, path, v, func(name string) (attribute, property string) { return "", name })
	case []any:
		var all []any
		block := false
		for _, item := range v {
			if of, ok := item.(map[string]any); ok {
				block = true
				item = t.members(r, path, of, func(name string) (string, string) { return name, property(name) })
			} else {
				item = t.convert(r, path, attribute, item)
			}
			if item != nil {
				all = append(all, item)
			}
		}
		switch {
		case len(all) == 0:
			return nil
		case block && keyed[attribute] != "":
			return byKey(keyed[attribute], all)
		case block && !many[attribute] && len(all) == 1:
			return all[0]
		}
		return all
	}
	return v
}

func (t *translator) members(r *tfplan.Resource, path string, of map[string]any, as func(string) (string, string)) any {
	all := map[string]any{}
	for name, inner := range of {
		attribute, property := as(name)
		if c := t.convert(r, path+"."+name, attribute, inner); c != nil {
			all[property] = c
		}
	}
	return all
}

// byKey makes a map of blocks by one of their properties.
func byKey(key string, list []any) map[string]any {
	all := map[string]any{}
	for _, item := range list {
		of := tfplan.Object(item)
		name, _ := of[property(key)].(string)
		delete(of, property(key))
		all[cmp.Or(name, definition.Unknown(key))] = of // one that isn't known can't be left out
		if mappings := of["Mappings"]; mappings != nil {
			all[name] = mappings
		}
	}
	return all
}

// settle is what is known after apply: what the options say, the resource that it comes from, or an
// unknown value.
func (t *translator) settle(r *tfplan.Resource, path, attribute string, u *tfplan.Unknown) any {
	if text, ok := t.o.Attributes[r.Address+"."+path]; ok {
		return text
	}
	for range 20 { // resources, of which each has it from the next
		from := u.Source()
		if leads[attribute] == nil || from == nil {
			break
		}
		if form := leads[attribute][from.Type]; form != "" {
			return t.made(form, from)
		}
		v := from.Value(attribute, blocks) // of what has it from elsewhere
		if text, ok := v.(string); ok && text != "" {
			return text
		}
		if u, _ = v.(*tfplan.Unknown); u == nil {
			break
		}
	}
	return t.notKnown(r, path)
}

func (t *translator) notKnown(r *tfplan.Resource, path string) string {
	name := r.Address + "." + path
	t.note(r, definition.UnknownValue, fmt.Sprintf("give Options.Attributes[%q], or show the state after apply", name),
		"%s is known after apply only", name)
	return definition.Unknown(name)
}

// made is a form of [leads].
func (t *translator) made(form string, r *tfplan.Resource) any {
	ref := map[string]any{"Ref": r.Address}
	join := func(parts ...any) any { return map[string]any{"Fn::Join": []any{"", parts}} }
	get := func(name string) any { return map[string]any{"Fn::GetAtt": []any{r.Address, name}} }
	const call = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" // whose region has no effect
	switch form {
	case "ref":
		return ref
	case "target":
		return join("integrations/", ref)
	case "uri":
		return join(call, get("Arn"), "/invocations")
	case "uri-of-ref":
		return join(call, ref, "/invocations")
	case "issuer":
		return join("https://", get("ProviderName"))
	case "stage":
		p := t.properties(r, kinds[r.Type])
		return join("arn:aws:apigateway:us-east-1::/restapis/", p["RestApiId"], "/stages/", p["StageName"])
	}
	return get(form)
}
