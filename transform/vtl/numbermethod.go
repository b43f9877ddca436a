package vtl

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// numberValue is intValue and the like, of any number.
func (c *call) numberValue(v any) (any, bool) {
	if len(c.args) > 0 {
		return nil, false
	}
	switch c.step.name {
	case "intValue":
		i, _ := toInt32(v)
		return i, true
	case "longValue":
		switch v := v.(type) {
		case float64:
			switch {
			case v != v:
				return int64(0), true
			case v >= 1<<63:
				return int64(math.MaxInt64), true
			case v <= -1<<63:
				return int64(math.MinInt64), true
			}
			return int64(v), true
		case *big.Int:
			return wrap64(v), true
		}
		return v, true
	case "doubleValue":
		f, _ := toDouble(v)
		return f, true
	}
	return nil, false
}

// onInteger is for Integer and Long, which an int64 is by its size.
func (c *call) onInteger(n int64) any {
	if v, ok := c.numberValue(n); ok {
		return v
	}
	_, isInt := int32Of(n)
	switch len(c.args) {
	case 1:
		switch c.step.name {
		case "compareTo":
			if o, ok := c.args[0].(int64); ok {
				if _, same := int32Of(o); same == isInt {
					return int64(compareInts(n, o))
				}
			}
		case "parseInt", "parseLong", "valueOf":
			if isInt == (c.step.name == "parseLong") && c.step.name != "valueOf" {
				return missing
			}
			if o, ok := c.args[0].(int64); ok && c.step.name == "valueOf" {
				return o
			}
			return c.parseInteger(10, isInt)
		case "toString":
			return c.ofInt(isInt, func(o int64) any { return strconv.FormatInt(o, 10) })
		case "toHexString":
			return c.ofInt(isInt, func(o int64) any { return unsigned(o, isInt, 16) })
		case "toBinaryString":
			return c.ofInt(isInt, func(o int64) any { return unsigned(o, isInt, 2) })
		case "toOctalString":
			return c.ofInt(isInt, func(o int64) any { return unsigned(o, isInt, 8) })
		case "signum":
			return c.ofInt(isInt, func(o int64) any { return int64(compareInts(o, 0)) })
		}
	case 2:
		a, aok := c.args[0].(int64)
		b, bok := c.args[1].(int64)
		if c.step.name == "parseInt" && isInt || c.step.name == "parseLong" && !isInt || c.step.name == "valueOf" {
			if _, radix := c.int(1); radix && b >= 2 && b <= 36 {
				return c.parseInteger(int(b), isInt)
			}
			return missing
		}
		if !aok || !bok {
			return missing
		}
		switch c.step.name {
		case "max":
			return max(a, b)
		case "min":
			return min(a, b)
		case "sum":
			if isInt {
				return int64(int32(a + b))
			}
			return a + b
		case "compare":
			return int64(compareInts(a, b))
		case "toString":
			if b < 2 || b > 36 {
				b = 10
			}
			return strconv.FormatInt(a, int(b))
		}
	}
	return missing
}

func (c *call) ofInt(isInt bool, f func(int64) any) any {
	o, ok := c.args[0].(int64)
	if !ok {
		return missing
	}
	if _, small := int32Of(o); isInt && !small {
		return missing
	}
	return f(o)
}

func unsigned(n int64, isInt bool, base int) string {
	if isInt {
		return strconv.FormatUint(uint64(uint32(n)), base)
	}
	return strconv.FormatUint(uint64(n), base)
}

func (c *call) parseInteger(base int, isInt bool) any {
	s, ok := c.text(0)
	if !ok {
		return missing
	}
	if !c.ex.step(len(s)/8) || !c.ex.alloc(len(s)) {
		return nil
	}
	size := 64
	if isInt {
		size = 32
	}
	n, err := strconv.ParseInt(s, base, size)
	if err != nil || strings.Contains(s, "_") {
		return c.fail("want an integer, got " + strconv.Quote(short(s)))
	}
	return n
}

func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func (c *call) onDouble(f float64) any {
	if v, ok := c.numberValue(f); ok {
		return v
	}
	switch {
	case c.is("isNaN", 0):
		return f != f
	case c.is("isInfinite", 0):
		return math.IsInf(f, 0)
	case c.is("compareTo", 1):
		if o, ok := c.args[0].(float64); ok {
			r, _ := compareNumbers(f, o)
			return int64(r)
		}
	case c.is("parseDouble", 1), c.is("valueOf", 1):
		if s, ok := c.text(0); ok {
			return c.parseDouble(s)
		}
		if o, ok := c.args[0].(float64); ok && c.step.name == "valueOf" {
			return o
		}
	}
	return missing
}

// parseDouble reads what Double.parseDouble does, but for hexadecimal numbers.
func (c *call) parseDouble(s string) any {
	if !c.ex.step(8+len(s)) || !c.ex.alloc(2*len(s)) { // digits take longer than looking at them, and an error has a copy
		return nil
	}
	t := strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	switch strings.TrimLeft(t, "+-") {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1 - 2*boolInt(t[0] == '-'))
	}
	digits := strings.TrimRight(t, "dDfF")
	if len(digits) < len(t)-1 || strings.ContainsAny(digits, "_xXnNiI") || digits == "" {
		return c.fail("want a number, got " + strconv.Quote(short(s)))
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil && !math.IsInf(f, 0) {
		return c.fail("want a number, got " + strconv.Quote(short(s)))
	}
	return f
}

func (c *call) onBig(b *big.Int) any {
	if !c.ex.weigh(b, nil) {
		return nil
	}
	if v, ok := c.numberValue(b); ok {
		return v
	}
	if c.is("compareTo", 1) {
		if o, ok := c.args[0].(*big.Int); ok {
			return int64(b.Cmp(o))
		}
	}
	return missing
}

func (c *call) onChar(ch Char) any {
	switch {
	case c.is("charValue", 0):
		return ch
	case c.is("compareTo", 1):
		if o, ok := c.args[0].(Char); ok {
			return int64(ch) - int64(o)
		}
	}
	if len(c.args) != 1 {
		return missing
	}
	o, ok := c.args[0].(Char)
	if !ok {
		return missing
	}
	r := rune(o)
	switch c.step.name {
	case "isDigit":
		return unicode.Is(unicode.Nd, r)
	case "isLetter":
		return unicode.IsLetter(r)
	case "isLetterOrDigit":
		return unicode.IsLetter(r) || unicode.Is(unicode.Nd, r)
	case "isUpperCase":
		return unicode.IsUpper(r)
	case "isLowerCase":
		return unicode.IsLower(r)
	case "toUpperCase":
		return Char(unicode.ToUpper(r))
	case "toLowerCase":
		return Char(unicode.ToLower(r))
	case "valueOf":
		return o
	}
	return missing
}
