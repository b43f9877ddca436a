package validate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform/validate"
)

const restAPIs = "https://apigateway.amazonaws.com/restapis/"

func TestReferences(t *testing.T) {
	m, err := validate.NewModels(validate.ModelsConfig{APIID: "a1b2c3", Schemas: map[string]string{
		"Pet":  `{"type":"object","properties":{"name":{"$ref":"#/definitions/name"}},"definitions":{"name":{"type":"string"}},"required":["name"]}`,
		"Pets": `{"type":"array","items":{"$ref":"` + restAPIs + `a1b2c3/models/Pet"}}`,
		"Tree": `{"type":"object","properties":{"pet":{"$ref":"` + restAPIs + `a1b2c3/models/Pet"},"name":{"$ref":"` + restAPIs + `a1b2c3/models/Pet#/definitions/name"},"children":{"items":{"$ref":"` + restAPIs + `a1b2c3/models/Tree"}}}}`,
	}})
	require.NoError(t, err)
	for _, tt := range []struct {
		model, body string
		want        int
	}{
		{"Pets", `[{"name":"a"},{"name":"b"}]`, 200}, {"Pets", `[{"name":"a"},{"name":1}]`, 400}, {"Pets", `[{}]`, 400},
		{"Tree", `{"pet":{"name":"a"},"name":"t","children":[{"children":[{"pet":{"name":"b"}}]}]}`, 200}, {"Tree", `{"children":[{"children":[{"pet":{"name":1}}]}]}`, 400}, {"Tree", `{"name":1}`, 400},
		{"Empty", `{"a":1}`, 200}, {"Empty", `[]`, 400}, {"Error", `{"message":"x"}`, 200}, {"Error", `{"message":1}`, 400},
	} {
		v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": tt.model}})
		require.NoError(t, err)
		w, _ := serve(t, v, rest("POST", "/", tt.body))
		require.Equal(t, tt.want, w.Code, tt.body)
	}
	// Without an APIID, every API's ID is this one's.
	models(t, map[string]string{"Pet": `{}`, "Pets": `{"items":{"$ref":"` + restAPIs + `whatever/models/Pet"}}`})
}

func TestDrafts(t *testing.T) {
	for _, tt := range []struct {
		draft  validate.Draft
		schema string
		body   string
		want   int
	}{
		{validate.Draft4, `{"properties":{"n":{"minimum":5,"exclusiveMinimum":true}}}`, `{"n":5}`, 400},
		{validate.Draft4, `{"const":1}`, `2`, 200}, // a word that draft 4 hasn't got
		{validate.Draft4, `{"$schema":"http://json-schema.org/draft-07/schema#","const":1}`, `2`, 400},
		{validate.Draft4, `{"format":"date-time"}`, `"yesterday"`, 400},
		{validate.Draft4, `{"format":"int32"}`, `123456789012`, 200},
		{validate.Draft6, `{"const":1}`, `2`, 400},
		{validate.Draft6, `false`, `2`, 400},
		{validate.Draft7, `{"if":{"type":"string"},"then":{"minLength":2}}`, `"a"`, 400},
		{validate.Draft201909, `{"properties":{"a":{}},"unevaluatedProperties":false}`, `{"b":1}`, 400},
		{validate.Draft201909, `{"$recursiveAnchor":true,"properties":{"c":{"$recursiveRef":"#"}},"required":["n"]}`, `{"n":1,"c":{}}`, 400},
		{validate.Draft202012, `{"prefixItems":[{"type":"string"}],"items":false}`, `["a"]`, 200},
		{validate.Draft202012, `{"prefixItems":[{"type":"string"}],"items":false}`, `["a",1]`, 400},
		{validate.Draft202012, `{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, 400},
		{validate.Draft202012, `{"contains":{"type":"string"},"minContains":2}`, `["a",1]`, 400},
		{validate.Draft202012, `{"$dynamicAnchor":"n","properties":{"c":{"$dynamicRef":"#n"}},"required":["n"]}`, `{"n":1,"c":{}}`, 400},
	} {
		m, err := validate.NewModels(validate.ModelsConfig{Draft: tt.draft, Schemas: map[string]string{"Model": tt.schema}})
		require.NoError(t, err, tt.schema)
		v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": "Model"}})
		require.NoError(t, err)
		w, _ := serve(t, v, rest("POST", "/", tt.body))
		require.Equal(t, tt.want, w.Code, "%s: %s", tt.schema, tt.body)
	}
}

func TestRefusedModels(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"empty", "", `validate: ModelsConfig.Schemas["Model"]: want a JSON schema: not JSON, at byte 0`},
		{"not-json", "{", "want a JSON schema: not JSON"},
		{"name-twice", `{"type":"object","type":"array"}`, "want a JSON schema: an object has a name twice"},
		{"array", "[]", "want a JSON schema, which is an object"},
		{"true", "true", "want a JSON schema, which is an object"},
		{"unknown-type", `{"type":"text"}`, "Model"},
		{"required-of-draft-3", `{"properties":{"a":{"required":true}}}`, "Model"},
		{"negative-length", `{"minLength":-1}`, "Model"},
		{"bad-pattern", `{"pattern":"("}`, "Model"},
		{"bad-pattern-property", `{"patternProperties":{"[":{}}}`, "Model"},
		{"long-pattern", `{"pattern":"` + strings.Repeat("a", 10_001) + `"}`, "Model"},
		{"unknown-meta-schema", `{"$schema":"http://example.com/schema"}`, "nothing is fetched"},
		{"no-such-definition", `{"$ref":"#/definitions/x"}`, "definitions/x"},
		{"no-such-model", `{"$ref":"` + restAPIs + `a1b2c3/models/Cat"}`, "there is no such model"},
		{"other-api", `{"$ref":"` + restAPIs + `zzz/models/Model"}`, "want a model of this API, a1b2c3"},
		{"relative-name", `{"$ref":"Cat"}`, "there is no such model"},
		{"no-model-in-url", `{"$ref":"` + restAPIs + `a1b2c3"}`, "nothing is fetched"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := validate.NewModels(validate.ModelsConfig{APIID: "a1b2c3", Schemas: map[string]string{"Model": tt.schema}})
			require.ErrorContains(t, err, `validate: ModelsConfig.Schemas["Model"]: `)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := validate.NewModels(validate.ModelsConfig{
		APIID: "a/b", Draft: 9, PatternBudget: time.Minute,
		Schemas: map[string]string{"": `{}`, "my-model": `{}`, "A": "", "B": "["},
	})
	require.EqualError(t, err, `validate: ModelsConfig.Draft: want one of the constants, got 9
validate: ModelsConfig.PatternBudget: want 0s to 10s, got 1m0s
validate: ModelsConfig.APIID: want an API's ID, got "a/b"
validate: ModelsConfig.Schemas[""]: want a name of letters and digits
validate: ModelsConfig.Schemas["A"]: want a JSON schema: not JSON, at byte 0
validate: ModelsConfig.Schemas["B"]: want a JSON schema: not JSON, at byte 1
validate: ModelsConfig.Schemas["my-model"]: want a name of letters and digits`)
}

// A $ref never leaves the process: not to a server, not to a file, whatever the way that it is
// written.
func TestNothingIsFetched(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `{"type":"string"}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "schema.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"type":"string"}`), 0o600))
	t.Chdir(filepath.Dir(file))
	for _, schema := range []string{
		`{"$ref":"` + server.URL + `/schema.json"}`, `{"$ref":"file://` + file + `"}`, `{"$ref":"` + file + `"}`, `{"$ref":"schema.json"}`, `{"$ref":"./schema.json"}`, `{"$ref":"//` + server.Listener.Addr().String() + `/x"}`,
		`{"$schema":"` + server.URL + `/meta"}`, `{"$schema":"file://` + file + `"}`,
		`{"id":"` + server.URL + `/","properties":{"a":{"$ref":"schema.json"}}}`, `{"id":"file://` + file + `","properties":{"a":{"$ref":"schema.json#/x"}}}`,
		`{"properties":{"a":{"items":{"allOf":[{"$ref":"` + server.URL + `#/definitions/x"}]}}}}`, `{"$ref":"http://json-schema.org/no-such-draft/schema"}`, `{"$ref":"gopher://x/"}`, `{"$ref":"gatekit:other"}`,
	} {
		for _, draft := range []validate.Draft{validate.Draft4, validate.Draft202012} {
			_, err := validate.NewModels(validate.ModelsConfig{Draft: draft, Schemas: map[string]string{"Model": strings.ReplaceAll(schema, `"id"`, map[validate.Draft]string{validate.Draft4: `"id"`, validate.Draft202012: `"$id"`}[draft])}})
			require.Error(t, err, schema)
		}
	}
	require.Zero(t, asked)
}

// patient is a validator that gives patterns all the time there is: their budget is wall-clock
// time, of which a busy machine takes a lot.
func patient(t *testing.T, schema string) *validate.Validator {
	t.Helper()
	m, err := validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Model": schema}, PatternBudget: 10 * time.Second})
	require.NoError(t, err)
	v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": "Model"}})
	require.NoError(t, err)
	return v
}

// Go's engine takes what it can in linear time; look-aheads and back references work, too.
func TestPatterns(t *testing.T) {
	v := patient(t, `{"properties":{
		"password":{"pattern":"^(?=.*[0-9])(?=.*[a-z]).{8,}$"},"twice":{"pattern":"^(\\w+) \\1$"},"escape":{"pattern":"^\\u00e9$"},"plain":{"pattern":"^a+$"}},
		"patternProperties":{"^x(?!y)":{"type":"integer"}}}`)
	for body, want := range map[string]int{
		`{"password":"abcdefg1"}`: 200, `{"password":"abcdefgh"}`: 400, `{"password":"a1"}`: 400, `{"twice":"ab ab"}`: 200, `{"twice":"ab ac"}`: 400,
		`{"escape":"é"}`: 200, `{"escape":"e"}`: 400, `{"plain":"aaa"}`: 200, `{"plain":"b"}`: 400, `{"xa":1}`: 200, `{"xa":"1"}`: 400, `{"xy":"1"}`: 200,
	} {
		w, _ := serve(t, v, rest("POST", "/", body))
		require.Equal(t, want, w.Code, body)
	}
}

// Patterns that count time serve one request at a time; many requests get as many copies.
func TestConcurrentUse(t *testing.T) {
	v := patient(t, `{"properties":{"a":{"pattern":"^(?=b)b+$"},"n":{"type":"integer"}},"required":["a"]}`)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				body, want := `{"a":"bbb","n":1}`, true
				if i%2 == 0 {
					body, want = `{"a":"c","n":"x"}`, false
				}
				err := v.Check(rest("POST", "/", body))
				if (err == nil) != want {
					t.Errorf("%s: %v", body, err)
				}
				if rej, ok := err.(*gatekit.Rejection); ok {
					_ = rej.Error()
				}
			}
		})
	}
	wg.Wait()
}

func TestConfigIsCopied(t *testing.T) {
	schemas, chosen, parameters := map[string]string{"Model": `{"required":["a"]}`}, map[string]string{"$default": "Model"}, map[string]bool{"method.request.querystring.q": true}
	m := models(t, schemas)
	v, err := validate.New(validate.Config{ValidateBody: true, ValidateParameters: true, Models: m, RequestModels: chosen, RequestParameters: parameters})
	require.NoError(t, err)
	clear(schemas)
	clear(chosen)
	clear(parameters)
	require.ErrorContains(t, v.Check(rest("POST", "/", `{}`)), "[q]")
	require.ErrorContains(t, v.Check(rest("POST", "/?q=1", `{}`)), "model Model")
}

// A model that many refer to is compiled once, and not once for each.
func TestAllocModelsInACircle(t *testing.T) {
	cost := func(n int) float64 {
		schemas := map[string]string{}
		for i := range n {
			schemas[fmt.Sprint("M", i)] = fmt.Sprintf(`{"type":"object","properties":{"next":{"$ref":"`+restAPIs+`a/models/M%d"}}}`, (i+1)%n)
		}
		return testing.AllocsPerRun(3, func() { models(t, schemas) })
	}
	require.Less(t, cost(80), 8*cost(20))
}

// Names that other tools write are taken if somebody says so, where a reference's URL can have them.
func TestAnyNames(t *testing.T) {
	schemas := map[string]string{"a_b-1.0~": `{"type":"object"}`, "c": `{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/a_b-1.0~"}`}
	_, err := validate.NewModels(validate.ModelsConfig{Schemas: schemas})
	require.ErrorContains(t, err, "want a name of letters and digits")
	_, err = validate.NewModels(validate.ModelsConfig{Schemas: schemas, AnyNames: true})
	require.NoError(t, err)
	for _, name := range []string{"", "a/b", "a b", "ä", "a%20"} {
		_, err = validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{name: `{}`}, AnyNames: true})
		require.ErrorContains(t, err, "want a name", name)
	}
}
