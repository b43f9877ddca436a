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
	api := &gatekit.API{
		AccountID: text(c.accountID), APIID: text(c.apiID), Stage: text(c.stage),
		DeploymentID: text(c.deploymentID), Variables: stringsOf(in.stageVariables),
	}
	if in.Format == REST {
		api.Flavor = gatekit.REST
	}
	rc.API = api
	// A REST API's two IDs don't fall together: the one that is no ID is a new one.
	id, extended := text(c.requestID), text(c.extendedRequestID)
	if !rc.SetRequestID(id, extended) && !rc.SetRequestID(id, "") {
		rc.SetRequestID(rc.RequestID(), extended)
	}
	rc.SetDomain(&gatekit.Domain{Name: text(c.domainName)})
	if ms, err := strconv.ParseInt(c.time, 10, 64); err == nil {
		rc.Time = time.UnixMilli(ms)
	}
	if rc.SourceIP() == (netip.Addr{}) && r.RemoteAddr != "" {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		ip, _ := netip.ParseAddr(host)
		rc.SetSourceIP(ip)
	}
	if key := in.key(); !strings.HasSuffix(key, "+}") && key != "$default" {
		rc.Route = &gatekit.Route{Key: key, OperationName: text(c.operationName)}
		if in.Format == REST { // an HTTP API's is its route's key
			rc.Route.ResourceID = text(c.resourceID)
		}
	}
	if in.Format == V2 {
		if !jsonscan.IsNull(c.authorizer) {
			in.authorizerV2(rc)
		}
		return
	}
	rc.SetAPIKey(text(get(c.identity, "apiKey")), text(get(c.identity, "apiKeyId")))
	if !jsonscan.IsNull(get(c.identity, "userArn")) {
		rc.SetCaller(callerV1(c.identity))
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
