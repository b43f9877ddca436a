package event

import (
	"strconv"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// AppendV2 appends payload 2.0 of HTTP APIs. Members without content are left out. (Developer
// guide, "Create AWS Lambda proxy integrations for HTTP APIs", "Lambda authorizer input format";
// recorded.)
func (w *Writer) AppendV2(b []byte) []byte {
	rc, r := w.Context, w.Request
	b = append(b, `{"version":"2.0",`...)
	if a := w.Authorizer; a != nil {
		b = jsonlex.AppendString(append(b, `"type":"REQUEST","routeArn":`...), a.ARN)
		if b = append(b, `,"identitySource":`...); len(a.Identity) > 0 {
			b = append(AppendList(b, a.Identity), ',')
		} else {
			b = append(b, "null,"...)
		}
	}
	b = jsonlex.AppendString(append(b, `"routeKey":`...), rc.RouteKey())
	b = w.appendRawPath(append(b, `,"rawPath":`...))
	b = jsonlex.AppendString(append(b, `,"rawQueryString":`...), r.URL.RawQuery)
	if before := len(b); true {
		b = append(b, `,"cookies":`...)
		if after := AppendCookies(b, r.Header); len(after) > len(b) {
			b = after
		} else {
			b = b[:before]
		}
	}
	var room [32]Line
	lines := w.headers(room[:0])
	b = AppendJoined(append(b, `,"headers":`...), withoutCookie(lines), true)
	if r.URL.RawQuery != "" {
		b = AppendJoined(append(b, `,"queryStringParameters":`...), QueryLines(lines[:0], r.URL.RawQuery), false)
	}
	b = w.appendContextV2(append(b, `,"requestContext":`...))
	if w.Authorizer == nil && len(w.Body) > 0 {
		b = w.appendBody(append(b, `,"body":`...))
	}
	if before := len(b); true {
		b = append(b, `,"pathParameters":`...)
		if after := w.appendPathParameters(b, false); len(after) > len(b) {
			b = after
		} else {
			b = b[:before]
		}
	}
	if w.Authorizer == nil {
		b = strconv.AppendBool(append(b, `,"isBase64Encoded":`...), w.Base64)
	}
	if len(rc.API.Variables) > 0 {
		b = AppendStrings(append(b, `,"stageVariables":`...), rc.API.Variables)
	}
	if a := w.Authorizer; a != nil && a.BodyDigest != "" {
		b = jsonlex.AppendString(append(b, `,"bodySha256":`...), a.BodyDigest)
	}
	return append(b, '}')
}

func (w *Writer) appendContextV2(b []byte) []byte {
	rc, r := w.Context, w.Request
	b = jsonlex.AppendString(append(b, `{"accountId":`...), rc.API.AccountID)
	b = jsonlex.AppendString(append(b, `,"apiId":`...), rc.API.APIID)
	if cert := NewClientCert(rc.ClientCert()); cert != nil {
		b = append(AppendClientCert(append(b, `,"authentication":{"clientCert":`...), cert), '}')
	}
	if w.Authorizer == nil {
		b = w.appendAuthorizerV2(b)
	}
	domain := w.domainName()
	b = jsonlex.AppendString(append(b, `,"domainName":`...), domain)
	b = jsonlex.AppendString(append(b, `,"domainPrefix":`...), DomainPrefix(domain))
	b = jsonlex.AppendString(append(b, `,"http":{"method":`...), r.Method)
	b = w.appendRawPath(append(b, `,"path":`...))
	b = append(b, `,"protocol":"HTTP/1.1"`...) // the same word for every protocol
	b = AppendAddr(append(b, `,"sourceIp":`...), rc.SourceIP())
	b = jsonlex.AppendString(append(b, `,"userAgent":`...), rc.UserAgent())
	b = jsonlex.AppendString(append(b, `},"requestId":`...), w.requestID())
	b = jsonlex.AppendString(append(b, `,"routeKey":`...), rc.RouteKey())
	b = jsonlex.AppendString(append(b, `,"stage":`...), w.stage())
	b = AppendTime(append(b, `,"time":`...), rc.Time)
	return append(AppendMillis(append(b, `,"timeEpoch":`...), rc.Time), '}')
}

// withoutCookie takes the Cookie header out, which has a member of its own.
func withoutCookie(lines []Line) []Line {
	for i := range lines {
		if lines[i].Name == "Cookie" {
			return append(lines[:i], lines[i+1:]...)
		}
	}
	return lines
}
