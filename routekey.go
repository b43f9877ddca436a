package gatekit

import (
	"net/http"
	"strings"
)

// RouteKey returns the key of the route that r is on: the RequestContext's, or, under another router than this module's, what
// r.Pattern says in the gateway's spelling. It is "" before routing. It attaches nothing.
func RouteKey(r *http.Request) string {
	if rc := From(r.Context()); rc != nil && rc.RouteKey != "" {
		return rc.RouteKey
	}
	if r.Pattern == "" {
		return ""
	}
	return routeKeyOf(r.Pattern)
}

// routeKeyOf turns the pattern of another router into the gateway's spelling: "GET /files/{path...}" of http.ServeMux is
// "GET /files/{path+}", "/orders/" is "ANY /orders/{proxy+}", "/" is "$default". A chi pattern ("/orders/{id:[0-9]+}", "/files/*")
// names no method, so its key begins with ANY.
func routeKeyOf(pattern string) string {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "ANY", pattern
	}
	path = strings.TrimLeft(path, " \t")
	i := strings.IndexByte(path, '/')
	if i < 0 {
		return ""
	}
	path = path[i:] // without a host
	if path == "/" && !ok {
		return "$default"
	}
	if ok && len(method)+1+len(path) == len(pattern) && !strings.ContainsAny(path, ".:*$") && path[len(path)-1] != '/' {
		return pattern // the two spellings agree: the common case, without an allocation
	}
	segments := strings.Split(path[1:], "/")
	if last := len(segments) - 1; segments[last] == "" || segments[last] == "*" {
		segments[last] = "{proxy+}" // a subtree: the rest of the path, which has no name there
	} else if segments[last] == "{$}" {
		segments = segments[:max(last, 1)] // the path itself; the root keeps an empty segment
		segments[0] = strings.TrimPrefix(segments[0], "{$}")
	}
	for i, s := range segments {
		segments[i] = keySegment(s)
	}
	return method + " /" + strings.Join(segments, "/")
}

// keySegment turns one segment of another router's pattern into the gateway's spelling.
func keySegment(s string) string {
	switch {
	case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "...}"):
		return strings.TrimSuffix(s, "...}") + "+}"
	case strings.HasPrefix(s, "{") && strings.Contains(s, ":"):
		name, _, _ := strings.Cut(s, ":")
		return name + "}" // chi: {name:regexp}
	}
	return s
}
