package definition_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

// Parts that differ have different digests, however their texts and lists are divided.
func TestDigest(t *testing.T) {
	zero := 0
	all := [][]any{
		{}, {""}, {"", ""}, {"a"}, {"a", "b"}, {"ab"}, {[]string{"a", "b"}}, {[]string{"a"}, []string{"b"}}, {[]string{"a"}, "b"}, {[][]string{{"a"}, {"b"}}},
		{[][]string{{"a", "b"}}}, {[]string{}}, {map[string]string{}}, {map[string]string{"a": "b"}}, {map[string]string{"b": "a"}}, {map[string][]string{"a": {"b"}}},
		{1}, {int64(2)}, {1.0}, {2.0}, {true}, {false}, {true, true}, {&zero, 1}, {(*int)(nil)}, {[]byte("a"), 1},
		{definition.Route{Operation: "a"}}, {definition.Route{ResourceID: "a"}}, {&definition.Integration{Method: "a"}}, {[2]string{"a", "b"}, 1},
	}
	seen := map[string]any{}
	for _, parts := range all {
		sum, unknown := definition.Digest(parts...)
		again, _ := definition.Digest(parts...)
		require.Equal(t, sum, again)
		require.Empty(t, unknown)
		if other, ok := seen[sum]; ok {
			t.Errorf("%#v and %#v have one digest", parts, other)
		}
		seen[sum] = parts
	}
	here := &definition.Route{Operation: "a", Origin: definition.Origin{Line: 7}}
	there := &definition.Route{Operation: "a", Integration: nil, Origin: definition.Origin{Template: "x"}}
	a, _ := definition.Digest(here)
	b, _ := definition.Digest(there)
	require.Equal(t, a, b, "where something is from doesn't count")
	_, unknown := definition.Digest(map[string]string{"a": "x" + definition.Unknown("P")})
	require.Equal(t, "P", unknown)
}
