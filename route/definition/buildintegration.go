package definition

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// called is what a route's integration calls. Of a function that isn't bound it is one that fails,
// and a problem; nil where nothing can be called, and of a mock.
func (s *stageBuilder) called(key string, r *Route) (http.Handler, *problem) {
	i := r.Integration
	origin := i.Origin.or(r.Origin)
	inPlace, bound := s.inPlace(key, i)
	served := *i // without what doesn't count
	if served.Description, served.Credentials = "", ""; bound {
		served.Target = Target{}
	}
	if _, unknown := digest(served, r.RequestParameters, r.MethodResponses); unknown != "" {
		return nil, unknownValue("the integration", unknown).at(origin)
	}
	if bound {
		return inPlace, nil
	}
	var h http.Handler
	p := s.fits(key, i)
	if p != nil {
		return nil, p.at(origin)
	}
	switch t := &i.Target; t.Kind {
	case KindLambda:
		h, p = s.lambda(key, i)
	case KindHTTP, KindPrivate:
		h, p = s.proxy(key, i)
	case KindMock:
	case KindService, KindSubtype:
		h, p = s.service(key, i)
	default:
		p = unsupportedf(s.handlerHint(key), "nothing is known of the integration's target %q", cmp.Or(t.URI, t.Kind))
	}
	return h, p.at(origin)
}

// typesOf are the types that an integration of a target's kind may have, and of them those of HTTP
// APIs.
var typesOf = map[string]struct{ all, http []string }{
	KindLambda:  {[]string{"AWS_PROXY", "AWS"}, []string{"AWS_PROXY"}},
	KindHTTP:    {[]string{"HTTP_PROXY", "HTTP"}, []string{"HTTP_PROXY"}},
	KindPrivate: {[]string{"HTTP_PROXY", "HTTP"}, []string{"HTTP_PROXY"}},
	KindService: {[]string{"AWS"}, nil},
	KindSubtype: {[]string{"AWS_PROXY"}, []string{"AWS_PROXY"}},
	KindMock:    {[]string{"MOCK"}, nil},
}

// fits refuses a type of integration that its target or the flavor hasn't, and a call that can't be
// made as it is said.
func (s *stageBuilder) fits(key string, i *Integration) *problem {
	may, known := typesOf[i.Target.Kind]
	types := may.all
	if s.api.Flavor == FlavorHTTP {
		types = may.http
	}
	if known && !slices.Contains(types, strings.ToUpper(i.Type)) {
		return unsupportedf(correctIt, "%s APIs have no integration of type %q with a target of kind %s", s.api.Flavor,
			i.Type, i.Target.Kind)
	}
	if strings.HasSuffix(i.Credentials, ":iam::*:user/*") &&
		slices.Contains([]string{KindLambda, KindService, KindSubtype}, i.Target.Kind) {
		// The program has none of the callers' keys, and its own may do what theirs may not.
		return unsupportedf("name a role, or "+s.handlerHint(key),
			"it is to be called with the caller's own credentials")
	}
	return nil
}

func (s *stageBuilder) handlerHint(key string) string {
	return s.look.handlers.hint(Ref{Name: key})
}

// inPlace is the handler that a program puts in the integration's place.
func (s *stageBuilder) inPlace(key string, i *Integration) (http.Handler, bool) {
	t := &i.Target
	h, ok, err := s.look.handlers.first(append([]string{s.api.ID + " " + key, key, t.URI}, serviceNames(t)...))
	s.fault(err)
	if s.ambiguous(key) {
		s.warn(key, i.Origin, "Bindings.Handlers["+strconv.Quote(key)+"] is for this route of several APIs",
			"write "+strconv.Quote(s.api.ID+" "+key))
	}
	return h, ok && h != nil
}

// ambiguous reports whether a handler is bound by a key that several APIs have, without the API's.
func (s *stageBuilder) ambiguous(key string) bool {
	named := s.bindings.Handlers
	if named[key] == nil || named[s.api.ID+" "+key] != nil {
		return false
	}
	return slices.ContainsFunc(s.doc.APIs, func(a *API) bool { return a != s.api && a.Routes[key] != nil })
}

// lambda calls a function: by an event, or of type AWS with what the templates make.
func (s *stageBuilder) lambda(key string, i *Integration) (http.Handler, *problem) {
	f, ref, p := s.function(&i.Target)
	if p != nil {
		if p.severity != Unbound {
			return nil, p
		}
		f = noFunction{&integration.InvokeError{Status: http.StatusNotFound, Code: "ResourceNotFoundException"}}
	}
	arn := ref.ARN
	if arn != "" && ref.Qualifier != "" {
		arn += ":" + ref.Qualifier
	}
	timeout := time.Duration(i.Timeout) * time.Millisecond
	sum, _ := digest(i, ref, s.api.BinaryMediaTypes, p != nil)
	name := s.pooled("integration", key, sum)
	end := whenCalled(s.root, s.api.Flavor)
	var h http.Handler
	var err error
	if strings.EqualFold(i.Type, "AWS_PROXY") {
		config := integration.LambdaConfig{
			BinaryMediaTypes: s.api.BinaryMediaTypes, Timeout: timeout, FunctionARN: arn,
			Stream: i.Target.Streaming || strings.EqualFold(i.Transfer, "STREAM"),
		}
		if s.api.Flavor == FlavorHTTP {
			config.PayloadFormatVersion = cmp.Or(i.PayloadFormat, "1.0")
		}
		h, err = keepEnding(s.builder, name,
			func(context.Context) (*integration.LambdaHandler, error) { return integration.NewLambda(f, config) },
			func(h *integration.LambdaHandler) { end(h) })
	} else {
		config := integration.LambdaCustomConfig{Timeout: timeout, FunctionARN: arn}
		h, err = keepEnding(s.builder, name, func(context.Context) (*integration.LambdaCustomHandler, error) {
			return integration.NewLambdaCustom(f, config)
		}, func(h *integration.LambdaCustomHandler) { end(h) })
	}
	if err != nil {
		return nil, asProblem("the integration can't be used", err)
	}
	return h, p
}

// whenCalled ends an integration that no document needs, when the calls have ended that nobody
// waits for, or the Gateway has. Messages of WebSocket connections may come as long as these live.
// It is kept with the integration, and so knows nothing of the document that made it.
func whenCalled(root context.Context, flavor string) func(interface{ Shutdown(context.Context) error }) {
	return func(h interface{ Shutdown(context.Context) error }) {
		if flavor != FlavorWebSocket {
			go func() { _ = h.Shutdown(root) }() // the error says that it was the Gateway
		}
	}
}

// proxy calls an HTTP server, by its name or as it is bound.
func (s *stageBuilder) proxy(key string, i *Integration) (http.Handler, *problem) {
	t := &i.Target
	private := t.Kind == KindPrivate || i.Connection != nil && strings.EqualFold(i.Connection.Type, "VPC_LINK")
	ref := s.upstreamRef(i)
	config, bound, err := s.look.upstreams.find(ref)
	s.fault(err)
	var instances []string
	if private && !bound {
		instances = s.instances(t, &config)
	}
	if private && !bound && instances == nil {
		return nil, unboundf(s.look.upstreams.hint(ref), "nothing says how the private target %s is reached", ref)
	}
	config.URI = cmp.Or(config.URI, t.URI)
	if strings.HasPrefix(t.URI, "arn:") { // of a listener: the request's path
		config.URI = ""
	}
	config.Method = cmp.Or(config.Method, i.Method)
	config.Timeout = cmp.Or(config.Timeout, time.Duration(i.Timeout)*time.Millisecond)
	config.Private = config.Private || private && s.api.Flavor == FlavorHTTP
	config.Logger = cmp.Or(config.Logger, s.log)
	if p := s.proxyTLS(key, i, &config); p != nil {
		return nil, p
	}
	sum, _ := digest(i, ref, s.stage.ClientCertificate, instances)
	h, err := keep(s.builder, s.pooled("integration", key, sum),
		func(ctx context.Context) (*integration.Proxy, error) { return integration.NewHTTP(ctx, config) })
	if err != nil {
		return nil, asProblem("the integration can't be used", err)
	}
	return h, nil
}

// instances are the addresses of a Cloud Map service that the document has, to which the target
// then leads; nil where there are none, or one isn't known.
func (s *stageBuilder) instances(t *Target, config *integration.HTTPConfig) []string {
	known := s.doc.Resources[t.Resource]
	if known == nil || t.Kind != KindPrivate {
		return nil
	}
	if _, unknown := digest(known.Addresses); unknown != "" {
		return nil
	}
	for _, address := range known.Addresses {
		config.Upstreams = append(config.Upstreams, integration.Upstream{Address: address})
	}
	return known.Addresses
}

// proxyTLS fills in how the target's certificate is checked, and what it is shown.
func (s *stageBuilder) proxyTLS(key string, i *Integration, config *integration.HTTPConfig) *problem {
	if i.TLS != nil {
		config.TLS.ServerName = cmp.Or(config.TLS.ServerName, i.TLS.ServerName)
		if i.TLS.SkipVerification {
			config.TLS.InsecureSkipVerify = config.TLS.InsecureSkipVerify || s.bindings.InsecureSkipVerification
			if !config.TLS.InsecureSkipVerify {
				s.differs(key, i.Origin, "the target's certificate is verified",
					"set Bindings.InsecureSkipVerification, if it has none that can be")
			}
		}
	}
	if s.stage.ClientCertificate == "" {
		return nil
	}
	ref := s.ref(s.stage.ClientCertificate, "", "", "")
	certificate, ok, err := s.look.clientCertificates.find(ref)
	s.fault(err)
	if !ok {
		return unboundf(s.look.clientCertificates.hint(ref), "the client certificate %s of stage %s isn't bound", ref,
			s.name)
	}
	config.TLS.ClientCertificate = certificate
	return nil
}

// upstreamRef is what is known of the names of a server: its own, its link's, and its host.
func (s *stageBuilder) upstreamRef(i *Integration) Ref {
	t := &i.Target
	ref := s.ref(t.Resource, "", t.ARN, "")
	if strings.HasPrefix(t.URI, "arn:") {
		ref = s.ref(t.Resource, "", t.URI, "")
	}
	if c := i.Connection; c != nil && c.ID != "" {
		id, _ := s.withVariables(c.ID)
		link := s.ref(id, "", "", "")
		ref.Also = append(ref.Also, link.names()...)
		if known := s.doc.Resources[id]; known != nil {
			for _, target := range known.Targets {
				behind := s.ref(target, "", "", "")
				if strings.HasPrefix(target, "arn:") {
					behind = s.ref("", "", target, "")
				}
				ref.Also = append(ref.Also, behind.names()...)
			}
		}
	}
	if uri, missing := s.withVariables(t.URI); missing == "" {
		if _, rest, ok := strings.Cut(uri, "://"); ok {
			ref.Also = append(ref.Also, uri, rest[:strings.IndexAny(rest+"/", "/?#")])
		}
	}
	return ref
}

// mapped puts the integration's mappings around what is called.
func (s *stageBuilder) mapped(key string, r *Route, called http.Handler) (http.Handler, *problem) {
	if s.api.Flavor == FlavorHTTP {
		return s.httpMapped(r.Integration, called)
	}
	i := r.Integration
	config := transform.RESTConfig{
		Type: transform.IntegrationType(i.Type), HTTPMethod: i.Method, BinaryMediaTypes: s.api.BinaryMediaTypes,
		MethodRequestParameters: r.RequestParameters, RequestParameters: i.RequestParameters,
		RequestTemplates:    i.RequestTemplates,
		PassthroughBehavior: transform.PassthroughBehavior(i.Passthrough),
		ContentHandling:     transform.ContentHandling(i.ContentHandling),
	}
	config.URI = s.mappedURI(&i.Target)
	for _, from := range i.Responses {
		status, ok := statusOf(cmp.Or(from.Status, "200"))
		if !ok {
			return nil, unsupportedf(correctIt, "want a status of an integration response, got %q", from.Status)
		}
		config.IntegrationResponses = append(config.IntegrationResponses, transform.IntegrationResponse{
			StatusCode: status, SelectionPattern: from.Pattern, ResponseParameters: from.Parameters,
			ResponseTemplates: from.Templates, ContentHandling: transform.ContentHandling(from.ContentHandling),
		})
	}
	for _, text := range sortedKeys(r.MethodResponses) {
		if status, ok := statusOf(text); ok {
			config.MethodResponses = append(config.MethodResponses, transform.MethodResponse{
				StatusCode: status, ResponseParameters: r.MethodResponses[text].Parameters})
		}
	}
	rest, err := transform.NewREST(config)
	if err != nil {
		return nil, asProblem("the integration's mappings can't be used", err)
	}
	for _, odd := range rest.Findings() {
		f := Finding{Severity: Warning, API: s.api.ID, Route: key, What: odd, Do: correctIt,
			Origin: i.Origin.or(r.Origin).or(s.api.Origin)}
		if strings.Contains(odd, "no effect") { // as documents say it of every proxy integration
			f.Severity = Ignored
		}
		s.add(f)
	}
	if called == nil {
		return rest, nil
	}
	return rest.Middleware(called), nil
}

func (s *stageBuilder) httpMapped(i *Integration, called http.Handler) (http.Handler, *problem) {
	if len(i.RequestParameters) == 0 && len(i.Responses) == 0 {
		return called, nil
	}
	config := transform.ParametersConfig{}
	if i.Target.Kind != KindSubtype { // whose request parameters are the call's own
		config.RequestParameters = i.RequestParameters
	}
	for _, from := range i.Responses {
		status, ok := statusOf(from.Status)
		if !ok {
			return nil, unsupportedf(correctIt, "want a status of response parameters, got %q", from.Status)
		}
		if config.ResponseParameters == nil {
			config.ResponseParameters = map[int]map[string]string{}
		}
		config.ResponseParameters[status] = merged(config.ResponseParameters[status], from.Parameters)
	}
	parameters, err := transform.NewParameters(config)
	if err != nil {
		return nil, asProblem("the integration's mappings can't be used", err)
	}
	return gatekit.Chain(called, parameters.Middleware), nil
}
