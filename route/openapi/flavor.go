package openapi

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// flavor decides for which flavor the document is, if nobody says.
func (r *reader) flavor() {
	if r.o.Flavor == "" && r.o.Into != nil {
		r.o.Flavor = r.o.Into.Flavor
	}
	if r.o.Flavor == "" {
		r.o.Flavor = definition.FlavorREST
		if !r.v2 && r.looksHTTP() {
			r.o.Flavor = definition.FlavorHTTP
		}
	}
	r.rest = r.o.Flavor == definition.FlavorREST
}

// looksHTTP reports whether the document has what HTTP APIs alone have. (Developer guide, "Working
// with OpenAPI definitions for HTTP APIs".)
func (r *reader) looksHTTP() bool {
	for _, name := range []string{"x-amazon-apigateway-cors", "x-amazon-apigateway-importexport-version"} {
		if r.root.get(name).Node != nil {
			return true
		}
	}
	components := r.root.get("components")
	if components.get("x-amazon-apigateway-integrations").Node != nil {
		return true
	}
	for _, scheme := range components.get("securitySchemes").members() {
		if strings.EqualFold(scheme.get(authorizerExtension).get("type").text(), "jwt") {
			return true
		}
	}
	for path, item := range r.root.get("paths").members() {
		if path == "$default" || path == "/$default" {
			return true
		}
		for _, operation := range item.members() {
			integration := operation.get(integrationExtension)
			if operation.get("isDefaultRoute").Node != nil || integration.get("integrationSubtype").Node != nil ||
				integration.get("payloadFormatVersion").text() == "2.0" {
				return true
			}
		}
	}
	return false
}

// basePath is what is put in front of each path: without a slash at its end, "" for none.
func (r *reader) basePath() string {
	if mode := cmp.Or(r.o.BasePath, BasePathIgnore); mode == BasePathIgnore {
		return ""
	}
	base := r.root.get("basePath").text()
	if !r.v2 {
		base = r.serverBasePath()
	}
	base = strings.Trim(base, "/")
	if r.o.BasePath == BasePathSplit {
		_, base, _ = strings.Cut(base, "/")
	}
	if base == "" {
		return ""
	}
	return "/" + base
}

// serverBasePath is the default of the first server's variable basePath, whether or not its URL
// mentions it; without any, the first URL's path.
func (r *reader) serverBasePath() string {
	servers := r.root.get("servers")
	if !servers.is(doctree.List) {
		return ""
	}
	for _, item := range servers.Items {
		if base := (value{Node: item}).get("variables").get("basePath").get("default"); base.given() {
			return base.text()
		}
	}
	for _, item := range servers.Items {
		server := value{Node: item}
		text := server.get("url").text()
		for name, variable := range server.get("variables").members() {
			text = strings.ReplaceAll(text, "{"+name+"}", variable.get("default").text())
		}
		if u, err := url.Parse(text); err == nil && strings.Trim(u.Path, "/") != "" {
			return u.Path
		}
	}
	return ""
}
