package transform_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

// backend is an integration in this program that keeps what it was sent.
type backend struct {
	status int
	header http.Header
	answer string

	r    *http.Request
	body string
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	b.r, b.body = r, string(body)
	for name, values := range b.header {
		w.Header()[name] = values
	}
	if b.status != 0 {
		w.WriteHeader(b.status)
	}
	_, _ = io.WriteString(w, b.answer)
}

// defaultResponse is what most integrations have.
var defaultResponse = []transform.IntegrationResponse{{StatusCode: 200}}

// restAPI is a REST API with one method, POST /pets/{id}.
func restAPI(t testing.TB, c transform.RESTConfig, next http.Handler) http.Handler {
	t.Helper()
	m, err := transform.NewREST(c)
	require.NoError(t, err)
	describe, err := gatekit.Describe(gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"})
	require.NoError(t, err)
	stage := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.From(r.Context()).API = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod", Variables: map[string]string{"host": "backend.example.com", "base": "v1/api"}}
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/pets/{id}", m.Middleware(next))
	mux.Handle("/files/{proxy...}", m.Middleware(next))
	return gatekit.Chain(mux, describe, stage)
}

func serveREST(t testing.TB, c transform.RESTConfig, next http.Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	restAPI(t, c, next).ServeHTTP(w, r)
	return w
}

func post(body string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", "/pets/7?color=red&color=blue&x=a%20b", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

const internalServerError = `{"message": "Internal server error"}`

func requireConfigurationError(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	require.Equal(t, 500, w.Code)
	require.Equal(t, internalServerError, w.Body.String())
	require.Equal(t, "InternalServerErrorException", w.Header().Get("X-Amzn-Errortype"))
}

// C.1 of the fact sheet.
func TestPassthroughBehavior(t *testing.T) {
	const template, asIs, refused = "<made>", "sent", "415"
	for _, tt := range []struct {
		name, template, contentType           string
		whenNoMatch, whenNoTemplates, neverIs string
	}{
		{"matches", "application/json", "application/json", template, template, template},
		{"matches-with-charset", "application/json", "Application/JSON; charset=utf-8", template, template, template},
		{"other", "application/json", "text/plain", asIs, refused, refused},
		{"no-list", "application/json", "application/json, text/plain", asIs, refused, refused}, // a validator takes it for another type, too
		{"none-sent", "application/json", "", template, template, template},
		{"none-sent-xml", "application/xml", "", asIs, refused, refused},
		{"no-template", "", "text/plain", asIs, asIs, refused},
		{"no-template-none-sent", "", "", asIs, asIs, refused},
		{"catch-all", "$default", "text/plain", template, template, template},
	} {
		for behavior, want := range map[transform.PassthroughBehavior]string{
			"": tt.whenNoMatch, transform.WhenNoMatch: tt.whenNoMatch, transform.WhenNoTemplates: tt.whenNoTemplates, transform.Never: tt.neverIs,
		} {
			t.Run(fmt.Sprintf("%s/%s", tt.name, behavior), func(t *testing.T) {
				b := &backend{}
				c := transform.RESTConfig{Type: transform.HTTP, PassthroughBehavior: behavior, IntegrationResponses: defaultResponse}
				if tt.template != "" {
					c.RequestTemplates = map[string]string{tt.template: template}
				}
				r := post("sent")
				if tt.contentType != "" {
					r.Header.Set("Content-Type", tt.contentType)
				}
				w := serveREST(t, c, b, r)
				if want == refused {
					require.Nil(t, b.r, "the backend isn't called")
					require.Equal(t, 415, w.Code)
					require.Equal(t, `{"message":"Unsupported Media Type"}`, w.Body.String())
					require.Equal(t, "BadRequestException", w.Header().Get("X-Amzn-Errortype"))
					return
				}
				require.Equal(t, 200, w.Code)
				require.Equal(t, want, b.body)
				require.EqualValues(t, len(want), b.r.ContentLength)
			})
		}
	}
}

// C.2, the first table.
func TestRequestContentHandling(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, body string
		handling                transform.ContentHandling
		want                    string
	}{
		{"text", "text/plain", "h\xffi", "", "h\ufffdi"},
		{"text-to-binary", "text/plain", "aMOp", transform.ConvertToBinary, "hé"},
		{"text-to-text", "text/plain", "h\xe2\x82i", transform.ConvertToText, "h\ufffdi"},
		{"binary", "image/png", "h\xffi", "", "h\xffi"},
		{"binary-to-binary", "image/png", "h\xffi", transform.ConvertToBinary, "h\xffi"},
		{"binary-to-text", "image/png", "h\xffi", transform.ConvertToText, "aP9p"},
		{"binary-by-family", "audio/ogg", "h\xffi", transform.ConvertToText, "aP9p"},
		{"not-binary", "image/jpeg", "h\xffi", "", "h\ufffdi"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &backend{}
			w := serveREST(t, transform.RESTConfig{
				Type: transform.HTTP, ContentHandling: tt.handling, BinaryMediaTypes: []string{"image/png", "audio/*"}, IntegrationResponses: defaultResponse,
			}, b, post(tt.body, "Content-Type", tt.contentType))
			require.Equal(t, 200, w.Code)
			require.Equal(t, tt.want, b.body)
		})
	}
	t.Run("not-base64", func(t *testing.T) {
		requireConfigurationError(t, serveREST(t, transform.RESTConfig{
			Type: transform.HTTP, ContentHandling: transform.ConvertToBinary, IntegrationResponses: defaultResponse,
		}, &backend{}, post("!", "Content-Type", "text/plain")))
	})
	for _, handling := range []transform.ContentHandling{"", transform.ConvertToBinary} {
		requireConfigurationError(t, serveREST(t, transform.RESTConfig{ // templates take text only
			Type: transform.HTTP, ContentHandling: handling, BinaryMediaTypes: []string{"*/*"}, IntegrationResponses: defaultResponse,
			RequestTemplates: map[string]string{"application/json": "{}"},
		}, &backend{}, post("{}")))
	}
	b := &backend{}
	serveREST(t, transform.RESTConfig{
		Type: transform.HTTP, ContentHandling: transform.ConvertToText, BinaryMediaTypes: []string{"*/*"}, IntegrationResponses: defaultResponse,
		RequestTemplates: map[string]string{"image/png": `{"png":"$input.body"}`},
	}, b, post("h\xffi", "Content-Type", "image/png"))
	require.Equal(t, `{"png":"aP9p"}`, b.body)
}

// C.2, the second table.
func TestResponseContentHandling(t *testing.T) {
	const text, base64, decoded = "aMOp", "YU1PcA==", "hé"
	for _, tt := range []struct {
		payload, accept             string
		binary                      []string
		undefined, toBinary, toText string
	}{
		{"image/png", "image/png", nil, text, decoded, text},
		{"text/plain", "text/plain", []string{"image/png"}, text, decoded, text},
		{"text/plain", "image/png,text/plain", []string{"image/png"}, decoded, decoded, text},
		{"image/png", "text/plain,image/png", []string{"image/png"}, base64, text, base64},
		{"image/png", "image/png;q=1", []string{"image/png"}, text, text, base64},
		{"text/plain", "", []string{"image/png"}, text, decoded, text},
		{"text/plain", "", []string{"*/*"}, text, text, base64},
	} {
		for handling, want := range map[transform.ContentHandling]string{"": tt.undefined, transform.ConvertToBinary: tt.toBinary, transform.ConvertToText: tt.toText} {
			t.Run(fmt.Sprintf("%s/%s/%s/%v", tt.payload, tt.accept, handling, tt.binary), func(t *testing.T) {
				b := &backend{answer: text, header: http.Header{"Content-Type": {tt.payload}}}
				r := post("")
				if tt.accept != "" {
					r.Header.Set("Accept", tt.accept)
				}
				w := serveREST(t, transform.RESTConfig{
					Type: transform.HTTP, BinaryMediaTypes: tt.binary, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: handling}},
				}, b, r)
				require.Equal(t, 200, w.Code)
				require.Equal(t, want, w.Body.String())
			})
		}
	}
	requireConfigurationError(t, serveREST(t, transform.RESTConfig{
		Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: transform.ConvertToBinary}},
	}, &backend{answer: "!"}, post("")))
	requireConfigurationError(t, serveREST(t, transform.RESTConfig{
		Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
			StatusCode: 200, ContentHandling: transform.ConvertToBinary, ResponseTemplates: map[string]string{"application/json": "{}"},
		}},
	}, &backend{answer: "aMOp"}, post("")))
	w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: defaultResponse}, &backend{answer: "h\xe2\x82i\xf0"}, post(""))
	require.Equal(t, "h\ufffdi\ufffd", w.Body.String(), "text is UTF-8")
}

// D.2, source by source.
func TestRESTRequestParameters(t *testing.T) {
	const body = `{"user":{"name":"Al","id":7},"tags":["a", "b"],"nil":null,"t":true,"n":1.50}`
	for _, tt := range []struct{ source, want string }{
		{"method.request.header.X-A", "2"},
		{"method.request.header.x-a", "2"}, // net/http keeps one spelling
		{"method.request.header.X-None", "absent"},
		{"method.request.header.Connection", "absent"},
		{"method.request.multivalueheader.X-A", "1,2"},
		{"method.request.querystring.color", "blue"},
		{"method.request.querystring.x", "a b"},
		{"method.request.querystring.Color", "absent"},
		{"method.request.path.id", "7"},
		{"method.request.path.none", "absent"},
		{"method.request.body", body},
		{"method.request.body.user.name", "Al"},
		{"method.request.body.user", `{"name":"Al","id":7}`},
		{"method.request.body.tags[1]", "b"},
		{"method.request.body.tags", `["a","b"]`},
		{"method.request.body.tags[*]", `["a","b"]`},
		{"method.request.body.n", "1.50"},
		{"method.request.body.t", "true"},
		{"method.request.body.nil", "absent"},
		{"method.request.body.none", "absent"},
		{"context.stage", "prod"},
		{"context.httpMethod", "POST"},
		{"context.authorizer.claims.sub", "absent"},
		{"stageVariables.host", "backend.example.com"},
		{"stageVariables.none", "absent"},
		{"'it's $x'", "it's $x"},
		{"''", ""},
	} {
		t.Run(tt.source, func(t *testing.T) {
			b := &backend{}
			w := serveREST(t, transform.RESTConfig{
				Type: transform.HTTP, IntegrationResponses: defaultResponse,
				RequestParameters: map[string]string{"integration.request.header.X-To": tt.source, "integration.request.querystring.to": tt.source, "integration.request.path.to": tt.source},
			}, b, post(body, "X-A", "1", "X-A", "2", "Connection", "close"))
			require.Equal(t, 200, w.Code)
			require.Equal(t, body, b.body, "a mapping that reads the body leaves it")
			if tt.want == "absent" {
				require.NotContains(t, b.r.Header, "X-To")
				require.Empty(t, b.r.URL.RawQuery)
				require.Empty(t, b.r.PathValue("to"))
				return
			}
			require.Equal(t, []string{tt.want}, b.r.Header["X-To"])
			require.Equal(t, url.Values{"to": {tt.want}}, b.r.URL.Query())
			require.Equal(t, tt.want, b.r.PathValue("to"))
		})
	}
	t.Run("multivaluequerystring", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{
			Type: transform.HTTP, IntegrationResponses: defaultResponse,
			RequestParameters: map[string]string{"integration.request.querystring.c": "method.request.multivaluequerystring.color"},
		}, b, post(""))
		require.Equal(t, "c=red&c=blue", b.r.URL.RawQuery)
	})
	t.Run("empty-body", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{
			Type: transform.HTTP, IntegrationResponses: defaultResponse,
			RequestParameters: map[string]string{"integration.request.header.X-To": "method.request.body"},
		}, b, post(""))
		require.Equal(t, "{}", b.r.Header.Get("X-To"))
		require.Empty(t, b.body)
	})
	t.Run("values-stay-on-their-line", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{
			Type: transform.HTTP, IntegrationResponses: defaultResponse,
			RequestParameters: map[string]string{"integration.request.header.X-To": "method.request.body.a"},
		}, b, post(`{"a":"x\r\nX-Evil: 1\u0000"}`))
		require.Equal(t, "x  X-Evil: 1 ", b.r.Header.Get("X-To"))
	})
}

func TestMappedBodyThatIsNotJSON(t *testing.T) {
	c := transform.RESTConfig{
		Type: transform.HTTP, IntegrationResponses: defaultResponse,
		RequestParameters: map[string]string{"integration.request.header.X-To": "method.request.body.a"},
	}
	for _, body := range []string{`{"a":`, `[`, `"x`, `'x'`, " \n{"} {
		b := &backend{}
		w := serveREST(t, c, b, post(body))
		require.Equal(t, 400, w.Code, body)
		require.Equal(t, `{"message":"Invalid JSON in request body"}`, w.Body.String())
		require.Equal(t, "BadRequestException", w.Header().Get("X-Amzn-Errortype"))
		require.Nil(t, b.r)
	}
	b := &backend{}
	w := serveREST(t, c, b, post("hello"))
	require.Equal(t, 200, w.Code)
	require.NotContains(t, b.r.Header, "X-To")

	c = transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
		StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X-To": "integration.response.body.a"},
	}}}
	requireConfigurationError(t, serveREST(t, c, &backend{answer: `{"a"`}, post("")))
	require.Equal(t, 200, serveREST(t, c, &backend{answer: "hello"}, post("")).Code)
}

// D.3, source by source.
func TestRESTResponseParameters(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"integration.response.header.X-B", "2"},
		{"integration.response.header.x-b", "2"},
		{"integration.response.header.X-None", "absent"},
		{"integration.response.multivalueheader.X-B", "1,2"},
		{"integration.response.body", `{"a":{"b":"c"}}`},
		{"integration.response.body.a.b", "c"},
		{"integration.response.body.a", `{"b":"c"}`},
		{"integration.response.body.x", "absent"},
		{"context.stage", "prod"},
		{"stageVariables.host", "backend.example.com"},
		{"'text'", "text"},
	} {
		t.Run(tt.source, func(t *testing.T) {
			b := &backend{answer: `{"a":{"b":"c"}}`, header: http.Header{"X-B": {"1", "2"}, "X-Other": {"x"}, "Content-Type": {"text/x"}}}
			w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
				StatusCode: 201, ResponseParameters: map[string]string{"method.response.header.X-To": tt.source},
			}}}, b, post(""))
			require.Equal(t, 201, w.Code)
			require.Equal(t, `{"a":{"b":"c"}}`, w.Body.String())
			require.NotContains(t, w.Header(), "X-Other", "nothing passes that isn't mapped")
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			if tt.want == "absent" {
				require.NotContains(t, w.Header(), "X-To")
				return
			}
			require.Equal(t, []string{tt.want}, w.Header()["X-To"])
		})
	}
}

// D.4.
func TestURI(t *testing.T) {
	for _, tt := range []struct {
		uri, target, want string
		parameters        map[string]string
	}{
		{"https://api.example.com/pets/{id}", "/pets/7", "https://api.example.com/pets/7", map[string]string{"path.id": "method.request.path.id"}},
		{"http://api.example.com:8080", "/pets/7", "http://api.example.com:8080/", nil},
		{"http://api.example.com/{id}/{other}", "/pets/7", "http://api.example.com/7/%7Bother%7D", map[string]string{"path.id": "method.request.path.id"}},
		{"http://api.example.com/{id}", "/pets/a%20b", "http://api.example.com/a%20b", map[string]string{"path.id": "method.request.path.id"}},
		{"http://api.example.com/{id}", "/pets/a%2Fb%3Fc", "http://api.example.com/a%2Fb%3Fc", map[string]string{"path.id": "method.request.path.id"}},
		{"http://api.example.com/{id}", "/pets/7", "http://api.example.com/a/b", map[string]string{"path.id": "'a/b'"}},
		{"http://api.example.com/f/{proxy}", "/files/a/b%20c", "http://api.example.com/f/a/b%20c", map[string]string{"path.proxy": "method.request.path.proxy"}},
		{"http://${stageVariables.host}/${stageVariables.base}/x${stageVariables.none}", "/pets/7", "http://backend.example.com/v1/api/x", nil},
		{"http://{region}.example.com/", "/pets/7?r=eu", "http://eu.example.com/", map[string]string{"path.region": "method.request.querystring.r"}},
		{"http://api.example.com/?fixed=1&id={id}", "/pets/7%268", "http://api.example.com/?fixed=1&id=7%268&z=9", map[string]string{"path.id": "method.request.path.id", "querystring.z": "'9'"}},
		{"http://{h}/", "/pets/evil.example@x", "500", map[string]string{"path.h": "method.request.path.id"}},
		{"http://{h}/", "/pets/evil%2Fx", "500", map[string]string{"path.h": "method.request.path.id"}},
		{"http://${stageVariables.none}/", "/pets/7", "500", nil},
		{"http://api.example.com/a/{id}/b", "/pets/7?p=..", "400", map[string]string{"path.id": "method.request.querystring.p"}},
		{"http://api.example.com/a/{id}/b", "/pets/7?p=x/../..", "400", map[string]string{"path.id": "method.request.querystring.p"}},
	} {
		t.Run(tt.uri+tt.target, func(t *testing.T) {
			parameters := map[string]string{}
			for to, from := range tt.parameters {
				parameters["integration.request."+to] = from
			}
			b := &backend{}
			w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, URI: tt.uri, RequestParameters: parameters, IntegrationResponses: defaultResponse},
				b, httptest.NewRequest("GET", tt.target, nil))
			if tt.want == "500" {
				requireConfigurationError(t, w)
				require.Nil(t, b.r)
				return
			}
			if tt.want == "400" {
				require.Equal(t, 400, w.Code)
				require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
				require.Nil(t, b.r)
				return
			}
			require.Equal(t, tt.want, b.r.URL.String())
			require.Equal(t, b.r.URL.Host, b.r.Host)
			require.Empty(t, b.r.RequestURI)
		})
	}
}

// Without a URI a handler of this program sees the client's path, and mapped path parameters by
// PathValue. The client's request isn't touched.
func TestPathValues(t *testing.T) {
	b := &backend{}
	c := transform.RESTConfig{
		Type: transform.HTTP, HTTPMethod: "PUT", IntegrationResponses: defaultResponse,
		RequestParameters: map[string]string{"integration.request.path.id": "'mapped'", "integration.request.path.other": "method.request.path.id"},
	}
	m, err := transform.NewREST(c)
	require.NoError(t, err)
	mux := http.NewServeMux()
	var after *http.Request
	mux.HandleFunc("/pets/{id}", func(w http.ResponseWriter, r *http.Request) {
		m.Middleware(b).ServeHTTP(w, r)
		after = r
	})
	mux.ServeHTTP(httptest.NewRecorder(), post("x", "X-A", "1"))
	require.Equal(t, "mapped", b.r.PathValue("id"))
	require.Equal(t, "7", b.r.PathValue("other"))
	require.Equal(t, "/pets/7", b.r.URL.Path)
	require.Equal(t, "PUT", b.r.Method)
	require.Equal(t, "7", after.PathValue("id"))
	require.Empty(t, after.PathValue("other"))
	require.Equal(t, "POST", after.Method)
	require.Equal(t, http.Header{"X-A": {"1"}}, after.Header)
}

func TestMock(t *testing.T) {
	c := transform.RESTConfig{
		Type:             transform.Mock,
		RequestTemplates: map[string]string{"application/json": `{"statusCode": $input.path('$.code')}`},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `[$input.body]`}},
			{StatusCode: 404, SelectionPattern: "404", ResponseParameters: map[string]string{"method.response.header.X-Why": "'none'"}},
		},
	}
	w := serveREST(t, c, nil, post(`{"code":200}`))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "[{}]", w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.NotContains(t, w.Header(), "X-Amzn-Trace-Id")
	w = serveREST(t, c, nil, post(`{"code":404}`))
	require.Equal(t, 404, w.Code)
	require.Empty(t, w.Body.String())
	require.Equal(t, "none", w.Header().Get("X-Why"))
	requireConfigurationError(t, serveREST(t, c, nil, post(`{"code":"200"}`+"x")))
	require.Equal(t, 200, serveREST(t, c, nil, post(`{"statusCode": 201}`, "Content-Type", "text/plain")).Code, "without a template the body takes its place")
	requireConfigurationError(t, serveREST(t, c, nil, post(`hello`, "Content-Type", "text/plain")))
	require.Equal(t, 415, serveREST(t, transform.RESTConfig{Type: transform.Mock, PassthroughBehavior: transform.Never, IntegrationResponses: defaultResponse}, nil, post("{}")).Code)
}

// E.1: what a mock takes for an object with a statusCode.
func TestMockReadsLeniently(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{`{"statusCode":200}`, true},
		{`{statusCode: 200}`, true},
		{` {'statusCode':200} `, true},
		{`{"statusCode":200,}`, true},
		{`{"statusCode":200,,"a":1}`, true},
		{`{"a":{"b":[1,{"statusCode":"x"}]},"statusCode":200}`, true},
		{`{null: null, statusCode: 200}`, true},
		{`{"statusCode":200, "a":}}}`, true},
		{`{"a":"statusCode: 5","statusCode":200}`, true},
		{`{"a":"}\"","statusCode":200}`, true},
		{`{"statusCode":"500","statusCode":200}`, true},
		{`{statusCode: 200, message: it's fine}`, true},
		{`{statusCode: 200, a: say"so}`, true},
		{`{"statusCode":200,"a":{}`, false},
		{`{"statusCode":200,"a":[{]}`, false},
		{`{"statusCode":"200"}`, false},
		{`{"statusCode":200.0}`, false},
		{`{"statusCode":2e2}`, false},
		{`{"statusCode":true}`, false},
		{`{"statusCode":99999999999999999999}`, false},
		{`{"statusCode":{"a":1}}`, false},
		{`{"statusCode"}`, false},
		{`{"StatusCode":200}`, false},
		{`{"a":{"statusCode":200}}`, false},
		{`{"statusCode":200,"a":"}`, false},
		{`{}`, false},
		{`{`, false},
		{``, false},
		{`"statusCode":200`, false},
		{`[{"statusCode":200}]`, false},
		{`{"statusCode":200}x`, false},
	} {
		t.Run(tt.text, func(t *testing.T) {
			w := serveREST(t, transform.RESTConfig{
				Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 202, SelectionPattern: "200"}},
			}, nil, post(tt.text))
			if tt.ok {
				require.Equal(t, 202, w.Code)
			} else {
				requireConfigurationError(t, w)
			}
		})
	}
}

// E.4.
func TestSelection(t *testing.T) {
	responses := func(patterns ...string) []transform.IntegrationResponse {
		list := []transform.IntegrationResponse{}
		for i, p := range patterns {
			list = append(list, transform.IntegrationResponse{StatusCode: 210 + i, SelectionPattern: p})
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		kind     transform.IntegrationType
		uri      string
		patterns []string
		whole    bool
		status   int
		failure  string
		want     int
	}{
		{name: "status", kind: transform.HTTP, patterns: []string{"", `4\d{2}`, `5\d{2}`}, status: 503, want: 212},
		{name: "first-that-matches", kind: transform.HTTP, patterns: []string{"", `4\d{2}`, `404`}, status: 404, want: 211},
		{name: "default", kind: transform.HTTP, patterns: []string{`4\d{2}`, ""}, status: 200, want: 211},
		{name: "backend-error-without-pattern", kind: transform.HTTP, patterns: []string{""}, status: 400, want: 210},
		{name: "all-beats-default", kind: transform.HTTP, patterns: []string{"", ".*"}, status: 200, want: 211},
		{name: "none", kind: transform.HTTP, patterns: []string{`4\d{2}`}, status: 200, want: 500},
		{name: "from-the-start", kind: transform.HTTP, patterns: []string{"", "4"}, status: 404, want: 211},
		{name: "not-in-the-middle", kind: transform.HTTP, patterns: []string{"", "04"}, status: 404, want: 210},
		{name: "alternatives-too", kind: transform.HTTP, patterns: []string{"", "x|04"}, status: 404, want: 210},
		{name: "whole", kind: transform.HTTP, whole: true, patterns: []string{"", "4", "40|404"}, status: 404, want: 212},
		{name: "function-succeeds", kind: transform.AWS, patterns: []string{"", ".+"}, status: 200, want: 210},
		{name: "function-fails", kind: transform.AWS, patterns: []string{"", "Malformed.*"}, status: 200, failure: "Malformed input", want: 211},
		{name: "function-fails-otherwise", kind: transform.AWS, patterns: []string{"", "Malformed.*"}, status: 200, failure: "Not found", want: 210},
		{name: "function-fails-in-lines", kind: transform.AWS, whole: true, patterns: []string{"", ".*", `(\n|.)+`}, status: 200, failure: "a\nb", want: 212},
		{name: "other-service", kind: transform.AWS, uri: "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem", patterns: []string{"", "400"}, status: 400, want: 211},
		{name: "lambda-service", kind: transform.AWS, uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/x/invocations", patterns: []string{"", "400"}, status: 400, want: 210},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tt.failure != "" {
					gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: 200, FunctionError: tt.failure})
				}
				w.WriteHeader(tt.status)
			})
			w := serveREST(t, transform.RESTConfig{Type: tt.kind, URI: tt.uri, IntegrationResponses: responses(tt.patterns...), SelectWholeText: tt.whole}, next, post(""))
			if tt.want == 500 {
				requireConfigurationError(t, w)
				return
			}
			require.Equal(t, tt.want, w.Code)
		})
	}
}

// C.1: which response template the Accept header picks, and J.7: what answers carry.
func TestResponseTemplates(t *testing.T) {
	for _, tt := range []struct {
		name, accept string
		templates    []string
		want         string
	}{
		{"match", "text/html", []string{"application/json", "text/html"}, "text/html"},
		{"first-of-several", "text/html;q=0.5, application/json", []string{"application/json", "text/html"}, "text/html"},
		{"json-otherwise", "image/png", []string{"application/json", "text/html"}, "application/json"},
		{"none-sent", "", []string{"application/json", "text/html"}, "application/json"},
		{"lone-template", "*/*", []string{"text/html"}, "text/html"},
		{"first-by-name", "*/*", []string{"text/html", "text/css"}, "text/css"},
		{"none", "*/*", nil, "backend's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			templates := map[string]string{}
			for _, key := range tt.templates {
				templates[key] = key
			}
			r := post("")
			if tt.accept != "" {
				r.Header.Set("Accept", tt.accept)
			}
			w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: templates}}}, &backend{answer: "backend's"}, r)
			require.Equal(t, tt.want, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, w.Header().Get("X-Amzn-Trace-Id"))
		})
	}
}

// E.5, to the backend.
func TestRequestHeaders(t *testing.T) {
	client := []string{
		"Accept", "text/html", "User-Agent", "curl/8", "Authorization", "secret", "Content-Type", "text/plain", "X-Any", "1", "Via", "1.1 x", "Te", "trailers",
		"Content-Encoding", "identity", "Upgrade", "h2c", "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
	}
	trace := func(t *testing.T, h http.Header) {
		require.Regexp(t, `^Root=1-5759e988-bd862e3fe1be46a994272793;Parent=[0-9a-f]{16};Sampled=1$`, h.Get("X-Amzn-Trace-Id"))
		delete(h, "X-Amzn-Trace-Id")
	}
	t.Run("HTTP", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: defaultResponse}, b, post("x", client...))
		trace(t, b.r.Header)
		require.Equal(t, http.Header{
			"Accept": {"application/json"}, "User-Agent": {"AmazonAPIGateway_a1b2c3d4e5"}, "X-Amzn-Apigateway-Api-Id": {"a1b2c3d4e5"}, "Content-Type": {"text/plain"},
		}, b.r.Header)
		require.Empty(t, b.r.URL.RawQuery)
	})
	t.Run("HTTP-GET", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{Type: transform.HTTP, HTTPMethod: "POST", IntegrationResponses: defaultResponse}, b, getWith(client...))
		require.NotContains(t, b.r.Header, "Content-Type") // of a client's GET, whatever becomes of it
	})
	t.Run("AWS", func(t *testing.T) {
		b := &backend{}
		r := post("", client...)
		r.Method = "GET"
		serveREST(t, transform.RESTConfig{
			Type: transform.AWS, IntegrationResponses: defaultResponse,
			RequestParameters: map[string]string{"integration.request.header.Referer": "'x'", "integration.request.header.X-Amz-Invocation-Type": "'Event'"},
		}, b, r)
		trace(t, b.r.Header)
		require.Equal(t, http.Header{
			"Accept": {"application/json"}, "User-Agent": {"AmazonAPIGateway_a1b2c3d4e5"}, "Content-Type": {"text/plain"}, "X-Amz-Invocation-Type": {"Event"},
		}, b.r.Header)
		require.Equal(t, "POST", b.r.Method, "functions are invoked with POST")
		require.Equal(t, "{}", b.body, "an empty body is {}")
	})
	t.Run("HTTP-mapped", func(t *testing.T) {
		b := &backend{}
		parameters := map[string]string{}
		for _, name := range []string{"Host", "Content-Encoding", "Accept", "User-Agent", "Authorization", "Upgrade", "Server", "Connection", "Expect", "TE", "Via", "Proxy-Authenticate", "Referer"} {
			parameters["integration.request.header."+name] = "'own.example.com'"
		}
		serveREST(t, transform.RESTConfig{Type: transform.HTTP, URI: "http://api.example.com", RequestParameters: parameters, IntegrationResponses: defaultResponse}, b, post("", client...))
		require.Equal(t, "own.example.com", b.r.Host)
		require.Equal(t, "api.example.com", b.r.URL.Host)
		for _, name := range []string{"Content-Encoding", "Accept", "User-Agent", "Authorization", "Upgrade", "Server", "Referer"} {
			require.Equal(t, "own.example.com", b.r.Header.Get(name), name)
		}
		for _, name := range []string{"Host", "Connection", "Expect", "Te", "Via", "Proxy-Authenticate"} {
			require.NotContains(t, b.r.Header, name)
		}
	})
	t.Run("HTTP_PROXY", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{Type: transform.HTTPProxy, URI: "https://api.example.com/p/{id}?k=1", RequestParameters: map[string]string{
			"integration.request.header.X-Any": "'mapped'", "integration.request.querystring.more": "method.request.path.id", "integration.request.path.id": "method.request.path.id",
		}}, b, post("body", client...))
		trace(t, b.r.Header)
		require.Equal(t, http.Header{
			"Accept": {"text/html"}, "User-Agent": {"curl/8"}, "Authorization": {"secret"}, "Content-Type": {"text/plain"}, "X-Any": {"mapped"},
			"X-Amzn-Apigateway-Api-Id": {"a1b2c3d4e5"}, "X-Forwarded-For": {"192.0.2.1"}, "X-Forwarded-Port": {"80"}, "X-Forwarded-Proto": {"http"},
		}, b.r.Header)
		require.Equal(t, "api.example.com", b.r.Host)
		require.Equal(t, "https://api.example.com/p/7?k=1&color=red&color=blue&x=a%20b&more=7", b.r.URL.String())
		require.Equal(t, "body", b.body)
	})
	t.Run("HTTP_PROXY-coded", func(t *testing.T) {
		b := &backend{}
		serveREST(t, transform.RESTConfig{Type: transform.HTTPProxy}, b, post("body", "Content-Encoding", "gzip"))
		require.Equal(t, "gzip", b.r.Header.Get("Content-Encoding"), "without it the body couldn't be read")
		require.Equal(t, "example.com", b.r.Host)
	})
}

// E.5, to the client.
func TestResponseHeaders(t *testing.T) {
	sent := []string{
		"Connection", "Content-Length", "Date", "Server", "Authorization", "Content-Md5", "Expect", "Host", "Max-Forwards", "Proxy-Authenticate", "Trailer",
		"Upgrade", "User-Agent", "Www-Authenticate", "Transfer-Encoding", "Content-Encoding", "Via", "X-Amzn-Requestid", "X-Own",
	}
	t.Run("HTTP", func(t *testing.T) {
		parameters := map[string]string{}
		for _, name := range sent {
			parameters["method.response.header."+name] = "'v'"
		}
		w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseParameters: parameters}}}, &backend{}, post(""))
		for _, name := range sent[:14] {
			require.Equal(t, "v", w.Header().Get("X-Amzn-Remapped-"+name), name)
			require.NotEqual(t, "v", w.Header().Get(name), name)
		}
		require.NotContains(t, w.Header(), "Transfer-Encoding")
		require.NotContains(t, w.Header(), "X-Amzn-Remapped-Transfer-Encoding")
		require.Equal(t, "v", w.Header().Get("X-Own"))
	})
	t.Run("HTTP_PROXY", func(t *testing.T) {
		h := http.Header{}
		for _, name := range sent {
			h[name] = []string{"v"}
		}
		h["Content-Length"] = []string{"4"}
		outer := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Amzn-Requestid", "the gateway's")
				next.ServeHTTP(w, r)
			})
		}
		w := httptest.NewRecorder()
		gatekit.Chain(restAPI(t, transform.RESTConfig{Type: transform.HTTPProxy}, &backend{status: 418, header: h, answer: "body"}), outer).ServeHTTP(w, post(""))
		require.Equal(t, 418, w.Code)
		require.Equal(t, "body", w.Body.String())
		for _, name := range []string{"Connection", "Date", "Server", "X-Amzn-Requestid"} {
			require.Equal(t, "v", w.Header().Get("X-Amzn-Remapped-"+name), name)
		}
		require.Equal(t, "4", w.Header().Get("X-Amzn-Remapped-Content-Length"))
		require.Equal(t, "4", w.Header().Get("Content-Length"), "which is the body's, still")
		require.Equal(t, "the gateway's", w.Header().Get("X-Amzn-Requestid"))
		for _, name := range []string{"Transfer-Encoding", "Content-Encoding", "Via", "Connection", "Server", "X-Amzn-Trace-Id"} {
			require.NotContains(t, w.Header(), name)
		}
		for _, name := range []string{"Authorization", "Www-Authenticate", "X-Own", "User-Agent"} {
			require.Equal(t, "v", w.Header().Get(name), name)
		}
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	})
	t.Run("HTTP_PROXY-coded", func(t *testing.T) {
		w := serveREST(t, transform.RESTConfig{Type: transform.HTTPProxy}, &backend{header: http.Header{"Content-Encoding": {"br"}, "Content-Type": {"text/x"}}}, post(""))
		require.Equal(t, "br", w.Header().Get("Content-Encoding"), "without it the body couldn't be read")
		require.Equal(t, "text/x", w.Header().Get("Content-Type"))
	})
}

// B.4.
func TestOverrides(t *testing.T) {
	const request = `#set($context.requestOverride.header.X-A = "over")#set($context.requestOverride.header['X-B'] = ["1", 2])
#set($context.requestOverride.querystring.q = ["x", "y"])$context.requestOverride.querystring.put("p", "1")#set($context.requestOverride.path.id = "a/b")
#set($context.requestOverride.header.X-A = "last")#set($context.requestOverride.own = "kept")#set($context.more = "too")#set($context.responseOverride.header.X-Early = "e")`
	const response = `$context.requestOverride.own $context.more#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-R = ["1","2"])#set($context.responseOverride.header["Content-Type"] = "text/html")`
	c := transform.RESTConfig{
		Type: transform.HTTP, URI: "http://api.example.com/{id}",
		RequestParameters: map[string]string{
			"integration.request.header.X-A": "'mapped'", "integration.request.header.X-C": "'mapped'", "integration.request.querystring.q": "'mapped'",
			"integration.request.path.id": "method.request.path.id",
		},
		RequestTemplates: map[string]string{"application/json": request},
		IntegrationResponses: []transform.IntegrationResponse{{
			StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X-R": "'mapped'", "method.response.header.X-S": "'mapped'"},
			ResponseTemplates: map[string]string{"application/json": response},
		}},
	}
	b := &backend{}
	w := serveREST(t, c, b, post("{}"))
	require.Equal(t, "last", b.r.Header.Get("X-A"), "what is set last counts, over the mapping")
	require.Equal(t, []string{"1,2"}, b.r.Header["X-B"])
	require.Equal(t, "mapped", b.r.Header.Get("X-C"))
	require.Equal(t, "http://api.example.com/a/b?p=1&q=x&q=y", b.r.URL.String())
	require.Equal(t, 418, w.Code)
	require.Equal(t, "kept too", w.Body.String())
	require.Equal(t, []string{"1", "2"}, w.Header()["X-R"])
	require.Equal(t, "mapped", w.Header().Get("X-S"))
	require.Equal(t, "e", w.Header().Get("X-Early"), "the response's can be set early")
	require.Equal(t, "text/html", w.Header().Get("Content-Type"))
}

func TestOverriddenStatus(t *testing.T) {
	for value, want := range map[string]int{"200": 200, "599": 599, "600": 210, "199": 210, "100": 210, "99": 210, "-1": 210, `"404"`: 210, "404.0": 210, "true": 210, "$none": 210, "12345678901234567890": 210} {
		w := serveREST(t, transform.RESTConfig{
			Type:                 transform.Mock,
			RequestTemplates:     map[string]string{"application/json": `#set($context.responseOverride.status = ` + value + `){"statusCode":200}`},
			IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 210}},
		}, nil, post(""))
		require.Equal(t, want, w.Code, value)
	}
}

// Headers that break the request do so when a template sets them.
// Of two spellings of a header's name the one that was set later counts, each time.
func TestOverridesOfOneHeaderInTwoSpellings(t *testing.T) {
	c := transform.RESTConfig{
		Type: transform.HTTP, RequestTemplates: map[string]string{"application/json": `#set($context.requestOverride.header.x-a = "1")#set($context.requestOverride.header.X-A = "2")`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{
			"application/json": `#set($context.responseOverride.header.X-B = "1")#set($context.responseOverride.header.x-b = "2")`,
		}}},
	}
	for range 20 {
		b := &backend{}
		w := serveREST(t, c, b, post("{}"))
		require.Equal(t, []string{"2"}, b.r.Header["X-A"])
		require.Equal(t, []string{"2"}, w.Header()["X-B"])
	}
}

// An answer of a status that allows no body has none, whatever a template makes.
func TestAnswersThatHaveNoBody(t *testing.T) {
	for _, status := range []int{204, 304} {
		for name, templates := range map[string]map[string]string{"template": {"application/json": "made"}, "passed": nil} {
			w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: status, ResponseTemplates: templates}}},
				&backend{answer: "sent", header: http.Header{"Content-Length": {"4"}}}, post("{}"))
			require.Equal(t, status, w.Code)
			require.Empty(t, w.Body.String(), name)
			require.NotContains(t, w.Header(), "Content-Length", name)
		}
	}
}

// A type that no template is for is refused before its body has come.
func TestUnsupportedTypeIsNotRead(t *testing.T) {
	for _, kind := range []transform.IntegrationType{transform.Mock, transform.HTTP, transform.AWS} {
		r := post("", "Content-Type", "text/plain")
		r.Body, r.ContentLength = io.NopCloser(failingReader{}), 5
		w := serveREST(t, transform.RESTConfig{Type: kind, PassthroughBehavior: transform.Never, IntegrationResponses: defaultResponse}, &backend{}, r)
		require.Equal(t, 415, w.Code)
	}
}

func TestForbiddenOverrides(t *testing.T) {
	for kind, names := range map[transform.IntegrationType][]string{
		transform.HTTP: {"Content-Length", "transfer-encoding", "X-Amzn-Trace-Id", "x-amzn-apigateway-api-id", "a b", "", "x\\r"},
		transform.AWS:  {"Content-Length", "Transfer-Encoding", "Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE"},
	} {
		for _, name := range names {
			b := &backend{}
			requireConfigurationError(t, serveREST(t, transform.RESTConfig{
				Type: kind, IntegrationResponses: defaultResponse,
				RequestTemplates: map[string]string{"application/json": `#set($context.requestOverride.header["` + name + `"] = "1")`},
			}, b, post("")))
			require.Nil(t, b.r, name)
		}
	}
	requireConfigurationError(t, serveREST(t, transform.RESTConfig{
		Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
			StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `#set($context.responseOverride.header["a b"] = "1")`},
		}},
	}, &backend{}, post("")))
}

func TestTemplateThatFails(t *testing.T) {
	const fails = `#set($s = "abc")$s.substring(9)`
	requireConfigurationError(t, serveREST(t, transform.RESTConfig{Type: transform.HTTP, RequestTemplates: map[string]string{"application/json": fails}, IntegrationResponses: defaultResponse}, &backend{}, post("")))
	requireConfigurationError(t, serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
		StatusCode: 200, ResponseTemplates: map[string]string{"application/json": fails},
	}}}, &backend{}, post("")))
}

func TestBodyBounds(t *testing.T) {
	types := map[string]transform.RESTConfig{
		"mock": {Type: transform.Mock, IntegrationResponses: defaultResponse}, "http": {Type: transform.HTTP, IntegrationResponses: defaultResponse},
		"aws": {Type: transform.AWS, IntegrationResponses: defaultResponse}, "proxy": {Type: transform.HTTPProxy},
		"http-binary":  {Type: transform.HTTP, BinaryMediaTypes: []string{"*/*"}, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: transform.ConvertToText}}},
		"proxy-mapped": {Type: transform.HTTPProxy, RequestParameters: map[string]string{"integration.request.header.X-B": "method.request.body.a"}},
	}
	for name, c := range types {
		t.Run(name, func(t *testing.T) {
			c.MaxBodyBytes = 20
			b := &backend{}
			w := serveREST(t, c, b, post(`{"statusCode": 2000}`+" "))
			require.Equal(t, 413, w.Code)
			require.Equal(t, `{"message": "Request Too Long"}`, w.Body.String())
			require.Nil(t, b.r)
			require.NotEqual(t, 413, serveREST(t, c, b, post(`{"statusCode": 2000}`)).Code)

			unknown := httptest.NewRequest("POST", "/pets/7", io.MultiReader(strings.NewReader(strings.Repeat("x", 21))))
			unknown.ContentLength = -1
			w = serveREST(t, c, b, unknown)
			if name == "proxy" || name == "http-binary" {
				return // streamed: the backend sees the bound
			}
			require.Equal(t, 413, w.Code)
		})
	}
	t.Run("streamed", func(t *testing.T) {
		var read error
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, read = io.ReadAll(r.Body) })
		r := httptest.NewRequest("POST", "/pets/7", io.MultiReader(strings.NewReader(strings.Repeat("x", 21))))
		serveREST(t, transform.RESTConfig{Type: transform.HTTPProxy, MaxBodyBytes: 20}, next, r)
		var over *http.MaxBytesError
		require.ErrorAs(t, read, &over)
	})
	t.Run("bound-further-out", func(t *testing.T) {
		r := post("{}")
		r.Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(strings.Repeat(" ", 100))), 10)
		r.ContentLength = -1
		require.Equal(t, 413, serveREST(t, types["aws"], &backend{}, r).Code)
	})
	t.Run("client-goes-away", func(t *testing.T) {
		r := post("{}")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failingReader{}))
		require.Equal(t, 400, serveREST(t, types["aws"], &backend{}, r).Code)
	})
	t.Run("answer", func(t *testing.T) {
		c := transform.RESTConfig{Type: transform.AWS, MaxBodyBytes: 20, IntegrationResponses: defaultResponse}
		w := serveREST(t, c, &backend{answer: strings.Repeat("x", 21)}, post(""))
		require.Equal(t, 502, w.Code)
		require.Equal(t, internalServerError, w.Body.String())
		require.Equal(t, 200, serveREST(t, c, &backend{answer: strings.Repeat("x", 20)}, post("")).Code)
	})
	t.Run("streamed-answer", func(t *testing.T) {
		long := strings.Repeat("x", 1000)
		for _, c := range []transform.RESTConfig{
			{Type: transform.HTTP, MaxBodyBytes: 20, IntegrationResponses: defaultResponse}, {Type: transform.HTTPProxy, MaxBodyBytes: 20},
		} {
			require.Equal(t, long, serveREST(t, c, &backend{answer: long}, post("")).Body.String())
		}
	})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("gone") }

// What the gateway refuses behind the mapping stays as it is.
func TestRefusalsPass(t *testing.T) {
	refuses := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout, Header: http.Header{"Retry-After": {"3"}}})
	})
	for _, kind := range []transform.IntegrationType{transform.HTTP, transform.AWS, transform.HTTPProxy} {
		c := transform.RESTConfig{Type: kind}
		if kind != transform.HTTPProxy {
			c.IntegrationResponses = []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": "made"}}}
		}
		w := serveREST(t, c, refuses, post(""))
		require.Equal(t, 504, w.Code)
		require.Equal(t, `{"message": "Endpoint request timed out"}`, w.Body.String())
		require.Equal(t, "3", w.Header().Get("Retry-After"))
		require.Len(t, w.Header()["X-Amzn-Requestid"], 1)
		require.NotContains(t, w.Header(), "X-Amzn-Remapped-X-Amzn-Requestid")
	}
}

// A refusal of the mapping's own is dressed by GatewayResponses, as any other.
func TestGatewayResponsesDressRefusals(t *testing.T) {
	custom, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.UnsupportedMediaType: {StatusCode: 406, ResponseTemplates: map[string]string{"application/json": `{"no":$context.error.messageString}`}},
	}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	api := restAPI(t, transform.RESTConfig{Type: transform.HTTP, PassthroughBehavior: transform.Never, IntegrationResponses: defaultResponse}, &backend{})
	custom.Middleware(api).ServeHTTP(w, post(""))
	require.Equal(t, 406, w.Code)
	require.Equal(t, `{"no":"Unsupported Media Type"}`, w.Body.String())
}

func TestHead(t *testing.T) {
	r := post("")
	r.Method = "HEAD"
	w := serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{
		StatusCode: 200, ResponseTemplates: map[string]string{"application/json": "made"},
	}}}, &backend{}, r)
	require.Equal(t, "4", w.Header().Get("Content-Length"))
	require.Empty(t, w.Body.String())
}

func TestIntegrationOutcomeIsRecorded(t *testing.T) {
	for _, c := range []transform.RESTConfig{
		{Type: transform.HTTP, IntegrationResponses: defaultResponse}, {Type: transform.HTTPProxy},
	} {
		var rc *gatekit.RequestContext
		b := &backend{status: 503}
		m, err := transform.NewREST(c)
		require.NoError(t, err)
		rc, r := gatekit.Attach(post(""))
		m.Middleware(b).ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, 503, rc.Integration().Status)
	}
}

func TestStationOfREST(t *testing.T) {
	m, err := transform.NewREST(transform.RESTConfig{Type: transform.HTTPProxy})
	require.NoError(t, err)
	b := &backend{}
	kind, next := m.Middleware(b).(gatekit.Station).Station()
	require.Equal(t, "rest", kind)
	require.Equal(t, http.Handler(b), next)
}

// An integration may answer in every way that a handler can, in front of a real server.
func TestWriters(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-How") + r.URL.Query().Get("how") {
		case "flush":
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "flushed")
		case "controller":
			require.NoError(t, http.NewResponseController(w).Flush())
			_, _ = io.WriteString(w, "flushed")
		case "readfrom":
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("read"))
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
		case "hijack":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				w.WriteHeader(http.StatusNotImplemented)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 209 Own\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		case "panic":
			panic(http.ErrAbortHandler)
		case "nothing":
		}
	})
	how := map[string]string{"integration.request.querystring.how": "method.request.querystring.how"}
	for name, c := range map[string]transform.RESTConfig{
		"proxy":    {Type: transform.HTTPProxy},
		"streamed": {Type: transform.HTTP, RequestParameters: how, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}, {StatusCode: 202, SelectionPattern: "202"}, {StatusCode: 501, SelectionPattern: "501"}}},
		"kept": {Type: transform.AWS, URI: "arn:aws:apigateway:us-east-1:s3:path/x", RequestParameters: how, IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200}, {StatusCode: 202, SelectionPattern: "202"}, {StatusCode: 501, SelectionPattern: "501"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(restAPI(t, c, handler))
			defer srv.Close()
			get := func(how string) (int, string, error) {
				res, err := http.Get(srv.URL + "/pets/7?how=" + how)
				if err != nil {
					return 0, "", err
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				return res.StatusCode, string(body), err
			}
			for how, want := range map[string]string{"flush": "200 flushed", "controller": "200 flushed", "readfrom": "200 read", "early": "202 ", "nothing": "200 "} {
				status, body, err := get(how)
				require.NoError(t, err)
				require.Equal(t, want, fmt.Sprint(status, " ", body), how)
			}
			status, _, err := get("hijack")
			require.NoError(t, err)
			if name == "proxy" {
				require.Equal(t, 209, status)
			} else {
				require.Equal(t, 501, status, "there is nothing to take over")
			}
			_, _, err = get("panic")
			require.Error(t, err, "a panic passes through")
		})
	}
}

// A text that is streamed is made UTF-8 on its way, wherever it is cut.
// A connection that can't be handed over, such as an HTTP/2 one, leaves the answer to the handler.
func TestHijackThatFails(t *testing.T) {
	w := serveREST(t, transform.RESTConfig{Type: transform.HTTPProxy}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "own")
		_, _, err := http.NewResponseController(w).Hijack()
		require.ErrorIs(t, err, http.ErrNotSupported)
		w.WriteHeader(http.StatusNotImplemented)
	}), post(""))
	require.Equal(t, 501, w.Code)
	require.Equal(t, "own", w.Header().Get("X-Amzn-Remapped-Server"))
}

// A backend's trailers pass, whether or not it announced them, and a header that comes too late
// doesn't.
func TestTrailersPass(t *testing.T) {
	srv := httptest.NewServer(restAPI(t, transform.RESTConfig{Type: transform.HTTPProxy}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Other")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "1")
		w.Header().Set("X-Late", "1")
		w.Header().Set(http.TrailerPrefix+"X-More", "2")
	})))
	defer srv.Close()
	res, err := http.Get(srv.URL + "/pets/7")
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.Header{"X-Sum": {"1"}, "X-Other": nil, "X-More": {"2"}}, res.Trailer)
	require.NotContains(t, res.Header, "X-Late")
}

func TestStreamedText(t *testing.T) {
	const text = "a\xffé\xe2\x82€\xf0\x9f\x98😀\xc3"
	whole := serveREST(t, transform.RESTConfig{Type: transform.AWS, IntegrationResponses: defaultResponse}, &backend{answer: text}, post("")).Body.String()
	require.Equal(t, "a\ufffdé\ufffd€\ufffd😀\ufffd", whole)
	for cut := range len(text) {
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, text[:cut])
			_, _ = io.WriteString(w, text[cut:])
		})
		require.Equal(t, whole, serveREST(t, transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: defaultResponse}, next, post("")).Body.String(), cut)
	}
}

func TestNewRESTRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config transform.RESTConfig
		want   string
	}{
		{"zero", transform.RESTConfig{}, `transform: RESTConfig.Type: want MOCK, HTTP, HTTP_PROXY, AWS or AWS_PROXY`},
		{"behavior", transform.RESTConfig{PassthroughBehavior: "x"}, `RESTConfig.PassthroughBehavior: want WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER, got "X"`},
		{"handling", transform.RESTConfig{ContentHandling: "x"}, `RESTConfig.ContentHandling: want CONVERT_TO_BINARY, CONVERT_TO_TEXT or nothing, got "x"`},
		{"method", transform.RESTConfig{HTTPMethod: "get it"}, `RESTConfig.HTTPMethod: want a method such as POST, or ANY, got "get it"`},
		{"bound", transform.RESTConfig{MaxBodyBytes: -1}, `RESTConfig.MaxBodyBytes: want 0 or a number of bytes, got -1`},
		{"no-responses", transform.RESTConfig{Type: transform.HTTP}, `RESTConfig.IntegrationResponses: want at least one`},
		{"uri-of-aws", transform.RESTConfig{Type: transform.AWS, URI: "http://x"}, `RESTConfig.URI: want an ARN such as`},
		{"uri", transform.RESTConfig{Type: transform.HTTP, URI: "ftp://x"}, `RESTConfig.URI: want a URL such as https://backend.example.com/pets/{id}, got "ftp://x"`},
		{"uri-without-host", transform.RESTConfig{Type: transform.HTTP, URI: "http:///x"}, `RESTConfig.URI: want a URL`},
		{"uri-with-user", transform.RESTConfig{Type: transform.HTTP, URI: "http://a:b@x/"}, `RESTConfig.URI: want a URL`},
		{"uri-with-dots", transform.RESTConfig{Type: transform.HTTP, URI: "http://x/a/../b"}, `RESTConfig.URI: want a URL`},
		{"uri-with-fragment", transform.RESTConfig{Type: transform.HTTP, URI: "http://x/#y"}, `RESTConfig.URI: want a URL`},
		{"binary-type", transform.RESTConfig{BinaryMediaTypes: []string{"image/png", "png"}}, `RESTConfig.BinaryMediaTypes[1]: want a type such as image/png, image/* or */*, got "png"`},
		{"declared", transform.RESTConfig{MethodRequestParameters: map[string]bool{"method.request.cookie.x": true}}, `RESTConfig.MethodRequestParameters: want method.request.header.NAME`},
		{"declared-name", transform.RESTConfig{MethodRequestParameters: map[string]bool{"method.request.header.a b": true}}, `RESTConfig.MethodRequestParameters: want method.request.header.NAME`},
		{"declared-twice", transform.RESTConfig{MethodRequestParameters: map[string]bool{"method.request.header.x": true, "method.request.path.x": true}}, `want names that differ across querystring, header and path, got "x" twice`},
		{"target", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.cookie.x": "'1'"}}, `RESTConfig.RequestParameters: want a target such as integration.request.header.NAME, got "integration.request.cookie.x"`},
		{"target-name", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.a b": "'1'"}}, `want a target such as`},
		{"source", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "method.request.cookie.x"}}, `RESTConfig.RequestParameters["integration.request.header.x"]: want method.request.header.NAME`},
		{"source-of-response", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "integration.response.header.x"}}, `want method.request.header.NAME`},
		{"source-unquoted", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "text"}}, `want method.request.header.NAME`},
		{"source-context", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "context.nope"}}, `want the name of a $context variable, got "nope"`},
		{"source-stage", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "stageVariables.a b"}}, `want method.request.header.NAME`},
		{"source-path", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.x": "method.request.body.a[?"}}, `jsonpath: `},
		{"source-undeclared", transform.RESTConfig{MethodRequestParameters: map[string]bool{"method.request.header.a": true}, RequestParameters: map[string]string{"integration.request.header.x": "method.request.header.b"}}, `want one of MethodRequestParameters, got method.request.header.B`},
		{"template-key", transform.RESTConfig{RequestTemplates: map[string]string{"json": ""}}, `RESTConfig.RequestTemplates: want a media type such as application/json, got "json"`},
		{"template-twice", transform.RESTConfig{RequestTemplates: map[string]string{"text/html": "", "TEXT/html": ""}}, `RESTConfig.RequestTemplates: want a template once a media type`},
		{"template", transform.RESTConfig{RequestTemplates: map[string]string{"text/html": "#if("}}, `RESTConfig.RequestTemplates["text/html"]: vtl: RequestTemplates["text/html"]:1:`},
		{"response-default", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}, {StatusCode: 201}}}, `RESTConfig.IntegrationResponses[1].SelectionPattern: want one response without a pattern, got another`},
		{"response-status", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 100}}}, `RESTConfig.IntegrationResponses[0].StatusCode: want 200 to 599, got 100`},
		{"response-pattern", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, SelectionPattern: "(?!4)"}}}, `RESTConfig.IntegrationResponses[0].SelectionPattern: want a regular expression of Go's syntax`},
		{"response-pattern-escape", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, SelectionPattern: "a)|(b"}}}, `SelectionPattern: want a regular expression`},
		{"response-handling", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: "x"}}}, `RESTConfig.IntegrationResponses[0].ContentHandling`},
		{"response-target", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseParameters: map[string]string{"method.response.body": "'x'"}}}}, `RESTConfig.IntegrationResponses[0].ResponseParameters: want a target such as method.response.header.NAME`},
		{"response-source", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X": "integration.response.path.x"}}}}, `want integration.response.header.NAME`},
		{"response-template", transform.RESTConfig{Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"$default": ""}}}}, `RESTConfig.IntegrationResponses[0].ResponseTemplates: want a media type`},
		{"response-header-undeclared", transform.RESTConfig{
			Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X-A": "'1'"}}},
			MethodResponses: []transform.MethodResponse{{StatusCode: 200, ResponseParameters: map[string]bool{"method.response.header.X-B": true}}},
		}, `RESTConfig.IntegrationResponses[0].ResponseParameters: want headers of MethodResponses for 200, got X-A`},
		{"limits", transform.RESTConfig{RequestTemplates: map[string]string{"text/html": strings.Repeat("x", 300<<10+1)}}, `want a template of up to 300 KB`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := transform.NewREST(tt.config)
			require.Nil(t, m)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := transform.NewREST(transform.RESTConfig{HTTPMethod: "x", MaxBodyBytes: -1, BinaryMediaTypes: []string{"x"}})
	require.Equal(t, 4, strings.Count(err.Error(), "transform: "), err)
	_, err = transform.NewREST(transform.RESTConfig{
		Type: transform.HTTP, HTTPMethod: "ANY", MethodRequestParameters: map[string]bool{"method.request.header.a": true},
		RequestParameters:    map[string]string{"integration.request.header.x": "method.request.multivalueheader.a", "integration.request.header.y": "context.stage"},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.x-a": "'1'"}}},
		MethodResponses:      []transform.MethodResponse{{StatusCode: 200, ResponseParameters: map[string]bool{"method.response.header.X-A": false}}},
	})
	require.NoError(t, err)
}

// Many requests share a REST, and nothing of one shows in another.
func TestRESTIsConcurrent(t *testing.T) {
	api := restAPI(t, transform.RESTConfig{
		Type: transform.HTTP, RequestTemplates: map[string]string{"application/json": `$input.path('$.n')#set($context.requestOverride.header.X-N = $input.json('$.n'))`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `$input.body/$input.params('x')`}}},
	}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		_, _ = fmt.Fprintf(w, "%s=%s", r.Header.Get("X-N"), &body)
	}))
	done := make(chan string)
	for i := range 8 {
		go func() {
			for j := range 50 {
				n := fmt.Sprint(i*1000 + j)
				w := httptest.NewRecorder()
				api.ServeHTTP(w, post(`{"n":`+n+`}`))
				if want := n + "=" + n + "/a b"; w.Body.String() != want {
					done <- "got " + w.Body.String() + ", want " + want
					return
				}
			}
			done <- ""
		}()
	}
	for range 8 {
		require.Empty(t, <-done)
	}
}
