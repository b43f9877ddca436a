// Package nearest finds what somebody may have meant who wrote a name that isn't there.
package nearest

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// The bounds of a hint: a longer list helps nobody, and names this long are compared as if they
// ended there.
const (
	maxNames = 3
	maxBytes = 256
)

// Names returns the names of have that are nearest to want, at most three, the nearest first: by
// the number of bytes to insert, delete or replace (Levenshtein), among equals in the order of
// have. It compares want with each, so it is for errors only.
func Names(want string, have iter.Seq[string]) []string {
	type near struct {
		name     string
		distance int
	}
	var all []near
	for name := range have {
		all = append(all, near{name, Distance(want, name)})
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, maxNames)
	for _, n := range all[:min(len(all), maxNames)] {
		names = append(names, n.name)
	}
	return names
}

// Hint is Names as a clause of an error: `; the nearest are "GET /pets", "GET /pets/{id}"`, or that
// there are none.
func Hint(want string, have iter.Seq[string]) string {
	names := Names(want, have)
	if len(names) == 0 {
		return "; there are none"
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return "; the nearest are " + strings.Join(quoted, ", ")
}

// Distance is the number of bytes to insert, delete or replace that make one name of the other
// (Levenshtein); of longer names the first 256 bytes count.
func Distance(a, b string) int {
	// One row of the table is kept: after the bytes of a that have been read, row[j] is the
	// distance to b[:j].
	a, b = a[:min(len(a), maxBytes)], b[:min(len(b), maxBytes)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
