package vtl

import "math/big"

// maxCompare is how many elements a comparison outside of an execution may look at.
const maxCompare = 1 << 20

// A comparer compares values by content, as Java's equals does. Lists may hold themselves, so depth
// and steps end it: what is still equal then counts as different, and over is set. A set of the
// pairs seen, which would end a cycle with a verdict, was rejected: in Java the stack overflows, so
// there is no verdict to reproduce, and each comparison would pay for the set.
type comparer struct {
	steps int
	base  int // how deep the keys are nested that are looked for
	over  bool
}

func (c *comparer) equal(a, b any, depth int) bool {
	if c.steps--; c.steps < 0 || depth > maxValueDepth {
		c.over = true
		return false
	}
	switch a := a.(type) {
	case nil, bool, int64, float64, Char:
		return a == b
	case string:
		c.steps -= len(a) / 32
		return a == b
	case *big.Int:
		b, ok := b.(*big.Int)
		c.steps -= a.BitLen() / 512
		return ok && a.Cmp(b) == 0
	case *List:
		b, ok := b.(*List)
		if !ok || a == b || a.isArray() || b.isArray() || len(a.items) != len(b.items) {
			return ok && a == b
		}
		for i, e := range a.items {
			if !c.equal(e, b.items[i], depth+1) {
				return false
			}
		}
		return true
	case *Map: // AbstractMap.equals: that of the sets of entries
		b, ok := b.(*Map)
		return ok && c.sameView(&view{a, ofEntries}, &view{b, ofEntries}, depth)
	case *view:
		b, ok := b.(*view)
		return ok && c.sameView(a, b, depth)
	case *entry:
		b, ok := b.(*entry)
		return ok && c.equal(a.key, b.key, depth+1) && c.equal(a.value, b.value, depth+1)
	}
	return sameObject(a, b)
}

// find looks for a key in another map, which may be a map as well.
func (c *comparer) find(m *Map, key any, depth int) int {
	c.steps -= 2
	if s, ok := key.(string); ok {
		c.steps -= len(s) / 32
	}
	if c.steps < 0 {
		c.over = true
		return -1
	}
	outer := c.base
	c.base = depth + 1
	i := m.find(key, c)
	c.base = outer
	return i
}

// sameView compares sets without regard to order (AbstractSet.equals), and two views of values by
// identity alone, as they are collections without an equals of their own.
func (c *comparer) sameView(a, b *view, depth int) bool {
	if a.m == b.m && a.of == b.of {
		return true
	}
	if a.of == ofValues || b.of == ofValues || a.of != b.of || a.m.Len() != b.m.Len() {
		return false
	}
	for _, e := range a.m.entries {
		i := c.find(b.m, e.key, depth)
		if c.over || i < 0 || a.of == ofEntries && !c.equal(e.value, b.m.entries[i].value, depth+1) {
			return false
		}
	}
	return true
}

// sameObject compares Objects by identity. Their type may be one that Go can't compare.
func sameObject(a, b any) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b
}
