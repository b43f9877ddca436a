package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

const keyed = `"api_key_required":true`

// withPlans adds plans and keys to a document of one API.
func withPlans(doc, plans, keys string) string {
	return strings.TrimSuffix(doc, "}") + `,"usage_plans":{` + plans + `},"api_keys":{` + keys + `}}`
}

const forbidden = `403 {"message":"Forbidden"}`

func TestKeysAndPlans(t *testing.T) {
	text := withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed)+","+calls("GET /open", `{"type":"NONE"}`), `"stages":{"prod":{},"dev":{}}`),
		`"Nested/Gold":{"name":"Gold","stages":[{"api":"Api","stage":"prod","throttle":{"/a/GET":{"rate":0.001,"burst":2}}}],"keys":["K","Off","NoValue"]},
		 "Quota":{"stages":[{"api":"Api","stage":"prod"}],"quota":{"limit":1,"period":"DAY"},"keys":["Q"]}`,
		`"K":{"enabled":true,"value":"`+keyValue+`"},"Q":{"enabled":true},"Off":{"enabled":false,"value":"disabled-disabled-xx"},"NoValue":{"enabled":true},
		 "InNone":{"enabled":true,"value":"in-no-plan-in-no-plan"}`)
	g := build(t, text, definition.Bindings{Functions: functions("F"), Keys: map[string]string{"Q": "quota-quota-quota-qq"}})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/open"))
	require.Equal(t, forbidden, ask(g, "GET", "/prod/a"))
	require.Equal(t, forbidden, ask(g, "GET", "/dev/a", "X-Api-Key: "+keyValue), "a stage that the plan doesn't cover")
	for range 2 {
		require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	}
	require.Equal(t, `429 {"message":"Too Many Requests"}`, ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X-Api-Key: quota-quota-quota-qq"))
	require.Equal(t, `429 {"message":"Limit Exceeded"}`, ask(g, "GET", "/prod/a", "X-Api-Key: quota-quota-quota-qq"))
	for _, key := range []string{"disabled-disabled-xx", "in-no-plan-in-no-plan", "nobody-nobody-nobody"} {
		require.Equal(t, forbidden, ask(g, "GET", "/prod/a", "X-Api-Key: "+key), key)
	}
	unbound := g.Report().Of(definition.Unbound)
	require.Len(t, unbound, 1)
	require.Equal(t, "nothing says the value of the API key NoValue: nobody has it", unbound[0].What)
	require.Contains(t, unbound[0].Do, `Bindings.Keys["NoValue"]`)
}

func TestKeyFromAuthorizer(t *testing.T) {
	text := withPlans(apiOf("REST", calls("GET /a", `{"type":"CUSTOM","authorizer":"J"}`, keyed),
		`"api_key_source":"AUTHORIZER","authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"}}}`),
		`"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K"]}`, `"K":{"enabled":true,"value":"`+keyValue+`"}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": &judge{}}})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "Authorization: yes"))
}

// A plan that can't be built closes its stages, not others.
func TestPlanThatCannotBe(t *testing.T) {
	for name, plan := range map[string]string{
		"quota":    `"stages":[{"api":"Api","stage":"prod"}],"quota":{"limit":1,"period":"YEAR"}`,
		"throttle": `"stages":[{"api":"Api","stage":"prod"}],"throttle":{"rate":-7,"burst":1}`,
		"method":   `"stages":[{"api":"Api","stage":"prod","throttle":{"GET /a":{"rate":1,"burst":1}}}]`,
		"unknown":  `"stages":[{"api":"Api","stage":"prod"}],"description":"` + definition.Unknown("parameter X") + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			text := withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed)+","+calls("GET /open", `{"type":"NONE"}`), `"stages":{"prod":{},"dev":{}}`),
				`"Bad":{`+plan+`,"keys":["K"]},"Good":{"stages":[{"api":"Api","stage":"dev"}],"keys":["K"]}`, `"K":{"enabled":true,"value":"`+keyValue+`"}`)
			g := build(t, text, definition.Bindings{Functions: functions("F")})
			require.Contains(t, ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue), "500")
			require.Equal(t, "200 F", ask(g, "GET", "/dev/a", "X-Api-Key: "+keyValue))
			require.Equal(t, "200 F", ask(g, "GET", "/prod/open"))
			require.Len(t, g.Report().Of(definition.Unsupported, definition.UnknownValue), 2, "the plan, and its route: %s", g.Report())
		})
	}
}

func TestOddKeys(t *testing.T) {
	text := withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed), ""),
		`"A":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K","Gone"]},"B":{"stages":[{"api":"Api","stage":"prod"},{"api":"Other","stage":"x"}],"keys":["K"]}`,
		`"K":{"enabled":true,"value":"`+keyValue+`"},"Same":{"enabled":true,"value":"`+keyValue+`"},"Short":{"enabled":true,"value":"short"}`)
	g := build(t, text, definition.Bindings{Functions: functions("F")})
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	require.Equal(t, forbidden, ask(g, "GET", "/prod/a", "X-Api-Key: short"))
	var what []string
	for _, f := range g.Report().Findings {
		what = append(what, string(f.Severity)+": "+f.What)
	}
	require.Equal(t, []string{
		"unsupported: the API keys K and Same have the same value",
		"unsupported: the API key Short can't be used, and is refused: usageplan: NewKey.Value: API Key value should be at least 20 characters",
		"unsupported: the API key K is in the usage plans A and B of one stage: it goes by the first",
		"warning: the usage plan A has the key Gone, which isn't in the document",
		"warning: the usage plan B covers the API Other, which isn't in the document",
	}, what)
}

// The store outlives the Gateway: quotas go on, and what the document says counts.
func TestPlanStore(t *testing.T) {
	store, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	doc := func(key string) string {
		return withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed), ""),
			`"P":{"stages":[{"api":"Api","stage":"prod"}],"quota":{"limit":2,"period":"MONTH"},"keys":["K"]}`, `"K":`+key)
	}
	b := definition.Bindings{Strict: true, Functions: functions("F"), PlanStore: store}
	first := build(t, doc(`{"enabled":true,"value":"`+keyValue+`"}`), b)
	require.Equal(t, "200 F", ask(first, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	second := build(t, doc(`{"enabled":true,"value":"`+keyValue+`"}`), b)
	require.Equal(t, "200 F", ask(second, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	require.Equal(t, `429 {"message":"Limit Exceeded"}`, ask(second, "GET", "/prod/a", "X-Api-Key: "+keyValue))
	third := build(t, doc(`{"enabled":true,"value":"another-value-another"}`), b)
	require.Equal(t, forbidden, ask(third, "GET", "/prod/a", "X-Api-Key: "+keyValue), "the document has another value")
	require.Equal(t, `429 {"message":"Limit Exceeded"}`, ask(third, "GET", "/prod/a", "X-Api-Key: another-value-another"),
		"it is known, and its quota goes on")
	fourth := build(t, strings.Replace(doc(`{"enabled":true,"value":"another-value-another"}`), `"keys":["K"]`, `"keys":[]`, 1), b)
	require.Equal(t, forbidden, ask(fourth, "GET", "/prod/a", "X-Api-Key: another-value-another"), "it is in no plan of this document")
	require.NoError(t, third.Update(t.Context(), parse(t, doc(`{"enabled":false,"value":"another-value-another"}`))))
	require.Equal(t, forbidden, ask(third, "GET", "/prod/a", "X-Api-Key: another-value-another"))
}

// A key or a plan that the document has no more is worth nothing any more.
func TestPlansGo(t *testing.T) {
	api := apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed), "")
	const plan, key = `"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K"]}`, `"K":{"enabled":true,"value":"` + keyValue + `"}`
	for name, next := range map[string]string{
		"key": withPlans(api, plan, ""), "plan": withPlans(api, "", key), "both": api, "value": withPlans(api, plan, strings.Replace(key, keyValue, "another-value-another", 1)),
		"stage": withPlans(api, strings.Replace(plan, `"prod"`, `"dev"`, 1), key),
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, withPlans(api, plan, key), definition.Bindings{Functions: functions("F")})
			require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
			require.NoError(t, g.Update(t.Context(), parse(t, next)))
			require.Equal(t, forbidden, ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
			require.NoError(t, g.Update(t.Context(), parse(t, withPlans(api, plan, key))))
			require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "X-Api-Key: "+keyValue))
		})
	}
}
