package route

import (
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// What every refused request gets. The status is the flavor's own for the type.
var (
	badPath     = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest}
	noRouteHTTP = &gatekit.Rejection{Type: gatekit.ResourceNotFound}
	noRouteREST = &gatekit.Rejection{Type: gatekit.MissingAuthenticationToken}
)

// chooser is what Use's middlewares stand around.
type chooser struct {
	api  *API
	tree *routetree.Tree[*matched]
}

func (c *chooser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r) // attached already, unless a middleware has replaced the request
	routed := rc.Path.Routed()
	if err := routed.Check(c.api.rejectEncodedSlash); err != nil {
		if rc.Keeps(gatekit.KeepOutcomes) {
			rc.Note(gatekit.Note{Phase: gatekit.PhaseRoute, Verdict: gatekit.Refused, Reason: err.Error()})
		}
		gatekit.Reject(w, r, badPath)
		return
	}
	path, escaped := routed.Raw()
	var values routetree.Values
	found := c.tree.Match(r.Method, path, escaped, &values)
	if found == nil {
		if rc.Keeps(gatekit.KeepOutcomes) {
			noteNoRoute(rc, c.tree, r.Method, path, escaped)
		}
		if rc.API.Flavor == gatekit.REST {
			gatekit.Reject(w, r, noRouteREST)
		} else {
			gatekit.Reject(w, r, noRouteHTTP)
		}
		return
	}
	m := *found
	if len(m.variables) > 0 {
		if r.Pattern != "" {
			r = unshared(r)
		}
		for i, name := range m.variables {
			r.SetPathValue(name, values.At(i))
		}
	}
	requestpath.Chosen(&rc.Path, c.api.looseSlash)
	rc.Route = &m.route
	r.Pattern = m.pattern
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseRoute, Rule: m.route.Key})
	}
	m.handler.ServeHTTP(w, r)
}

// unshared returns a copy of r for path values of its own. http.Request.WithContext copies the
// outer router's values by reference, so that setting ours would change, and race with, what the
// outer router's callers read. The outer router's values are set in the copy again.
func unshared(r *http.Request) *http.Request {
	exported := http.Request{
		Method: r.Method, URL: r.URL, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: r.Header, Body: r.Body, GetBody: r.GetBody, ContentLength: r.ContentLength,
		TransferEncoding: r.TransferEncoding, Close: r.Close, Host: r.Host,
		Form: r.Form, PostForm: r.PostForm, MultipartForm: r.MultipartForm, Trailer: r.Trailer,
		RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI, TLS: r.TLS, Response: r.Response,
	}
	c := exported.WithContext(r.Context())
	for pattern := r.Pattern; ; {
		_, rest, ok := strings.Cut(pattern, "{")
		if !ok {
			return c
		}
		// {name}, {name...}, or chi's {name:regexp}
		name, after, _ := strings.Cut(rest, "}")
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "..."), ":")
		if value := r.PathValue(name); value != "" {
			c.SetPathValue(name, value)
		}
		pattern = after
	}
}
