package definition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

func TestBindingsByName(t *testing.T) {
	doc := func(target string) string {
		text := apiOf("HTTP", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda",`+target+`}}}`, "")
		return strings.TrimSuffix(text, "}") + `,"resources":{"Fn12AB":{"type":"AWS::Lambda::Function","name":"shop-list","path":"Shop/List","arn":"arn:aws:lambda:us-east-1:123456789012:function:shop-list"}}}`
	}
	const byID, live = `"function":"Fn12AB"`, `"function":"Fn12AB","qualifier":"live"`
	for _, tt := range []struct {
		target string
		keys   []string
		want   string
	}{
		{byID, []string{"Fn12AB"}, "Fn12AB"},
		{byID, []string{"Shop/List"}, "Shop/List"},
		{byID, []string{"shop-list"}, "shop-list"},
		{byID, []string{"arn:aws:lambda:us-east-1:123456789012:function:shop-list"}, "arn:aws:lambda:us-east-1:123456789012:function:shop-list"},
		{byID, []string{"Shop/*"}, "Shop/*"},
		{byID, []string{"*:function:shop-????"}, "*:function:shop-????"},
		{byID, []string{"*", "Fn12AB"}, "Fn12AB"},
		{byID, []string{"Fn12AB:live"}, ""},
		{byID, []string{"fn12ab"}, ""},
		{byID, []string{"Shop/?"}, ""},
		{live, []string{"Fn12AB", "Shop/List:live"}, "Shop/List:live"},
		{live, []string{"shop-list"}, "shop-list"},
		{live, []string{"*:live"}, "*:live"},
		{`"name":"shop-list"`, []string{"Shop/List"}, "Shop/List"},
		{`"arn":"arn:aws:lambda:us-east-1:123456789012:function:shop-list"`, []string{"Fn12AB"}, "Fn12AB"},
		{`"name":"elsewhere"`, []string{"elsewhere"}, "elsewhere"},
		{byID, nil, "rest"},
	} {
		t.Run(fmt.Sprint(tt.target, tt.keys), func(t *testing.T) {
			b := definition.Bindings{Functions: functions(tt.keys...)}
			if tt.want == "rest" {
				b.OtherFunction = func(r definition.Ref) (gatekit.Invoker, bool) {
					require.Equal(t, definition.Ref{Kind: "Functions", LogicalID: "Fn12AB", Path: "Shop/List", Name: "shop-list",
						ARN: "arn:aws:lambda:us-east-1:123456789012:function:shop-list"}, r)
					return fn("rest"), true
				}
			}
			g := build(t, doc(tt.target), b)
			if tt.want == "" {
				require.Equal(t, `500 {"message":"Internal Server Error"}`, ask(g, "GET", "/a"))
				require.Len(t, g.Report().Of(definition.Unbound), 1)
				require.Contains(t, g.Report().Of(definition.Unbound)[0].Do, `Bindings.Functions["Shop/List"]`)
				require.Len(t, g.Report().Of(definition.UnusedBinding), 1)
				return
			}
			require.Equal(t, "200 "+tt.want, ask(g, "GET", "/a"))
		})
	}
	for _, keys := range [][]string{{"Fn12AB", "Shop/List"}, {"Shop/*", "shop-*"}} {
		_, err := definition.Build(t.Context(), parse(t, doc(byID)), definition.Bindings{Functions: functions(keys...)})
		require.ErrorContains(t, err, "want one key for each thing, got")
	}
}

// A parameter's value takes the place of an unknown one, wherever it stands.
func TestParameters(t *testing.T) {
	text := apiOf("REST", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},"request_templates":{"application/json":"{\"statusCode\":200}"},
		"responses":[{"status":"200","templates":{"application/json":"table `+definition.Unknown("Custom::Table.Name")+`, `+definition.Unknown("parameter P")+`"}}]}}`, "")
	g := build(t, text, definition.Bindings{Parameters: map[string]string{"parameter P": `a "quoted" <value>`},
		OtherParameter: func(r definition.Ref) (string, bool) { return "t1", r.Name == "Custom::Table.Name" }})
	require.Equal(t, `200 table t1, a "quoted" <value>`, ask(g, "GET", "/prod/a"))
	g = build(t, text, definition.Bindings{})
	require.Contains(t, ask(g, "GET", "/prod/a"), "500")
	found := g.Report().Of(definition.UnknownValue)
	require.Len(t, found, 1)
	require.Equal(t, `bind Bindings.Parameters["Custom::Table.Name"]`, found[0].Do)
}
