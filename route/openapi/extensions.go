package openapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

const prefix = "x-amazon-apigateway-"

// rootSettings reads what a document says of the API as a whole.
func (r *reader) rootSettings() {
	api := r.api
	r.endpoint(r.root.get(prefix + "endpoint-configuration"))
	if servers := r.root.get("servers"); servers.is(doctree.List) {
		for i := range servers.Items {
			r.endpoint(servers.item(i).get(prefix + "endpoint-configuration"))
		}
	}
	if !r.rest {
		r.cors()
		return
	}
	for _, t := range r.root.get(prefix + "binary-media-types").texts() {
		if !slices.Contains(api.BinaryMediaTypes, t) {
			api.BinaryMediaTypes = append(api.BinaryMediaTypes, t)
		}
	}
	if size := r.root.get(prefix + "minimum-compression-size"); size.given() {
		bytes, err := strconv.Atoi(size.text())
		if err != nil || bytes < 0 || bytes > 10<<20 {
			r.fail(size, "Invalid minimum compression size, must be between 0 and 10485760")
		}
		api.MinimumCompressionSize = &bytes
	}
	if source := r.root.get(prefix + "api-key-source"); source.given() {
		api.APIKeySource = strings.ToUpper(source.text())
		if api.APIKeySource != "HEADER" && api.APIKeySource != "AUTHORIZER" {
			r.fail(source, "Invalid API key source specified: %s", source.text())
		}
	}
	for member, field := range map[string]*string{
		"security-policy": &api.SecurityPolicy, "endpoint-access-mode": &api.EndpointAccessMode,
	} {
		if v := r.root.get(prefix + member); v.given() {
			*field = v.text()
		}
	}
	r.policy(r.root.get(prefix + "policy"))
	r.gatewayResponses(r.root.get(prefix + "gateway-responses"))
}

func (r *reader) endpoint(v value) {
	if !v.given() {
		return
	}
	if !v.is(doctree.Map) {
		r.fail(v, "Invalid endpoint configuration: want a map")
	}
	r.known(v, &endpointMembers, "")
	if r.truth(v.get("disableExecuteApiEndpoint")) {
		r.api.DefaultEndpointDisabled = true
	}
	for _, id := range v.get("vpcEndpointIds").texts() {
		if !slices.Contains(r.api.VPCEndpoints, id) {
			r.api.VPCEndpoints = append(r.api.VPCEndpoints, id)
		}
	}
}

// policy is a map, or JSON text of one.
func (r *reader) policy(v value) {
	switch {
	case !v.given():
		return
	case v.is(doctree.Map):
		r.api.Policy = json.RawMessage(v.AppendJSON(nil))
		return
	}
	parsed, err := doctree.Parse([]byte(v.text()), doctree.Limits{Bytes: MaxBytes, Depth: maxDepth, Values: maxValues})
	if err != nil || parsed.Kind != doctree.Map {
		r.fail(v, "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
		return
	}
	r.api.Policy = json.RawMessage(parsed.AppendJSON(nil))
}

func (r *reader) gatewayResponses(all value) {
	for name, v := range all.members() {
		if !responseTypes[name] {
			r.fail(v, "Invalid gateway response type specified: %s%s", name,
				nearest.Hint(name, slices.Values(slices.Sorted(maps.Keys(responseTypes)))))
			continue
		}
		at := place{key: name, method: name, path: "gateway responses"}
		g := &definition.GatewayResponse{Parameters: r.mapping(at, v, "responseParameters"),
			Templates: r.templates(at, v, "responseTemplates"), Origin: r.origin(v)}
		if status := v.get("statusCode"); status.given() {
			g.Status = status.text()
			if n, err := strconv.Atoi(g.Status); err != nil || n < 100 || n > 599 {
				r.fail(status, "Invalid status code specified for gateway response %s: %s", name, g.Status)
			}
		}
		put(&r.api.GatewayResponses, name, g)
	}
}

func (r *reader) cors() {
	v := r.root.get(prefix + "cors")
	if !v.given() {
		return
	}
	if !v.is(doctree.Map) {
		r.fail(v, "Invalid CORS configuration: want a map")
		return
	}
	c := &definition.CORS{Origins: v.get("allowOrigins").texts(), Methods: v.get("allowMethods").texts(),
		Headers: v.get("allowHeaders").texts(), ExposeHeaders: v.get("exposeHeaders").texts(), Origin: r.origin(v)}
	r.known(v, &corsMembers, "")
	if age := v.get("maxAge"); age.given() {
		seconds, err := strconv.Atoi(age.text())
		if err != nil || seconds < -1 || seconds > 86400 {
			r.fail(age, "Invalid CORS configuration: maxAge should be between -1 and 86400 seconds")
		}
		c.MaxAge = &seconds
	}
	if credentials := v.get("allowCredentials"); credentials.given() {
		allowed := r.truth(credentials)
		c.Credentials = &allowed
		if allowed && slices.Contains(c.Origins, "*") {
			r.fail(credentials, "Invalid CORS configuration: allowCredentials can't be true when allowOrigins has *")
		}
	}
	r.api.CORS = c
}
