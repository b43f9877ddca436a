package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/openapi"
)

func TestRequestParameters(t *testing.T) {
	for _, tt := range []struct {
		name, path, item, own string
		want                  map[string]bool
	}{
		{"none", "/a", "", "", nil},
		{"last-segment", "/a/{x}", "", "", map[string]bool{"path.x": true}},
		{"last-segment-declared", "/a/{x}", "", "[{in: path, name: x, required: false}]", map[string]bool{"path.x": true}},
		{"earlier-segment", "/{x}/a", "", "", nil},
		{"earlier-declared", "/{x}/a", "", "[{in: path, name: x}]", map[string]bool{"path.x": false}},
		{"greedy", "/{p+}", "", "", nil},
		{"greedy-declared", "/{p+}", "", "[{in: path, name: p, required: true}]", map[string]bool{"path.p": true}},
		{"greedy-declared-with-plus", "/{p+}", "", "[{in: path, name: p+, required: true}]", map[string]bool{"path.p": true}},
		{"of-the-path", "/a", "[{in: query, name: q, required: true}]", "", map[string]bool{"querystring.q": true}},
		{"own-wins", "/a", "[{in: query, name: q, required: true}, {in: header, name: h}]", "[{in: query, name: q}]", map[string]bool{"querystring.q": false, "header.h": false}},
		{"elsewhere", "/a", "", "[{in: cookie, name: c}, {in: formData, name: f}, {name: n}, {in: query}, 7]", nil},
		{"no-list", "/a", "", "{in: query, name: q}", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paths := tt.path + ":\n"
			if tt.item != "" {
				paths += "  parameters: " + tt.item + "\n"
			}
			paths += "  get:\n"
			if tt.own != "" {
				paths += "    parameters: " + tt.own + "\n"
			}
			doc := read(t, rest(paths+"    "+mock, ""), openapi.Options{})
			var want map[string]bool
			for name, required := range tt.want {
				if want == nil {
					want = map[string]bool{}
				}
				want["method.request."+name] = required
			}
			require.Equal(t, want, doc.APIs[0].Routes["GET "+tt.path].RequestParameters)
		})
	}
}

// What a mapping may read: what is declared, in any letter case of a header, also all its values,
// and what isn't the method's to declare.
func TestMappingsOfWhatIsDeclared(t *testing.T) {
	for _, source := range []string{"method.request.querystring.q", "method.request.multivaluequerystring.q", "method.request.header.x-a",
		"method.request.multivalueheader.X-A", "method.request.body", "method.request.body.a", "context.stage", "stageVariables.v", "'text'"} {
		read(t, get("type: mock, requestParameters: {integration.request.header.h: \""+source+"\"}",
			"parameters: [{in: query, name: q}, {in: header, name: X-A}]"), openapi.Options{FailOnWarnings: true})
	}
}

func TestContentTypesOfABody(t *testing.T) {
	for _, tt := range []struct{ name, root, own, want string }{
		{"neither", "", "", "application/json"},
		{"document's", `"consumes":["a/b","c/d"],`, "", "a/b c/d"},
		{"own", `"consumes":["a/b"],`, `"consumes":["e/f"],`, "e/f"},
		{"own-empty", `"consumes":["a/b"],`, `"consumes":[],`, "application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, `{"swagger":"2.0",`+tt.root+`"definitions":{"M":{}},"paths":{"/a":{"post":{`+tt.own+
				`"parameters":[{"in":"body","name":"n","schema":{"$ref":"#/definitions/M"}}],"x-amazon-apigateway-integration":{"type":"mock"}}}}}`, openapi.Options{})
			want := map[string]string{}
			for contentType := range strings.FieldsSeq(tt.want) {
				want[contentType] = "M"
			}
			require.Equal(t, want, doc.APIs[0].Routes["POST /a"].RequestModels)
		})
	}
}

// Keywords of schemas are names of properties elsewhere, and data is no schema.
func TestSchemas(t *testing.T) {
	const a, url = "{$ref: '#/components/schemas/A'}", `{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/A"}`
	for _, tt := range []struct{ name, schema, want string }{
		{"reference", a, url},
		{"properties-like-keywords", "{properties: {example: " + a + ", default: " + a + ", enum: " + a + ", properties: " + a + "}}",
			`{"properties":{"example":` + url + `,"default":` + url + `,"enum":` + url + `,"properties":` + url + `}}`},
		{"lists", "{allOf: [" + a + ", {items: " + a + "}]}", `{"allOf":[` + url + `,{"items":` + url + `}]}`},
		{"data", "{default: " + a + ", enum: [" + a + "]}", `{"default":{"$ref":"#/components/schemas/A"},"enum":[{"$ref":"#/components/schemas/A"}]}`},
		{"by-URL", "{$ref: 'https://apigateway.amazonaws.com/restapis/x/models/A'}", url},
		{"part", "{$ref: '#/components/schemas/A/properties/b'}", `{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/A#/properties/b"}`},
		{"own-part", "{$ref: '#/definitions'}", `{"$ref":"#/definitions"}`},
		{"numbers", "{minimum: +1, maximum: .5, multipleOf: 0x10, const: ~}", `{"minimum":1,"maximum":0.5,"multipleOf":16,"const":null}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, rest("/a: {}", "components: {schemas: {A: {}, S: "+tt.schema+"}}"), openapi.Options{APIID: "x"})
			require.Equal(t, tt.want, string(doc.APIs[0].Models["S"].Schema))
			require.NotContains(t, what(doc), "keyword example")
		})
	}
}

func TestRoutesUpToTheBound(t *testing.T) {
	var paths strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&paths, "/p%d:\n  get: {%s}\n", i, mock)
	}
	require.Len(t, read(t, rest(paths.String(), ""), openapi.Options{}).APIs[0].Routes, 5000)
}
