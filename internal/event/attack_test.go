package event_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// What a client sends is what a function hears and what is read back, in every format, and an
// authorizer's event says nothing else.
func FuzzRoundTrip(f *testing.F) {
	f.Add("/pets/a%2Bb/x%2Fy/z%20z", "a=1&a=%zz;b&&=x", "v\"1", "a=1; b=\"2\";; c", "body\x00é", byte(0))
	f.Add("//a/", "", "", "", "", byte(1))
	f.Add("/%E2%98%95/100%25", "q=a+b%2Bc&%C3%A9=é", "\u2028<&>", ";", `{"a":"<"}`, byte(2))
	f.Add("/a", "a&a=&=", "x,y", "=", "x", byte(3))
	f.Fuzz(func(t *testing.T, path, query, header, cookie, body string, kind byte) {
		u, err := url.ParseRequestURI(path)
		decoded, queryErr := url.QueryUnescape(strings.ReplaceAll(query, ";", ""))
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.ContainsAny(path, "?#") || strings.ContainsAny(query, "#") ||
			!utf8.ValidString(strings.Join([]string{u.Path, query, header, cookie, body, decoded}, "|")) || strings.ContainsAny(header+cookie, "\r\n\x00") {
			return // no request, or one whose bytes JSON can't hold
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.URL, r.RequestURI = &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query}, path
		r.Header = http.Header{"X-A": {header, "second"}, "Cookie": {cookie}}
		rc, r := gatekit.Attach(r)
		rc.API, rc.Route = &gatekit.API{APIID: "a1b2c3d4e5", Stage: "$default"}, &gatekit.Route{Key: "ANY /{a}/{proxy+}"}
		w := event.Writer{Context: rc, Request: r, Body: []byte(body), Base64: kind&4 != 0 && body != ""}
		judge := event.Writer{Context: rc, Request: r, Authorizer: &event.Authorizer{ARN: "arn", Identity: []string{header}}}
		var served, judged []byte
		format := event.Format(kind % 3)
		switch format {
		case event.V2:
			served, judged = w.AppendV2(nil), judge.AppendV2(nil)
		case event.V1:
			served, judged = w.AppendV1(nil), judge.AppendV1(nil)
		case event.REST:
			rc.API = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"}
			served, judged = w.AppendREST(nil), judge.AppendREST(nil)
		}
		shared(t, judged, served)

		in, err := event.Parse(string(served))
		require.NoError(t, err, "%s", served)
		require.Equal(t, format, in.Format)
		back, err := in.Request(t.Context(), event.Cut{})
		require.NoError(t, err, "%s", served)
		require.Equal(t, r.URL.Path, back.URL.Path, "%s", served)
		if format == event.V2 {
			require.Equal(t, query, back.URL.RawQuery)
			require.Equal(t, []string{header + ",second"}, back.Header["X-A"])
		} else {
			require.Equal(t, r.Header["X-A"], back.Header["X-A"])
			require.Equal(t, r.URL.EscapedPath(), back.URL.EscapedPath(), "%s", served)
			if queryErr == nil {
				require.Equal(t, event.QueryLines(nil, query), event.QueryLines(nil, back.URL.RawQuery), "%s", served)
			}
		}
		require.Equal(t, cookies(r.Header), cookies(back.Header))
		require.EqualValues(t, len(body), back.ContentLength)
		require.Equal(t, rc.RequestID(), gatekit.From(back.Context()).RequestID())
		require.Equal(t, rc.ExtendedRequestID(), gatekit.From(back.Context()).ExtendedRequestID())
	})
}

// shared compares what both events have, but for what an authorizer can't know.
func shared(t *testing.T, judged, served []byte) {
	t.Helper()
	a, f := valid[map[string]any](t, judged), valid[map[string]any](t, served)
	for name, value := range a {
		other, ok := f[name]
		if m, ok := other.(map[string]any); ok && name == "requestContext" {
			delete(m, "authorizer") // it is being asked for
		}
		switch {
		case slices.Contains([]string{"type", "methodArn", "routeArn", "identitySource", "authorizationToken"}, name):
			require.False(t, ok, name)
		case other == nil:
			require.Empty(t, value, name)
		case name == "headers" || name == "multiValueHeaders":
			for _, m := range []any{value, other} {
				delete(m.(map[string]any), "Content-Length")
				delete(m.(map[string]any), "content-length")
			}
			require.Equal(t, other, value, name)
		default:
			require.Equal(t, other, value, name)
		}
	}
}

// Whatever is read as an event gives a request that net/http would send, or an error.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"version":"2.0","rawPath":"/a b","rawQueryString":"q=1","headers":{"a":"b"},"cookies":["c=d"],"requestContext":{"http":{"method":"GET","sourceIp":"::1"}},"body":"YQ==","isBase64Encoded":true}`,
		`{"version":"1.0","path":"/base/s/x%2Fy","httpMethod":"GET","multiValueHeaders":{"A":["b","c"]},"multiValueQueryStringParameters":{"a":["1"]},"requestContext":{"stage":"s"}}`,
		`{"resource":"/{id}","path":"/s/x","httpMethod":"POST","pathParameters":{"id":"x%20y"},"requestContext":{"stage":"s","identity":{"clientCert":{"clientCertPem":"x"}}},"headers":{"X-Forwarded-Proto":"https"}}`,
		`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		in, err := event.Parse(payload)
		if err != nil {
			require.ErrorIs(t, err, event.ErrNoEvent)
			require.Nil(t, in)
			return
		}
		require.True(t, json.Valid([]byte(payload)))
		r, err := in.Request(t.Context(), event.Cut{BasePath: "base"})
		if err != nil {
			require.Nil(t, r)
			return
		}
		require.True(t, strings.HasPrefix(r.URL.Path, "/"))
		for name, values := range r.Header {
			require.False(t, strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00"), "%q", name)
		}
		require.NotContains(t, r.Header, "Host")
		require.NotNil(t, gatekit.From(r.Context()))
	})
}

// Claims of which two readers could see different ones are dropped whole, and then neither the
// principal nor a scope is taken from them. Scopes that the gateway itself lists stay.
func TestClaimsWithTwoReadingsTellNothing(t *testing.T) {
	for name, claims := range map[string]string{
		"sub-twice": `{"sub":"admin","sub":"guest","scope":"pets:write"}`, "scope-twice": `{"sub":"a","scope":"x","scope":"pets:write"}`,
		"by-escape": `{"sub":"admin","s\u0075b":"guest","scope":"x"}`, "within": `{"sub":"admin","scope":"x","o":{"a":1,"a":2}}`,
		"half-pair": `{"sub":"admin","scope":"x","a":"\ud800"}`,
	} {
		for format, payload := range map[string]string{
			"2.0": `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET","path":"/"},"authorizer":{"jwt":{"claims":` + claims + `,"scopes":SCOPES}}}}`,
			"1.0": `{"version":"1.0","path":"/","httpMethod":"GET","requestContext":{"authorizer":{"claims":` + claims + `,"scopes":SCOPES}}}`,
		} {
			for scopes, want := range map[string][]string{`null`: nil, `["pets:read"]`: {"pets:read"}} {
				in, err := event.Parse(strings.Replace(payload, "SCOPES", scopes, 1))
				require.NoError(t, err, "%s %s", name, format)
				r, err := in.Request(t.Context(), event.Cut{})
				require.NoError(t, err, "%s %s", name, format)
				a := gatekit.From(r.Context()).Authorization
				require.NotNil(t, a)
				require.False(t, a.HasClaims(), "%s %s", name, format)
				require.Empty(t, a.Principal(), "%s %s", name, format)
				require.Equal(t, want, a.Scopes(), "%s %s", name, format)
			}
		}
	}
}
