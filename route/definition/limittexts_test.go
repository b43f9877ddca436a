package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

// A limit whose number nobody knows isn't left out: what it limits refuses, until a program says the
// number.
func TestUnknownLimit(t *testing.T) {
	key := calls("GET /a", `{"type":"NONE"}`, `"api_key_required":true`)
	plan := func(members string) string {
		return strings.TrimSuffix(apiOf("REST", key, `"stages":{"prod":{}}`), "}") + `,"api_keys":{"K":{"enabled":true,"value":"0123456789abcdefghij"}},
			"usage_plans":{"P":{"keys":["K"],` + members + `}}}`
	}
	for _, tt := range []struct{ name, text string }{
		{"stage", apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"throttle":{"rate":1,"burst_text":"LIMIT"}}}`)},
		{"route", apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"route_throttle":{"GET /a":{"rate":0.001,"burst_text":"LIMIT"}}}}`)},
		{"method", apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"method_settings":[{"path":"/a","method":"GET","rate":0.001,"burst_text":"LIMIT"}]}}`)},
		{"rate", apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"method_settings":[{"path":"/*","method":"*","rate_text":"LIMIT","burst":1}]}}`)},
		{"plan", plan(`"stages":[{"api":"Api","stage":"prod"}],"throttle":{"rate":0.001,"burst_text":"LIMIT"}`)},
		{"plan-method", plan(`"stages":[{"api":"Api","stage":"prod","throttle":{"/a/GET":{"rate_text":"LIMIT"}}}]`)},
		{"quota", plan(`"stages":[{"api":"Api","stage":"prod"}],"quota":{"limit":0,"limit_text":"LIMIT","period":"MONTH"}`)},
		{"quota-offset", plan(`"stages":[{"api":"Api","stage":"prod"}],"quota":{"limit":2,"offset_text":"LIMIT","period":"MONTH"}`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for text, want := range map[string]string{
				definition.Unknown("Lookup.X"): "500", "many": "500", "": "500", "NaN": "500", "1": "200", " 1 ": "200",
			} {
				g := build(t, strings.Replace(tt.text, "LIMIT", text, 1), judged())
				got := ask(g, "GET", "/prod/a", "X-Api-Key: 0123456789abcdefghij")
				require.Equal(t, want, got[:3], "%q: %s\n%s", text, got, g.Report())
			}
		})
	}
}
