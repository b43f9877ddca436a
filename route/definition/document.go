package definition

import "encoding/json"

// Document is what a team has deployed, as data: APIs, usage plans with their keys, and custom
// domain names. It has no functions inside, so that it can be read from a template, printed,
// compared and kept. The zero value describes nothing.
//
// Its JSON form is stable: the same document gives the same bytes. What a source didn't say is
// absent from it, and means the managed gateway's default.
type Document struct {
	// APIs are in the order of their source.
	APIs []*API `json:"apis,omitempty"`
	// UsagePlans and APIKeys are by logical ID.
	UsagePlans map[string]*UsagePlan `json:"usage_plans,omitempty"`
	APIKeys    map[string]*APIKey    `json:"api_keys,omitempty"`
	// Domains are by their host names.
	Domains map[string]*Domain `json:"domains,omitempty"`
	// Resources are what the rest refers to by logical ID and a program has to bring: functions,
	// user pools, listeners, certificates, roles.
	Resources map[string]*Resource `json:"resources,omitempty"`
	// Findings are what reading the source brought up. [Gateway.Report] lists them with its own.
	Findings []Finding `json:"findings,omitempty"`
}

// API is one API of any flavor.
type API struct {
	// ID is the logical ID, with "Nested/" in front within a nested stack.
	ID string `json:"id"`
	// Flavor is REST, HTTP or WEBSOCKET.
	Flavor string `json:"flavor"`
	// Name, Description and Version are shown to people.
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version,omitempty"`
	// APIID is the identifier that the managed gateway would have given, which is in host names,
	// ARNs and events: 10 lower-case letters and digits. Where it is empty, [API.Identifier] makes
	// one of ID.
	APIID string `json:"api_id,omitempty"`
	// Account and Region are in ARNs and events. Empty: 123456789012 and us-east-1.
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	// Routes are by route key: "GET /pets/{id}", "ANY /{proxy+}", "$default", and for WebSocket
	// APIs "$connect" or what the route selection gives.
	Routes map[string]*Route `json:"routes,omitzero"`
	// RoutesUnknown says that some of the API's routes lie where the source couldn't be read: none
	// is served, since a request for one that isn't known would come to another.
	RoutesUnknown bool `json:"routes_unknown,omitempty"`
	// Authorizers are by name, as [Auth].Authorizer has it.
	Authorizers map[string]*Authorizer `json:"authorizers,omitempty"`
	// Models are by name.
	Models map[string]*Model `json:"models,omitempty"`
	// Validators are those that are defined, by name; a route has what its own says.
	Validators map[string]*Validator `json:"validators,omitempty"`
	// GatewayResponses are by response type, such as UNAUTHORIZED or DEFAULT_4XX.
	GatewayResponses map[string]*GatewayResponse `json:"gateway_responses,omitempty"`
	// CORS is that of an HTTP API.
	CORS *CORS `json:"cors,omitempty"`
	// Policy is the resource policy of a REST API, an IAM policy document. Resources may be short:
	// "execute-api:/stage/METHOD/path".
	Policy json.RawMessage `json:"policy,omitempty"`
	// BinaryMediaTypes are the types of bodies that are bytes: "image/png", "*/*".
	BinaryMediaTypes []string `json:"binary_media_types,omitempty"`
	// MinimumCompressionSize is the least size in bytes of an answer that is compressed. nil: none
	// is.
	MinimumCompressionSize *int `json:"minimum_compression_size,omitempty"`
	// APIKeySource is HEADER, also if empty, or AUTHORIZER.
	APIKeySource string `json:"api_key_source,omitempty"`
	// DefaultEndpointDisabled makes the host name of the API's own refuse.
	DefaultEndpointDisabled bool `json:"default_endpoint_disabled,omitempty"`
	// EndpointTypes are REGIONAL, EDGE or PRIVATE, and VPCEndpoints the IDs through which a private
	// API is reached.
	EndpointTypes []string `json:"endpoint_types,omitempty"`
	VPCEndpoints  []string `json:"vpc_endpoints,omitempty"`
	// SecurityPolicy and EndpointAccessMode are the default endpoint's TLS.
	SecurityPolicy     string `json:"security_policy,omitempty"`
	EndpointAccessMode string `json:"endpoint_access_mode,omitempty"`

	// RouteSelection is a WebSocket API's route selection expression, and APIKeySelection where it
	// finds a key.
	RouteSelection  string `json:"route_selection,omitempty"`
	APIKeySelection string `json:"api_key_selection,omitempty"`
	// SchemaValidationDisabled is what the source says, and has no effect.
	SchemaValidationDisabled bool `json:"schema_validation_disabled,omitempty"`

	// Stages are by name.
	Stages map[string]*Stage `json:"stages,omitzero"`
	Origin Origin            `json:"origin,omitzero"`
}

// The flavors of an [API].
const (
	FlavorREST      = "REST"
	FlavorHTTP      = "HTTP"
	FlavorWebSocket = "WEBSOCKET"
)

// Model is a model of an API: the form of a body.
type Model struct {
	// ContentType is application/json where it is empty.
	ContentType string `json:"content_type,omitempty"`
	// Description is shown to people.
	Description string `json:"description,omitempty"`
	// Schema is JSON Schema, draft 4.
	Schema json.RawMessage `json:"schema,omitempty"`
	Origin Origin          `json:"origin,omitzero"`
}

// Validator says what of a request is validated.
type Validator struct {
	// Body holds bodies against the route's models.
	Body bool `json:"body"`
	// Parameters wants those that the route requires.
	Parameters bool   `json:"parameters"`
	Origin     Origin `json:"origin,omitzero"`
}

// GatewayResponse is what refusals of one type look like.
type GatewayResponse struct {
	// Status is a number as text, or empty for the type's own.
	Status string `json:"status,omitempty"`
	// Parameters are from "gatewayresponse.header.NAME" to a mapping.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Templates are by content type.
	Templates map[string]string `json:"templates,omitempty"`
	Origin    Origin            `json:"origin,omitzero"`
}

// CORS is the CORS configuration of an HTTP API.
type CORS struct {
	// Origins, Methods, Headers and ExposeHeaders are the lists, as in cors.Config.
	Origins       []string `json:"origins,omitempty"`
	Methods       []string `json:"methods,omitempty"`
	Headers       []string `json:"headers,omitempty"`
	ExposeHeaders []string `json:"expose_headers,omitempty"`
	// MaxAge is in seconds; nil sends none.
	MaxAge *int `json:"max_age,omitempty"`
	// Credentials lets pages send cookies; nil is false.
	Credentials *bool  `json:"credentials,omitempty"`
	Origin      Origin `json:"origin,omitzero"`
}

// Resource is something that a document refers to by logical ID and that a program binds: see
// [Bindings].
type Resource struct {
	// Type is the resource's type, such as AWS::Lambda::Function.
	Type string `json:"type"`
	// Name is its physical name, ARN its ARN, and Path its path in a CDK program ("Stack/Handler").
	// A resource can be bound by each of them.
	Name string `json:"name,omitempty"`
	ARN  string `json:"arn,omitempty"`
	Path string `json:"path,omitempty"`
	// Handler and Runtime tell a person which function it is.
	Handler string `json:"handler,omitempty"`
	Runtime string `json:"runtime,omitempty"`
	// Timeout is a function's own, in seconds. It is for people and for programs that run
	// functions: a call is bounded by the integration's.
	Timeout int `json:"timeout,omitempty"`
	// Environment are a function's variables, which may be secrets and may be unknown ([Unknown]),
	// Memory is its size in MB, and Code where its code is: a folder or an archive, as a path
	// within the source's file system. InlineCode is code that stands in the source itself. They
	// are for programs that run functions; nothing that is served depends on them.
	Environment map[string]string `json:"environment,omitempty"`
	Memory      int               `json:"memory,omitempty"`
	Code        string            `json:"code,omitempty"`
	InlineCode  string            `json:"inline_code,omitempty"`
	// Targets are the logical IDs or ARNs that a VPC link leads to, by whose names its upstream is
	// found; Port and Protocol are what a listener listens on, for people.
	Targets  []string `json:"targets,omitempty"`
	Port     int      `json:"port,omitempty"`
	Protocol string   `json:"protocol,omitempty"`
	// Addresses are the host:port of each instance of a Cloud Map service, to which integrations
	// lead that aren't bound, if all are known.
	Addresses []string `json:"addresses,omitempty"`
	Origin    Origin   `json:"origin,omitzero"`
}
