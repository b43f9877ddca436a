package definition

// Route is a route of an HTTP or WebSocket API, or a method of a REST API.
type Route struct {
	// Auth says who may call. It is required: what isn't said is no reason to be open.
	Auth Auth `json:"auth"`
	// APIKeyRequired makes the route ask for an API key.
	APIKeyRequired bool `json:"api_key_required,omitempty"`
	// Operation is the operation name ($context.operationName).
	Operation string `json:"operation,omitempty"`
	// ResourceID is $context.resourceId.
	ResourceID string `json:"resource_id,omitempty"`
	// Validator says what of a request is validated, by RequestParameters and RequestModels. nil
	// validates nothing.
	Validator *Validator `json:"validator,omitempty"`
	// RequestParameters are those that the route declares ("method.request.path.id"), true if
	// required.
	RequestParameters map[string]bool `json:"request_parameters,omitempty"`
	// RequestModels are names of models by content type.
	RequestModels map[string]string `json:"request_models,omitempty"`
	// ModelSelection is a WebSocket route's model selection expression.
	ModelSelection string `json:"model_selection,omitempty"`
	// ResponseSelection is a WebSocket route's route response selection expression: "$default"
	// makes it two-way.
	ResponseSelection string `json:"response_selection,omitempty"`
	// MethodResponses are the responses that a REST method declares, by status.
	MethodResponses map[string]*MethodResponse `json:"method_responses,omitempty"`
	// Integration is what answers. nil: nothing was said, and the route answers 500. A reader that
	// can't read it keeps the route so: requests for a route that isn't there go to what else
	// matches them, such as $default, which may be open.
	Integration *Integration `json:"integration,omitempty"`
	Origin      Origin       `json:"origin,omitzero"`
}

// Auth is who may call a route.
type Auth struct {
	// Type is NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS or JWT. Anything else refuses.
	Type string `json:"type"`
	// Authorizer is the name of one of the API's.
	Authorizer string `json:"authorizer,omitempty"`
	// Scopes are of which a token must have one.
	Scopes []string `json:"scopes,omitempty"`
}

// The types of an [Auth].
const (
	AuthNone    = "NONE"
	AuthIAM     = "AWS_IAM"
	AuthCustom  = "CUSTOM"
	AuthCognito = "COGNITO_USER_POOLS"
	AuthJWT     = "JWT"
)

// MethodResponse is a response that a REST method declares.
type MethodResponse struct {
	// Parameters are its headers: "method.response.header.NAME".
	Parameters map[string]bool `json:"parameters,omitempty"`
	// Models are names of models by content type.
	Models map[string]string `json:"models,omitempty"`
}

// Integration is what a route calls.
type Integration struct {
	// Type is AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK.
	Type string `json:"type"`
	// Target is what is called.
	Target Target `json:"target"`
	// Method is the method that the target is called with. Empty is the client's, or POST for a
	// function.
	Method string `json:"method,omitempty"`
	// Timeout is in milliseconds. 0 is the flavor's.
	Timeout int `json:"timeout,omitempty"`
	// PayloadFormat is "1.0" or "2.0", for functions behind HTTP APIs.
	PayloadFormat string `json:"payload_format,omitempty"`
	// Passthrough is WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER.
	Passthrough string `json:"passthrough,omitempty"`
	// ContentHandling is CONVERT_TO_TEXT or CONVERT_TO_BINARY.
	ContentHandling string `json:"content_handling,omitempty"`
	// Credentials is the role, or "arn:aws:iam::*:user/*" for the caller's own, with which nothing
	// is called: the route refuses.
	Credentials string `json:"credentials,omitempty"`
	// Connection is a VPC link.
	Connection *Connection `json:"connection,omitempty"`
	// TLS says how the target's certificate is checked.
	TLS *TLS `json:"tls,omitempty"`
	// Transfer is STREAM or BUFFERED (responseTransferMode).
	Transfer string `json:"transfer,omitempty"`
	// CacheKeys and CacheNamespace are how answers are kept: "method.request.path.id".
	CacheKeys      []string `json:"cache_keys,omitempty"`
	CacheNamespace string   `json:"cache_namespace,omitempty"`
	Description    string   `json:"description,omitempty"`

	// RequestParameters are the mappings to the integration request: of REST APIs
	// "integration.request.header.NAME", of HTTP APIs "append:header.NAME", of a subtype the
	// parameters of its call ("QueueUrl").
	RequestParameters map[string]string `json:"request_parameters,omitempty"`
	// RequestTemplates are by content type.
	RequestTemplates map[string]string `json:"request_templates,omitempty"`
	// TemplateSelection is a WebSocket integration's template selection expression.
	TemplateSelection string `json:"template_selection,omitempty"`
	// Responses are in the source's order. HTTP APIs have Status and Parameters only.
	Responses []*Response `json:"responses,omitempty"`
	Origin    Origin      `json:"origin,omitzero"`
}

// Response is an integration response.
type Response struct {
	// Pattern selects it: a regular expression, or for WebSocket APIs its key. Empty is the default
	// response.
	Pattern string `json:"pattern,omitempty"`
	// Status is a number as text. A WebSocket response has none.
	Status string `json:"status,omitempty"`
	// Parameters are mappings: of REST APIs to "method.response.header.NAME", of HTTP APIs
	// "overwrite:header.NAME".
	Parameters map[string]string `json:"parameters,omitempty"`
	// Templates are by content type.
	Templates       map[string]string `json:"templates,omitempty"`
	ContentHandling string            `json:"content_handling,omitempty"`
	// TemplateSelection is a WebSocket response's.
	TemplateSelection string `json:"template_selection,omitempty"`
}

// Connection is how a private target is reached.
type Connection struct {
	// Type is VPC_LINK or INTERNET.
	Type string `json:"type"`
	// ID is the link's logical ID or its own, or "${stageVariables.NAME}".
	ID string `json:"id,omitempty"`
}

// TLS is an integration's tlsConfig.
type TLS struct {
	// SkipVerification takes any certificate (REST); nothing but [Bindings].SkipVerification makes
	// it count.
	SkipVerification bool `json:"skip_verification,omitempty"`
	// ServerName is the name to verify (HTTP, private targets).
	ServerName string `json:"server_name,omitempty"`
}

// Target is what an integration or an authorizer calls.
type Target struct {
	// Kind says which of the other fields count.
	Kind string `json:"kind"`

	// Function is a function's logical ID, Name its name where it is from elsewhere, ARN its ARN
	// where that is known. Name and Qualifier may hold ${stageVariables.NAME}.
	Function  string `json:"function,omitempty"`
	Name      string `json:"name,omitempty"`
	ARN       string `json:"arn,omitempty"`
	Qualifier string `json:"qualifier,omitempty"`
	// Streaming says that the function streams its answer.
	Streaming bool `json:"streaming,omitempty"`

	// URI is where KindHTTP and KindPrivate are called, with {name} and ${stageVariables.name}; of
	// KindOther what the source had.
	URI string `json:"uri,omitempty"`
	// Resource is the logical ID of the listener, load balancer or Cloud Map service behind a VPC
	// link; ARN is its ARN.
	Resource string `json:"resource,omitempty"`

	// Service, Subdomain, Region, and one of Action and Path are an AWS service:
	// "arn:aws:apigateway:REGION:SUBDOMAIN.SERVICE:action/ACTION", or "path/PATH", which may hold
	// {name}. Arguments are what follows an action: "&Version=2010-03-31".
	Service   string            `json:"service,omitempty"`
	Subdomain string            `json:"subdomain,omitempty"`
	Region    string            `json:"region,omitempty"`
	Action    string            `json:"action,omitempty"`
	Path      string            `json:"path,omitempty"`
	Arguments map[string]string `json:"arguments,omitempty"`

	// Subtype is an HTTP API's, such as SQS-SendMessage.
	Subtype string `json:"subtype,omitempty"`
}

// The kinds of a [Target].
const (
	KindLambda  = "lambda"
	KindHTTP    = "http"
	KindPrivate = "private"
	KindService = "service"
	KindSubtype = "subtype"
	KindMock    = "mock"
	// KindOther is what no reader understood.
	KindOther = "other"
)

// Authorizer is an authorizer of an API.
type Authorizer struct {
	// Type is TOKEN, REQUEST, COGNITO_USER_POOLS or JWT.
	Type string `json:"type"`
	// Target is the function of TOKEN and REQUEST.
	Target *Target `json:"target,omitempty"`
	// IdentitySource lists where the identity is: "method.request.header.Authorization",
	// "$request.header.Authorization".
	IdentitySource []string `json:"identity_source,omitempty"`
	// IdentityValidation is a regular expression for a TOKEN authorizer's header.
	IdentityValidation string `json:"identity_validation,omitempty"`
	// TTL is how many seconds decisions are kept. nil is the flavor's default, 0 is off.
	TTL *int `json:"ttl,omitempty"`
	// PayloadFormat is "1.0" or "2.0", and SimpleResponses says that the function answers without a
	// policy: HTTP APIs.
	PayloadFormat   string `json:"payload_format,omitempty"`
	SimpleResponses bool   `json:"simple_responses,omitempty"`
	// Credentials is the role with which the function is called.
	Credentials string `json:"credentials,omitempty"`
	// Issuer and Audience are a JWT authorizer's; IssuerURL is the discovery document of an
	// openIdConnect scheme that has no Issuer.
	Issuer    string   `json:"issuer,omitempty"`
	IssuerURL string   `json:"issuer_url,omitempty"`
	Audience  []string `json:"audience,omitempty"`
	// Issuers are those of a REST API's native JWT authorizer.
	Issuers []*Issuer `json:"issuers,omitempty"`
	// Providers are user pools of COGNITO_USER_POOLS: ARNs, or logical IDs.
	Providers []string `json:"providers,omitempty"`
	Origin    Origin   `json:"origin,omitzero"`
}

// The types of an [Authorizer].
const (
	TypeToken   = "TOKEN"
	TypeRequest = "REQUEST"
	TypeCognito = "COGNITO_USER_POOLS"
	TypeJWT     = "JWT"
)

// Issuer is one of the issuers of a REST API's native JWT authorizer.
type Issuer struct {
	// Issuer is the iss of its tokens, JWKSURL where its keys are, if not where discovery says.
	Issuer  string `json:"issuer"`
	JWKSURL string `json:"jwks_url,omitempty"`
	// Audience and Algorithms are those that tokens may have.
	Audience   []string `json:"audience,omitempty"`
	Algorithms []string `json:"algorithms,omitempty"`
	// Claims are checks of other claims of a token.
	Claims []*Claim `json:"claims,omitempty"`
}

// Claim is a check of one claim: it is text, and one of Values, if there are some.
type Claim struct {
	// Name is the claim's, and Values are those that pass.
	Name   string   `json:"name"`
	Values []string `json:"values,omitempty"`
	// Required refuses tokens without the claim.
	Required bool `json:"required,omitempty"`
}
