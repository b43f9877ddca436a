package vtl

import (
	"fmt"
	"io"
	"math/big"
	"strconv"
	"sync"
	"unicode/utf8"
)

// An exec is one execution. It holds the one account of steps and bytes: who does work or allocates
// asks it first, in amounts that stand beside the work, so that no limit depends on what a
// template's author might think of. A deadline was rejected: it would make the answer depend on how
// busy the machine is.
type exec struct {
	t       *Template
	vars    []any
	held    []bool // variables that are null for a turn, whatever they are set to
	out     []byte
	args    []any // of the methods being called, a stack
	signal  signal
	breakTo *loop
	err     *Error
	visit   func(Reference)
	meter   *Meter // that an Object has been given

	steps, bytes, depth int // what is left
	outCap              int // how much of out has been paid for
}

// growth is about how much memory a text takes that is appended to bit by bit and then made a
// string, for one that its length is.
const growth = 6

// maxKept is the largest buffer that is used again.
const maxKept = 256 << 10

// Executions leave nothing behind in here but their memory: see free.
var execs = sync.Pool{New: func() any { return new(exec) }}

func (t *Template) execute(w io.Writer, vars map[string]any, visit func(Reference)) error {
	ex := execs.Get().(*exec)
	defer ex.free()
	ex.t, ex.visit = t, visit
	ex.steps, ex.bytes, ex.depth = t.limits.MaxSteps, t.limits.MaxAllocBytes, t.limits.MaxDepth
	if cap(ex.vars) < len(t.names) {
		ex.vars = make([]any, len(t.names))
	}
	ex.vars = ex.vars[:len(t.names)]
	for i, name := range t.names {
		v, there := vars[name]
		if !there {
			continue
		}
		n, ok := normal(v)
		if !ok {
			return t.src.mistake("variable %s: want a value that templates know, as listed at Template.Execute", name)
		}
		ex.vars[i] = n
		if m, ok := n.(Metered); ok {
			if ex.meter == nil {
				ex.meter = &Meter{ex}
			}
			m.Meter(ex.meter)
		}
	}
	if cap(ex.out) < t.size {
		ex.out = make([]byte, 0, t.size+t.size/2)
	}
	ex.outCap = cap(ex.out)
	ex.block(t.body)
	if ex.signal == signalFail {
		return ex.err
	}
	if !ex.fits() {
		return ex.err
	}
	_, err := w.Write(ex.out)
	return err
}

func (ex *exec) free() {
	if ex.meter != nil {
		ex.meter.ex = nil
	}
	clear(ex.vars)
	clear(ex.args[:cap(ex.args)])
	out, vars, args := ex.out[:0], ex.vars[:0], ex.args[:0]
	if cap(out) > maxKept {
		out = nil
	}
	*ex = exec{out: out, vars: vars, args: args}
	execs.Put(ex)
}

func (ex *exec) fail(src *source, at int, format string, args ...any) {
	if ex.signal != signalFail {
		ex.signal, ex.err = signalFail, src.errorAt(at, fmt.Sprintf(format, args...))
	}
}

// over fails at no place, of a limit.
func (ex *exec) over(format string, args ...any) bool {
	if ex.signal != signalFail {
		ex.signal, ex.err = signalFail, ex.t.src.mistake(format, args...)
	}
	return false
}

func (ex *exec) tooDeep() {
	ex.over("want lists and maps nested up to %d deep, got one that may hold itself", maxValueDepth)
}

// step takes n steps. It reports whether they were left.
func (ex *exec) step(n int) bool {
	if ex.steps -= n; ex.steps < 0 {
		return ex.over("want no more than %d steps (Options.MaxSteps)", ex.t.limits.MaxSteps)
	}
	return true
}

// look takes the steps of looking at a text: to compare it, or to find a key.
func (ex *exec) look(v any) bool {
	s, ok := v.(string)
	return !ok || ex.step(len(s)/32)
}

// alloc takes n bytes. It reports whether they were left, and is to be asked before much is
// allocated.
func (ex *exec) alloc(n int) bool {
	if ex.bytes -= n; ex.bytes < 0 {
		return ex.over("want no more than %d bytes of memory (Options.MaxAllocBytes)", ex.t.limits.MaxAllocBytes)
	}
	return true
}

// fits reports whether the output may be as long as it is. Its buffer is paid for each time that it
// has grown.
func (ex *exec) fits() bool {
	if c := cap(ex.out); c > ex.outCap {
		ex.outCap = c
		if !ex.alloc(c) {
			return false
		}
	}
	if len(ex.out) > ex.t.limits.MaxOutputBytes {
		return ex.over("want an output of up to %d bytes (Options.MaxOutputBytes)", ex.t.limits.MaxOutputBytes)
	}
	return true
}

// block runs statements until one of them says to end.
func (ex *exec) block(body []stmt) {
	if ex.depth--; ex.depth < 0 {
		ex.over("want no more than %d levels of nesting (Options.MaxDepth)", ex.t.limits.MaxDepth)
	}
	for _, s := range body {
		if ex.signal != signalNone || !ex.step(1) || !ex.fits() {
			break
		}
		s.run(ex)
	}
	ex.depth++
}

// capture returns what f writes, or nil where f ends the execution.
func (ex *exec) capture(f func(), cut bool) any {
	mark := len(ex.out)
	f()
	written := ex.out[mark:]
	ex.out = ex.out[:mark]
	if ex.signal != signalNone {
		return nil
	}
	if cut {
		_, n := utf8.DecodeLastRune(written)
		written = written[:len(written)-n]
	}
	if !ex.alloc(len(written)) || !ex.step(len(written)/16) {
		return nil
	}
	return string(written)
}

// text is the text of a value as Java's toString has it. Null is "null". The commonest values take
// a way of their own, as they need no printer.
func (ex *exec) text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case *block:
		s, _ := ex.capture(func() { v.render(ex) }, false).(string)
		return s
	}
	s := string(ex.appendText(nil, v))
	ex.alloc(growth * len(s))
	return s
}

// appendText appends a value's text. What it takes is known only when it is done, so that it may
// use no more than what is left.
func (ex *exec) appendText(dst []byte, v any) []byte {
	if l, ok := v.(*loop); ok {
		v = l.storage()
	}
	if b, ok := v.(*big.Int); ok && !ex.alloc(b.BitLen()/2) {
		return dst
	}
	room := min(ex.t.limits.MaxOutputBytes, ex.bytes/growth)
	p := printer{limit: len(dst) + room, work: ex.steps}
	dst = p.value(dst, v, 0)
	ex.step(ex.steps - p.work)
	switch p.over {
	case overText:
		if room < ex.t.limits.MaxOutputBytes {
			ex.alloc(ex.bytes + 1)
		}
		ex.short(ex.t.limits.MaxOutputBytes + 1)
	case overDepth:
		ex.tooDeep()
	}
	return dst
}

// short reports whether a text may be so long.
func (ex *exec) short(n int) bool {
	return n <= ex.t.limits.MaxOutputBytes ||
		ex.over("want a text of up to %d bytes (Options.MaxOutputBytes)", ex.t.limits.MaxOutputBytes)
}

func (ex *exec) concat(a, b string) any {
	if !ex.short(len(a)+len(b)) || !ex.alloc(len(a)+len(b)) || !ex.step((len(a)+len(b))/16) {
		return nil
	}
	return a + b
}

// equal is Java's equals.
func (ex *exec) equal(a, b any) bool {
	c := comparer{steps: ex.steps}
	same := c.equal(a, b, 0)
	ex.settle(&c)
	return same
}

// settle pays for what a comparer has done.
func (ex *exec) settle(c *comparer) {
	ex.step(ex.steps - c.steps)
	if c.over && ex.signal == signalNone {
		ex.over("want values that can be compared, got lists or maps that are nested too deep or hold themselves")
	}
}

// variable returns nil where it is undefined.
func (ex *exec) variable(slot int) any {
	if slot < 0 || ex.held != nil && ex.held[slot] {
		return nil
	}
	return ex.vars[slot]
}

// remove undefines a variable, as the end of a loop does.
func (ex *exec) remove(slot int) {
	ex.vars[slot] = nil
	if ex.held != nil {
		ex.held[slot] = false
	}
}

func (ex *exec) restore(slot int, v any) {
	switch {
	case slot < 0:
	case v == nil:
		ex.remove(slot)
	default:
		ex.vars[slot] = v
	}
}
