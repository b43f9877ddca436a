package openapi

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/route/definition"
)

// public writes a document for the API's callers. What answers a route, and by what it is guarded,
// isn't in it: neither targets nor policies nor roles.
func (w *writer) public() {
	w.root.set("servers", w.addresses())
	paths := w.root.sub("paths")
	for _, key := range sorted(w.api.Routes) {
		method, path, ok := strings.Cut(key, " ")
		if !ok || method == "ANY" {
			continue
		}
		w.describe(paths.sub(plainPath(path)), strings.ToLower(method), key)
	}
	for _, key := range sorted(w.api.Routes) { // behind the single methods, which win
		if path, ok := strings.CutPrefix(key, "ANY "); ok {
			for _, name := range []string{"delete", "get", "head", "options", "patch", "post", "put"} {
				w.describe(paths.sub(plainPath(path)), name, key)
			}
		}
	}
	schemas := &object{}
	for _, name := range sorted(w.api.Models) {
		schemas.must(name, withoutDraft(localRefs(w.api.Models[name].Schema)))
	}
	w.root.set("components", (&object{}).set("schemas", schemas).set("securitySchemes", w.schemes))
}

// addresses are those of custom domain names, or else the API's own, as far as they are known.
func (w *writer) addresses() (all []any) {
	for _, host := range sorted(w.doc.Domains) {
		for _, m := range w.doc.Domains[host].Mappings {
			if m.API == w.api.ID {
				url := strings.TrimSuffix("https://"+host+"/"+m.BasePath, "/")
				all = append(all, (&object{}).must("url", url).set("description", m.Stage))
			}
		}
	}
	if all != nil || w.api.APIID == "" || w.api.DefaultEndpointDisabled {
		return all
	}
	region := cmp.Or(w.api.Region, defaultRegion)
	host := "https://" + w.api.APIID + ".execute-api." + region + ".amazonaws.com"
	if arn.Partition(region) == "aws-cn" {
		host += ".cn"
	}
	for _, stage := range sorted(w.api.Stages) {
		url := host + "/" + stage
		if stage == defaultRoute {
			url = host
		}
		all = append(all, (&object{}).must("url", url))
	}
	return all
}

// plainPath is a path without the + of a greedy variable, which OpenAPI doesn't have.
func plainPath(path string) string { return strings.ReplaceAll(path, "+}", "}") }

// describe writes one operation, if there is none yet.
func (w *writer) describe(item *object, name, key string) {
	if _, there := item.values[name]; there {
		return
	}
	route := w.api.Routes[key]
	_, path, _ := strings.Cut(key, " ")
	op := &object{}
	if !strings.HasPrefix(key, "ANY ") { // one for seven operations, and operationId is for one
		op.set("operationId", route.Operation)
	}
	op.set("parameters", w.callerParameters(route, path))
	content := &object{}
	for _, t := range sorted(route.RequestModels) {
		if model := route.RequestModels[t]; w.api.Models[model] != nil {
			content.sub(t).must("schema", modelRef(model))
		}
	}
	if !empty(content) {
		validated := route.Validator != nil && route.Validator.Body
		op.must("requestBody", (&object{}).must("content", content).set("required", validated))
	}
	responses := &object{}
	for _, status := range sorted(route.MethodResponses) {
		responses.must(status, responseOf(route.MethodResponses[status]).must("description",
			"What the backend answers."))
	}
	if empty(responses) {
		responses.must("default", (&object{}).must("description", "What the backend answers."))
	}
	declared := len(responses.names)
	for _, refusal := range w.refusals(route, key) {
		switch there, _ := responses.values[refusal.status].(*object); {
		case there == nil:
			responses.must(refusal.status, refusal.response)
		case slices.Index(responses.names, refusal.status) >= declared: // two refusals with one status
			text, _ := there.values["description"].(string)
			there.must("description", text+" "+refusal.text)
		}
	}
	op.must("responses", responses).set("security", w.callerSecurity(route))
	item.must(name, op)
}

// callerParameters are those declared, and every variable of the path, which OpenAPI demands.
func (w *writer) callerParameters(route *definition.Route, path string) (all []any) {
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
			p := parameterOf("method.request.path."+name, true)
			if greedy {
				p.must("description", "The rest of the path, with its slashes.")
			}
			all = append(all, p)
		}
	}
	for _, name := range sorted(route.RequestParameters) {
		// What isn't validated may be left out by callers, whatever the document declares.
		required := route.RequestParameters[name] && route.Validator != nil && route.Validator.Parameters
		if p := parameterOf(name, required); p != nil && !strings.HasPrefix(name, "method.request.path.") {
			all = append(all, p)
		}
	}
	return all
}

// withoutDraft takes out the member that OpenAPI's schemas don't have.
func withoutDraft(schema []byte) *object {
	o := &object{}
	for name, v := range jsonscan.Members(schema) {
		if text, _ := jsonscan.Text(name); text != "$schema" {
			o.must(text, json.RawMessage(v))
		}
	}
	return o
}

// callerSecurity is one requirement of all that a caller has to bring.
func (w *writer) callerSecurity(route *definition.Route) []any {
	all := &object{}
	switch a := w.api.Authorizers[route.Auth.Authorizer]; {
	case route.Auth.Type == definition.AuthIAM:
		w.schemes.must("sigv4", header("Authorization").must("description", "AWS Signature Version 4"))
		all.must("sigv4", []string{})
	case a != nil:
		w.callerScheme(all, route.Auth, a)
	}
	if route.APIKeyRequired && w.api.APIKeySource != "AUTHORIZER" {
		name := w.free("api_key")
		w.schemes.must(name, header("x-api-key"))
		all.must(name, []string{})
	}
	if empty(all) {
		return nil
	}
	return []any{all}
}

func (w *writer) callerScheme(all *object, auth definition.Auth, a *definition.Authorizer) {
	name := auth.Authorizer
	if discovery := discoveryURL(a); discovery != "" {
		w.schemes.must(name, (&object{}).must("type", "openIdConnect").must("openIdConnectUrl", discovery))
		all.must(name, append([]string{}, auth.Scopes...))
		return
	}
	for _, source := range a.IdentitySource {
		source = strings.TrimPrefix(strings.TrimPrefix(source, "$"), "method.")
		place, field, _ := strings.Cut(strings.TrimPrefix(source, "request."), ".")
		in := map[string]string{"header": "header", "querystring": "query"}[place]
		if in == "" {
			continue // what callers don't bring
		}
		scheme := header(field).must("in", in)
		if len(auth.Scopes) > 0 {
			scheme.must("description", "A token with one of the scopes "+strings.Join(auth.Scopes, ", "))
		}
		own := name
		if len(a.IdentitySource) > 1 {
			own = name + "." + field
		}
		w.schemes.must(own, scheme)
		all.must(own, []string{})
	}
}

// discoveryURL is where callers find out how to get a token that comes in the Authorization header.
func discoveryURL(a *definition.Authorizer) string {
	const path = "/.well-known/openid-configuration"
	inHeader := len(a.IdentitySource) == 0 || slices.ContainsFunc(a.IdentitySource, func(source string) bool {
		return strings.EqualFold(source[strings.LastIndexByte(source, '.')+1:], "Authorization")
	})
	switch {
	case !inHeader:
		return ""
	case a.Type == definition.TypeJWT && a.Issuer != "":
		return strings.TrimSuffix(a.Issuer, "/") + path
	case a.Type == definition.TypeJWT:
		return a.IssuerURL
	case a.Type == definition.TypeCognito && len(a.Providers) == 1:
		parts := strings.SplitN(a.Providers[0], ":", 6)
		if len(parts) < 6 {
			return ""
		}
		pool, ok := strings.CutPrefix(parts[5], "userpool/")
		if !ok {
			return ""
		}
		return "https://cognito-idp." + parts[3] + ".amazonaws.com/" + pool + path
	}
	return ""
}
