// Package jsonbody reads a request's body as a web ACL's JsonBody does: as JSON, but without
// insisting that it is. (AWS WAF developer guide, "JSON body" under "Request components in AWS
// WAF".)
//
// A reader that refuses what isn't valid would leave the body of a careless client uninspected, so
// a comma or a colon that is missing, and a colon that is doubled, pass. Reading ends at a
// character that can't stand where it does, at a name that its object has had, at the end of a body
// that was cut off, at a root that is neither an object nor an array, and, which the guide says
// nothing of, below 10,000 levels. What was read before has been handed out by then; what becomes
// of the rest is the statement's InvalidFallbackBehavior.
//
// Tokens are those of internal/jsonlex. The readers above that one know no grammar but JSON's, and
// the two that walk hand out spans of valid text; so the grammar here is one of its own.
//
// # Differences
//
// A body of no bytes has no elements and no error, as a request without a body isn't one that can't
// be parsed. Numbers, true, false and null are elements by their text. Both aren't documented.
package jsonbody

import (
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Scope says which elements are handed out.
type Scope uint8

const (
	All    Scope = iota // names of members, and values
	Keys                // names of members
	Values              // strings, numbers, true, false and null
)

var scopes = []string{All: "ALL", Keys: "KEY", Values: "VALUE"}

// ParseScope returns the scope that WAFv2's MatchScope calls name.
func ParseScope(name string) (Scope, error) {
	for s, have := range scopes {
		if have == name {
			return Scope(s), nil
		}
	}
	return All, fmt.Errorf("want a match scope, got %.64q%s", name, nearest.Hint(name, each(scopes)))
}

func each(list []string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range list {
			if !yield(s) {
				return
			}
		}
	}
}

// Pattern says which parts of a body are handed out. It is immutable.
type Pattern struct {
	root  *node
	scope Scope
}

// node is a place of the paths: what leads on from it, and whether a path ends there.
type node struct {
	included bool
	children map[string]*node
}

// maxPath is how long a path may be. (WAFv2, JsonMatchPattern.)
const maxPath = 512

// Compile returns the pattern that takes what is at and below each of paths, which are JSON
// Pointers (RFC 6901) without the empty one, or all if there are none. The names along a path are
// no part of what is below it. A lone / is the root, and not the member with the empty name that
// the RFC has it be: so the service's model has it, which takes no empty path.
func Compile(paths []string, scope Scope) (*Pattern, error) {
	m := mistakes.In("MatchPattern.IncludedPaths")
	root := &node{included: len(paths) == 0}
	for i, path := range paths {
		if why := check(path); why != "" {
			m.Index(i).Add("", "want a JSON Pointer of 1 to %d bytes such as /orders/0/note, got %.64q%s",
				maxPath, path, why)
			continue
		}
		root.add(path)
	}
	m.Require(int(scope) < len(scopes), "", "want a scope of All, Keys or Values, got %d", scope)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Pattern{root: root, scope: scope}, nil
}

// check returns why path isn't a pointer, or "".
func check(path string) string {
	switch {
	case path == "" || len(path) > maxPath:
		return fmt.Sprintf(", which has %d bytes", len(path))
	case path[0] != '/':
		return ", which doesn't begin with /"
	}
	for i := range len(path) {
		if path[i] == '~' && (i+1 == len(path) || path[i+1] != '0' && path[i+1] != '1') {
			return ", where ~ is neither ~0 nor ~1"
		}
	}
	return ""
}

// unescape is that of RFC 6901, section 4: ~01 is ~1 and not /.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func (n *node) add(path string) {
	if path != "/" {
		for name := range strings.SplitSeq(path[1:], "/") {
			name = unescape.Replace(name)
			next := n.children[name]
			if next == nil {
				if n.children == nil {
					n.children = map[string]*node{}
				}
				next = &node{}
				n.children[name] = next
			}
			n = next
		}
	}
	n.included = true
}

// child returns where name leads to from n, or nil. Either may be nil.
func (n *node) child(name []byte) *node {
	if n == nil || n.children == nil {
		return nil
	}
	return n.children[string(name)]
}
