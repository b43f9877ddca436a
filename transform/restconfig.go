package transform

import "github.com/gatekit-go/gatekit/transform/vtl"

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
	// program.
	//
	// Of type AWS it is an ARN. That of a Lambda function says that one is behind; that of another
	// service (arn:aws:apigateway:us-east-1:sqs:path/123456789012/{queue}) selects responses by
	// status, and its path, with the same variables, becomes the path of the request, whose URL
	// names the service's host. What signs and sends it is integration.NewService.
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
	// the rest. Parameters of a type (; charset=utf-8) are passed over.
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
