package gatekit

import "strconv"

// ResponseType says why the gateway answers a request itself: the gateway response types of REST
// APIs ("Gateway response types for API Gateway" of the developer guide), which serve every flavor
// here.
type ResponseType uint8

// The response types. The zero ResponseType stands for Default4XX or Default5XX, by the Rejection's
// status.
const (
	_ ResponseType = iota
	AccessDenied
	APIConfigurationError
	AuthorizerConfigurationError
	AuthorizerFailure
	BadRequestBody
	BadRequestParameters
	Default4XX
	Default5XX
	ExpiredToken
	IntegrationFailure
	IntegrationTimeout
	InvalidAPIKey
	InvalidSignature
	MissingAuthenticationToken
	QuotaExceeded
	RequestTooLarge
	ResourceNotFound
	Throttled
	Unauthorized
	UnsupportedMediaType
	WAFFiltered
	responseTypes // how many there are
)

// answer is what a response type says when nobody customized it.
type answer struct {
	name      string // the managed gateway's
	errorType string // x-amzn-ErrorType
	status    int    // REST and WebSocket
	message   string // REST; "" is JSON null
	key       string // what stands between the braces before the message: AccessDenied is spelled Message
	http      int    // HTTP
	httpText  string // HTTP and WebSocket
}

// Refusals made before the integration show no blank after the colon, those made by integration and
// mapping show one.
const (
	early  = `{"message":`
	late   = `{"message": `
	policy = `{"Message":`
)

// answers is the one table of what refusals say. (spec: "supported-gateway-response-types";
// statuses, spellings and blanks as recorded from the managed gateway.)
var answers = [responseTypes]answer{
	AccessDenied: {"ACCESS_DENIED", "AccessDeniedException", 403, "User is not authorized to access this resource",
		policy, 403, "Forbidden"},
	APIConfigurationError: {"API_CONFIGURATION_ERROR", "InternalServerErrorException", 500, "Internal server error",
		late, 500, "Internal Server Error"},
	AuthorizerConfigurationError: {"AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", 500, "",
		early, 500, "Internal Server Error"},
	AuthorizerFailure: {"AUTHORIZER_FAILURE", "AuthorizerFailureException", 500, "",
		early, 500, "Internal Server Error"},
	BadRequestBody: {"BAD_REQUEST_BODY", "BadRequestException", 400, "Invalid request body",
		early, 400, "Bad Request"},
	BadRequestParameters: {"BAD_REQUEST_PARAMETERS", "BadRequestException", 400, "Missing required request parameters",
		early, 400, "Bad Request"},
	Default4XX: {"DEFAULT_4XX", "BadRequestException", 400, "Bad Request",
		early, 400, "Bad Request"},
	Default5XX: {"DEFAULT_5XX", "InternalServerErrorException", 500, "Internal server error",
		late, 500, "Internal Server Error"},
	ExpiredToken: {"EXPIRED_TOKEN", "ExpiredTokenException", 403, "The security token included in the request is expired",
		early, 403, "Forbidden"},
	IntegrationFailure: {"INTEGRATION_FAILURE", "InternalServerErrorException", 504, "Internal server error",
		late, 503, "Service Unavailable"},
	IntegrationTimeout: {"INTEGRATION_TIMEOUT", "InternalServerErrorException", 504, "Endpoint request timed out",
		late, 503, "Service Unavailable"},
	InvalidAPIKey: {"INVALID_API_KEY", "ForbiddenException", 403, "Forbidden",
		early, 403, "Forbidden"},
	InvalidSignature: {"INVALID_SIGNATURE", "InvalidSignatureException", 403, "Forbidden",
		early, 403, "Forbidden"},
	MissingAuthenticationToken: {"MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", 403, "Missing Authentication Token",
		early, 403, "Forbidden"},
	QuotaExceeded: {"QUOTA_EXCEEDED", "LimitExceededException", 429, "Limit Exceeded",
		early, 429, "Limit Exceeded"},
	RequestTooLarge: {"REQUEST_TOO_LARGE", "BadRequestException", 413, "Request Too Long",
		late, 413, "Request Entity Too Large"},
	ResourceNotFound: {"RESOURCE_NOT_FOUND", "ResourceNotFoundException", 404, "Not Found",
		early, 404, "Not Found"},
	Throttled: {"THROTTLED", "TooManyRequestsException", 429, "Too Many Requests",
		early, 429, "Too Many Requests"},
	Unauthorized: {"UNAUTHORIZED", "UnauthorizedException", 401, "Unauthorized",
		early, 401, "Unauthorized"},
	UnsupportedMediaType: {"UNSUPPORTED_MEDIA_TYPE", "BadRequestException", 415, "Unsupported Media Type",
		early, 415, "Unsupported Media Type"},
	WAFFiltered: {"WAF_FILTERED", "ForbiddenException", 403, "Forbidden",
		early, 403, "Forbidden"},
}

// String returns the managed gateway's name of t: "UNAUTHORIZED", "THROTTLED" …
func (t ResponseType) String() string {
	if t == 0 || t >= responseTypes {
		return "ResponseType(" + strconv.Itoa(int(t)) + ")"
	}
	return answers[t].name
}
