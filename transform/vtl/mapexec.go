package vtl

// What a template does with a map is paid for here, where it is done.

// findKey returns the position of a key, or -1.
func (ex *exec) findKey(m *Map, k any) int {
	if scalar(k) {
		if !ex.look(k) {
			return -1
		}
		return m.find(k, nil)
	}
	c := comparer{steps: ex.steps}
	i := m.find(k, &c)
	ex.settle(&c)
	return i
}

// put returns the value that was there.
func (ex *exec) put(m *Map, k, v any) any {
	i := ex.findKey(m, k)
	if ex.signal != signalNone {
		return nil
	}
	steps, bytes := 1, 0
	if i < 0 {
		steps, bytes = m.newKey()
	}
	if !ex.step(steps) || !ex.alloc(bytes) {
		return nil
	}
	return m.putAt(i, k, v)
}

func (ex *exec) get(m *Map, k any) any {
	if i := ex.findKey(m, k); i >= 0 {
		return m.entries[i].value
	}
	return nil
}

// removeAt returns the value that was there. Each key behind it gets a new position.
func (ex *exec) removeAt(m *Map, i int) any {
	if !ex.step(1 + m.Len() - i) {
		return nil
	}
	return m.removeAt(i)
}
