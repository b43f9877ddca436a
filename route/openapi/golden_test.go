package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// documents are all of ours.
var documents = []struct {
	file string
	o    openapi.Options
}{
	{"orders.yaml", openapi.Options{ID: "Orders", Region: "eu-west-1", Account: "012345678901", APIID: "a1b2c3d4e5", EndpointTypes: []string{"PRIVATE"}}},
	{"library.json", openapi.Options{}},
	{"tickets.yaml", openapi.Options{BasePath: openapi.BasePathSplit}},
}

func read(t *testing.T, text string, o openapi.Options) *definition.Document {
	t.Helper()
	doc, err := openapi.Read([]byte(text), o)
	require.NoError(t, err)
	return doc
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile("testdata/"+name, got, 0o644))
	}
	require.Equal(t, file(t, name), string(got), "%s (-update writes it anew)", name)
}

// pretty is a document's JSON form for people.
func pretty(t *testing.T, doc *definition.Document) []byte {
	t.Helper()
	text, err := doc.MarshalJSON()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, text, "", " "))
	b.WriteByte('\n')
	return b.Bytes()
}

func base(name string) string { return name[:strings.IndexByte(name, '.')] }

func TestReadGolden(t *testing.T) {
	for _, d := range documents {
		t.Run(d.file, func(t *testing.T) {
			o := d.o
			o.File = d.file
			golden(t, base(d.file)+".read.json", pretty(t, read(t, file(t, d.file), o)))
		})
	}
}

// What is read, written and read again is the same API, but for its places.
func TestRoundTrip(t *testing.T) {
	for _, d := range documents {
		t.Run(d.file, func(t *testing.T) {
			first := read(t, file(t, d.file), d.o)
			written, err := openapi.Write(first, first.APIs[0].ID, openapi.Options{EndpointTypes: d.o.EndpointTypes})
			require.NoError(t, err)
			golden(t, base(d.file)+".written.json", written)
			o := d.o
			o.Flavor, o.BasePath, o.FailOnWarnings = first.APIs[0].Flavor, "", true
			second := read(t, string(written), o)
			require.Equal(t, string(pretty(t, withoutPlaces(t, first))), string(pretty(t, withoutPlaces(t, second))))
			guessed := read(t, string(written), openapi.Options{})
			require.Equal(t, o.Flavor, guessed.APIs[0].Flavor)
		})
	}
}

// withoutPlaces is a copy of what a document has but origins and findings.
func withoutPlaces(t *testing.T, doc *definition.Document) *definition.Document {
	t.Helper()
	text, err := doc.MarshalJSON()
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, json.Unmarshal(text, &v))
	delete(v, "findings")
	drop(v, "origin")
	text, err = json.Marshal(v)
	require.NoError(t, err)
	doc, err = definition.Unmarshal(text)
	require.NoError(t, err)
	return doc
}

func drop(v any, name string) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, name)
		for _, member := range v {
			drop(member, name)
		}
	case []any:
		for _, element := range v {
			drop(element, name)
		}
	}
}
