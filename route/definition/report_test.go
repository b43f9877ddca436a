package definition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

// A report tells where in which template a person has to look, and keeps its form whatever a
// document says.
func TestReport(t *testing.T) {
	g := build(t, `{"apis":[{"id":"Shop","flavor":"REST","origin":{"template":"shop.yaml","logical_id":"Shop","line":3},
		"minimum_compression_size":0,"stages":{"prod":{"access_log":"$context.requestId"}},"routes":{
		"GET /a":{"auth":{"type":"CUSTOM","authorizer":"T"},"origin":{"path":"/paths/~1a/get","line":40},"integration":{"type":"MOCK","target":{"kind":"mock"}}},
		"GET /b":{"auth":{"type":"AWS_IAM"},"integration":{"type":"MOCK","target":{"kind":"mock"},"responses":[{"status":"200"}]}},
		"GET /c":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","origin":{"line":77},"target":{"kind":"lambda","function":"Fn"}}},
		"GET /d":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},"responses":[{"status":"200"}]}}},
		"authorizers":{"T":{"type":"TOKEN","identity_validation":"a\n\tb(","origin":{"logical_id":"Auth","line":12},"target":{"kind":"lambda","function":"F"}}}}],
		"findings":[{"severity":"warning","api":"Shop","what":"Reference to model 'X' not found. Ignoring."},{"severity":"ignored","what":"tags have no effect"}]}`,
		definition.Bindings{Functions: functions("F", "Shop/Other")})
	golden(t, "report.txt", []byte(g.Report().String()))
	require.Len(t, g.Report().Of(definition.Ignored), 1)
	long := definition.Report{Findings: []definition.Finding{{Severity: definition.Warning, What: strings.Repeat("ä", 1000)}}}
	require.Less(t, len(long.String()), 600)
	report := g.Report()
	report.Findings[0].What, report.Routes[0].Route = "changed", "changed"
	require.NotEqual(t, "changed", g.Report().Findings[0].What, "a report is the caller's own")
	require.NotEqual(t, "changed", g.Report().Routes[0].Route)
}

func TestNoDifferences(t *testing.T) {
	doc := parse(t, apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"$default":{"access_log":"$context.requestId"}}`))
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Functions: functions("F"), Strict: true})
	require.NoError(t, err)
	require.NoError(t, g.Close())
	_, err = definition.Build(t.Context(), doc, definition.Bindings{Functions: functions("F"), NoDifferences: true})
	require.ErrorContains(t, err, "the access log of stage $default goes to the Logger, as records")
}

func TestOrigin(t *testing.T) {
	for want, o := range map[string]definition.Origin{
		"": {}, "a.yaml": {Template: "a.yaml"}, "a.yaml:7": {Template: "a.yaml", Line: 7}, "line:7": {Line: 7},
		"a.yaml:7 Api /paths/~1a": {Template: "a.yaml", Line: 7, LogicalID: "Api", Path: "/paths/~1a"}, "Api": {LogicalID: "Api"},
	} {
		require.Equal(t, want, o.String())
	}
}
