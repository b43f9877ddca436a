package cloudformation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

var update = flag.Bool("update", false, "write the golden files anew")

// templates are all of ours.
var templates = []struct {
	file, golden string
	o            cloudformation.Options
}{
	{"orders.yaml", "orders.json", cloudformation.Options{Stack: "shop"}},
	{"shop.yaml", "shop.json", cloudformation.Options{Stack: "shop", Region: "eu-west-1", Account: "111122223333"}},
	{"chat.json", "chat.read.json", cloudformation.Options{Region: "cn-north-1"}},
	{"loops.yaml", "loops.json", cloudformation.Options{}},
	{"imported.yaml", "imported.json", cloudformation.Options{Files: map[string]string{"s3://documents/pets.yaml": "pets.yaml"}}},
	{"cdk.out", "cdk.json", cloudformation.Options{}},
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile("testdata/"+name, got, 0o644))
	}
	want, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s (-update writes it anew)", name)
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

func TestReadGolden(t *testing.T) {
	for _, tt := range templates {
		t.Run(tt.file, func(t *testing.T) {
			doc, err := cloudformation.Read(os.DirFS("testdata"), tt.file, tt.o)
			require.NoError(t, err)
			golden(t, tt.golden, pretty(t, doc))
			again, err := cloudformation.Read(os.DirFS("testdata"), tt.file, tt.o)
			require.NoError(t, err)
			require.Equal(t, pretty(t, doc), pretty(t, again), "the same input, the same document")
		})
	}
}

// read reads one template.
func read(t *testing.T, text string, o cloudformation.Options) *definition.Document {
	t.Helper()
	doc, err := tried(text, o)
	require.NoError(t, err)
	return doc
}

func tried(text string, o cloudformation.Options) (*definition.Document, error) {
	return cloudformation.Read(fstest.MapFS{"t.yaml": {Data: []byte(text)}}, "t.yaml", o)
}
