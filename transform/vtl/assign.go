package vtl

// What #set does where its left side is more than a name.

// assign is #set($x.a[0] = v). Where a part before the last is missing, nothing happens: Velocity
// tells its log alone, and an error here would fail templates that work there.
func (r *ref) assign(ex *exec, value any) {
	target := ex.variable(r.slot)
	last := len(r.steps) - 1
	for i := 0; i < last && target != nil; i++ {
		target = ex.take(r, &r.steps[i], target)
		if ex.signal != signalNone {
			return
		}
	}
	if target == nil {
		return
	}
	s := &r.steps[last]
	if s.kind == stepIndex {
		index := s.args[0].eval(ex)
		if ex.signal == signalNone {
			index = ex.fromEnd(r, s, target, index)
		}
		if ex.signal == signalNone {
			ex.assignIndex(r, s, target, index, value)
		}
		return
	}
	switch t := target.(type) {
	case *Map:
		ex.put(t, s.name, value)
	case Setter:
		t.Set(s.name, value)
	case *loop:
		ex.put(t.storage(), s.name, value)
	case *entry:
		if getter(s.name) == "value" {
			t.value = value
		}
	}
}

func (ex *exec) assignIndex(r *ref, s *step, target, index, value any) {
	switch t := target.(type) {
	case *List:
		if i, ok := int32Of(index); ok {
			ex.setElement(r, s, t, i, value)
		}
	case *Map:
		ex.put(t, index, value)
	case Setter:
		t.Set(ex.text(index), value)
	case *loop:
		ex.put(t.storage(), index, value)
	}
}

func (ex *exec) setElement(r *ref, s *step, l *List, i int, value any) {
	switch {
	case i < 0 || i >= len(l.items):
		ex.outOfRange(r, s, i, len(l.items))
	case !l.accepts(value):
		ex.fail(r.src, s.at, "want a string for an array of strings")
	default:
		l.items[i] = value
	}
}
