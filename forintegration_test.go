package gatekit_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

func TestAppendClaimStrings(t *testing.T) {
	const claims = ` { "sub" : "u\n7", "n": 1700000000, "f":1.5e1, "t":true, "no":null, "list":["a","b"], "o":{"x": 1}, "exp": 1680633579, "é<":"<" } `
	for _, cognito := range []bool{false, true} {
		a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(claims), CognitoClaims: cognito})
		require.True(t, a.HasClaims())
		var got map[string]string
		text := a.AppendClaimStrings([]byte("x"))
		require.NoError(t, json.Unmarshal(text[1:], &got), "%s", text)
		require.Equal(t, a.ClaimStrings(), got)
		require.NotContains(t, got, "no")
	}
	for _, a := range []*gatekit.Authorization{nil, gatekit.NewAuthorization(gatekit.AuthorizationFields{})} {
		require.Equal(t, "{}", string(a.AppendClaimStrings(nil)))
		require.False(t, a.HasClaims())
	}
	empty := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(`{}`)})
	require.Equal(t, "{}", string(empty.AppendClaimStrings(nil)))
	require.True(t, empty.HasClaims())
}

// Claims of which two readers could see different ones are no claims at all, for every reader.
func TestRawClaimsHaveOneReading(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	for name, raw := range map[string]string{
		"as-found": `{"0":[0,{"0":"0"}],"0":null,"000000":100000}`, "twice": `{"sub":"a","sub":"b"}`, "twice-by-escape": `{"sub":"a","\u0073ub":"b"}`,
		"twice-within": `{"o":{"a":1,"a":2}}`, "twice-in-a-list": `{"o":[{"a":1,"a":2}]}`, "twice-null": `{"a":null,"a":1}`, "lone-surrogate": `{"a":"\ud800"}`, "surrogate-name": `{"\udc00":1}`,
		"not-utf8": "{\"a\":\"\xff\"}", "trailing": `{}{}`, "list": `[]`, "text": `"a"`, "number": `1`, "cut": `{"a":1`, "too-deep": deep(100), "bom": "\ufeff{}",
	} {
		for _, cognito := range []bool{false, true} {
			a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(raw), CognitoClaims: cognito})
			require.False(t, a.HasClaims(), name)
			require.Nil(t, a.Claims(), name)
			require.Nil(t, a.ClaimStrings(), name)
			require.Equal(t, "{}", string(a.AppendClaimStrings(nil)), name)
			_, ok := a.Claim("sub")
			require.False(t, ok, name)
		}
	}
	for _, raw := range []string{`{}`, ` {"a":1} `, `{"a":1,"A":2}`, `{"o":{"a":1},"p":{"a":1,"A":2}}`, `{"":1}`, deep(99)} {
		require.True(t, gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(raw)}).HasClaims(), raw)
	}
	invalid := map[string]any{"\xff": 1, "\xfe": 2} // both of which encoding/json writes as U+FFFD
	require.False(t, gatekit.NewAuthorization(gatekit.AuthorizationFields{Claims: invalid}).HasClaims())
}

// FuzzAppendClaimStrings: all readers of claims see the same ones.
func FuzzAppendClaimStrings(f *testing.F) {
	f.Add(`{"a":1,"b":[1,{"c":"d"}],"c":null,"\u00e9":-1.5e3}`)
	f.Add(`{"0":[0,{"0":"0"}],"0":null,"000000":100000}`)
	f.Add(`{"a":[null,[true,{}]],"exp":1680633579,"iat":1e3,"A":"\ud83d\ude00","":false}`)
	f.Fuzz(func(t *testing.T, claims string) {
		for _, cognito := range []bool{false, true} {
			a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(claims), CognitoClaims: cognito})
			var got map[string]string
			text := a.AppendClaimStrings(nil)
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%q: %v in %q", claims, err, text)
			}
			want := a.ClaimStrings()
			require.Equal(t, a.HasClaims(), want != nil)
			require.Equal(t, a.HasClaims(), a.Claims() != nil)
			if want == nil {
				require.Empty(t, got)
				continue
			}
			require.Equal(t, want, got)
			var inOrder int
			require.NoError(t, strictjson.ObjectOfNames(text, 2, func(name string, _ []byte) error {
				inOrder++
				one, ok := a.ClaimString(name)
				require.True(t, ok)
				require.Equal(t, want[name], one)
				return nil
			}))
			require.Len(t, want, inOrder)
			for name, value := range a.Claims() {
				one, ok := a.Claim(name)
				require.True(t, ok)
				require.Equal(t, value, one)
				require.Equal(t, value != nil, hasKey(want, name))
			}
		}
	})
}

func hasKey(m map[string]string, name string) bool {
	_, ok := m[name]
	return ok
}

func TestSetRequestID(t *testing.T) {
	const uuid, short = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "JKJaXmPLvHcESHA="
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.True(t, rc.SetRequestID(short, ""))
	require.Equal(t, short, rc.RequestID())
	h := http.Header{}
	rc.SetRequestIDHeaders(h)
	require.Equal(t, short, h.Get("Apigw-Requestid"))
	for _, bad := range []string{"", "x", "JKJaXmPLvHcESHB=", "JKJaXmPLvHcESHAA", "JKJaXmPLvHcE====", "JKJaXmPLvHcESH\n="} {
		require.False(t, rc.SetRequestID(bad, ""), bad)
		require.Equal(t, short, rc.RequestID())
	}
	rc, _ = gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.API = &gatekit.API{Flavor: gatekit.REST}
	before := rc.RequestID()
	require.False(t, rc.SetRequestID(short, short))
	require.False(t, rc.SetRequestID(uuid, "x"))
	require.Equal(t, before, rc.RequestID())
	require.True(t, rc.SetRequestID(uuid, short))
	require.Equal(t, uuid, rc.RequestID())
	require.Equal(t, short, rc.ExtendedRequestID())
	require.False(t, (*gatekit.RequestContext)(nil).SetRequestID(short, ""))

	// Real ones, and the other alphabet.
	for in, want := range map[string]string{"LV7fzho-PHcEJPw=": "LV7fzho-PHcEJPw=", "YL4xIB5p_tqg7ug=": "YL4xIB5p_tqg7ug=", "LV7fzho+PHcE/Pw=": "LV7fzho-PHcE_Pw="} {
		for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.WebSocket} {
			rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
			rc.API = &gatekit.API{Flavor: flavor}
			require.True(t, rc.SetRequestID(in, "passed over"))
			require.Equal(t, want, rc.RequestID())
			require.Equal(t, want, rc.ExtendedRequestID())
		}
		rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		require.True(t, rc.SetRequestID(uuid, in))
		require.Equal(t, uuid, rc.RequestID())
		require.Equal(t, want, rc.ExtendedRequestID())
	}
	// A function URL's, and a REST API's without its second one.
	rc, _ = gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.True(t, rc.SetRequestID(uuid, ""))
	require.Equal(t, uuid, rc.RequestID())
	require.Equal(t, uuid, rc.ExtendedRequestID())
	require.True(t, rc.SetRequestID(short, ""))
	require.Equal(t, short, rc.RequestID(), "the last one counts")
	rc, _ = gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.API = &gatekit.API{Flavor: gatekit.REST}
	own := rc.ExtendedRequestID()
	require.True(t, rc.SetRequestID(uuid, ""))
	require.Equal(t, uuid+own, rc.RequestID()+rc.ExtendedRequestID())
	_ = r
}

func TestWithoutRequestContext(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "kept")
	require.Equal(t, ctx, gatekit.WithoutRequestContext(ctx), "nothing to do")
	outer, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	ctx = gatekit.WithoutRequestContext(r.Context())
	require.Nil(t, gatekit.From(ctx))
	require.Equal(t, "kept", ctx.Value(key{}))
	inner, r := gatekit.Attach(r.WithContext(ctx))
	require.NotSame(t, outer, inner)
	require.Same(t, inner, gatekit.From(r.Context()))
}
