package selector_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/selector"
)

func parsed(t testing.TB, text string) *selector.Selector {
	t.Helper()
	s, err := in(allForms...).Parse(text)
	require.NoError(t, err)
	return &s
}

// message is a request to a route of a REST API, and an answer to it.
func message() *selector.Message {
	r := httptest.NewRequest("POST", "http://api.example.com/pets/a%2Fb?one=1&two=a&two=b+c&semi=x;hidden=y&bad=%zz&sp%61ce=z", nil)
	r.Header = http.Header{"One": {"1"}, "Two": {"a", "b"}, "Empty": {""}, "X-Api-Key": {"k"}}
	rc, r := gatekit.Attach(r)
	rc.API = &gatekit.API{Flavor: gatekit.REST, Stage: "prod", Variables: map[string]string{"env": "test", "empty": ""}}
	rc.Route = &gatekit.Route{Key: "POST /pets/{id}"}
	return &selector.Message{
		Context: rc, Request: r, Header: http.Header{"One": {"answer"}, "Host": {"h"}}, Status: 201,
		Body: []byte(`{"s":"x","n":1.50,"o":{"a": [1, 2]},"null":null,"t":true,"e":""}`),
	}
}

// none is what stands for a value that isn't there, ambiguous for one that Only refuses.
const none, ambiguous = "<none>", "<ambiguous>"

func TestValues(t *testing.T) {
	m := message()
	for _, tt := range []struct{ text, last, joined, only string }{
		{"method.request.header.one", "1", "1", "1"},
		{"method.request.header.two", "b", "a,b", ambiguous},
		{"method.request.multivalueheader.two", "a,b", "a,b", ambiguous},
		{"method.request.header.empty", "", "", ""},
		{"method.request.header.none", none, none, ""},
		{"method.request.header.host", "api.example.com", "api.example.com", "api.example.com"},
		{"request.header.Host", "api.example.com", "api.example.com", "api.example.com"},
		{"response.header.host", "h", "h", "h"},
		{"integration.response.header.one", "answer", "answer", "answer"},
		{"integration.response.header.two", none, none, ""},
		{"integration.response.statuscode", "201", "201", "201"},
		{"method.request.querystring.one", "1", "1", "1"},
		{"method.request.querystring.two", "b c", "a,b c", ambiguous},
		{"method.request.multivaluequerystring.two", "a,b c", "a,b c", ambiguous},
		{"method.request.querystring.none", none, none, ""},
		{"method.request.querystring.space", "z", "z", "z"},
		{"method.request.querystring.bad", "%zz", "%zz", ambiguous},
		{"method.request.querystring.semi", "x", "x", "x;hidden=y"},
		{"method.request.querystring.hidden", "y", "y", ""},
		{"request.querystring.semi", "x;hidden=y", "x;hidden=y", "x;hidden=y"},
		{"request.querystring.hidden", none, none, ""},
		{"method.request.path.id", "a/b", "a/b", "a/b"},
		{"method.request.path.other", none, none, ""},
		{"request.path", "/pets/a%2Fb", "/pets/a%2Fb", "/pets/a%2Fb"},
		{"request.body", string(m.Body), string(m.Body), string(m.Body)},
		{"request.body.s", "x", "x", "x"},
		{"request.body.n", "1.50", "1.50", "1.50"},
		{"request.body.o", `{"a":[1,2]}`, `{"a":[1,2]}`, `{"a":[1,2]}`},
		{"request.body.o.a[*]", `[1,2]`, `[1,2]`, `[1,2]`},
		{"request.body.t", "true", "true", "true"},
		{"request.body.e", "", "", ""},
		{"request.body.null", none, none, ""},
		{"request.body.missing", none, none, ""},
		{"context.stage", "prod", "prod", "prod"},
		{"context.identity.apiKey", none, none, ""}, // what a client merely sent is no key to a mapping
		{"context.error.message", none, none, ""},
		{"stageVariables.env", "test", "test", "test"},
		{"stageVariables.empty", "", "", ""},
		{"stageVariables.none", none, none, ""},
		{"'text'", "text", "text", "text"},
	} {
		t.Run(strings.NewReplacer("[", "-", "]", "-", "'", "").Replace(tt.text), func(t *testing.T) {
			s := parsed(t, tt.text)
			of := func(value string, ok bool) string {
				if !ok {
					require.Empty(t, value)
					return none
				}
				return value
			}
			require.Equal(t, tt.last, of(s.Last(m)), "last")
			require.Equal(t, tt.joined, of(s.Joined(m)), "joined")
			value, ok := s.Only(m)
			if !ok {
				require.Empty(t, value)
				value = ambiguous
			}
			require.Equal(t, tt.only, value, "only")
		})
	}
}

// What there is nothing of is none, and no panic: a request outside a gateway, an empty message, a
// body that is no JSON.
func TestEmptyMessages(t *testing.T) {
	m := &selector.Message{Request: &http.Request{URL: &url.URL{}}}
	for _, text := range corpus() {
		s, err := in(allForms...).Parse(text)
		if err != nil || s.Kind == selector.Literal {
			continue
		}
		value, found := s.Last(m)
		require.True(t, !found || s.Kind == selector.Context, "%s: %q", text, value)
		_, found = s.Joined(m)
		require.True(t, !found || s.Kind == selector.Context, text)
	}
	_, found := (&selector.Selector{}).Last(m)
	require.False(t, found, "the zero selector")
	m.Body = []byte("no JSON")
	_, found = parsed(t, "request.body.a").Joined(m)
	require.False(t, found)
	m.Body = []byte(`{"a":"\uD800"}`)
	_, found = parsed(t, "request.body.a").Joined(m)
	require.True(t, found, "half a character is replaced")
}

// An identity source may be what the request carries: a key that no plan has looked at yet. One
// header line, as of two nobody knows which is meant; a WebSocket API's handshake the same; HTTP
// APIs have no keys.
func TestAPIKeyAsASource(t *testing.T) {
	source := selector.Grammar{Forms: []selector.Form{selector.Method, selector.Dollar}, Kinds: selector.SourceContext}
	s, err := source.Parse("context.identity.apiKey")
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		flavor gatekit.Flavor
		lines  []string
		found  string
		want   string
	}{
		{"rest", gatekit.REST, []string{"k"}, "", "k"},
		{"websocket", gatekit.WebSocket, []string{"k"}, "", "k"},
		{"http", gatekit.HTTP, []string{"k"}, "", ""},
		{"twice", gatekit.REST, []string{"k", "k"}, "", ""},
		{"none", gatekit.REST, nil, "", ""},
		{"a-plan-in-front", gatekit.REST, []string{"k"}, "found", "found"},
		{"a-plan-in-front-of-an-http-api", gatekit.HTTP, nil, "found", "found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Api-Key"] = tt.lines
			rc, r := gatekit.Attach(r)
			rc.API = &gatekit.API{Flavor: tt.flavor}
			rc.SetAPIKey(tt.found, "")
			value, ok := s.Only(&selector.Message{Context: rc, Request: r})
			require.True(t, ok)
			require.Equal(t, tt.want, value)
		})
	}
}

// Reading a source costs nothing: authorizers ask for each request.
func TestAllocations(t *testing.T) {
	m := message()
	m.Request.URL.RawQuery = "one=1&two=a+b" // decoding costs
	for _, text := range []string{"$request.header.one", "$request.querystring.one", "$request.querystring.none", "$stageVariables.env", "$context.stage"} {
		s := parsed(t, text)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Only(m) }), text)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Last(m) }), text)
	}
}

// FuzzOnly: where url.ParseQuery understands the whole query, the value is its only one, and Last
// and Joined are what it has.
func FuzzOnly(f *testing.F) {
	for _, seed := range []string{"token=a", "a=b&token=c%20d", "token=1&token=2", "t%6Fken=+", "token", "&&=", "token=%zz", "token=1;token=2"} {
		f.Add(seed)
	}
	s := parsed(f, "$request.querystring.token")
	f.Fuzz(func(t *testing.T, query string) {
		m := &selector.Message{Request: &http.Request{URL: &url.URL{RawQuery: query}}}
		got, ok := s.Only(m)
		if !ok && got != "" {
			t.Errorf("Only(%q) = %q with none", query, got)
		}
		all, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		values := all["token"]
		if ok != (len(values) <= 1) || ok && len(values) == 1 && got != values[0] || len(values) == 0 && got != "" {
			t.Errorf("Only(%q) = %q, %v; url.ParseQuery: %q", query, got, ok, values)
		}
		last, found := s.Last(m)
		if found != (len(values) > 0) || found && !slices.Equal(values[len(values)-1:], []string{last}) {
			t.Errorf("Last(%q) = %q, %v; url.ParseQuery: %q", query, last, found, values)
		}
		if joined, found := s.Joined(m); found != (len(values) > 0) || joined != strings.Join(values, ",") {
			t.Errorf("Joined(%q) = %q, %v; url.ParseQuery: %q", query, joined, found, values)
		}
	})
}

func BenchmarkOnly(b *testing.B) {
	m := message()
	for _, text := range []string{"$request.header.one", "$request.querystring.one", "$context.identity.sourceIp"} {
		s := parsed(b, text)
		b.Run("source="+strings.TrimPrefix(text, "$"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Only(m)
			}
		})
	}
}
