package selector_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/selector"
)

var texts = selector.Grammar{
	Forms: []selector.Form{selector.Request},
	Kinds: selector.Header | selector.Query | selector.Body | selector.BodyPart | selector.StageVariable,
}

func TestText(t *testing.T) {
	r := httptest.NewRequest("GET", "/?q=1&q=2", nil)
	r.Header.Set("X-A", "a")
	m := &selector.Message{Request: r, Body: []byte(`{"m":{"n":"v"}}`)}
	for text, want := range map[string]string{
		"": "", "plain": "plain", "$request.header.x-a": "a", "<$request.querystring.q>": "<1,2>", "${request.body.m.n}!": "v!",
		`{"A":{"DataType":"String","StringValue":"${request.header.X-A}"}}`: `{"A":{"DataType":"String","StringValue":"a"}}`,
		"for $5 and $request.body.m":                                        `for $5 and {"n":"v"}`, "$request.body": `{"m":{"n":"v"}}`, "a$": "a$",
	} {
		parsed, err := texts.ParseText(text)
		require.NoError(t, err, text)
		got, found := parsed.Joined(m)
		require.True(t, found, text)
		require.Equal(t, want, got)
		require.Equal(t, strings.Contains(text, "body"), parsed.Asks(selector.Body|selector.BodyPart), text)
	}
	missing, err := texts.ParseText("a ${request.header.x-b}")
	require.NoError(t, err)
	_, found := missing.Joined(m)
	require.False(t, found)
	for _, bad := range []string{"${request.header.x", "$request.path.x", "${response.body}", "$request.body.a[0] b", "$5", "$reqest.body"} {
		_, err := texts.ParseText(bad)
		require.Error(t, err, bad)
	}
}

// What isn't a selector stands for itself: the literals of a text are in it, in order.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"a${request.header.x}b", "$request.body.a", "$$request.body", "${", "$stageVariables.x.y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := texts.ParseText(text)
		if err != nil {
			require.Nil(t, parsed)
			return
		}
		rest := text
		for _, s := range parsed {
			if s.Kind == selector.Literal {
				_, after, found := strings.Cut(rest, s.Name)
				require.True(t, found, "%q in %q", s.Name, text)
				rest = after
			}
		}
	})
}
