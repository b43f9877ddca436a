package domain

import (
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// What every refused request gets.
var (
	// forbidden is for hosts and paths that no API is for. It belongs to no API, and so to no
	// flavor; its form is the front door's: the REST flavor's without its second request ID, which
	// only an API gives.
	forbidden = &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: http.StatusForbidden, Message: "Forbidden",
		Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}, "X-Amz-Apigw-Id": nil},
	}
	// badPath is for paths that two readers might take for different ones.
	badPath = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest}
	// misdirected is for hosts that the connection wasn't made for. Clients may try again on one of
	// its own (RFC 9110, section 15.5.20).
	misdirected = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusMisdirectedRequest}

	// What a disabled endpoint says, in the form of its API.
	notFound = &gatekit.Rejection{Type: gatekit.ResourceNotFound}
	disabled = &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: http.StatusForbidden, Message: "Forbidden",
		Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}},
	}
)

// The APIs that there aren't: only their flavor is known.
var httpAPI, restAPI = &gatekit.API{}, &gatekit.API{Flavor: gatekit.REST}

// refuse answers for the front door.
func refuse(w http.ResponseWriter, r *http.Request, why *gatekit.Rejection) {
	if why == forbidden {
		restAPI.Reject(w, r, why)
		return
	}
	gatekit.Reject(w, r, why)
}

// DisabledEndpoint returns a handler for the generated host name of an API that is only to be
// reached by its own: 404 for an HTTP API, 403 for a REST API and a WebSocket API. It panics if the
// flavor is none. (re:Post, "How do I disable the default endpoint of my API?")
//
//	domain.Name{Host: "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", Mappings: []domain.Mapping{{Handler: domain.DisabledEndpoint(gatekit.HTTP)}}}
func DisabledEndpoint(flavor gatekit.Flavor) http.Handler {
	if flavor > gatekit.WebSocket {
		panic(fmt.Sprintf("domain: DisabledEndpoint: want HTTP, REST or WebSocket, got %v", flavor))
	}
	return disabledEndpoint(flavor)
}

type disabledEndpoint gatekit.Flavor

func (f disabledEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if gatekit.Flavor(f) == gatekit.HTTP {
		httpAPI.Reject(w, r, notFound)
		return
	}
	restAPI.Reject(w, r, disabled) // the handshake of a WebSocket API is refused in that form
}
