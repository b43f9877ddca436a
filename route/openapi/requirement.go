package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// requirement is one name of a security list.
type requirement struct {
	name   string
	scopes value
}

// requirements reads a security list. What is no list of maps of lists of texts is an error: read
// as far as it goes, it would open the route.
func (r *reader) requirements(list value) (all []requirement) {
	if !list.given() {
		return nil
	}
	if !list.is(doctree.List) {
		r.fail(list, "Parse issue: attribute security is not of type `array`")
		return nil
	}
	for i := range list.Items {
		element := list.item(i)
		if !element.is(doctree.Map) {
			r.fail(element, "Parse issue: attribute security[%d] is not of type `object`: write {%s: []}", i,
				scheming(element))
		}
		for name, scopes := range element.members() {
			if !scopes.is(doctree.List) || slices.ContainsFunc(scopes.Items, noScope) {
				r.fail(scopes, "Parse issue: the scopes of %.100q in security[%d] are not of type `array` of texts",
					name, i)
			}
			all = append(all, requirement{name, scopes})
		}
	}
	return all
}

// scheming is the name that was likely meant to be a requirement.
func scheming(element value) string {
	if name := element.text(); name != "" {
		return strings.ToValidUTF8(name[:min(len(name), 100)], "")
	}
	return "SCHEME"
}

func noScope(n *doctree.Node) bool { return n.Kind != doctree.Text || n.Text == "" }

// security decides who may call: by the operation's own list, or the document's, which applies to
// operations without one although the guide says that it doesn't.
func (r *reader) security(at place) {
	at.route.Auth = definition.Auth{Type: definition.AuthNone}
	own := at.op.get("security")
	all := r.forAll
	if own.given() {
		all = r.requirements(own)
	}
	for _, q := range all {
		r.require(at, q)
	}
	if auth := at.op.get(authExtension); auth.given() {
		r.ownAuth(at, auth, own.given() && at.route.Auth.Type != definition.AuthNone)
	}
}

// ownAuth is the operation's extension, which replaces the authorizer. contradicted says that the
// operation's own list names one.
func (r *reader) ownAuth(at place, auth value, contradicted bool) {
	replaced := at.route.Auth
	kind := auth.get("type").text()
	if _, unknown := definition.UnknownIn(kind); !unknown {
		kind = strings.ToUpper(kind)
	}
	at.route.Auth = definition.Auth{Type: kind}
	switch t := at.route.Auth.Type; {
	case t == definition.AuthNone && contradicted:
		r.fail(auth, "%s: want no %s of the type NONE beside a security list that protects: one of them is wrong",
			at.put("authorization"), authExtension)
	case t == definition.AuthNone:
	case t != definition.AuthIAM:
		r.note(definition.Unsupported, auth, at.key, "write AWS_IAM or NONE",
			"%s has the type %.40q, which nothing can decide: the route refuses", authExtension, t)
	case contradicted && replaced.Authorizer != "":
		r.note(definition.Differs, auth, at.key, "leave one",
			"%s says AWS_IAM: the authorizer %.100q isn't asked", authExtension, replaced.Authorizer)
	}
}

// require adds what one requirement asks. The first authorizer decides; a key may stand beside it,
// in one requirement or in another. What protects nothing is served as it is on the managed
// gateway, open, and definition.Bindings.Strict refuses it.
func (r *reader) require(at place, q requirement) {
	s, defined := r.scheme(q.name)
	switch {
	case !defined && (q.name == "NONE" || q.name == "api_key_false"):
		// Names that the translator of templates writes to keep a default away.
	case !defined:
		r.note(definition.Unsupported, q.scopes, at.key, "define the scheme, or take the name out",
			"the security scheme %.100q isn't defined, and protects nothing%s", q.name, nearest.Hint(q.name,
				r.schemeNames()))
	case s.key && r.rest:
		at.route.APIKeyRequired = true
	case s.key:
		r.note(definition.Unsupported, q.scopes, at.key, "give the route an authorizer",
			"HTTP APIs have no API keys: the scheme %.100q protects nothing", q.name)
	case s.auth == "":
		r.note(definition.Unsupported, q.scopes, at.key,
			"give the scheme an "+authorizerExtension+", or write type: apiKey, in: header, name: x-api-key for a key",
			"the security scheme %.100q has no authorizer: it protects nothing, on the managed gateway neither", q.name)
	case at.route.Auth.Type == definition.AuthNone:
		at.route.Auth = definition.Auth{Type: s.auth, Scopes: q.scopes.texts()}
		if s.auth != definition.AuthIAM {
			at.route.Auth.Authorizer = q.name
		}
	case r.rest:
		r.note(definition.Differs, q.scopes, at.key, "leave one",
			"of several authorizers the first decides, %.100q doesn't", q.name)
	default:
		r.fail(q.scopes, "Unable to create route '%s': want one authorizer, got several", at.key)
	}
}

// scheme is the document's of that name, or, where that protects nothing, the authorizer of the
// API that the document is merged into.
func (r *reader) scheme(name string) (s *scheme, defined bool) {
	s, defined = r.schemes[name]
	a := r.api.Authorizers[name]
	if a == nil || defined && (s.auth != "" || s.key) {
		return s, defined
	}
	return &scheme{auth: authOf(a)}, true
}

// authOf is the authorization type of the routes that an authorizer is for.
func authOf(a *definition.Authorizer) string {
	switch a.Type {
	case definition.TypeToken, definition.TypeRequest:
		return definition.AuthCustom
	case definition.TypeCognito:
		return definition.AuthCognito
	}
	return a.Type // of JWT it is the same word
}

func (r *reader) schemeNames() func(yield func(string) bool) {
	names := slices.Collect(maps.Keys(r.schemes))
	for name := range r.api.Authorizers {
		if r.schemes[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Values(names)
}
