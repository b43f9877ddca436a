package vtl

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// A number's class has static methods, which Velocity calls on any number of it: $n.parseInt("7")
// is the usual way to read one.

var numberMethods = []method{
	{names: "intValue", cost: weighed, run: func(c call) any {
		i, _ := toInt32(c.on)
		return i
	}},
	{names: "longValue", cost: weighed, run: func(c call) any { return toInt64(c.on) }},
	{names: "doubleValue", cost: weighed, run: func(c call) any {
		f, _ := toDouble(c.on)
		return f
	}},
	{names: "compareTo", takes: "*", cost: weighed, run: compareTo(func(a, b any) int {
		n, _ := compareNumbers(a, b)
		return n
	})},
}

// weighed pays for integers beyond 64 bits.
func weighed(c call) bool { return c.ex.weigh(c.on, nil) }

// Those of Integer and Long. Where they differ, it is by the size of what they accept.
var integerMethods = []method{
	{names: "valueOf", takes: "s si", run: parseInteger},
	{names: "valueOf", takes: "w", run: func(c call) any { return c.args[0] }},
	{names: "toString", takes: "w wi", run: func(c call) any {
		base := 10
		if len(c.args) == 2 && c.int(1) >= 2 && c.int(1) <= 36 {
			base = c.int(1)
		}
		return strconv.FormatInt(c.long(0), base)
	}},
	{names: "toHexString", takes: "w", run: unsigned(16)},
	{names: "toOctalString", takes: "w", run: unsigned(8)},
	{names: "toBinaryString", takes: "w", run: unsigned(2)},
	{names: "signum", takes: "w", run: func(c call) any { return int64(cmp.Compare(c.long(0), 0)) }},
	{names: "compare", takes: "ww", run: func(c call) any { return int64(cmp.Compare(c.long(0), c.long(1))) }},
	{names: "max", takes: "ww", run: func(c call) any { return max(c.long(0), c.long(1)) }},
	{names: "min", takes: "ww", run: func(c call) any { return min(c.long(0), c.long(1)) }},
}

var intMethods = []method{
	{names: "parseInt", takes: "s si", run: parseInteger},
	{names: "sum", takes: "ii", run: func(c call) any { return int64(int32(c.long(0) + c.long(1))) }},
}

var longMethods = []method{
	{names: "parseLong", takes: "s si", run: parseInteger},
	{names: "sum", takes: "nn", run: func(c call) any { return c.long(0) + c.long(1) }},
}

var doubleMethods = []method{
	{names: "isNaN", run: of(func(_ call, f float64) any { return f != f })},
	{names: "isInfinite", run: of(func(_ call, f float64) any { return math.IsInf(f, 0) })},
	{names: "parseDouble valueOf", takes: "s", run: parseDouble},
	{names: "valueOf", takes: "d", run: func(c call) any { return c.args[0] }},
}

var booleanMethods = []method{
	{names: "booleanValue", run: func(c call) any { return c.on }},
	{names: "compareTo", takes: "*", run: compareTo(func(a, b bool) int { return boolInt(a) - boolInt(b) })},
	{names: "valueOf", takes: "b", run: func(c call) any { return c.args[0] }},
	// None of these letters has a relative beyond ASCII, so that EqualFold is equalsIgnoreCase
	// here.
	{names: "parseBoolean valueOf", takes: "S", run: func(c call) any {
		s, _ := c.args[0].(string)
		return len(s) == len("true") && strings.EqualFold(s, "true")
	}},
}

var charMethods = []method{
	{names: "charValue", run: func(c call) any { return c.on }},
	{names: "compareTo", takes: "*", run: compareTo(func(a, b Char) int { return int(a) - int(b) })},
	{names: "valueOf", takes: "c", run: func(c call) any { return c.args[0] }},
	{names: "isDigit", takes: "c", run: letter(func(r rune) any { return unicode.Is(unicode.Nd, r) })},
	{names: "isLetter", takes: "c", run: letter(func(r rune) any { return unicode.IsLetter(r) })},
	{names: "isLetterOrDigit", takes: "c", run: letter(func(r rune) any {
		return unicode.IsLetter(r) || unicode.Is(unicode.Nd, r)
	})},
	{names: "isUpperCase", takes: "c", run: letter(func(r rune) any { return unicode.IsUpper(r) })},
	{names: "isLowerCase", takes: "c", run: letter(func(r rune) any { return unicode.IsLower(r) })},
	{names: "toUpperCase", takes: "c", run: letter(func(r rune) any { return Char(unicode.ToUpper(r)) })},
	{names: "toLowerCase", takes: "c", run: letter(func(r rune) any { return Char(unicode.ToLower(r)) })},
}

func letter(is func(rune) any) func(call) any {
	return func(c call) any { return is(rune(c.args[0].(Char))) }
}

func (c call) long(i int) int64 { return c.args[i].(int64) }

// unsigned writes the bits of a number, of which an Integer has 32.
func unsigned(base int) func(call) any {
	return func(c call) any {
		n := uint64(c.long(0))
		if classOf(c.on) == classInt {
			n = uint64(uint32(n))
		}
		return strconv.FormatUint(n, base)
	}
}

// parseInteger is Integer.parseInt, or the like of a Long. Unlike Go's reader it has no underscores
// and no prefixes.
func parseInteger(c call) any {
	s, base, size := c.text(0), 10, 64
	if !c.ex.step(len(s)/8) || !c.ex.alloc(len(s)) {
		return nil
	}
	if len(c.args) == 2 {
		base = c.int(1)
	}
	if classOf(c.on) == classInt {
		size = 32
	}
	if base >= 2 && base <= 36 && !strings.Contains(s, "_") {
		if n, err := strconv.ParseInt(s, base, size); err == nil {
			return n
		}
	}
	return c.fail("want an integer, got %q", short(s))
}

func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// parseDouble reads what Double.parseDouble does, but for hexadecimal numbers.
func parseDouble(c call) any {
	s := c.text(0)
	if !c.ex.step(8+len(s)) || !c.ex.alloc(2*len(s)) { // digits take time, and an error has a copy
		return nil
	}
	t := trim(s)
	switch strings.TrimLeft(t, "+-") {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1 - 2*boolInt(t[0] == '-'))
	}
	digits := strings.TrimRight(t, "dDfF")
	if len(digits) >= len(t)-1 && digits != "" && !strings.ContainsAny(digits, "_xXnNiI") {
		if f, err := strconv.ParseFloat(digits, 64); err == nil || math.IsInf(f, 0) {
			return f
		}
	}
	return c.fail("want a number, got %q", short(s))
}

// toInt32 is Number.intValue, which cuts: of an integer the low bits stay, a double ends at the
// largest there is. (Java Language Specification, 5.1.3.)
func toInt32(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case float64:
		return clamped(v, math.MinInt32, math.MaxInt32), true
	case int64, *big.Int:
		return int64(int32(toInt64(v))), true
	}
	return 0, false
}

// toInt64 is Number.longValue.
func toInt64(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return clamped(v, math.MinInt64, math.MaxInt64)
	case *big.Int: // the low 64 bits
		return int64(new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
	}
	return 0
}

func clamped(f float64, least, most int64) int64 {
	switch {
	case f != f:
		return 0
	case f >= float64(most):
		return most
	case f <= float64(least):
		return least
	}
	return int64(f)
}
