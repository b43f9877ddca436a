package definition_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s (-update writes it anew)", file)
}

// fill sets everything that there is to a value of its own, so that a member that is forgotten
// somewhere shows.
func fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, name)
		fill(element, name)
		v.SetMapIndex(key, element)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`{"<` + name + `>":1}`))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), name)
		}
	case reflect.String:
		v.SetString("<" + name + ">")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(len(name)))
	case reflect.Float64:
		v.SetFloat(float64(len(name)) + 0.5)
	default:
		panic("json_test: no value for " + name)
	}
}

func filled() *definition.Document {
	doc := &definition.Document{}
	fill(reflect.ValueOf(doc).Elem(), "Document")
	return doc
}

func TestEveryMember(t *testing.T) {
	doc := filled()
	text, err := doc.MarshalJSON()
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, text, "", "  "))
	pretty.WriteByte('\n')
	golden(t, "every-member.json", pretty.Bytes())
	again, err := definition.Unmarshal(pretty.Bytes())
	require.NoError(t, err)
	require.Equal(t, doc, again)
	text2, err := again.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, string(text), string(text2))
	std, err := json.Marshal(doc) // escapes <, and is the same document
	require.NoError(t, err)
	require.JSONEq(t, string(text), string(std))
}

func TestEmptyDocument(t *testing.T) {
	text, err := new(definition.Document).MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "{}", string(text))
	doc := &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "HTTP", Stages: map[string]*definition.Stage{}}}}
	text, err = doc.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, `{"apis":[{"id":"a","flavor":"HTTP","stages":{}}]}`, string(text))
}

func TestUnmarshalIsStrict(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no-json", `{`, "want one JSON object"},
		{"array", `[]`, "want one JSON object"},
		{"unknown", `{"api":[]}`, `document: want a member that there is, got "api"; the nearest are "apis"`},
		{"letter-case", `{"Apis":[]}`, `document: want a member that there is, got "Apis"`},
		{"nested", `{"apis":[{"id":"a","flavor":"REST","routes":{"GET /":{"auth":{"type":"NONE","authoriser":"x"}}}}]}`,
			`apis[0].routes["GET /"].auth: want a member that there is, got "authoriser"`},
		{"twice", `{"apis":[{"id":"a","id":"b"}]}`, "without repeated names"},
		{"null", `{"apis":[{"id":null}]}`, "apis[0].id: want a value, or no member, got null"},
		{"null-element", `{"apis":[null]}`, "apis[0]: want a value, or no member, got null"},
		{"null-in-map", `{"domains":{"a":null}}`, `domains["a"]: want a value`},
		{"kind", `{"apis":{}}`, "cannot unmarshal object"},
		{"pair", `{"domains":{"a":{"rules":[{"priority":1,"api":"a","stage":"s","headers":[["a"]]}]}}}`,
			`domains["a"].rules[0].headers[0]: want 2 elements, got 1`},
		{"deep", `{"apis":[{"policy":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300) + `}]}`,
			"want one JSON object"},
		{"long", `{"apis":[{"id":"` + strings.Repeat("a", definition.MaxBytes) + `"}]}`, "want at most 33554432 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := definition.Unmarshal([]byte(tt.text))
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
		})
	}
}

// A policy and a schema are free: null is a value there, and names are anybody's.
func TestFreeForms(t *testing.T) {
	text := `{"apis":[{"id":"a","flavor":"REST","routes":{},"models":{"M":{"schema":{"enum":[null,1],"Type":1,"type":2}}},"policy":{"x":null}}]}`
	doc, err := definition.Unmarshal([]byte(text))
	require.NoError(t, err)
	again, err := doc.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, text, string(again))
}

func TestNilPointersAreRefused(t *testing.T) {
	for _, doc := range []*definition.Document{
		{APIs: []*definition.API{nil}},
		{APIs: []*definition.API{{Routes: map[string]*definition.Route{"GET /": nil}}}},
		{Domains: map[string]*definition.Domain{"a": {Mappings: []*definition.Mapping{nil}}}},
	} {
		_, err := doc.MarshalJSON()
		require.ErrorContains(t, err, "want no nil pointers")
	}
}

func TestUnknown(t *testing.T) {
	text := "arn:aws:lambda:" + definition.Unknown("Custom::Lookup.⟨Attr⟩") + ":x"
	name, ok := definition.UnknownIn(text)
	require.True(t, ok)
	require.Equal(t, "Custom::Lookup.Attr", name)
	_, ok = definition.UnknownIn("⟨unknown: never closed")
	require.False(t, ok)
	_, ok = definition.UnknownIn("arn:aws:lambda:us-east-1")
	require.False(t, ok)
}

// FuzzUnmarshal: what is read is written as what reads as the same.
func FuzzUnmarshal(f *testing.F) {
	text, _ := filled().MarshalJSON()
	f.Add(text)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"apis":[{"id":"a","flavor":"HTTP","routes":{"GET /":{"auth":{"type":"NONE"}}},"stages":{}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := definition.Unmarshal(text)
		if err != nil {
			require.Nil(t, doc)
			return
		}
		once, err := doc.MarshalJSON()
		require.NoError(t, err)
		again, err := definition.Unmarshal(once)
		require.NoError(t, err, "%s", once)
		twice, err := again.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))
	})
}
