package validate_test

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform/validate"
)

func bodyError(t testing.TB, err error) *validate.BodyError {
	t.Helper()
	var why *validate.BodyError
	require.ErrorAs(t, err, &why)
	return why
}

// One of these numbers takes minutes in arithmetic of any precision, or makes the schemas' package
// panic.
func TestHugeNumbers(t *testing.T) {
	v := bodies(t, `{"items":{"type":"integer","minimum":1,"maximum":10,"multipleOf":3},"uniqueItems":true}`)
	for _, number := range []string{"1e1000000000", "1e-1000000000", "-1e99999999999999999999", "1e401", strings.Repeat("9", 1<<20), "0." + strings.Repeat("0", 1<<20) + "1"} {
		err := v.Check(rest("POST", "/", "["+number+"]"))
		require.ErrorContains(t, err, "a number is too long or too large", "%.20s", number)
	}
	for _, number := range []string{"1e400", "1e-400", "-0", "0.0e0"} {
		require.NotEmpty(t, bodyError(t, v.Check(rest("POST", "/", "["+number+","+number+"]"))).Mistakes(), number)
	}
	require.NoError(t, v.Check(rest("POST", "/", `[3,6.0,9e0]`)))
}

// A time per pattern wouldn't bound a body with a hundred thousand strings: all of a request's
// share one.
func TestCatastrophicPattern(t *testing.T) {
	m, err := validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Model": `{"items":{"pattern":"^(?=a)(a+)+$"}}`}, PatternBudget: 50 * time.Millisecond})
	require.NoError(t, err)
	v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": "Model"}})
	require.NoError(t, err)
	evil := `"` + strings.Repeat("a", 22) + `!"`
	body := "[" + strings.Repeat(evil+",", 100_000) + evil + "]"
	for range 2 { // a copy of the schema that ran out of time is as good as new afterwards
		err = v.Check(rest("POST", "/", body)) // all of the strings would take hours
		require.ErrorContains(t, err, "the patterns of the model took too long")
		require.Equal(t, "[]", bodyError(t, err).ValidationErrorString())
		require.NoError(t, v.Check(rest("POST", "/", `["a","aaa"]`)))
	}
}

// A million mistakes are one refusal, in bounded memory: nothing is collected of a body that large,
// and ten of a smaller one.
func TestManyMistakes(t *testing.T) {
	v := bodies(t, `{"items":{"type":"string"}}`)
	body := "[" + strings.Repeat("1,", 499_000) + "1]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := v.Check(rest("POST", "/", body))
	why := bodyError(t, err)
	require.Empty(t, why.Mistakes())
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(300<<20))
	require.Equal(t, "[]", why.ValidationErrorString())
	require.ErrorContains(t, v.Check(rest("POST", "/", "["+strings.Repeat("1,", 600_000)+"1]")), "too many values")

	why = bodyError(t, v.Check(rest("POST", "/", "["+strings.Repeat("1,", 9_000)+"1]")))
	require.Len(t, why.Mistakes(), 10)
	require.Equal(t, "#/0", why.Mistakes()[0].Pointer)
	require.Less(t, len(why.ValidationErrorString()), 2000)
}

// What is said of a mistake is short, whatever the client sent, and what is logged quotes no
// values.
func TestLongMistakes(t *testing.T) {
	name, secret := strings.Repeat("ñ/~", 100_000), "hunter2-"+strings.Repeat("é", 100_000)
	v := bodies(t, `{"properties":{"known":{"enum":["a"]},"pattern":{"pattern":"^x$"},"format":{"format":"email"}},"additionalProperties":{"type":"null"}}`)
	quoted, err := json.Marshal(map[string]any{name: secret, "known": secret, "pattern": secret, "format": secret})
	require.NoError(t, err)
	rej := v.Check(rest("POST", "/", string(quoted)))
	why := bodyError(t, rej)
	require.Len(t, why.Mistakes(), 4)
	for _, m := range why.Mistakes() {
		require.LessOrEqual(t, len(m.Pointer), 300)
		require.LessOrEqual(t, len(m.Detail), 300)
		require.True(t, json.Valid([]byte(`"`+strings.ReplaceAll(strings.ReplaceAll(m.Detail, `\`, `\\`), `"`, `\"`)+`"`)), m.Detail)
	}
	require.Contains(t, why.ValidationErrorString(), "hunter2")
	require.NotContains(t, rej.Error(), "hunter2")
	require.Less(t, len(rej.Error()), 2000)
	bad := bodies(t, `{}`).Check(rest("POST", "/", `{"password":"hunter2`))
	require.NotContains(t, bad.Error(), "hunter2")
}

func TestDeepBodies(t *testing.T) {
	v := bodies(t, `{"items":{"$ref":"#"}}`)
	for _, body := range []string{strings.Repeat("[", 10<<20), strings.Repeat(`{"a":`, 2<<20), strings.Repeat("[", 129) + strings.Repeat("]", 129)} {
		require.ErrorContains(t, v.Check(rest("POST", "/", body)), "nested too deep")
	}
	require.NoError(t, v.Check(rest("POST", "/", strings.Repeat("[", 128)+strings.Repeat("]", 128))))
}

// A schema that only refers to itself ends.
func TestCircularReferences(t *testing.T) {
	for _, schema := range []string{`{"$ref":"#"}`, `{"allOf":[{"$ref":"#"}]}`, `{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/Model"}`} {
		m, err := validate.NewModels(validate.ModelsConfig{APIID: "x", Schemas: map[string]string{"Model": schema}})
		if err != nil {
			continue
		}
		v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": "Model"}})
		require.NoError(t, err)
		_ = v.Check(rest("POST", "/", `{}`)) // what it says of {} isn't defined
	}
}

// A value that a client writes as a pattern is compiled by the same bounded engine.
func TestPatternsOfClients(t *testing.T) {
	v := bodies(t, `{"items":{"format":"regex"}}`)
	for _, pattern := range []string{"(", strings.Repeat("a", 10_001)} {
		quoted, err := json.Marshal([]string{pattern})
		require.NoError(t, err)
		require.Error(t, v.Check(rest("POST", "/", string(quoted))))
	}
	require.NoError(t, v.Check(rest("POST", "/", `["^(?=a)a$","a+"]`)))
}

// Parameters end at a semicolon, too, as they do for templates and mappings: a validator that saw
// more in them would let blanks pass.
func TestSemicolonsSeparateParameters(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateParameters: true, RequestParameters: map[string]bool{"method.request.querystring.q": true}})
	require.NoError(t, err)
	require.NoError(t, v.Check(rest("GET", "/?a=1;q=2", "")))
	require.ErrorContains(t, v.Check(rest("GET", "/?q=;a=1", "")), "Missing required request parameters: [q]")
	require.ErrorContains(t, v.Check(rest("GET", "/?q=1&a=1;q=", "")), "Missing required request parameters: [q]")
}

func TestStrangeQueriesAndHeaders(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateParameters: true, RequestParameters: map[string]bool{"method.request.querystring.q": true, "method.request.header.x": true}})
	require.NoError(t, err)
	for _, query := range []string{"%", "%zz=1", "q=%zz&", strings.Repeat("&", 1<<20), strings.Repeat("q=&", 1<<18), "=q", "q;=1"} {
		r := rest("GET", "/", "")
		r.URL.RawQuery = query
		err := v.Check(r)
		var rej *gatekit.Rejection
		require.True(t, errors.As(err, &rej))
		require.LessOrEqual(t, len(rej.Message), 60)
	}
}

// FuzzBody: no body makes the validator panic, and whoever gets a body gets it as it was sent.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"type":"dog","price":30}`, `{"type":1,"price":1e400,"list":["a","b"]}`, `[]`, `{"a":{"$ref":"#"}}`, "\xff", `{"word":"aaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}`} {
		f.Add([]byte(seed))
	}
	v := bodies(f, `{"type":"object","required":["type"],"properties":{"type":{"enum":["dog",1,null,{"a":[1]}]},"price":{"type":"integer","minimum":1,"maximum":1e3,"multipleOf":0.1},
		"list":{"uniqueItems":true,"items":{"format":"date-time","minLength":1,"maxLength":4}},"word":{"pattern":"^(?=a)(a|b)+$"},"any":{"anyOf":[{"type":"string"},{"oneOf":[{"minimum":1},{"maximum":2}]}]},"child":{"$ref":"#"}},
		"patternProperties":{"^x":{"not":{"type":"string"}}},"additionalProperties":{"type":["string","null","object"]},"dependencies":{"price":["type"]},"maxProperties":6}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := rest("POST", "/", string(body))
		w, seen := serve(t, v, r)
		switch {
		case w.Code == 200 && seen != string(body):
			t.Fatalf("%q reached the handler as %q", body, seen)
		case w.Code == 400:
			why := bodyError(t, gatekit.From(r.Context()).Rejection().Cause)
			if len(why.Mistakes()) > 10 || len(why.Error()) > 10_000 || len(why.ValidationErrorString()) > 10_000 {
				t.Fatalf("%q: %v", body, why)
			}
		case w.Code != 200:
			t.Fatalf("%q: %d", body, w.Code)
		}
	})
}
