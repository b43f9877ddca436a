package terraform_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/terraform"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestReadGolden(t *testing.T) {
	for _, tt := range []struct {
		file, golden string
		o            terraform.Options
	}{
		{"plan.json", "plan.read.json", terraform.Options{}},
		{"state.json", "state.read.json", terraform.Options{}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + tt.file)
			require.NoError(t, err)
			tt.o.File = tt.file
			doc, err := terraform.Read(text, tt.o)
			require.NoError(t, err)
			got := pretty(t, doc)
			if *update {
				require.NoError(t, os.WriteFile("testdata/"+tt.golden, got, 0o644))
			}
			want, err := os.ReadFile("testdata/" + tt.golden)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "%s (-update writes it anew)", tt.golden)
			again, err := terraform.Read(text, tt.o)
			require.NoError(t, err)
			require.Equal(t, doc, again)
		})
	}
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
