package contextvar

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// text is s, where "" stands for nothing known.
func text(s string) (string, bool) { return s, s != "" }

func field(of func(*gatekit.RequestContext) string) getter {
	return func(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) { return text(of(rc)) }
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

// basePathMatched is the API mapping's key, or what stands for the empty one where the request came
// through a custom domain. The managed gateway's word for it isn't known; (none) is what it stores.
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

func method(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	return text(r.Method)
}

// protocol is the same for HTTP/2, too. (Developer guide, "Customize HTTP API access logs".)
func protocol(*gatekit.RequestContext, *http.Request, string) (string, bool) { return "HTTP/1.1", true }

func routeKey(_ *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	return text(gatekit.RouteKey(r))
}

func foundKey(rc *gatekit.RequestContext) string {
	value, _ := rc.FoundAPIKey()
	return value
}

func foundKeyID(rc *gatekit.RequestContext) string {
	_, id := rc.FoundAPIKey()
	return id
}

// carriedKey is the API key that the request carries, or that was found in it by whatever stands in
// front.
func carriedKey(rc *gatekit.RequestContext) string {
	carried, _ := rc.APIKey()
	return cmp.Or(carried, foundKey(rc))
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
	return event.ResourceIDOf(rc, path), true
}

// domainName is the host that the client used, without its port; also where the request has no
// RequestContext to tell it.
func domainName(rc *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	return text(cmp.Or(rc.DomainName(), httpword.Host(r.Host)))
}

func domainPrefix(rc *gatekit.RequestContext, r *http.Request, _ string) (string, bool) {
	name, _ := domainName(rc, r, "")
	return text(event.DomainPrefix(name))
}

func claim(rc *gatekit.RequestContext, _ *http.Request, name string) (string, bool) {
	return rc.Authorization.ClaimString(name)
}

// authorizerMember is a member of the context that a Lambda authorizer answered with, as text: 1 is
// "1", true is "true". Lists and objects, which HTTP APIs allow, are JSON.
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

// ValidationError is what the Cause of a rejection of type BadRequestBody implements if it knows
// what the model refused.
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
func serviceStatus(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if status := statusOfService(rc.Integration()); status != 0 {
		return strconv.Itoa(status), true
	}
	return "", false
}

// statusOfService is 0 where there is none.
func statusOfService(i *gatekit.Integration) int {
	switch {
	case i == nil:
		return 0
	case i.ServiceStatus == 0 && i.FunctionError != "":
		return http.StatusOK
	}
	return cmp.Or(i.ServiceStatus, i.Status)
}

// integrationID is the ID that the backend gave the call, and integrationID2 its second one.
func integrationID(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if i := rc.Integration(); i != nil {
		return text(i.RequestID)
	}
	return "", false
}

func integrationID2(rc *gatekit.RequestContext, _ *http.Request, _ string) (string, bool) {
	if i := rc.Integration(); i != nil {
		return text(i.ExtendedRequestID)
	}
	return "", false
}
