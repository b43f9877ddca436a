// Package regexpsize tells how large a regular expression gets before it is compiled: short ones such as (.*.*){1000} become programs that
// take megabytes, and a match takes time in proportion to them.
package regexpsize

import "regexp/syntax"

// Of is about how many instructions re becomes: repetitions are written out.
func Of(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += Of(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<40)
}
