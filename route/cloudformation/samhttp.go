package cloudformation

import (
	"maps"
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

var httpProperties = map[string]int{"Name": anything, "StageName": wantTextOrMap, "Tags": wantMap,
	"PropagateTags": wantBool, "DefinitionBody": wantMap, "DefinitionUri": wantTextOrMap, "StageVariables": wantMap,
	"CorsConfiguration": anything, "AccessLogSettings": wantMap, "DefaultRouteSettings": wantMap, "Auth": wantMap,
	"RouteSettings": wantMap, "Domain": wantMap, "FailOnWarnings": wantBool, "Description": wantText,
	"DisableExecuteApiEndpoint": wantBool}

// httpAPI makes the API with its stage and domain, once its events have written their methods.
func (s *sam) httpAPI(r *samResource) error {
	if err := r.checkProperties(httpProperties); err != nil {
		return err
	}
	props := newMap(r.line)
	if err := r.location(props); err != nil {
		return err
	}
	if err := r.addHTTPCORS(); err != nil {
		return err
	}
	if err := r.addHTTPAuth(); err != nil {
		return err
	}
	b := r.body(true)
	for _, name := range []string{"Tags", "DisableExecuteApiEndpoint", "Name", "Description"} {
		if v := r.props.Get(name); truthy(v) && b == nil {
			return r.refuse(v, "%s works with an inline DefinitionBody that is an OpenAPI 3 document", name)
		}
	}
	if v := said(r.props, "DisableExecuteApiEndpoint"); v != nil && b != nil {
		if err := b.disableEndpoint(v); err != nil {
			return err
		}
	}
	if err := r.describe(b); err != nil {
		return err
	}
	if b != nil {
		b.readAs30()
	}
	if warnings := said(r.props, "FailOnWarnings"); truthy(warnings) {
		props.Set("FailOnWarnings", warnings)
		r.renameDefault(b)
	}
	r.main("AWS::ApiGatewayV2::Api", props)
	r.httpStage(textNode(r.line, defaultPath), r.id+"ApiGatewayDefaultStage")
	return r.httpDomain()
}

// describe writes name and description into the document, which must not have its own.
func (r *samResource) describe(b *samBody) error {
	for _, p := range []struct{ property, member string }{{"Name", "title"}, {"Description", "description"}} {
		v := said(r.props, p.property)
		if !truthy(v) {
			continue
		}
		info, err := into(b.doc, "info")
		if err != nil {
			return b.refuse(b.doc.Get("info"), "%v", err)
		}
		own := info.Get(p.member)
		generated := p.member == "title" && intrinsic(own) && textOf(own.Get("Ref")) == "AWS::StackName"
		if truthy(own) && !generated || p.member == "title" && !generated {
			return r.refuse(v, "%s: the DefinitionBody's info.%s says it already", p.property, p.member)
		}
		info.Set(p.member, v)
	}
	return nil
}

// renameDefault writes the path of the default route in the form that the import doesn't warn of.
func (r *samResource) renameDefault(b *samBody) {
	if b == nil {
		return
	}
	if item := b.paths.Get(defaultPath); item != nil {
		b.paths.Delete(defaultPath)
		b.paths.Set("/"+defaultPath, item)
	}
}

// httpStage makes the stage of an API of the second generation.
func (r *samResource) httpStage(byDefault *doctree.Node, defaultID string) {
	name := r.props.Get("StageName")
	if !truthy(name) {
		name = byDefault
	}
	id := r.id + textOf(name) + "Stage"
	switch {
	case textOf(name) == byDefault.Text:
		id = defaultID
	case !isAlphanumeric(textOf(name)):
		id = r.id + "Stage"
		if isText(name) {
			id += hash(name)
		}
	}
	stage := newMap(r.line, member("ApiId", refNode(r.line, r.id)), member("StageName", name))
	for _, p := range []string{"StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} {
		if v := said(r.props, p); v != nil {
			stage.Set(p, v)
		}
	}
	stage.Set("AutoDeploy", boolNode(r.line, true))
	r.derived(id, "AWS::ApiGatewayV2::Stage", stage)
	r.refer("Stage", id)
}

var httpAuthProperties = []string{"Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"}

// addHTTPAuth writes the API's authorizers into its body, and the default one into each method but
// OPTIONS that says nothing of its own.
func (r *samResource) addHTTPAuth() error {
	auth := r.props.Get("Auth")
	if !truthy(auth) {
		return nil
	}
	if err := r.known("Auth", auth, httpAuthProperties); err != nil {
		return err
	}
	b := r.body(true)
	if b == nil {
		return r.refuse(auth, "Auth works with an inline DefinitionBody that is an OpenAPI 3 document with paths")
	}
	scopes, err := r.httpSchemes(b, auth)
	if err != nil {
		return err
	}
	byDefault := auth.Get("DefaultAuthorizer")
	if !truthy(byDefault) || noValue(byDefault) {
		return nil
	}
	if !isText(byDefault) {
		return r.refuse(byDefault, "Auth.DefaultAuthorizer: want text")
	}
	if _, ok := scopes[byDefault.Text]; !ok {
		return r.refuse(byDefault, "Auth.DefaultAuthorizer: Authorizers have no %q%s", byDefault.Text,
			nearest.Hint(byDefault.Text, slices.Values(slices.Sorted(maps.Keys(scopes)))))
	}
	return b.each(func(path string) error {
		defs, err := b.methods(path, "")
		for _, m := range defs {
			if m.name == "options" || truthy(m.def.Get("security")) {
				continue
			}
			m.def.Set("security", listNode(byDefault.Line,
				security(byDefault.Line, byDefault.Text, b.s.copy(scopes[byDefault.Text]))))
		}
		return err
	})
}

// httpSchemes defines the authorizers, and returns their scopes by name.
func (r *samResource) httpSchemes(b *samBody, auth *doctree.Node) (map[string]*doctree.Node, error) {
	all, err := r.authorizers(auth)
	if err != nil {
		return nil, err
	}
	schemes, scopes := newMap(auth.Line), map[string]*doctree.Node{}
	if isTrue(auth.Get("EnableIamAuthorizer")) {
		schemes.Set(authIAM, iamScheme(auth.Line))
		scopes[authIAM] = nil
	}
	for _, a := range all {
		scheme, err := a.http()
		if err != nil {
			return nil, err
		}
		schemes.Set(a.name, scheme)
		scopes[a.name] = said(a.def, "AuthorizationScopes")
	}
	if len(schemes.Members) > 0 {
		target, err := into(b.doc, "components", "securitySchemes")
		if err != nil {
			return nil, b.refuse(b.doc.Get("components"), "%v", err)
		}
		for _, m := range schemes.Members {
			target.Set(m.Name, m.Value)
		}
	}
	return scopes, nil
}

// writeHTTPAuth writes an event's authorization into an HTTP body. NONE stays in it as a name that
// is defined nowhere, which keeps the default away.
func (e *samEvent) writeHTTPAuth(b *samBody, auth *doctree.Node) error {
	api := e.api.props.Get("Auth")
	if api != nil && !isMap(api) {
		return e.api.refuse(api, "Auth: want a map, got %s", api.Kind)
	}
	if !isMap(auth) {
		return e.refuse(auth, "Auth: want a map")
	}
	if err := b.s.checkGuards("Auth", auth, eventAuthProperties, e.refuse); err != nil {
		return err
	}
	name := said(auth, "Authorizer")
	if !truthy(name) {
		if name = said(api, "DefaultAuthorizer"); !truthy(name) {
			return e.refuse(auth, "Auth: want an Authorizer, or a DefaultAuthorizer of the API")
		}
	}
	if err := e.checkAuthorizer(name, api, isTrue(said(api, "EnableIamAuthorizer"))); err != nil {
		return err
	}
	scopes := said(auth, "AuthorizationScopes")
	if truthy(scopes) && !isList(scopes) {
		return e.refuse(scopes, "Auth.AuthorizationScopes: want a list")
	}
	if !truthy(scopes) {
		scopes = said(said(said(api, "Authorizers"), name.Text), "AuthorizationScopes")
	}
	if name.Text == authNone || name.Text == authIAM {
		scopes = nil
	}
	defs, err := b.methods(e.path, e.method)
	if err != nil {
		return err
	}
	for _, m := range defs {
		list, err := b.security(e.path, m)
		if err != nil {
			return err
		}
		m.def.Set("security", listNode(name.Line,
			append(slices.Clone(list), security(name.Line, name.Text, b.s.copy(scopes)))...))
	}
	return nil
}
