package main

import (
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const anyMethod = "x-amazon-apigateway-any-method"

// secured are the routes that the document's text means to protect, by a reading of its own that
// shares nothing with the reader that is tried but the tree: whatever stands where security
// belongs, under a name like that, and names something, protects.
func secured(text []byte, doc *definition.Document) map[string]bool {
	all := map[string]bool{}
	root, err := doctree.Parse(text, doctree.Limits{Bytes: maxLine, Depth: 100, Values: 400_000})
	if err != nil || root.Get("paths") == nil {
		return all
	}
	for _, item := range root.Get("paths").Members {
		for _, operation := range item.Value.Members {
			if !protects(root, item.Value, operation.Value) {
				continue
			}
			for _, api := range doc.APIs {
				for _, key := range madeOf(api, operation.Name, item.Name) {
					all[key] = true
				}
			}
		}
	}
	return all
}

// madeOf are the routes that an operation became: that of its path, or, as a base path may stand in
// front, those that end in it.
func madeOf(api *definition.API, operation, path string) (keys []string) {
	path = "/" + strings.Trim(path, "/")
	method := strings.ToUpper(operation)
	switch {
	case operation == anyMethod && path == "/$default":
		return []string{"$default"}
	case operation == anyMethod:
		method = "ANY"
	}
	if key := method + " " + path; api.Routes[key] != nil || path == "/" {
		return []string{key}
	}
	for key := range api.Routes {
		if m, route, _ := strings.Cut(key, " "); m == method && strings.HasSuffix(route, path) {
			keys = append(keys, key)
		}
	}
	return keys
}

func protects(root, item, operation *doctree.Node) bool {
	if own, said := says(operation); said {
		return own
	}
	if auth := operation.Get("x-amazon-apigateway-auth"); auth != nil {
		t := auth.Get("type")
		return t == nil || !strings.EqualFold(t.Text, definition.AuthNone)
	}
	if all, said := says(item); said {
		return all
	}
	all, _ := says(root)
	return all
}

// says finds the member of a map that is its security, well spelled or not, and whether it names
// anything.
func says(n *doctree.Node) (protects, said bool) {
	for _, m := range n.Members {
		name := strings.ToLower(m.Name)
		if !strings.HasPrefix(name, "sec") || strings.HasPrefix(name, "securitydef") || m.Value.Kind == doctree.Null {
			continue
		}
		said = true
		protects = protects || names(m.Value)
	}
	return protects, said
}

// names reports whether a value asks for something: all does but empty lists and maps, and the
// names by which the translator of templates opens a route.
func names(v *doctree.Node) bool {
	switch v.Kind {
	case doctree.List:
		for _, item := range v.Items {
			if names(item) {
				return true
			}
		}
		return false
	case doctree.Map:
		for name := range v.Names() {
			if name != "NONE" && name != "api_key_false" {
				return true
			}
		}
		return false
	}
	return true
}
