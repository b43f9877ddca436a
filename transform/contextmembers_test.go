package transform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/transform"
)

// Which members $context.keySet() always lists, and in which order, is recorded of REST APIs alone. What they are is the table's
// of internal/contextvar: a name that only one of the two had would be listed and be nothing.
func TestMembersOfContextAreVariables(t *testing.T) {
	members := transform.ContextMembers
	require.NotEmpty(t, members["identity."])
	for prefix, names := range members {
		for _, name := range names {
			if _, part := members[prefix+name+"."]; part || name == "requestOverride" || name == "responseOverride" {
				continue
			}
			_, err := contextvar.Parse(prefix + name)
			require.NoError(t, err)
		}
	}
}
