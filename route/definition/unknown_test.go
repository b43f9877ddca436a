package definition_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

// A value that nobody knows is in the report, wherever it is, and no client is sent its mark.
func TestUnknownElsewhere(t *testing.T) {
	u := definition.Unknown("Custom::Lookup.X")
	for flavor, cases := range map[string]map[string]string{
		"REST": {
			"header":          `"gateway_responses":{"DEFAULT_4XX":{"parameters":{"gatewayresponse.header.A":"'` + u + `'"}}}`,
			"template":        `"gateway_responses":{"DEFAULT_4XX":{"templates":{"application/json":"` + u + `"}}}`,
			"status":          `"gateway_responses":{"DEFAULT_4XX":{"status":"` + u + `"}}`,
			"binary":          `"binary_media_types":["image/png","` + u + `"]`,
			"security policy": `"security_policy":"` + u + `"`,
			"access mode":     `"endpoint_access_mode":"` + u + `"`,
		},
		"HTTP": {
			"origins": `"cors":{"origins":["` + u + `"]}`, "headers": `"cors":{"origins":["https://a.example"],"headers":["` + u + `"]}`,
		},
	} {
		for name, more := range cases {
			t.Run(name, func(t *testing.T) {
				text := apiOf(flavor, calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{}},`+more)
				g := build(t, text, judged())
				require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
				require.Len(t, g.Report().Of(definition.UnknownValue), 1, "%s", g.Report())
				for _, r := range []*http.Request{httptest.NewRequest("GET", "/prod/nothing", nil), httptest.NewRequest("OPTIONS", "/prod/a", nil)} {
					r.Header.Set("Origin", "https://a.example")
					w := httptest.NewRecorder()
					g.ServeHTTP(w, r)
					require.NotContains(t, w.Body.String(), "unknown: ")
					for _, values := range w.Header() {
						require.NotContains(t, values[0], "unknown: ")
					}
				}
				b := judged()
				b.Strict = true
				_, err := definition.Build(t.Context(), parse(t, text), b)
				require.ErrorContains(t, err, "Custom::Lookup.X")
			})
		}
	}
}
