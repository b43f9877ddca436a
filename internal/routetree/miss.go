package routetree

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Miss says why a path has no route.
type Miss[V any] struct {
	// OtherMethods are the routes that the path has for other methods.
	OtherMethods []*V
	// Segment is the first segment of the path that fits nothing, from 1; one more than the path
	// has where it ends too early. Near are routes that fit up to there, at most three, the nearest
	// first.
	Segment int
	Near    []*V
}

// The bounds of what is compared: only names are looked for among more literals than that.
const (
	maxNear     = 3
	maxCompared = 256
)

// Miss returns how far a request came for which [Tree.Match] finds nothing. It is for people, and
// walks as Match does, once for each method that has routes of its own.
func (t *Tree[V]) Miss(method, path string, escaped bool) Miss[V] {
	var m Miss[V]
	if path == "" || path[0] != '/' {
		return m
	}
	var values Values
	own := t.table(method)
	for _, name := range methodNames {
		found := t.Match(name, path, escaped, &values)
		if found != nil && !slices.Contains(m.OtherMethods, found) {
			m.OtherMethods = append(m.OtherMethods, found)
		}
	}
	if len(m.OtherMethods) > 0 {
		return m
	}
	path = strings.TrimPrefix(path, "/")
	if t.options.IgnoreTrailingSlash {
		path = strings.TrimSuffix(path, "/")
	}
	best := reach[V]{walk: walk[V]{options: t.options, escaped: escaped}, depth: -1}
	best.from(&own.root, path, path != "", 0)
	for i := 0; i < len(t.tables) && best.node.empty(); i++ { // the method has no routes near: those of others
		best.from(&t.tables[i].root, path, path != "", 0)
	}
	m.Segment = best.depth + 1
	m.Near = best.near()
	return m
}

// reach is how far a path leads into a tree.
type reach[V any] struct {
	walk[V]
	depth   int
	node    *node[V]
	segment string // the first that fits nothing, decoded
}

func (n *node[V]) empty() bool {
	return n == nil || n.here == nil && n.greedy == nil && n.variable == nil && len(n.literals)+len(n.byName) == 0
}

// from goes as far as it can, in every way that Match tries.
func (w *reach[V]) from(n *node[V], rest string, more bool, depth int) {
	segment, after, further := strings.Cut(rest, "/")
	decoded := w.decode(segment)
	if depth > w.depth && !n.empty() {
		w.depth, w.node, w.segment = depth, n, decoded
	}
	if !more || segment == "" {
		return
	}
	if next := n.literal(w.options.fold(decoded)); next != nil {
		w.from(next, after, further, depth+1)
	}
	if n.variable != nil {
		w.from(n.variable, after, further, depth+1)
	}
}

// near returns routes at the node that was reached: below the literals that are nearest to the
// segment, below a variable, and the node's own, which the path is too long for.
func (w *reach[V]) near() (routes []*V) {
	if w.node == nil {
		return nil
	}
	add := func(v *V) {
		if v != nil && len(routes) < maxNear && !slices.Contains(routes, v) {
			routes = append(routes, v)
		}
	}
	for _, name := range w.node.names(w.segment) {
		add(w.node.literal(name).any())
	}
	if w.node.variable != nil {
		add(w.node.variable.any())
	}
	if w.node.greedy != nil {
		add(w.node.greedy.value)
	}
	if w.node.here != nil {
		add(w.node.here.value)
	}
	return routes
}

// names returns the literals below n that are nearest to a segment.
func (n *node[V]) names(to string) []string {
	var names []string
	for _, e := range n.literals {
		names = append(names, e.literal)
	}
	if len(n.byName) <= maxCompared {
		names = slices.AppendSeq(names, maps.Keys(n.byName))
	}
	slices.Sort(names)
	return nearest.Names(to, slices.Values(names))
}

// any returns the nearest route at or below n: the shortest of those whose first segments come
// first.
func (n *node[V]) any() *V {
	for range maxSegments + 1 {
		switch {
		case n.here != nil:
			return n.here.value
		case len(n.literals) > 0:
			n = slices.MinFunc(n.literals, func(a, b edge[V]) int { return cmp.Compare(a.literal, b.literal) }).node
		case len(n.byName) > 0:
			n = n.byName[slices.Min(slices.Collect(maps.Keys(n.byName)))]
		case n.variable != nil:
			n = n.variable
		case n.greedy != nil:
			return n.greedy.value
		default:
			return nil
		}
	}
	return nil
}
