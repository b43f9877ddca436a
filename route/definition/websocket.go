package definition

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

const connectKey, disconnectKey = "$connect", "$disconnect"

// buildWebSocket makes the stages of a WebSocket API.
func (a *apiBuilder) buildWebSocket(names []string, stages map[string]*Stage) {
	all := socketStages{}
	for _, name := range names {
		s := &stageBuilder{apiBuilder: a, name: name, stage: stages[name], variables: stages[name].Variables}
		h, p := s.sockets()
		if p != nil {
			p = p.at(s.stage.Origin).at(a.api.Origin)
			a.refuseAll(p)
			h = refuseFor(p)
		}
		all[name] = h
		a.stages[stageName{a.api.ID, name}] = h
	}
	a.stages[stageName{a.api.ID, ""}] = all
}

// socketStages are the stages of an API by the path's first segment.
type socketStages map[string]http.Handler

func (s socketStages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if h := s[first]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	gatekit.Reject(w, r, noStage)
}

// socketStage is a stage: its handshakes, and what backends send to its connections.
type socketStage struct {
	api         *websocket.API
	connections http.Handler // nil: not served
}

func (s *socketStage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "/@connections/") {
		s.api.ServeHTTP(w, r)
		return
	}
	if s.connections == nil {
		gatekit.Reject(w, r, noStage)
		return
	}
	s.connections.ServeHTTP(w, r)
}

// WebSocket returns the API of a stage as it is served now, for programs that send messages
// themselves. It is nil if there is no such stage of a WebSocket API.
func (g *Gateway) WebSocket(api, stage string) *websocket.API {
	if s, ok := g.current.Load().stages[stageName{api, stage}].(*socketStage); ok {
		return s.api
	}
	return nil
}

// socketRoute is a route that has been built.
type socketRoute struct {
	handler http.Handler
	rules   []gatekit.Middleware
}

// sockets makes a stage. Connections that are open stay with the document that they were opened by:
// a changed one is served by another API, to new connections.
func (s *stageBuilder) sockets() (http.Handler, *problem) {
	if s.closed != nil {
		return nil, s.closed
	}
	if _, unknown := digest(s.name, s.stage.Variables, s.stage.Throttle, s.stage.RouteThrottle, s.stage.WebACL,
		s.api.RouteSelection, s.api.APIKeySelection); unknown != "" {
		return nil, unknownValue("the stage "+s.name, unknown)
	}
	acl, p := s.webACL()
	if p != nil {
		return nil, p
	}
	s.noExecutionLog()
	log, p := s.accessLog()
	if p != nil {
		return nil, p
	}
	limits, p := s.socketLimits()
	if p != nil {
		return nil, p
	}
	s.stageNotDone()
	// All that the routes are made of is made, or taken over, each time, so that it is kept.
	routes := map[string]socketRoute{}
	for _, key := range sortedKeys(s.api.Routes) {
		routes[key] = s.socketRoute(key, s.api.Routes[key], limits)
	}
	memory, _ := keep(s.builder, s.pooled("websocket registry", s.name),
		func(context.Context) (*websocket.Memory, error) { return websocket.NewMemory(0), nil }) // never fails
	made, err := keepEnding(s.builder, s.pooled("websocket", s.name, s.socketSum()),
		func(context.Context) (*websocket.API, error) { return s.socketAPI(routes, memory, log, acl) },
		whenEmpty(s.root))
	if err != nil {
		return nil, asProblem("the stage "+s.name+" can't be used", err)
	}
	h := &socketStage{api: made}
	if s.sigv4 == nil {
		s.differs("", s.stage.Origin, "@connections isn't served: nobody knows the keys of backends",
			"set Bindings.Credentials, or send by Gateway.WebSocket")
		return h, nil
	}
	if h.connections, err = made.Connections(auth.Require(s.sigv4), s.refused); err != nil {
		return nil, asProblem("@connections can't be served", err)
	}
	return h, nil
}

// socketSum is the digest of all that a stage is made of.
func (s *stageBuilder) socketSum() string {
	closed := ""
	if p := s.planned.closed[stageName{s.api.ID, s.name}]; p != nil {
		closed = p.what
	}
	sum, _ := digest(s.api.Routes, s.api.Authorizers, s.api.Models, s.api.RouteSelection, s.api.APIKeySelection,
		s.api.BinaryMediaTypes, s.stage, s.identity.AccountID, s.identity.Region, s.identity.APIID, s.resourcesSum,
		closed)
	return sum
}

// socketAPI makes the API. Its connections, and those of its stage's other documents, find each
// other by a registry that all of them share.
func (s *stageBuilder) socketAPI(
	routes map[string]socketRoute, memory *websocket.Memory, log, acl gatekit.Middleware,
) (*websocket.API, error) {
	identity := s.identity
	identity.Stage, identity.Variables, identity.DeploymentID = s.name, s.stage.Variables, s.stage.Deployment
	api, err := websocket.New(s.root, websocket.Config{
		API: identity, RouteSelection: s.api.RouteSelection, Registry: memory, Transport: memory, Logger: s.log,
		AllowOrigins: s.bindings.AllowOrigins, InsecureAllowAnyOrigin: s.bindings.InsecureAllowAnyOrigin,
		TrustedProxies: s.bindings.TrustedProxies, TrustedHeader: s.bindings.TrustedHeader,
	})
	if err != nil {
		return nil, err
	}
	for _, mw := range []gatekit.Middleware{s.refused, log, acl} {
		if mw != nil {
			api.Use(mw)
		}
	}
	if log != nil {
		api.UseMessages(log)
	}
	for _, key := range sortedKeys(routes) {
		rules := routes[key].rules
		if key == disconnectKey && log != nil {
			rules = append([]gatekit.Middleware{log}, rules...)
		}
		if err := api.Add(key, routes[key].handler, rules...); err != nil {
			return nil, err
		}
	}
	return api, api.Build()
}

// whenEmpty ends an API that no document serves any more, when its last connection has.
func whenEmpty(root context.Context) func(*websocket.API) {
	return func(api *websocket.API) {
		go func() {
			every := time.NewTicker(emptyInterval)
			defer every.Stop()
			for api.Metrics().Connections > 0 {
				select {
				case <-every.C:
				case <-root.Done(): // which ends the API, too
					return
				}
			}
			_ = api.Shutdown(root) // there is nobody to close
		}()
	}
}

const emptyInterval = 5 * time.Second

// socketLimits are the stage's limits, on each of its routes.
func (s *stageBuilder) socketLimits() (*throttle.Stage, *problem) {
	config := throttle.StageConfig{Account: s.account}
	if t := s.stage.Throttle; t != nil {
		config.Default = limitOf(t.Rate, t.Burst)
	}
	if len(s.stage.MethodSettings) > 0 || s.stage.Cache != "" || s.stage.Canary != nil {
		return nil, unsupportedf("take them out", "stages of WebSocket APIs have no method settings, cache or canary")
	}
	sum, _ := digest(s.stage.Throttle)
	limits, err := keep(s.builder, s.pooled("throttle", s.name, sum),
		func(context.Context) (*throttle.Stage, error) { return throttle.NewStage(config) })
	return limits, asProblem("the limits of stage "+s.name+" can't be used", err)
}

// socketRoute makes a route, or what refuses in its place.
func (s *stageBuilder) socketRoute(key string, r *Route, limits *throttle.Stage) socketRoute {
	rules, p := s.socketRules(key, r, limits)
	if p != nil {
		s.refuseRoute(key, p)
		return socketRoute{handler: refuseFor(p)}
	}
	h, p := s.socketAnswering(key, r)
	if p != nil {
		s.refuseRoute(key, p)
	}
	if r.ResponseSelection == "" && key != connectKey && key != disconnectKey {
		rules = append(rules, websocket.OneWay)
	}
	return socketRoute{h, rules}
}

// socketRules are the stations before a route's integration.
func (s *stageBuilder) socketRules(key string, r *Route, limits *throttle.Stage) ([]gatekit.Middleware, *problem) {
	limited := limits.Middleware
	if t := s.stage.RouteThrottle[key]; t != nil && (t.Rate != nil || t.Burst != nil) {
		if l := limitOf(t.Rate, t.Burst); l != nil {
			own, err := limits.Limit(*l)
			if err != nil {
				return nil, asProblem("its limit can't be used", err)
			}
			limited = own
		}
	}
	rules := []gatekit.Middleware{limited}
	if key != connectKey && (r.Auth.Type != AuthNone || r.APIKeyRequired) {
		return nil, unsupportedf("say it of $connect", "only $connect has an authorizer or asks for a key")
	}
	guard, p := s.guard(key, r)
	if p != nil {
		return nil, p
	}
	if guard != nil {
		rules = append(rules, guard)
	}
	if r.APIKeyRequired {
		keys, p := s.socketKeys()
		if p != nil {
			return nil, p
		}
		rules = append(rules, keys)
	}
	if len(r.RequestModels) == 0 {
		return rules, nil
	}
	model, p := s.socketModels(r)
	return append(rules, model), p
}

func (s *stageBuilder) socketKeys() (gatekit.Middleware, *problem) {
	if p := s.planned.closed[stageName{s.api.ID, s.name}]; p != nil {
		return nil, p
	}
	switch strings.ToLower(cmp.Or(s.api.APIKeySelection, "$request.header.x-api-key")) {
	case "$request.header.x-api-key":
		return s.planned.limiters[usageplan.Header].Middleware, nil
	case "$context.authorizer.usageidentifierkey":
		return s.planned.limiters[usageplan.Authorizer].Middleware, nil
	}
	return nil, unsupportedf("use $request.header.x-api-key", "the API key selection %q isn't known",
		s.api.APIKeySelection)
}
