package definitiontest

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
)

const guarded = `{"apis":[
{"id":"Web","flavor":"HTTP","stages":{"$default":{}},"authorizers":{
	"J":{"type":"JWT","issuer":"https://login.example/","audience":["shop"],"identity_source":["$request.header.Authorization"]},
	"Q":{"type":"JWT","issuer":"https://login.example/","audience":["shop"],"identity_source":["$request.querystring.t"]},
	"S":{"type":"REQUEST","payload_format":"2.0","simple_responses":true,"identity_source":["$request.header.X-Who"],"target":{"kind":"lambda","function":"Simple"}}},
"routes":{
	"GET /jwt":{"auth":{"type":"JWT","authorizer":"J","scopes":["read"]},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Get"}}},
	"GET /query":{"auth":{"type":"JWT","authorizer":"Q"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Get"}}},
	"GET /simple":{"auth":{"type":"CUSTOM","authorizer":"S"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Get"}}}}},
{"id":"Rest","flavor":"REST","stages":{"prod":{}},"authorizers":{
	"P":{"type":"COGNITO_USER_POOLS","providers":["arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abcdefghi"],"identity_source":["method.request.header.Authorization"]},
	"T":{"type":"TOKEN","ttl":0,"target":{"kind":"lambda","function":"Judge"},"identity_source":["method.request.header.Authorization"]},
	"N":{"type":"TOKEN","ttl":0,"target":{"kind":"lambda","function":"Forgotten"},"identity_source":["method.request.header.Authorization"]}},
"routes":{
	"GET /pool":{"auth":{"type":"COGNITO_USER_POOLS","authorizer":"P"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Get"}}},
	"GET /token":{"auth":{"type":"CUSTOM","authorizer":"T"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Get"}}},
	"GET /none":{"auth":{"type":"CUSTOM","authorizer":"N"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Get"}}}}}]}`

func guardedDocument(t *testing.T, apis ...int) *definition.Document {
	t.Helper()
	doc, err := definition.Unmarshal([]byte(guarded))
	require.NoError(t, err)
	all := doc.APIs
	doc.APIs = nil
	for _, i := range apis {
		doc.APIs = append(doc.APIs, all[i])
	}
	return doc
}

// The real authorizers judge tokens that are minted for the case, and what functions are told of
// them is always the same.
func TestClaims(t *testing.T) {
	claims := authtest.Claims{"scope": "read write", "sub": "ann"}
	Suite{
		Document: guardedDocument(t, 0),
		Answers:  map[string]string{"Simple": `{"isAuthorized":true,"context":{"a":"b"}}`},
		Cases: []Case{
			{Request: "GET /jwt", Want: "401", Calls: []Call{}},
			{Name: "admitted", Request: "GET /jwt\nX-A: b", Claims: claims, Want: "200", Calls: []Call{{To: "Get", Told: `{"headers":{"authorization":"Bearer {token}","x-a":"b"},
				"requestContext":{"authorizer":{"jwt":{"claims":{"sub":"ann","iss":"https://login.example/","aud":"shop","iat":"1700000000","exp":"4102444799"},"scopes":["read","write"]}}}}`}}},
			{Name: "other-scope", Request: "GET /jwt", Claims: authtest.Claims{"scope": "write"}, Want: "403"},
			{Name: "other-audience", Request: "GET /jwt", Claims: authtest.Claims{"scope": "read", "aud": "other"}, Want: "401"},
			{Name: "other-issuer", Request: "GET /jwt", Claims: authtest.Claims{"scope": "read", "iss": "https://evil.example/"}, Want: "401"},
			{Name: "expired", Request: "GET /jwt", Claims: authtest.Claims{"scope": "read", "exp": 1_700_000_001}, Want: "401"},
			{Name: "where-it-is", Request: "GET /query?t={token}", Claims: authtest.Claims{}, Want: "200"},
			{Name: "body", Request: "GET /query?t={token}\nContent-Type: text/plain\n\nhi {token}", Claims: authtest.Claims{}, Want: "200", Calls: []Call{{To: "Get", Told: `{"body":"hi {token}","rawQueryString":"t={token}"}`}}},
			{Request: "GET /simple\nX-Who: me", Want: "200", Calls: []Call{{To: "Simple"}, {To: "Get", Told: `{"requestContext":{"authorizer":{"lambda":{"a":"b"}}}}`}}},
		},
	}.Run(t)
	Suite{
		Document: guardedDocument(t, 1),
		Answers:  map[string]string{"Judge": Allow("me", map[string]any{"plan": "gold"})},
		Cases: []Case{
			{Request: "GET /prod/pool", Want: "401"},
			{Name: "pool", Request: "GET /prod/pool", Claims: authtest.Claims{"token_use": "id"}, Want: "200"},
			{Request: "GET /prod/token\nAuthorization: x", Want: "200", Calls: []Call{{To: "Judge"}, {To: "Get", Told: `{"requestContext":{"authorizer":{"principalId":"me","plan":"gold"}}}`}}},
			{Request: "GET /prod/none\nAuthorization: x", Want: "500"},
		},
	}.Run(t)
	Suite{
		Document: guardedDocument(t, 1), Answers: map[string]string{"Judge": Deny("me")},
		Cases: []Case{{Request: "GET /prod/token\nAuthorization: x", Want: "403"}},
	}.Run(t)
}

// A case names its API where there are several.
func TestSeveralAPIs(t *testing.T) {
	doc := guardedDocument(t, 0, 1)
	Suite{Document: doc, Answers: map[string]string{"Judge": Allow("me", nil)}, Cases: []Case{
		{API: "Web", Request: "GET /jwt", Claims: authtest.Claims{"scope": "read", "iss": "https://login.example/"}, Want: "200"},
		{API: "Rest", Request: "GET /prod/token\nAuthorization: x", Want: "200"},
		{Request: "GET /prod/token\nAuthorization: x\nHost: " + doc.APIs[1].Identifier() + ".execute-api.localhost", Want: "200"},
	}}.Run(t)
	r, err := request("GET /")
	require.NoError(t, err)
	require.EqualError(t, choose(doc, "", r), `want one of ["Web" "Rest"], or a header Host in Request, got ""`)
	require.EqualError(t, choose(doc, "web", r), `want one of ["Web" "Rest"], or a header Host in Request, got "web"`)
	require.NoError(t, choose(guardedDocument(t, 0), "", r))
	require.Equal(t, defaultHost, r.Host)
}

// Bound issuers stay as they are bound.
func TestIssuersThatAreBound(t *testing.T) {
	iss := authtest.NewIssuer(t)
	token := iss.Mint(authtest.Claims{"aud": "shop", "scope": "read"})
	for _, b := range []definition.Bindings{
		{Issuers: map[string]definition.IssuerBinding{"https://login.example/": {URL: iss.URL()}}},
		{OtherIssuer: func(definition.Ref) (definition.IssuerBinding, bool) {
			return definition.IssuerBinding{URL: iss.URL()}, true
		}},
	} {
		Suite{Document: guardedDocument(t, 0), Bindings: b, Cases: []Case{{Name: "own", Request: "GET /jwt\nAuthorization: Bearer " + token, Want: "200"}}}.Run(t)
	}
}

func TestWhatCannotBeMinted(t *testing.T) {
	s := newTokens(t, guardedDocument(t, 0))
	_, _, err := s.request(Case{Claims: authtest.Claims{}})
	require.ErrorContains(t, err, "the document has no issuer that isn't bound")
	s.issuers = map[string]bool{"https://a": true, "https://b": true}
	_, _, err = s.request(Case{Claims: authtest.Claims{}})
	require.ErrorContains(t, err, `want iss, as the document has several: ["https://a" "https://b"]`)
	_, token, err := s.request(Case{Claims: authtest.Claims{"iss": "https://b"}})
	require.NoError(t, err)
	require.NotEmpty(t, token)
	require.Panics(t, func() { Allow("me", map[string]any{"x": math.NaN()}) })
}

// A message says what the gateway refused a request for, and a misspelled name what names there are.
func TestMessages(t *testing.T) {
	s := &stubs{answers: map[string]string{"Judge": Allow("me", nil), "Jugde": "{}"}}
	g, err := definition.Build(t.Context(), guardedDocument(t, 1), newTokens(t, nil).bind(s.bind(definition.Bindings{})))
	require.NoError(t, err)
	t.Cleanup(func() { _ = g.Close() })
	require.EqualError(t, s.checkAnswers(), `definitiontest: Answers["Jugde"]: want the name of a stub: ["Forgotten" "Get" "Judge"]`)
	r, err := request("GET /prod/none\nAuthorization: x")
	require.NoError(t, err)
	r = gatekit.Explained(r)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	text := why(g, r, answerOf(w), s.take(""))
	require.Contains(t, text, `the authorizer's function Forgotten wants Answers["Forgotten"], such as Allow or Deny`)
	require.Contains(t, text, "refused: gatekit: AUTHORIZER_CONFIGURATION_ERROR: auth: the authorizer function failed\n")
	require.Contains(t, text, "3 of 3 routes served")
	require.Contains(t, text, "authorizer    failed")
	require.True(t, json.Valid([]byte(Deny("me"))))
}
