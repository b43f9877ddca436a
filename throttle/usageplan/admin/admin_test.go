package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/admin"
)

const value = "shop-shop-shop-shop-shop"

// rig is a handler over a registry with the plan p1 and, in it, the key shop.
type rig struct {
	http.Handler
	*usageplan.Registry
	ctx context.Context
}

func newRig(t *testing.T, store usageplan.Store, plan usageplan.Plan) *rig {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	g, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	plan.ID, plan.Name, plan.APIStages = "p1", "gold", []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}
	_, err = g.CreatePlan(ctx, plan)
	require.NoError(t, err)
	_, _, err = g.CreateKey(ctx, usageplan.NewKey{ID: "shop", Value: value, Enabled: true})
	require.NoError(t, err)
	require.NoError(t, g.AddKey(ctx, "p1", "shop"))
	return &rig{gatekit.Must(admin.New(g)), g, ctx}
}

func memory() *usageplan.Memory { return gatekit.Must(usageplan.NewMemory(0)) }

// behind returns a handler of the stage behind the registry's limits.
func (g *rig) behind() http.Handler {
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry})).Middleware(http.NotFoundHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		rc.API = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}
		rc.Route = &gatekit.Route{Key: "GET /pets"}
		limit.ServeHTTP(w, r)
	})
}

// get returns the status of a request with a key; 404 is the handler's.
func get(h http.Handler, key string) int {
	r := httptest.NewRequest("GET", "/pets", nil)
	r.Header.Set("X-Api-Key", key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// ask returns the status and body of an answer, and decodes it.
func ask(t *testing.T, h http.Handler, method, target, body string) (int, string, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"), target)
	var decoded map[string]any
	if w.Header().Get("Content-Type") == "application/json" {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &decoded), w.Body)
	}
	return w.Code, w.Body.String(), decoded
}

// An item as `aws apigateway get-usage-plans` prints it, with every field that the API reference
// lists, is taken over and shown again.
func TestPlansOfTheManagedGateway(t *testing.T) {
	const printed = `{
    "id": "abc123",
    "name": "gold",
    "description": "for shops",
    "apiStages": [
        {
            "apiId": "a1b2c3",
            "stage": "prod",
            "throttle": {
                "/pets/{id}/GET": {
                    "burstLimit": 20,
                    "rateLimit": 10.0
                }
            }
        }
    ],
    "throttle": {
        "burstLimit": 200,
        "rateLimit": 100.0
    },
    "quota": {
        "limit": 5000,
        "offset": 2,
        "period": "MONTH"
    },
    "productCode": "0a1b2c3d4e",
    "tags": {
        "team": "shops",
        "empty": ""
    }
}`
	g := newRig(t, memory(), usageplan.Plan{})
	for _, request := range []string{"POST /usageplans", "PUT /usageplans/abc123"} {
		method, target, _ := strings.Cut(request, " ")
		code, text, _ := ask(t, g, method, target, printed)
		require.Contains(t, []int{200, 201}, code, text)
		code, text, _ = ask(t, g, "GET", "/usageplans/abc123", "")
		require.Equal(t, 200, code)
		require.JSONEq(t, printed, text)
	}
	many := strings.Builder{}
	for i := range 51 {
		fmt.Fprintf(&many, `,"t%d":""`, i)
	}
	for body, want := range map[string]string{
		`{"name":"x","tags":{` + many.String()[1:] + `}}`:                "usageplan: Plan.Tags: want at most 50, got 51",
		`{"name":"x","tags":{"":"x"}}`:                                   "usageplan: Plan.Tags: want names of 1 to 128 bytes, got 0",
		`{"name":"x","tags":{"a":"` + strings.Repeat("x", 257) + `"}}`:   "usageplan: Plan.Tags: want values of at most 256 bytes, got 257",
		`{"name":"x","productCode":"` + strings.Repeat("x", 1025) + `"}`: "usageplan: Plan.ProductCode: want at most 1024 bytes, got 1025",
		`{"name":"x","stages":[]}`:                                       `unknown field "stages"`,
	} {
		code, _, answer := ask(t, g, "POST", "/usageplans", body)
		require.Equal(t, 400, code, body)
		require.Contains(t, answer["message"], want)
	}
}

// A consumer's whole life, by the administration's handler alone.
func TestAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		g := newRig(t, memory(), usageplan.Plan{})
		require.NoError(t, g.DeleteKey(g.ctx, "shop"))
		require.NoError(t, g.DeletePlan(g.ctx, "p1"))
		do := func(want int, method, target, body string) map[string]any {
			t.Helper()
			code, text, decoded := ask(t, g, method, target, body)
			require.Equal(t, want, code, "%s %s: %s", method, target, text)
			return decoded
		}
		const gold = `{"id":"p1","name":"gold","apiStages":[{"apiId":"a1b2c3","stage":"prod","throttle":{"/pets/GET":{"rateLimit":10,"burstLimit":20}}}],"throttle":{"rateLimit":100,"burstLimit":200},"quota":{"limit":5,"period":"MONTH"}}`
		code, text, _ := ask(t, g, "POST", "/usageplans", gold)
		require.Equal(t, 201, code)
		require.JSONEq(t, gold, text)
		do(409, "POST", "/usageplans", gold)
		made := do(201, "POST", "/apikeys", `{"name":"shop","enabled":true,"customerId":"c7"}`)
		id, secret := made["id"].(string), made["value"].(string)
		require.Regexp(t, "^[a-z0-9]{10}$", id)
		require.Regexp(t, "^[A-Za-z0-9]{40}$", secret)
		do(201, "POST", "/usageplans/p1/keys", `{"keyId":"`+id+`","keyType":"API_KEY"}`)
		do(409, "POST", "/usageplans/p1/keys", `{"keyId":"`+id+`"}`)

		h := g.behind()
		for range 3 {
			require.Equal(t, 404, get(h, secret))
		}
		shown := do(200, "GET", "/apikeys/"+id, "")
		require.NotContains(t, shown, "value")
		require.Equal(t, map[string]any{
			"id": id, "name": "shop", "customerId": "c7", "enabled": true, "createdDate": "2026-11-24T12:00:00Z", "lastUpdatedDate": "2026-11-24T12:00:00Z",
			"lastUsedDate": "2026-11-24T12:00:00Z", "secrets": []any{map[string]any{"prefix": secret[:4], "createdDate": "2026-11-24T12:00:00Z"}}, "usagePlanIds": []any{"p1"},
		}, shown)
		usage := do(200, "GET", "/usageplans/p1/usage?startDate=2026-11-23&endDate=2026-11-25", "")
		require.Equal(t, map[string]any{
			"usagePlanId": "p1", "startDate": "2026-11-23", "endDate": "2026-11-25", "position": nil,
			"values": map[string]any{id: []any{[]any{0.0, 5.0}, []any{3.0, 2.0}, []any{0.0, 2.0}}},
		}, usage)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/usageplans/p1/usage?startDate=2026-11-24&endDate=2026-11-25&format=csv", nil))
		require.Equal(t, "keyId,date,used,remaining\n"+id+",2026-11-24,3,2\n"+id+",2026-11-25,0,2\n", w.Body.String())
		require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))

		left := do(200, "PATCH", "/usageplans/p1/keys/"+id+"/usage", `[{"op":"replace","path":"/remaining","value":"10"}]`)
		require.Equal(t, map[string]any{"used": 3.0, "remaining": 10.0, "resets": "2026-12-01T00:00:00Z"}, left)
		for range 10 {
			require.Equal(t, 404, get(h, secret))
		}
		require.Equal(t, 429, get(h, secret))
		do(200, "PATCH", "/usageplans/p1/keys/"+id+"/usage", `[{"op":"replace","path":"/remaining","value":"0"}]`)
		require.Equal(t, 429, get(h, secret))

		rotated := do(201, "POST", "/apikeys/"+id+"/rotate?overlap=1h", "")
		require.Len(t, rotated["secrets"], 2)
		require.NotEqual(t, secret, rotated["value"])
		require.Equal(t, 429, get(h, secret), "it still counts")
		do(200, "POST", "/apikeys/"+id+"/retire", "")
		require.Equal(t, 403, get(h, secret))
		require.Equal(t, 429, get(h, rotated["value"].(string)))

		patched := do(200, "PATCH", "/apikeys/"+id, `[{"op":"replace","path":"/enabled","value":"false"},{"op":"replace","path":"/name","value":"old shop"},{"op":"replace","path":"/description","value":"d"},{"op":"replace","path":"/customerId","value":""}]`)
		require.Equal(t, false, patched["enabled"])
		require.Equal(t, "old shop", patched["name"])
		require.Equal(t, 403, get(h, rotated["value"].(string)))

		imported := do(201, "POST", "/apikeys?mode=import&format=csv", "Name,key,description,Enabled,usageplanIds\nbulk,bulk-bulk-bulk-bulk-bulk,,TRUE,p1\nshort,abc,,true,\n")
		require.Len(t, imported["ids"], 1)
		require.Equal(t, []any{"line 3: usageplan: NewKey.Value: API Key value should be at least 20 characters"}, imported["warnings"])
		require.Equal(t, 404, get(h, "bulk-bulk-bulk-bulk-bulk"))
		require.Len(t, do(200, "GET", "/usageplans/p1/keys", "")["items"], 2)
		first := do(200, "GET", "/apikeys?limit=1", "")
		require.Len(t, first["items"], 1)
		second := do(200, "GET", "/apikeys?limit=1&position="+first["position"].(string), "")
		require.Len(t, second["items"], 1)
		require.Nil(t, second["position"])
		require.NotEqual(t, first["items"], second["items"])

		do(200, "PUT", "/usageplans/p1", strings.Replace(gold, "gold", "silver", 1))
		require.Equal(t, "silver", do(200, "GET", "/usageplans/p1", "")["name"])
		do(201, "POST", "/usageplans", `{"name":"x"}`)
		require.Len(t, do(200, "GET", "/usageplans", "")["items"], 2)
		require.Len(t, do(200, "GET", "/usageplans?limit=1", "")["items"], 1)
		do(202, "DELETE", "/usageplans/p1/keys/"+id, "")
		do(202, "DELETE", "/apikeys/"+id, "")
		do(202, "DELETE", "/usageplans/p1", "")
		for _, target := range []string{"/apikeys/" + id, "/usageplans/p1"} {
			do(404, "GET", target, "")
			do(404, "DELETE", target, "")
		}
	})
}

// What can't be is said, with the status that fits.
func TestAdminRefuses(t *testing.T) {
	g := newRig(t, memory(), usageplan.Plan{})
	for _, tt := range []struct {
		method, target, body string
		status               int
		message              string
	}{
		{"POST", "/apikeys", `{`, 400, "unexpected EOF"},
		{"POST", "/apikeys", `{"nme":"x"}`, 400, `json: unknown field \"nme\"`},
		{"POST", "/apikeys", `{} {}`, 400, "want one JSON value"},
		{"POST", "/apikeys", `{"value":"short"}`, 400, "usageplan: NewKey.Value: API Key value should be at least 20 characters"},
		{"POST", "/apikeys", `{"value":"` + strings.Repeat("x", 129) + `"}`, 400, "usageplan: NewKey.Value: API Key value exceeds maximum size of 128 characters"},
		{"POST", "/apikeys", `{"value":"with a blank in the middle"}`, 400, "usageplan: NewKey.Value: API Key value should be visible ASCII characters"},
		{"POST", "/apikeys", `{"value":"` + value + `"}`, 409, "usageplan: it exists already, or was changed at the same time: API Key already exists"},
		{"POST", "/apikeys", `{"id":"a/b"}`, 400, `usageplan: NewKey.ID: want 1 to 64 letters, digits, - or _, got \"a/b\"`},
		{"POST", "/apikeys", `{"name":"` + strings.Repeat("x", 1025) + `"}`, 400, "usageplan: name, description and customer ID: want at most 1024 bytes, got 1025"},
		{"POST", "/apikeys", strings.Repeat(" ", 11<<20), 413, "http: request body too large"},
		{"PATCH", "/apikeys/shop", "[" + strings.Repeat("{},", 1<<20) + "{}]", 413, "http: request body too large"},
		{"POST", "/apikeys?mode=import", "", 400, "format: want csv"},
		{"POST", "/apikeys?mode=import&format=csv", "", 400, "usageplan: ImportKeys: want a first line with the names of columns: EOF"},
		{"POST", "/apikeys?mode=import&format=csv&failonwarnings=true", "name,key\na,b\n", 400, "usageplan: ImportKeys: nothing was imported: line 2: usageplan: NewKey.Value: API Key value should be at least 20 characters"},
		{"GET", "/apikeys?limit=0", "", 400, "limit: want 1 to 500"},
		{"GET", "/apikeys?limit=x", "", 400, "limit: want 1 to 500"},
		{"GET", "/usageplans?limit=501", "", 400, "limit: want 1 to 500"},
		{"GET", "/usageplans/p1/keys?limit=501", "", 400, "limit: want 1 to 500"},
		{"GET", "/apikeys/nope", "", 404, "usageplan: not found: Invalid API Key identifier specified"},
		{"PATCH", "/apikeys/shop", `[{"op":"add","path":"/name","value":"x"}]`, 400, "op: want replace"},
		{"PATCH", "/apikeys/shop", `[{"op":"replace","path":"/enabled","value":"maybe"}]`, 400, "path: want /name, /description, /customerId, or /enabled with true or false"},
		{"PATCH", "/apikeys/shop", `{}`, 400, "json: cannot unmarshal object into Go value of type []admin.patch"},
		{"POST", "/apikeys/shop/rotate?overlap=-1h", "", 400, "overlap: want a duration such as 24h"},
		{"POST", "/apikeys/nope/rotate", "", 404, "usageplan: not found: Invalid API Key identifier specified"},
		{"POST", "/apikeys/nope/retire", "", 404, "usageplan: not found: Invalid API Key identifier specified"},
		{"POST", "/usageplans", `{"name":"x","quota":{"limit":1,"period":"YEAR"}}`, 400, `usageplan: Plan.Quota.Period: want DAY, WEEK or MONTH, got \"YEAR\"`},
		{"PUT", "/usageplans/p1", `{"id":"p2","name":"x"}`, 400, "id: want the one in the path, or none"},
		{"PUT", "/usageplans/nope", `{"name":"x"}`, 404, "usageplan: not found: Invalid Usage Plan ID specified"},
		{"POST", "/usageplans/p1/keys", `{"keyId":"shop","keyType":"OTHER"}`, 400, "keyType: want API_KEY"},
		{"POST", "/usageplans/nope/keys", `{"keyId":"shop"}`, 404, "usageplan: not found: Invalid Usage Plan ID specified"},
		{"GET", "/usageplans/nope/keys", "", 404, "usageplan: not found: Invalid Usage Plan ID specified"},
		{"GET", "/usageplans/p1/usage?startDate=x&endDate=2026-01-01", "", 400, "startDate: want a date such as 2026-01-31"},
		{"GET", "/usageplans/p1/usage?startDate=2026-01-02&endDate=2026-01-01", "", 400, "usageplan: UsageQuery: want 1 to 400 days, got 2026-01-02 to 2026-01-01"},
		{"GET", "/usageplans/p1/usage?startDate=2020-01-02&endDate=2026-01-01&format=csv", "", 400, "usageplan: UsageQuery: want 1 to 400 days, got 2020-01-02 to 2026-01-01"},
		{"GET", "/usageplans/p1/usage?startDate=2026-01-01&endDate=2026-01-01&keyId=nope", "", 404, "usageplan: not found: Invalid API Key identifier specified"},
		{"PATCH", "/usageplans/p1/keys/shop/usage", `[{"op":"replace","path":"/remaining","value":"10"}]`, 400, "usageplan: SetRemaining: the plan has no quota"},
		{"PATCH", "/usageplans/p1/keys/shop/usage", `[{"op":"replace","path":"/remaining","value":"-1"}]`, 400, "usageplan: SetRemaining: want 0 to 1125899906842624 units, got -1"},
		{"PATCH", "/usageplans/p1/keys/shop/usage", `[]`, 400, "want one operation: replace of /remaining"},
		{"PATCH", "/usageplans/p1/keys/shop/usage", `[{"op":"replace","path":"/remaining","value":"x"}]`, 400, "value: want a number of units"},
	} {
		code, text, _ := ask(t, g, tt.method, tt.target, tt.body)
		require.Equal(t, tt.status, code, "%s %s %.100s: %s", tt.method, tt.target, tt.body, text)
		require.Equal(t, `{"message":"`+tt.message+`"}`+"\n", text, "%s %s", tt.method, tt.target)
	}
}

type broken struct {
	usageplan.Store
	away atomic.Bool
}

func (b *broken) Put(ctx context.Context, t usageplan.Table, r usageplan.Record) error {
	if b.away.Load() {
		return errors.New("the store is away")
	}
	return b.Store.Put(ctx, t, r)
}

// What the store says stays inside.
func TestAdminWithoutAStore(t *testing.T) {
	store := &broken{Store: memory()}
	g := newRig(t, store, usageplan.Plan{})
	store.away.Store(true)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("POST", "/apikeys", strings.NewReader(`{}`)))
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "away")
}

func TestImport(t *testing.T) {
	g := newRig(t, memory(), usageplan.Plan{})
	_, err := g.CreatePlan(g.ctx, usageplan.Plan{ID: "p2", Name: "x", APIStages: []usageplan.APIStage{{APIID: "other", Stage: "prod"}}})
	require.NoError(t, err)
	file := "\ufeffusageplanIds,KEY,Enabled,Name\n" +
		"\"p1, p2\",one-one-one-one-one-one,true,one\n" +
		",two-two-two-two-two-two,,two\n" +
		",one-one-one-one-one-one,true,twice\n" +
		",three-three-three-three-,yes,bad\n" +
		"nope,four-four-four-four-four,true,bad\n" +
		"," + value + ",true,taken\n" +
		",,true,none\n"
	result, err := admin.ImportKeys(g.ctx, g.Registry, strings.NewReader(file), false)
	require.NoError(t, err)
	require.Len(t, result.IDs, 2)
	require.Equal(t, []string{
		"line 4: the value is in the file twice",
		`line 5: column Enabled: want true or false, got "yes"`,
		"line 6: usageplan: not found: Invalid Usage Plan ID specified",
		"line 8: API Key value should be at least 20 characters",
		"line 7: usageplan: it exists already, or was changed at the same time: API Key already exists",
	}, result.Warnings)
	k, err := g.Key(g.ctx, result.IDs[0])
	require.NoError(t, err)
	require.Equal(t, []string{"p1", "p2"}, k.Plans)
	require.True(t, k.Enabled)
	k, err = g.Key(g.ctx, result.IDs[1])
	require.NoError(t, err)
	require.False(t, k.Enabled)

	for file, want := range map[string]string{
		"name\n":            `column "key": it is missing`,
		"key,Key,name\n":    "there twice",
		"name,key\n\"a,b\n": "quote",
		"name,key\n" + strings.Repeat("a,b\n", 10_001): "at most 10000",
	} {
		_, err := admin.ImportKeys(g.ctx, g.Registry, strings.NewReader(file), false)
		require.ErrorIs(t, err, usageplan.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}
