package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/nearest"
)

func TestNames(t *testing.T) {
	keys := []string{"POST /pets", "GET /pets/{id}", "GET /pets", "GET /dogs", "$default"}
	for _, tt := range []struct {
		name, want string
		names      []string
	}{
		{"a-letter-less", "GET /pet", []string{"GET /pets", "POST /pets", "GET /dogs"}},
		{"another-variable", "GET /pets/{petId}", []string{"GET /pets/{id}", "GET /pets", "POST /pets"}},
		{"itself", "$default", []string{"$default", "GET /pets", "POST /pets"}},
		{"nothing", "", []string{"$default", "GET /pets", "GET /dogs"}},
		{"no-end", strings.Repeat("x", 1<<20), []string{"POST /pets", "GET /pets/{id}", "GET /pets"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.names, nearest.Names(tt.want, slices.Values(keys)))
		})
	}
	require.Equal(t, `; the nearest are "GET /pets"`, nearest.Hint("GET /pet", slices.Values(keys[2:3])))
	require.Equal(t, "; there are none", nearest.Hint("GET /pet", slices.Values([]string(nil))))
}
