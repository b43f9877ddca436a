package domain

import (
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// What every refused request gets.
var (
	// forbidden is for hosts and paths that no API is for. It belongs to no API, and so to no flavor; its form is the front door's.
	forbidden = &gatekit.Rejection{
		Type: gatekit.Default4XX, Status: http.StatusForbidden, Message: "Forbidden",
		Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}},
	}
	// badPath is for paths that two readers might take for different ones.
	badPath = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest}
	// misdirected is for hosts that the connection wasn't made for. Clients may try again on one of its own (RFC 9110, section 15.5.20).
	misdirected = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusMisdirectedRequest}

	notFound = &gatekit.Rejection{Type: gatekit.ResourceNotFound}
)

// The APIs that there aren't: only their flavor is known.
var httpAPI, restAPI = &gatekit.API{}, &gatekit.API{Flavor: gatekit.REST}

var forbiddenBody = []byte(`{"message":"Forbidden"}`)

// refuse answers for the front door.
func refuse(w http.ResponseWriter, r *http.Request, why *gatekit.Rejection) {
	if why == forbidden {
		outermost := gatekit.From(r.Context()) == nil
		rc, attached := gatekit.Attach(r)
		rc.API, r = restAPI, attached
		if outermost { // a responder that a station outside has set stays
			rc.SetResponder(answerForbidden)
		}
	}
	gatekit.Reject(w, r, why)
}

// answerForbidden is the REST flavor's form without its second request ID, which only an API gives.
func answerForbidden(w http.ResponseWriter, r *http.Request, why *gatekit.Rejection) {
	h := w.Header()
	delete(h, "X-Amz-Apigw-Id")
	v := []string{"application/json", "23", why.ErrorType()}
	h["Content-Type"], h["Content-Length"], h["X-Amzn-Errortype"] = v[0:1:1], v[1:2:2], v[2:3:3]
	w.WriteHeader(http.StatusForbidden)
	if r.Method != http.MethodHead {
		_, _ = w.Write(forbiddenBody) // a client that went away is no fault of ours
	}
}

// DisabledEndpoint returns a handler for the generated host name of an API that is only to be reached by its own: 404 for an HTTP API, 403
// for a REST API and a WebSocket API. It panics if the flavor is none. (re:Post, "How do I disable the default endpoint of my API?")
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
	rc, r := gatekit.Attach(r)
	if gatekit.Flavor(f) == gatekit.HTTP {
		rc.API = httpAPI
		gatekit.Reject(w, r, notFound)
		return
	}
	rc.API = restAPI // the handshake of a WebSocket API is refused in that form
	gatekit.Reject(w, r, forbidden)
}
