package cloudformation

import (
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

var (
	restCORS = []string{"AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials"}
	httpCORS = []string{"AllowMethods", "AllowHeaders", "AllowOrigins", "MaxAge", "ExposeHeaders", "AllowCredentials"}
)

// addCORS gives every path of a REST API without OPTIONS one that answers a preflight. Values are
// mappings, and so carry the quotes of static values themselves.
func (r *samResource) addCORS() error {
	cors := r.props.Get("Cors")
	if !truthy(cors) {
		return nil
	}
	settings := cors
	switch {
	case isText(cors) || intrinsic(cors):
		settings = newMap(cors.Line, member("AllowOrigin", cors))
	case !isMap(cors):
		return r.refuse(cors, "Cors: want text or a map")
	}
	if err := r.known("Cors", settings, restCORS); err != nil {
		return err
	}
	b := r.body(false)
	if b == nil {
		return r.refuse(cors, "Cors works with an inline DefinitionBody that is an OpenAPI document")
	}
	origin := settings.Get("AllowOrigin")
	if origin == nil {
		origin = textNode(cors.Line, "'*'")
	}
	if isTrue(settings.Get("AllowCredentials")) && textOf(origin) == "'*'" {
		return r.refuse(cors, "Cors: AllowCredentials takes an AllowOrigin that isn't '*'")
	}
	return b.each(func(path string) error {
		items, err := b.items(path)
		if err != nil {
			return err
		}
		methods := settings.Get("AllowMethods")
		for _, item := range items {
			if item.Get("options") != nil {
				continue
			}
			if !truthy(origin) {
				return r.refuse(cors, "Cors: AllowOrigin is required")
			}
			if !truthy(methods) { // once computed it is that of the path's other branch, too
				methods = textNode(cors.Line, "'"+allowMethods(item)+"'")
			}
			item.Set("options", b.preflight(settings, origin, methods))
		}
		return nil
	})
}

// allowMethods are the methods of a path item, as the header lists them.
func allowMethods(item *doctree.Node) string {
	if item.Get(xAnyMethod) != nil {
		return "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
	}
	all := []string{"OPTIONS"}
	for name := range item.Names() {
		all = append(all, strings.ToUpper(name))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// preflight is the mock that answers with the headers.
func (b *samBody) preflight(settings, origin, methods *doctree.Node) *doctree.Node {
	line := origin.Line
	parameters, headers := newMap(line), newMap(line)
	add := func(name, typ string, v *doctree.Node) {
		parameters.Set("method.response.header.Access-Control-"+name, b.s.copy(v))
		headers.Set("Access-Control-"+name, textsNode(line, "type", typ))
	}
	add("Allow-Origin", "string", origin)
	if v := settings.Get("AllowHeaders"); truthy(v) {
		add("Allow-Headers", "string", v)
	}
	add("Allow-Methods", "string", methods)
	if v := settings.Get("MaxAge"); !isNull(v) {
		if v.Kind == doctree.Number { // mappings are texts
			v = textNode(v.Line, v.Text)
		}
		add("Max-Age", "integer", v)
	}
	if isTrue(settings.Get("AllowCredentials")) {
		add("Allow-Credentials", "string", textNode(line, "'true'"))
	}
	answer := textsNode(line, "statusCode", "200")
	answer.Set("responseParameters", parameters)
	answer.Set("responseTemplates", textsNode(line, "application/json", "{}\n"))
	integration := textsNode(line, "type", "mock")
	integration.Set("requestTemplates", textsNode(line, "application/json", "{\n  \"statusCode\" : 200\n}\n"))
	integration.Set("responses", newMap(line, member("default", answer)))
	response := textsNode(line, "description", "Default response for CORS method")
	response.Set("headers", headers)
	method := textsNode(line, "summary", "CORS support")
	for _, name := range []string{"consumes", "produces"} {
		method.Set(name, listNode(line, textNode(line, "application/json")))
	}
	method.Set(xIntegration, integration)
	method.Set("responses", newMap(line, member("200", response)))
	return method
}

// addHTTPCORS writes the configuration of an HTTP API into its body, over the one there.
func (r *samResource) addHTTPCORS() error {
	cors := r.s.resolve(r.props.Get("CorsConfiguration"))
	if !truthy(cors) {
		return nil
	}
	b := r.body(true)
	if b == nil {
		return r.refuse(cors, "CorsConfiguration works with an inline DefinitionBody that is an OpenAPI 3 document")
	}
	target, err := into(b.doc, xCORS)
	if err != nil {
		return b.refuse(b.doc.Get(xCORS), "%v", err)
	}
	switch {
	case isTrue(cors):
		target.Set("allowOrigins", listNode(cors.Line, textNode(cors.Line, "*")))
		return nil
	case !isMap(cors):
		return r.refuse(cors, "CorsConfiguration: want true or a map")
	case intrinsic(cors):
		for _, m := range lowerCORS(cors).Members {
			target.Set(m.Name, m.Value)
		}
		return nil
	}
	if err := r.known("CorsConfiguration", cors, httpCORS); err != nil {
		return err
	}
	origins := cors.Get("AllowOrigins")
	if isTrue(cors.Get("AllowCredentials")) && isList(origins) && len(origins.Items) == 1 &&
		textOf(origins.Items[0]) == "*" {
		return r.refuse(cors, "CorsConfiguration: AllowCredentials takes AllowOrigins that aren't *")
	}
	for name, v := range eachMember(cors) {
		// 0 seconds is an age, and credentials are allowed by true alone.
		if isNull(v) || name != "MaxAge" && !truthy(v) || name == "AllowCredentials" && !isTrue(v) {
			continue
		}
		if name == "AllowOrigins" && intrinsic(v) {
			for _, m := range lowerCORS(v).Members {
				target.Set(m.Name, m.Value)
			}
			continue
		}
		target.Set(strings.ToLower(name[:1])+name[1:], v)
	}
	return nil
}

// lowerCORS renames the properties within a function of the template, in place.
func lowerCORS(n *doctree.Node) *doctree.Node {
	for _, item := range n.Items {
		lowerCORS(item)
	}
	renamed := make([]doctree.Member, 0, len(n.Members))
	for _, m := range n.Members {
		if slices.Contains(httpCORS, m.Name) {
			m.Name = strings.ToLower(m.Name[:1]) + m.Name[1:]
		}
		lowerCORS(m.Value)
		renamed = append(renamed, m)
	}
	if n.Kind == doctree.Map {
		*n = doctree.Node{Kind: n.Kind, Line: n.Line, Members: renamed}
	}
	return n
}
