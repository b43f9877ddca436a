package transform

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/awsservice"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// response is an IntegrationResponse, ready.
type response struct {
	status    int
	pattern   *regexp.Regexp // nil: the default
	selection string         // the pattern as it is configured
	mappings  []restMapping
	templates byType
	handling  ContentHandling
}

// REST turns requests into what an integration expects, and its answers into what clients expect,
// as a REST API's method does. It is immutable and safe for concurrent use.
type REST struct {
	kind        IntegrationType
	method      string
	uri         *uritemplate.Source
	lambda      bool
	service     string // the host of another service, whose path and query uri has
	mappings    []restMapping
	templates   byType
	passthrough PassthroughBehavior
	handling    ContentHandling
	binary      mediatype.Binary
	responses   []response
	maxBody     int64
	mapsBody    bool
	broken      error    // why every request fails, as on the managed gateway
	findings    []string // see [REST.Findings]
}

// NewREST returns a REST, or an error that lists every field it refuses. It copies c.
func NewREST(c RESTConfig) (*REST, error) {
	m := mistakes.In("transform: RESTConfig")
	t := newREST(m, c)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return t, nil
}

func newREST(m *mistakes.Mistakes, c RESTConfig) *REST {
	c.Type = IntegrationType(strings.ToUpper(string(c.Type)))
	c.PassthroughBehavior = PassthroughBehavior(strings.ToUpper(string(c.PassthroughBehavior)))
	t := &REST{
		kind: c.Type, method: c.HTTPMethod, handling: c.ContentHandling.upper(),
		passthrough: cmp.Or(c.PassthroughBehavior, WhenNoMatch), maxBody: cmp.Or(c.MaxBodyBytes, MaxBodyBytes),
	}
	m.Require(slices.Contains([]IntegrationType{Mock, HTTP, HTTPProxy, AWS, AWSProxy}, c.Type),
		"Type", "want MOCK, HTTP, HTTP_PROXY, AWS or AWS_PROXY, got %q", c.Type)
	m.Require(slices.Contains([]PassthroughBehavior{WhenNoMatch, WhenNoTemplates, Never}, t.passthrough),
		"PassthroughBehavior", "want WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER, got %q", c.PassthroughBehavior)
	if c.HTTPMethod == "ANY" {
		t.method = ""
	}
	m.Require(strings.Trim(t.method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "", "HTTPMethod",
		"want a method such as POST, or ANY, got %q", c.HTTPMethod)
	m.Require(c.MaxBodyBytes >= 0, "MaxBodyBytes", "want 0 or a number of bytes, got %d", c.MaxBodyBytes)
	t.setURI(m, c)
	var err error
	if t.binary, err = mediatype.NewBinary(c.BinaryMediaTypes); err != nil {
		m.Join(fmt.Errorf("transform: RESTConfig.BinaryMediaTypes%w", err)) // [2]: want …
	}
	t.setRequest(m, c)
	t.setResponses(m, c)
	t.lint(c)
	return t
}

func (t *REST) setURI(m *mistakes.Mistakes, c RESTConfig) {
	t.lambda = c.Type == AWS
	switch {
	case c.URI == "", c.Type == AWSProxy, c.Type == Mock: // without effect there
	case c.Type == AWS:
		u, err := awsservice.Parse(c.URI)
		if err != nil {
			m.Add("URI", "%w", err)
			return
		}
		if t.lambda = u.Name == awsservice.Lambda; !t.lambda {
			t.uri, t.service = u.Path, u.Host(u.Action)
		}
	default:
		u, err := uritemplate.New(c.URI)
		if err == nil && u.Shape().Scheme == "" {
			err = errors.New("a path alone says no backend")
		}
		if err != nil {
			m.Add("URI", "want a URL such as https://backend.example.com/pets/{id}, got %.100q: %w", c.URI, err)
		}
		t.uri = u
	}
}

// upper is the spelling that is compared: documents write it in lower case, too.
func (h ContentHandling) upper() ContentHandling { return ContentHandling(strings.ToUpper(string(h))) }

func checkHandling(m *mistakes.Mistakes, h ContentHandling) {
	m.Require(h == "" || h.upper() == ConvertToBinary || h.upper() == ConvertToText,
		"ContentHandling", "want CONVERT_TO_BINARY, CONVERT_TO_TEXT or nothing, got %.100q", string(h))
}

func (t *REST) setRequest(m *mistakes.Mistakes, c RESTConfig) {
	checkHandling(m, c.ContentHandling)
	parameters := declaredIn(m, c.MethodRequestParameters)
	t.mappings = parseMappings(m, "RequestParameters", c.RequestParameters, integrationRequest,
		restFrom(selector.Method))
	for i := range t.mappings {
		to := &t.mappings[i]
		if name := declaredName(&to.from); parameters != nil && name != "" && !parameters[name] {
			m.Under("RequestParameters").Key(integrationRequest+"."+to.place+"."+to.name).Add("",
				"want one of MethodRequestParameters, got %s", name)
		}
		if to.place == "header" && failsAsRequestHeader(c.Type, to.name) {
			t.broken = errHeader // the managed gateway takes the mapping, and answers 500 to every request (recorded)
		}
	}
	t.mapsBody = needsBody(t.mappings)
	switch {
	case c.Type == AWSProxy && c.HTTPMethod != "" && c.HTTPMethod != http.MethodPost:
		t.broken = errProxyMethod
	case c.Type != HTTPProxy && c.Type != AWSProxy: // whose templates and conversions are without effect
		t.templates = parseTemplates(m.Under("RequestTemplates"), "RequestTemplates", c.RequestTemplates, true,
			c.Limits)
	}
}

// declaredIn returns the method's parameters in one spelling, nil if none are declared. Their names
// must differ whatever their place.
func declaredIn(m *mistakes.Mistakes, parameters map[string]bool) map[string]bool {
	if parameters == nil {
		return nil
	}
	set, names := map[string]bool{}, map[string]bool{}
	for _, key := range sortedKeys(parameters) {
		s, err := declaredParameters.Parse(key)
		if err != nil {
			m.Add("MethodRequestParameters", "%w", err)
			continue
		}
		name := strings.SplitN(key, ".", 4)[3] // as it is written: method.request.header.NAME
		m.Require(!names[name], "MethodRequestParameters",
			"want names that differ across querystring, header and path, got %q twice", name)
		names[name], set[s.String()] = true, true
	}
	return set
}

func (t *REST) setResponses(m *mistakes.Mistakes, c RESTConfig) {
	if c.Type == HTTPProxy || c.Type == AWSProxy { // which pass answers on, whatever is configured
		return
	}
	if (c.Type == Mock || c.Type == HTTP || c.Type == AWS) && len(c.IntegrationResponses) == 0 {
		m.Add("IntegrationResponses", "want at least one, or every request fails")
		return
	}
	methods := map[int]map[string]bool{}
	for _, r := range c.MethodResponses {
		headers := map[string]bool{}
		for key := range r.ResponseParameters {
			headers[http.CanonicalHeaderKey(strings.TrimPrefix(key, methodResponse+".header."))] = true
		}
		methods[r.StatusCode] = headers
	}
	hasDefault := false
	for i, r := range c.IntegrationResponses {
		at := m.Under("IntegrationResponses").Index(i)
		compiled := parseResponse(at, "IntegrationResponses["+strconv.Itoa(i)+"]", r, c)
		if r.SelectionPattern == "" {
			at.Require(!hasDefault, "SelectionPattern", "want one response without a pattern, got another")
			hasDefault = true
		}
		// a status that isn't there is taken; what it maps isn't declared, either
		if headers, ok := methods[r.StatusCode]; ok {
			for _, to := range compiled.mappings {
				at.Require(headers[to.name], "ResponseParameters", "want headers of MethodResponses for %d, got %s",
					r.StatusCode, to.name)
			}
		}
		t.responses = append(t.responses, compiled)
	}
}

func parseResponse(m *mistakes.Mistakes, field string, r IntegrationResponse, c RESTConfig) response {
	compiled := response{status: r.StatusCode, handling: r.ContentHandling.upper()}
	mistakes.Range(m, "StatusCode", r.StatusCode, 200, 599)
	if r.SelectionPattern != "" {
		source := `\A(?:` + r.SelectionPattern + `)`
		if c.SelectWholeText {
			source += `\z`
		}
		_, err := regexp.Compile(r.SelectionPattern) // by itself, so that its parentheses are its own
		if err == nil {
			compiled.selection = r.SelectionPattern
			compiled.pattern, err = regexp.Compile(source)
		}
		m.Require(err == nil && len(r.SelectionPattern) <= 4096, "SelectionPattern",
			"want a regular expression of Go's syntax, which has no look-around, of at most 4096 bytes, got %.100q", r.SelectionPattern)
	}
	checkHandling(m, r.ContentHandling)
	compiled.mappings = parseMappings(m, "ResponseParameters", r.ResponseParameters, methodResponse,
		restFrom(selector.IntegrationResponse))
	compiled.templates = parseTemplates(m.Under("ResponseTemplates"), field+".ResponseTemplates", r.ResponseTemplates,
		false, c.Limits)
	return compiled
}

// parseTemplates parses templates by media type. name is the field's in errors of templates.
func parseTemplates(m *mistakes.Mistakes, name string, templates map[string]string, request bool,
	limits vtl.Options) byType {
	if len(templates) == 0 {
		return nil
	}
	parsed := byType{}
	paths := &jsonpath.Cache{}
	keys := sortedKeys(templates)
	slices.SortStableFunc(keys, func(a, b string) int { // a type alone comes before one with parameters
		return cmp.Compare(strings.Count(a, ";"), strings.Count(b, ";"))
	})
	for _, key := range keys {
		media := mediaKey(key)
		switch {
		case media == "" && (!request || key != anyOther):
			m.Add("", "want a media type such as application/json, got %.100q", key)
			continue
		case media == "":
			media = anyOther
		case parsed[media] != nil && media != strings.ToLower(key):
			continue // without effect: REST.Findings says so
		case parsed[media] != nil:
			m.Add("", "want a template once a media type, got %q again", key)
			continue
		}
		t, err := newTemplate(name+"["+strconv.Quote(key)+"]", templates[key], limits, paths)
		if err != nil {
			m.Key(key).Add("", "%w", err)
			continue
		}
		parsed[media] = t
	}
	return parsed
}

// mediaKey is the media type of a template's key, "" if it has none. Parameters, such as a charset,
// are passed over in it as they are in the Content-Type of a body, and in the key of a validator's
// model: whichever of them a client writes, a template and a model are for the same bodies.
func mediaKey(key string) string {
	media, _, err := mime.ParseMediaType(key)
	if err != nil || !strings.Contains(media, "/") {
		return ""
	}
	return media
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
