package integration

import (
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// appendV2 appends payload 2.0 of HTTP APIs. Members without content are left out.
func (e *eventOf) appendV2(b []byte) []byte {
	rc, r := e.rc, e.r
	stage := rc.Stage
	if stage == "" {
		stage = "$default"
	}
	b = jsonscan.AppendString(append(b, `{"version":"2.0","routeKey":`...), rc.RouteKey)
	b = e.appendRawPath(append(b, `,"rawPath":`...), stage)
	b = jsonscan.AppendString(append(b, `,"rawQueryString":`...), r.URL.RawQuery)
	if before := len(b); true {
		b = append(b, `,"cookies":`...)
		if after := event.AppendCookies(b, r.Header); len(after) > len(b) {
			b = after
		} else {
			b = b[:before]
		}
	}
	var room [32]event.Line
	lines := e.headers(room[:0])
	b = event.AppendJoined(append(b, `,"headers":`...), withoutCookie(lines), true)
	if r.URL.RawQuery != "" {
		b = event.AppendJoined(append(b, `,"queryStringParameters":`...), event.QueryLines(lines[:0], r.URL.RawQuery), false)
	}

	b = jsonscan.AppendString(append(b, `,"requestContext":{"accountId":`...), rc.AccountID)
	b = jsonscan.AppendString(append(b, `,"apiId":`...), rc.APIID)
	if cert := event.NewClientCert(rc.Identity.ClientCert); cert != nil {
		b = append(event.AppendClientCert(append(b, `,"authentication":{"clientCert":`...), cert), '}')
	}
	b = e.appendAuthorizerV2(b)
	domain := e.domainName()
	b = jsonscan.AppendString(append(b, `,"domainName":`...), domain)
	b = jsonscan.AppendString(append(b, `,"domainPrefix":`...), event.DomainPrefix(domain))
	b = jsonscan.AppendString(append(b, `,"http":{"method":`...), r.Method)
	b = e.appendRawPath(append(b, `,"path":`...), stage)
	b = event.AppendAddr(append(b, `,"protocol":"HTTP/1.1","sourceIp":`...), rc.Identity.SourceIP) // the same word for every protocol
	b = jsonscan.AppendString(append(b, `,"userAgent":`...), rc.Identity.UserAgent)
	b = jsonscan.AppendString(append(b, `},"requestId":`...), rc.RequestID())
	b = jsonscan.AppendString(append(b, `,"routeKey":`...), rc.RouteKey)
	b = jsonscan.AppendString(append(b, `,"stage":`...), stage)
	b = event.AppendTime(append(b, `,"time":`...), rc.RequestTime)
	b = event.AppendMillis(append(b, `,"timeEpoch":`...), rc.RequestTime)
	b = append(b, '}')

	if len(e.body) > 0 {
		b = e.appendBody(append(b, `,"body":`...))
	}
	if before := len(b); true {
		b = append(b, `,"pathParameters":`...)
		if after := event.AppendPathParameters(b, r, rc.RouteKey, false); len(after) > len(b) {
			b = after
		} else {
			b = b[:before]
		}
	}
	b = appendBool(append(b, `,"isBase64Encoded":`...), e.base64)
	if len(rc.StageVariables) > 0 {
		b = event.AppendStrings(append(b, `,"stageVariables":`...), rc.StageVariables)
	}
	return append(b, '}')
}

// appendRawPath appends the decoded path, which begins with the stage unless that is $default.
func (e *eventOf) appendRawPath(b []byte, stage string) []byte {
	b = append(b, '"')
	if stage != "$default" {
		b = jsonscan.AppendInner(append(b, '/'), stage)
	}
	return append(jsonscan.AppendInner(b, e.rc.Path.Told(e.r.URL).Decoded()), '"')
}

// withoutCookie takes the Cookie header out, which has a member of its own.
func withoutCookie(lines []event.Line) []event.Line {
	for i := range lines {
		if lines[i].Name == "Cookie" {
			return append(lines[:i], lines[i+1:]...)
		}
	}
	return lines
}

// appendAuthorizerV2 appends the authorizer member with what each kind of authorizer learned, or nothing without one.
func (e *eventOf) appendAuthorizerV2(b []byte) []byte {
	a := e.rc.Authorization
	if kindOf(a) == "" {
		return b
	}
	b = append(b, `,"authorizer":{`...)
	from, seen := len(b), ""
	for _, one := range append([]*gatekit.Authorization{a}, a.Others()...) {
		kind := kindOf(one)
		if strings.Contains(seen, kind) { // "" too
			continue // auth.All: the first of a kind
		}
		seen += kind
		if len(b) > from {
			b = append(b, ',')
		}
		switch kind {
		case "iam":
			caller, _ := one.Caller()
			b = appendIAM(append(b, `"iam":`...), &caller)
		case "jwt":
			b = one.AppendClaimStrings(append(b, `"jwt":{"claims":`...))
			b = append(appendScopes(append(b, `,"scopes":`...), e.rc), '}')
		default:
			b = appendContext(append(b, `"lambda":`...), one.Context())
		}
	}
	return append(b, '}')
}

// kindOf tells what kind of authorizer has learned a: "" where there is nothing to tell, without an authorizer or where auth.Optional admitted
// an unknown caller.
func kindOf(a *gatekit.Authorization) string {
	if _, ok := a.Caller(); ok {
		return "iam"
	}
	if a.HasClaims() {
		return "jwt"
	}
	if a == nil || a.Principal() == "" && len(a.Scopes()) == 0 && len(a.Context()) == 0 {
		return ""
	}
	return "lambda"
}

func appendContext(b []byte, context map[string]any) []byte {
	if len(context) == 0 {
		return append(b, "{}"...)
	}
	text, err := event.Marshal(context)
	if err != nil {
		return append(b, "{}"...) // values that no authorizer's answer can hold
	}
	return append(b, text...)
}

// appendIAM appends an IAM identity. (Developer guide, payload format 2.0.)
func appendIAM(b []byte, c *gatekit.IAMCaller) []byte {
	b = jsonscan.AppendString(append(b, `{"accessKey":`...), c.AccessKey)
	b = jsonscan.AppendString(append(b, `,"accountId":`...), c.AccountID)
	b = jsonscan.AppendString(append(b, `,"callerId":`...), c.CallerID)
	b = append(b, `,"cognitoIdentity":`...)
	if c.CognitoIdentityID == "" {
		b = append(b, "null"...)
	} else {
		var amr []string
		if c.CognitoAuthenticationType != "" {
			amr = append(amr, c.CognitoAuthenticationType)
		}
		if c.CognitoAuthenticationProvider != "" {
			amr = append(amr, strings.Split(c.CognitoAuthenticationProvider, ",")...)
		}
		b = appendList(append(b, `{"amr":`...), amr)
		b = jsonscan.AppendString(append(b, `,"identityId":`...), c.CognitoIdentityID)
		b = append(jsonscan.AppendString(append(b, `,"identityPoolId":`...), c.CognitoIdentityPoolID), '}')
	}
	b = jsonscan.AppendString(append(b, `,"principalOrgId":`...), c.PrincipalOrgID)
	b = jsonscan.AppendString(append(b, `,"userArn":`...), c.UserARN)
	return append(jsonscan.AppendString(append(b, `,"userId":`...), c.UserID), '}')
}
