package vtl

import (
	"maps"
	"slices"
)

// MethodNames are the names in the table of methods.
func MethodNames() []string { return slices.Sorted(maps.Keys(methods)) }
