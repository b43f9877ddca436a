package transformtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// Event is a sample request. The zero Event is a GET of / without anything.
type Event struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Method is the HTTP method. "" is POST if there is a Body, else GET.
	Method string
	// Resource is the method's path, such as /pets/{id}. "" has a segment for each of
	// PathParameters.
	Resource string
	// PathParameters are the values of the variables in Resource.
	PathParameters map[string]string
	// QueryString is the encoded query, such as "page=2&tag=a&tag=b".
	QueryString string
	// Header are the headers, among them Host.
	Header map[string]string
	// Body is the body.
	Body string
	// StageVariables are the stage's.
	StageVariables map[string]string
	// Context are members of $context by their full names: stage, apiId, accountId, requestId (a
	// UUID), requestTimeEpoch, domainName, path, identity.sourceIp and the rest of identity but
	// clientCert, authorizer.principalId, authorizer.claims.NAME, authorizer.NAME.
	Context map[string]string
}

// request is the event as a request that carries a RequestContext.
func (e *Event) request() (*http.Request, error) {
	method, resource := e.Method, e.Resource
	if method == "" {
		method = http.MethodGet
		if e.Body != "" {
			method = http.MethodPost
		}
	}
	if resource == "" {
		for _, name := range sortedNames(e.PathParameters) {
			resource += "/{" + name + "}"
		}
	}
	if resource == "" {
		resource = "/"
	}
	path := resource
	for name, value := range e.PathParameters {
		escaped := url.PathEscape(value)
		path = strings.NewReplacer("{"+name+"}", escaped, "{"+name+"+}",
			strings.ReplaceAll(escaped, "%2F", "/")).Replace(path)
	}
	target, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?# ") {
		return nil, fmt.Errorf("transformtest: Event.Resource: want a path such as /pets/{id}, got %q", e.Resource)
	}
	r, err := http.NewRequest(method, "http://example.com", strings.NewReader(e.Body))
	if err != nil {
		return nil, fmt.Errorf("transformtest: Event.Method: want a method such as POST, got %q", e.Method)
	}
	r.URL = &url.URL{Path: target.Path, RawPath: target.RawPath, RawQuery: e.QueryString}
	r.RemoteAddr = httptest.DefaultRemoteAddr + ":1234"
	for name, value := range e.Header {
		if r.Header.Set(name, value); http.CanonicalHeaderKey(name) == "Host" {
			r.Header.Del(name)
			r.Host = value
		}
	}
	for name, value := range e.PathParameters {
		r.SetPathValue(name, value)
	}
	rc, r := gatekit.Attach(r)
	rc.API = &gatekit.API{Flavor: gatekit.REST, Variables: e.StageVariables}
	rc.Route = &gatekit.Route{Key: method + " " + resource}
	return r, e.setContext(rc, r)
}

// setContext sets what Context names.
func (e *Event) setContext(rc *gatekit.RequestContext, r *http.Request) error {
	var caller gatekit.IAMCaller
	received := rc.Path.Received()
	var domain, agent, key, keyID string
	texts := map[string]*string{
		"stage": &rc.API.Stage, "apiId": &rc.API.APIID, "accountId": &rc.API.AccountID, "domainName": &domain,
		"path":               &received,
		"identity.userAgent": &agent, "identity.apiKey": &key, "identity.apiKeyId": &keyID,
		"identity.accessKey": &caller.AccessKey, "identity.accountId": &caller.AccountID,
		"identity.caller": &caller.CallerID, "identity.user": &caller.UserID,
		"identity.userArn": &caller.UserARN, "identity.principalOrgId": &caller.PrincipalOrgID,
		"identity.cognitoIdentityId":             &caller.CognitoIdentityID,
		"identity.cognitoIdentityPoolId":         &caller.CognitoIdentityPoolID,
		"identity.cognitoAuthenticationType":     &caller.CognitoAuthenticationType,
		"identity.cognitoAuthenticationProvider": &caller.CognitoAuthenticationProvider,
	}
	var fields gatekit.AuthorizationFields
	authorized := false
	for _, name := range sortedNames(e.Context) {
		if to := texts[name]; to != nil {
			*to = e.Context[name]
			continue
		}
		of, err := setMember(rc, &fields, name, e.Context[name])
		if authorized = authorized || of; err != nil {
			return fmt.Errorf("transformtest: Event.Context[%q]: %w, got %q", name, err, e.Context[name])
		}
	}
	rc.Path = requestpath.New(received, r.URL)
	if domain != "" {
		rc.SetDomain(&gatekit.Domain{Name: domain})
	}
	if agent != "" {
		rc.SetUserAgent(agent)
	}
	rc.SetAPIKey(key, keyID)
	if caller != (gatekit.IAMCaller{}) {
		rc.SetCaller(&caller)
	}
	if authorized {
		rc.Authorization = gatekit.NewAuthorization(fields)
	}
	return nil
}

// setMember sets a variable that isn't a text of its own, and reports whether it is one of the
// authorizer's.
func setMember(rc *gatekit.RequestContext, fields *gatekit.AuthorizationFields, name,
	value string) (authorized bool, err error) {
	claim, isClaim := strings.CutPrefix(name, "authorizer.claims.")
	member, isMember := strings.CutPrefix(name, "authorizer.")
	switch {
	case name == "requestId":
		if rc.AdoptRequestID(http.Header{"X-Amzn-Requestid": {value}}); rc.RequestID() != value {
			err = fmt.Errorf("want a UUID in lower case")
		}
	case name == "requestTimeEpoch":
		var ms int64
		ms, err = strconv.ParseInt(value, 10, 64)
		rc.Time = time.UnixMilli(ms)
	case name == "identity.sourceIp":
		var ip netip.Addr
		ip, err = netip.ParseAddr(value)
		rc.SetSourceIP(ip)
	case name == "authorizer.principalId":
		fields.Principal, authorized = value, true
	case isClaim && claim != "":
		setIn(&fields.Claims, claim, value)
		authorized = true
	case isMember && member != "" && member != "claims":
		setIn(&fields.Context, member, value)
		authorized = true
	default:
		err = fmt.Errorf("want a name that the documentation lists")
	}
	return authorized, err
}

func setIn(m *map[string]any, name, value string) {
	if *m == nil {
		*m = map[string]any{}
	}
	(*m)[name] = value
}
