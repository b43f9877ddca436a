package transform

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// IntegrationType says what a [REST] wraps: the type of an integration of a REST API, under its own
// name.
type IntegrationType string

// The integration types. They are taken in any letter case.
const (
	// Mock answers by itself.
	Mock IntegrationType = "MOCK"
	// HTTP is a backend that speaks HTTP, with templates and mappings in both directions. Of the
	// client's request nothing passes but what is mapped.
	HTTP IntegrationType = "HTTP"
	// HTTPProxy is a backend that speaks HTTP and sees the client's request. Parameters may be
	// mapped; there are no templates.
	HTTPProxy IntegrationType = "HTTP_PROXY"
	// AWS is a Lambda function called with what the template makes, or another service.
	AWS IntegrationType = "AWS"
	// AWSProxy is a Lambda function that gets the request as an event. Nothing is mapped on its
	// way, so that a [REST] lets all pass but what the managed gateway answers 500 for: a method
	// other than POST, and a mapping to a header that must not be set.
	AWSProxy IntegrationType = "AWS_PROXY"
)

// PassthroughBehavior says what becomes of a request that no template fits.
type PassthroughBehavior string

// The passthrough behaviors; "" is WhenNoMatch.
const (
	// WhenNoMatch lets the body through as it is.
	WhenNoMatch PassthroughBehavior = "WHEN_NO_MATCH"
	// WhenNoTemplates does so if there is no template at all; else the answer is 415.
	WhenNoTemplates PassthroughBehavior = "WHEN_NO_TEMPLATES"
	// Never answers 415.
	Never PassthroughBehavior = "NEVER"
)

// ContentHandling says how a payload is turned between bytes and text; "" leaves it to the media
// types.
type ContentHandling string

// The content handlings.
const (
	// ConvertToBinary decodes base64 text to bytes. It goes with no template.
	ConvertToBinary ContentHandling = "CONVERT_TO_BINARY"
	// ConvertToText encodes bytes as base64 text.
	ConvertToText ContentHandling = "CONVERT_TO_TEXT"
)

// MaxBodyBytes is how large bodies may be by default, the managed gateway's 10 MB.
const MaxBodyBytes = 10 << 20

// RESTConfig configures a [REST]: the method and integration of a REST API, in the words of the API
// Gateway API ("Integration", "Method"). The zero value is refused, as it has no type.
type RESTConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Type is what the integration is. Required.
	Type IntegrationType
	// HTTPMethod is the method that the integration is called with. "" or "ANY" is the client's, or
	// POST for a Lambda function.
	HTTPMethod string
	// URI is where the integration request goes: an http or https URL, in which {name} stands for
	// integration.request.path.name and ${stageVariables.name} for a stage variable. It becomes the
	// request's URL and Host; the handler behind sends it there (route/integration, or
	// httputil.ReverseProxy). "" leaves the URL's path as the client sent it, for handlers in this
	// program. Of type AWS it is the ARN, which only tells whether a Lambda function is behind: an
	// ARN of another service selects responses by status.
	URI string

	// MethodRequestParameters are the parameters that the method declares, such as
	// "method.request.header.X-Tenant", true if required (which transform/validate checks). Only
	// these can be mapped from. nil: all can.
	MethodRequestParameters map[string]bool
	// RequestParameters map to the integration request: "integration.request.header.X-Tenant"
	// (querystring, path) from "method.request.header.X-Tenant" (multivalueheader, querystring,
	// multivaluequerystring, path, body, body.JSONPATH), "context.NAME", "stageVariables.NAME" or
	// "'text'".
	RequestParameters map[string]string
	// RequestTemplates are the mapping templates by the request's media type; "$default" catches
	// the rest.
	RequestTemplates map[string]string
	// PassthroughBehavior says what becomes of a request that no template fits.
	PassthroughBehavior PassthroughBehavior
	// ContentHandling is how the request's body is converted.
	ContentHandling ContentHandling
	// BinaryMediaTypes are the API's types that are bytes: "image/png", "image/*" or "*/*".
	BinaryMediaTypes []string

	// IntegrationResponses turn what the integration answered into the method's response. At least
	// one for every type but HTTPProxy and AWSProxy, where they are without effect.
	IntegrationResponses []IntegrationResponse
	// MethodResponses are the responses that the method declares. Integration responses of a status
	// that is there may map to no headers but those declared for it; a status that isn't there is
	// taken as it is. nil: all may.
	MethodResponses []MethodResponse
	// SelectWholeText makes a SelectionPattern describe the whole text. By default it need only
	// describe how the text begins.
	SelectWholeText bool

	// MaxBodyBytes is how large a request's or an integration's body may be. 0 is [MaxBodyBytes].
	MaxBodyBytes int64
	// Limits are those of the templates. The zero Options are the defaults. MaxSteps and
	// MaxAllocBytes also bound what $input, $util and $context do for one rendering: 24 bytes of a
	// body looked at are a step.
	Limits vtl.Options
}

// IntegrationResponse is a response of the method, and when it is the one.
type IntegrationResponse struct {
	_ struct{}

	// StatusCode is the response's status, 200 to 599.
	StatusCode int
	// SelectionPattern is a regular expression for the error message of a Lambda function, or for a
	// backend's or mock's status. The first response whose pattern matches is taken. "" makes the
	// default response, which is taken if none matches.
	SelectionPattern string
	// ResponseParameters map to "method.response.header.NAME" from
	// "integration.response.header.NAME" (multivalueheader, body, body.JSONPATH), "context.NAME",
	// "stageVariables.NAME" or "'text'".
	ResponseParameters map[string]string
	// ResponseTemplates are the mapping templates by the type that the client accepts.
	ResponseTemplates map[string]string
	// ContentHandling is how the response's body is converted.
	ContentHandling ContentHandling
}

// MethodResponse is a response that a method declares.
type MethodResponse struct {
	_ struct{}

	// StatusCode is the response's status.
	StatusCode int
	// ResponseParameters are its headers: "method.response.header.NAME".
	ResponseParameters map[string]bool
}

// response is an IntegrationResponse, ready.
type response struct {
	status    int
	pattern   *regexp.Regexp // nil: the default
	mappings  []restMapping
	templates byType
	handling  ContentHandling
}

// REST turns requests into what an integration expects, and its answers into what clients expect,
// as a REST API's method does. It is immutable and safe for concurrent use.
type REST struct {
	kind        IntegrationType
	method      string
	uri         *uritemplate.Source
	lambda      bool
	mappings    []restMapping
	templates   byType
	passthrough PassthroughBehavior
	handling    ContentHandling
	binary      mediatype.Binary
	responses   []response
	maxBody     int64
	mapsBody    bool
	broken      error // why every request fails, as on the managed gateway
}

// NewREST returns a REST, or an error that lists every field it refuses. It copies c.
func NewREST(c RESTConfig) (*REST, error) {
	c.Type = IntegrationType(strings.ToUpper(string(c.Type)))
	c.PassthroughBehavior = PassthroughBehavior(strings.ToUpper(string(c.PassthroughBehavior)))
	t := &REST{kind: c.Type, method: c.HTTPMethod, passthrough: c.PassthroughBehavior, handling: c.ContentHandling, maxBody: c.MaxBodyBytes}
	var errs []error
	refuse := func(field, want string, got any) {
		errs = append(errs, fmt.Errorf("transform: RESTConfig.%s: want %s, got %#v", field, want, got))
	}
	switch c.Type {
	case Mock, HTTP, HTTPProxy, AWS, AWSProxy:
	default:
		refuse("Type", "MOCK, HTTP, HTTP_PROXY, AWS or AWS_PROXY", string(c.Type))
	}
	switch c.PassthroughBehavior {
	case "":
		t.passthrough = WhenNoMatch
	case WhenNoMatch, WhenNoTemplates, Never:
	default:
		refuse("PassthroughBehavior", "WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER", string(c.PassthroughBehavior))
	}
	if c.HTTPMethod == "ANY" {
		t.method = ""
	} else if strings.Trim(c.HTTPMethod, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		refuse("HTTPMethod", "a method such as POST, or ANY", c.HTTPMethod)
	}
	if c.MaxBodyBytes < 0 {
		refuse("MaxBodyBytes", "0 or a number of bytes", c.MaxBodyBytes)
	}
	if t.maxBody == 0 {
		t.maxBody = MaxBodyBytes
	}
	errs = append(errs, t.setURI(c)...)
	errs = append(errs, t.setBinary(c)...)
	errs = append(errs, t.setRequest(c)...)
	errs = append(errs, t.setResponses(c)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

func (t *REST) setURI(c RESTConfig) []error {
	t.lambda = c.Type == AWS
	switch {
	case c.URI == "":
		return nil
	case c.Type == AWSProxy, c.Type == Mock: // without effect there
		return nil
	case c.Type == AWS:
		part := strings.Split(c.URI, ":")
		if len(part) < 6 || part[0] != "arn" || part[2] != "apigateway" {
			return []error{fmt.Errorf("transform: RESTConfig.URI: want an ARN such as arn:aws:apigateway:us-east-1:lambda:path/…, got %.100q", c.URI)}
		}
		t.lambda = part[4] == "lambda"
		return nil
	}
	u, err := uritemplate.New(c.URI)
	if err == nil && u.Shape().Scheme == "" {
		err = errors.New("a path alone says no backend")
	}
	if err != nil {
		return []error{fmt.Errorf("transform: RESTConfig.URI: want a URL such as https://backend.example.com/pets/{id}, got %.100q: %w", c.URI, err)}
	}
	t.uri = u
	return nil
}

func (t *REST) setBinary(c RESTConfig) (errs []error) {
	var err error
	if t.binary, err = mediatype.NewBinary(c.BinaryMediaTypes); err != nil {
		errs = append(errs, fmt.Errorf("transform: RESTConfig.BinaryMediaTypes%w", err))
	}
	return errs
}

func checkHandling(field string, h ContentHandling) error {
	switch h {
	case "", ConvertToBinary, ConvertToText:
		return nil
	}
	return fmt.Errorf("transform: %s: want CONVERT_TO_BINARY, CONVERT_TO_TEXT or nothing, got %.100q", field, string(h))
}

func (t *REST) setRequest(c RESTConfig) (errs []error) {
	if err := checkHandling("RESTConfig.ContentHandling", c.ContentHandling); err != nil {
		errs = append(errs, err)
	}
	parameters, bad := declaredIn(c.MethodRequestParameters)
	errs = append(errs, bad...)
	const field = "RESTConfig.RequestParameters"
	t.mappings, bad = parseMappings(field, c.RequestParameters, integrationRequest, restFrom(selector.Method), []string{"header", "querystring", "path"})
	errs = append(errs, bad...)
	for i := range t.mappings {
		m := &t.mappings[i]
		if err := declared(parameters, m); err != nil {
			errs = append(errs, fmt.Errorf("transform: %s[%q]: %w", field, integrationRequest+"."+m.place+"."+m.name, err))
		}
		if m.place == "header" && failsAsRequestHeader(c.Type, m.name) {
			if c.Type == AWSProxy {
				t.broken = errHeader
				continue
			}
			errs = append(errs, fmt.Errorf("transform: %s: want a header that may be mapped to, got %s, with which every request fails", field, m.name))
		}
	}
	t.mapsBody = needsBody(t.mappings)
	if c.Type == HTTPProxy || c.Type == AWSProxy { // whose templates and conversions are without effect
		if c.Type == AWSProxy && c.HTTPMethod != "" && c.HTTPMethod != http.MethodPost {
			t.broken = errProxyMethod
		}
		return errs
	}
	t.templates, bad = parseTemplates("RESTConfig.RequestTemplates", c.RequestTemplates, true, c.Limits)
	return append(errs, bad...)
}

// declaredIn returns the method's parameters in one spelling, nil if none are declared. Their names
// must differ whatever their place.
func declaredIn(parameters map[string]bool) (set map[string]bool, errs []error) {
	const field = "transform: RESTConfig.MethodRequestParameters"
	names := map[string]bool{}
	if parameters != nil {
		set = map[string]bool{}
	}
	for _, key := range sortedKeys(parameters) {
		s, err := declaredParameters.Parse(key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
			continue
		}
		name := strings.SplitN(key, ".", 4)[3] // as it is written: method.request.header.NAME
		if names[name] {
			errs = append(errs, fmt.Errorf("%s: want names that differ across querystring, header and path, got %q twice", field, name))
		}
		names[name], set[s.String()] = true, true
	}
	return set, errs
}

func (t *REST) setResponses(c RESTConfig) (errs []error) {
	if c.Type == HTTPProxy || c.Type == AWSProxy { // which pass answers on, whatever is configured
		return nil
	}
	if (c.Type == Mock || c.Type == HTTP || c.Type == AWS) && len(c.IntegrationResponses) == 0 {
		return []error{errors.New("transform: RESTConfig.IntegrationResponses: want at least one, or every request fails")}
	}
	methods := map[int]map[string]bool{}
	for _, m := range c.MethodResponses {
		headers := map[string]bool{}
		for key := range m.ResponseParameters {
			headers[http.CanonicalHeaderKey(strings.TrimPrefix(key, methodResponse+".header."))] = true
		}
		methods[m.StatusCode] = headers
	}
	hasDefault := false
	for i, r := range c.IntegrationResponses {
		field := fmt.Sprintf("RESTConfig.IntegrationResponses[%d]", i)
		compiled, bad := parseResponse(field, r, c)
		errs = append(errs, bad...)
		if r.SelectionPattern == "" {
			if hasDefault {
				errs = append(errs, fmt.Errorf("transform: %s.SelectionPattern: want one response without a pattern, got another", field))
			}
			hasDefault = true
		}
		if c.MethodResponses != nil {
			headers, ok := methods[r.StatusCode] // a status that isn't there is taken; what it maps isn't declared, either
			for _, m := range compiled.mappings {
				if ok && !headers[m.name] {
					errs = append(errs, fmt.Errorf("transform: %s.ResponseParameters: want headers of MethodResponses for %d, got %s", field, r.StatusCode, m.name))
				}
			}
		}
		t.responses = append(t.responses, compiled)
	}
	return errs
}

func parseResponse(field string, r IntegrationResponse, c RESTConfig) (response, []error) {
	compiled := response{status: r.StatusCode, handling: r.ContentHandling}
	var errs []error
	if r.StatusCode < 200 || r.StatusCode > 599 {
		errs = append(errs, fmt.Errorf("transform: %s.StatusCode: want 200 to 599, got %d", field, r.StatusCode))
	}
	if r.SelectionPattern != "" {
		source := `\A(?:` + r.SelectionPattern + `)`
		if c.SelectWholeText {
			source += `\z`
		}
		_, err := regexp.Compile(r.SelectionPattern) // by itself, so that its parentheses are its own
		if err == nil {
			compiled.pattern, err = regexp.Compile(source)
		}
		if err != nil || len(r.SelectionPattern) > 4096 {
			errs = append(errs, fmt.Errorf("transform: %s.SelectionPattern: want a regular expression of Go's syntax, which has no look-around, of at most 4096 bytes, got %.100q", field, r.SelectionPattern))
		}
	}
	if err := checkHandling(field+".ContentHandling", r.ContentHandling); err != nil {
		errs = append(errs, err)
	}
	var bad []error
	compiled.mappings, bad = parseMappings(field+".ResponseParameters", r.ResponseParameters, methodResponse, restFrom(selector.IntegrationResponse), []string{"header"})
	errs = append(errs, bad...)
	compiled.templates, bad = parseTemplates(field+".ResponseTemplates", r.ResponseTemplates, false, c.Limits)
	return compiled, append(errs, bad...)
}

func parseTemplates(field string, templates map[string]string, request bool, limits vtl.Options) (byType, []error) {
	if len(templates) == 0 {
		return nil, nil
	}
	parsed := byType{}
	paths := &jsonpath.Cache{}
	var errs []error
	for _, key := range sortedKeys(templates) {
		lower := strings.ToLower(key)
		if m, _, err := mime.ParseMediaType(key); (err != nil || m != lower || !strings.Contains(m, "/")) && (!request || key != anyOther) {
			errs = append(errs, fmt.Errorf("transform: %s: want a media type such as application/json, got %.100q", field, key))
			continue
		}
		if parsed[lower] != nil {
			errs = append(errs, fmt.Errorf("transform: %s: want a template once a media type, got %q again", field, key))
			continue
		}
		t, err := newTemplate(strings.TrimPrefix(field, "RESTConfig.")+"["+strconv.Quote(key)+"]", templates[key], limits, paths)
		if err != nil {
			errs = append(errs, fmt.Errorf("transform: %s[%q]: %w", field, key, err))
			continue
		}
		parsed[lower] = t
	}
	return parsed, errs
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
