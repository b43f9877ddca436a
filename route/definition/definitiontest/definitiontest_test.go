package definitiontest

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

var update = flag.Bool("update", false, "write the golden files anew")

const shop = `{"apis":[{"id":"Shop","flavor":"REST","routes":{
	"GET /pets/{id}":{"auth":{"type":"CUSTOM","authorizer":"A"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Get","qualifier":"live"}}},
	"GET /http":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"http","uri":"https://backend.example/x"}}},
	"POST /queue":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","target":{"kind":"service","service":"sqs","path":"1/q"},
		"request_templates":{"application/json":"Action=SendMessage&MessageBody=$input.body"},"responses":[{"status":"202"}]}},
	"GET /gone":{"auth":{"type":"CUSTOM","authorizer":"Gone"},"integration":{"type":"MOCK","target":{"kind":"mock"}}}},
	"authorizers":{"A":{"type":"TOKEN","target":{"kind":"lambda","function":"Judge"},"ttl":0}},
	"stages":{"prod":{"variables":{"a":"b"}}}}]}`

const allow = `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}}`

func document(t *testing.T) *definition.Document {
	t.Helper()
	doc, err := definition.Unmarshal([]byte(shop))
	require.NoError(t, err)
	return doc
}

func TestSuite(t *testing.T) {
	Suite{
		Document: document(t),
		Answers:  map[string]string{"Judge": allow, "https://backend.example/x": `{"statusCode":203,"headers":{"X-Back":"1"},"body":"back"}`},
		Cases: []Case{
			{Request: "GET /prod/pets/7", Want: "401\nContent-Type: application/json\n\n{\"message\":\"Unauthorized\"}", Calls: []Call{}},
			{Request: "GET /prod/pets/7?a=1\nAuthorization: t\nX-A: b", Want: "200\n\nGet:live", Calls: []Call{
				{To: "Judge", Told: `{"type":"TOKEN","authorizationToken":"t"}`},
				{To: "Get:live", Told: `{"pathParameters":{"id":"7"},"stageVariables":{"a":"b"},"headers":{"X-A":"b"},"requestContext":{"authorizer":{"principalId":"me"}}}`}}},
			{Name: "http", Request: "GET /prod/http", Want: "203\nX-Back: 1\n\nback", Calls: []Call{{To: "https://backend.example/x", Told: `{"method":"GET","url":"https://backend.example/x"}`}}},
			{Request: "POST /prod/queue\nContent-Type: application/json\n\nhi", Want: "202", Calls: []Call{{To: "sqs:1/q", Told: `{"body":"Action=SendMessage&MessageBody=hi"}`}}},
			{Request: "GET /prod/gone\nHost: other.example", Want: "500", Calls: []Call{}},
		},
		Golden: "testdata/shop.txt", Update: *update,
	}.Run(t)
}

// What isn't as it is wanted is told.
func TestChecks(t *testing.T) {
	got := answer{200, map[string][]string{"X-A": {"1", "2"}}, "body"}
	for want, mistake := range map[string]string{
		"": "", "200": "", "200\nX-A: 2": "", "200\n\nbody": "", "200\nX-A: 1\n\nbody": "",
		"201": "want status 201", "200\nX-A: 3": `want the header "X-A: 3"`, "200\n\nother": `want the body "other"`, "200\n\n": `want the body ""`,
	} {
		if err := got.check(want); mistake == "" {
			require.NoError(t, err, want)
		} else {
			require.ErrorContains(t, err, mistake, want)
		}
	}
	calls := []call{{to: "F", told: `{"a":{"b":[1,{"c":2}]},"d":null}`}}
	for _, tt := range []struct {
		want    []Call
		mistake string
	}{
		{nil, ""}, {[]Call{{To: "F"}}, ""}, {[]Call{{To: "F", Told: `{"a":{"b":[1,{"c":2}]}}`}}, ""}, {[]Call{{To: "F", Told: `{"d":null}`}}, ""},
		{[]Call{}, "want 0 calls, got 1"}, {[]Call{{To: "G"}}, `want one to "G", got "F"`}, {[]Call{{To: "F", Told: `{"x":1}`}}, "want a member .x"},
		{[]Call{{To: "F", Told: `{"a":{"b":[2]}}`}}, "want 2 at a.b[0], got 1"}, {[]Call{{To: "F", Told: `{"a":[]}`}}, "want [] at a"},
		{[]Call{{To: "F", Told: `{"a":{"b":[1,2,3]}}`}}, "want [1 2 3] at a.b"}, {[]Call{{To: "F", Told: `{`}}, "Told: unexpected end"},
	} {
		if err := checkCalls(calls, tt.want); tt.mistake == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, tt.mistake)
		}
	}
}

func TestRequest(t *testing.T) {
	r, err := request("POST http://api.example/x?y=1\nX-A: b\n\nbody")
	require.NoError(t, err)
	require.Equal(t, []any{"POST", "api.example", "y=1", "b", int64(4)}, []any{r.Method, r.Host, r.URL.RawQuery, r.Header.Get("X-A"), r.ContentLength})
	for _, text := range []string{"", "GET", "GET / x", "GET /\nno header", "GET /\n: x", "G@T /%zz"} {
		_, err := request(text)
		require.Error(t, err, text)
	}
}
