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

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"security", "security", 0}, {"securty", "security", 1}, {"securities", "security", 3}, {"", "abc", 3}, {"ab", "ba", 2},
		{strings.Repeat("x", 1<<20), "x", 255}} {
		require.Equal(t, tt.want, nearest.Distance(tt.a, tt.b))
		require.Equal(t, tt.want, nearest.Distance(tt.b, tt.a))
	}
}
