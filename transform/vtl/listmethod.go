package vtl

import "slices"

// What lists, arrays, maps and the views of maps have in common.
var sizedMethods = []method{
	{names: "size", run: func(c call) any { return int64(lengthOf(c.on)) }},
	{names: "isEmpty", run: func(c call) any { return lengthOf(c.on) == 0 }},
	{names: "clear", run: func(c call) any {
		if classOf(c.on) == classArray && lengthOf(c.on) > 0 {
			return c.fail(wantList)
		}
		c.on.(interface{ clear() }).clear()
		return ""
	}},
}

// lengthOf is how many elements a value has, -1 where it is none that has elements.
func lengthOf(v any) int {
	switch v := v.(type) {
	case *List:
		return len(v.items)
	case *Map:
		return v.Len()
	case *view:
		return v.Len()
	case *loop:
		return v.storage().Len()
	}
	return -1
}

var sequenceMethods = []method{
	{names: "iterator", run: func(c call) any {
		if !c.ex.alloc(perLoop) {
			return nil
		}
		it, _ := iterate(c.on)
		return &it
	}},
	{names: "toArray", run: of(func(c call, of sequence) any { return c.copied(of, 0, of.Len(), objectArray) })},
	{names: "contains", takes: "*", run: of(func(c call, of sequence) any { return c.position(of, c.args[0]) >= 0 })},
	{names: "containsAll", takes: "l", run: of(func(c call, of sequence) any {
		for i, what := 0, c.args[0].(sequence); i < what.Len(); i++ {
			if c.position(of, what.At(i)) < 0 || !c.ex.step(1) {
				return false
			}
		}
		return true
	})},
}

var indexedMethods = []method{
	{names: "get", takes: "i", run: of(func(c call, l *List) any { return c.ex.element(c.ref, c.step, l, c.int(0)) })},
	{names: "set", takes: "i*", run: of(func(c call, l *List) any {
		old := c.ex.element(c.ref, c.step, l, c.int(0))
		c.ex.setElement(c.ref, c.step, l, c.int(0), c.args[1])
		return old
	})},
	{names: "indexOf", takes: "*", run: of(func(c call, l *List) any { return int64(c.position(l, c.args[0])) })},
	{names: "lastIndexOf", takes: "*", run: of(func(c call, l *List) any {
		i := len(l.items) - 1
		for i >= 0 && !c.ex.equal(l.items[i], c.args[0]) && c.ex.signal == signalNone {
			i--
		}
		return int64(i)
	})},
	{names: "subList", takes: "ii", run: of(func(c call, l *List) any {
		from, to := c.int(0), c.int(1)
		if from < 0 || to > len(l.items) || from > to {
			return c.fail("want a range within the list")
		}
		kind := l.kind
		if l.isArray() { // of which this makes a list
			kind = javaList
		}
		return c.copied(l, from, to, kind)
	})},
	{names: "toJSONString", run: of(func(c call, l *List) any {
		if l.kind != jsonArray {
			return nil
		}
		return c.ex.text(l)
	})},
}

var listMethods = []method{
	{names: "add", takes: "*", run: of(func(c call, l *List) any { return c.insert(l, len(l.items), 1) })},
	{names: "add", takes: "i*", run: of(func(c call, l *List) any {
		c.insert(l, c.int(0), 1)
		return "" // void
	})},
	{names: "addAll", takes: "l", run: of(func(c call, l *List) any {
		return c.insert(l, len(l.items), lengthOf(c.args[0]))
	})},
	{names: "addAll", takes: "il", run: of(func(c call, l *List) any {
		return c.insert(l, c.int(0), lengthOf(c.args[1]))
	})},
	{names: "remove", takes: "i", run: of(func(c call, l *List) any { return c.remove(l, c.int(0)) })},
	{names: "remove", takes: "*", run: of(func(c call, l *List) any {
		i := c.position(l, c.args[0])
		if i >= 0 {
			c.remove(l, i)
		}
		return i >= 0
	})},
	{names: "removeAll retainAll", takes: "l", run: of(filter)},
}

// An array is of a fixed size: Velocity shows one as a list, whose methods that change the size
// fail. (Velocity 1.7, ArrayListWrapper.)
var arrayMethods = []method{
	{names: "add removeAll retainAll", takes: "*", run: refuse(wantList)},
	{names: "remove", takes: "*", run: of(func(c call, l *List) any { // by index or by value
		if _, byIndex := int32Of(c.args[0]); byIndex || c.position(l, c.args[0]) >= 0 {
			return c.fail(wantList)
		}
		return false
	})},
	{names: "add", takes: "i*", run: refuse(wantList)},
	{names: "addAll", takes: "l il", run: refuse(wantList)},
}

const wantList = "want a list to change, got an array"

var viewMethods = []method{
	{names: "remove", takes: "*", run: of(func(c call, v *view) any {
		i := c.position(v, c.args[0])
		if i < 0 || c.ex.signal != signalNone {
			return false
		}
		c.ex.removeAt(v.m, i)
		return true
	})},
	{names: "add", takes: "*", run: refuse(wantListToAddTo)},
	{names: "addAll", takes: "l", run: refuse(wantListToAddTo)},
}

const wantListToAddTo = "want a list to add to, got the keys, values or entries of a map"

func (c call) copied(of sequence, from, to int, kind listKind) any {
	if !c.ex.alloc(perList+16*(to-from)) || !c.ex.step((to-from)/4) {
		return nil
	}
	l := &List{kind: kind, items: make([]any, to-from)}
	for i := range l.items {
		l.items[i] = of.At(from + i)
	}
	return l
}

// position looks for a value: among keys as the map does, else by looking at all. -1 also stands
// for an execution that has ended.
func (c call) position(of sequence, what any) int {
	if v, ok := of.(*view); ok && v.of == ofKeys {
		return c.ex.findKey(v.m, what)
	}
	for i := 0; i < of.Len() && c.ex.signal == signalNone; i++ {
		if c.ex.equal(of.At(i), what) {
			return i
		}
	}
	return -1
}

// insert puts the last argument into a list: it alone, or the elements that it has. They may be
// those of the list itself, which is why they are copied before it changes.
func (c call) insert(l *List, at, n int) any {
	size := len(l.items)
	if at < 0 || at > size {
		c.ex.outOfRange(c.ref, c.step, at, size+1)
		return nil
	}
	last := c.args[len(c.args)-1]
	if at == size && c.step.name == "add" { // the one that templates call in loops
		if !c.ex.grow(l, 1) {
			return nil
		}
		l.items = append(l.items, last)
		l.changes++
		return true
	}
	if !c.ex.alloc(16*n) || !c.ex.step((size+n)/8) {
		return nil
	}
	items := []any{last}
	if c.step.name == "addAll" {
		of := last.(sequence)
		items = make([]any, n)
		for i := range items {
			items[i] = of.At(i)
		}
	}
	if !c.ex.grow(l, n) {
		return nil
	}
	l.items = slices.Insert(l.items, at, items...)
	l.changes++
	return n > 0
}

// remove returns the element that was there.
func (c call) remove(l *List, i int) any {
	old := c.ex.element(c.ref, c.step, l, i)
	if c.ex.signal != signalNone || !c.ex.step(len(l.items)/8) {
		return nil
	}
	l.items = slices.Delete(l.items, i, i+1)
	l.changes++
	return old
}

// filter is removeAll and retainAll.
func filter(c call, l *List) any {
	n, other := len(l.items), c.args[0].(sequence)
	if !c.ex.alloc(16*n) || !c.ex.step(n/8) {
		return nil
	}
	keep := make([]any, 0, n) // apart from the elements, which other may have
	for _, e := range l.items {
		if (c.position(other, e) >= 0) == (c.step.name == "retainAll") {
			keep = append(keep, e)
		}
		if c.ex.signal != signalNone {
			return nil
		}
	}
	l.items = keep
	l.changes += boolInt(len(keep) != n)
	return len(keep) != n
}
