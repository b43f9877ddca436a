package event

import (
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// AppendREST appends the event of REST APIs: the proxy event, or that of a REQUEST authorizer.
// (Developer guide, "Input format of a Lambda function for proxy integration"; recorded.)
func (w *Writer) AppendREST(b []byte) []byte { return w.appendV1(b, true) }

// AppendV1 appends payload 1.0 of HTTP APIs, which has the shape of REST APIs.
func (w *Writer) AppendV1(b []byte) []byte { return w.appendV1(b, false) }

func (w *Writer) appendV1(b []byte, rest bool) []byte {
	rc, r := w.Context, w.Request
	resource := ResourcePath(rc.RouteKey())
	b = append(b, '{')
	if !rest {
		b = append(b, `"version":"1.0",`...)
	}
	if a := w.Authorizer; a != nil {
		b = jsonlex.AppendString(append(b, `"type":"REQUEST","methodArn":`...), a.ARN)
		if !rest {
			joined := strings.Join(a.Identity, ",")
			b = jsonlex.AppendString(append(b, `,"identitySource":`...), joined)
			b = jsonlex.AppendString(append(b, `,"authorizationToken":`...), joined)
		}
		b = append(b, ',')
	}
	b = jsonlex.AppendString(append(b, `"resource":`...), resource)
	b = jsonlex.AppendString(append(b, `,"path":`...), w.pathV1(rest))
	b = jsonlex.AppendString(append(b, `,"httpMethod":`...), r.Method)
	var room [32]Line
	lines := w.headers(room[:0])
	b = AppendLast(append(b, `,"headers":`...), lines)
	b = AppendMulti(append(b, `,"multiValueHeaders":`...), lines)
	if r.URL.RawQuery == "" {
		b = w.appendNone(append(b, `,"queryStringParameters":`...))
		b = w.appendNone(append(b, `,"multiValueQueryStringParameters":`...))
	} else {
		lines = QueryLines(lines[:0], r.URL.RawQuery)
		b = AppendLast(append(b, `,"queryStringParameters":`...), lines)
		b = AppendMulti(append(b, `,"multiValueQueryStringParameters":`...), lines)
	}
	b = append(b, `,"pathParameters":`...)
	if after := w.appendPathParameters(b, rest); len(after) > len(b) {
		b = after
	} else {
		b = w.appendNone(b)
	}
	b = append(b, `,"stageVariables":`...)
	if len(rc.API.Variables) > 0 {
		b = AppendStrings(b, rc.API.Variables)
	} else {
		b = w.appendNone(b)
	}
	b = w.appendContextV1(append(b, `,"requestContext":`...), resource, rest)
	return w.appendTailV1(b)
}

// appendTailV1 appends what follows requestContext: an integration's body. No body is ever sent to
// an authorizer, but for our own digest.
func (w *Writer) appendTailV1(b []byte) []byte {
	if a := w.Authorizer; a != nil {
		if a.BodyDigest != "" {
			b = jsonlex.AppendString(append(b, `,"bodySha256":`...), a.BodyDigest)
		}
		return append(b, '}')
	}
	b = append(b, `,"body":`...)
	if len(w.Body) > 0 {
		b = w.appendBody(b)
	} else {
		b = append(b, "null"...)
	}
	return append(strconv.AppendBool(append(b, `,"isBase64Encoded":`...), w.Base64), '}')
}

func (w *Writer) appendContextV1(b []byte, resource string, rest bool) []byte {
	rc, r := w.Context, w.Request
	resourceID := rc.RouteKey()
	if rest {
		resourceID = ResourceIDOf(rc, resource)
	}
	b = jsonlex.AppendString(append(b, `{"accountId":`...), rc.API.AccountID)
	b = jsonlex.AppendString(append(b, `,"apiId":`...), rc.API.APIID)
	if w.Authorizer == nil {
		b = w.appendAuthorizerV1(b, rest)
	}
	if rest {
		b = jsonlex.AppendString(append(b, `,"deploymentId":`...), deploymentID(rc))
	}
	domain := w.domainName()
	b = jsonlex.AppendString(append(b, `,"domainName":`...), domain)
	b = jsonlex.AppendString(append(b, `,"domainPrefix":`...), DomainPrefix(domain))
	b = jsonlex.AppendString(append(b, `,"extendedRequestId":`...), w.requestID())
	b = jsonlex.AppendString(append(b, `,"httpMethod":`...), r.Method)
	b = w.appendIdentity(append(b, `,"identity":`...), rest)
	if rest && rc.OperationName() != "" { // HTTP APIs never send it
		b = jsonlex.AppendString(append(b, `,"operationName":`...), rc.OperationName())
	}
	b = jsonlex.AppendString(append(b, `,"path":`...), w.contextPathV1(rest))
	b = append(b, `,"protocol":"HTTP/1.1","requestId":`...) // the same word for every protocol
	if rest {
		b = jsonlex.AppendString(b, rc.RequestID())
	} else {
		b = jsonlex.AppendString(b, w.requestID())
	}
	b = AppendTime(append(b, `,"requestTime":`...), rc.Time)
	b = AppendMillis(append(b, `,"requestTimeEpoch":`...), rc.Time)
	b = jsonlex.AppendString(append(b, `,"resourceId":`...), resourceID)
	b = jsonlex.AppendString(append(b, `,"resourcePath":`...), resource)
	return append(jsonlex.AppendString(append(b, `,"stage":`...), w.stage()), '}')
}

// appendIdentity appends who is calling. What isn't known is null.
func (w *Writer) appendIdentity(b []byte, rest bool) []byte {
	rc := w.Context
	c := w.caller()
	if c == nil {
		c = &gatekit.IAMCaller{}
	}
	b = appendOrNull(append(b, `{"accessKey":`...), c.AccessKey)
	b = appendOrNull(append(b, `,"accountId":`...), c.AccountID)
	if rest {
		b = w.appendKey(b)
	}
	b = appendOrNull(append(b, `,"caller":`...), c.CallerID)
	if cert := NewClientCert(rc.ClientCert()); cert != nil {
		b = AppendClientCert(append(b, `,"clientCert":`...), cert)
	} else if !rest {
		b = append(b, `,"clientCert":null`...)
	}
	b = appendOrNull(append(b, `,"cognitoAuthenticationProvider":`...), c.CognitoAuthenticationProvider)
	b = appendOrNull(append(b, `,"cognitoAuthenticationType":`...), c.CognitoAuthenticationType)
	b = appendOrNull(append(b, `,"cognitoIdentityId":`...), c.CognitoIdentityID)
	b = appendOrNull(append(b, `,"cognitoIdentityPoolId":`...), c.CognitoIdentityPoolID)
	b = appendOrNull(append(b, `,"principalOrgId":`...), c.PrincipalOrgID)
	b = AppendAddr(append(b, `,"sourceIp":`...), rc.SourceIP())
	b = appendOrNull(append(b, `,"user":`...), c.UserID)
	if b = append(b, `,"userAgent":`...); rest {
		b = appendOrNull(b, rc.UserAgent())
	} else {
		b = jsonlex.AppendString(b, rc.UserAgent())
	}
	return append(appendOrNull(append(b, `,"userArn":`...), c.UserARN), '}')
}

// appendKey appends the caller's API key, where the request has one: an authorizer is asked before
// a usage plan has judged it, and looks it up itself. Its ID stands beside it once a plan has found
// that.
func (w *Writer) appendKey(b []byte) []byte {
	value, id := gatekit.APIKey(w.Request)
	if value == "" {
		return b
	}
	b = jsonlex.AppendString(append(b, `,"apiKey":`...), value)
	if id != "" {
		b = jsonlex.AppendString(append(b, `,"apiKeyId":`...), id)
	}
	return b
}

// caller is the IAM identity behind the request, or nil.
func (w *Writer) caller() *gatekit.IAMCaller {
	if w.Context.Caller() != nil {
		return w.Context.Caller()
	}
	if caller, ok := w.Context.Authorization.Caller(); ok {
		return &caller
	}
	return nil
}
