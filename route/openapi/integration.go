package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

const integrationExtension = "x-amazon-apigateway-integration"

// integration reads what a route calls. It is false where there is none to be made.
func (r *reader) integration(at place) bool {
	v := r.deref(at.op.get(integrationExtension))
	if !v.given() {
		switch {
		case at.op.get(integrationExtension).given(): // a reference to nothing, and named
		case r.rest:
			r.note(definition.Unsupported, at.op, at.key, "give it an integration",
				"No integration defined for method: the managed gateway refuses to deploy it, and here it answers 500")
		default:
			r.note(definition.Warning, at.op, at.key, "give it an integration",
				"the operation has no integration: no route is made of it")
		}
		return false
	}
	kind := strings.ToUpper(v.get("type").text())
	known := []string{"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}
	if !v.is(doctree.Map) || !slices.Contains(known, kind) {
		r.fail(v, "Unable to parse API definition because of a malformed integration at path %s", at.path)
		return false
	}
	if !r.rest && !strings.HasSuffix(kind, "_PROXY") {
		r.warn(v, at.key, "Unsupported integration type %s at path %s and method %s: no route is made of it",
			kind, at.path, at.method)
		return false
	}
	i := &definition.Integration{Type: kind, Origin: r.origin(v), Description: v.get("description").text(),
		Credentials: v.get("credentials").text(), RequestParameters: r.mapping(at, v, "requestParameters"),
		Transfer: strings.ToUpper(v.get("responseTransferMode").text())}
	at.route.Integration = i
	r.connection(v, i)
	r.target(at, v, i)
	r.callMethod(at, v, i)
	r.timeout(at, v, i)
	r.choice(at, v, "responseTransferMode", i.Transfer, "BUFFERED", "STREAM")
	if r.rest {
		r.restIntegration(at, v, i)
	} else {
		r.httpIntegration(at, v, i)
	}
	return true
}

// choice fails for a word that isn't one of those that a member may have.
func (r *reader) choice(at place, v value, member, word string, words ...string) {
	if word != "" && !slices.Contains(words, word) {
		r.fail(v.get(member), "%s: Invalid %s specified: %s%s", at.put("integration"), member, word,
			nearest.Hint(word, slices.Values(words)))
	}
}

func (r *reader) connection(v value, i *definition.Integration) {
	if strings.EqualFold(v.get("connectionType").text(), "VPC_LINK") {
		i.Connection = &definition.Connection{Type: "VPC_LINK", ID: v.get("connectionId").text()}
	}
	tls := definition.TLS{SkipVerification: r.truth(v.get("tlsConfig").get("insecureSkipVerification")),
		ServerName: v.get("tlsConfig").get("serverNameToVerify").text()}
	if tls != (definition.TLS{}) {
		i.TLS = &tls
	}
}

func (r *reader) target(at place, v value, i *definition.Integration) {
	uri := v.get("uri")
	if subtype := v.get("integrationSubtype").text(); subtype != "" && !r.rest {
		i.Target = definition.Target{Kind: definition.KindSubtype, Subtype: subtype}
		return
	}
	t, err := definition.Target{Kind: definition.KindMock}, error(nil)
	private := i.Connection != nil
	switch {
	case i.Type == "MOCK":
	case private && r.rest && v.get("integrationTarget").given():
		t, err = httpTarget(uri.text())
		t.Kind, t.ARN = definition.KindPrivate, v.get("integrationTarget").text()
	case private && !r.rest:
		t, err = privateTarget(uri.text())
	case strings.HasPrefix(i.Type, "HTTP"):
		t, err = httpTarget(uri.text())
	default:
		if t, err = httpTarget(uri.text()); err == nil {
			r.note(definition.Differs, uri, at.key, "write the type http_proxy",
				"%v: a URI of HTTP under the type %s, "+
					"which the managed gateway refuses", errARN, i.Type)
			break
		}
		t, err = awsTarget(uri.text(), r.rest)
	}
	unknown := r.unknown(uri, at.key)
	switch {
	case err != nil && unknown:
		t = definition.Target{Kind: definition.KindOther, URI: uri.text()}
	case err != nil:
		r.fail(uri.or(v), "%s: %v", at.put("integration"), err)
	case t.Kind == definition.KindLambda && t.Name == "" && !unknown:
		r.note(definition.UnknownValue, uri, at.key, "bind the function by this text", "%.200q is no function's ARN",
			t.URI)
	}
	i.Target = t
}

// unknown reports whether a text has a value that nobody filled in, and says so.
func (r *reader) unknown(v value, route string) bool {
	name := foreign(v.text())
	if unknown, ok := definition.UnknownIn(v.text()); ok {
		name = unknown
	}
	if name == "" {
		return false
	}
	r.note(definition.UnknownValue, v, route, "fill it in before the document is read",
		"%.200q is a value of another tool, and stands for itself", name)
	return true
}

// or returns v, or what it should have been in.
func (v value) or(parent value) value {
	if v.Node == nil {
		return parent
	}
	return v
}

// callMethod is the method that the target is called with.
func (r *reader) callMethod(at place, v value, i *definition.Integration) {
	method := strings.ToUpper(v.get("httpMethod").text())
	switch kind := i.Target.Kind; {
	case kind == definition.KindMock || kind == definition.KindSubtype:
		method = ""
	case kind == definition.KindLambda && method == "":
		method = "POST"
	case kind == definition.KindLambda && method != "POST":
		r.note(definition.Differs, v.get("httpMethod"), at.key, "write POST",
			"a function is called with POST; with %s the managed gateway answers 500", method)
	case method == "":
		method = at.method
	}
	i.Method = method
}

// timeout is bounded as by the service, but that a REST API's may be raised.
func (r *reader) timeout(at place, v value, i *definition.Integration) {
	given := v.get("timeoutInMillis")
	if !given.given() {
		return
	}
	most := 29_000
	if !r.rest {
		most = 30_000
	}
	ms, err := strconv.Atoi(given.text())
	switch {
	case err != nil || ms < 50 || ms > most && !r.rest || ms > 900_000:
		r.fail(given, "%s: Timeout should be between 50 ms and %d ms", at.put("integration"), most)
	case ms > most:
		r.note(definition.Ignored, given, at.key, "",
			"a timeout of more than %d ms is for accounts that were granted it", most)
	}
	i.Timeout = ms
}

func (r *reader) restIntegration(at place, v value, i *definition.Integration) {
	i.RequestTemplates = r.templates(at, v, "requestTemplates")
	i.Passthrough = "WHEN_NO_MATCH"
	if p := v.get("passthroughBehavior").text(); p != "" {
		i.Passthrough = strings.ToUpper(p)
		r.choice(at, v, "passthroughBehavior", i.Passthrough, "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
	}
	i.ContentHandling = r.contentHandling(at, v)
	i.CacheNamespace = v.get("cacheNamespace").text()
	i.CacheKeys = v.get("cacheKeyParameters").texts()
	statuses := map[string]bool{}
	for pattern, response := range v.get("responses").members() {
		if response = r.deref(response); !response.is(doctree.Map) {
			continue
		}
		out := &definition.Response{Pattern: pattern, Status: "200", Parameters: r.mapping(at, response,
			"responseParameters"),
			Templates: r.templates(at, response, "responseTemplates"), ContentHandling: r.contentHandling(at, response)}
		if pattern == "default" {
			out.Pattern = ""
		}
		if status := response.get("statusCode"); status.given() {
			out.Status = status.text()
		}
		if statuses[out.Status] {
			r.note(definition.Differs, response, at.key, "give each pattern a status of its own",
				"the managed gateway keeps one response for the status %s, here there are several", out.Status)
		}
		statuses[out.Status] = true
		i.Responses = append(i.Responses, out)
	}
}

func (r *reader) contentHandling(at place, v value) string {
	word := strings.ToUpper(v.get("contentHandling").text())
	r.choice(at, v, "contentHandling", word, "CONVERT_TO_TEXT", "CONVERT_TO_BINARY")
	return word
}

func (r *reader) httpIntegration(at place, v value, i *definition.Integration) {
	i.PayloadFormat = v.get("payloadFormatVersion").text()
	switch {
	case i.PayloadFormat == "1" || i.PayloadFormat == "2": // numbers, to some writers of YAML
		i.PayloadFormat += ".0"
	case i.PayloadFormat != "" && i.PayloadFormat != "1.0" && i.PayloadFormat != "2.0":
		r.fail(v.get("payloadFormatVersion"), "%s: Invalid payloadFormatVersion specified: %s",
			at.put("integration"), i.PayloadFormat)
	}
	// Both spellings are seen: {responses: {"200": {responseParameters: {…}}}}, and the API's own.
	for status, response := range v.get("responses").members() {
		if p := r.mapping(at, response, "responseParameters"); p != nil {
			i.Responses = append(i.Responses, &definition.Response{Status: status, Parameters: p})
		}
	}
	parameters := v.get("responseParameters")
	for status := range parameters.members() {
		if p := r.mapping(at, parameters, status); p != nil {
			i.Responses = append(i.Responses, &definition.Response{Status: status, Parameters: p})
		}
	}
}

// templates are texts by content type. A map in a text's place, as YAML invites to write it, is the
// JSON text that it stands for.
func (r *reader) templates(at place, v value, member string) (all map[string]string) {
	for contentType, template := range v.get(member).members() {
		text := template.text()
		if template.is(doctree.Map) || template.is(doctree.List) {
			text = string(template.AppendJSON(nil))
			r.note(definition.Differs, template, at.key, "write it as text",
				"a template that is no text is taken for its JSON; what the managed gateway does isn't known")
		}
		put(&all, contentType, text)
	}
	return all
}

// mapping are texts by name. What is no text is dropped, with the managed gateway's warning, and
// isn't turned into text: true is no 'true'.
func (r *reader) mapping(at place, v value, member string) (all map[string]string) {
	for name, source := range v.get(member).members() {
		if !source.is(doctree.Text) {
			r.warn(source, at.key, "Invalid format for '%s'. Expected type string for property '%s' of resource '%s' "+
				"and method '%s' but got '%s'", member, name, at.path, at.method, source.shown())
			continue
		}
		put(&all, name, source.Text)
	}
	return all
}

// shown is a value within a message.
func (v value) shown() string {
	if v.is(doctree.List) || v.is(doctree.Map) {
		return v.Kind.String()
	}
	return v.Text
}
