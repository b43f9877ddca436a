package selector_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/selector"
)

// everything is each kind that a form can have.
const everything = selector.Literal | selector.Header | selector.Headers | selector.Query | selector.Queries | selector.PathVariable |
	selector.Path | selector.Body | selector.BodyPart | selector.Status | selector.Context | selector.StageVariable

var allForms = []selector.Form{
	selector.Method, selector.Route, selector.Dollar, selector.Request, selector.Response, selector.IntegrationResponse,
	selector.IntegrationRequest, selector.MethodResponse, selector.GatewayResponse,
}

// in takes all kinds in some forms.
func in(forms ...selector.Form) selector.Grammar {
	return selector.Grammar{Forms: forms, Kinds: everything}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		form       selector.Form
		kind       selector.Kind
		want       string
	}{
		{"rest-header", "method.request.header.x-tenant", selector.Method, selector.Header, "X-Tenant"},
		{"rest-headers", "method.request.multivalueheader.x-tenant", selector.Method, selector.Headers, "X-Tenant"},
		{"rest-query", "method.request.querystring.Page", selector.Method, selector.Query, "Page"},
		{"rest-queries", "method.request.multivaluequerystring.a.b$c_d-e", selector.Method, selector.Queries, "a.b$c_d-e"},
		{"rest-path-variable", "method.request.path.user:id", selector.Method, selector.PathVariable, "user:id"},
		{"rest-body", "method.request.body", selector.Method, selector.Body, ""},
		{"rest-body-part", "method.request.body.a.b", selector.Method, selector.BodyPart, "a.b"},
		{"rest-body-element", "method.request.body[0].a", selector.Method, selector.BodyPart, "[0].a"},
		{"rest-descent", "method.request.body..a", selector.Method, selector.BodyPart, ".a"},
		{"rest-filter", "method.request.body.a[?(@.b == 1)]", selector.Method, selector.BodyPart, "a[?(@.b == 1)]"},
		{"rest-context", "context.identity.sourceIp", selector.Method, selector.Context, "identity.sourceIp"},
		{"rest-claim", "context.authorizer.claims['custom:role']", selector.Method, selector.Context, "authorizer.claims['custom:role']"},
		{"rest-stage-variable", "stageVariables.env_1", selector.Method, selector.StageVariable, "env_1"},
		{"rest-literal", "'it's'", selector.Method, selector.Literal, "it's"},
		{"rest-empty-literal", "''", selector.Method, selector.Literal, ""},
		{"websocket-header", "route.request.header.Auth", selector.Route, selector.Header, "Auth"},
		{"websocket-query", "route.request.querystring.t", selector.Route, selector.Query, "t"},
		{"websocket-body", "route.request.body.action", selector.Route, selector.BodyPart, "action"},
		{"http-header", "$request.header.authorization", selector.Dollar, selector.Header, "Authorization"},
		{"http-query", "$request.querystring.filter[name]", selector.Dollar, selector.Query, "filter[name]"},
		{"http-context", "$context.routeKey", selector.Dollar, selector.Context, "routeKey"},
		{"http-stage-variable", "$stageVariables.env", selector.Dollar, selector.StageVariable, "env"},
		{"mapping-header", "request.header.host", selector.Request, selector.Header, "Host"},
		{"mapping-path", "request.path", selector.Request, selector.Path, ""},
		{"mapping-path-variable", "request.path.proxy", selector.Request, selector.PathVariable, "proxy"},
		{"mapping-body-part", "request.body.a['x..y?(']", selector.Request, selector.BodyPart, "a['x..y?(']"},
		{"mapping-body-bracket", "request.body.[0]", selector.Request, selector.BodyPart, "[0]"},
		{"answer-header", "response.header.etag", selector.Response, selector.Header, "Etag"},
		{"backend-header", "integration.response.header.x", selector.IntegrationResponse, selector.Header, "X"},
		{"backend-status", "integration.response.statuscode", selector.IntegrationResponse, selector.Status, ""},
		{"target", "integration.request.querystring.q", selector.IntegrationRequest, selector.Query, "q"},
		{"target-of-method", "method.response.header.x-a", selector.MethodResponse, selector.Header, "X-A"},
		{"target-of-gateway", "gatewayresponse.header.retry-after", selector.GatewayResponse, selector.Header, "Retry-After"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := in(tt.form).Parse(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.kind, s.Kind)
			require.Equal(t, tt.want, s.Name)
			require.Equal(t, tt.kind == selector.BodyPart, s.JSONPath() != nil)
			if v := s.Variable(); tt.kind == selector.Context {
				require.Equal(t, tt.want, v.Name())
			} else {
				require.Empty(t, v.Name())
			}

			again, err := in(tt.form).Parse(s.String())
			require.NoError(t, err, s.String())
			require.True(t, again.Same(&s), s.String())
		})
	}
}

func TestWhatNoFormTakes(t *testing.T) {
	for _, text := range []string{
		"", " ", "method", "method.", "method.request", "method.request.", "method.request.header", "method.request.header.", "method.request.header.a b",
		"method.request.header.a:", "method.request.headers.a", "Method.request.header.a", "method.request.Header.a", " method.request.header.a",
		"method.request.header.a ", "method.request.querystring.", "method.request.querystring.a b", "method.request.querystring.a[b]",
		"method.request.path.", "method.request.path.proxy+", "method.request.path.{proxy}", "method.request.path.a/b", "method.request.cookie.a",
		"method.request.body.", "method.request.bodypart", "method.request.body['", "method.request.statuscode.x", "method.header.tenant",
		"$method.request.header.a", "${request.header.a}", "$$request.header.a", "$request.header.", "$request.querystring.", "$request.querystring.\x00",
		"request.body..a", "request.body.a[?(@.b)]", "request.body.a..b", "$context.", "context.", "context", "context.nothing", "context.Stage",
		"stageVariables.", "stageVariables.a-b", "stageVariables.a.b", "stageVariables", "'", "'a", "a'", `"a"`, "'a\nb'", "'\x7f'", "ü", "route.request.header.ü",
		"method.request.body.a[", "method.request.path.\xff", "integration.header.a", "response.querystring.", "gatewayresponse.a",
	} {
		_, err := in(allForms...).Parse(text)
		require.ErrorContains(t, err, "want ", "%q", text)
		require.Less(t, len(err.Error()), 2000, "%q", text)
	}
}

// The message says what to write: the kinds in the first form, one example of the others, and the
// very selector where only its form is another one.
func TestErrorsNameTheSpelling(t *testing.T) {
	sources := selector.Grammar{
		Forms: []selector.Form{selector.Dollar, selector.Method, selector.Route},
		Kinds: selector.Header | selector.Query | selector.StageVariable | selector.SourceContext,
	}
	keys := selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query | selector.PathVariable}
	one := selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header}
	mapping := selector.Grammar{Forms: []selector.Form{selector.Request}, Kinds: everything &^ selector.Literal &^ selector.Status}
	values := selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Literal | selector.Header | selector.Context}
	for _, tt := range []struct {
		name    string
		grammar selector.Grammar
		text    string
		want    string
	}{
		{"one", one, "x", `want method.request.header.NAME, got "x"`},
		{"keys", keys, "method.request.body", `want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "method.request.body"`},
		{"with-literals", values, "x", `want method.request.header.NAME, context.NAME or 'text', got "x"`},
		{
			"sources", sources, "x", `want $request.header.NAME, $request.querystring.NAME, $context.NAME, $stageVariables.NAME, ` +
				`method.request.header.NAME or route.request.header.NAME, got "x"`,
		},
		{"new-with-each-request", sources, "$context.requestId", `got "$context.requestId": identity sources are those variables of $context that are known before`},
		{"other-flavor", keys, "$request.header.x-tenant", `got "$request.header.x-tenant": write method.request.header.X-Tenant`},
		{"websocket-in-rest", keys, "route.request.querystring.a", `: write method.request.querystring.a`},
		{"dollar-in-rest", keys, "$method.request.path.id", `got "$method.request.path.id"`},
		{"braces-in-rest", keys, "${request.path.id}", `: write method.request.path.id`},
		{"rest-in-mapping", mapping, "method.request.header.a", `: write request.header.A`},
		{"dollar-context", values, "$context.stage", `: write context.STAGE`},
		{"context", mapping, "context.nothing", `want the name of a $context variable, got "nothing"`},
		{"descent", mapping, "request.body..a", `want a JSON path without .., got ".a"`},
		{"filter", mapping, "request.body.a[?(@.b)]", `want a JSON path without filters`},
		{"bad-path", mapping, "request.body.a[", `want a JSON path, got "a["`},
		{"answers-are-no-requests", keys, "integration.response.header.a", `NAME, got "integration.response.header.a"`},
		{"control", values, "'a\x00'", `want text without control characters`},
		{"long", one, strings.Repeat("x", 10_000), `want method.request.header.NAME, got "` + strings.Repeat("x", 100) + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := tt.grammar.Parse(tt.text)
			require.ErrorContains(t, err, strings.ReplaceAll(tt.want, "STAGE", "stage"))
			require.Equal(t, selector.Selector{}, s, "an error means a zero result")
		})
	}
	_, err := keys.Parse("integration.response.header.a")
	require.NotContains(t, err.Error(), "write", "an answer's header is no request's under another name")
	_, err = keys.Parse("context.stage")
	require.NotContains(t, err.Error(), "write", "a kind that isn't taken has no spelling")
}

// A grammar takes what its forms and kinds say, and nothing else: each kind alone, in each form
// alone.
func TestGrammarsTakeTheirOwn(t *testing.T) {
	samples := map[selector.Kind]string{
		selector.Header: "header.a", selector.Headers: "multivalueheader.a", selector.Query: "querystring.a", selector.Queries: "multivaluequerystring.a",
		selector.PathVariable: "path.a", selector.Path: "path", selector.Body: "body", selector.BodyPart: "body.a", selector.Status: "statuscode",
	}
	messages := []string{
		"method.request.", "route.request.", "$request.", "request.", "response.", "integration.response.", "integration.request.", "method.response.",
		"gatewayresponse.",
	}
	for kind := selector.Literal; kind <= selector.StageVariable; kind <<= 1 {
		for _, form := range allForms {
			g := selector.Grammar{Forms: []selector.Form{form}, Kinds: kind}
			for sample, word := range samples {
				for i, message := range messages {
					s, err := g.Parse(message + word)
					require.Equal(t, sample == kind && int(form) == i, err == nil, "%v takes %s", g, message+word)
					require.True(t, err != nil || s.Kind == kind)
				}
			}
			sigil := ""
			if form == selector.Dollar {
				sigil = "$"
			}
			_, err := g.Parse(sigil + "stageVariables.a")
			require.Equal(t, kind == selector.StageVariable, err == nil, "%v", g)
			_, err = g.Parse(sigil + "context.stage")
			require.Equal(t, kind == selector.Context || kind == selector.SourceContext, err == nil, "%v", g)
			_, err = g.Parse(sigil + "context.requestId")
			require.Equal(t, kind == selector.Context, err == nil, "%v", g)
			_, err = g.Parse("'a'")
			require.Equal(t, kind == selector.Literal, err == nil, "%v", g)
		}
	}
}

func TestSame(t *testing.T) {
	parse := func(text string) *selector.Selector {
		s, err := in(allForms...).Parse(text)
		require.NoError(t, err)
		return &s
	}
	for _, same := range [][2]string{
		{"$request.header.a", "method.request.header.A"}, {"context.stage", "$context.stage"}, {"route.request.querystring.a", "$request.querystring.a"},
	} {
		require.True(t, parse(same[0]).Same(parse(same[1])), same)
	}
	for _, other := range [][2]string{
		{"$request.header.a", "$request.header.b"}, {"$request.querystring.a", "$request.querystring.A"}, {"$request.header.a", "$request.querystring.a"},
		{"method.request.header.a", "method.response.header.a"}, {"method.request.path.a", "method.request.body.a"},
	} {
		require.False(t, parse(other[0]).Same(parse(other[1])), other)
	}
	require.True(t, (&selector.Selector{}).Same(&selector.Selector{}))
}

// FuzzParse: what is taken is written again as it was read, in every form that has it, and an error
// means a zero selector.
func FuzzParse(f *testing.F) {
	for i, seed := range corpus() {
		if i%17 == 0 { // all of them are a test's; the fuzzer would only run them
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range allForms {
			s, err := in(form).Parse(text)
			if err != nil {
				if s.Kind != 0 || s.Name != "" || s.JSONPath() != nil {
					t.Errorf("%q is %v, and %v", text, s, err)
				}
				continue
			}
			for _, other := range allForms {
				written := s.In(other)
				again, err := in(other).Parse(written)
				if err == nil && (again.Kind != s.Kind || again.Name != s.Name) {
					t.Errorf("%q is %q in another form, which is %v", text, written, again)
				}
				if other == form && err != nil {
					t.Errorf("%q is written %q, which is refused: %v", text, written, err)
				}
			}
		}
	})
}

func ExampleGrammar_Parse() {
	keys := selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query}
	s, err := keys.Parse("method.request.header.x-tenant")
	fmt.Println(s.Name, err)
	_, err = keys.Parse("$request.header.x-tenant")
	fmt.Println(err)
	// Output:
	// X-Tenant <nil>
	// want method.request.header.NAME or method.request.querystring.NAME, got "$request.header.x-tenant": write method.request.header.X-Tenant
}

func TestUnquoted(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "$.a.b": "$.a.b", "$['a}b'].c}": "$[].c}", `$["a]'b"]`: "$[]", "it's }": "it's }", "$['open": "$[", "$[0]['?']": "$[0][]",
	} {
		var got []byte
		for i, c := range selector.Unquoted(in) {
			require.Equal(t, in[i], c)
			got = append(got, c)
		}
		require.Equal(t, want, string(got), in)
	}
}
