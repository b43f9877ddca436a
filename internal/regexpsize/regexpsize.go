// Package regexpsize tells how large a regular expression gets before it is compiled: short ones
// such as (.*.*){1000} become programs that take megabytes, and a match takes time in proportion to
// them.
package regexpsize

import "regexp/syntax"

// Of is about how many instructions re becomes: repetitions are written out.
func Of(re *syntax.Regexp) int { return int(of(re)) }

// most is more than any bound, and fits an int of 32 bits, also as a part of a sum or a product in
// of.
const most = 1 << 30

func of(re *syntax.Regexp) int64 {
	n := int64(1 + len(re.Rune))
	for _, sub := range re.Sub {
		n = min(n+of(sub), most)
	}
	if re.Op == syntax.OpRepeat {
		n *= int64(max(re.Min, re.Max, 1)) // at most 1000, as regexp/syntax refuses more
	}
	return min(n, most)
}
