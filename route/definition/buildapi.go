package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform"
)

// apiBuilder makes the stages of one API. What they share is made once.
type apiBuilder struct {
	*builder
	api       *API
	identity  gatekit.API
	policy    *auth.ResourcePolicy // nil: none
	closed    *problem             // why no route can be served
	responses gatekit.Middleware   // gateway responses; nil: none
	cors      gatekit.Middleware   // nil: none
	payload   gatekit.Middleware   // a REST API's compression, both ways
	models    models
	status    map[string]*RouteReport
}

// buildAPI makes an API's stages, and says what becomes of each of its routes.
func (b *builder) buildAPI(api *API) {
	a := &apiBuilder{builder: b, api: api, identity: api.identity(), status: map[string]*RouteReport{}}
	for key := range api.Routes {
		a.status[key] = &RouteReport{API: api.ID, Route: key, Served: true}
	}
	a.closed = a.whole()
	if a.closed != nil {
		a.report(api.ID, "", a.closed.at(api.Origin))
	}
	names := slices.Sorted(maps.Keys(api.Stages))
	stages := api.Stages
	if len(names) == 0 && b.bindings.DefaultStage != "" {
		names, stages = []string{b.bindings.DefaultStage}, map[string]*Stage{b.bindings.DefaultStage: {}}
	}
	if len(names) == 0 {
		a.refuseAll(unsupportedf("add a stage, or name one by Bindings.DefaultStage",
			"the API has no stage under which it could be called").at(api.Origin))
	}
	switch {
	case len(names) == 0:
	case api.Flavor == FlavorWebSocket:
		a.buildWebSocket(names, stages)
	default:
		a.buildStages(names, stages)
	}
	for _, status := range a.status {
		b.routes = append(b.routes, *status)
	}
}

// refuseAll says of all routes that they can't be served.
func (a *apiBuilder) refuseAll(p *problem) {
	a.report(a.api.ID, "", p)
	for _, status := range a.status {
		status.refused(p)
	}
}

// refused notes the first reason.
func (r *RouteReport) refused(p *problem) {
	if r.Served {
		r.Served, r.Why = false, p.what
	}
}

// refuseRoute reports that a route can't be served.
func (a *apiBuilder) refuseRoute(key string, p *problem) {
	p = p.at(a.api.Routes[key].Origin).at(a.api.Origin)
	a.report(a.api.ID, key, p)
	a.status[key].refused(p)
}

// differs reports what is served, but not alike.
func (a *apiBuilder) differs(part string, o Origin, what, do string) {
	a.add(Finding{Severity: Differs, API: a.api.ID, Route: part, What: what, Do: do, Origin: o.or(a.api.Origin)})
}

// warn reports what is likely a mistake.
func (a *apiBuilder) warn(part string, o Origin, what, do string) {
	a.add(Finding{Severity: Warning, API: a.api.ID, Route: part, What: what, Do: do, Origin: o.or(a.api.Origin)})
}

// whole makes what all routes share, and returns why none of them can be served, or nil.
func (a *apiBuilder) whole() *problem {
	api := a.api
	if _, ok := flavors[api.Flavor]; !ok {
		return unsupportedf("want REST, HTTP or WEBSOCKET", "the API's flavor is %q", api.Flavor)
	}
	if err := a.identity.Validate(); err != nil {
		if _, unknown := digest(api.APIID, api.Account, api.Region); unknown != "" {
			return unknownValue("the API's identity", unknown)
		}
		return asProblem("the API's identity can't be used", err)
	}
	if p := a.endpoint(); p != nil {
		return p
	}
	if api.RoutesUnknown { // of which one may protect what another that is known would let through
		return unsupportedf("give the document that has them", "the API's routes lie where the source couldn't be read")
	}
	a.notKnown()
	a.notDone()
	a.buildGatewayResponses()
	a.buildCORS()
	a.models = models{builder: a}
	if p := a.buildCompression(); p != nil {
		return p
	}
	return a.buildPolicy()
}

// endpoint returns why the API can't be served to everybody that the program is: what isn't known
// to be public may be private.
func (a *apiBuilder) endpoint() *problem {
	if a.bindings.ServePrivate {
		return nil
	}
	if _, unknown := digest(a.api.EndpointTypes); unknown != "" {
		return unknownValue("whether the API's endpoint is private", unknown)
	}
	for _, kind := range a.api.EndpointTypes {
		switch strings.ToUpper(kind) {
		case "REGIONAL", "EDGE":
		case "PRIVATE":
			return unsupportedf("set Bindings.ServePrivate where only the VPC's clients reach the program",
				"the API's endpoint is private to a VPC")
		default:
			return unsupportedf("want REGIONAL, EDGE or PRIVATE", "the API's endpoint type %q isn't known", kind)
		}
	}
	return nil
}

// notKnown reports values of the API that nobody is refused for, and goes on without them.
func (a *apiBuilder) notKnown() {
	api := a.api
	if _, unknown := digest(api.SecurityPolicy, api.EndpointAccessMode); unknown != "" {
		a.report(api.ID, "", unknownValue("the TLS policy of the API's own host", unknown).at(api.Origin))
	}
	if _, unknown := digest(api.BinaryMediaTypes); unknown != "" {
		a.report(api.ID, "", unknownValue("which bodies are bytes", unknown).at(api.Origin))
		api.BinaryMediaTypes = slices.DeleteFunc(api.BinaryMediaTypes, func(one string) bool {
			_, unknown := UnknownIn(one)
			return unknown
		})
	}
}

// notDone reports what is said of the API and isn't done.
func (a *apiBuilder) notDone() {
	api := a.api
	for _, d := range []struct {
		is       bool
		what, do string
	}{
		{api.Flavor != FlavorREST && api.MinimumCompressionSize != nil, "answers aren't compressed",
			"compress in front of the Gateway"},
		{api.SecurityPolicy != "" || api.EndpointAccessMode != "",
			"the TLS policy of the API's own host isn't applied", "set it in the server's tls.Config"},
		{api.Flavor == FlavorWebSocket && api.SchemaValidationDisabled,
			"disableSchemaValidation has no effect", ""},
	} {
		if d.is {
			a.differs("", api.Origin, d.what, d.do)
		}
	}
}

// buildCompression makes what inflates requests, and compresses answers if the API says so.
func (a *apiBuilder) buildCompression() *problem {
	if a.api.Flavor != FlavorREST {
		return nil
	}
	config := transform.CompressionConfig{MinimumSize: transform.Off}
	if size := a.api.MinimumCompressionSize; size != nil {
		config.MinimumSize = int64(*size)
		if *size < 0 { // -1 is Off, and means it here only
			return unsupportedf(correctIt, "the minimum compression size is %d", *size)
		}
	}
	made, err := transform.NewCompression(config)
	if err != nil {
		return asProblem("the compression can't be used", err)
	}
	a.payload = made.Middleware
	return nil
}

// buildPolicy makes the resource policy. Without it nothing may be served.
func (a *apiBuilder) buildPolicy() *problem {
	api := a.api
	if len(api.Policy) == 0 {
		return nil
	}
	if api.Flavor != FlavorREST {
		return unsupportedf("take it out, or use a REST API", "only REST APIs have resource policies")
	}
	if _, unknown := digest(api.Policy); unknown != "" {
		return unknownValue("the resource policy", unknown)
	}
	b := a.bindings
	var err error
	a.policy, err = auth.NewResourcePolicy(auth.ResourcePolicyConfig{
		Document: string(api.Policy), TrustedProxies: b.TrustedProxies,
		SourceVPCEHeader: b.SourceVPCEHeader, SourceVPCHeader: b.SourceVPCHeader,
	})
	if err == nil {
		for _, odd := range policy.LintResource(string(api.Policy)) {
			a.warn("policy", api.Origin, odd, correctIt)
		}
	}
	return asProblem("the resource policy can't be used", err)
}

func merged(base, over map[string]string) map[string]string {
	all := make(map[string]string, len(base)+len(over))
	maps.Copy(all, base)
	maps.Copy(all, over)
	return all
}

// buildCORS makes the CORS configuration of an HTTP API. Without one, browsers are told nothing.
func (a *apiBuilder) buildCORS() {
	c := a.api.CORS
	if c == nil {
		return
	}
	if a.api.Flavor != FlavorHTTP {
		a.add(Finding{Severity: Unsupported, API: a.api.ID, What: "only HTTP APIs have a CORS configuration",
			Do: "answer OPTIONS by a mock", Origin: c.Origin.or(a.api.Origin)})
		return
	}
	if _, unknown := digest(c); unknown != "" {
		p := unknownValue("the CORS configuration, without which no page of another origin is let in,", unknown)
		a.report(a.api.ID, "", p.at(c.Origin).at(a.api.Origin))
		return
	}
	made, err := cors.New(corsConfig(c))
	if err != nil {
		p := asProblem("the CORS configuration can't be used, and no page of another origin is let in", err)
		a.report(a.api.ID, "", p.at(c.Origin).at(a.api.Origin))
		return
	}
	a.cors = made.Middleware
}

// newRoutes returns a route.API for a stage, with what stands before the choice of a route. Each of
// log and acl may be nil.
func (a *apiBuilder) newRoutes(log, acl gatekit.Middleware) (*route.API, error) {
	api, err := route.New(route.Config{
		API: a.identity, TrustedProxies: a.bindings.TrustedProxies, TrustedHeader: a.bindings.TrustedHeader,
	})
	if err != nil {
		return nil, err
	}
	for _, mw := range []gatekit.Middleware{a.refused, log, a.cors, a.responses, acl} {
		if mw != nil {
			api.Use(mw)
		}
	}
	return api, nil
}

// text is the JSON text of a schema or policy, or of none.
func text(raw json.RawMessage, none string) string {
	if len(raw) == 0 {
		return none
	}
	return string(raw)
}
