package definition

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
)

// authorizer makes one of the API's authorizers, or says why it can't be. One object serves all
// routes that name it, so that they share its cache.
func (s *stageBuilder) authorizer(kind, name string) (auth.Authorizer, *problem) {
	a := s.api.Authorizers[name]
	if a == nil {
		return nil, unsupportedf("add the authorizer", "the authorizer %q isn't there", name)
	}
	if _, unknown := digest(a); unknown != "" {
		return nil, unknownValue("the authorizer "+name, unknown).at(a.Origin)
	}
	made, p := s.anAuthorizer(kind, name, a)
	return made, p.at(a.Origin)
}

func (s *stageBuilder) anAuthorizer(kind, name string, a *Authorizer) (auth.Authorizer, *problem) {
	fits := map[string][]string{
		AuthCustom: {TypeToken, TypeRequest}, AuthCognito: {TypeCognito}, AuthJWT: {TypeJWT},
	}
	if !slices.Contains(fits[kind], a.Type) {
		return nil, unsupportedf(correctIt, "the authorizer %q is of type %q, for a route of type %s",
			name, a.Type, kind)
	}
	switch a.Type {
	case TypeCognito:
		return s.cognito(name, a)
	case TypeJWT:
		return s.jwt(name, a)
	}
	return s.lambdaAuthorizer(name, a)
}

// lambdaAuthorizer is one of type TOKEN or REQUEST.
func (s *stageBuilder) lambdaAuthorizer(name string, a *Authorizer) (auth.Authorizer, *problem) {
	if a.Target == nil || a.Target.Kind != KindLambda {
		return nil, unsupportedf("give it a function", "the authorizer %q has no function that can be called", name)
	}
	f, ref, p := s.function(a.Target)
	if p != nil {
		return nil, p
	}
	config := auth.LambdaConfig{Type: a.Type, Logger: s.log}
	config.IdentitySource = a.IdentitySource
	http := s.api.Flavor == FlavorHTTP
	if http {
		config.PayloadFormatVersion, config.EnableSimpleResponses = a.PayloadFormat, a.SimpleResponses
	}
	if a.Type == TypeToken {
		config.IdentityValidationExpression = a.IdentityValidation
	}
	switch {
	case a.TTL != nil && *a.TTL > 0:
		config.TTL = time.Duration(*a.TTL) * time.Second
	case a.TTL != nil, http, a.Type == TypeRequest && len(a.IdentitySource) == 0:
		config.TTL = auth.Off // HTTP APIs keep no decisions unless told to, nor does anybody for nothing
	}
	sum, _ := digest(a, ref)
	made, err := keep(s.builder, s.pooled("authorizer", name, sum),
		func(context.Context) (*auth.Lambda, error) { return auth.NewLambda(f, config) })
	if err != nil {
		return nil, asProblem("the authorizer "+name+" can't be used", err)
	}
	return made, nil
}

// jwt is the JWT authorizer of an HTTP API, or the one of REST APIs, which has several issuers.
func (s *stageBuilder) jwt(name string, a *Authorizer) (auth.Authorizer, *problem) {
	switch {
	case s.api.Flavor == FlavorWebSocket, s.api.Flavor == FlavorHTTP && len(a.Issuers) > 0:
		return nil, unsupportedf("use an authorizer that it has", "%s APIs have no such JWT authorizers", s.api.Flavor)
	case len(a.IdentitySource) > 1:
		return nil, unsupportedf("name one", "the JWT authorizer %q has several identity sources", name)
	}
	issuers := a.Issuers
	if len(issuers) == 0 {
		issuer := cmp.Or(a.Issuer, strings.TrimSuffix(a.IssuerURL, "/.well-known/openid-configuration"))
		issuers = []*Issuer{{Issuer: issuer, Audience: a.Audience}}
	}
	var all []*auth.JWT
	for _, issuer := range issuers {
		one, p := s.oneIssuer(name, a, issuer)
		if p != nil {
			return nil, p
		}
		all = append(all, one)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	made, err := auth.ByIssuer(all...)
	return made, asProblem("the authorizer "+name+" can't be used", err)
}

func (s *stageBuilder) oneIssuer(name string, a *Authorizer, from *Issuer) (*auth.JWT, *problem) {
	bound, p := s.issuer(s.issuerRef(from.Issuer))
	if p != nil {
		return nil, p
	}
	config := auth.JWTConfig{
		Issuer: cmp.Or(bound.URL, from.Issuer), Audience: from.Audience, Algorithms: from.Algorithms,
		JWKSURL: cmp.Or(bound.JWKSURL, from.JWKSURL), JWKS: bound.JWKS,
		HTTPClient: bound.HTTPClient, Leeway: bound.Leeway, RefreshInterval: bound.RefreshInterval,
		StartWithoutKeys: !bound.WaitForKeys, Logger: s.log,
	}
	if len(a.IdentitySource) == 1 {
		config.IdentitySource = a.IdentitySource[0]
	}
	if config.JWKS != nil || bound.JWKSURL == "" && bound.URL != "" {
		config.JWKSURL = "" // the binding's, and its issuer's own
	}
	for _, c := range from.Claims {
		config.AdditionalClaims = append(config.AdditionalClaims, auth.AdditionalClaim{
			ClaimName: c.Name, ExpectedValues: c.Values, Optional: !c.Required,
		})
	}
	sum, _ := digest(a, from, config.Issuer, config.JWKSURL, config.JWKS)
	made, err := keep(s.builder, s.pooled("authorizer", name, sum),
		func(ctx context.Context) (*auth.JWT, error) { return auth.NewJWT(ctx, config) })
	if err != nil {
		return nil, asProblem("the authorizer "+name+" can't be used", err)
	}
	return made, nil
}

// cognito is the authorizer of user pools.
func (s *stageBuilder) cognito(name string, a *Authorizer) (auth.Authorizer, *problem) {
	config := auth.CognitoConfig{
		IdentityValidationExpression: a.IdentityValidation, Issuers: map[string]string{}, Logger: s.log,
		StartWithoutKeys: true,
	}
	if len(a.IdentitySource) > 1 {
		return nil, unsupportedf("name one", "the authorizer %q has several identity sources", name)
	}
	if len(a.IdentitySource) == 1 {
		config.IdentitySource = a.IdentitySource[0]
	}
	for i, provider := range a.Providers {
		ref := s.ref(provider, "", "", "")
		if strings.HasPrefix(provider, "arn:") {
			ref = s.ref("", "", provider, "")
		}
		bound, p := s.issuer(ref)
		if p != nil {
			return nil, p
		}
		pool := ref.ARN
		if bound.URL != "" && !strings.Contains(pool, ":userpool/") {
			pool = poolARN(provider) // nobody's but the binding's
		}
		if bound.URL != "" {
			config.Issuers[pool] = bound.URL
		}
		config.UserPools = append(config.UserPools, pool)
		if i > 0 && (config.HTTPClient != bound.HTTPClient || config.Leeway != bound.Leeway ||
			config.RefreshInterval != bound.RefreshInterval) {
			return nil, unsupportedf("bind them alike",
				"the user pools of the authorizer %q are bound with different HTTPClient, Leeway or RefreshInterval",
				name)
		}
		config.HTTPClient, config.Leeway, config.RefreshInterval = bound.HTTPClient, bound.Leeway, bound.RefreshInterval
		config.StartWithoutKeys = config.StartWithoutKeys && !bound.WaitForKeys
	}
	sum, _ := digest(a, config.UserPools, config.Issuers)
	made, err := keep(s.builder, s.pooled("authorizer", name, sum),
		func(ctx context.Context) (*auth.Cognito, error) { return auth.NewCognito(ctx, config) })
	if err != nil {
		return nil, asProblem("the authorizer "+name+" can't be used", err)
	}
	return made, nil
}

// poolARN makes an ARN for a user pool of which only a name is known.
func poolARN(name string) string {
	id := (&API{ID: name}).Identifier()
	return "arn:aws:cognito-idp:" + DefaultRegion + ":" + DefaultAccount + ":userpool/" + DefaultRegion + "_" + id
}

// issuerRef is what is known of an issuer's names: of one that is a user pool, the pool's, too.
func (b *builder) issuerRef(issuer string) Ref {
	ref := Ref{}
	host, pool, _ := strings.Cut(strings.TrimPrefix(issuer, "https://"), "/")
	if strings.HasPrefix(host, "cognito-idp.") && pool != "" {
		ref = b.ref("", pool, "", "")
	}
	ref.Also = append(ref.Also, issuer)
	return ref
}

// issuer is what an issuer or user pool is bound to.
func (b *builder) issuer(ref Ref) (IssuerBinding, *problem) {
	bound, ok, err := b.look.issuers.find(ref)
	b.fault(err)
	if !ok {
		return bound, unboundf(b.look.issuers.hint(ref)+"; an empty binding fetches its keys from where it says",
			"nothing says where the keys of the issuer %s are", ref)
	}
	return bound, nil
}

// function is what a target's function is bound to. Its names may depend on stage variables.
func (s *stageBuilder) function(t *Target) (gatekit.Invoker, Ref, *problem) {
	r := *t
	for _, field := range []*string{&r.Function, &r.Name, &r.ARN, &r.Qualifier} {
		var missing string
		if *field, missing = s.withVariables(*field); missing != "" {
			return nil, Ref{}, &problem{severity: UnknownValue,
				what: "the function " + cmp.Or(r.ARN, r.Name, r.Function) + " is named by the stage variable " +
					missing + ", which stage " + s.name + " lacks", do: "add the variable"}
		}
	}
	ref := s.ref(r.Function, r.Name, r.ARN, r.Qualifier)
	if ref.String() == "" {
		ref.Also = []string{r.URI}
	}
	f, ok, err := s.look.functions.find(ref)
	s.fault(err)
	if !ok || f == nil {
		return nil, ref, unboundf(s.look.functions.hint(ref), "the function %s isn't bound", ref)
	}
	return f, ref, nil
}

// withVariables fills in ${stageVariables.NAME}, or returns the name of a variable that isn't
// there.
func (s *stageBuilder) withVariables(text string) (out, missing string) {
	for {
		before, rest, found := strings.Cut(text, "${stageVariables.")
		out += before
		name, behind, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return out, ""
		}
		value, ok := s.variables[name]
		if !ok {
			return text, name
		}
		out += value
		text = behind
	}
}

// noFunction is called where the document's function isn't bound: it fails as one that isn't there.
type noFunction struct{ err error }

func (f noFunction) Invoke(context.Context, []byte) ([]byte, error) { return nil, f.err }
