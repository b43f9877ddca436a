package openapi

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// integration writes what a route calls.
func (w *writer) integration(i *definition.Integration) *object {
	o := (&object{}).must("type", strings.ToLower(i.Type)).set("httpMethod", i.Method)
	t := &i.Target
	o.set("uri", uriOf(t, w.api)).set("integrationSubtype", t.Subtype)
	if t.Kind == definition.KindPrivate && t.URI != "" {
		o.set("integrationTarget", cmp.Or(t.ARN, t.Resource))
	}
	if c := i.Connection; c != nil {
		o.set("connectionType", c.Type).set("connectionId", c.ID)
	}
	if i.TLS != nil {
		o.must("tlsConfig", (&object{}).set("insecureSkipVerification", i.TLS.SkipVerification).
			set("serverNameToVerify", i.TLS.ServerName))
	}
	o.set("credentials", i.Credentials).set("payloadFormatVersion", i.PayloadFormat).set("timeoutInMillis", i.Timeout)
	o.set("description", i.Description).set("responseTransferMode", i.Transfer)
	o.set("passthroughBehavior", strings.ToLower(i.Passthrough)).set("contentHandling", i.ContentHandling)
	o.set("requestParameters", i.RequestParameters).set("requestTemplates", i.RequestTemplates)
	o.set("cacheNamespace", i.CacheNamespace).set("cacheKeyParameters", i.CacheKeys)
	responses := &object{}
	for _, r := range i.Responses {
		if w.api.Flavor == definition.FlavorHTTP {
			o.sub("responseParameters").must(r.Status, r.Parameters)
			continue
		}
		responses.must(cmp.Or(r.Pattern, "default"), (&object{}).must("statusCode", r.Status).
			set("contentHandling", r.ContentHandling).set("responseParameters", r.Parameters).
			set("responseTemplates", r.Templates))
	}
	return o.set("responses", responses)
}

// security is a route's list, each scheme in a requirement of its own.
func (w *writer) security(key string, route *definition.Route) (all []any) {
	guarded := route.Auth.Type != definition.AuthNone && route.Auth.Type != definition.AuthIAM
	if name := route.Auth.Authorizer; (name != "" || guarded) && w.api.Authorizers[name] == nil {
		w.mistakes.Under("Routes").Key(key).Add("Auth", "want an authorizer of the API, got %q with the type %q",
			name, route.Auth.Type)
	}
	scopes := route.Auth.Scopes
	if scopes == nil {
		scopes = []string{}
	}
	switch {
	case route.Auth.Authorizer != "":
		all = append(all, (&object{}).must(route.Auth.Authorizer, scopes))
	case route.Auth.Type == definition.AuthIAM:
		if w.sigv4 == "" {
			w.sigv4 = w.free("sigv4")
			w.schemes.must(w.sigv4, header("Authorization").must(authtypeExtension, "awsSigv4"))
		}
		all = append(all, (&object{}).must(w.sigv4, scopes))
	}
	if route.APIKeyRequired {
		if w.key == "" {
			w.key = w.free("api_key")
			w.schemes.must(w.key, header("x-api-key"))
		}
		all = append(all, (&object{}).must(w.key, []string{}))
	}
	return all
}

// free is a name that no authorizer has.
func (w *writer) free(name string) string {
	for free, i := name, 2; ; free, i = name+strconv.Itoa(i), i+1 {
		if _, taken := w.api.Authorizers[free]; !taken {
			return free
		}
	}
}

func header(name string) *object {
	return (&object{}).must("type", "apiKey").must("name", name).must("in", "header")
}

func (w *writer) authorizers() {
	for _, name := range sorted(w.api.Authorizers) {
		a := w.api.Authorizers[name]
		if len(a.Issuers) > 0 || a.Type == definition.TypeJWT && w.api.Flavor == definition.FlavorREST {
			w.mistakes.Under("Authorizers").Key(name).Add("",
				"want one that a document can say: the JWT authorizers of REST APIs aren't")
		}
		scheme, x := &object{}, (&object{}).must("type", strings.ToLower(a.Type))
		switch a.Type {
		case definition.TypeJWT:
			if a.IssuerURL != "" {
				scheme.must("type", "openIdConnect").must("openIdConnectUrl", a.IssuerURL)
			} else {
				scheme.must("type", "oauth2").must("flows", &object{})
			}
			x.set("identitySource", strings.Join(a.IdentitySource, ","))
			x.set("jwtConfiguration", (&object{}).set("issuer", a.Issuer).set("audience", a.Audience))
		case definition.TypeRequest:
			scheme = header("Unused")
			x.set("identitySource", strings.Join(a.IdentitySource, ", "))
			x.set("authorizerPayloadFormatVersion", a.PayloadFormat).set("enableSimpleResponses", a.SimpleResponses)
		default:
			name := strings.TrimPrefix(strings.Join(a.IdentitySource, ""), "method.request.header.")
			scheme.must("type", "apiKey").set("name", name).must("in", "header")
			scheme.must(authtypeExtension, strings.ToLower(a.Type))
		}
		if a.Target != nil {
			x.must("authorizerUri", uriOf(a.Target, w.api))
		}
		x.set("authorizerCredentials", a.Credentials).set("identityValidationExpression", a.IdentityValidation)
		if a.TTL != nil {
			x.must("authorizerResultTtlInSeconds", *a.TTL)
		}
		w.schemes.must(name, scheme.must(authorizerExtension, x.set("providerARNs", a.Providers)))
	}
}
