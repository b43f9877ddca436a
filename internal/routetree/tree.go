package routetree

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Options are the rules of a tree. Where the managed gateway's are in doubt, they can be chosen.
type Options struct {
	// IgnoreTrailingSlash lets /pets/ match as /pets does.
	IgnoreTrailingSlash bool
	// GreedyMatchesEmpty lets /pets/{proxy+} match /pets, and /{proxy+} match /.
	GreedyMatchesEmpty bool
	// FullMatchFirst takes any route without a greedy variable before every one with: /{a}/{b}
	// before /pets/{proxy+} for /pets/dog. Otherwise the first segment that differs decides,
	// whatever follows.
	FullMatchFirst bool
	// IgnoreCase compares literal segments without regard to ASCII letter case.
	IgnoreCase bool
}

// Tree is a set of routes with values of type V. Add fills it; once it is filled, Match may be
// called by several goroutines.
type Tree[V any] struct {
	options Options
	byShape map[string]string // what a key matches, without the names of variables → the key
	tables  [len(methodNames)]table[V]
	other   table[V] // methods without routes of their own: the ANY routes
	deflt   *V
}

// table holds the routes of one method, with those of ANY among them: a lookup never has to compare
// two methods' routes.
type table[V any] struct {
	static  map[string]*V // paths without variables: nothing is more specific, so they need no walk
	lengths [4]uint64     // which lengths below 256 such paths have: most other requests skip hashing
	root    node[V]
}

// node is a path prefix. Each is reached in one way only, so a walk that tries literal, variable
// and greedy in turn visits no node twice: the time is bounded by the number of routes, whatever
// the path.
type node[V any] struct {
	literals []edge[V]
	byName   map[string]*node[V] // in place of literals, once there are many
	variable *node[V]
	greedy   *leaf[V]
	here     *leaf[V]
}

type edge[V any] struct {
	literal string
	node    *node[V]
}

type leaf[V any] struct {
	value *V
	exact bool // the route names the method; ANY gives way to it
}

var methodNames = [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// manyLiterals is from how many on a map is faster than comparing.
const manyLiterals = 8

// New returns an empty tree.
func New[V any](o Options) *Tree[V] {
	return &Tree[V]{options: o, byShape: map[string]string{}}
}

// Add adds a route. It returns an error that names both keys if another route matches the same
// requests.
func (t *Tree[V]) Add(k Key, value V) error {
	shape := t.shape(k)
	if other, ok := t.byShape[shape]; ok {
		if other == k.String() {
			return errors.New("want each route once, but it is there already")
		}
		return fmt.Errorf("want routes that match different requests, but %q matches the same", other)
	}
	t.byShape[shape] = k.String()
	if k.Default {
		t.deflt = &value
		return nil
	}
	exact := k.Method != "ANY"
	for i, name := range methodNames {
		if !exact || k.Method == name {
			t.tables[i].add(k, &value, exact, t.options)
		}
	}
	if !exact {
		t.other.add(k, &value, exact, t.options)
	}
	return nil
}

func (t *Tree[V]) shape(k Key) string {
	shape := k
	shape.Segments = nil
	for _, s := range k.Segments {
		if s.Variable != "" {
			s.Variable = "*" // which no name is
		} else {
			s.Literal, s.spelled = url.PathEscape(t.options.fold(s.Literal)), "" // %7B*%7D is no variable
		}
		shape.Segments = append(shape.Segments, s)
	}
	return shape.String()
}

func (t *table[V]) add(k Key, value *V, exact bool, o Options) {
	n := &t.root
	isStatic := true
	for _, s := range k.Segments {
		switch {
		case s.Greedy:
			n.greedy = better(n.greedy, value, exact)
			return
		case s.Variable != "":
			isStatic = false
			if n.variable == nil {
				n.variable = &node[V]{}
			}
			n = n.variable
		default:
			n = n.child(o.fold(s.Literal))
		}
	}
	n.here = better(n.here, value, exact)
	if isStatic && !o.IgnoreCase {
		path := k.literal()
		if t.static == nil {
			t.static = map[string]*V{}
		}
		t.static[path] = n.here.value
		if len(path) < 64*len(t.lengths) {
			t.lengths[len(path)/64] |= 1 << (len(path) % 64)
		}
	}
}

// better returns the leaf of two routes with one path: the one that names the method.
func better[V any](have *leaf[V], value *V, exact bool) *leaf[V] {
	if have != nil && have.exact {
		return have
	}
	return &leaf[V]{value: value, exact: exact}
}

func (n *node[V]) child(literal string) *node[V] {
	if next := n.literal(literal); next != nil {
		return next
	}
	next := &node[V]{}
	if n.byName == nil && len(n.literals) < manyLiterals {
		n.literals = append(n.literals, edge[V]{literal, next})
		return next
	}
	if n.byName == nil {
		n.byName = map[string]*node[V]{}
		for _, e := range n.literals {
			n.byName[e.literal] = e.node
		}
		n.literals = nil
	}
	n.byName[literal] = next
	return next
}

func (n *node[V]) literal(s string) *node[V] {
	if n.byName != nil {
		return n.byName[s]
	}
	for i := range n.literals {
		if e := &n.literals[i]; e.literal == s {
			return e.node
		}
	}
	return nil
}

// Values are the variables' values, in the key's order.
type Values struct {
	text [MaxVariables]string
	n    int
}

// Len returns how many there are.
func (v *Values) Len() int { return v.n }

// At returns the i-th.
func (v *Values) At(i int) string { return v.text[i] }

// Match returns the value of the route for a method and a path, or nil if there is none, and fills
// in the variables' values.
//
// escaped says that path is percent-encoded: it is split at its slashes before its segments are
// decoded. The path must have passed [CheckPath]. Match allocates only for segments that are
// escaped.
func (t *Tree[V]) Match(method, path string, escaped bool, values *Values) *V {
	values.n = 0
	if path == "" {
		path = "/"
	}
	if path[0] != '/' {
		return nil // OPTIONS *
	}
	if t.options.IgnoreTrailingSlash && len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	tbl := t.table(method)
	if !escaped && (len(path) >= 64*len(tbl.lengths) || tbl.lengths[len(path)/64]&(1<<(len(path)%64)) != 0) {
		if value := tbl.static[path]; value != nil {
			return value
		}
	}
	w := walk[V]{options: t.options, escaped: escaped, values: values}
	rest, more := path[1:], path != "/"
	if value := w.match(&tbl.root, rest, more, 0, !t.options.FullMatchFirst); value != nil {
		return value
	}
	if t.options.FullMatchFirst {
		if value := w.match(&tbl.root, rest, more, 0, true); value != nil {
			return value
		}
	}
	values.n = 0
	return t.deflt
}

func (t *Tree[V]) table(method string) *table[V] {
	switch method {
	case "DELETE":
		return &t.tables[0]
	case "GET":
		return &t.tables[1]
	case "HEAD":
		return &t.tables[2]
	case "OPTIONS":
		return &t.tables[3]
	case "PATCH":
		return &t.tables[4]
	case "POST":
		return &t.tables[5]
	case "PUT":
		return &t.tables[6]
	}
	return &t.other
}

type walk[V any] struct {
	options Options
	escaped bool
	values  *Values
}

// match finds the best route below n. more says that a segment follows; rest begins with it. The
// order of the three attempts is the order of preference: literal, variable, greedy.
func (w *walk[V]) match(n *node[V], rest string, more bool, variables int, greedy bool) *V {
	if !more {
		w.values.n = variables
		if n.here != nil {
			return n.here.value
		}
		if n.greedy != nil && greedy && w.options.GreedyMatchesEmpty {
			w.set(variables, "")
			return n.greedy.value
		}
		return nil
	}
	segment, after, more := rest, "", false
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		segment, after, more = rest[:i], rest[i+1:], true
	}
	decoded := w.decode(segment)
	if next := n.literal(w.options.fold(decoded)); next != nil && segment != "" {
		if value := w.match(next, after, more, variables, greedy); value != nil {
			return value
		}
	}
	if n.variable != nil && segment != "" { // an empty segment is no value
		if value := w.match(n.variable, after, more, variables+1, greedy); value != nil {
			w.values.text[variables] = decoded
			return value
		}
	}
	if n.greedy != nil && greedy {
		w.set(variables, w.decode(rest))
		return n.greedy.value
	}
	return nil
}

// set sets the last value.
func (w *walk[V]) set(i int, value string) {
	w.values.text[i] = value
	w.values.n = i + 1
}

func (w *walk[V]) decode(s string) string {
	if !w.escaped || strings.IndexByte(s, '%') < 0 {
		return s
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return s // CheckPath has refused it
	}
	return decoded
}

func (o Options) fold(s string) string {
	if o.IgnoreCase {
		return strings.ToLower(s)
	}
	return s
}
