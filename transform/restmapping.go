package transform

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// parameterName is the form of parameters' names on the managed gateway.
var parameterName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

// restFrom is what parameters of requests, or of answers, are mapped from. (Developer guide,
// "Amazon API Gateway API request and response data mapping reference".)
func restFrom(form selector.Form) selector.Grammar {
	kinds := selector.Literal | selector.Header | selector.Headers | selector.Body | selector.BodyPart |
		selector.Context | selector.StageVariable
	if form == selector.Method {
		kinds |= selector.Query | selector.Queries | selector.PathVariable
	}
	return selector.Grammar{Forms: []selector.Form{form}, Kinds: kinds}
}

// declaredParameters are those of a method.
var declaredParameters = selector.Grammar{
	Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query | selector.PathVariable,
}

const (
	methodRequest       = "method.request"
	methodResponse      = "method.response"
	integrationRequest  = "integration.request"
	integrationResponse = "integration.response"
)

// declaredName is the method's parameter that a mapping reads, as it is declared, or "".
func declaredName(s *selector.Selector) string {
	kind := map[selector.Kind]selector.Kind{
		selector.Header: selector.Header, selector.Headers: selector.Header, selector.Query: selector.Query,
		selector.Queries:      selector.Query,
		selector.PathVariable: selector.PathVariable,
	}[s.Kind]
	if kind == 0 {
		return ""
	}
	as := *s
	as.Kind = kind
	return as.String()
}

// values returns what a mapping is from, for the request of e, or of a backend's answer if there is
// one already: nothing if its source is absent, several only for multivaluequerystring.
func (e *exchange) values(s *selector.Selector, answer *answer) ([]string, error) {
	switch s.Kind {
	case selector.PathVariable:
		return one(e.parameters.pathValue(s.Name))
	case selector.Query:
		return last(e.parameters.queries()[s.Name]), nil
	case selector.Queries:
		return e.parameters.queries()[s.Name], nil
	case selector.Body, selector.BodyPart:
		if answer == nil {
			return bodyValue(s.JSONPath(), e.body, &e.document)
		}
		return bodyValue(s.JSONPath(), answer.body, &answer.document)
	case selector.Header, selector.Headers:
	default:
		return one(s.Last(&selector.Message{Context: e.rc, Request: e.r}))
	}
	var values []string
	if answer == nil {
		values = e.parameters.headerValues(s.Name) // of which some are hidden
	} else {
		values = answer.header[s.Name]
	}
	if s.Kind == selector.Headers && len(values) > 1 {
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

// bodyValue returns the whole body, without a path, or a part of it: texts without quotes, anything
// else as JSON.
func bodyValue(path *jsonpath.Path, body []byte, d *jsonpath.Document) ([]string, error) {
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
		case path != nil:
			return nil, nil
		}
	}
	if path == nil {
		return []string{string(validText(body))}, nil
	}
	found, err := d.Select(path)
	if err != nil {
		return nil, err
	}
	if !path.Definite() {
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
	from  selector.Selector
}

// parseMappings parses RequestParameters or ResponseParameters in the order of their targets.
func parseMappings(m *mistakes.Mistakes, field string, parameters map[string]string, target string,
	source selector.Grammar) []restMapping {
	places := []string{"header", "querystring", "path"}
	if target == methodResponse {
		places = places[:1]
	}
	var list []restMapping
	for _, key := range sortedKeys(parameters) {
		place, name, _ := strings.Cut(strings.TrimPrefix(key, target+"."), ".")
		if !strings.HasPrefix(key, target+".") || !slices.Contains(places, place) || !parameterName.MatchString(name) {
			m.Add(field, "want a target such as %s.%s.NAME, got %.100q", target, places[0], key)
			continue
		}
		from, err := source.Parse(parameters[key])
		if err != nil {
			m.Under(field).Key(key).Add("", "%w", err)
			continue
		}
		if place == "header" {
			name = http.CanonicalHeaderKey(name)
		}
		list = append(list, restMapping{place, name, from})
	}
	return list
}

// needsBody reports whether one of the mappings reads the body.
func needsBody(list []restMapping) bool {
	return slices.ContainsFunc(list,
		func(m restMapping) bool { return m.from.Kind&(selector.Body|selector.BodyPart) != 0 })
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
	case "Authorization", "Content-Md5", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate", "Trailer", "Upgrade",
		"User-Agent", "Www-Authenticate":
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
