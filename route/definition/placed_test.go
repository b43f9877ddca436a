package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

const tokenAuthorizer = `"authorizers":{"J":{"type":"TOKEN","target":{"kind":"lambda","function":"J"},"identity_source":["method.request.header.Authorization"]}}`

func judged() definition.Bindings {
	return definition.Bindings{Functions: map[string]gatekit.Invoker{"F": fn("F"), "J": &judge{}}}
}

// A route that isn't for everybody and has no place among the others isn't answered by an open one
// that matches its requests.
func TestProtectedRouteWithoutPlace(t *testing.T) {
	for _, key := range []string{"GET /adm/" + definition.Unknown("P"), "GET /adm/{x}y", "GET /adm/x y", "GET /adm/x/", "get /adm/x", "TRACE /adm/x"} {
		for rest, route := range map[string]string{
			"authorizer": calls(key, `{"type":"CUSTOM","authorizer":"J"}`), "key": calls(key, `{"type":"NONE"}`, keyed), "said by nobody": calls(key, `{"type":""}`),
		} {
			t.Run(key+" "+rest, func(t *testing.T) {
				g := build(t, apiOf("REST", route+","+calls("ANY /{proxy+}", `{"type":"NONE"}`), tokenAuthorizer), judged())
				for _, path := range []string{"/prod/adm/x", "/prod/adm/xy", "/prod/adm/x%20y", "/prod/adm/x/"} {
					require.NotContains(t, ask(g, "GET", path), "200", path)
				}
				require.NotContains(t, ask(g, "TRACE", "/prod/adm/x"), "200")
				served, all := g.Report().Served()
				require.Equal(t, []int{0, 2}, []int{served, all}, "%s", g.Report())
			})
		}
	}
	g := build(t, apiOf("REST", calls("GET /adm/x/", `{"type":"NONE"}`)+","+calls("GET /b", `{"type":"NONE"}`), ""), judged())
	require.Equal(t, "200 F", ask(g, "GET", "/prod/b"), "one that is for everybody closes nothing")
}

// Of two routes that match the same requests the stricter is served.
func TestTwins(t *testing.T) {
	const a = `"authorizers":{"J":{"type":"REQUEST","payload_format":"2.0","target":{"kind":"lambda","function":"J"},"identity_source":["$request.header.Authorization"]}}`
	const open, shut = `{"type":"NONE"}`, `{"type":"CUSTOM","authorizer":"J"}`
	for name, routes := range map[string]string{
		"open first":      calls("GET /a/{x}", open) + "," + calls("GET /a/{y}", shut),
		"protected first": calls("GET /a/{x}", shut) + "," + calls("GET /a/{y}", open),
		"spelled":         calls("GET /a/%31", open) + "," + calls("GET /a/1", shut),
		"both":            calls("GET /a/{x}", shut) + "," + calls("GET /a/{y}", shut),
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t, apiOf("HTTP", routes, a), judged())
			require.NotContains(t, ask(g, "GET", "/a/1"), "200", "%s", g.Report())
			require.NotEmpty(t, g.Report().Of(definition.Unsupported))
		})
	}
}

// What isn't known to be a public endpoint isn't served in public.
func TestEndpointTypes(t *testing.T) {
	for kind, want := range map[string]string{
		definition.Unknown("Kind"): "500", "PRIVATE": "500", "private": "500", "Private": "500", "": "500", "VPC": "500",
		"REGIONAL": "200", "edge": "200", `EDGE","PRIVATE`: "500",
	} {
		text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"endpoint_types":["`+kind+`"]`)
		require.Contains(t, ask(build(t, text, judged()), "GET", "/prod/a"), want, kind)
		b := judged()
		b.ServePrivate = true
		require.Equal(t, "200 F", ask(build(t, text, b), "GET", "/prod/a"), kind)
	}
}

// A route of which nobody knows what it calls has its place all the same.
func TestRouteWithoutIntegration(t *testing.T) {
	for _, auth := range []string{`{"type":"NONE"}`, `{"type":"JWT","authorizer":"Gone"}`} {
		g := build(t, apiOf("HTTP", `"GET /a":{"auth":`+auth+`},`+calls("$default", `{"type":"NONE"}`), ""), judged())
		require.Contains(t, ask(g, "GET", "/a"), "500")
		require.Equal(t, "200 F", ask(g, "GET", "/b"))
	}
}

// Strict takes what a reader says of a protection that is none.
func TestStrictOfReadersFindings(t *testing.T) {
	text := strings.TrimSuffix(apiOf("REST", calls("GET /a", `{"type":"NONE"}`), ""), "}") +
		`,"findings":[{"severity":"unprotected","api":"Api","what":"the scheme has no authorizer: everybody may call"}]}`
	g := build(t, text, judged())
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a"))
	require.Contains(t, g.Report().String(), "unprotected")
	b := judged()
	b.Strict = true
	_, err := definition.Build(t.Context(), parse(t, text), b)
	require.ErrorContains(t, err, "everybody may call")
}
