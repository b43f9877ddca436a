package vtl

import (
	"math"
	"math/big"
	"slices"
	"strconv"
)

// A call is a method being called.
type call struct {
	ex   *exec
	ref  *ref
	step *step
	args []any
}

// prepare compiles the pattern of a method if it is constant. What patterns a template has by then, in instructions, is in total.
func (s *step) prepare(total *int) {
	if len(s.args) == 0 || *total > maxConstantPatterns {
		return
	}
	switch s.name {
	case "matches", "replaceAll", "replaceFirst", "split":
		if c, ok := s.args[0].(constant); ok {
			if text, ok := c.value.(string); ok {
				s.regex = compilePattern(text, s.name == "matches")
				*total += s.regex.size
			}
		}
	}
}

func (c *call) fail(message string) any {
	c.ex.fail(c.ref.src, c.step.at, message)
	return nil
}

func (ex *exec) outOfRange(r *ref, s *step, i, size int) {
	ex.fail(r.src, s.at, "want an index from 0 to "+strconv.Itoa(size-1)+", got "+strconv.Itoa(i))
}

func (c *call) is(name string, args int) bool { return c.step.name == name && len(c.args) == args }

func (c *call) text(i int) (string, bool) {
	s, ok := c.args[i].(string)
	return s, ok
}

func (c *call) int(i int) (int, bool) { return int32Of(c.args[i]) }

func (c *call) on(v any) any {
	if o, ok := v.(Object); ok {
		value, found, err := o.Call(c.step.name, c.args)
		if c.ex.signal == signalFail {
			return nil // the object has reached a limit of the execution
		}
		if err != nil {
			c.fail(c.step.name + ": " + err.Error())
			c.ex.err.Err = err
			return nil
		}
		if !found {
			return nil
		}
		return c.ex.fromObject(c.ref, c.step, value)
	}
	result := c.dispatch(v)
	if result != missing || c.ex.signal != signalNone {
		return result
	}
	// There is no such method for these arguments, which is null, but for what the original's search finds all the same and fails to call.
	switch _, isList := v.(*List); {
	case len(c.args) > 0 && withoutArguments(v, c.step.name):
		return c.fail("want no arguments of " + c.step.name)
	case c.is("compareTo", 1) && !isList:
		switch v.(type) {
		case string, int64, float64, bool, Char, *big.Int:
			return c.fail("want a value of the same type to compare with")
		}
	case slices.Contains(c.args, nil) && takesNull(v, c.step.name):
		return c.fail("want an argument of " + c.step.name + " that is not null")
	}
	return nil
}

// missing is what dispatch returns where there is no such method.
var missing any = noMethod{}

type noMethod struct{}

// withoutArguments reports whether Java's class has a method of that name that takes none: the original finds it for any arguments.
func withoutArguments(v any, name string) bool {
	switch name {
	case "toString", "hashCode", "getClass", "notify", "notifyAll":
		return true
	}
	switch v.(type) {
	case string:
		switch name {
		case "length", "isEmpty", "toUpperCase", "toLowerCase", "trim", "intern", "toCharArray", "chars", "codePoints":
			return true
		}
	case *List, *Map, *view, *loop:
		switch name {
		case "size", "isEmpty", "clear":
			return true
		case "iterator", "listIterator", "stream":
			return !isMap(v)
		case "keySet", "values", "entrySet":
			return isMap(v)
		}
	case *entry:
		return name == "getKey" || name == "getValue"
	case int64, float64, *big.Int:
		switch name {
		case "intValue", "longValue", "doubleValue", "floatValue", "byteValue", "shortValue":
			return true
		}
	case bool:
		return name == "booleanValue"
	case Char:
		return name == "charValue"
	case *iterator:
		return name == "hasNext" || name == "next" || name == "remove"
	}
	return false
}

func isMap(v any) bool {
	switch v.(type) {
	case *Map, *loop:
		return true
	}
	return false
}

// takesNull reports whether a method is found for a null, which it then fails of.
func takesNull(v any, name string) bool {
	switch v.(type) {
	case string:
		switch name {
		case "contains", "startsWith", "endsWith", "compareToIgnoreCase", "concat", "matches", "split", "indexOf", "lastIndexOf", "replace",
			"replaceAll", "replaceFirst", "contentEquals":
			return true
		}
	case int64, float64:
		switch name {
		case "parseInt", "parseLong", "parseDouble", "valueOf":
			return true
		}
	case *List, *view:
		return name == "addAll" || name == "containsAll" || name == "removeAll" || name == "retainAll"
	case *Map:
		return name == "putAll"
	}
	return false
}

func (c *call) dispatch(v any) any {
	// Those of java.lang.Object.
	switch {
	case c.is("toString", 0):
		return c.ex.text(v)
	case c.is("equals", 1):
		return c.ex.equal(v, c.args[0])
	case c.is("hashCode", 0):
		return int64(c.hash(v, 0))
	}
	switch v := v.(type) {
	case string:
		return c.onString(v)
	case *List:
		return c.onList(v)
	case *Map:
		return c.onMap(v)
	case *view:
		return c.onView(v)
	case *entry:
		return c.onEntry(v)
	case int64:
		return c.onInteger(v)
	case float64:
		return c.onDouble(v)
	case *big.Int:
		return c.onBig(v)
	case bool:
		return c.onBoolean(v)
	case Char:
		return c.onChar(v)
	case *loop:
		return c.onLoop(v)
	case *iterator:
		return c.onIterator(v)
	}
	return missing
}

// hash is hashCode.
func (c *call) hash(v any, depth int) int32 {
	if !c.ex.step(1) {
		return 0
	}
	if depth > maxValueDepth {
		c.ex.over("want lists and maps nested up to " + strconv.Itoa(maxValueDepth) + " deep, got one that may hold itself")
		return 0
	}
	switch v := v.(type) {
	case string:
		c.ex.step(len(v) / 4)
		return hashUTF16(v)
	case bool:
		if v {
			return 1231
		}
		return 1237
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
	case *List:
		h := int32(1)
		for _, e := range v.items {
			if h = 31*h + c.hash(e, depth+1); c.ex.signal != signalNone {
				break
			}
		}
		return h
	case *Map:
		h := int32(0)
		for _, e := range v.entries {
			if h += c.hash(e, depth+1); c.ex.signal != signalNone {
				break
			}
		}
		return h
	case *entry:
		return c.hash(v.key, depth+1) ^ c.hash(v.value, depth+1)
	case *view:
		h := int32(0)
		for i := range v.m.Len() {
			if h += c.hash(v.at(i), depth+1); c.ex.signal != signalNone {
				break
			}
		}
		return h
	}
	return 0
}

func (c *call) onEntry(e *entry) any {
	switch {
	case c.is("getKey", 0):
		return e.key
	case c.is("getValue", 0):
		return e.value
	case c.is("setValue", 1):
		old := e.value
		e.value = c.args[0]
		return old
	}
	return missing
}

func (c *call) onLoop(l *loop) any {
	switch {
	case c.is("hasNext", 0), c.is("getHasNext", 0):
		return l.hasNext
	case !c.ex.step(c.ex.t.limits.MaxDepth / 8): // the loops around
		return nil
	case c.is("isFirst", 0), c.is("getFirst", 0):
		return l.property("first")
	case c.is("isLast", 0), c.is("getLast", 0):
		return l.property("last")
	case c.is("getIndex", 0):
		return l.property("index")
	case c.is("getCount", 0):
		return l.property("count")
	case c.is("getParent", 0):
		return l.property("parent")
	case c.is("getTopmost", 0):
		return l.property("topmost")
	case c.is("getInfo", 0):
		return l.property("info")
	case c.is("getReplaced", 0):
		return l.property("replaced")
	case c.is("get", 1):
		if s, ok := c.text(0); ok {
			for ; l != nil; l = l.parent {
				if v, ok := l.storage().Get(s); ok {
					return v
				}
			}
		}
		return missing
	}
	return c.onMap(l.storage())
}

func (c *call) iterator(of any) any {
	if !c.ex.alloc(perLoop) {
		return nil
	}
	it, _ := iterate(of)
	return &it
}

func (c *call) onIterator(it *iterator) any {
	switch {
	case c.is("hasNext", 0):
		return it.hasNext()
	case c.is("next", 0):
		if !it.hasNext() {
			return c.fail("want a next element, got the end")
		}
		v, ok := it.next()
		if !ok {
			return c.fail("want a list or map that isn't changed under its iterator")
		}
		return v
	}
	return missing
}

// limit is how long a text may get.
func (c *call) limit() int { return c.ex.t.limits.MaxOutputBytes }

// made counts a text that a method made.
func (c *call) made(s string) any {
	if !c.ex.alloc(16+len(s)) || !c.ex.step(len(s)/16) {
		return nil
	}
	return s
}

func (c *call) tooLong() any {
	c.ex.over("want a text of up to " + strconv.Itoa(c.limit()) + " bytes (Options.MaxOutputBytes)")
	return nil
}

func (c *call) onBoolean(b bool) any {
	switch {
	case c.is("booleanValue", 0):
		return b
	case c.is("compareTo", 1):
		if o, ok := c.args[0].(bool); ok {
			return int64(boolInt(b) - boolInt(o))
		}
	case c.is("parseBoolean", 1), c.is("valueOf", 1):
		if s, ok := c.text(0); ok {
			return len(s) == 4 && s[0]|0x20 == 't' && s[1]|0x20 == 'r' && s[2]|0x20 == 'u' && s[3]|0x20 == 'e'
		}
		if o, ok := c.args[0].(bool); ok && c.step.name == "valueOf" {
			return o
		}
	}
	return missing
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
