package gatekit_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestClaimString(t *testing.T) {
	a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(`{
		"text":"abc", "empty":"", "escaped":"a\u0062\n", "int":1700000000, "ten":9999999999, "big":123456789012345678901234567890, "negative":-5,
		"fraction":1.5, "zeros":1.50, "exp":1.5e3, "huge":1e22, "tiny":1e-9, "true":true, "false":false, "null":null,
		"list":["a","b"], "none":[], "blanks":["a b","c"], "mixed":[1,"two",[true,null],{"k" : 1}], "object":{ "k" : [1, 2] },
		"n\u0061me":"by escape", "https://example.com/claim":"url", "":"no name" , "last" : "z"
	}`)})
	for name, want := range map[string]string{
		"text": "abc", "empty": "", "escaped": "ab\n", "int": "1700000000", "ten": "9999999999", "big": "123456789012345678901234567890", "negative": "-5",
		"fraction": "1.5", "zeros": "1.5", "exp": "1500", "huge": "1e22", "tiny": "1e-9", "true": "true", "false": "false",
		"list": "[a b]", "none": "[]", "blanks": "[a b c]", "mixed": `[1 two [true <nil>] {"k":1}]`, "object": `{"k":[1,2]}`,
		"name": "by escape", "https://example.com/claim": "url", "": "no name", "last": "z",
	} {
		got, ok := a.ClaimString(name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
		_, ok = a.Claim(name)
		require.True(t, ok, name)
	}
	for _, name := range []string{"null", "missing", "Text", "k"} {
		_, ok := a.ClaimString(name)
		require.False(t, ok, name)
	}
	value, ok := a.Claim("null")
	require.True(t, ok)
	require.Nil(t, value)
	value, _ = a.Claim("big")
	require.Equal(t, json.Number("123456789012345678901234567890"), value)
}

// A test mutates all that it can reach, and looks again.
func TestAuthorizationIsImmutable(t *testing.T) {
	fields := gatekit.AuthorizationFields{
		Principal: "ann", Authorizer: "main", Scopes: []string{"a", "b"}, Claims: map[string]any{"o": map[string]any{"k": "v"}, "n": 7},
		Context: map[string]any{"tenant": "t"}, UsageKey: "key", Caller: &gatekit.IAMCaller{UserARN: "arn"},
	}
	a := gatekit.NewAuthorization(fields)
	fields.Scopes[0], fields.Claims["n"], fields.Context["tenant"], fields.Caller.UserARN = "spoiled", "spoiled", "spoiled", "spoiled"
	fields.Claims["o"].(map[string]any)["k"] = "spoiled"
	for range 2 {
		require.Equal(t, "ann", a.Principal())
		require.Equal(t, "main", a.Authorizer())
		require.Equal(t, []string{"a", "b"}, a.Scopes())
		require.True(t, a.HasScope("a"))
		require.False(t, a.HasScope("spoiled"))
		require.Equal(t, map[string]any{"o": map[string]any{"k": "v"}, "n": json.Number("7")}, a.Claims())
		require.Equal(t, map[string]any{"tenant": "t"}, a.Context())
		require.Equal(t, "key", a.UsageKey())
		caller, ok := a.Caller()
		require.True(t, ok)
		require.Equal(t, "arn", caller.UserARN)
		a.Scopes()[0] = "spoiled"
		a.Claims()["n"] = "spoiled"
		o, _ := a.Claim("o")
		o.(map[string]any)["k"] = "spoiled"
		a.Context()["tenant"] = "spoiled"
		caller.UserARN = "spoiled"
		require.Equal(t, "other", a.Named("other").Authorizer())
	}
	var decoded struct{ N int }
	require.NoError(t, a.DecodeClaims(&decoded))
	require.Equal(t, 7, decoded.N)
}

func TestNilAuthorization(t *testing.T) {
	var a *gatekit.Authorization
	require.Empty(t, a.Principal()+a.Authorizer()+a.UsageKey())
	require.Nil(t, a.Scopes())
	require.False(t, a.HasScope(""))
	require.Nil(t, a.Claims())
	require.Nil(t, a.Context())
	require.Nil(t, a.Named("x"))
	_, ok := a.Claim("x")
	require.False(t, ok)
	_, ok = a.ClaimString("x")
	require.False(t, ok)
	_, ok = a.Caller()
	require.False(t, ok)
	var v map[string]any
	require.NoError(t, a.DecodeClaims(&v))
	require.Empty(t, v)
}

func TestContextValue(t *testing.T) {
	a := gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: map[string]any{"n": 1, "null": nil, "list": []any{"a"}}})
	list, ok := a.ContextValue("list")
	require.True(t, ok)
	list.([]any)[0] = "changed"
	list, _ = a.ContextValue("list")
	require.Equal(t, []any{"a"}, list)
	null, ok := a.ContextValue("null")
	require.True(t, ok)
	require.Nil(t, null)
	for _, a := range []*gatekit.Authorization{nil, a, gatekit.NewAuthorization(gatekit.AuthorizationFields{})} {
		_, ok = a.ContextValue("no such name")
		require.False(t, ok)
	}
}

// Claims that aren't an object are none at all.
func TestBrokenClaims(t *testing.T) {
	for _, raw := range []string{"", " ", "null", "[]", "{", `{"a":}`, `{"a":1}x`, `"{}"`} {
		a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(raw)})
		require.Nil(t, a.Claims(), raw)
		_, ok := a.Claim("a")
		require.False(t, ok)
	}
	a := gatekit.NewAuthorization(gatekit.AuthorizationFields{Claims: map[string]any{"f": func() {}}})
	require.Nil(t, a.Claims())
	a = gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte("\t\n {} \n")})
	require.Equal(t, map[string]any{}, a.Claims())
}

// FuzzClaims: for an object without repeated names, each claim is what encoding/json finds, and its
// string form doesn't panic.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"a":1}`, `{"a":{"b":[1,"}"]},"c":"\"","d" : -1.5e7 }`, `{"\u0061":null}`, `{ }`, `{"a":[[],{},""]}`,
		"{\"\xe1\":0}", // found by fuzzing: a name that isn't UTF-8 is another one once it is read
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a := gatekit.NewAuthorization(gatekit.AuthorizationFields{RawClaims: []byte(raw)})
		claims := a.Claims()
		for name, want := range claims {
			got, ok := a.Claim(name)
			text, hasText := a.ClaimString(name)
			if !ok || hasText != (got != nil) || !hasText && text != "" {
				t.Fatalf("%q: %q is %v, %v; %q, %v", raw, name, got, ok, text, hasText)
			}
			if s, isString := want.(string); isString && got == want && s != text {
				t.Fatalf("%q: %q is %q, its string form %q", raw, name, s, text)
			}
		}
		if _, ok := a.Claim("no such name"); ok && claims["no such name"] == nil {
			t.Fatalf("%q: found what isn't there", raw)
		}
	})
}
