package openapi

import (
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
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
			if v = r.reference(v); v.Node != nil && !v.is(doctree.Map) {
				r.fail(v, "Parse issue: the security scheme %.100q is not of type `object`", name)
				continue
			}
			r.known(v, &schemeMembers, name)
			s := &scheme{value: v}
			r.schemes[name] = s
			switch a := v.get(authorizerExtension); {
			case a.given():
				s.auth = r.authorizer(name, v, r.reference(a))
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
	r.known(v, &authorizerMembers, name)
	r.known(v.get("jwtConfiguration"), &jwtMembers, name)
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
			a.SimpleResponses = r.truth(v.get("enableSimpleResponses"))
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
