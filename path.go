package gatekit

import (
	"net/http"

	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// Path is the path of a request in its three forms, which every station reads here and nowhere
// else:
//
//	rc.Path.Received()         as the client sent it, with base path and stage: what a signature is for
//	rc.Path.Routed().String()  what the route is chosen by, and ARNs and policies are about
//	rc.Path.Told(r.URL)        what backends are told: Routed, unless a parameter mapping has set another
//
// All are escaped as they came: /a%2fb. Routed().Decoded() is for those who print, not for those
// who judge. Path.Variables and Path.Value have the route's variables in both spellings. The zero
// value is no request's; a Path is immutable.
type Path = requestpath.Path

// PathVariable returns the route's path variable as it came ("a%2fb") and decoded ("a/b"), and
// whether r has one of this name: from the route's key and the path, also under a router that sets
// no path values, or as a station has set it by r.SetPathValue. It attaches nothing.
func PathVariable(r *http.Request, name string) (escaped, decoded string, ok bool) {
	path := PathOf(r)
	v, ok := path.Value(r, RouteKey(r), name)
	return v.Escaped, v.Decoded, ok
}

// PathOf returns the path of r: the RequestContext's, or, outside a gateway, one made of r. It
// attaches nothing.
func PathOf(r *http.Request) Path {
	rc := From(r.Context())
	if rc == nil {
		return requestpath.Of(r)
	}
	path := rc.Path
	requestpath.Follow(&path, r.URL, rc.API.Flavor == REST)
	return path
}
