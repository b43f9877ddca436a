package integration

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// appendV1 appends the proxy event of REST APIs, or with a version payload 1.0 of HTTP APIs, which has its shape. Empty maps are null.
func (e *eventOf) appendV1(b []byte, version string) []byte {
	rc, r := e.rc, e.r
	rest := version == ""
	resource := event.ResourcePath(rc.RouteKey)
	b = append(b, '{')
	if !rest {
		b = append(jsonscan.AppendString(append(b, `"version":`...), version), ',')
	}
	b = jsonscan.AppendString(append(b, `"resource":`...), resource)
	b = jsonscan.AppendString(append(b, `,"path":`...), e.pathV1(rest))
	b = jsonscan.AppendString(append(b, `,"httpMethod":`...), r.Method)
	var room [32]event.Line
	lines := e.headers(room[:0])
	b = event.AppendLast(append(b, `,"headers":`...), lines)
	b = event.AppendMulti(append(b, `,"multiValueHeaders":`...), lines)
	if r.URL.RawQuery == "" {
		b = append(b, `,"queryStringParameters":null,"multiValueQueryStringParameters":null`...)
	} else {
		lines = event.QueryLines(lines[:0], r.URL.RawQuery)
		b = event.AppendLast(append(b, `,"queryStringParameters":`...), lines)
		b = event.AppendMulti(append(b, `,"multiValueQueryStringParameters":`...), lines)
	}
	b = append(b, `,"pathParameters":`...)
	if after := event.AppendPathParameters(b, r, rc.RouteKey, rest); len(after) > len(b) {
		b = after
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"stageVariables":`...)
	if len(rc.StageVariables) > 0 {
		b = event.AppendStrings(b, rc.StageVariables)
	} else {
		b = append(b, "null"...)
	}
	b = e.appendContextV1(append(b, `,"requestContext":`...), resource, rest)
	b = append(b, `,"body":`...)
	if len(e.body) > 0 {
		b = e.appendBody(b)
	} else {
		b = append(b, "null"...)
	}
	return append(appendBool(append(b, `,"isBase64Encoded":`...), e.base64), '}')
}

// pathV1 is the path with its escapes. An HTTP API shows it as received. A REST API shows it without the stage, unless it came through a custom
// domain. (Recorded.)
func (e *eventOf) pathV1(rest bool) string {
	if !rest || e.rc.CustomDomain || e.rc.BasePath != "" {
		return e.rc.Path.Whole(e.r.URL)
	}
	return e.rc.Path.Told(e.r.URL).String()
}

func (e *eventOf) appendContextV1(b []byte, resource string, rest bool) []byte {
	rc, r := e.rc, e.r
	stage, resourceID, path := rc.Stage, event.ResourceID(resource), rc.Path.Received()
	if !rest {
		resourceID = rc.RouteKey
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
		if stage == "" {
			stage = "$default"
		}
	}
	b = jsonscan.AppendString(append(b, `{"accountId":`...), rc.AccountID)
	b = jsonscan.AppendString(append(b, `,"apiId":`...), rc.APIID)
	b = e.appendAuthorizerV1(b, rest)
	if rest {
		b = jsonscan.AppendString(append(b, `,"deploymentId":`...), deploymentID(rc))
	}
	domain := e.domainName()
	b = jsonscan.AppendString(append(b, `,"domainName":`...), domain)
	b = jsonscan.AppendString(append(b, `,"domainPrefix":`...), event.DomainPrefix(domain))
	b = jsonscan.AppendString(append(b, `,"extendedRequestId":`...), rc.ExtendedRequestID())
	b = jsonscan.AppendString(append(b, `,"httpMethod":`...), r.Method)
	b = e.appendIdentity(append(b, `,"identity":`...), rest)
	b = jsonscan.AppendString(append(b, `,"path":`...), path)
	b = jsonscan.AppendString(append(b, `,"protocol":"HTTP/1.1","requestId":`...), rc.RequestID())
	b = event.AppendTime(append(b, `,"requestTime":`...), rc.RequestTime)
	b = event.AppendMillis(append(b, `,"requestTimeEpoch":`...), rc.RequestTime)
	b = jsonscan.AppendString(append(b, `,"resourceId":`...), resourceID)
	b = jsonscan.AppendString(append(b, `,"resourcePath":`...), resource)
	return append(jsonscan.AppendString(append(b, `,"stage":`...), stage), '}')
}

// deploymentID is the stage's, or stands in for the id that the managed gateway gives a deployment: six characters that stay the same for an
// API's stage.
func deploymentID(rc *gatekit.RequestContext) string {
	if rc.DeploymentID != "" {
		return rc.DeploymentID
	}
	return event.ResourceID(rc.APIID + "/" + rc.Stage)
}

// appendIdentity appends who is calling. What isn't known is null.
func (e *eventOf) appendIdentity(b []byte, rest bool) []byte {
	i := &e.rc.Identity
	c := e.caller()
	if c == nil {
		c = &gatekit.IAMCaller{}
	}
	b = appendOrNull(append(b, `{"accessKey":`...), c.AccessKey)
	b = appendOrNull(append(b, `,"accountId":`...), c.AccountID)
	if rest && i.APIKey != "" {
		b = jsonscan.AppendString(append(b, `,"apiKey":`...), i.APIKey)
		b = jsonscan.AppendString(append(b, `,"apiKeyId":`...), i.APIKeyID)
	}
	b = appendOrNull(append(b, `,"caller":`...), c.CallerID)
	if cert := event.NewClientCert(i.ClientCert); cert != nil {
		b = event.AppendClientCert(append(b, `,"clientCert":`...), cert)
	} else if !rest {
		b = append(b, `,"clientCert":null`...)
	}
	b = appendOrNull(append(b, `,"cognitoAuthenticationProvider":`...), c.CognitoAuthenticationProvider)
	b = appendOrNull(append(b, `,"cognitoAuthenticationType":`...), c.CognitoAuthenticationType)
	b = appendOrNull(append(b, `,"cognitoIdentityId":`...), c.CognitoIdentityID)
	b = appendOrNull(append(b, `,"cognitoIdentityPoolId":`...), c.CognitoIdentityPoolID)
	b = appendOrNull(append(b, `,"principalOrgId":`...), c.PrincipalOrgID)
	b = event.AppendAddr(append(b, `,"sourceIp":`...), i.SourceIP)
	b = appendOrNull(append(b, `,"user":`...), c.UserID)
	if b = append(b, `,"userAgent":`...); rest {
		b = appendOrNull(b, i.UserAgent)
	} else {
		b = jsonscan.AppendString(b, i.UserAgent)
	}
	return append(appendOrNull(append(b, `,"userArn":`...), c.UserARN), '}')
}

func appendOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return jsonscan.AppendString(b, s)
}

// appendAuthorizerV1 appends the authorizer member: claims, or a function's context at its top level. IAM callers stand in the identity. Without
// an authorizer an HTTP API has null, and a REST API no member. (Recorded from both.)
func (e *eventOf) appendAuthorizerV1(b []byte, rest bool) []byte {
	a := e.rc.Authorization
	switch kind := kindOf(a); {
	case kind == "" || kind == "iam":
		if rest {
			return b
		}
		return append(b, `,"authorizer":null`...)
	case a.HasClaims():
		b = a.AppendClaimStrings(append(b, `,"authorizer":{"claims":`...))
		if !rest {
			b = appendScopes(append(b, `,"scopes":`...), e.rc)
		}
		return append(b, '}')
	}
	context := a.Context()
	delete(context, "claims") // reserved: it would pass for a token's
	names := make([]string, 0, len(context))
	for name := range context {
		if name != "principalId" && name != "integrationLatency" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b = jsonscan.AppendString(append(b, `,"authorizer":{"principalId":`...), a.Principal())
	if rest {
		b = append(b, `,"integrationLatency":0`...) // as where the authorizer's cache answers
	}
	for _, name := range names {
		b = append(jsonscan.AppendString(append(b, ','), name), ':')
		b = appendContextValue(b, context[name], rest)
	}
	return append(b, '}')
}

// appendContextValue appends a value of a function's context: a REST API makes strings of numbers and booleans.
func appendContextValue(b []byte, value any, rest bool) []byte {
	text, err := event.Marshal(value)
	switch {
	case err != nil:
		return append(b, "null"...)
	case !rest:
		return append(b, text...)
	}
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return append(b, text...)
	case fmt.Stringer: // json.Number
		return jsonscan.AppendString(b, v.String())
	}
	return jsonscan.AppendString(b, text)
}
