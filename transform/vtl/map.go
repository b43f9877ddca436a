package vtl

import (
	"iter"
	"slices"
)

// Map is a map that keeps the order in which its keys were first put, java.util.LinkedHashMap: a
// map literal or a JSON object. It prints as {k=v, j=w}. Templates may use other keys than strings.
// It is not for concurrent use.
type Map struct {
	entries []*entry
	index   map[any]int // of scalar keys, once there are many
	changes int
}

// An entry is also what a template gets of $map.entrySet().
type entry struct{ key, value any }

// perMap is about how many bytes a map takes beside its keys.
const perMap = 64

// fewKeys is up to where comparing keys one by one is as fast as hashing them.
const fewKeys = 8

// NewMap returns an empty map.
func NewMap() *Map { return &Map{} }

// Len returns the number of keys.
func (m *Map) Len() int { return len(m.entries) }

// Get returns the value of a key that is a string. ok tells a null value from a missing one.
func (m *Map) Get(key string) (value any, ok bool) {
	if m.index == nil {
		for _, e := range m.entries {
			if k, is := e.key.(string); is && k == key {
				return e.value, true
			}
		}
		return nil, false
	}
	if i, found := m.index[key]; found {
		return m.entries[i].value, true
	}
	return nil, false
}

// Put sets the value of a key. A new key comes last, one that is there stays where it is. It takes
// the values that [Template.Execute] takes, and null for any other.
func (m *Map) Put(key string, value any) { m.put(key, inner(value)) }

// Delete removes a key if it is there.
func (m *Map) Delete(key string) {
	if i := m.find(key, nil); i >= 0 {
		m.removeAt(i)
	}
}

// All returns the keys, as text, and values in order. m may be nil.
func (m *Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if m == nil {
			return
		}
		for _, e := range m.entries {
			if !yield(ToString(e.key), e.value) {
				return
			}
		}
	}
}

// scalar reports whether k can be a key of a Go map, with the equality that Java has.
func scalar(k any) bool {
	switch k.(type) {
	case string, int64, float64, bool, Char:
		return true
	}
	return false
}

// find returns the position of a key, or -1. Keys that are no scalars are compared one by one,
// which c counts.
func (m *Map) find(key any, c *comparer) int {
	if scalar(key) {
		if m.index != nil {
			if i, ok := m.index[key]; ok {
				return i
			}
			return -1
		}
		for i, e := range m.entries {
			if scalar(e.key) && e.key == key {
				return i
			}
		}
		return -1
	}
	for i, e := range m.entries {
		if c.over {
			break
		}
		if c.equal(key, e.key, c.base) {
			return i
		}
	}
	return -1
}

// newKey is what a key costs that may be new, in steps and bytes.
func (m *Map) newKey() (steps, bytes int) {
	if len(m.entries) < fewKeys {
		return 2, 80
	}
	return 4, 200
}

// put returns the value that was there. Who counts looks for the key first.
func (m *Map) put(key, value any) any {
	return m.putAt(m.find(key, &comparer{steps: maxCompare}), key, value)
}

// putAt is put for a key that find has looked for.
func (m *Map) putAt(i int, key, value any) any {
	if i >= 0 {
		old := m.entries[i].value
		m.entries[i].value = value
		return old
	}
	m.entries = append(m.entries, &entry{key, value})
	m.changes++
	switch {
	case m.index != nil:
		if scalar(key) {
			m.index[key] = len(m.entries) - 1
		}
	case len(m.entries) > fewKeys:
		m.index = make(map[any]int, 2*len(m.entries))
		m.reindex(0)
	}
	return nil
}

// removeAt returns the value that was there. The positions of all keys behind change.
func (m *Map) removeAt(i int) any {
	e := m.entries[i]
	m.entries = slices.Delete(m.entries, i, i+1)
	m.changes++
	if len(m.entries) <= fewKeys {
		m.index = nil
	} else {
		if scalar(e.key) {
			delete(m.index, e.key)
		}
		m.reindex(i)
	}
	return e.value
}

func (m *Map) reindex(from int) {
	for i := from; i < len(m.entries); i++ {
		if key := m.entries[i].key; scalar(key) {
			m.index[key] = i
		}
	}
}

func (m *Map) clear() {
	m.entries, m.index = nil, nil
	m.changes++
}

// A view is what keySet, values and entrySet return: it shows the map as it is at each moment.
type view struct {
	m  *Map
	of viewOf
}

type viewOf uint8

const (
	ofKeys viewOf = iota
	ofValues
	ofEntries
)

// Len, At and version make a sequence of it.
func (v *view) Len() int     { return v.m.Len() }
func (v *view) version() int { return v.m.changes }
func (v *view) clear()       { v.m.clear() }

func (v *view) At(i int) any {
	e := v.m.entries[i]
	switch v.of {
	case ofKeys:
		return e.key
	case ofValues:
		return e.value
	}
	return e
}
