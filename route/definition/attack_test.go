package definition_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// What a document says can't forge a report, nor reach a terminal.
func TestReportIsNotForged(t *testing.T) {
	g := build(t, apiOf("REST", `"GET /a\n0 of 0 routes served":{"auth":{"type":"\u001b[31m\nunsupported  Api"}}`, ""), definition.Bindings{})
	text := g.Report().String()
	require.NotContains(t, text, "\x1b")
	require.Equal(t, 3, strings.Count(text, "\nunsupported"), text)
	require.NotContains(t, text, "\n0 of 0")
}

// A value of an API key is in no report and no error.
func TestKeysStaySecret(t *testing.T) {
	const secret = "s3cret-s3cret-s3cret-s3cret"
	text := withPlans(apiOf("REST", calls("GET /a", `{"type":"NONE"}`, keyed), ""), `"P":{"stages":[{"api":"Api","stage":"prod"}],"keys":["K","L"]}`,
		`"K":{"enabled":true,"value":"`+secret+`"},"L":{"enabled":true,"value":"`+secret+`"},"M":{"enabled":true,"value":"s3cret"}`)
	g := build(t, text, definition.Bindings{})
	require.NotContains(t, fmt.Sprintf("%+v", g.Report()), "s3cret")
	_, err := definition.Build(t.Context(), parse(t, text), definition.Bindings{Strict: true})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}

// A parameter can't close the text that it stands in.
func TestParameterDoesNotEscape(t *testing.T) {
	text := apiOf("REST", `"GET /a":{"auth":{"type":"AWS_IAM"},"operation":"`+definition.Unknown("P")+`","integration":{"type":"MOCK","target":{"kind":"mock"}}}`, "")
	g := build(t, text, definition.Bindings{Parameters: map[string]string{"P": `","auth":{"type":"NONE"},"x":"`}})
	require.NotContains(t, ask(g, "GET", "/prod/a"), "200")
}

// A policy that depends on an unknown value is closed, however its JSON spells that.
func TestUnknownInEscapes(t *testing.T) {
	for _, begin := range []string{"⟨", `\u27e8`, `\u27E8`} {
		text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"policy":{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"},
			{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"IpAddress":{"aws:SourceIp":"`+begin+`unknown: parameter \"Strangers\"⟩"}}}]}`)
		g := build(t, text, definition.Bindings{Functions: functions("F")})
		require.Contains(t, ask(g, "GET", "/prod/a"), "500", begin)
		require.Len(t, g.Report().Of(definition.UnknownValue), 1)
	}
	g := build(t, apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"stages":{"prod":{"variables":{"v":"`+`⟨unknown: parameter \"V\"⟩"}}}`),
		definition.Bindings{Functions: functions("F"), Parameters: map[string]string{`parameter "V"`: "x"}})
	require.Equal(t, "200 F map[v:x]", ask(g, "GET", "/prod/a"))
}

// A client can't choose an API by a host of another form, nor a stage by an encoded segment.
func TestHosts(t *testing.T) {
	text := `{"apis":[` + oneRoute("A", "REST", `"stages":{"prod":{}}`) + `,` + oneRoute("B", "REST", `"stages":{"prod":{}}`) + `]}`
	g := build(t, text, definition.Bindings{Functions: functions("A", "B")})
	require.Equal(t, "200 A", ask(g, "GET", "http://A.EXECUTE-API.LOCALHOST/prod/who"))
	for _, host := range []string{"a.execute-api.localhost.evil.example", "x.a.execute-api.localhost", "a.execute-api.eu-west-1.amazonaws.com", "b@a.execute-api.localhost"} {
		require.NotContains(t, ask(g, "GET", "http://"+host+"/prod/who"), "200", host)
	}
	for _, path := range []string{"/pr%6fd/../who", "/prod/%2e%2e/prod/who", "//prod/who/..", "/prod\\who"} {
		require.NotContains(t, ask(g, "GET", "http://a.execute-api.localhost"+path), "200", path)
	}
}

// Globs take no more time than their lengths' product, however they are made.
func TestGlobsAreCheap(t *testing.T) {
	glob := strings.Repeat("a*", 500) + "b"
	text := apiOf("REST", strings.Replace(calls("GET /a", `{"type":"NONE"}`), `"F"`, `"`+strings.Repeat("a", 5000)+`"`, 1), "")
	began := time.Now()
	g := build(t, text, definition.Bindings{Functions: map[string]gatekit.Invoker{glob: fn("F")}})
	require.Less(t, time.Since(began), 10*time.Second)
	require.Contains(t, ask(g, "GET", "/prod/a"), "500")
}

// FuzzBuild: whatever document can be read is built, or refused with an error, without a panic, and
// each of its routes is in the report once.
func FuzzBuild(f *testing.F) {
	for _, text := range []string{pets, sockets, shop, strings.ReplaceAll(protected, "INTEGRATION", `{"type":"MOCK","target":{"kind":"mock"}}`), `{}`} {
		f.Add([]byte(text))
	}
	every, _ := filled().MarshalJSON()
	f.Add(every)
	b := definition.Bindings{Functions: functions("*"), Issuers: map[string]definition.IssuerBinding{"*": {JWKS: []byte(`{"keys":[]}`)}},
		Logger: slog.New(slog.DiscardHandler)}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := definition.Unmarshal(text)
		if err != nil {
			return
		}
		g, err := definition.Build(t.Context(), doc, b)
		if err != nil {
			return
		}
		want := 0
		for _, a := range doc.APIs {
			want += len(a.Routes)
		}
		require.Len(t, g.Report().Routes, want)
		for _, route := range g.Report().Routes {
			require.Equal(t, route.Served, route.Why == "")
		}
		_ = ask(g, "GET", "/prod/pets/1")
		require.NoError(t, g.Close())
	})
}
