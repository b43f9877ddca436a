package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

const (
	authorizerExtension = "x-amazon-apigateway-authorizer"
	authtypeExtension   = "x-amazon-apigateway-authtype"
	authExtension       = "x-amazon-apigateway-auth"
)

// scheme is what a security scheme asks of a route that names it.
type scheme struct {
	value
	auth string // the authorization type; "" for none
	key  bool   // an API key
}

// readSchemes makes the authorizers, also those that nothing uses.
func (r *reader) readSchemes() {
	for _, place := range []value{r.root.get("securityDefinitions"), r.root.get("components").get("securitySchemes")} {
		for name, v := range place.members() {
			if v = r.deref(v); !v.is(doctree.Map) {
				continue
			}
			r.extensions(v, schemeExtensions)
			s := &scheme{value: v}
			r.schemes[name] = s
			switch a := v.get(authorizerExtension); {
			case a.given():
				s.auth = r.authorizer(name, v, r.deref(a))
			case strings.EqualFold(v.get(authtypeExtension).text(), "awsSigv4"):
				s.auth = definition.AuthIAM
			case v.get("type").text() == "apiKey" && strings.EqualFold(v.get("name").text(), "x-api-key") &&
				(!v.get("in").given() || v.get("in").text() == "header"):
				s.key = true
			}
		}
	}
}

// authorizer reads one, and returns the authorization type of the routes that it is for.
func (r *reader) authorizer(name string, s, v value) (auth string) {
	a := &definition.Authorizer{Origin: r.origin(v), Credentials: v.get("authorizerCredentials").text(),
		IdentityValidation: v.get("identityValidationExpression").text()}
	put(&r.api.Authorizers, name, a)
	a.Type = strings.ToUpper(v.get("type").text())
	switch kind := a.Type; {
	case r.rest && kind == definition.TypeToken, r.rest && kind == definition.TypeCognito:
		// Where it stands is the scheme's to say: identitySource isn't for these types.
		if header := s.get("name").text(); header != "" {
			a.IdentitySource = []string{"method.request.header." + header}
		}
		auth = definition.AuthCognito
		a.Providers = v.get("providerARNs").texts()
		if kind == definition.TypeToken {
			auth, a.Providers = definition.AuthCustom, nil
		}
	case kind == definition.TypeRequest:
		auth, a.IdentitySource = definition.AuthCustom, commaList(v.get("identitySource"))
		if !r.rest {
			a.PayloadFormat = payloadFormat(v.get("authorizerPayloadFormatVersion").text())
			a.SimpleResponses = v.get("enableSimpleResponses").truth()
		}
	case !r.rest && kind == definition.TypeJWT:
		auth = definition.AuthJWT
		a.IdentitySource = commaList(v.get("identitySource"))
		config := v.get("jwtConfiguration")
		a.Issuer, a.Audience = config.get("issuer").text(), config.get("audience").texts()
		if a.Issuer == "" {
			a.IssuerURL = s.get("openIdConnectUrl").text()
		}
		if a.Issuer == "" && a.IssuerURL == "" {
			r.fail(v, "Unable to create authorizer '%s': want an issuer in jwtConfiguration", name)
		}
	default:
		r.fail(v, "Unable to create authorizer '%s': Invalid authorizer type specified: %s", name, v.get("type").text())
		return a.Type
	}
	r.authorizerFunction(name, v, a)
	return auth
}

func (r *reader) authorizerFunction(name string, v value, a *definition.Authorizer) {
	if ttl := v.get("authorizerResultTtlInSeconds"); ttl.given() {
		seconds, err := strconv.Atoi(ttl.text())
		if err != nil || seconds < 0 || seconds > 3600 {
			r.fail(ttl,
				"Unable to create authorizer '%s': Authorizer result TTL should be between 0 and 3600 seconds", name)
		}
		a.TTL = &seconds
	}
	if a.Type != definition.TypeToken && a.Type != definition.TypeRequest {
		return
	}
	uri := v.get("authorizerUri")
	t, err := awsTarget(uri.text(), r.rest)
	unknown := r.unknown(uri, "")
	switch {
	case err != nil && unknown:
		t = definition.Target{Kind: definition.KindOther, URI: uri.text()}
	case err != nil || t.Kind != definition.KindLambda:
		r.fail(uri.or(v), "Unable to create authorizer '%s': Invalid Authorizer URI: %s", name, uri.text())
	case t.Name == "" && !unknown:
		r.note(definition.UnknownValue, uri, "", "bind the function by this text", "%.200q is no function's ARN", t.URI)
	}
	a.Target = &t
}

func payloadFormat(text string) string {
	if text == "1" || text == "2" {
		return text + ".0"
	}
	return text
}

// commaList is a list, or text with commas: both are seen.
func commaList(v value) (all []string) {
	for _, text := range v.texts() {
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// security decides who may call: by the operation's own list, or the document's, which applies to
// operations without one although the guide says that it doesn't.
func (r *reader) security(at place) {
	at.route.Auth = definition.Auth{Type: definition.AuthNone}
	list := at.op.get("security")
	if !list.given() {
		list = r.root.get("security")
	}
	if list.given() && !list.is(doctree.List) {
		r.fail(list, "Parse issue: attribute security is not of type `array`")
		return
	}
	if list.given() {
		for i := range list.Items {
			for name, scopes := range list.item(i).members() {
				r.requirement(at, name, scopes)
			}
		}
	}
	auth := at.op.get(authExtension)
	if !auth.given() {
		return
	}
	kind := auth.get("type").text()
	if _, unknown := definition.UnknownIn(kind); !unknown {
		kind = strings.ToUpper(kind)
	}
	at.route.Auth = definition.Auth{Type: kind}
	if t := at.route.Auth.Type; t != definition.AuthIAM && t != definition.AuthNone {
		r.note(definition.Unsupported, auth, at.key, "write AWS_IAM or NONE",
			"%s has the type %.40q, which nothing can decide: the route refuses", authExtension, t)
	}
}

// requirement is one name of a security list. The first authorizer decides; a key may stand beside
// it, in one requirement or in another.
func (r *reader) requirement(at place, name string, scopes value) {
	s, defined := r.schemes[name]
	switch {
	case !defined && (name == "NONE" || name == "api_key_false"):
		// Names that the translator of templates writes to keep a default away.
	case !defined:
		r.note(definition.Warning, scopes, at.key, "define the scheme, or take the name out",
			"the security scheme %.100q isn't defined, and protects nothing%s", name, nearest.Hint(name,
				r.schemeNames()))
	case s.key && r.rest:
		at.route.APIKeyRequired = true
	case s.key:
		r.note(definition.Warning, scopes, at.key, "",
			"HTTP APIs have no API keys: the scheme %.100q protects nothing", name)
	case s.auth == "":
		r.note(definition.Warning, scopes, at.key, "give the scheme an "+authorizerExtension,
			"the security scheme %.100q has no authorizer: it protects nothing, on the managed gateway neither", name)
	case at.route.Auth.Type == definition.AuthNone:
		at.route.Auth = definition.Auth{Type: s.auth, Scopes: scopes.texts()}
		if s.auth != definition.AuthIAM {
			at.route.Auth.Authorizer = name
		}
	case r.rest:
		r.note(definition.Differs, scopes, at.key, "leave one",
			"of several authorizers the first decides, %.100q doesn't", name)
	default:
		r.fail(scopes, "Unable to create route '%s': want one authorizer, got several", at.key)
	}
}

func (r *reader) schemeNames() func(yield func(string) bool) {
	names := make([]string, 0, len(r.schemes))
	for name := range r.schemes {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Values(names)
}
