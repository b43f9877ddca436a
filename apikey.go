package gatekit

import "net/http"

// APIKey returns the API key of r's caller, and its ID. Where a usage plan has judged the request
// they are what the plan found, be the key in a header or named by an authorizer. Before that, as
// in an authorizer's event, the key is what a REST or WebSocket API's client has sent in X-Api-Key,
// and its ID isn't known: "". Such a key may be anybody's, and lets nobody in. Of two header lines
// nobody knows which one is meant: they are no key.
//
// It is made when it is asked for, and never logged by this module. (Developer guide, "Choose an
// API key source".)
func APIKey(r *http.Request) (value, id string) {
	rc := From(r.Context())
	switch {
	case rc == nil || rc.Flavor == HTTP:
		return "", ""
	case rc.Identity.APIKey != "":
		return rc.Identity.APIKey, rc.Identity.APIKeyID
	}
	if values := r.Header["X-Api-Key"]; len(values) == 1 {
		return values[0], ""
	}
	return "", ""
}
