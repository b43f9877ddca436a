package jsonbody

import (
	"errors"
	"strconv"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Why Walk ended early.
var (
	// ErrSyntax is a character that can't stand where it does.
	ErrSyntax = errors.New("jsonbody: a character that can't stand there")
	// ErrTruncated is a body that ends before its value does. Where that is within true, false or
	// null, it is ErrSyntax.
	ErrTruncated = errors.New("jsonbody: the body ends within its value")
	// ErrDuplicate is a name that an object has twice: readers differ in which of the two counts.
	ErrDuplicate = errors.New("jsonbody: an object has a name twice")
	// ErrRoot is a body that is a value, but neither an object nor an array.
	ErrRoot = errors.New("jsonbody: neither an object nor an array")
	// ErrDepth is a body that nests deeper than 10,000 levels, as encoding/json's bound is.
	ErrDepth = errors.New("jsonbody: nested too deep")
)

const (
	maxDepth = 10_000
	// keptDepth and keptText bound what a Buffer keeps of an unusual body for the next one.
	keptDepth = 1000
	keptText  = 1 << 17
)

// Buffer is what Walk needs on its way. The zero value is ready; reused, it saves the allocations.
// It is for one goroutine at a time, and keeps nothing of a body that it was used for.
type Buffer struct {
	text  []byte // the string at hand, unescaped
	names []byte // names that had escapes
	open  []frame
	seen  nameSet
	index [20]byte
}

// frame is an open object or array.
type frame struct {
	bracket  byte
	included bool  // what is in it is handed out
	node     *node // where the paths have got to, or nil
	members  int   // begun so far
	object   int   // tells objects apart
}

// walk is one Walk.
type walk struct {
	*Buffer
	body    []byte
	yield   func([]byte) bool
	keys    bool
	values  bool
	i       int
	objects int
}

// errEnough is that yield wants no more.
var errEnough = errors.New("enough")

// Walk hands the elements of body that p includes to yield, each unescaped, in the order in which
// they stand there. A text is valid until yield returns, and yield ends the walk by returning
// false. The error says why reading ended early: one of those above, and nil also if yield ended
// it.
func (p *Pattern) Walk(b *Buffer, body []byte, yield func(text []byte) bool) error {
	if len(body) == 0 {
		return nil
	}
	w := walk{Buffer: b, body: body, yield: yield, keys: p.scope != Values, values: p.scope != Keys}
	err := w.run(p.root)
	b.reset()
	if err == errEnough {
		return nil
	}
	return err
}

func (b *Buffer) reset() {
	b.seen.reset()
	b.open, b.names, b.text = b.open[:0], b.names[:0], b.text[:0]
	if cap(b.open) > keptDepth {
		b.open = nil
	}
	if cap(b.names) > keptText {
		b.names = nil
	}
	if cap(b.text) > keptText {
		b.text = nil
	}
}

func (w *walk) run(root *node) error {
	w.space()
	switch {
	case w.i == len(w.body):
		return ErrTruncated
	case w.body[w.i] != '{' && w.body[w.i] != '[':
		if end, ok := jsonlex.Scalar(w.body, w.i); !ok {
			return w.wrong(end)
		}
		return ErrRoot
	}
	if err := w.enter(root, root.included); err != nil {
		return err
	}
	for len(w.open) > 0 {
		if err := w.step(&w.open[len(w.open)-1]); err != nil {
			return err
		}
	}
	if w.space(); w.i < len(w.body) {
		return ErrSyntax
	}
	return nil
}

// step reads what comes next within f: its end, or a member or an element of it.
func (w *walk) step(f *frame) error {
	w.space()
	if f.members > 0 && w.at(',') { // which may be missing
		w.i++
		w.space()
	} else if w.at(f.bracket + 2) { // } is two behind {, ] behind [
		w.i++
		w.open = w.open[:len(w.open)-1]
		return nil
	}
	node, included := f.node, f.included
	if f.bracket == '{' {
		name, err := w.name(f)
		if err != nil {
			return err
		}
		if node = node.child(name); included && w.keys && !w.yield(name) {
			return errEnough
		}
	} else if node != nil {
		node = node.child(strconv.AppendInt(w.index[:0], int64(f.members), 10))
	}
	f.members++
	return w.value(node, included || node != nil && node.included)
}

func (w *walk) at(c byte) bool { return w.i < len(w.body) && w.body[w.i] == c }

func (w *walk) space() { w.i = jsonlex.Space(w.body, w.i) }

// wrong is the error of what doesn't fit at i.
func (w *walk) wrong(i int) error {
	if i >= len(w.body) {
		return ErrTruncated
	}
	return ErrSyntax
}

// name reads a member's name, and its colon, of which there may be none or two.
func (w *walk) name(f *frame) ([]byte, error) {
	from := w.i
	end, ok := jsonlex.String(w.body, from)
	if !ok {
		return nil, w.wrong(end)
	}
	name := w.body[from+1 : end-1]
	if jsonlex.Escaped(name) {
		before := len(w.names)
		w.names = jsonlex.AppendUnescaped(w.names, name)
		name = w.names[before:]
	}
	if !w.seen.add(f.object, name) {
		return nil, ErrDuplicate
	}
	w.i = end
	for range 2 {
		if w.space(); w.at(':') {
			w.i++
		}
	}
	w.space()
	return name, nil
}

func (w *walk) value(n *node, included bool) error {
	if w.at('{') || w.at('[') {
		return w.enter(n, included)
	}
	from := w.i
	end, ok := jsonlex.Scalar(w.body, from)
	if !ok {
		return w.wrong(end)
	}
	w.i = end
	if !included || !w.values {
		return nil
	}
	text := w.body[from:end]
	if text[0] == '"' {
		if text = text[1 : len(text)-1]; jsonlex.Escaped(text) {
			w.text = jsonlex.AppendUnescaped(w.text[:0], text)
			text = w.text
		}
	}
	if !w.yield(text) {
		return errEnough
	}
	return nil
}

// enter opens the object or array at hand.
func (w *walk) enter(n *node, included bool) error {
	if len(w.open) == maxDepth {
		return ErrDepth
	}
	w.objects++
	w.open = append(w.open, frame{bracket: w.body[w.i], included: included, node: n, object: w.objects})
	w.i++
	return nil
}
