package definition

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/transform/validate"
)

// open reports whether a route lets everybody in, because the document says so.
func (r *Route) open() bool {
	return r.Auth.Type == AuthNone && r.Auth.Authorizer == "" && len(r.Auth.Scopes) == 0 && !r.APIKeyRequired
}

// addRoute adds a route to a stage. One whose rules can't be built refuses every request, and one
// whose integration can't be, those that its rules let through. Without a place among the others
// nothing refuses: requests for it go to what else matches them. So a route that isn't open has a
// place, or the whole stage is refused for what is returned.
func (s *stageBuilder) addRoute(api *route.API, key string, r *Route) *problem {
	rules, p := s.rules(key, r)
	var x *accesslog.Execution
	if p == nil {
		x, p = s.executionLog(key, r)
	}
	var h http.Handler
	if p != nil {
		rules, h = nil, refuseFor(p)
		s.refuseRoute(key, p)
	} else if h, p = s.answering(key, r, x); p != nil {
		s.refuseRoute(key, p)
	}
	if x != nil {
		rules = append([]gatekit.Middleware{x.Method}, rules...)
	}
	if err := api.Add(key, h, rules...); err != nil {
		p := asProblem("the route can't be served", err)
		if _, unknown := digest(key); unknown != "" {
			p = unknownValue("the route's key", unknown)
		}
		s.refuseRoute(key, p)
		if !r.open() {
			q := *p
			q.what = "nothing of the stage " + s.name + " is served, as the route " + key +
				" isn't for everybody and has no place: " + p.what
			return q.at(r.Origin)
		}
	}
	return nil
}

// protectedFirst returns the keys of the API's routes in the order in which they get their places:
// of two that match the same requests the one that isn't open.
func (s *stageBuilder) protectedFirst() []string {
	keys := sortedKeys(s.api.Routes)
	slices.SortStableFunc(keys, func(a, b string) int {
		if s.api.Routes[a].open() == s.api.Routes[b].open() {
			return 0
		}
		if s.api.Routes[b].open() {
			return -1
		}
		return 1
	})
	return keys
}

// rules are the stations that say who may call a route and how often, or why they can't be built.
func (s *stageBuilder) rules(key string, r *Route) (rules []gatekit.Middleware, p *problem) {
	if r.Operation != "" {
		name, err := route.OperationName(r.Operation)
		if err != nil {
			s.differs(key, r.Origin, err.Error(), correctIt)
		} else {
			rules = append(rules, name)
		}
	}
	if r.ResourceID != "" {
		id, err := route.ResourceID(r.ResourceID)
		if err != nil {
			s.differs(key, r.Origin, err.Error(), correctIt)
		} else {
			rules = append(rules, id)
		}
	}
	guard, p := s.guard(key, r)
	if p != nil {
		return nil, p
	}
	if guard != nil {
		rules = append(rules, guard)
	}
	if r.APIKeyRequired {
		keys, p := s.keys()
		if p != nil {
			return nil, p
		}
		rules = append(rules, keys)
	}
	if s.api.Flavor == FlavorREST {
		rules = append(rules, s.limits.Middleware, s.payload)
	}
	if s.api.Flavor == FlavorREST && r.Validator != nil && (r.Validator.Body || r.Validator.Parameters) {
		v, p := s.validator(r)
		if p != nil {
			return nil, p
		}
		rules = append(rules, v.Middleware)
	}
	return rules, nil
}

// guard is the station that says who may call a route. nil lets everybody in, because the document
// says so.
func (s *stageBuilder) guard(key string, r *Route) (gatekit.Middleware, *problem) {
	if _, unknown := digest(r.Auth); unknown != "" {
		return nil, unknownValue("who may call it", unknown)
	}
	if err := auth.CheckScopes(r.Auth.Scopes...); err != nil {
		return nil, asProblem("its scopes can't be used", err)
	}
	var a auth.Authorizer
	switch r.Auth.Type {
	case AuthNone:
		if r.Auth.Authorizer != "" || len(r.Auth.Scopes) > 0 {
			return nil, unsupportedf("say its type, or take authorizer and scopes out",
				"it names an authorizer or scopes, and its authorization type is NONE")
		}
		if s.policy == nil {
			return nil, nil
		}
		return s.policy.Middleware, nil
	case AuthIAM:
		if s.sigv4 == nil {
			return nil, unboundf("set Bindings.Credentials", "nobody knows the keys of callers who sign (AWS_IAM)")
		}
		a = s.sigv4
	case AuthCustom, AuthCognito, AuthJWT:
		made, p := s.authorizer(r.Auth.Type, r.Auth.Authorizer)
		if p != nil {
			return nil, p
		}
		a = auth.Named(r.Auth.Authorizer, made)
	default:
		return nil, unsupportedf("say who may call it", "the authorization type %q isn't known", r.Auth.Type)
	}
	if len(r.Auth.Scopes) > 0 && slices.Contains([]string{AuthIAM, AuthCustom}, r.Auth.Type) {
		s.differs(key, r.Origin, "scopes are asked for with the authorization type "+r.Auth.Type+
			", which gives none: nobody is let in", "take the scopes out")
	}
	if s.policy != nil {
		a = s.policy.With(a)
	}
	return auth.Require(a, r.Auth.Scopes...), nil
}

// validator judges requests by the route's models and parameters.
func (s *stageBuilder) validator(r *Route) (*validate.Validator, *problem) {
	config := validate.Config{
		ValidateBody: r.Validator.Body, ValidateParameters: r.Validator.Parameters,
		RequestParameters: r.RequestParameters,
	}
	if _, unknown := digest(r.RequestParameters, r.RequestModels); unknown != "" {
		return nil, unknownValue("what is validated", unknown)
	}
	if r.Validator.Body && len(r.RequestModels) > 0 {
		models, p := s.models.of(r.RequestModels)
		if p != nil {
			return nil, p
		}
		config.RequestModels, config.Models = r.RequestModels, models
	}
	v, err := validate.New(config)
	return v, asProblem("requests can't be validated", err)
}

// answering is what answers those whom a route's rules let through. Where it can't be built, it is
// a refusal, and p says why.
func (s *stageBuilder) answering(key string, r *Route, x *accesslog.Execution) (h http.Handler, p *problem) {
	if r.Integration == nil {
		p = unsupportedf("give the route an integration", "the route has no integration")
		return refuseFor(p), p
	}
	called, p := s.called(key, r)
	if called == nil && (p != nil || r.Integration.Target.Kind != KindMock) {
		return refuseFor(p), p
	}
	mapped, mapping := s.mapped(key, r, s.observed(x, &r.Integration.Target, called))
	if mapping != nil {
		return refuseFor(mapping), mapping
	}
	if s.cache == nil {
		return mapped, p
	}
	kept, cannot := s.keeping(key, r)
	if cannot != nil {
		return refuseFor(cannot), cannot
	}
	return kept(mapped), p
}

// keeping keeps a route's answers as its integration says, if the stage's settings do.
func (s *stageBuilder) keeping(key string, r *Route) (gatekit.Middleware, *problem) {
	i := r.Integration
	rule := cache.Route{Key: i.CacheKeys, Namespace: i.CacheNamespace, Methods: s.cachedMethods(key)}
	// Named by what it is, so that after a change nothing is given that another integration
	// answered. What it calls may be said by stage variables and resources.
	if rule.Namespace == "" {
		sum, _ := digest(r, s.api.BinaryMediaTypes)
		rule.Namespace = key + " " + sum
	}
	said, _ := digest(s.variables, s.resourcesSum)
	rule.Namespace += " " + said
	mw, err := s.cache.Keep(rule)
	return mw, asProblem("answers can't be kept", err)
}

// cachedMethods are the methods whose answers the stage keeps on a route: GET, and those that have
// a setting of their own.
func (s *stageBuilder) cachedMethods(key string) []string {
	methods := []string{http.MethodGet}
	_, path, _ := strings.Cut(key, " ")
	for _, m := range s.stage.MethodSettings {
		if m.Caching && m.Method != "*" && m.Method != "ANY" && sameResource(m.Path, path) {
			methods = append(methods, m.Method)
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}
