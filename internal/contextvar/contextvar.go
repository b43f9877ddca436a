// Package contextvar reads $context variables: the names under which mapping templates, parameter mappings, gateway responses and
// access logs ask what a gatekit.RequestContext holds. (Developer guide, "Variables for data models, authorizers, mapping templates,
// and CloudWatch access logging"; for HTTP APIs "Customize HTTP API access logs".)
//
// A value is text, or there is none: a variable that is null on the managed gateway, or that isn't known (yet). What that prints as
// is the reader's: nothing in a template, "-" in a log.
package contextvar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// Var is a variable whose name has been looked up. The zero Var has no value.
type Var struct {
	name string
	get  getter
	key  string // which claim, or which member of the authorizer's context
}

// getter returns a variable's text. rc is never nil.
type getter func(rc *gatekit.RequestContext, r *http.Request, key string) (string, bool)

const (
	claims     = "authorizer.claims."
	authorizer = "authorizer."
)

// Parse looks up the name of a variable, without "$context.". The error says what is wrong with the name, and fits behind the
// name of a field.
func Parse(name string) (Var, error) {
	if get, ok := variables[name]; ok {
		return Var{name: name, get: get}, nil
	}
	if key, ok := claimKey(name); ok {
		if key != "" {
			return Var{name, claim, key}, nil
		}
	} else if key, ok := strings.CutPrefix(name, authorizer); ok && key != "" {
		return Var{name, authorizerMember, key}, nil
	}
	return Var{}, fmt.Errorf("want the name of a $context variable, got %.100q", name)
}

// claimKey is the claim that a name asks for, in each of the spellings that are in use: authorizer.claims.sub and authorizer.claims['sub'],
// also behind the authorizer.jwt of an event's form.
func claimKey(name string) (string, bool) {
	name = strings.Replace(name, "authorizer.jwt.claims", "authorizer.claims", 1)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(claims, "."))
	switch {
	case !ok || rest == "":
		return "", false
	case rest[0] == '.':
		return rest[1:], true
	case len(rest) > 4 && rest[0] == '[' && rest[len(rest)-1] == ']' && (rest[1] == '\'' || rest[1] == '"') && rest[1] == rest[len(rest)-2]:
		return rest[2 : len(rest)-2], true
	case rest[0] == '[':
		return "", true // refused
	}
	return "", false
}

// Value returns the text of $context.name, and whether it has any. A name that there isn't has none.
func Value(r *http.Request, name string) (string, bool) {
	v, err := Parse(name)
	if err != nil {
		return "", false
	}
	return v.Value(r)
}

// Numeric reports whether a variable is a number on the managed gateway, which templates calculate with. The others are text.
func Numeric(name string) bool { return numeric[name] }

// numeric are the variables that are numbers.
var numeric = map[string]bool{
	"requestTimeEpoch": true, "integration.latency": true, "integrationLatency": true, "integration.status": true,
	"integration.integrationStatus": true, "integrationStatus": true, "status": true, "responseLatency": true, "responseLength": true,
}

// Name returns the name as it was given to [Parse].
func (v Var) Name() string { return v.name }

// Value returns the variable's text for r, and whether it has any.
func (v Var) Value(r *http.Request) (string, bool) { return v.Of(gatekit.From(r.Context()), r) }

// Of is Value for who has looked up the RequestContext of r already, which may be nil.
func (v Var) Of(rc *gatekit.RequestContext, r *http.Request) (string, bool) {
	if v.get == nil {
		return "", false
	}
	if rc == nil {
		rc = outside
	}
	return v.get(rc, r, v.key)
}

// outside stands in for the RequestContext of a request that has none. It is only read.
var outside = &gatekit.RequestContext{API: &gatekit.API{}}

// variables are those with a fixed name. none is one that has no value here: what isn't known before the response is
// complete, and what this module hasn't got.
var variables = map[string]getter{
	"accountId":    field(func(rc *gatekit.RequestContext) string { return rc.API.AccountID }),
	"apiId":        field(func(rc *gatekit.RequestContext) string { return rc.API.APIID }),
	"stage":        field(func(rc *gatekit.RequestContext) string { return rc.API.Stage }),
	"connectionId": field(func(rc *gatekit.RequestContext) string { return rc.ConnectionID() }),
	"deploymentId": field(func(rc *gatekit.RequestContext) string { return rc.API.DeploymentID }),

	"isCanaryRequest": field(func(rc *gatekit.RequestContext) string { return rc.API.Canary }),

	"requestId":         inside((*gatekit.RequestContext).RequestID),
	"extendedRequestId": inside((*gatekit.RequestContext).ExtendedRequestID),
	"requestTime":       inside(func(rc *gatekit.RequestContext) string { return event.Time(rc.Time) }),
	"requestTimeEpoch":  inside(func(rc *gatekit.RequestContext) string { return event.Millis(rc.Time).String() }),

	"httpMethod": func(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) { return text(r.Method) },
	"path":       path,
	"protocol":   func(*gatekit.RequestContext, *http.Request, string) (string, bool) { return "HTTP/1.1", true }, // for HTTP/2, too
	"routeKey": func(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
		return text(gatekit.RouteKey(r))
	},
	"operationName":                     field(func(rc *gatekit.RequestContext) string { return rc.OperationName() }),
	"resourcePath":                      resourcePath,
	"resourceId":                        resourceID,
	"domainName":                        domainName,
	"domainPrefix":                      domainPrefix,
	"customDomain.basePathMatched":      field(basePathMatched),
	"authorizer.principalId":            field(func(rc *gatekit.RequestContext) string { return rc.Authorization.Principal() }),
	"authorizer.claims":                 none,
	"error.message":                     errorMessage,
	"error.messageString":               errorMessageString,
	"error.responseType":                errorResponseType,
	"error.validationErrorString":       validationError,
	"integration.error":                 integrationError,
	"integrationErrorMessage":           integrationError,
	"integration.latency":               integrationLatency,
	"integrationLatency":                integrationLatency,
	"integration.status":                integrationStatus,
	"integration.integrationStatus":     serviceStatus,
	"integrationStatus":                 serviceStatus,
	"identity.sourceIp":                 field(func(rc *gatekit.RequestContext) string { return event.AddrText(rc.SourceIP()) }),
	"identity.userAgent":                field(func(rc *gatekit.RequestContext) string { return rc.UserAgent() }),
	"identity.apiKey":                   field(func(rc *gatekit.RequestContext) string { value, _ := rc.FoundAPIKey(); return value }),
	"identity.apiKeyId":                 field(func(rc *gatekit.RequestContext) string { _, id := rc.FoundAPIKey(); return id }),
	"identity.accountId":                caller(func(c *gatekit.IAMCaller) string { return c.AccountID }),
	"identity.accessKey":                caller(func(c *gatekit.IAMCaller) string { return c.AccessKey }),
	"identity.caller":                   caller(func(c *gatekit.IAMCaller) string { return c.CallerID }),
	"identity.user":                     caller(func(c *gatekit.IAMCaller) string { return c.UserID }),
	"identity.userArn":                  caller(func(c *gatekit.IAMCaller) string { return c.UserARN }),
	"identity.principalOrgId":           caller(func(c *gatekit.IAMCaller) string { return c.PrincipalOrgID }),
	"identity.cognitoIdentityId":        caller(func(c *gatekit.IAMCaller) string { return c.CognitoIdentityID }),
	"identity.cognitoIdentityPoolId":    caller(func(c *gatekit.IAMCaller) string { return c.CognitoIdentityPoolID }),
	"identity.clientCert.clientCertPem": certificate(func(c *event.ClientCert) string { return c.ClientCertPem }),
	"identity.clientCert.subjectDN":     certificate(func(c *event.ClientCert) string { return c.SubjectDN }),
	"identity.clientCert.issuerDN":      certificate(func(c *event.ClientCert) string { return c.IssuerDN }),
	"identity.clientCert.serialNumber":  certificate(func(c *event.ClientCert) string { return c.SerialNumber }),

	"identity.cognitoAuthenticationType":     caller(func(c *gatekit.IAMCaller) string { return c.CognitoAuthenticationType }),
	"identity.cognitoAuthenticationProvider": caller(func(c *gatekit.IAMCaller) string { return c.CognitoAuthenticationProvider }),
	"identity.clientCert.validity.notBefore": certificate(func(c *event.ClientCert) string { return c.Validity.NotBefore }),
	"identity.clientCert.validity.notAfter":  certificate(func(c *event.ClientCert) string { return c.Validity.NotAfter }),

	"authorize.error": none, "authorize.latency": none, "authorize.status": none,
	"authenticate.error": none, "authenticate.latency": none, "authenticate.status": none,
	"awsEndpointRequestId": none, "awsEndpointRequestId2": none, "integration.requestId": none,
	"integration.responseTransferMode": none, "integration.timeToAllHeaders": none, "integration.timeToFirstContent": none,
	"dataProcessed": none, "endpointType": none, "identity.vpcId": none, "identity.vpceId": none,
	"responseLatency": none, "responseLength": none, "status": none, "waf.error": none, "waf.latency": none, "waf.status": none,
	"wafResponseCode": none, "webaclArn": none, "xrayTraceId": none,

	"connectedAt":      socket(func(s event.Socket) string { return event.Millis(s.ConnectedAt).String() }),
	"eventType":        socket(func(s event.Socket) string { return string(s.Type) }),
	"messageDirection": socket(func(event.Socket) string { return "IN" }),
	"messageId":        socket(func(s event.Socket) string { return s.MessageID }),
}

// socket is a variable of requests on a WebSocket connection.
func socket(of func(event.Socket) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
		if rc.Connection == nil {
			return "", false
		}
		s := event.SocketOf(rc)
		if s.ConnectedAt.IsZero() {
			s.ConnectedAt = rc.Time
		}
		return text(of(s))
	}
}

func none(*gatekit.RequestContext, *http.Request, string) (string, bool) { return "", false }

// text is s, where "" stands for nothing known.
func text(s string) (string, bool) { return s, s != "" }

func field(of func(*gatekit.RequestContext) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) { return text(of(rc)) }
}

// basePathMatched is the API mapping's key, or what stands for the empty one where the request came through a custom domain. The managed gateway's
// word for it isn't known; (none) is what it stores.
func basePathMatched(rc *gatekit.RequestContext) string {
	if rc.BasePath() == "" && rc.CustomDomain() {
		return "(none)"
	}
	return rc.BasePath()
}

// inside is for what every RequestContext has and the stand-in hasn't.
func inside(of func(*gatekit.RequestContext) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
		if rc == outside {
			return "", false
		}
		return of(rc), true
	}
}

// path begins with the stage where the request's did.
func path(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	path := gatekit.PathOf(r)
	return text(path.Received())
}

func resourcePath(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	return text(event.ResourcePath(gatekit.RouteKey(r)))
}

func resourceID(rc *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	path, ok := resourcePath(rc, r, "")
	if !ok {
		return "", false
	}
	return event.ResourceID(path), true
}

func domainName(rc *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	if rc.DomainName() != "" {
		return rc.DomainName(), true
	}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return text(host)
	}
	return text(r.Host)
}

func domainPrefix(rc *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	name, _ := domainName(rc, r, "")
	return text(event.DomainPrefix(name))
}

func claim(rc *gatekit.RequestContext, _ *http.Request, name string) (string, bool) {
	return rc.Authorization.ClaimString(name)
}

// authorizerMember is a member of the context that a Lambda authorizer answered with, as text: 1 is "1", true is "true". Lists and objects,
// which HTTP APIs allow, are JSON.
func authorizerMember(rc *gatekit.RequestContext, _ *http.Request, name string) (string, bool) {
	value, ok := rc.Authorization.ContextValue(name)
	if !ok {
		return "", false
	}
	switch v := value.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		if v > -1e15 && v < 1e15 && v == float64(int64(v)) {
			return strconv.FormatInt(int64(v), 10), true // 1e6 is 1000000
		}
	}
	encoded, err := event.Marshal(value)
	return string(encoded), err == nil
}

func caller(of func(*gatekit.IAMCaller) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
		if rc.Caller() != nil {
			return text(of(rc.Caller()))
		}
		c, ok := rc.Authorization.Caller()
		if !ok {
			return "", false
		}
		return text(of(&c))
	}
}

func certificate(of func(*event.ClientCert) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
		if rc.ClientCert() == nil {
			return "", false
		}
		return text(of(event.NewClientCert(rc.ClientCert())))
	}
}

func errorMessage(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	rej := rc.Rejection()
	if rej == nil {
		return "", false
	}
	return text(rej.MessageFor(rc.API.Flavor))
}

// errorMessageString is the message as a JSON string; where there is none, null.
func errorMessageString(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	rej := rc.Rejection()
	if rej == nil {
		return "", false
	}
	message := rej.MessageFor(rc.API.Flavor)
	if message == "" {
		return "null", true
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(message) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n"), true
}

func errorResponseType(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	rej := rc.Rejection()
	if rej == nil {
		return "", false
	}
	return ResponseType(rej).String(), true
}

// ResponseType is the type of a rejection, also of one that doesn't name it.
func ResponseType(rej *gatekit.Rejection) gatekit.ResponseType {
	switch {
	case rej.Type != 0 && rej.Type <= gatekit.WAFFiltered:
		return rej.Type
	case rej.Status >= 400 && rej.Status < 500:
		return gatekit.Default4XX
	}
	return gatekit.Default5XX
}

// ValidationError is what the Cause of a rejection of type BadRequestBody implements if it knows what the model refused.
type ValidationError interface {
	error
	// ValidationErrorString is the text of $context.error.validationErrorString.
	ValidationErrorString() string
}

func validationError(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	rej := rc.Rejection()
	var detail ValidationError
	if rej == nil || !errors.As(rej.Cause, &detail) {
		return "", false
	}
	return text(detail.ValidationErrorString())
}

func integrationError(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if i := rc.Integration(); i != nil {
		return text(i.FunctionError)
	}
	return "", false
}

func integrationLatency(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if i := rc.Integration(); i != nil {
		return strconv.FormatInt(i.Latency.Milliseconds(), 10), true
	}
	return "", false
}

func integrationStatus(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if i := rc.Integration(); i != nil && i.Status != 0 {
		return strconv.Itoa(i.Status), true
	}
	return "", false
}

// serviceStatus is that of the call itself, which succeeds also where the function then fails.
func serviceStatus(rc *gatekit.RequestContext, r *http.Request, key string) (string, bool) {
	if i := rc.Integration(); i != nil && i.FunctionError != "" {
		return "200", true
	}
	return integrationStatus(rc, r, key)
}
