package vtl

import "errors"

// Metered is an [Object] that does work which the engine doesn't see, and pays for it.
type Metered interface {
	Object
	// Meter is called when an execution starts that has the object for a variable, before any other
	// method.
	Meter(m *Meter)
}

// Meter is what is left of an execution's limits: the same account that the engine itself takes
// from, so that Options.MaxSteps and Options.MaxAllocBytes bound what a template makes objects do,
// too. It is for the goroutine of the execution; once that has ended, it is empty.
type Meter struct{ ex *exec }

// over reports whether the execution has ended.
func (m *Meter) over() bool { return m == nil || m.ex == nil }

var errEnded = errors.New("the execution has ended")

// Left returns how many steps and bytes are left.
func (m *Meter) Left() (steps, bytes int) {
	if m.over() {
		return 0, 0
	}
	return max(m.ex.steps, 0), max(m.ex.bytes, 0)
}

// Charge takes steps and bytes, before the work is done and the memory allocated. A step is about
// 50 nanoseconds of work. The error says that they weren't left; the template then fails, whatever
// the object makes of it.
func (m *Meter) Charge(steps, bytes int) error {
	if m.over() {
		return errEnded
	}
	if !m.ex.step(steps) || !m.ex.alloc(bytes) {
		return m.ex.err
	}
	return nil
}

// Text is [ToString] on the execution's account. A template may have made a value small whose text
// is enormous.
func (m *Meter) Text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	if m.over() {
		return "", errEnded
	}
	if v, ok := normal(v); v != nil && ok {
		s := m.ex.text(v)
		if m.ex.signal == signalFail {
			return "", m.ex.err
		}
		return s, nil
	}
	return "", nil
}

// DecodeJSON is [DecodeJSON] on the execution's account: a byte of JSON may become thirty of
// memory.
func (m *Meter) DecodeJSON(data []byte) (any, error) {
	if m.over() {
		return nil, errEnded
	}
	return decodeJSON(data, m)
}
