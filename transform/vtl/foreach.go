package vtl

type foreachStmt struct {
	slot   int  // of the element
	over   expr // nil where there is none
	body   []stmt
	broken bool // too few arguments: it fails when it is run
	at     int
	src    *source
}

// perLoop is about how many bytes a loop takes: itself, its iterator, and what a template puts into
// it.
const perLoop = 192

// A loop is $foreach, Velocity's ForeachScope. It hides the loop around, or what a template had put
// into $foreach, until it ends; $velocityCount and the element itself are put back then, too, or
// undefined again if they were. (Velocity 1.7, Foreach.render.)
type loop struct {
	of       *foreachStmt
	index    int
	hasNext  bool
	parent   *loop
	replaced any
	values   *Map // what #set($foreach.name = …) put there
}

func (l *loop) topmost() *loop {
	for l.parent != nil {
		l = l.parent
	}
	return l
}

func (l *loop) property(name string) any {
	switch getter(name) {
	case "index":
		return int64(l.index)
	case "count":
		return int64(l.index + 1)
	case "hasNext":
		return l.hasNext
	case "first":
		return l.index < 1
	case "last":
		return !l.hasNext
	case "parent":
		if l.parent == nil {
			return nil
		}
		return l.parent
	case "topmost":
		return l.topmost()
	case "info":
		return l.info()
	case "replaced":
		for l.replaced == nil && l.parent != nil {
			l = l.parent
		}
		return l.replaced
	}
	return l.put(name)
}

// put returns what a template has put into the loop by a name, or into one of those around it.
func (l *loop) put(name string) any {
	for ; l != nil; l = l.parent {
		if v, ok := l.storage().Get(name); ok {
			return v
		}
	}
	return nil
}

func (l *loop) storage() *Map {
	if l.values == nil {
		l.values = NewMap()
	}
	return l.values
}

// An iterator goes over what a #foreach takes. A range isn't made a list first: [1..1000000000] is
// three words here, and its loop ends at the thousandth turn.
type iterator struct {
	of       sequence // nil: a range that was never made a list
	from, by int64
	at, n    int
	changes  int
}

// iterate reports false for what can't be looped over.
func iterate(v any) (iterator, bool) {
	switch v := v.(type) {
	case *Map:
		return iterate(&view{v, ofValues})
	case *iterator:
		return *v, true
	case sequence:
		return iterator{of: v, n: v.Len(), changes: v.version()}, true
	}
	return iterator{}, false
}

// hasNext asks a list for its length again, as ArrayList's iterator does; what was added then makes
// next fail.
func (it *iterator) hasNext() bool {
	if l, ok := it.of.(*List); ok {
		return it.at != len(l.items)
	}
	return it.at < it.n
}

// next reports false where the list or map has changed.
func (it *iterator) next() (v any, ok bool) {
	if it.of == nil {
		v = it.from + int64(it.at)*it.by
	} else {
		if it.of.version() != it.changes || it.at >= it.of.Len() {
			return nil, false
		}
		v = it.of.At(it.at)
	}
	it.at++
	return v, true
}

func (s *foreachStmt) iterator(ex *exec) (*iterator, bool) {
	if r, ok := s.over.(*rangeExpr); ok {
		from, to, ok := r.bounds(ex)
		if from >= to {
			return &iterator{from: from, by: -1, n: int(from-to) + 1}, ok
		}
		return &iterator{from: from, by: 1, n: int(to-from) + 1}, ok
	}
	v := s.over.eval(ex)
	if it, ok := v.(*iterator); ok {
		return it, true // it goes on where it is, and is used up
	}
	it, ok := iterate(v)
	return &it, ok
}

func (s *foreachStmt) run(ex *exec) {
	if s.broken {
		ex.fail(s.src, s.at, "want #foreach($x in $list)")
		return
	}
	if s.over == nil {
		return
	}
	it, ok := s.iterator(ex)
	if !ok || ex.signal != signalNone {
		return
	}
	slots := ex.t.loop
	element, count, hasNext := ex.variable(s.slot), ex.variable(slots.count), ex.variable(slots.hasNext)
	if !ex.alloc(perLoop) {
		return
	}
	l := &loop{of: s, index: -1}
	if slots.foreach >= 0 {
		switch outer := ex.variable(slots.foreach).(type) {
		case *loop:
			l.parent = outer
		default:
			l.replaced = outer
		}
		ex.vars[slots.foreach] = l
	}
	s.turns(ex, it, l)
	ex.restore(s.slot, element)
	ex.restore(slots.count, count)
	ex.restore(slots.hasNext, hasNext)
	if slots.foreach >= 0 {
		// Something else may have been put there: then it stays.
		switch now := ex.variable(slots.foreach).(type) {
		case nil: // a loop whose element is called foreach
			ex.fail(s.src, s.at, "want a $foreach that is not undefined within the loop")
		case *loop:
			if now.parent != nil {
				ex.vars[slots.foreach] = now.parent
			} else {
				ex.restore(slots.foreach, now.replaced)
			}
		}
	}
}

func (s *foreachStmt) turns(ex *exec, it *iterator, l *loop) {
	slots := ex.t.loop
	for turn := 0; it.hasNext(); turn++ {
		if turn == maxTurns {
			if ex.t.limits.StrictLoops {
				ex.fail(s.src, s.at, "want no more than %d turns of a #foreach (Options.StrictLoops)", maxTurns)
			}
			return
		}
		if !ex.step(1) || !ex.alloc(8) { // a number of $foreach or of a range
			return
		}
		v, ok := it.next()
		if !ok {
			ex.fail(s.src, s.at, "want a list or map that isn't changed while a #foreach goes over it")
			return
		}
		l.index++
		l.hasNext = it.hasNext()
		if slots.count >= 0 {
			ex.vars[slots.count] = int64(turn + 1)
		}
		if slots.hasNext >= 0 {
			ex.vars[slots.hasNext] = l.hasNext
		}
		ex.vars[s.slot] = v
		if v == nil {
			s.nullTurn(ex)
		} else {
			ex.block(s.body)
		}
		if ex.signal == signalBreak && (ex.breakTo == nil || ex.breakTo == l) {
			ex.signal = signalNone
			return
		}
		if ex.signal != signalNone {
			return
		}
	}
}

// nullTurn is a turn whose element is null. Velocity wraps the context for it in one that keeps the
// variable null even where the template sets it (NullHolderContext); leaving it at what it was
// before would show the last turn's element.
func (s *foreachStmt) nullTurn(ex *exec) {
	if ex.held == nil {
		ex.held = make([]bool, len(ex.vars))
	}
	before := ex.held[s.slot]
	ex.held[s.slot] = true
	ex.block(s.body)
	ex.held[s.slot] = before
}
