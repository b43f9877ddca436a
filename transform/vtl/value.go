package vtl

import (
	"maps"
	"math"
	"math/big"
	"slices"
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
// Values from outside may also be int, int8 to int32, uint to uint64, float32, []any, []string,
// map[string]any and map[string]string; the last two become a [Map] with sorted keys. There is no
// reflection: any other type is refused by [Template.Execute] and is null inside lists and maps.

// Object is a Go value that templates may look into and call methods of. Nothing else of it is
// visible to them. The values it returns are taken as those of [Template.Execute] are. Its methods
// are called by the goroutine that executes the template.
type Object interface {
	// Property returns what $o.name and $o["name"] are. ok false is an undefined property, which
	// prints nothing.
	Property(name string) (value any, ok bool)
	// Call returns what $o.method(args) is. ok false says that there is no such method for these
	// arguments, which prints nothing; an error fails the template. args may not be kept.
	Call(method string, args []any) (value any, ok bool, err error)
}

// Setter is an [Object] whose properties can be set, as in #set($o.name = $v).
type Setter interface {
	Object
	// Set sets a property. It reports whether there is such a property; where there is none the
	// template goes on without a trace.
	Set(name string, value any) bool
}

// Char is a UTF-16 code unit, java.lang.Character. It prints as its letter and equals a string of
// that letter.
type Char uint16

// maxValueDepth is how deep lists and maps may be nested to be printed, compared or read from JSON.
// A list that holds itself ends here.
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
		if v != nil {
			return v, true
		}
	case *Map:
		if v != nil {
			return v, true
		}
	case *big.Int:
		if v != nil {
			return v, true
		}
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
	case uint64:
		return bigOrInt(new(big.Int).SetUint64(v)), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case float32:
		return float64(v), true
	case []any:
		return listOf(v, depth), true
	case []string:
		return listOf(v, depth), true
	case map[string]any:
		return mapOf(v, depth), true
	case map[string]string:
		return mapOf(v, depth), true
	case Object:
		return v, true
	}
	return nil, false
}

func listOf[T any](values []T, depth int) *List {
	l := &List{items: make([]any, len(values))}
	for i, v := range values {
		l.items[i], _ = normalAt(v, depth+1)
	}
	return l
}

// mapOf has the keys sorted: a template must print the same each time.
func mapOf[T any](values map[string]T, depth int) *Map {
	m := NewMap()
	for _, k := range slices.Sorted(maps.Keys(values)) {
		v, _ := normalAt(values[k], depth+1)
		m.put(k, v)
	}
	return m
}

func bigOrInt(b *big.Int) any {
	if b.IsInt64() {
		return b.Int64()
	}
	return b
}

// ToString returns what $v prints where v is not null: the text of Java's toString, as the engine
// has it. Null is the empty string. Lists that are nested deeper than 512, as one that holds itself
// is, and text after 10 MiB are cut.
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

// Text is [ToString] for who takes no more than so many bytes. ok is false where there are more, or
// where it would be cut.
func Text(v any, most int) (text string, ok bool) {
	p := printer{limit: most, work: 4*most + 64}
	v, known := normal(v)
	if v == nil || !known {
		return "", true
	}
	text = string(p.value(nil, v, 0))
	return text, p.over == overNothing && len(text) <= most
}
