package transform

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/querytext"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/traceid"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// mapped serves integrations of the types HTTP and AWS.
func (e *exchange) mapped(w http.ResponseWriter, next http.Handler) error {
	t, err := e.pick()
	if err != nil {
		return err
	}
	stream := t == nil && !e.rest.mapsBody && e.conversion() == asIs && e.rest.kind != AWS
	var body io.ReadCloser
	var length int64
	if stream {
		if length = e.r.ContentLength; length > e.rest.maxBody {
			return tooLarge
		}
		body = http.MaxBytesReader(w, e.r.Body, e.rest.maxBody)
	} else {
		if err := e.readBody(); err != nil {
			return err
		}
		made, err := e.requestBody(t)
		if err != nil {
			return err
		}
		if len(made) == 0 && e.rest.kind == AWS {
			made = []byte(emptyObject)
		}
		body, length = bodyOf(made), int64(len(made))
	}
	out, err := e.integrationRequest(e.defaultHeader(length != 0))
	if err != nil {
		return err
	}
	out.Body, out.ContentLength = body, length
	began := time.Now()
	c := &capture{exchange: e, header: http.Header{}}
	c.Init(w, c)
	next.ServeHTTP(c, out)
	if e.rc.Integration() == nil { // before the response is made, which may show it
		e.rc.SetIntegration(gatekit.Integration{Status: cmp.Or(c.Status(), http.StatusOK), Latency: time.Since(began)})
	}
	return c.finish()
}

// defaultHeader is what the managed gateway sends to backends by itself. (Recorded.)
func (e *exchange) defaultHeader(body bool) http.Header {
	api := e.rc.API.APIID
	if api == "" {
		api = unknownAPI
	}
	h := http.Header{
		"Accept":          {applicationJSON},
		"User-Agent":      {"AmazonAPIGateway_" + api},
		"X-Amzn-Trace-Id": {e.trace()},
	}
	if e.rest.kind == HTTP {
		h["X-Amzn-Apigateway-Api-Id"] = []string{api}
	}
	switch method := e.r.Method; { // the client's: a GET that becomes a POST has none (recorded)
	case e.rest.kind == HTTP && (method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions):
	case len(e.r.Header["Content-Type"]) > 0:
		h["Content-Type"] = e.r.Header["Content-Type"][:1:1]
	case body:
		h["Content-Type"] = []string{applicationJSON}
	}
	return h
}

// trace is the request's X-Amzn-Trace-Id, on its way to the backend and back.
func (e *exchange) trace() string {
	if e.traceID == "" {
		e.traceID = traceid.Of(e.rc, e.r.Header["X-Amzn-Trace-Id"], true, e.rc.Time).String()
	}
	return e.traceID
}

// unknownAPI stands for an API that nobody has described, as in ARNs.
const unknownAPI = "unknown"

func (e *exchange) method() string {
	switch {
	case e.rest.method != "":
		return e.rest.method
	case e.rest.lambda:
		return http.MethodPost
	}
	return e.r.Method
}

// integrationRequest applies mappings, and what the template has overridden, to the headers that go
// out anyway.
func (e *exchange) integrationRequest(h http.Header) (*http.Request, error) {
	t := e.rest
	var over Override
	if e.context != nil {
		var err error
		if over, err = e.context.request.exported(http.CanonicalHeaderKey); err != nil {
			return nil, err
		}
	}
	host := ""
	paths := map[string]pathValue{}
	queries := map[string][]string{}
	for i := range t.mappings {
		m := &t.mappings[i]
		values, err := e.values(&m.from, nil)
		if errors.Is(err, errBodyNotJSON) {
			return nil, unreadable
		}
		if err != nil {
			return nil, err
		}
		if len(values) == 0 {
			continue
		}
		switch m.place {
		case "header":
			setHeader(t.kind, h, &host, m.name, values)
		case "querystring":
			queries[m.name] = values
		case "path":
			v := pathValue{text: values[0], segments: m.from.Kind != selector.PathVariable}
			if m.from.Kind == selector.PathVariable {
				v.escaped, _, _ = gatekit.PathVariable(e.r, m.from.Name)
			}
			paths[m.name] = v
		}
	}
	for _, name := range sortedKeys(over.Header) {
		values := over.Header[name]
		if !parameterName.MatchString(name) || failsAsRequestHeader(t.kind, name) {
			return nil, errHeader
		}
		setHeader(t.kind, h, &host, name, []string{strings.Join(values, ",")})
	}
	for name, values := range over.Path {
		paths[name] = pathValue{text: strings.Join(values, ","), segments: true}
	}
	maps.Copy(queries, over.QueryString)
	return e.build(h, host, paths, queries)
}

// build puts the integration request together. Without a URI the path stays the client's.
func (e *exchange) build(h http.Header, host string, paths map[string]pathValue,
	queries map[string][]string) (*http.Request, error) {
	t := e.rest
	path := gatekit.PathOf(e.r)
	target := &url.URL{}
	if requestpath.Set(target, path.Told(e.r.URL).String()) != nil {
		return nil, badPath
	}
	if t.uri != nil {
		built, err := t.integrationURL(paths, e.rc.API.Variables)
		if err != nil {
			return nil, err
		}
		target = built
		if host == "" {
			host = built.Host
		}
	}
	var query strings.Builder
	query.WriteString(target.RawQuery)
	if t.kind == HTTPProxy && e.r.URL.RawQuery != "" {
		if query.Len() > 0 {
			query.WriteByte('&')
		}
		query.WriteString(e.r.URL.RawQuery)
	}
	for _, name := range sortedKeys(queries) {
		for _, value := range queries[name] {
			querytext.Append(&query, name, value)
		}
	}
	target.RawQuery = query.String()
	requestpath.Settle(&e.rc.Path, e.r.URL, e.rc.API.Flavor == gatekit.REST)
	out := withHeader(e.r, h, target)
	out.Method, out.RequestURI = e.method(), ""
	if host != "" {
		out.Host = host
		e.rc.SetOverwritten(true, false)
	}
	for name, value := range paths {
		out.SetPathValue(name, value.text)
	}
	return out, nil
}

// setHeader sets a mapped header, unless it is one that backends never see.
func setHeader(kind IntegrationType, h http.Header, host *string, name string, values []string) {
	switch {
	case neverSent(kind, name):
	case name == "Host":
		*host = ""
		if httpword.IsHost(values[0]) {
			*host = values[0]
		}
	default:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = headerText(v)
		}
		h[name] = list
	}
}

var errHost = errors.New("transform: the URI's variables make no host")

// integrationURL returns the URL for values of path parameters and stage variables. What a value
// holds stays within its part of the URL: a client can't add to the path by an encoded slash, climb
// out of it (400), or choose the host's form (500). A path parameter that nothing is mapped to
// stays as it is spelled.
func (t *REST) integrationURL(paths map[string]pathValue, stage map[string]string) (*url.URL, error) {
	uri, err := t.uri.Template(stage)
	if err != nil {
		return nil, fmt.Errorf("transform: RESTConfig.URI: %w", err)
	}
	values := func(name string) (uritemplate.Value, bool, error) {
		v, ok := paths[name]
		return uritemplate.Value{Escaped: v.spelled(), Text: v.text}, ok, nil
	}
	scheme := uri.Scheme
	host, _ := uri.Host(values)
	path, _ := uri.Path(values)
	query, _ := uri.Query(values)
	if t.service != "" {
		scheme, host = "https", t.service
	}
	if !httpword.IsHost(host) { // only a stage variable, which is configuration, may hold host and path
		return nil, errHost
	}
	if path == "" {
		path = "/"
	}
	built := &url.URL{Scheme: scheme, Host: host, RawQuery: query}
	if requestpath.Set(built, path) != nil {
		return nil, badPath
	}
	return built, nil
}

// pathValue is a path parameter of the integration request. Segments says that its slashes
// separate, as those of what templates make do. Escaped is a path variable's value as it came: what
// the client encoded in it makes no segment.
type pathValue struct {
	text     string
	segments bool
	escaped  string
}

func (v pathValue) spelled() string {
	if v.escaped != "" {
		return v.escaped
	}
	return requestpath.Spell(v.text, v.segments)
}

// withHeader returns a copy of r with header h and URL u, whose path values can be set without
// touching r's.
func withHeader(r *http.Request, h http.Header, u *url.URL) *http.Request {
	bare := *r
	bare.Header, bare.Trailer, bare.TransferEncoding, bare.Form, bare.PostForm, bare.MultipartForm = nil, nil, nil, nil, nil, nil
	bare.URL = nil
	copied := bare.Clone(r.Context())
	copied.Header, copied.URL = h, u
	return copied
}

func bodyOf(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(b))
}
