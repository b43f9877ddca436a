package cloudformation_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
)

// samTemplates are those of testdata/sam.
var samTemplates = []string{"rest", "http", "bodies", "more"}

func TestSAMGolden(t *testing.T) {
	for _, name := range samTemplates {
		t.Run(name, func(t *testing.T) {
			read := func() []byte {
				doc, err := cloudformation.Read(os.DirFS("testdata"), "sam/"+name+".yaml", cloudformation.Options{Stack: "shop"})
				require.NoError(t, err)
				return pretty(t, doc)
			}
			golden(t, "sam/"+name+".json", read())
			require.Equal(t, read(), read(), "the same input, the same document")
		})
	}
}
