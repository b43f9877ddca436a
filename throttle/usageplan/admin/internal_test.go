package admin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// FuzzKeyFile reads any file: each line becomes a key or an error, and no value is longer than it
// was.
func FuzzKeyFile(f *testing.F) {
	f.Add("Name,key,description,Enabled,usageplanIds\na,aaaaaaaaaaaaaaaaaaaaaaaa,d,true,\"p1,p2\"\n")
	f.Add("name,key\n,\n\"\"\"\",x\n")
	f.Add("\ufeffkey;name\n")
	f.Fuzz(func(t *testing.T, file string) {
		list, err := parseKeyFile(strings.NewReader(file))
		if err != nil {
			require.Empty(t, list)
			require.ErrorIs(t, err, usageplan.ErrInvalid)
		}
		for _, k := range list {
			require.LessOrEqual(t, len(k.key.Value), len(file))
			require.Positive(t, k.line)
			if k.err == nil {
				require.NotEmpty(t, k.key.Value, "or a value would be made that nobody sees")
			}
		}
	})
}
