package transform_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/transform"
)

// getWith is a GET with headers.
func getWith(header ...string) *http.Request {
	r := post("", header...)
	r.Method, r.Body = http.MethodGet, http.NoBody
	return r
}

// What an API on the managed gateway may hold without effect is taken.
func TestNewRESTTakes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config transform.RESTConfig
	}{
		{"lower-case-type", transform.RESTConfig{Type: "http_proxy", URI: "http://up.example"}},
		{"lower-case-behavior", transform.RESTConfig{Type: "mock", PassthroughBehavior: "when_no_match", IntegrationResponses: defaultResponse}},
		{"responses-of-a-proxy", transform.RESTConfig{Type: transform.HTTPProxy, IntegrationResponses: defaultResponse}},
		{"templates-of-a-proxy", transform.RESTConfig{Type: transform.HTTPProxy, RequestTemplates: map[string]string{"application/json": "#if("}}},
		{"handling-of-a-proxy", transform.RESTConfig{Type: transform.HTTPProxy, ContentHandling: transform.ConvertToText}},
		{"uri-of-a-mock", transform.RESTConfig{Type: transform.Mock, URI: "http://x", IntegrationResponses: defaultResponse}},
		{"left-wildcard", transform.RESTConfig{Type: transform.HTTPProxy, BinaryMediaTypes: []string{"*/png"}}},
		{"response-without-method-response", transform.RESTConfig{
			Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 504}}, MethodResponses: []transform.MethodResponse{{StatusCode: 200}},
		}},
		{"port-in-a-variable", transform.RESTConfig{Type: transform.HTTPProxy, URI: "http://up.example:${stageVariables.port}/x"}},
		{"escaped-brace", transform.RESTConfig{Type: transform.HTTPProxy, URI: `http://up.example/{id\}`}},
		{"function-without-method", transform.RESTConfig{Type: transform.AWSProxy}},
		{"function-with-another-method", transform.RESTConfig{Type: "aws_proxy", HTTPMethod: "GET"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := transform.NewREST(tt.config)
			require.NoError(t, err)
		})
	}
}

// A template's key is a Content-Type, whose parameters say nothing here: the type alone chooses, as
// it does a validator's model.
func TestTemplateKeysWithParameters(t *testing.T) {
	for _, tt := range []struct {
		name     string
		keys     map[string]string
		want     string
		findings int
	}{
		{"alone", map[string]string{"application/json;charset=UTF-8": "charset"}, "charset", 1},
		{"beside-the-type", map[string]string{"application/json": "plain", "Application/JSON; charset=utf-8": "charset"}, "plain", 1},
		{"two", map[string]string{"application/json; charset=utf-8": "a", "application/json;charset=utf-8": "b"}, "a", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := transform.RESTConfig{
				Type: "http", ContentHandling: "convert_to_text", RequestTemplates: tt.keys,
				IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: "convert_to_text", ResponseTemplates: tt.keys}},
			}
			m, err := transform.NewREST(c)
			require.NoError(t, err)
			require.Len(t, m.Findings(), 2*tt.findings, "of the request and of the response")
			for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "application/json; charset=latin1"} {
				b := &backend{answer: "{}"}
				w := serveREST(t, c, b, post("{}", "Content-Type", contentType, "Accept", contentType))
				require.Equal(t, tt.want, b.body, contentType)
				require.Equal(t, tt.want, w.Body.String(), contentType)
			}
		})
	}
}

// A function gets the request as it is, or the answer is the managed gateway's 500. (E.2, E.5.)
func TestAWSProxy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config transform.RESTConfig
		want   int
	}{
		{"none", transform.RESTConfig{}, 200},
		{"post", transform.RESTConfig{HTTPMethod: "POST"}, 200},
		{"get", transform.RESTConfig{HTTPMethod: "GET"}, 500},
		{"mapping", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.X-A": "'a'"}}, 200},
		{"forbidden", transform.RESTConfig{RequestParameters: map[string]string{"integration.request.header.Authorization": "'a'"}}, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Type = transform.AWSProxy
			b := &backend{}
			require.Equal(t, tt.want, serveREST(t, tt.config, b, post("x", "X-B", "b")).Code)
			if tt.want == 200 {
				require.Equal(t, "b", b.r.Header.Get("X-B"))
				require.NotContains(t, b.r.Header, "X-A")
			}
		})
	}
}

// J.1: a stage variable may hold host and path, or a port; what a client sends may not.
func TestStageVariablesInURIs(t *testing.T) {
	for _, tt := range []struct {
		name, uri, want string
		status          int
	}{
		{"host-and-path", "http://${stageVariables.url}/pets", "http://up.example/base/pets", 200},
		{"host-and-path-alone", "http://${stageVariables.url}", "http://up.example/base/", 200},
		{"port", "http://up.example:${stageVariables.port}/pets", "http://up.example:8080/pets", 200},
		{"host-and-port", "http://${stageVariables.host}:${stageVariables.port}/pets", "http://up.example:8080/pets", 200},
		{"missing", "http://${stageVariables.none}/pets", "", 500},
		{"path-in-a-parameter", "http://{q}/pets", "", 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := transform.NewREST(transform.RESTConfig{
				Type: transform.HTTPProxy, URI: tt.uri,
				RequestParameters: map[string]string{"integration.request.path.q": "method.request.querystring.q"},
			})
			require.NoError(t, err)
			rc, r := gatekit.Attach(httptest.NewRequest("GET", "/x?q=evil.example/a", nil))
			rc.API = &gatekit.API{Flavor: gatekit.REST, Variables: map[string]string{"url": "up.example/base/", "host": "up.example", "port": "8080"}}
			got := ""
			w := httptest.NewRecorder()
			m.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				r.URL.RawQuery = ""
				got = r.URL.String()
			})).ServeHTTP(w, r)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.want, got)
		})
	}
}

// D.2: a body that begins as JSON and isn't is refused, also where all of it is mapped.
func TestWholeBodyIsChecked(t *testing.T) {
	c := transform.RESTConfig{
		Type: transform.HTTP, RequestParameters: map[string]string{"integration.request.header.X-B": "method.request.body"}, IntegrationResponses: defaultResponse,
	}
	for body, want := range map[string]int{"{wrong": 400, "[": 400, `"x`: 400, " {": 400, "wrong": 200, "a=b": 200, `{"a":1}`: 200, "": 200} {
		require.Equal(t, want, serveREST(t, c, &backend{}, post(body)).Code, body)
	}
	answers := transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{
		{StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X-B": "integration.response.body"}},
	}}
	require.Equal(t, 500, serveREST(t, answers, &backend{answer: "{wrong"}, post("")).Code)
}

// Answers of HTTP integrations keep their length.
func TestContentLengthOfAnswers(t *testing.T) {
	m, err := transform.NewREST(transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: defaultResponse})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	})).ServeHTTP(w, post(""))
	require.Equal(t, "5", w.Header().Get("Content-Length"))
	require.Equal(t, "hello", w.Body.String())
}

// B.1: a body that isn't JSON is a text, and nothing is in it.
func TestBodyThatIsNotJSON(t *testing.T) {
	for template, want := range map[string]string{
		`$input.path('$')`: "a=1&b=2", `$input.path('$').split("&")[1]`: "b=2", `[$input.path('$.a')]`: "[]", `$input.json('$')`: `"a=1&b=2"`,
		`$input.json('$.a')`: `""`, `$input.path('$..a').size()`: "", `$input.path("$[0]")`: "",
	} {
		require.Equal(t, want, render(t, template, "a=1&b=2"), template)
	}
	require.Equal(t, "true{}", render(t, `$input.path('$').isEmpty()$input.json('$')`, ""))
}

// B.3: what is a number can be calculated with.
func TestContextNumbers(t *testing.T) {
	require.Regexp(t, `^\d{10}$`, render(t, `#set($t = $context.requestTimeEpoch / 1000 + 86400)$t`, ""))
	require.Equal(t, "tier claims principalId n on |sub n |header |[]", render(t,
		`#foreach($k in $context.authorizer.keySet())$k #end|#foreach($k in $context.authorizer.claims.keySet())$k #end|`+
			`#foreach($k in $context.responseOverride.keySet())$k #end|[$context.requestOverride.header]`, ""))
	template, err := transform.NewTemplate("t", `[$context.authorizer.keySet().size()][$context.authorizer.claims.size()][$context.authorizer]`)
	require.NoError(t, err)
	got, err := template.Render(httptest.NewRequest("GET", "/", nil), nil)
	require.NoError(t, err)
	require.Equal(t, "[0][0][]", string(got.Output))
}

// E.5: a mapping that fails every request on the managed gateway is taken, and fails every request.
func TestMappingsThatFailEveryRequest(t *testing.T) {
	for _, tt := range []struct {
		kind   transform.IntegrationType
		header string
		want   int
	}{
		{transform.HTTP, "content-length", 500}, {transform.HTTPProxy, "Transfer-Encoding", 500}, {transform.AWS, "Content-Length", 500},
		{transform.AWSProxy, "Content-Length", 500}, {transform.HTTP, "x-amzn-trace-id", 500}, {transform.AWS, "X-Amzn-Apigateway-Api-Id", 500},
		{transform.AWS, "authorization", 500}, {transform.AWS, "Connection", 500}, {transform.AWS, "Expect", 500}, {transform.AWS, "te", 500},
		{transform.AWSProxy, "Proxy-Authenticate", 500}, {transform.HTTP, "Authorization", 200}, {transform.HTTP, "Te", 200}, {transform.AWS, "Referer", 200},
	} {
		m, err := transform.NewREST(transform.RESTConfig{
			Type: tt.kind, IntegrationResponses: defaultResponse,
			RequestParameters: map[string]string{"integration.request.header." + tt.header: "method.request.header.none"},
		})
		require.NoError(t, err)
		b := &backend{}
		w := httptest.NewRecorder()
		m.Middleware(b).ServeHTTP(w, post("x"))
		require.Equal(t, tt.want, w.Code, "%s %s", tt.kind, tt.header)
		require.Equal(t, tt.want == 200, b.r != nil)
		if tt.want == 500 {
			require.Contains(t, strings.Join(m.Findings(), "\n"), "with which every request is answered with 500")
		}
	}
}

// 3.7: a setting without effect is taken, and a lint names it.
func TestFindings(t *testing.T) {
	templates := map[string]string{"application/json": "{}"}
	for _, tt := range []struct {
		name   string
		config transform.RESTConfig
		want   []string
	}{
		{"none", transform.RESTConfig{Type: transform.HTTP, IntegrationResponses: defaultResponse, RequestTemplates: templates, PassthroughBehavior: transform.Never}, nil},
		{"proxy", transform.RESTConfig{
			Type: "http_proxy", IntegrationResponses: defaultResponse, RequestTemplates: templates, PassthroughBehavior: transform.Never, SelectWholeText: true,
			ContentHandling: transform.ConvertToText, BinaryMediaTypes: []string{"image/png"}, MethodResponses: []transform.MethodResponse{{StatusCode: 200}},
		}, []string{"RequestTemplates: ", "PassthroughBehavior: ", "ContentHandling: ", "BinaryMediaTypes: ", "IntegrationResponses: ", "MethodResponses: ", "SelectWholeText: "}},
		{"function", transform.RESTConfig{Type: transform.AWSProxy, URI: "arn:x", HTTPMethod: "GET", RequestParameters: map[string]string{"integration.request.header.X": "'x'"}},
			[]string{"URI: ", "RequestParameters: ", "HTTPMethod: want POST, got GET"}},
		{"mock", transform.RESTConfig{Type: transform.Mock, URI: "http://x", HTTPMethod: "GET", IntegrationResponses: defaultResponse}, []string{"HTTPMethod: ", "URI: "}},
		{"left-wildcard", transform.RESTConfig{Type: transform.Mock, BinaryMediaTypes: []string{"*/*", "*/png"}, IntegrationResponses: defaultResponse}, []string{`BinaryMediaTypes: want a whole type`}},
		{"never-sent", transform.RESTConfig{Type: transform.HTTP, RequestParameters: map[string]string{"integration.request.header.via": "'x'"}, IntegrationResponses: defaultResponse},
			[]string{"RequestParameters: want a header that backends get, got Via"}},
		{"never-without-template", transform.RESTConfig{Type: transform.HTTP, PassthroughBehavior: transform.Never, IntegrationResponses: defaultResponse}, []string{"PassthroughBehavior: "}},
		{"undeclared-status", transform.RESTConfig{
			Type: transform.Mock, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 504}}, MethodResponses: []transform.MethodResponse{{StatusCode: 200}},
		}, []string{"IntegrationResponses[0].StatusCode: want one of MethodResponses, got 504"}},
		{"bytes-and-template", transform.RESTConfig{
			Type: transform.HTTP, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ContentHandling: transform.ConvertToBinary, ResponseTemplates: templates}},
		}, []string{"IntegrationResponses[0].ContentHandling: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := transform.NewREST(tt.config)
			require.NoError(t, err)
			got := m.Findings()
			require.Len(t, got, len(tt.want), "%q", got)
			for i := range tt.want {
				require.True(t, strings.HasPrefix(got[i], tt.want[i]), "%q, want %q", got[i], tt.want[i])
			}
		})
	}
}

// Templates list no member of $context that there isn't: the names are those of
// internal/contextvar's table, its groups, and the overrides.
func TestMembersOfContextAreInTheTable(t *testing.T) {
	for prefix, text := range map[string]string{"": "$context", "identity.": "$context.identity"} {
		for _, name := range strings.Fields(render(t, "#foreach($k in "+text+".keySet())$k #end", "")) {
			switch name {
			case "requestOverride", "responseOverride", "identity", "authorizer", "error", "integration", "customDomain", "clientCert":
				continue
			}
			_, err := contextvar.Parse(prefix + name)
			require.NoError(t, err)
		}
	}
}
