package terraform_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/terraform"
)

// A text is refused, or gives one document, always the same, which can be written, read and built.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"plan.json", "state.json"} {
		text, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Add(string(shop(nil)))
	f.Add(string(httpPlan(part{values: `{"route_key":"GET /","authorization_type":null}`}, part{values: `{"name":"live"}`})))
	f.Add(`{"format_version":"1.0","values":{"root_module":{"resources":[{"address":"a.b","type":"aws_api_gateway_method","values":{"Ref":{"Ref":"a.b"}}}]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := terraform.Read([]byte(text), terraform.Options{})
		if err != nil {
			require.Nil(t, doc)
			return
		}
		again, err := terraform.Read([]byte(text), terraform.Options{})
		require.NoError(t, err)
		first, err := doc.MarshalJSON()
		require.NoError(t, err)
		second, err := again.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
		_, err = definition.Unmarshal(first)
		require.NoError(t, err)
		if g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)}); err == nil {
			require.NoError(t, g.Close())
		}
	})
}
