package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/admin"
)

func TestNewWithoutARegistry(t *testing.T) {
	h, err := admin.New(nil)
	require.EqualError(t, err, "admin: New.registry: want usageplan.NewRegistry's, got nil")
	require.Nil(t, h)
}

// A value is told to whoever makes it, once, and by no other answer: not by lists, reports,
// conflicts, or what is wrong with it.
func TestValuesAreToldOnce(t *testing.T) {
	g := newRig(t, memory(), usageplan.Plan{})
	_, _, made := ask(t, g, "POST", "/apikeys", `{"id":"k","enabled":true}`)
	secret := made["value"].(string)
	_, _, rotated := ask(t, g, "POST", "/apikeys/k/rotate", "")
	for _, tt := range []struct{ name, method, target, body string }{
		{"shown", "GET", "/apikeys/k", ""},
		{"listed", "GET", "/apikeys", ""},
		{"in-its-plan", "GET", "/usageplans/p1/keys", ""},
		{"included", "GET", "/apikeys/k?includeValue=true", ""},
		{"changed", "PATCH", "/apikeys/k", `[{"op":"replace","path":"/name","value":"x"}]`},
		{"retired", "POST", "/apikeys/k/retire", ""},
		{"made-twice", "POST", "/apikeys", `{"value":"` + rotated["value"].(string) + `"}`},
		{"made-with-a-line-break", "POST", "/apikeys", `{"value":"` + secret + `\r\n"}`},
		{"imported-twice", "POST", "/apikeys?mode=import&format=csv", "name,key\na," + rotated["value"].(string) + "\n"},
		{"imported-too-long", "POST", "/apikeys?mode=import&format=csv", "name,key\na," + strings.Repeat(secret, 4) + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, text, _ := ask(t, g, tt.method, tt.target, tt.body)
			require.NotContains(t, text, secret[:8])
			require.NotContains(t, text, rotated["value"].(string)[:8])
		})
	}
}

// What can't be the ID of a key or a plan is none of theirs, and no store is asked for it.
func TestStrangeIDs(t *testing.T) {
	g := newRig(t, memory(), usageplan.Plan{})
	for _, id := range []string{"%2e%2e", "..%2Fshop", "shop%00", "shop%2F", "SHOP", "shop%20", "%73hop%3B", "%C3%A9", strings.Repeat("a", 65)} {
		for _, target := range []string{"/apikeys/" + id, "/usageplans/" + id, "/usageplans/p1/keys/" + id} {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest("DELETE", target, nil))
			require.Contains(t, []int{http.StatusNotFound, http.StatusTemporaryRedirect, http.StatusMovedPermanently}, w.Code, target)
		}
	}
	code, _, _ := ask(t, g, "GET", "/apikeys/shop", "")
	require.Equal(t, 200, code)
}

// An import is all or nothing as far as room goes: one that would fill the registry in the middle
// makes no key.
func TestImportLargerThanTheRoom(t *testing.T) {
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: memory(), MaxKeys: 2})
	require.NoError(t, err)
	file := "name,key\n"
	for _, c := range "abc" {
		file += "x," + strings.Repeat(string(c), 20) + "\n"
	}
	result, err := admin.ImportKeys(t.Context(), g, strings.NewReader(file), false)
	require.ErrorIs(t, err, usageplan.ErrInvalid)
	require.EqualError(t, err, "usageplan: ImportKeys: 3 keys, and room for 2: see RegistryConfig.MaxKeys")
	require.Empty(t, result.IDs)
	require.Equal(t, 2, g.Room())
}

// FuzzBody sends any text as the body of each operation that reads one: it is answered in JSON, a
// 4xx or a success, and the key that the plan had is in it still.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"name":"x"}`, `[{"op":"replace","path":"/enabled","value":"true"}]`, `{"id":"p1","name":"x","quota":{"limit":1e30}}`,
		`{"keyId":"shop"}`, `[]`, `null`, `"`, `{"name":"x","throttle":{"rateLimit":-1}}`, `{"name":"x","apiStages":[{}]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		g := newRig(t, memory(), usageplan.Plan{})
		for _, request := range []string{
			"POST /apikeys", "PATCH /apikeys/shop", "POST /usageplans", "PUT /usageplans/p1", "POST /usageplans/p1/keys",
			"PATCH /usageplans/p1/keys/shop/usage",
		} {
			method, target, _ := strings.Cut(request, " ")
			code, text, _ := ask(t, g, method, target, body)
			require.True(t, code/100 == 2 || code/100 == 4, "%s: %d %s", request, code, text)
			require.True(t, json.Valid([]byte(text)), text)
		}
		_, _, keys := ask(t, g, "GET", "/usageplans/p1/keys", "")
		require.Len(t, keys["items"], 1)
	})
}
