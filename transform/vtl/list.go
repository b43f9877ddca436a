package vtl

import "iter"

type listKind uint8

const (
	javaList    listKind = iota // prints [a, b]
	jsonArray                   // prints ["a","b"]
	stringArray                 // what split returns
	objectArray                 // what toArray returns
)

// accepts reports whether v may be an element: an array of strings has no others.
func (l *List) accepts(v any) bool {
	_, isString := v.(string)
	return l.kind != stringArray || isString || v == nil
}

func (l *List) isArray() bool { return l.kind >= stringArray }

// List is an ordered list that templates can read, change and loop over: a list literal, a JSON
// array, or the array that split returns. They differ in how they print. It is not for concurrent
// use.
type List struct {
	items []any
	kind  listKind
	// changes counts what changed the length: a loop over a list that grows fails, as its iterator
	// in Java does.
	changes int
}

// NewList returns a list that prints as [a, b]. It takes the values that [Template.Execute] takes,
// and null for any other.
func NewList(values ...any) *List {
	return listOf(values, 0)
}

// NewJSONArray returns a list that prints as JSON text, ["a","b"], as the arrays of a JSON document
// do.
func NewJSONArray(values ...any) *List {
	l := NewList(values...)
	l.kind = jsonArray
	return l
}

// perList is about how many bytes a list takes beside its elements.
const perList = 64

// growth returns the size that n more elements need, which is 0 if there is room. It doubles:
// append's own growth of large slices leaves five times as much behind.
func (l *List) growth(n int) int {
	if need := len(l.items) + n; need > cap(l.items) {
		return max(need, 2*cap(l.items), 4)
	}
	return 0
}

func (l *List) resize(size int) { l.items = append(make([]any, 0, size), l.items...) }

// grow makes room for n more elements, and pays for it.
func (ex *exec) grow(l *List, n int) bool {
	size := l.growth(n)
	if size == 0 {
		return true
	}
	if !ex.alloc(16*size) || !ex.step(len(l.items)/8) {
		return false
	}
	l.resize(size)
	return true
}

// Len returns the number of elements.
func (l *List) Len() int { return len(l.items) }

func (l *List) version() int { return l.changes }

func (l *List) clear() {
	l.items = nil
	l.changes++
}

// At returns the element at index i, from 0. It panics where there is none, as a slice does.
func (l *List) At(i int) any { return l.items[i] }

// Append adds values at the end.
func (l *List) Append(values ...any) {
	for _, v := range values {
		l.items = append(l.items, inner(v))
	}
	l.changes++
}

// All returns the elements and their indexes.
func (l *List) All() iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		for i, v := range l.items {
			if !yield(i, v) {
				return
			}
		}
	}
}

// IsJSON reports whether the list prints as JSON text.
func (l *List) IsJSON() bool { return l.kind == jsonArray }
