package regexpsize

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxFolded is how many characters the ranges of a pattern that disregards case should have at
// most. Go's parser looks up each of them: one range over all of Unicode takes it two milliseconds,
// and a short pattern has room for seventy.
const MaxFolded = 10_000

// foldFlag finds flags that make a pattern disregard case.
var foldFlag = regexp.MustCompile(`\(\?[a-zA-Z]*i`)

// Folded is how many characters the ranges of classes have for which the parser looks up the other
// case. text is a pattern in Go's syntax, which need not parse.
func Folded(text string) int {
	if !foldFlag.MatchString(text) {
		return 0
	}
	total, inClass := 0, false
	low, ranged := rune(-1), false
	for at := 0; at < len(text); {
		c, size := classRune(text[at:])
		switch {
		case !inClass:
			inClass = text[at] == '['
			low, ranged = -1, false
			if inClass && strings.HasPrefix(text[at+1:], "^") {
				size++
			}
		case text[at] == ']' && low >= 0:
			inClass = false
		case text[at] == '-' && low >= 0 && !ranged:
			ranged = true
		case ranged:
			total += max(0, int(c-low))
			low, ranged = 0, false // what follows begins anew; it is no first character of a class
		default:
			low = max(c, 0)
		}
		at += size
	}
	return total
}

// classRune reads a character as it stands in a class. Escapes that are no single character are 0.
func classRune(s string) (rune, int) {
	if s[0] != '\\' || len(s) == 1 {
		return utf8.DecodeRuneInString(s)
	}
	r, size := utf8.DecodeRuneInString(s[1:])
	if r != 'x' {
		return r, 1 + size
	}
	if digits, _, found := strings.Cut(s[2:], "}"); found && strings.HasPrefix(digits, "{") {
		n, _ := strconv.ParseUint(digits[1:], 16, 31)
		return rune(n), 3 + len(digits)
	}
	n, _ := strconv.ParseUint(s[2:min(4, len(s))], 16, 31)
	return rune(n), min(4, len(s))
}
