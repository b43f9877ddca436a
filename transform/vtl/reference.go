package vtl

type stepKind uint8

const (
	stepProperty stepKind = iota
	stepMethod
	stepIndex
)

// A step is one of the parts after the name of a reference.
type step struct {
	kind  stepKind
	name  string
	args  []expr // of a method; the index
	at    int
	rows  []method // those of its name
	regex *pattern // of a constant argument
}

// A ref is a reference. Velocity prints one that is undefined as it stands in the template; the
// gateway sets an event handler that makes it the empty string, for references and for #if alike,
// which is why "" is what execute returns of null and why #if($nope) is true. Only what a template
// can't tell from text stays null: a runt and a $\!x.
type ref struct {
	name  string
	slot  int
	steps []step
	text  string // from the $ on

	escaped bool   // \$x prints its text
	prefix  string // backslashes
	more    string // what the lexer glued in front, as in #$x
	runt    bool   // an identifier, which prints itself and is null
	notOne  bool   // $\!x: it prints nothing and is null

	at  int
	src *source
}

func (r *ref) run(ex *exec) {
	if r.runt {
		ex.out = append(ex.out, r.name...)
		return
	}
	v := r.execute(ex)
	if ex.signal != signalNone {
		return
	}
	if r.escaped {
		ex.out = append(append(ex.out, r.prefix...), r.text...)
		return
	}
	if b, ok := v.(*block); ok {
		if !b.render(ex) {
			ex.out = append(append(append(append(ex.out, r.prefix...), r.prefix...), r.more...), r.nullText()...)
		}
		return
	}
	if r.prefix != "" || r.more != "" {
		ex.step((len(r.prefix) + len(r.more)) / 64)
		ex.out = append(append(ex.out, r.prefix...), r.more...)
	}
	switch v := v.(type) {
	case string:
		ex.out = append(ex.out, v...)
		ex.step(len(v) / 64)
	default:
		ex.out = ex.appendText(ex.out, v)
	}
}

// nullText is what a reference prints that has no text.
func (r *ref) nullText() string {
	if len(r.text) > 1 && r.text[1] == '!' {
		return ""
	}
	return r.text
}

func (r *ref) eval(ex *exec) any {
	if r.runt || r.notOne {
		return nil
	}
	return r.execute(ex)
}

func (r *ref) truth(ex *exec) bool {
	if r.runt {
		return false
	}
	switch v := r.execute(ex).(type) {
	case nil:
		return false
	case bool:
		return v
	case *block: // its text might be null
		drawn := false
		ex.capture(func() { drawn = v.render(ex) }, false)
		return drawn
	}
	return true
}

// execute returns the value, or "" where a part of it is null or undefined.
func (r *ref) execute(ex *exec) any {
	v := ex.variable(r.slot)
	for i := 0; v != nil && i < len(r.steps); i++ {
		if !ex.step(1) {
			return nil
		}
		v = ex.take(r, &r.steps[i], v)
		if ex.signal != signalNone {
			return nil
		}
	}
	if ex.visit != nil {
		r.trace(ex, v)
	}
	if v == nil {
		return ""
	}
	return v
}

func (r *ref) trace(ex *exec, v any) {
	t := Reference{Text: r.text, Value: v, Defined: v != nil}
	if r.notOne {
		return
	}
	t.Line, t.Column = r.src.position(r.at)
	switch v.(type) {
	case nil:
		t.Value = ""
	case *block, *loop, *iterator:
		t.Value = nil
	}
	ex.visit(t)
}

// take goes on from v.
func (ex *exec) take(r *ref, s *step, v any) any {
	switch s.kind {
	case stepProperty:
		return ex.property(r, s, v)
	case stepIndex:
		index := s.args[0].eval(ex)
		if ex.signal != signalNone {
			return nil
		}
		return ex.index(r, s, v, index)
	}
	base := len(ex.args)
	if !ex.step(2 + len(s.args)) {
		return nil
	}
	for _, a := range s.args {
		arg := a.eval(ex)
		if ex.signal != signalNone || !ex.look(arg) {
			ex.args = ex.args[:base]
			return nil
		}
		ex.args = append(ex.args, arg)
	}
	result := call{ex, r, s, v, ex.args[base:]}.call()
	clear(ex.args[base:])
	ex.args = ex.args[:base]
	return result
}

func (ex *exec) property(r *ref, s *step, v any) any {
	if !ex.step(len(s.name) / 32) {
		return nil
	}
	switch v := v.(type) {
	case *Map:
		value, _ := v.Get(s.name)
		return value
	case Object:
		value, ok := v.Property(s.name)
		if !ok {
			return nil
		}
		return ex.fromObject(r, s, value)
	case *loop:
		return ex.ofLoop(v, s.name)
	case *loopInfo:
		return v.property(s.name)
	case *entry:
		switch getter(s.name) {
		case "key":
			return v.key
		case "value":
			return v.value
		}
	default:
		if getter(s.name) == "empty" { // isEmpty, which an array has not
			switch v := v.(type) {
			case string:
				return v == ""
			case *List, *view:
				if classOf(v) != classArray {
					return lengthOf(v) == 0
				}
			}
		}
	}
	return nil
}

// getter is a property's name as bean properties have it: $x.Key asks for getKey as $x.key does.
// (Velocity 1.7, PropertyExecutor.)
func getter(name string) string {
	if name == "" || name[0] < 'A' || name[0] > 'Z' || len(name) > len("template") { // no longer one is asked for
		return name
	}
	return string(name[0]|0x20) + name[1:]
}

// fromObject takes a value that an Object returned.
func (ex *exec) fromObject(r *ref, s *step, value any) any {
	v, ok := normal(value)
	if !ok {
		ex.fail(r.src, s.at, "want a value that templates know of %s, got another type of the program's", s.name)
	}
	return v
}

// fromEnd makes an index below zero one from the end. What has no size fails, as it does there.
func (ex *exec) fromEnd(r *ref, s *step, v, index any) any {
	i, ok := index.(int64)
	if !ok || i >= 0 || i < -1<<31 {
		return index
	}
	if n := lengthOf(v); n >= 0 {
		return i + int64(n)
	}
	ex.fail(r.src, s.at, "want a list for an index below zero")
	return nil
}

func (ex *exec) index(r *ref, s *step, v, index any) any {
	index = ex.fromEnd(r, s, v, index)
	if ex.signal != signalNone || !ex.look(index) {
		return nil
	}
	switch v := v.(type) {
	case *List:
		if i, ok := int32Of(index); ok {
			return ex.element(r, s, v, i)
		}
	case *Map:
		return ex.get(v, index)
	case Object:
		if value, ok := v.Property(ex.text(index)); ok {
			return ex.fromObject(r, s, value)
		}
	case *loop:
		return ex.ofLoop(v, ex.text(index))
	}
	return nil
}

// ofLoop is a property of $foreach, for which all loops around may have to be asked.
func (ex *exec) ofLoop(l *loop, name string) any {
	around := 0
	for p := l; p != nil; p = p.parent {
		around++
	}
	if !ex.step(around+4) || !ex.alloc(64) {
		return nil
	}
	return l.property(name)
}

func (ex *exec) element(r *ref, s *step, l *List, i int) any {
	if i < 0 || i >= len(l.items) {
		ex.outOfRange(r, s, i, len(l.items))
		return nil
	}
	return l.items[i]
}

func (ex *exec) outOfRange(r *ref, s *step, i, size int) {
	ex.fail(r.src, s.at, "want an index from 0 to %d, got %d", size-1, i)
}
