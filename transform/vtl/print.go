package vtl

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// A printer appends the text of values. Lists may hold themselves, or the same list twice at each
// of thirty levels: so depth, length and work end it, and it then says which.
type printer struct {
	limit int // of the whole buffer it appends to
	work  int // steps that it may take
	over  overLimit
}

// overLimit is what a printer has exceeded.
type overLimit uint8

const (
	overNothing overLimit = iota
	overText
	overDepth
	overWork
)

// spend takes steps, and reports whether to go on.
func (p *printer) spend(steps int) bool {
	if p.work -= steps; p.work < 0 {
		p.over = overWork
	}
	return p.over == overNothing
}

// enter spends a step on a value. What is in an entry passes no row, and an entry may hold itself:
// so each value looks how deep it is, and not the rows alone. Else the stack would overflow, which
// ends the whole process.
func (p *printer) enter(depth int) bool {
	if depth > maxValueDepth {
		p.over = overDepth
	}
	return p.spend(1)
}

// row appends what has elements, and closes it also where a limit is reached: what follows is
// missing then, but JSON stays JSON.
func (p *printer) row(dst []byte, brackets, between string, n, depth int, each func(dst []byte, i int) []byte) []byte {
	if depth >= maxValueDepth {
		p.over = overDepth
		return append(dst, "null"...)
	}
	dst = append(dst, brackets[0])
	for i := 0; i < n && p.over == overNothing; i++ {
		if i > 0 {
			dst = append(dst, between...)
		}
		if dst = each(dst, i); len(dst) > p.limit {
			p.over = overText
		}
	}
	return append(dst, brackets[1])
}

// value appends v as Java's toString has it; null is "null", which is how it stands inside of lists
// and maps.
func (p *printer) value(dst []byte, v any, depth int) []byte {
	if !p.enter(depth) {
		return dst
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		if len(dst)+len(v) > p.limit {
			p.over = overText
		}
		if !p.spend(len(v) / 64) {
			return dst
		}
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		p.spend(2)
		return appendDouble(dst, v)
	case *big.Int:
		p.spend(v.BitLen() / 6)
		return v.Append(dst, 10)
	case Char:
		return appendChar(dst, v)
	case *loopInfo:
		return v.appendText(dst)
	case *List:
		switch v.kind {
		case jsonArray:
			return p.json(dst, v, depth)
		case stringArray:
			return append(dst, "[Ljava.lang.String;@1b6d3586"...)
		case objectArray:
			return append(dst, "[Ljava.lang.Object;@1b6d3586"...)
		}
		return p.elements(dst, v, depth)
	case *view:
		return p.elements(dst, v, depth)
	case *Map:
		return p.row(dst, "{}", ", ", v.Len(), depth, func(dst []byte, i int) []byte {
			return p.pair(dst, v, v.entries[i], depth)
		})
	case *entry:
		return p.pair(dst, nil, v, depth)
	}
	// An Object has no text, as the managed gateway's structured members have none.
	return dst
}

// elements is AbstractCollection.toString, which looks out for the collection itself and for no
// other that holds it.
func (p *printer) elements(dst []byte, of sequence, depth int) []byte {
	return p.row(dst, "[]", ", ", of.Len(), depth, func(dst []byte, i int) []byte {
		if e := of.At(i); e != any(of) {
			return p.value(dst, e, depth+1)
		}
		return append(dst, "(this Collection)"...)
	})
}

// pair is an entry of m, if it is one of a map that is printed: AbstractMap.toString looks out for
// itself, too.
func (p *printer) pair(dst []byte, m *Map, e *entry, depth int) []byte {
	for i, v := range [...]any{e.key, e.value} {
		if i == 1 {
			dst = append(dst, '=')
		}
		if m != nil && v == any(m) {
			dst = append(dst, "(this Map)"...)
		} else {
			dst = p.value(dst, v, depth+1)
		}
	}
	return dst
}

// AppendJSON appends the JSON text of v: compact, keys in order, with nothing escaped but quotes,
// backslashes and control characters. A number that is not finite, a list that is nested deeper
// than 512 (one that holds itself, say), values that templates don't know and an [Object] are null.
// What follows after 10 MiB is missing.
func AppendJSON(dst []byte, v any) []byte {
	p := printer{limit: len(dst) + maxValueBytes, work: math.MaxInt}
	v, _ = normal(v)
	return p.json(dst, v, 0)
}

// json goes on with null where a limit is reached, so that what comes out is always JSON.
func (p *printer) json(dst []byte, v any, depth int) []byte {
	if !p.enter(depth) {
		return append(dst, "null"...)
	}
	switch v := v.(type) {
	case string:
		p.spend(len(v) / 16)
		return jsonlex.AppendString(dst, v)
	case bool, int64, *big.Int:
		return p.value(dst, v, depth)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return appendDouble(dst, v)
		}
	case Char:
		return jsonlex.AppendString(dst, string(appendChar(nil, v)))
	case sequence:
		return p.row(dst, "[]", ",", v.Len(), depth, func(dst []byte, i int) []byte {
			return p.json(dst, v.At(i), depth+1)
		})
	case *Map:
		return p.row(dst, "{}", ",", v.Len(), depth, func(dst []byte, i int) []byte {
			return p.member(dst, v.entries[i], depth)
		})
	case *entry:
		return append(p.member(append(dst, '{'), v, depth), '}')
	}
	return append(dst, "null"...)
}

// member appends the key of an entry, as text, and its value.
func (p *printer) member(dst []byte, e *entry, depth int) []byte {
	key, ok := e.key.(string)
	if !ok {
		of := printer{limit: p.limit - len(dst), work: p.work}
		key = string(of.value(nil, e.key, depth+1))
		if p.work = of.work; of.over != overNothing {
			p.over = of.over
		}
	}
	p.spend(1 + len(key)/16)
	return p.json(append(jsonlex.AppendString(dst, key), ':'), e.value, depth+1)
}

func appendChar(dst []byte, c Char) []byte {
	if c >= 0xd800 && c < 0xe000 {
		return append(dst, '?') // half of a pair, as Java encodes it
	}
	return utf8.AppendRune(dst, rune(c))
}

// appendDouble appends what Double.toString returns: digits with a point between 0.001 and ten
// million, else 1.0E9.
func appendDouble(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		start := len(dst)
		if dst = strconv.AppendFloat(dst, f, 'f', -1, 64); bytes.IndexByte(dst[start:], '.') >= 0 {
			return dst
		}
		return append(dst, ".0"...)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e") // d.ddde±dd
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	if exponent[0] == '-' {
		dst = append(dst, '-')
	}
	return append(dst, strings.TrimLeft(exponent[1:], "0")...)
}
