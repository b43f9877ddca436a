package terraform

import (
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/tfplan"
	"github.com/gatekit-go/gatekit/route/definition"
)

// place is what says to which method or stage a part belongs.
func place(p map[string]any) string {
	return fmt.Sprint(p["RestApiId"], p["ResourceId"], p["HttpMethod"], p["StageName"])
}

// part puts a resource into the one that it is a part of. What isn't covered, or finds nothing to
// be a part of, closes its API where it may protect it.
func (t *translator) part(r *tfplan.Resource, p map[string]any) {
	switch r.Type {
	case "aws_api_gateway_rest_api_policy":
		if api := t.out[t.api(p)]; api != nil {
			if api.Properties["Policy"] = p["Policy"]; p["Policy"] == nil {
				api.Properties["Policy"] = t.notKnown(r, "policy")
			}
			return
		}
	case "aws_api_gateway_integration", "aws_api_gateway_integration_response", "aws_api_gateway_method_response":
		if method := t.places["AWS::ApiGateway::Method"+place(p)]; method != nil && t.ofMethod(r, method, p) {
			return
		}
		t.note(r, definition.Unsupported, "add it", "%s is of a method that isn't in the plan", r.Address)
		return
	case "aws_api_gateway_method_settings":
		settings := t.methodSettings(r, p)
		if stage := t.places["AWS::ApiGateway::Stage"+place(p)]; stage != nil {
			add(stage, "MethodSettings", settings)
			return
		}
	default:
		if kinds[r.Type] != nil { // without effect
			return
		}
		if t.note(r, definition.Unsupported, "do without it", "%s: resources of the type %s aren't covered", r.Address,
			r.Type); p["RestApiId"] == nil && p["ApiId"] == nil {
			return
		}
	}
	t.note(r, definition.Unsupported, "show it together with what it is for", "%s: its API refuses, as what it is for "+
		"isn't covered or known", r.Address)
	t.refuse(r, p)
}

// ofMethod gives a method its integration or a response, or its integration a response.
func (t *translator) ofMethod(r *tfplan.Resource, method, p map[string]any) bool {
	for _, name := range []string{"RestApiId", "ResourceId", "HttpMethod"} {
		delete(p, name)
	}
	switch r.Type { // in this order, which is the alphabet's
	case "aws_api_gateway_integration":
		method["Integration"] = p
	case "aws_api_gateway_integration_response":
		integration := tfplan.Object(method["Integration"])
		if integration == nil {
			return false
		}
		add(integration, "IntegrationResponses", p)
	default:
		add(method, "MethodResponses", p)
	}
	return true
}

func add(to map[string]any, list string, element any) {
	all, _ := to[list].([]any)
	to[list] = append(all, element)
}

// methodSettings are an element of a stage's settings.
func (t *translator) methodSettings(r *tfplan.Resource, p map[string]any) map[string]any {
	settings := tfplan.Object(p["Settings"])
	if settings == nil {
		settings = map[string]any{"ThrottlingRateLimit": t.notKnown(r, "settings")}
	}
	for name, usual := range map[string]any{"RequireAuthorizationForCacheControl": true,
		"UnauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"} {
		if v := settings[name]; v != nil && v != usual {
			t.note(r, definition.Differs, "", "%s: %s isn't followed, and is as by default", r.Address, name)
		}
		delete(settings, name)
	}
	path, _ := p["MethodPath"].(string)
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		path, at = "*/"+definition.Unknown(r.Address+".method_path"), 1
	}
	settings["ResourcePath"], settings["HttpMethod"] = "/"+strings.TrimPrefix(path[:at], "/"), path[at+1:]
	return settings
}
