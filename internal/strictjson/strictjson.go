// Package strictjson reads JSON objects that decide about access, where two readers must never see
// different things.
//
// encoding/json takes the last of two members with one name, matches struct fields in any letter
// case and replaces bytes that aren't UTF-8; so {"iss":"good","ISS":"evil"} has two readings. Here
// each of these is an error. (RFC 7515, section 4 and RFC 7519, section 4 allow to refuse
// duplicates; RFC 8725, section 2.4 tells why.) Half of a surrogate pair is one too, as some
// readers replace it, some keep it and some stop there. (RFC 8259, section 8.2.)
package strictjson

import (
	"bytes"
	"errors"
	"unicode"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// ErrSyntax is what every error of this package is: not an object, not JSON, a name twice, not
// UTF-8, nested too deep.
var ErrSyntax = errors.New("strictjson: want one JSON object in UTF-8 without repeated names")

// Object calls member for each member of the object that data holds, in order. The name is decoded,
// the value is its JSON text within data. Names of the object itself must differ by more than
// letter case; those of objects within it must differ. maxDepth bounds how deep values may nest;
// the object itself is depth 1.
//
// member is only called if all of data is well-formed. Object returns [ErrSyntax] or the first
// error of member.
func Object(data []byte, maxDepth int, member func(name string, value []byte) error) error {
	return object(reader{data: data, maxDepth: maxDepth}, member)
}

// ObjectOfNames is [Object] for names that somebody else chose, as those of private claims: they
// may differ in letter case alone. Nobody may decode it into a struct afterwards, whose fields take
// names in any case. Without a member it only checks, and allocates little.
func ObjectOfNames(data []byte, maxDepth int, member func(name string, value []byte) error) error {
	return object(reader{data: data, maxDepth: maxDepth, exact: true}, member)
}

func object(r reader, member func(name string, value []byte) error) error {
	if !utf8.Valid(r.data) {
		return ErrSyntax
	}
	r.keep = member != nil
	i := jsonlex.Space(r.data, 0)
	if i == len(r.data) || r.data[i] != '{' {
		return ErrSyntax
	}
	i, ok := r.object(i, 1)
	if !ok || jsonlex.Space(r.data, i) != len(r.data) {
		return ErrSyntax
	}
	for _, m := range r.members {
		if err := member(string(m.name), m.value); err != nil {
			return err
		}
	}
	return nil
}

// Elements returns the elements of a JSON array as Object found it, each its JSON text within
// value, and reports whether value is an array.
func Elements(value []byte) ([][]byte, bool) {
	if !jsonscan.Valid(value) || value[0] != '[' {
		return nil, false
	}
	elements := [][]byte{}
	for e := range jsonscan.Elements(value) {
		elements = append(elements, e)
	}
	return elements, true
}

// Text decodes a JSON string as Object found it, and reports whether value is one.
func Text(value []byte) (string, bool) { return jsonlex.Unquote(value) }

// Texts decodes a JSON array of strings as Object found it, and reports whether value is one.
func Texts(value []byte) ([]string, bool) {
	elements, ok := Elements(value)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(elements))
	for i, e := range elements {
		if texts[i], ok = Text(e); !ok {
			return nil, false
		}
	}
	return texts, true
}

type reader struct {
	data     []byte // UTF-8
	maxDepth int
	exact    bool // names of the outermost object may differ in letter case alone
	keep     bool // its members
	members  []memberText
}

type memberText struct{ name, value []byte }

// value passes over the value at i, which is depth objects and arrays deep, itself counted if it is
// one.
func (r *reader) value(i, depth int) (end int, ok bool) {
	if i < len(r.data) {
		switch r.data[i] {
		case '{':
			return r.object(i, depth)
		case '[':
			return r.array(i, depth)
		case '"':
			end, ok = jsonlex.String(r.data, i)
			return end, ok && !halved(r.data[i:end])
		}
	}
	return jsonlex.Scalar(r.data, i)
}

func (r *reader) object(i, depth int) (end int, ok bool) {
	if depth > r.maxDepth {
		return i, false
	}
	var seen names
	i, empty := jsonlex.Open(r.data, i)
	for more := !empty; more; {
		var name []byte
		if name, i, ok = jsonlex.Name(r.data, i); !ok || halved(name) {
			return i, false
		}
		name = said(name)
		from := i
		if i, ok = r.value(i, depth+1); !ok {
			return i, false
		}
		if depth == 1 && r.keep {
			r.members = append(r.members, memberText{name, r.data[from:i]})
		}
		if depth == 1 && !r.exact {
			name = fold(name)
		}
		if !seen.add(name) {
			return i, false
		}
		if i, more, ok = jsonlex.Next(r.data, i, '{'); !ok {
			return i, false
		}
	}
	return i, true
}

func (r *reader) array(i, depth int) (end int, ok bool) {
	if depth > r.maxDepth {
		return i, false
	}
	i, empty := jsonlex.Open(r.data, i)
	for more := !empty; more; {
		if i, ok = r.value(i, depth+1); ok {
			i, more, ok = jsonlex.Next(r.data, i, '[')
		}
		if !ok {
			return i, false
		}
	}
	return i, true
}

// halved reports whether a string escapes half of a surrogate pair.
func halved(quoted []byte) bool {
	inner := quoted[1 : len(quoted)-1]
	return jsonlex.Escaped(inner) && jsonlex.HalfPair(inner)
}

// said returns what a string says, within data unless it has escapes.
func said(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if !jsonlex.Escaped(inner) {
		return inner
	}
	return jsonlex.AppendUnescaped(nil, inner)
}

// names is a set of names: a list while it is short, as most objects are, then a map, as a list
// would take quadratic time.
type names struct {
	list [16][]byte
	n    int // of list
	set  map[string]struct{}
}

func (n *names) add(name []byte) bool {
	for _, seen := range n.list[:n.n] {
		if bytes.Equal(seen, name) {
			return false
		}
	}
	if n.n < len(n.list) {
		n.list[n.n] = name
		n.n++
		return true
	}
	if _, seen := n.set[string(name)]; seen {
		return false
	}
	if n.set == nil {
		n.set = map[string]struct{}{}
	}
	n.set[string(name)] = struct{}{}
	return true
}

// fold maps names that differ only in letter case to one: each rune to the first of those that
// Unicode's simple folding makes equal, which is also what encoding/json does for struct fields.
func fold(name []byte) []byte {
	lower := true
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			lower = false
			break
		}
	}
	if lower {
		return name
	}
	folded := make([]rune, 0, len(name))
	for _, r := range string(name) {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A' // the form that names are in already
		}
		folded = append(folded, least)
	}
	return []byte(string(folded))
}
