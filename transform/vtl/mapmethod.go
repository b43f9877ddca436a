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
			if v := c.ex.get(m, c.args[0]); v != nil {
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
			if i := c.findKey(m); i >= 0 && c.ex.equal(m.entries[i].value, c.args[1]) {
				m.remove(c.args[0])
				return true
			}
			return false
		}
	}
	return missing
}

// findKey looks for the first argument.
func (c *call) findKey(m *Map) int {
	if !scalar(c.args[0]) && !c.ex.step(m.Len()) {
		return -1
	}
	return m.find(c.args[0])
}

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
		if c.findKey(m) < 0 || !c.ex.step(m.Len()) {
			return nil
		}
		return m.remove(c.args[0])
	case "putAll":
		from, ok := c.args[0].(*Map)
		if !ok {
			return missing
		}
		if !c.ex.step(from.Len()) || !c.ex.alloc(96*from.Len()) {
			return nil
		}
		for _, e := range from.entries {
			c.ex.put(m, e.key, e.value)
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
		it, _ := iterate(v)
		return &it
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
			if c.findIn(v, e) < 0 {
				return false
			}
		}
		return true
	case c.is("remove", 1):
		i := c.findIn(v, c.args[0])
		if i < 0 || !c.ex.step(v.m.Len()) {
			return false
		}
		v.m.remove(v.m.entries[i].key)
		return true
	case c.is("add", 1), c.is("addAll", 1):
		return c.fail("want a list to add to, got the keys, values or entries of a map")
	}
	return missing
}

func (c *call) findIn(v *view, what any) int {
	if v.of == ofKeys && scalar(what) {
		return v.m.find(what)
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
