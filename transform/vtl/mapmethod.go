package vtl

var mapMethods = []method{
	{names: "get", takes: "*", run: of(func(c call, m *Map) any { return c.ex.get(m, c.args[0]) })},
	{names: "getOrDefault", takes: "**", run: of(func(c call, m *Map) any {
		if i := c.ex.findKey(m, c.args[0]); i >= 0 {
			return m.entries[i].value
		}
		return c.args[1]
	})},
	{names: "containsKey", takes: "*", run: of(func(c call, m *Map) any { return c.ex.findKey(m, c.args[0]) >= 0 })},
	{names: "containsValue", takes: "*", run: of(func(c call, m *Map) any {
		return c.position(&view{m, ofValues}, c.args[0]) >= 0
	})},
	{names: "put", takes: "**", run: of(func(c call, m *Map) any { return c.ex.put(m, c.args[0], c.args[1]) })},
	{names: "putIfAbsent", takes: "**", run: of(func(c call, m *Map) any {
		v := c.ex.get(m, c.args[0])
		if v == nil && c.ex.signal == signalNone {
			c.ex.put(m, c.args[0], c.args[1])
		}
		return v
	})},
	{names: "putAll", takes: "m", run: of(func(c call, m *Map) any {
		for _, e := range c.args[0].(*Map).entries { // which don't change: those of m itself are there
			if c.ex.put(m, e.key, e.value); c.ex.signal != signalNone {
				return nil
			}
		}
		return ""
	})},
	{names: "replace", takes: "**", run: of(func(c call, m *Map) any {
		if i := c.ex.findKey(m, c.args[0]); i >= 0 {
			return m.putAt(i, nil, c.args[1])
		}
		return nil
	})},
	{names: "remove", takes: "*", run: of(func(c call, m *Map) any {
		if i := c.ex.findKey(m, c.args[0]); i >= 0 && c.ex.signal == signalNone {
			return c.ex.removeAt(m, i)
		}
		return nil
	})},
	{names: "remove", takes: "**", run: of(func(c call, m *Map) any {
		i := c.ex.findKey(m, c.args[0])
		if i < 0 || !c.ex.equal(m.entries[i].value, c.args[1]) || c.ex.signal != signalNone {
			return false
		}
		c.ex.removeAt(m, i)
		return true
	})},
	{names: "keySet", run: of(func(_ call, m *Map) any { return &view{m, ofKeys} })},
	{names: "values", run: of(func(_ call, m *Map) any { return &view{m, ofValues} })},
	{names: "entrySet", run: of(func(_ call, m *Map) any { return &view{m, ofEntries} })},
}
