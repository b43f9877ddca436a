package tfplan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/tfplan"
)

// nested is a plan whose root has b[0], b["k"], c and d, and a module that has a resource, which
// takes v from an expression. The module is called with the variables.
func nested(expression, variables string) string {
	return `{"format_version":"1.2","planned_values":{"root_module":{"resources":[
	{"address":"aws_b.b[0]","mode":"managed","type":"aws_b","name":"b","index":0,"values":{"id":"b0"}},
	{"address":"aws_b.b[\"k\"]","mode":"managed","type":"aws_b","name":"b","index":"k","values":{}},
	{"address":"aws_c.c","mode":"managed","type":"aws_c","name":"c","values":{}},
	{"address":"data.aws_d.d","mode":"data","type":"aws_d","name":"d","values":{}}],
	"child_modules":[{"address":"module.m[\"k\"]","resources":[
	{"address":"module.m[\"k\"].aws_a.a[\"k\"]","mode":"managed","type":"aws_a","name":"a","values":{"w":"known"}},
	{"address":"module.m[\"k\"].aws_b.b[\"k\"]","mode":"managed","type":"aws_b","name":"b","values":{}}]}]}},
	"resource_changes":[{"address":"module.m[\"k\"].aws_a.a[\"k\"]","change":{"after_unknown":{"v":true,"computed":true,"block":true,
	 "list":[false,true],"inner":[{"x":true,"computed":true,"block":true}],"map":{"a":true}}}}],
	"configuration":{"root_module":{"resources":[{"address":"aws_c.c","expressions":{}}],
	"module_calls":{"m":{"expressions":` + variables + `,"module":{
	 "resources":[{"address":"aws_a.a","expressions":{"v":` + expression + `,"inner":[{"x":` + expression + `}],"map":` + expression + `},"for_each_expression":{"references":["aws_b.b"]}}],
	 "outputs":{"o":{"expression":{"references":["aws_b.b[\"k\"].id","aws_b.b[\"k\"]","aws_b.b"]}}}}}}}}}`
}

func refs(names ...string) string {
	return fmt.Sprintf(`{"references":[%s]}`, strings.Join(names, ","))
}

func first(t *testing.T, text string) *tfplan.Resource {
	t.Helper()
	p, err := tfplan.Parse([]byte(text))
	require.NoError(t, err)
	all := p.Resources()
	require.Len(t, all, 5)
	require.Equal(t, `module.m["k"].aws_a.a["k"]`, all[3].Address)
	return all[3]
}

func TestSource(t *testing.T) {
	const inModule = `module.m["k"].aws_b.b["k"]`
	for _, tt := range []struct{ name, expression, variables, want string }{
		{"index", refs(`"aws_b.b[\"k\"].id"`, `"aws_b.b[\"k\"]"`, `"aws_b.b"`), `{}`, inModule},
		{"own-index", refs(`"aws_b.b"`, `"each.key"`), `{}`, inModule},
		{"each-value", refs(`"each.value.id"`, `"each.value"`), `{}`, inModule},
		{"other-index", refs(`"aws_b.b[1].id"`), `{}`, ""},
		{"gone", refs(`"aws_x.x.id"`), `{}`, ""},
		{"variable", refs(`"var.x"`), `{"x":` + refs(`"aws_c.c.id"`, `"aws_c.c"`) + `}`, "aws_c.c"},
		{"variable-attribute", refs(`"var.x.id"`, `"var.x"`), `{"x":` + refs(`"aws_c.c"`) + `}`, "aws_c.c"},
		{"variable-index", refs(`"var.x"`), `{"x":` + refs(`"aws_b.b[0].id"`) + `}`, "aws_b.b[0]"},
		{"variable-constant", refs(`"var.y"`, `"aws_b.b"`), `{"y":{"constant_value":1}}`, inModule},
		{"variable-default", refs(`"var.y"`, `"aws_b.b"`), `{}`, inModule},
		{"variable-root", refs(`"var.x"`), `{"x":` + refs(`"var.region"`, `"aws_c.c"`) + `}`, "aws_c.c"},
		{"variable-output", refs(`"var.x"`), `{"x":` + refs(`"module.m[\"k\"].o"`, `"module.m[\"k\"]"`, `"module.m"`) + `}`, inModule},
		{"variable-circle", refs(`"var.x"`), `{"x":` + refs(`"module.m[\"k\"].p"`) + `}`, ""},
		{"region", refs(`"data.aws_region.r.name"`, `"data.aws_region.r"`, `"aws_b.b"`), `{}`, inModule},
		{"data", refs(`"data.aws_d.d.id"`, `"aws_b.b"`), `{}`, ""},
		{"local", refs(`"local.x"`), `{}`, ""},
		{"local-beside", refs(`"aws_b.b"`, `"local.x"`), `{}`, ""},
		{"two", refs(`"var.x"`, `"aws_b.b"`), `{"x":` + refs(`"aws_c.c"`) + `}`, ""},
		{"twice", refs(`"var.x"`, `"var.z"`), `{"x":` + refs(`"aws_c.c"`) + `,"z":` + refs(`"aws_c.c.arn"`) + `}`, "aws_c.c"},
		{"begins-alike", refs(`"var.xy"`, `"var.x"`), `{"xy":` + refs(`"aws_c.c"`) + `,"x":` + refs(`"local.z"`) + `}`, ""},
		{"constant", `{"constant_value":"x"}`, `{}`, ""},
		{"no-text", refs(`1`), `{}`, ""},
		{"no-list", `{"references":"aws_b.b"}`, `{}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, ok := first(t, nested(tt.expression, tt.variables)).Value("v", nil).(*tfplan.Unknown)
			require.True(t, ok)
			got := ""
			if from := u.Source(); from != nil {
				got = from.Address
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestValue(t *testing.T) {
	r := first(t, nested(refs(`"aws_b.b"`), `{}`))
	require.Equal(t, []string{"block", "computed", "inner", "list", "map", "v", "w"}, r.Attributes())
	require.Equal(t, "known", r.Value("w", nil))
	require.Nil(t, r.Value("computed", nil), "the provider's to fill in")
	require.False(t, r.Configured("computed"))
	require.True(t, r.Configured("v"))
	blocks := map[string]bool{"block": true}
	require.IsType(t, &tfplan.Unknown{}, r.Value("block", blocks))
	inner := r.Value("inner", blocks).([]any)[0].(map[string]any)
	require.Len(t, inner, 2, "without what is the provider's to fill in")
	require.IsType(t, &tfplan.Unknown{}, inner["x"])
	require.Equal(t, `module.m["k"].aws_b.b["k"]`, inner["x"].(*tfplan.Unknown).Source().Address)
	require.Nil(t, inner["block"].(*tfplan.Unknown).Source())
	list := r.Value("list", nil).([]any)
	require.Nil(t, list[0])
	require.IsType(t, &tfplan.Unknown{}, list[1])
	require.Equal(t, `module.m["k"].aws_b.b["k"]`, r.Value("map", nil).(map[string]any)["a"].(*tfplan.Unknown).Source().Address)
}

// References that fan out are followed up to a bound.
func TestFollowingIsBounded(t *testing.T) {
	list := strings.Repeat(`"var.x.a","var.x.b",`, 50) + `"var.x"`
	text := `{"root_module":{"resources":[{"address":"aws_c.c","type":"aws_c","name":"c","values":{}}],"child_modules":[`
	config, address, closing := `{"module_calls":`, "", ""
	for i := range 18 { // a module in a module
		if address != "" {
			text += `,"child_modules":[`
		}
		address = strings.TrimPrefix(address+".module.m", ".")
		text += fmt.Sprintf(`{"address":%q,"resources":[{"address":"%s.aws_a.a","type":"aws_a","name":"a","values":{}}]`, address, address)
		expression := refs(list)
		if i == 0 {
			expression = refs(`"aws_c.c"`)
		}
		config += `{"m":{"expressions":{"x":` + expression + `},"module":{"resources":[{"address":"aws_a.a","expressions":{"v":` + refs(list) + `}}],"module_calls":`
		closing += "}}}"
	}
	text += strings.Repeat("}]", 18) + `}}`
	p, err := tfplan.Parse([]byte(`{"format_version":"1.2","planned_values":` + text + `,"configuration":{"root_module":` + config + `{}` + closing + `}},
	"resource_changes":[{"address":"` + address + `.aws_a.a","change":{"after_unknown":{"v":true}}}]}`))
	require.NoError(t, err)
	for _, r := range p.Resources() {
		if u, ok := r.Value("v", nil).(*tfplan.Unknown); ok {
			require.Nil(t, u.Source())
			return
		}
	}
	t.Error("want a value that isn't known")
}

func FuzzParse(f *testing.F) {
	f.Add(nested(refs(`"var.x"`), `{"x":`+refs(`"module.m[\"k\"].o"`)+`}`))
	f.Add(`{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"a.b","values":{"x":[{}]}}]}},"resource_changes":[{"address":"a.b","change":{"after_unknown":{"x":[{"y":true},true]}}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := tfplan.Parse([]byte(text))
		if err != nil {
			require.Nil(t, p)
			return
		}
		for _, r := range p.Resources() {
			for _, attribute := range r.Attributes() {
				if u, ok := r.Value(attribute, nil).(*tfplan.Unknown); ok && u.Source() != nil {
					require.Contains(t, p.Resources(), u.Source())
				}
			}
		}
	})
}
