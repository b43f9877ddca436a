package vtl

import "slices"

func (c *call) onList(l *List) any {
	n := len(l.items)
	if l.isArray() {
		switch c.step.name { // of a fixed size
		case "add", "addAll", "remove", "removeAll", "retainAll", "clear":
			if len(c.args) > 0 || c.step.name == "clear" && n > 0 {
				return c.fail("want a list to change, got an array")
			}
		}
	}
	switch len(c.args) {
	case 0:
		switch c.step.name {
		case "size":
			return int64(n)
		case "isEmpty":
			return n == 0
		case "clear":
			l.items = nil
			l.changes++
			return ""
		case "iterator":
			return c.iterator(l)
		case "toArray":
			return c.copied(l.items, objectArray)
		case "toJSONString":
			if l.kind == jsonArray {
				return c.ex.text(l)
			}
		}
	case 1:
		return c.onList1(l)
	case 2:
		switch c.step.name {
		case "add", "addAll", "set":
			return c.insert(l)
		case "subList":
			i, iok := c.int(0)
			j, jok := c.int(1)
			if !iok || !jok {
				return missing
			}
			if i < 0 || j > n || i > j {
				return c.fail("want a range within the list")
			}
			return c.copied(l.items[i:j], l.kind)
		}
	}
	return missing
}

func (c *call) copied(items []any, kind listKind) any {
	if !c.ex.alloc(perList+16*len(items)) || !c.ex.step(len(items)/8) {
		return nil
	}
	return &List{items: slices.Clone(items), kind: kind}
}

func (c *call) onList1(l *List) any {
	arg := c.args[0]
	switch c.step.name {
	case "get":
		if i, ok := c.int(0); ok {
			return c.ex.element(c.ref, c.step, l, i)
		}
	case "add":
		if !c.ex.grow(l, 1) {
			return nil
		}
		l.items = append(l.items, arg)
		l.changes++
		return true
	case "remove":
		i, ok := c.int(0)
		if !ok {
			i = c.find(l, arg)
			if i < 0 {
				return false
			}
		}
		if i < 0 || i >= len(l.items) {
			c.ex.outOfRange(c.ref, c.step, i, len(l.items))
			return nil
		}
		if !c.ex.step(len(l.items) / 8) {
			return nil
		}
		old := l.items[i]
		l.items = slices.Delete(l.items, i, i+1)
		l.changes++
		if !ok {
			return true
		}
		return old
	case "contains":
		return c.find(l, arg) >= 0
	case "indexOf":
		return int64(c.find(l, arg))
	case "lastIndexOf":
		for i := len(l.items) - 1; i >= 0; i-- {
			if c.ex.equal(l.items[i], arg) || c.ex.signal != signalNone {
				return int64(i)
			}
		}
		return int64(-1)
	case "addAll", "containsAll", "removeAll", "retainAll":
		items, ok := c.collection(arg)
		if !ok {
			return missing
		}
		return c.all(l, items)
	}
	return missing
}

func (c *call) find(l *List, v any) int {
	for i, e := range l.items {
		if c.ex.equal(e, v) {
			return i
		}
		if c.ex.signal != signalNone {
			break
		}
	}
	return -1
}

// collection is the elements of a list or a view.
func (c *call) collection(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return v.items, !v.isArray()
	case *view:
		if !c.ex.alloc(16*v.m.Len()) || !c.ex.step(v.m.Len()) {
			return nil, false
		}
		items := make([]any, v.m.Len())
		for i := range items {
			items[i] = v.at(i)
		}
		return items, true
	}
	return nil, false
}

func (c *call) all(l *List, items []any) any {
	switch c.step.name {
	case "addAll":
		if !c.ex.grow(l, len(items)) || !c.ex.step(len(items)/8) {
			return nil
		}
		l.items = append(l.items, items...)
		l.changes++
		return len(items) > 0
	case "containsAll":
		for _, e := range items {
			if c.find(l, e) < 0 || !c.ex.step(1) {
				return false
			}
		}
		return true
	}
	n := len(l.items)
	if !c.ex.alloc(16*n) || !c.ex.step(n/8) {
		return nil
	}
	other := &List{items: items}
	keep := make([]any, 0, n) // apart from the elements, which items may be
	for _, e := range l.items {
		if (c.find(other, e) >= 0) == (c.step.name == "retainAll") {
			keep = append(keep, e)
		}
		if c.ex.signal != signalNone {
			return nil
		}
	}
	l.items = keep
	if len(keep) != n {
		l.changes++
	}
	return len(keep) != n
}

// insert is add, addAll and set with an index.
func (c *call) insert(l *List) any {
	i, ok := c.int(0)
	if !ok {
		return missing
	}
	n := len(l.items)
	if c.step.name == "set" {
		if i < 0 || i >= n {
			c.ex.outOfRange(c.ref, c.step, i, n)
			return nil
		}
		old := l.items[i]
		if !l.accepts(c.args[1]) {
			return c.fail("want a string for an array of strings")
		}
		l.items[i] = c.args[1]
		return old
	}
	items := []any{c.args[1]}
	if c.step.name == "addAll" {
		if items, ok = c.collection(c.args[1]); !ok {
			return missing
		}
	}
	if i < 0 || i > n {
		c.ex.outOfRange(c.ref, c.step, i, n+1)
		return nil
	}
	if !c.ex.alloc(16*len(items)) || !c.ex.step((n+len(items))/8) {
		return nil
	}
	items = slices.Clone(items) // they may be those of l
	if !c.ex.grow(l, len(items)) {
		return nil
	}
	l.items = slices.Insert(l.items, i, items...)
	l.changes++
	if c.step.name == "add" {
		return "" // void
	}
	return len(items) > 0
}
