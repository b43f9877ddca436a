package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// incoming is an event: each member that may be there as its JSON text.
type incoming struct {
	format contract

	routeKey, rawPath, rawQuery, cookies                           string // 2.0
	resource, path, httpMethod, multiHeaders, query, multiQuery    string // 1.0 and REST
	headers, pathParameters, stageVariables, context, body, base64 string

	requestContext eventContext
}

// eventContext is an event's requestContext.
type eventContext struct {
	accountID, apiID, stage, domainName, requestID, extendedRequestID string
	http, identity, authorizer, authentication                        string
	time, path                                                        string
}

func parseEvent(payload string) (incoming, error) {
	var in incoming
	var version string
	for key, value := range jsonscan.Members(payload) {
		if p := in.member(key); p != nil {
			*p = value
		} else if jsonscan.Is(key, "version") {
			version = value
		}
	}
	for key, value := range jsonscan.Members(in.context) {
		if p := in.requestContext.member(key); p != nil {
			*p = value
		}
	}
	switch {
	case jsonscan.Is(version, "2.0") && len(in.requestContext.http) > 0:
		in.format = contractV2
	case jsonscan.Is(version, "1.0") && len(in.httpMethod) > 0:
		in.format = contractV1
	case jsonscan.IsNull(version) && len(in.httpMethod) > 0 && len(in.context) > 0:
		in.format = contractREST
	default:
		return incoming{}, errNoEvent
	}
	return in, nil
}

// member returns where the member with this name goes, or nil.
func (in *incoming) member(key string) *string {
	switch key {
	case `"routeKey"`:
		return &in.routeKey
	case `"rawPath"`:
		return &in.rawPath
	case `"rawQueryString"`:
		return &in.rawQuery
	case `"cookies"`:
		return &in.cookies
	case `"resource"`:
		return &in.resource
	case `"path"`:
		return &in.path
	case `"httpMethod"`:
		return &in.httpMethod
	case `"headers"`:
		return &in.headers
	case `"multiValueHeaders"`:
		return &in.multiHeaders
	case `"queryStringParameters"`:
		return &in.query
	case `"multiValueQueryStringParameters"`:
		return &in.multiQuery
	case `"pathParameters"`:
		return &in.pathParameters
	case `"stageVariables"`:
		return &in.stageVariables
	case `"requestContext"`:
		return &in.context
	case `"body"`:
		return &in.body
	case `"isBase64Encoded"`:
		return &in.base64
	}
	return nil
}

func (c *eventContext) member(key string) *string {
	switch key {
	case `"accountId"`:
		return &c.accountID
	case `"apiId"`:
		return &c.apiID
	case `"stage"`:
		return &c.stage
	case `"domainName"`:
		return &c.domainName
	case `"requestId"`:
		return &c.requestID
	case `"extendedRequestId"`:
		return &c.extendedRequestID
	case `"http"`:
		return &c.http
	case `"identity"`:
		return &c.identity
	case `"authorizer"`:
		return &c.authorizer
	case `"authentication"`:
		return &c.authentication
	case `"timeEpoch"`, `"requestTimeEpoch"`:
		return &c.time
	case `"path"`:
		return &c.path
	}
	return nil
}

// text is the value of a string, "" of anything else.
func text(value string) string {
	s, _ := jsonscan.Text(value)
	return s
}

// get returns an object's member.
func get(object, name string) string {
	for key, value := range jsonscan.Members(object) {
		if jsonscan.Is(key, name) {
			return value
		}
	}
	return ""
}

// request makes the request of an event.
func (f *Function) request(ctx context.Context, in *incoming) (*http.Request, error) {
	r := &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	rest := in.format == contractREST
	sourceIP := ""
	stage := text(in.requestContext.stage)
	var whole string // the escaped path with base path and stage
	if in.format == contractV2 {
		r.Method = text(get(in.requestContext.http, "method"))
		sourceIP = text(get(in.requestContext.http, "sourceIp"))
		path := text(in.rawPath)
		whole = (&url.URL{Path: path}).EscapedPath()
		r.URL = &url.URL{Path: f.relative(path, stage, false), RawQuery: text(in.rawQuery)}
	} else {
		r.Method = text(in.httpMethod)
		sourceIP = text(get(in.requestContext.identity, "sourceIp"))
		if whole = text(in.path); rest {
			if shown := text(in.requestContext.path); shown != "" {
				whole = shown
			}
		}
		path := f.relative(text(in.path), stage, rest)
		if rest && !f.config.KeepStage {
			path = in.withoutStage(path, stage)
		}
		r.URL = pathURL(path)
		r.URL.RawQuery = in.queryV1()
	}
	if !isToken(r.Method) || !strings.HasPrefix(r.URL.Path, "/") {
		return nil, errNotStrict
	}
	r.RequestURI = r.URL.RequestURI()
	if sourceIP != "" {
		r.RemoteAddr = net.JoinHostPort(sourceIP, "0")
	}
	if err := in.setHeaders(r); err != nil {
		return nil, err
	}
	if err := in.setBody(r); err != nil {
		return nil, err
	}
	if proto := r.Header["X-Forwarded-Proto"]; len(proto) > 0 && proto[0] == "https" {
		r.TLS = in.connection(r.Host)
	}
	r = r.WithContext(gatekit.WithoutRequestContext(ctx))
	rc, r := gatekit.Attach(r)
	rc.Path = requestpath.New(whole, r.URL)
	in.describe(rc, r)
	for key, value := range jsonscan.Members(in.pathParameters) {
		v := text(value)
		if rest {
			if decoded, err := url.PathUnescape(v); err == nil {
				v = decoded
			}
		}
		r.SetPathValue(text(key), v)
	}
	return r, nil
}

// relative takes the base path and the stage off a path, where the format has them.
func (f *Function) relative(path, stage string, rest bool) string {
	if f.config.BasePath != "" {
		if cut, ok := cutSegment(path, f.config.BasePath); ok {
			return cut
		}
	}
	if !rest && !f.config.KeepStage && stage != "" && stage != "$default" {
		if cut, ok := cutSegment(path, stage); ok {
			return cut
		}
	}
	return path
}

// withoutStage takes the stage off a REST event's path, which has it where a custom domain leaves the stage to the path: where what is behind it is
// the resource, and not the whole. (Recorded.)
func (in *incoming) withoutStage(path, stage string) string {
	cut, ok := cutSegment(path, stage)
	resource := strings.Trim(text(in.resource), "/")
	if !ok || stage == "" || strings.Count(resource, "{") > routetree.MaxVariables { // each is looked for in all parameters
		return path
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(resource, "/") {
		b.WriteByte('/')
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			segment = text(get(in.pathParameters, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")))
		}
		b.WriteString(segment)
	}
	if strings.TrimSuffix(cut, "/") != strings.TrimSuffix(b.String(), "/") {
		return path
	}
	return cut
}

func cutSegment(path, segment string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/"+segment)
	switch {
	case !ok || rest != "" && rest[0] != '/':
		return path, false
	case rest == "":
		return "/", true
	}
	return rest, true
}

// pathURL is the URL of an escaped path. One that doesn't decode stands for itself.
func pathURL(escaped string) *url.URL {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return &url.URL{Path: escaped}
	}
	u := &url.URL{Path: path}
	if u.EscapedPath() != escaped {
		u.RawPath = escaped
	}
	return u
}

// queryV1 writes the query that the parameters were decoded from, in their order.
func (in *incoming) queryV1() string {
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(value))
	}
	if jsonscan.IsNull(in.multiQuery) {
		for key, value := range jsonscan.Members(in.query) {
			add(text(key), text(value))
		}
	}
	for key, list := range jsonscan.Members(in.multiQuery) {
		for value := range jsonscan.Elements(list) {
			add(text(key), text(value))
		}
	}
	return b.String()
}

// setHeaders sets the headers, the host and the cookies.
func (in *incoming) setHeaders(r *http.Request) error {
	object := in.multiHeaders
	if jsonscan.IsNull(object) {
		object = in.headers
	}
	n := min(strings.Count(object, `":`), 64) // or more, where values have such text
	r.Header = make(http.Header, n+1)
	room := make([]string, n+1) // one array for all headers that have one value
	add := func(key, value string) error {
		name, v := headerName(key), text(value)
		if !isToken(name) || strings.ContainsAny(v, "\r\n\x00") {
			return errNotStrict
		}
		if have := r.Header[name]; len(have) > 0 || len(room) == 0 {
			r.Header[name] = append(have, v)
			return nil
		}
		room[0] = v
		r.Header[name], room = room[0:1:1], room[1:]
		return nil
	}
	for key, value := range jsonscan.Members(object) {
		if len(value) > 0 && value[0] == '[' {
			for one := range jsonscan.Elements(value) {
				if err := add(key, one); err != nil {
					return err
				}
			}
			continue
		}
		if err := add(key, value); err != nil {
			return err
		}
	}
	if !jsonscan.IsNull(in.cookies) {
		var b []byte
		for value := range jsonscan.Elements(in.cookies) {
			if len(b) > 0 {
				b = append(b, "; "...)
			}
			b, _ = jsonscan.AppendText(b, value)
		}
		if bytes.ContainsAny(b, "\r\n\x00") {
			return errNotStrict
		}
		if len(b) > 0 {
			r.Header["Cookie"] = []string{string(b)}
		}
	}
	if r.Host = r.Header.Get("Host"); r.Host == "" {
		r.Host = text(in.requestContext.domainName)
	}
	delete(r.Header, "Host") // net/http keeps it elsewhere
	return nil
}

// headerName is a header's canonical name. Those of most events are found without an allocation.
func headerName(key string) string {
	if len(key) >= 2 && len(key) <= 34 && key[0] == '"' {
		inner := key[1 : len(key)-1]
		var canonical [32]byte
		upper := true
		for i := range len(inner) {
			c := inner[i]
			switch {
			case upper && 'a' <= c && c <= 'z':
				c -= 'a' - 'A'
			case !upper && 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			}
			canonical[i] = c
			upper = c == '-'
		}
		if name, ok := known[string(canonical[:len(inner)])]; ok {
			return name
		}
	}
	return textproto.CanonicalMIMEHeaderKey(text(key))
}

// known are headers that most events have.
var known = func() map[string]string {
	m := map[string]string{}
	for _, name := range strings.Fields(`Accept Accept-Encoding Accept-Language Authorization Cache-Control Content-Length Content-Type Cookie Forwarded
		Host If-Match If-Modified-Since If-None-Match Origin Range Referer User-Agent Via X-Amz-Date X-Amzn-Trace-Id X-Api-Key X-Forwarded-For
		X-Forwarded-Port X-Forwarded-Proto X-Request-Id Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-Ch-Ua Sec-Ch-Ua-Mobile
		Sec-Ch-Ua-Platform Upgrade-Insecure-Requests Priority Traceparent Tracestate`) {
		m[name] = name
	}
	return m
}()

func (in *incoming) setBody(r *http.Request) error {
	if jsonscan.IsNull(in.body) {
		return nil
	}
	body, ok := jsonscan.AppendText(make([]byte, 0, len(in.body)), in.body)
	if !ok {
		return errNotStrict
	}
	if in.base64 == "true" {
		n, err := base64.StdEncoding.Decode(body, body)
		if err != nil {
			return errNotStrict
		}
		body = body[:n]
	}
	if len(body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return nil
}

// connection is what is known of the client's TLS connection: its certificate, with mutual TLS, which the gateway has verified.
func (in *incoming) connection(host string) *tls.ConnectionState {
	name, _, _ := strings.Cut(host, ":")
	state := &tls.ConnectionState{HandshakeComplete: true, ServerName: name}
	cert := get(in.requestContext.identity, "clientCert")
	if in.format == contractV2 {
		if jsonscan.IsNull(in.requestContext.authentication) {
			return state
		}
		cert = get(in.requestContext.authentication, "clientCert")
	}
	if jsonscan.IsNull(cert) {
		return state
	}
	block, _ := pem.Decode([]byte(text(get(cert, "clientCertPem"))))
	if block == nil {
		return state
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return state // who asks for a certificate refuses
	}
	state.PeerCertificates = []*x509.Certificate{leaf}
	state.VerifiedChains = [][]*x509.Certificate{{leaf}}
	return state
}

// describe fills the RequestContext.
func (in *incoming) describe(rc *gatekit.RequestContext, r *http.Request) {
	c := &in.requestContext
	rc.API = gatekit.API{AccountID: text(c.accountID), APIID: text(c.apiID), Stage: text(c.stage)}
	if in.format == contractREST {
		rc.Flavor = gatekit.REST
	}
	if id := text(c.requestID); !rc.SetRequestID(id, text(c.extendedRequestID)) {
		rc.SetRequestID(id, "") // a REST API's two IDs don't fall together
	}
	rc.DomainName = text(c.domainName)
	if ms, err := strconv.ParseInt(c.time, 10, 64); err == nil {
		rc.RequestTime = time.UnixMilli(ms)
	}
	if variables := stringsOf(in.stageVariables); len(variables) > 0 {
		rc.StageVariables = variables
	}
	if rc.Identity.SourceIP == (netip.Addr{}) && r.RemoteAddr != "" {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		rc.Identity.SourceIP, _ = netip.ParseAddr(host)
	}
	if key := in.key(); !strings.HasSuffix(key, "+}") && key != "$default" {
		rc.RouteKey = key
	}
	if in.format == contractV2 {
		if !jsonscan.IsNull(c.authorizer) {
			in.authorizerV2(rc)
		}
		return
	}
	for key, value := range jsonscan.Members(c.identity) {
		switch key {
		case `"apiKey"`:
			rc.Identity.APIKey = text(value)
		case `"apiKeyId"`:
			rc.Identity.APIKeyID = text(value)
		}
	}
	if !jsonscan.IsNull(get(c.identity, "userArn")) {
		rc.Identity.Caller = callerV1(c.identity)
	}
	in.authorizerV1(rc)
}

// key is the key of the gateway's route.
func (in *incoming) key() string {
	if in.format == contractV2 {
		return text(in.routeKey)
	}
	resource := text(in.resource)
	if resource == "" || resource == "$default" {
		return "$default"
	}
	return text(in.httpMethod) + " " + resource
}

func stringsOf(object string) map[string]string {
	var m map[string]string
	for key, value := range jsonscan.Members(object) {
		if m == nil {
			m = map[string]string{}
		}
		m[text(key)] = text(value)
	}
	return m
}

func callerV1(identity string) *gatekit.IAMCaller {
	c := &gatekit.IAMCaller{}
	for key, value := range jsonscan.Members(identity) {
		switch v := text(value); key {
		case `"accessKey"`:
			c.AccessKey = v
		case `"accountId"`:
			c.AccountID = v
		case `"caller"`:
			c.CallerID = v
		case `"user"`:
			c.UserID = v
		case `"userArn"`:
			c.UserARN = v
		case `"principalOrgId"`:
			c.PrincipalOrgID = v
		case `"cognitoIdentityId"`:
			c.CognitoIdentityID = v
		case `"cognitoIdentityPoolId"`:
			c.CognitoIdentityPoolID = v
		case `"cognitoAuthenticationType"`:
			c.CognitoAuthenticationType = v
		case `"cognitoAuthenticationProvider"`:
			c.CognitoAuthenticationProvider = v
		}
	}
	return c
}

// authorizerV2 takes over what the gateway's authorizer learned.
func (in *incoming) authorizerV2(rc *gatekit.RequestContext) {
	for key, value := range jsonscan.Members(in.requestContext.authorizer) {
		var a *gatekit.Authorization
		switch {
		case jsonscan.IsNull(value):
			continue
		case jsonscan.Is(key, "jwt"):
			a = tokenOf(rc, get(value, "claims"), get(value, "scopes"))
		case jsonscan.Is(key, "lambda"):
			a = gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: contextOf(value)})
		case jsonscan.Is(key, "iam"):
			caller := iamOf(value)
			rc.Identity.Caller = caller
			a = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: caller.UserARN, Caller: caller})
		default:
			continue
		}
		if rc.Authorization == nil {
			rc.Authorization = a
		} else {
			rc.Authorization = rc.Authorization.With(a)
		}
	}
}

// tokenOf is what an authorizer for tokens learned. Where the event doesn't tell scopes, as on routes without, those of the token count.
func tokenOf(rc *gatekit.RequestContext, claims, scopes string) *gatekit.Authorization {
	fields := gatekit.AuthorizationFields{Principal: text(get(claims, "sub")), RawClaims: []byte(claims), Scopes: strings.Fields(text(get(claims, "scope")))}
	if !jsonscan.IsNull(scopes) {
		fields.Scopes = nil
		for scope := range jsonscan.Elements(scopes) {
			fields.Scopes = append(fields.Scopes, text(scope))
		}
		rc.AuthorizationScopes = fields.Scopes
	}
	return gatekit.NewAuthorization(fields)
}

func contextOf(object string) map[string]any {
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func iamOf(object string) *gatekit.IAMCaller {
	c := &gatekit.IAMCaller{}
	for key, value := range jsonscan.Members(object) {
		switch v := text(value); key {
		case `"accessKey"`:
			c.AccessKey = v
		case `"accountId"`:
			c.AccountID = v
		case `"callerId"`:
			c.CallerID = v
		case `"principalOrgId"`:
			c.PrincipalOrgID = v
		case `"userArn"`:
			c.UserARN = v
		case `"userId"`:
			c.UserID = v
		case `"cognitoIdentity"`:
			if jsonscan.IsNull(value) {
				break
			}
			c.CognitoIdentityID = text(get(value, "identityId"))
			c.CognitoIdentityPoolID = text(get(value, "identityPoolId"))
			var providers []string
			for amr := range jsonscan.Elements(get(value, "amr")) {
				if t := text(amr); t == "authenticated" || t == "unauthenticated" {
					c.CognitoAuthenticationType = t
				} else {
					providers = append(providers, t)
				}
			}
			c.CognitoAuthenticationProvider = strings.Join(providers, ",")
		}
	}
	return c
}

// authorizerV1 takes over what the gateway's authorizer learned, in the shape of payload 1.0 and REST events.
func (in *incoming) authorizerV1(rc *gatekit.RequestContext) {
	object := in.requestContext.authorizer
	if rc.Identity.Caller != nil {
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: rc.Identity.Caller.UserARN, Caller: rc.Identity.Caller})
		return
	}
	if jsonscan.IsNull(object) || object[0] != '{' {
		return
	}
	if claims := get(object, "claims"); len(claims) > 0 {
		if !jsonscan.IsNull(claims) { // null without an authorizer
			rc.Authorization = tokenOf(rc, claims, get(object, "scopes"))
		}
		return
	}
	context := contextOf(object)
	principal, _ := context["principalId"].(string)
	delete(context, "principalId")
	delete(context, "integrationLatency")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: principal, Context: context})
}
