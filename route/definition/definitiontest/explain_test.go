package definitiontest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

const explained = `{"apis":[{"id":"Shop","flavor":"REST","routes":{
	"GET /pets/{id}":{"auth":{"type":"CUSTOM","authorizer":"A"},"api_key_required":true,"request_parameters":{"method.request.querystring.q":true},
		"validator":{"parameters":true},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Get"}}},
	"GET /open":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Open"}}}},
	"authorizers":{"A":{"type":"TOKEN","target":{"kind":"lambda","function":"Judge"},"ttl":0}},
	"gateway_responses":{"UNAUTHORIZED":{"status":"401"}},
	"stages":{"prod":{"variables":{"a":"b"},"method_settings":[{"path":"/*","method":"*","rate":10,"burst":1},{"path":"/other","method":"GET","rate":1,"burst":1}]}}}],
	"usage_plans":{"Gold":{"name":"gold","stages":[{"api":"Shop","stage":"prod"}],"quota":{"limit":5,"period":"DAY"}}}}`

func explainedDocument(t *testing.T) *definition.Document {
	t.Helper()
	doc, err := definition.Unmarshal([]byte(explained))
	require.NoError(t, err)
	return doc
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// A route is told with all that the document puts on it, in order.
func TestExplainRoute(t *testing.T) {
	got, err := ExplainRoute(explainedDocument(t), "Shop", "GET /pets/{id}")
	require.NoError(t, err)
	golden(t, "testdata/route.txt", got)
	require.NotContains(t, got, "/other")

	_, err = ExplainRoute(explainedDocument(t), "Shop", "GET /pet/{id}")
	require.ErrorContains(t, err, `the nearest are "GET /pets/{id}", "GET /open"`)
	_, err = ExplainRoute(explainedDocument(t), "Shep", "GET /open")
	require.ErrorContains(t, err, `want an API's ID, got "Shep"; the nearest are "Shop"`)
}

// A request is told with what each station said, and its route.
func TestExplainRequest(t *testing.T) {
	s := Suite{Document: explainedDocument(t), Answers: map[string]string{"Judge": allow}}
	golden(t, "testdata/served.txt", s.Explain(t, "GET /prod/open"))
	golden(t, "testdata/noroute.txt", s.Explain(t, "GET /prod/pet/7"))
	got := s.Explain(t, "GET /prod/pets/7?q=1\nAuthorization: t")
	require.Contains(t, got, "answered 403\nGET /pets/{id} of stage prod: 403, refused by key: want one x-api-key header\n")
	require.Contains(t, got, "\nGET /pets/{id} of REST API Shop\n")
}
