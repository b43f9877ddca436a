package vtl

import (
	"math"
	"strings"
)

// What every value has, what #foreach's own variables have, and what maps' entries have.

var objectMethods = []method{
	{names: "toString", run: func(c call) any { return c.ex.text(c.on) }},
	{names: "equals", takes: "*", run: func(c call) any { return c.ex.equal(c.on, c.args[0]) }},
	{names: "hashCode", run: func(c call) any { return int64(c.ex.hash(c.on, 0)) }},
}

var entryMethods = []method{
	{names: "getKey", run: of(func(_ call, e *entry) any { return e.key })},
	{names: "getValue", run: of(func(_ call, e *entry) any { return e.value })},
	{names: "setValue", takes: "*", run: of(func(c call, e *entry) any {
		old := e.value
		e.value = c.args[0]
		return old
	})},
}

// Velocity's ForeachScope has a getter for each of the properties, and two that begin with "is".
// (Velocity 1.7, ForeachScope.)
var loopMethods = []method{
	{
		names: "hasNext getHasNext isFirst getFirst isLast getLast getIndex getCount " +
			"getParent getTopmost getInfo getReplaced",
		run: of(func(c call, l *loop) any {
			return c.ex.ofLoop(l, strings.TrimPrefix(strings.TrimPrefix(c.step.name, "is"), "get"))
		}),
	},
	{names: "get", takes: "s", run: of(func(c call, l *loop) any { return l.put(c.text(0)) })},
}

var iteratorMethods = []method{
	{names: "hasNext", run: of(func(_ call, it *iterator) any { return it.hasNext() })},
	{names: "next", run: of(func(c call, it *iterator) any {
		if !it.hasNext() {
			return c.fail("want a next element, got the end")
		}
		v, ok := it.next()
		if !ok {
			return c.fail("want a list or map that isn't changed under its iterator")
		}
		return v
	})},
}

// compareTo is the method of java.lang.Comparable. It is found for any argument, and fails of one
// of another class.
func compareTo[T any](compare func(a, b T) int) func(call) any {
	return func(c call) any {
		if classOf(c.args[0]) != classOf(c.on) {
			return c.fail("want a value of the same type to compare with")
		}
		return int64(compare(c.on.(T), c.args[0].(T)))
	}
}

// hash is hashCode, by the formulas that java.lang and java.util document. What has the identity of
// an object there has 0.
func (ex *exec) hash(v any, depth int) (h int32) {
	if !ex.step(1) {
		return 0
	}
	if depth > maxValueDepth {
		ex.tooDeep()
		return 0
	}
	switch v := v.(type) {
	case string:
		ex.step(len(v) / 4)
		return hashUTF16(v)
	case bool:
		return int32(1237 - 6*boolInt(v))
	case int64:
		if _, ok := int32Of(v); ok {
			return int32(v)
		}
		return int32(v ^ int64(uint64(v)>>32))
	case float64:
		b := math.Float64bits(v)
		return int32(b ^ b>>32)
	case Char:
		return int32(v)
	case *entry:
		return ex.hash(v.key, depth+1) ^ ex.hash(v.value, depth+1)
	case *Map:
		return ex.hash(&view{v, ofEntries}, depth)
	case *List:
		h = 1
		for i := 0; i < len(v.items) && ex.signal == signalNone; i++ {
			h = 31*h + ex.hash(v.items[i], depth+1)
		}
	case *view:
		for i := 0; i < v.Len() && ex.signal == signalNone; i++ {
			h += ex.hash(v.At(i), depth+1)
		}
	}
	return h
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
