package vtl

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Templates know these values:
//
//	nil                      null; a reference to it prints nothing
//	string, bool             String, Boolean
//	int64                    Integer and Long
//	*big.Int                 BigInteger
//	float64                  Double
//	Char                     Character, what "abc".charAt(0) returns
//	*List                    a list, a JSON array or an array
//	*Map                     a map that keeps the order of its keys
//	Object                   whatever a program wants to show
//
// Values from outside may also be int, int8 to int32, uint to uint32, float32, []any, []string, map[string]any and map[string]string; the last
// two become a [Map] with sorted keys. There is no reflection: any other type is refused by [Template.Execute] and is null inside lists and maps.

// Object is a Go value that templates may look into and call methods of. Nothing else of it is visible to them. The values it returns are
// taken as those of [Template.Execute] are. Its methods are called by the goroutine that executes the template.
type Object interface {
	// Property returns what $o.name and $o["name"] are. ok false is an undefined property, which prints nothing.
	Property(name string) (value any, ok bool)
	// Call returns what $o.method(args) is. ok false says that there is no such method for these arguments, which prints nothing;
	// an error fails the template. args may not be kept.
	Call(method string, args []any) (value any, ok bool, err error)
}

// Setter is an [Object] whose properties can be set, as in #set($o.name = $v).
type Setter interface {
	Object
	// Set sets a property. It reports whether there is such a property; where there is none the template goes on without a trace.
	Set(name string, value any) bool
}

// Char is a UTF-16 code unit, java.lang.Character. It prints as its letter and equals a string of that letter.
type Char uint16

// maxValueDepth is how deep lists and maps may be nested to be printed, compared or read from JSON. A list that holds itself ends here.
const maxValueDepth = 512

// maxValueBytes is how long the text of a value may get outside of an execution.
const maxValueBytes = 10 << 20

// normal returns v as one of the types above. ok is false where v has no such form.
func normal(v any) (_ any, ok bool) { return normalAt(v, 0) }

// inner is v as an element: what templates don't know is null.
func inner(v any) any {
	v, _ = normalAt(v, 0)
	return v
}

func normalAt(v any, depth int) (any, bool) {
	if depth > maxValueDepth {
		return nil, false
	}
	switch v := v.(type) {
	case nil, string, bool, int64, float64, Char:
		return v, true
	case *List:
		if v == nil {
			return nil, false
		}
		return v, true
	case *Map:
		if v == nil {
			return nil, false
		}
		return v, true
	case *big.Int:
		if v == nil {
			return nil, false
		}
		return v, true
	case *view, *entry:
		return v, true
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint:
		return bigOrInt(new(big.Int).SetUint64(uint64(v))), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case float32:
		return float64(v), true
	case []any:
		l := &List{items: make([]any, len(v))}
		for i, e := range v {
			l.items[i], _ = normalAt(e, depth+1)
		}
		return l, true
	case []string:
		l := &List{items: make([]any, len(v))}
		for i, e := range v {
			l.items[i] = e
		}
		return l, true
	case map[string]any:
		m := NewMap()
		for _, k := range sortedKeys(v) {
			e, _ := normalAt(v[k], depth+1)
			m.put(k, e)
		}
		return m, true
	case map[string]string:
		m := NewMap()
		for _, k := range sortedKeys(v) {
			m.put(k, v[k])
		}
		return m, true
	case Object:
		return v, true
	}
	return nil, false
}

func bigOrInt(b *big.Int) any {
	if b.IsInt64() {
		return b.Int64()
	}
	return b
}

// ToString returns what $v prints where v is not null: the text of Java's toString, as the engine has it. Null is the empty string. Lists
// that are nested deeper than 512, as one that holds itself is, and text after 10 MiB are cut.
func ToString(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	p := printer{limit: maxValueBytes, work: math.MaxInt}
	v, ok := normal(v)
	if v == nil || !ok {
		return ""
	}
	return string(p.value(nil, v, 0))
}

// Text is [ToString] for who takes no more than so many bytes. ok is false where there are more, or where it would be cut.
func Text(v any, most int) (text string, ok bool) {
	p := printer{limit: most, work: 4*most + 64}
	v, known := normal(v)
	if v == nil || !known {
		return "", true
	}
	text = string(p.value(nil, v, 0))
	return text, p.over == overNothing && len(text) <= most
}

// A printer appends the text of values. Lists may hold themselves, or the same list twice at each of thirty levels: so depth, length and
// work end it, and it then says which.
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

// value appends v as Java's toString has it; null is "null", which is how it stands inside of lists and maps.
func (p *printer) value(dst []byte, v any, depth int) []byte {
	if !p.spend(1) {
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
	}
	if depth >= maxValueDepth {
		p.over = overDepth
		return dst
	}
	if len(dst) > p.limit {
		p.over = overText
		return dst
	}
	switch v := v.(type) {
	case *List:
		switch v.kind {
		case jsonArray:
			return p.json(dst, v, depth)
		case stringArray:
			return append(dst, "[Ljava.lang.String;@1b6d3586"...)
		case objectArray:
			return append(dst, "[Ljava.lang.Object;@1b6d3586"...)
		}
		dst = append(dst, '[')
		for i, e := range v.items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			// As AbstractCollection has it.
			if e == any(v) {
				dst = append(dst, "(this Collection)"...)
				continue
			}
			dst = p.value(dst, e, depth+1)
			if p.over != overNothing {
				return dst
			}
		}
		return append(dst, ']')
	case *Map:
		dst = append(dst, '{')
		for i, e := range v.entries {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = p.pair(dst, v, e, depth)
			if p.over != overNothing {
				return dst
			}
		}
		return append(dst, '}')
	case *view:
		dst = append(dst, '[')
		for i, e := range v.m.entries {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			switch v.of {
			case ofKeys:
				dst = p.value(dst, e.key, depth+1)
			case ofValues:
				dst = p.value(dst, e.value, depth+1)
			default:
				dst = p.pair(dst, nil, e, depth)
			}
			if p.over != overNothing {
				return dst
			}
		}
		return append(dst, ']')
	case *entry:
		return p.pair(dst, nil, v, depth)
	}
	// An Object has no text, as the managed gateway's structured members have none.
	return dst
}

func (p *printer) pair(dst []byte, m *Map, e *entry, depth int) []byte {
	if m != nil && e.key == any(m) {
		dst = append(dst, "(this Map)"...)
	} else {
		dst = p.value(dst, e.key, depth+1)
	}
	dst = append(dst, '=')
	if m != nil && e.value == any(m) {
		return append(dst, "(this Map)"...)
	}
	return p.value(dst, e.value, depth+1)
}

func appendChar(dst []byte, c Char) []byte {
	if c >= 0xd800 && c < 0xe000 {
		return append(dst, '?') // half of a pair, as Java encodes it
	}
	return utf8.AppendRune(dst, rune(c))
}

// appendDouble appends what Double.toString returns: digits with a point between 0.001 and ten million, else 1.0E9.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case f > maxFloat:
		return append(dst, "Infinity"...)
	case f < -maxFloat:
		return append(dst, "-Infinity"...)
	}
	abs := f
	if abs < 0 {
		abs = -abs
	}
	start := len(dst)
	if abs == 0 || abs >= 1e-3 && abs < 1e7 {
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, 64) // d.ddde±dd
	mantissa, exponent, _ := strings.Cut(string(text), "e")
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	if exponent[0] == '-' {
		dst = append(dst, '-')
	}
	exponent = strings.TrimLeft(exponent[1:], "0")
	return append(dst, exponent...)
}

const maxFloat = 0x1p1023 * (1 + (1 - 0x1p-52))
