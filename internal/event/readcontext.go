package event

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// describe fills the RequestContext.
func (in *Incoming) describe(rc *gatekit.RequestContext, r *http.Request) {
	c := &in.requestContext
	rc.API = gatekit.API{AccountID: text(c.accountID), APIID: text(c.apiID), Stage: text(c.stage)}
	if in.Format == REST {
		rc.Flavor = gatekit.REST
	}
	if id := text(c.requestID); !rc.SetRequestID(id, text(c.extendedRequestID)) {
		rc.SetRequestID(id, "") // a REST API's two IDs don't fall together
	}
	rc.DomainName, rc.OperationName, rc.DeploymentID = text(c.domainName), text(c.operationName), text(c.deploymentID)
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
	if in.Format == V2 {
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
func (in *Incoming) key() string {
	if in.Format == V2 {
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
