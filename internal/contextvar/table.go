package contextvar

import (
	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// row is what is known of a variable. The zero row is one that has no value here: what isn't known
// before the response is complete, and what this module hasn't got.
type row struct {
	get  getter
	kind kind
}

// kind is what else than its text a variable has.
type kind uint8

const (
	plain  kind = iota
	source      // known before an authorizer is asked, and not new with each request
	number      // a number to templates, which calculate with it
	logged      // a variable of access logs alone: elsewhere the name means something else
)

// variables are those with a fixed name: the only table of them.
var variables = map[string]row{
	"accountId":                     {field(func(rc *known) string { return rc.API.AccountID }), source},
	"apiId":                         {field(func(rc *known) string { return rc.API.APIID }), source},
	"stage":                         {field(func(rc *known) string { return rc.API.Stage }), source},
	"connectionId":                  {field(func(rc *known) string { return rc.ConnectionID() }), source},
	"deploymentId":                  {field(func(rc *known) string { return rc.API.DeploymentID }), source},
	"isCanaryRequest":               {field(func(rc *known) string { return rc.API.Canary }), source},
	"requestId":                     {inside((*gatekit.RequestContext).RequestID), plain},
	"extendedRequestId":             {inside((*gatekit.RequestContext).ExtendedRequestID), plain},
	"requestTime":                   {inside(func(rc *known) string { return event.Time(rc.Time) }), plain},
	"requestTimeEpoch":              {inside(func(rc *known) string { return event.Millis(rc.Time).String() }), number},
	"httpMethod":                    {method, source},
	"path":                          {path, source},
	"protocol":                      {protocol, source},
	"routeKey":                      {routeKey, source},
	"operationName":                 {field(func(rc *known) string { return rc.OperationName() }), source},
	"resourcePath":                  {resourcePath, source},
	"resourceId":                    {resourceID, source},
	"domainName":                    {domainName, source},
	"domainPrefix":                  {domainPrefix, source},
	"customDomain.basePathMatched":  {field(basePathMatched), source},
	"authorizer.principalId":        {field(func(rc *known) string { return rc.Authorization.Principal() }), plain},
	"error.message":                 {errorMessage, plain},
	"error.messageString":           {errorMessageString, plain},
	"error.responseType":            {errorResponseType, plain},
	"error.validationErrorString":   {validationError, plain},
	"integration.error":             {integrationError, plain},
	"integrationErrorMessage":       {integrationError, plain},
	"integration.latency":           {integrationLatency, number},
	"integrationLatency":            {integrationLatency, number},
	"integration.status":            {integrationStatus, number},
	"integration.integrationStatus": {serviceStatus, number},
	"integrationStatus":             {serviceStatus, number},
	"integration.requestId":         {integrationID, plain},
	"awsEndpointRequestId":          {integrationID, plain},
	"awsEndpointRequestId2":         {integrationID2, plain},
	"identity.sourceIp":             {field(func(rc *known) string { return event.AddrText(rc.SourceIP()) }), source},
	"identity.userAgent":            {field(func(rc *known) string { return rc.UserAgent() }), source},
	"identity.apiKey":               {field(foundKey), source},
	"identity.apiKeyId":             {field(foundKeyID), plain},

	"identity.accountId":             {caller(func(c *iamCaller) string { return c.AccountID }), plain},
	"identity.accessKey":             {caller(func(c *iamCaller) string { return c.AccessKey }), plain},
	"identity.caller":                {caller(func(c *iamCaller) string { return c.CallerID }), plain},
	"identity.user":                  {caller(func(c *iamCaller) string { return c.UserID }), plain},
	"identity.userArn":               {caller(func(c *iamCaller) string { return c.UserARN }), plain},
	"identity.principalOrgId":        {caller(func(c *iamCaller) string { return c.PrincipalOrgID }), plain},
	"identity.cognitoIdentityId":     {caller(func(c *iamCaller) string { return c.CognitoIdentityID }), plain},
	"identity.cognitoIdentityPoolId": {caller(func(c *iamCaller) string { return c.CognitoIdentityPoolID }), plain},

	"identity.cognitoAuthenticationType": {
		caller(func(c *iamCaller) string { return c.CognitoAuthenticationType }), plain,
	},
	"identity.cognitoAuthenticationProvider": {
		caller(func(c *iamCaller) string { return c.CognitoAuthenticationProvider }), plain,
	},

	"identity.clientCert.clientCertPem": {certificate(func(c *clientCert) string { return c.ClientCertPem }), source},
	"identity.clientCert.subjectDN":     {certificate(func(c *clientCert) string { return c.SubjectDN }), source},
	"identity.clientCert.issuerDN":      {certificate(func(c *clientCert) string { return c.IssuerDN }), source},
	"identity.clientCert.serialNumber":  {certificate(func(c *clientCert) string { return c.SerialNumber }), source},

	"identity.clientCert.validity.notBefore": {
		certificate(func(c *clientCert) string { return c.Validity.NotBefore }), source,
	},
	"identity.clientCert.validity.notAfter": {
		certificate(func(c *clientCert) string { return c.Validity.NotAfter }), source,
	},

	"responseLatency":  {kind: number},
	"responseLength":   {kind: number},
	"status":           {kind: number},
	"connectedAt":      {socket(func(s event.Socket) string { return event.Millis(s.ConnectedAt).String() }), number},
	"eventType":        {socket(func(s event.Socket) string { return string(s.Type) }), plain},
	"messageDirection": {socket(func(event.Socket) string { return "IN" }), plain},
	"messageId":        {socket(func(s event.Socket) string { return s.MessageID }), plain},

	"wafResponseCode": {field(func(rc *known) string { return rc.WebACL().ResponseCode }), plain},
	"webaclArn":       {field(func(rc *known) string { return rc.WebACL().ARN }), plain},

	"authorizer.error": {kind: logged}, "authorizer.latency": {kind: logged}, "authorizer.status": {kind: logged},
	"authorizer.requestId": {kind: logged}, "authorizer.integrationLatency": {kind: logged},
	"authorizer.integrationStatus": {kind: logged},

	"authorizer.claims": {}, "authorize.error": {}, "authorize.latency": {}, "authorize.status": {},
	"authenticate.error": {}, "authenticate.latency": {}, "authenticate.status": {},
	"integration.responseTransferMode": {},
	"integration.timeToAllHeaders":     {}, "integration.timeToFirstContent": {}, "dataProcessed": {},
	"endpointType": {}, "identity.vpcId": {}, "identity.vpceId": {}, "waf.error": {}, "waf.latency": {},
	"waf.status": {}, "xrayTraceId": {},
}

// Short names, so that a row is a line.
type (
	known      = gatekit.RequestContext
	iamCaller  = gatekit.IAMCaller
	clientCert = event.ClientCert
)
