package transform

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// expression is where a mapped parameter takes its value from. (Developer guide, "Amazon API
// Gateway API request and response data mapping reference".)
type expression struct {
	kind    expressionKind
	name    string
	literal []string
	context contextvar.Var
	path    *jsonpath.Path // in a body; nil for the whole
}

type expressionKind uint8

const (
	atLiteral expressionKind = iota
	atContext
	atStageVariable
	atHeader
	atHeaders
	atQuery
	atQueries
	atPath
	atBody
)

// parameterName is the form of parameters' names on the managed gateway.
var parameterName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

// parseExpression parses what a parameter is mapped from. prefix is method.request or
// integration.response. The error fits behind the name of a field.
func parseExpression(text, prefix string) (expression, error) {
	want := func() (expression, error) {
		example := prefix + ".header.NAME"
		return expression{}, fmt.Errorf(`want %s, %s.body, context.NAME, stageVariables.NAME or 'text', got %.100q`, example, prefix, text)
	}
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return expression{kind: atLiteral, literal: []string{text[1 : len(text)-1]}}, nil
	}
	if name, ok := strings.CutPrefix(text, "context."); ok {
		v, err := contextvar.Parse(name)
		return expression{kind: atContext, name: name, context: v}, err
	}
	if name, ok := strings.CutPrefix(text, "stageVariables."); ok {
		if !parameterName.MatchString(name) {
			return want()
		}
		return expression{kind: atStageVariable, name: name}, nil
	}
	rest, ok := strings.CutPrefix(text, prefix+".")
	if !ok {
		return want()
	}
	if rest == "body" {
		return expression{kind: atBody}, nil
	}
	if path, ok := strings.CutPrefix(rest, "body."); ok {
		p, err := jsonpath.Parse("$." + path)
		return expression{kind: atBody, path: p}, err
	}
	if strings.HasPrefix(rest, "body[") {
		p, err := jsonpath.Parse("$" + strings.TrimPrefix(rest, "body"))
		return expression{kind: atBody, path: p}, err
	}
	place, name, _ := strings.Cut(rest, ".")
	kinds := map[string]expressionKind{"header": atHeader, "multivalueheader": atHeaders}
	if prefix == methodRequest {
		kinds["querystring"], kinds["multivaluequerystring"], kinds["path"] = atQuery, atQueries, atPath
	}
	kind, ok := kinds[place]
	if !ok || !parameterName.MatchString(name) {
		return want()
	}
	return expression{kind: kind, name: name}, nil
}

const (
	methodRequest       = "method.request"
	methodResponse      = "method.response"
	integrationRequest  = "integration.request"
	integrationResponse = "integration.response"
)

// parameter is the method's parameter that the expression reads, as it is declared, or "".
func (x *expression) parameter() string {
	switch x.kind {
	case atHeader, atHeaders:
		return methodRequest + ".header." + x.name
	case atQuery, atQueries:
		return methodRequest + ".querystring." + x.name
	case atPath:
		return methodRequest + ".path." + x.name
	}
	return ""
}

// values returns what the expression is for the request of e, or of a backend's answer if there is
// one already: nothing if its source is absent, several only for multivaluequerystring.
func (x *expression) values(e *exchange, answer *answer) ([]string, error) {
	switch x.kind {
	case atLiteral:
		return x.literal, nil
	case atContext:
		return one(x.context.Of(e.rc, e.r))
	case atStageVariable:
		value, ok := e.rc.API.Variables[x.name]
		return one(value, ok)
	case atPath:
		return one(e.parameters.pathValue(x.name))
	case atQuery:
		return last(e.parameters.queries()[x.name]), nil
	case atQueries:
		return e.parameters.queries()[x.name], nil
	case atBody:
		if answer == nil {
			return x.bodyValue(e.body, &e.document)
		}
		return x.bodyValue(answer.body, &answer.document)
	}
	var values []string
	if answer == nil {
		values = e.parameters.headerValues(x.name)
	} else {
		values = answer.header[http.CanonicalHeaderKey(x.name)]
	}
	if x.kind == atHeaders && len(values) > 1 {
		return []string{strings.Join(values, ",")}, nil
	}
	return last(values), nil
}

func one(value string, ok bool) ([]string, error) {
	if !ok {
		return nil, nil
	}
	return []string{value}, nil
}

func last(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return values[len(values)-1:]
}

// errBodyNotJSON is a body that a path is to be found in, and that begins as JSON but isn't.
var errBodyNotJSON = fmt.Errorf("transform: %w", jsonpath.ErrSyntax)

// bodyValue returns the whole body, or a part of it: texts without quotes, anything else as JSON.
func (x *expression) bodyValue(body []byte, d *jsonpath.Document) ([]string, error) {
	if len(body) == 0 {
		body = []byte(emptyObject)
	}
	if d.Text() == nil {
		opened, err := jsonpath.Open(validText(body))
		switch {
		case err == nil:
			*d = opened
		case strings.IndexByte(`{["'`, firstByte(body)) >= 0:
			return nil, errBodyNotJSON
		case x.path != nil:
			return nil, nil
		}
	}
	if x.path == nil {
		return []string{string(validText(body))}, nil
	}
	found, err := d.Select(x.path)
	if err != nil {
		return nil, err
	}
	if !x.path.Definite() {
		list := []byte{'['}
		for i, value := range found {
			if i > 0 {
				list = append(list, ',')
			}
			list = jsonpath.AppendCompact(list, value)
		}
		return []string{string(append(list, ']'))}, nil
	}
	if len(found) == 0 || string(found[0]) == "null" {
		return nil, nil
	}
	if text, ok := jsonpath.Unquote(found[0]); ok {
		return []string{text}, nil
	}
	return []string{string(jsonpath.AppendCompact(nil, found[0]))}, nil
}

// firstByte is that of a text behind blanks, or one that nothing begins with.
func firstByte(text []byte) byte {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// restMapping sets one parameter of the integration request or one header of the method response.
type restMapping struct {
	place string // header, querystring or path
	name  string // headers in canonical form
	from  expression
}

// parseMappings parses RequestParameters or ResponseParameters in the order of their targets.
func parseMappings(field string, parameters map[string]string, target, source string, places []string) ([]restMapping, []error) {
	var list []restMapping
	var errs []error
	for _, key := range sortedKeys(parameters) {
		place, name, _ := strings.Cut(strings.TrimPrefix(key, target+"."), ".")
		if !strings.HasPrefix(key, target+".") || !slices.Contains(places, place) || !parameterName.MatchString(name) {
			errs = append(errs, fmt.Errorf("transform: %s: want a target such as %s.%s.NAME, got %.100q", field, target, places[0], key))
			continue
		}
		from, err := parseExpression(parameters[key], source)
		if err != nil {
			errs = append(errs, fmt.Errorf("transform: %s[%q]: %w", field, key, err))
			continue
		}
		if place == "header" {
			name = http.CanonicalHeaderKey(name)
		}
		list = append(list, restMapping{place, name, from})
	}
	return list, errs
}

// needsBody reports whether one of the mappings reads the body.
func needsBody(list []restMapping) bool {
	return slices.ContainsFunc(list, func(m restMapping) bool { return m.from.kind == atBody })
}

// A mapped or overridden header of this name, on the way to the backend, makes the managed gateway
// answer 500. (Recorded.)
func failsAsRequestHeader(t IntegrationType, name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id":
		return true
	case "Authorization", "Connection", "Expect", "Proxy-Authenticate", "Te":
		return t == AWS || t == AWSProxy
	}
	return false
}

// And these never arrive.
func neverSent(t IntegrationType, name string) bool {
	switch name {
	case "Connection", "Expect", "Proxy-Authenticate", "Te", "Via":
		return true
	case "Referer":
		return t == AWS
	}
	return false
}

// remapped returns the name that a header of the backend's has for the client: "" for none at all.
// mapped headers are those of non-proxy integrations. (Recorded.)
func remapped(name string, mapped bool) string {
	switch name {
	case "Transfer-Encoding":
		return ""
	case "Connection", "Content-Length", "Date", "Server":
		return "X-Amzn-Remapped-" + name
	case "X-Amzn-Requestid":
		if !mapped {
			return "X-Amzn-Remapped-" + name
		}
	case "Via", "X-Amz-Apigw-Id": // of which the latter is the gateway's own
		if !mapped {
			return ""
		}
	case "Authorization", "Content-Md5", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate", "Trailer", "Upgrade", "User-Agent", "Www-Authenticate":
		if mapped {
			return "X-Amzn-Remapped-" + name
		}
	}
	return name
}

// realCoding reports whether a Content-Encoding says that the body is unreadable without it.
func realCoding(values []string) bool {
	for _, v := range values {
		for coding := range strings.SplitSeq(v, ",") {
			switch strings.ToLower(strings.Trim(coding, " \t")) {
			case "gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress":
				return true
			}
		}
	}
	return false
}

// declared checks that a mapping's source is one of the method's parameters, if these are given.
func declared(parameters map[string]bool, m restMapping) error {
	name := m.from.parameter()
	if _, ok := parameters[name]; parameters == nil || name == "" || ok {
		return nil
	}
	return fmt.Errorf("want one of MethodRequestParameters, got %s", name)
}
