package definition

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/throttle"
)

// stageBuilder makes one stage of an HTTP or REST API, or its canary.
type stageBuilder struct {
	*apiBuilder
	name      string
	stage     *Stage
	variables map[string]string
	settings  map[string]gatekit.MethodSettings
	throttle  gatekit.Middleware // of an HTTP stage
	cache     *cache.Cache       // nil: none

	executions io.Writer // where execution logs go; nil: there are none
}

// buildStages makes all stages and the handler of the API's own host.
func (a *apiBuilder) buildStages(names []string, stages map[string]*Stage) {
	var all []route.Stage
	for _, name := range names {
		s := &stageBuilder{apiBuilder: a, name: name, stage: stages[name], variables: stages[name].Variables}
		made, p := s.build()
		if p != nil {
			p = p.at(s.stage.Origin).at(a.api.Origin)
			a.refuseAll(p)
			if made, p = s.refusing(p); p != nil { // a name that no path can have
				continue
			}
		}
		all = append(all, made)
	}
	if len(all) == 0 {
		return // each has said why
	}
	set, err := route.NewStages(all...)
	if err != nil {
		a.refuseAll(asProblem("the stages can't be used", err).at(a.api.Origin))
		return
	}
	a.stages[stageName{a.api.ID, ""}] = set
	for _, s := range all {
		if h, err := set.Handler(s.Name); err == nil {
			a.stages[stageName{a.api.ID, s.Name}] = h
		}
	}
}

// refusing is a stage that refuses everything.
func (s *stageBuilder) refusing(p *problem) (route.Stage, *problem) {
	api, err := s.newRoutes(nil, nil)
	if err != nil {
		return route.Stage{}, asProblem("the API can't be used", err)
	}
	api.Use(func(http.Handler) http.Handler { return refuseFor(p) })
	made := route.Stage{Name: s.name, API: api}
	_, err = route.NewStages(made)
	return made, asProblem("the stage can't be used", err)
}

// build makes the stage, or says why it can't be served.
func (s *stageBuilder) build() (made route.Stage, p *problem) {
	stage := s.stage
	if s.closed != nil {
		return made, s.closed
	}
	if _, unknown := digest(s.name, stage.Variables, stage.Canary, stage.MethodSettings, stage.Throttle,
		stage.RouteThrottle, stage.WebACL, stage.Cache); unknown != "" {
		return made, unknownValue("the stage "+s.name, unknown)
	}
	if s.settings, p = s.methodSettings(); p != nil {
		return made, p
	}
	if s.throttle, p = s.buildThrottle(); p != nil {
		return made, p
	}
	if p = s.buildCache(); p != nil {
		return made, p
	}
	acl, p := s.webACL()
	if p != nil {
		return made, p
	}
	log, p := s.accessLog()
	if p != nil {
		return made, p
	}
	s.findExecutionLog()
	s.stageNotDone()
	made = route.Stage{
		Name: s.name, Variables: stage.Variables, MethodSettings: s.settings, Deployment: stage.Deployment,
	}
	if made.API, p = s.routesFor(log, acl); p != nil {
		return made, p
	}
	if c := stage.Canary; c != nil {
		made.Canary = &route.Canary{Percent: c.Percent, Variables: c.Overrides, Deployment: c.Deployment}
		if s.namesFunctionsByVariables() {
			canary := *s
			canary.variables = merged(stage.Variables, c.Overrides)
			if made.Canary.API, p = canary.routesFor(log, acl); p != nil {
				return made, p
			}
		}
	}
	_, err := route.NewStages(made)
	return made, asProblem("the stage "+s.name+" can't be used", err)
}

// routesFor makes the routes of the stage, or of its canary.
func (s *stageBuilder) routesFor(log, acl gatekit.Middleware) (*route.API, *problem) {
	api, err := s.newRoutes(log, acl)
	if err != nil {
		return nil, asProblem("the API can't be used", err)
	}
	if s.throttle != nil {
		api.UseMatched(s.throttle)
	}
	for _, key := range s.protectedFirst() {
		if p := s.addRoute(api, key, s.api.Routes[key]); p != nil {
			return nil, p
		}
	}
	return api, nil
}

// namesFunctionsByVariables reports whether a function's name depends on a stage variable: then the
// canary, which may have another, has handlers of its own.
func (s *stageBuilder) namesFunctionsByVariables() bool {
	targets := func(yield func(*Target) bool) {
		for _, r := range s.api.Routes {
			if r.Integration != nil && !yield(&r.Integration.Target) {
				return
			}
		}
		for _, auth := range s.api.Authorizers {
			if auth.Target != nil && !yield(auth.Target) {
				return
			}
		}
	}
	for t := range targets {
		if t.Kind == KindLambda && strings.Contains(t.Function+t.Name+t.ARN+t.Qualifier, "${stageVariables.") {
			return true
		}
	}
	return false
}

// webACL is the stage's web ACL. A stage that is to have one isn't served without.
func (s *stageBuilder) webACL() (gatekit.Middleware, *problem) {
	if s.stage.WebACL == "" {
		return nil, nil
	}
	ref := s.ref(s.stage.WebACL, "", "", "")
	if strings.HasPrefix(s.stage.WebACL, "arn:") {
		ref = s.ref("", "", s.stage.WebACL, "")
	}
	acl, ok, err := s.look.webACLs.find(ref)
	s.fault(err)
	if !ok || acl == nil {
		return nil, unboundf(s.look.webACLs.hint(ref), "the web ACL %s of stage %s isn't bound", ref, s.name)
	}
	return acl, nil
}

// stageNotDone reports what the stage says that isn't done.
func (s *stageBuilder) stageNotDone() {
	for _, d := range []struct {
		is       bool
		what, do string
	}{
		{s.stage.Canary != nil && s.stage.Canary.UseStageCache,
			"the canary of stage " + s.name + " has a cache of its own", ""},
	} {
		if d.is {
			s.differs("", s.stage.Origin, d.what, d.do)
		}
	}
}

// buildThrottle makes the limits of an HTTP stage. (A REST stage's are in its method settings.)
func (s *stageBuilder) buildThrottle() (gatekit.Middleware, *problem) {
	if s.api.Flavor == FlavorREST {
		if s.stage.Throttle != nil || len(s.stage.RouteThrottle) > 0 {
			return nil, unsupportedf("use method_settings", "stages of REST APIs have no route throttles")
		}
		return nil, nil
	}
	config := throttle.StageConfig{Account: s.account}
	if t := s.stage.Throttle; t != nil {
		config.Default = limitOf(t.Rate, t.Burst)
	}
	for _, key := range slices.Sorted(maps.Keys(s.stage.RouteThrottle)) {
		if s.api.Routes[key] == nil {
			s.warn(key, s.stage.Origin, "stage "+s.name+" limits a route that there isn't", "take the limit out")
			continue
		}
		if t := s.stage.RouteThrottle[key]; t.Rate != nil || t.Burst != nil { // else the default's
			if config.Routes == nil {
				config.Routes = map[string]*throttle.Limit{}
			}
			config.Routes[key] = limitOf(t.Rate, t.Burst)
		}
	}
	sum, _ := digest(s.stage.Throttle, slices.Sorted(maps.Keys(config.Routes)), s.stage.RouteThrottle)
	limits, err := keep(s.builder, s.pooled("throttle", s.name, sum),
		func(context.Context) (*throttle.Stage, error) { return throttle.NewStage(config) })
	if err != nil {
		return nil, asProblem("the limits of stage "+s.name+" can't be used", err)
	}
	return limits.Middleware, nil
}

// buildCache makes the stage's cache, if it has one that is used.
func (s *stageBuilder) buildCache() *problem {
	used := slices.ContainsFunc(s.stage.MethodSettings, func(m *MethodSettings) bool { return m.Caching })
	if s.stage.Cache == "" || !used {
		return nil // without a cluster nothing is kept, whatever the settings say
	}
	config := cache.Config{Store: s.bindings.CacheStore, Logger: s.log}
	if s.sigv4 != nil {
		config.MayInvalidate = s.sigv4.MayInvalidateCache
	}
	var err error
	s.cache, err = keep(s.builder, s.pooled("cache", s.name, s.stage.Cache),
		func(ctx context.Context) (*cache.Cache, error) { return cache.New(ctx, config) })
	return asProblem("the cache of stage "+s.name+" can't be used", err)
}

// statusOf reads a status that is text.
func statusOf(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 200 && n <= 599
}

func corsConfig(c *CORS) cors.Config {
	config := cors.Config{
		AllowOrigins: c.Origins, AllowMethods: c.Methods, AllowHeaders: c.Headers, ExposeHeaders: c.ExposeHeaders,
		AllowCredentials: c.Credentials != nil && *c.Credentials,
	}
	if c.MaxAge != nil {
		config.MaxAge = cmp.Or(time.Duration(*c.MaxAge)*time.Second, -1)
	}
	return config
}
