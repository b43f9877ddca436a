package event

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/traceid"
)

// Writer writes the events of one request: to the function that answers it, and, with Authorizer,
// to the function that is asked before. There is one writer for both, as a request that is judged
// by one event and served by another is the hole that this package is there to close: what differs
// is what the documentation says differs, and stands in the few conditions on Authorizer below. The
// oracle test lists them. A Writer's methods append JSON, and change nothing but Body's lifetime:
// it must stay as it is until they return.
type Writer struct {
	// Context is what is known of Request, and neither is nil.
	Context *gatekit.RequestContext
	Request *http.Request
	// Body is the whole body, and Base64 says that the event carries it as base64.
	Body   []byte
	Base64 bool
	// Authorizer makes the event one to an authorizer's function. nil is an integration's.
	Authorizer *Authorizer

	id string // the 16 characters, made once
}

// Authorizer is what an authorizer's event has in place of a body. (Developer guide, "Input to an
// API Gateway Lambda authorizer", "Lambda authorizer input format" of HTTP APIs, "Create a Lambda
// REQUEST authorizer function" of WebSocket APIs.)
type Authorizer struct {
	// ARN is what is asked for: methodArn, or routeArn of payload 2.0.
	ARN string
	// Identity are the values of the identity sources, in their order.
	Identity []string
	// BodyDigest is bodySha256, a member of our own, if it isn't "".
	BodyDigest string
}

// AppendToken appends the event of a TOKEN authorizer of a REST API, which has these three members
// alone.
func AppendToken(b []byte, token, arn string) []byte {
	b = jsonlex.AppendString(append(b, `{"type":"TOKEN","authorizationToken":`...), token)
	return append(jsonlex.AppendString(append(b, `,"methodArn":`...), arn), '}')
}

// Trace is the request's X-Amzn-Trace-Id as every event of it, and a REST API's answer, have it.
func Trace(rc *gatekit.RequestContext, r *http.Request) traceid.Trace {
	return traceid.Of(rc, r.Header["X-Amzn-Trace-Id"], rc.API.Flavor == gatekit.REST, rc.Time)
}

// Room is about how many bytes an event takes beside its body.
func (w *Writer) Room() int {
	n := 1024 + 3*len(w.Context.Path.Received()) + 3*len(w.Request.URL.RawQuery)
	per := 1
	if w.Context.API.Flavor != gatekit.HTTP {
		per, n = 2, n+1024
	}
	if w.Context.Authorization.HasClaims() {
		n += 384
	}
	for name, values := range w.Request.Header {
		n += len(name) + 8
		for _, value := range values {
			n += per * (len(value) + 4)
		}
	}
	return n
}

// requestID is the 16-character ID, extendedRequestId of REST APIs.
func (w *Writer) requestID() string {
	if w.id == "" {
		w.id = w.Context.ExtendedRequestID()
	}
	return w.id
}

// stage is the stage's name. An HTTP API that nobody has described has one, too.
func (w *Writer) stage() string {
	if w.Context.API.Stage == "" && w.Context.API.Flavor == gatekit.HTTP {
		return "$default"
	}
	return w.Context.API.Stage
}

// domainName is the host that the client used, without its port.
func (w *Writer) domainName() string {
	if w.Context.DomainName() != "" {
		return w.Context.DomainName()
	}
	return httpword.Host(w.Request.Host)
}

// deploymentID is the stage's, or stands in for the id that the managed gateway gives a deployment:
// six characters that stay the same for an API's stage.
func deploymentID(rc *gatekit.RequestContext) string {
	if rc.API.DeploymentID != "" {
		return rc.API.DeploymentID
	}
	return ResourceID(rc.API.APIID + "/" + rc.API.Stage)
}

// appendBody appends the body's text, or its base64, or what stands for none.
func (w *Writer) appendBody(b []byte) []byte {
	if !w.Base64 {
		return jsonlex.AppendString(b, w.Body)
	}
	return append(appendBase64(append(b, '"'), w.Body), '"')
}

// appendNone appends what a map without members is: the documentation's events of authorizers have
// {}, recorded events of integrations null.
func (w *Writer) appendNone(b []byte) []byte {
	if w.Authorizer != nil {
		return append(b, "{}"...)
	}
	return append(b, "null"...)
}

func appendOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return jsonlex.AppendString(b, s)
}

// AppendList appends a list of strings.
func AppendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonlex.AppendString(b, s)
	}
	return append(b, ']')
}
