package vtl

func (c *call) onMap(m *Map) any {
	switch len(c.args) {
	case 0:
		return c.onMap0(m)
	case 1:
		return c.onMap1(m)
	case 2:
		switch c.step.name {
		case "put":
			return c.ex.put(m, c.args[0], c.args[1])
		case "putIfAbsent":
			if v := c.ex.get(m, c.args[0]); v != nil || c.ex.signal != signalNone {
				return v
			}
			c.ex.put(m, c.args[0], c.args[1])
			return nil
		case "getOrDefault":
			if i := c.findKey(m); i >= 0 {
				return m.entries[i].value
			}
			return c.args[1]
		case "replace":
			if i := c.findKey(m); i >= 0 {
				old := m.entries[i].value
				m.entries[i].value = c.args[1]
				return old
			}
		case "remove":
			if i := c.findKey(m); i >= 0 && c.ex.equal(m.entries[i].value, c.args[1]) && c.ex.signal == signalNone {
				c.ex.removeAt(m, i)
				return true
			}
			return false
		}
	}
	return missing
}

// findKey looks for the first argument.
func (c *call) findKey(m *Map) int { return c.ex.findKey(m, c.args[0]) }

func (c *call) onMap0(m *Map) any {
	switch c.step.name {
	case "size":
		return int64(m.Len())
	case "isEmpty":
		return m.Len() == 0
	case "keySet":
		return &view{m, ofKeys}
	case "values":
		return &view{m, ofValues}
	case "entrySet":
		return &view{m, ofEntries}
	case "clear":
		m.clear()
		return ""
	}
	return missing
}

func (c *call) onMap1(m *Map) any {
	switch c.step.name {
	case "get":
		return c.ex.get(m, c.args[0])
	case "containsKey":
		return c.findKey(m) >= 0
	case "containsValue":
		for _, e := range m.entries {
			if c.ex.equal(e.value, c.args[0]) {
				return true
			}
			if c.ex.signal != signalNone {
				return nil
			}
		}
		return false
	case "remove":
		i := c.findKey(m)
		if i < 0 || c.ex.signal != signalNone {
			return nil
		}
		return c.ex.removeAt(m, i)
	case "putAll":
		from, ok := c.args[0].(*Map)
		if !ok {
			return missing
		}
		for _, e := range from.entries { // which don't change: those of m itself are there
			if c.ex.put(m, e.key, e.value); c.ex.signal != signalNone {
				return nil
			}
		}
		return ""
	}
	return missing
}

func (c *call) onView(v *view) any {
	switch {
	case c.is("size", 0):
		return int64(v.m.Len())
	case c.is("isEmpty", 0):
		return v.m.Len() == 0
	case c.is("iterator", 0):
		return c.iterator(v)
	case c.is("clear", 0):
		v.m.clear()
		return ""
	case c.is("toArray", 0):
		items, ok := c.collection(v)
		if !ok {
			return missing
		}
		return &List{items: items, kind: objectArray}
	case c.is("contains", 1):
		return c.findIn(v, c.args[0]) >= 0
	case c.is("containsAll", 1):
		items, ok := c.collection(c.args[0])
		if !ok {
			return missing
		}
		for _, e := range items {
			if c.findIn(v, e) < 0 || !c.ex.step(1) {
				return false
			}
		}
		return true
	case c.is("remove", 1):
		i := c.findIn(v, c.args[0])
		if i < 0 || c.ex.signal != signalNone {
			return false
		}
		c.ex.removeAt(v.m, i)
		return true
	case c.is("add", 1), c.is("addAll", 1):
		return c.fail("want a list to add to, got the keys, values or entries of a map")
	}
	return missing
}

func (c *call) findIn(v *view, what any) int {
	if v.of == ofKeys {
		return c.ex.findKey(v.m, what)
	}
	for i := range v.m.Len() {
		if c.ex.equal(v.at(i), what) {
			return i
		}
		if c.ex.signal != signalNone {
			break
		}
	}
	return -1
}
