package gatekit

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ResponseType says why the gateway answers a request itself: the gateway response types of REST APIs ("Gateway response
// types for API Gateway" of the developer guide), which serve every flavor here.
type ResponseType uint8

// The response types. The zero ResponseType stands for Default4XX or Default5XX, by the Rejection's status.
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

// Refusals made before the integration show no blank after the colon, those made by integration and mapping show one.
const (
	early  = `{"message":`
	late   = `{"message": `
	policy = `{"Message":`
)

// answers is the one table of what refusals say. (spec: "supported-gateway-response-types"; statuses, spellings and blanks
// as recorded from the managed gateway.)
var answers = [responseTypes]answer{
	AccessDenied:                 {"ACCESS_DENIED", "AccessDeniedException", 403, "User is not authorized to access this resource", policy, 403, "Forbidden"},
	APIConfigurationError:        {"API_CONFIGURATION_ERROR", "InternalServerErrorException", 500, "Internal server error", late, 500, "Internal Server Error"},
	AuthorizerConfigurationError: {"AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException", 500, "", early, 500, "Internal Server Error"},
	AuthorizerFailure:            {"AUTHORIZER_FAILURE", "AuthorizerFailureException", 500, "", early, 500, "Internal Server Error"},
	BadRequestBody:               {"BAD_REQUEST_BODY", "BadRequestException", 400, "Invalid request body", early, 400, "Bad Request"},
	BadRequestParameters:         {"BAD_REQUEST_PARAMETERS", "BadRequestException", 400, "Missing required request parameters", early, 400, "Bad Request"},
	Default4XX:                   {"DEFAULT_4XX", "BadRequestException", 400, "Bad Request", early, 400, "Bad Request"},
	Default5XX:                   {"DEFAULT_5XX", "InternalServerErrorException", 500, "Internal server error", late, 500, "Internal Server Error"},
	ExpiredToken:                 {"EXPIRED_TOKEN", "ExpiredTokenException", 403, "The security token included in the request is expired", early, 403, "Forbidden"},
	IntegrationFailure:           {"INTEGRATION_FAILURE", "InternalServerErrorException", 504, "Internal server error", late, 503, "Service Unavailable"},
	IntegrationTimeout:           {"INTEGRATION_TIMEOUT", "InternalServerErrorException", 504, "Endpoint request timed out", late, 503, "Service Unavailable"},
	InvalidAPIKey:                {"INVALID_API_KEY", "ForbiddenException", 403, "Forbidden", early, 403, "Forbidden"},
	InvalidSignature:             {"INVALID_SIGNATURE", "InvalidSignatureException", 403, "Forbidden", early, 403, "Forbidden"},
	MissingAuthenticationToken:   {"MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", 403, "Missing Authentication Token", early, 403, "Forbidden"},
	QuotaExceeded:                {"QUOTA_EXCEEDED", "LimitExceededException", 429, "Limit Exceeded", early, 429, "Limit Exceeded"},
	RequestTooLarge:              {"REQUEST_TOO_LARGE", "BadRequestException", 413, "Request Too Long", late, 413, "Request Entity Too Large"},
	ResourceNotFound:             {"RESOURCE_NOT_FOUND", "ResourceNotFoundException", 404, "Not Found", early, 404, "Not Found"},
	Throttled:                    {"THROTTLED", "TooManyRequestsException", 429, "Too Many Requests", early, 429, "Too Many Requests"},
	Unauthorized:                 {"UNAUTHORIZED", "UnauthorizedException", 401, "Unauthorized", early, 401, "Unauthorized"},
	UnsupportedMediaType:         {"UNSUPPORTED_MEDIA_TYPE", "BadRequestException", 415, "Unsupported Media Type", early, 415, "Unsupported Media Type"},
	WAFFiltered:                  {"WAF_FILTERED", "ForbiddenException", 403, "Forbidden", early, 403, "Forbidden"},
}

// String returns the managed gateway's name of t: "UNAUTHORIZED", "THROTTLED" …
func (t ResponseType) String() string {
	if t == 0 || t >= responseTypes {
		return "ResponseType(" + strconv.Itoa(int(t)) + ")"
	}
	return answers[t].name
}

// Rejection is a request that the gateway answers itself. It is an error; its Cause is for the log and is never sent.
//
// A Rejection given to [Reject] is never modified, so one without Header and Cause can be made once and returned for every
// request; data of one request means a fresh copy. RetryAfter and Challenge are plain values, so that the refusals that are made
// most often (429, 401) need no Header, which costs four allocations.
type Rejection struct {
	// Type is the gateway response type.
	Type ResponseType
	// Status is the HTTP status. 0 means the type's own for the flavor.
	Status int
	// Message is what the client is told. "" means the type's own for the flavor.
	Message string
	// RetryAfter is how long the caller has to wait: the header Retry-After, in whole seconds, rounded up. 0 sends none.
	RetryAfter time.Duration
	// Challenge is a value of the header WWW-Authenticate, in front of those in Header. "" is none.
	Challenge string
	// Header is added to the answer. Reject copies it. A name without values is taken out of what the answer has.
	Header http.Header
	// Cause is what went wrong, for logs. It must hold no token, key or claim.
	Cause error
}

// Error returns the type, and the message and cause if there are any.
func (e *Rejection) Error() string {
	text := "gatekit: " + e.kind().String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the Cause.
func (e *Rejection) Unwrap() error { return e.Cause }

// StatusFor returns the status that a client of an API of flavor f gets: Status, or the type's own.
func (e *Rejection) StatusFor(f Flavor) int {
	switch a := &answers[e.kind()]; {
	case e.Status >= 400 && e.Status <= 599:
		return e.Status
	case f == HTTP:
		return a.http
	default:
		return a.status
	}
}

// MessageFor returns the message that a client of an API of flavor f gets: Message, or the type's own. It is "" where the
// managed gateway sends a JSON null.
func (e *Rejection) MessageFor(f Flavor) string {
	a := &answers[e.kind()]
	switch {
	case e.Message != "":
		return e.Message
	case f == REST:
		return a.message
	}
	if status := e.StatusFor(f); status != a.http {
		return http.StatusText(status) // outside REST, messages go by status
	}
	return a.httpText
}

// ErrorType returns the value of x-amzn-ErrorType that the REST flavor sends, such as "UnauthorizedException": the type's own, or the one in
// Header.
func (e *Rejection) ErrorType() string {
	if own := e.Header["X-Amzn-Errortype"]; len(own) > 0 {
		return own[0]
	}
	return answers[e.kind()].errorType
}

func (e *Rejection) kind() ResponseType {
	switch {
	case e.Type != 0 && e.Type < responseTypes:
		return e.Type
	case e.Status >= 400 && e.Status < 500:
		return Default4XX
	}
	return Default5XX
}

// appendMessage appends key, message as a JSON string, and the closing brace. The managed gateway sends <, > and & as they are.
func appendMessage(b []byte, key, message string) []byte {
	b = append(b, key...)
	if strings.IndexFunc(message, needsEscape) < 0 { // the encoder would write the same, and allocate four times
		b = append(append(append(b, '"'), message...), '"')
		return append(b, '}')
	}
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(message) // a string always encodes
	b = append(b, bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))...)
	return append(b, '}')
}

func needsEscape(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
