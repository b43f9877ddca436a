package cloudformation

import (
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

const (
	authIAM  = "AWS_IAM"
	authNone = "NONE"
)

// auth is what an API says of it, with the values of parameters. It is nil where nothing is said.
func (r *samResource) auth() (*doctree.Node, error) {
	raw := r.props.Get("Auth")
	switch {
	case isNull(raw):
		return nil, nil
	case !isMap(raw):
		return nil, r.refuse(raw, "Auth: want a map, got %s", raw.Kind)
	}
	if r.s.auths[r.id] == nil { // each event of the API asks
		r.s.auths[r.id] = r.s.resolve(raw)
	}
	return r.s.auths[r.id], nil
}

// security is [{"NAME": [scopes]}] without the brackets.
func security(line int, name string, scopes *doctree.Node) *doctree.Node {
	if isNull(scopes) {
		scopes = listNode(line)
	}
	return newMap(line, member(name, scopes))
}

// iamCredentials are those of an integration whose method is open to IAM only: the caller's own,
// unless a role is named, or none is wanted.
func iamCredentials(event, api *doctree.Node, line int) *doctree.Node {
	if textOf(said(event, "Authorizer")) != authIAM &&
		(textOf(said(api, "DefaultAuthorizer")) != authIAM || truthy(event)) {
		return nil
	}
	for _, auth := range []*doctree.Node{event, api} {
		if !isMap(auth) || auth.Get("InvokeRole") == nil {
			continue
		}
		switch role := auth.Get("InvokeRole"); {
		case !truthy(role), textOf(role) == authNone:
			return nil
		case textOf(role) != "CALLER_CREDENTIALS":
			return role
		}
		break
	}
	return subNode(line, "arn:${AWS::Partition}:iam::*:user/*")
}

// checkAuthorizer refuses an authorizer that the API doesn't have.
func (e *samEvent) checkAuthorizer(name, api *doctree.Node, builtin bool) error {
	if textOf(name) == authNone {
		if !truthy(said(api, "DefaultAuthorizer")) {
			return e.refuse(name, "Auth.Authorizer: NONE is for APIs with a DefaultAuthorizer")
		}
		return nil
	}
	if textOf(name) == authIAM && builtin {
		return nil
	}
	authorizers := said(api, "Authorizers")
	if !isText(name) || !isMap(authorizers) {
		return e.refuse(name, "Auth.Authorizer: want the name of one of the API's Authorizers, got %q", name.Text)
	}
	if !truthy(authorizers.Get(name.Text)) {
		return e.refuse(name, "Auth.Authorizer: the API's Authorizers have no %q%s", name.Text,
			nearest.Hint(name.Text, authorizers.Names()))
	}
	return nil
}

// writeAuth writes an event's authorization into a REST body: the authorizer and its scopes, the
// API key, and a resource policy for the path.
func (e *samEvent) writeAuth(b *samBody, auth *doctree.Node) error {
	api, err := e.api.auth()
	if err != nil {
		return err
	}
	if err := e.checkAuth(auth, api); err != nil {
		return err
	}
	authorizer, scopes := said(auth, "Authorizer"), said(auth, "AuthorizationScopes")
	key := said(auth, "ApiKeyRequired")
	// The event's own scopes count, also if there are none; else the authorizer's.
	if own := said(said(said(api, "Authorizers"), textOf(authorizer)), "AuthorizationScopes"); scopes == nil {
		scopes = own
	}
	if said(said(api, "Authorizers"), textOf(authorizer)) == nil {
		scopes = nil
	}
	defs, err := b.methods(e.path, e.method)
	if err != nil {
		return err
	}
	for _, m := range defs {
		if truthy(authorizer) {
			if err := b.require(e.path, m, security(authorizer.Line, authorizer.Text, b.s.copy(scopes))); err != nil {
				return err
			}
		}
		if key == nil {
			continue
		}
		name := "api_key"
		if !truthy(key) {
			name = "api_key_false" // keeps the default from it
		}
		if err := b.require(e.path, m, security(key.Line, name, nil)); err != nil {
			return err
		}
	}
	if truthy(key) {
		if err := b.define("api_key", apiKeyScheme(e.line)); err != nil {
			return err
		}
	}
	if policy := said(auth, "ResourcePolicy"); truthy(policy) {
		if !isMap(policy) {
			return e.refuse(policy, "Auth.ResourcePolicy: want a map")
		}
		if err := b.s.checkGuards("Auth.ResourcePolicy", policy, policyMembers, e.refuse); err != nil {
			return err
		}
		return b.resourcePolicy(policy, textNode(e.line, e.stage), e.path)
	}
	return nil
}

// checkAuth refuses what the authorization of an event with a method of a REST API can't say.
func (e *samEvent) checkAuth(auth, api *doctree.Node) error {
	if err := e.f.s.checkGuards("Auth", auth, eventAuthProperties, e.refuse); err != nil {
		return err
	}
	authorizer, scopes := said(auth, "Authorizer"), said(auth, "AuthorizationScopes")
	if truthy(authorizer) {
		if err := e.checkAuthorizer(authorizer, api, true); err != nil {
			return err
		}
	}
	key := said(auth, "ApiKeyRequired")
	switch {
	case truthy(scopes) && !truthy(authorizer):
		return e.refuse(scopes, "Auth.AuthorizationScopes: want an Authorizer beside them")
	case truthy(scopes) && !isList(scopes):
		return e.refuse(scopes, "Auth.AuthorizationScopes: want a list")
	case key != nil && !truthy(key) && !truthy(said(api, "ApiKeyRequired")):
		return e.refuse(key, "Auth.ApiKeyRequired: false is for APIs that require a key")
	}
	return nil
}

// require adds an element to a method's security.
func (b *samBody) require(path string, m samMethod, requirement *doctree.Node) error {
	list, err := b.security(path, m)
	if err != nil {
		return err
	}
	m.def.Set("security", listNode(requirement.Line, append(slices.Clone(list), requirement)...))
	if requirement.Get(authIAM) != nil {
		return b.define(authIAM, iamScheme(requirement.Line))
	}
	return nil
}

// define adds a security scheme, unless the body has one of that name. It stands where version 2
// has it; version 3 is made of it at the end.
func (b *samBody) define(name string, scheme *doctree.Node) error {
	all, err := into(b.doc, "securityDefinitions")
	if err != nil {
		return b.refuse(b.doc, "%v", err)
	}
	if all.Get(name) == nil {
		all.Set(name, scheme)
	}
	return nil
}

func iamScheme(line int) *doctree.Node {
	return textsNode(line, "type", "apiKey", "name", "Authorization", "in", "header", xAuthType, "awsSigv4")
}

func apiKeyScheme(line int) *doctree.Node {
	return textsNode(line, "type", "apiKey", "name", "x-api-key", "in", "header")
}

// names reports whether a requirement names one of those.
func names(requirement *doctree.Node, all ...string) bool {
	for name := range requirement.Names() {
		if slices.Contains(all, name) {
			return true
		}
	}
	return false
}

// defaultAuthorizer writes the API's default into each method with an integration that names no
// authorizer. NONE of an event keeps it off, and stays where nothing else is required, so that the
// document's own default doesn't come in either.
func (b *samBody) defaultAuthorizer(name *doctree.Node, authorizers []string, scopes *doctree.Node,
	preflight bool) error {
	all := append([]string{authIAM}, authorizers...)
	return b.each(func(path string) error {
		defs, err := b.methods(path, "")
		if err != nil {
			return err
		}
		for _, m := range defs {
			if m.name == "options" && !preflight {
				continue
			}
			existing, err := b.requirements(path, m)
			if err != nil {
				return err
			}
			var chosen, rest []*doctree.Node
			none := -1
			for _, requirement := range existing {
				switch {
				case names(requirement, all...):
					chosen = append(chosen, requirement)
				case none < 0 && names(requirement, authNone):
					none = len(rest)
				default:
					rest = append(rest, requirement)
				}
			}
			switch {
			case none >= 0:
				chosen = nil
			case chosen == nil:
				chosen = []*doctree.Node{security(name.Line, name.Text, b.s.copy(scopes))}
			}
			if list := append(rest, chosen...); len(list) > 0 {
				m.def.Set("security", listNode(name.Line, list...))
				if list[0].Get(authIAM) != nil {
					if err := b.define(authIAM, iamScheme(name.Line)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// defaultKey has every method ask for an API key, but those whose event says false.
func (b *samBody) defaultKey(line int, preflight bool) error {
	return b.each(func(path string) error {
		defs, err := b.methods(path, "")
		if err != nil {
			return err
		}
		for _, m := range defs {
			existing, err := b.requirements(path, m)
			if err != nil {
				return err
			}
			var rest []*doctree.Node
			waived := false
			for _, requirement := range existing {
				if !names(requirement, "api_key", "api_key_false") {
					rest = append(rest, requirement)
				}
				waived = waived || names(requirement, "api_key_false")
			}
			if !waived && (m.name != "options" || preflight) {
				rest = append(rest, security(line, "api_key", nil))
			}
			if len(rest) > 0 || len(existing) > 0 {
				m.def.Set("security", listNode(line, rest...))
			}
		}
		return nil
	})
}
