// Package jsonpath reads single values out of JSON text with the gateway's JSONPath dialect: that
// of Jayway JsonPath for Java, as far as the developer guide's examples go.
//
//	$.name  $['name']  $["name"]  name      a member; without $ the path starts at the document, too
//	$.list[0]  $.list[-1]                   an element, from the end if negative
//	$.list[1:3]  [-2:]  [:2]  [0,2]         elements; the upper end is excluded
//	$['a','b']                              members
//	$.*  $[*]                               all members or elements
//	$..name  $..*  $..[0]                   at any depth, an object or array before what it holds
//	$.list[?(@.qty > 1 && !(@.sku =~ /a.*/i))]
//
// In filters stand @ (the element), $ (the document), texts in either quotes, numbers, true, false,
// null and regular expressions, joined by == != < <= > >= =~ && || ! and parentheses; a path alone
// asks whether it is there. Numbers are compared exactly, whatever their size; a text and a number
// are equal if they are spelled alike; < and its kin need two numbers or two texts. Regular
// expressions are Go's (RE2, so in linear time), bounded in size, and match the whole text. A
// filter on an object keeps or drops the object itself.
//
// A path is [Path.Definite] if it names one place: no .., *, filter, slice or list of names. It
// then selects one value or none. Paths of the other kind select a list.
//
// Nothing is decoded or copied: a selection is a piece of the text.
//
// # Text that isn't as it should be
//
// Text that isn't JSON (RFC 8259), isn't UTF-8, or nests deeper than [MaxDepth] is [ErrSyntax] as a
// whole, also where the selected part would be fine. Of members with one name the last counts, in
// the place of the first, as in the maps of the managed gateway's engine.
package jsonpath

import (
	"errors"
	"math"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Bounds that hold for every expression and document.
const (
	// MaxDepth is how deep documents may nest.
	MaxDepth = 512
	// MaxExpression is an expression's longest length in bytes.
	MaxExpression = 4096
	// MaxResults is how many values a path may select.
	MaxResults = 100_000

	maxSteps       = 128   // of a path
	maxFilterDepth = 16    // parentheses, negations and filters within filters
	maxRegexp      = 512   // bytes
	maxPatterns    = 5_000 // instructions of an expression's regular expressions, about
	minWork        = 64 << 20
	workPerByte    = 16
	maxMade        = 128 << 20
)

var (
	// ErrSyntax is what documents that aren't JSON yield.
	ErrSyntax = errors.New("jsonpath: want JSON in UTF-8, nested at most 512 deep and of at most 4 GiB")
	// ErrTooMuch is what a path yields that selects too many values, or that would have to look at
	// the document too often.
	ErrTooMuch = errors.New("jsonpath: the path selects too much of this document")
)

// Path is a parsed expression. It is immutable and safe for concurrent use.
type Path struct {
	steps    []step
	definite bool
	patterns int
	fromEnd  int // steps that count from an array's end
}

// Definite reports whether the path names one place.
func (p *Path) Definite() bool { return p.definite }

// Whole reports whether the path is $, the document as a whole.
func (p *Path) Whole() bool { return p.definite && len(p.steps) == 0 }

// Passes is how often [Document.Get] may look at a byte: once, and once more for each index that
// counts from an array's end.
func (p *Path) Passes() int { return 1 + p.fromEnd }

// Patterns is about how many instructions the path's regular expressions have, which is what it
// takes to compile them.
func (p *Path) Patterns() int { return p.patterns }

type kind uint8

const (
	member   kind = iota // names[0]
	members              // names
	element              // indexes[0]
	elements             // indexes
	slice                // from, to
	wildcard
	filtered // filter
)

type step struct {
	kind    kind
	deep    bool // after ..
	names   []string
	wanted  map[string][]int // where the names of members are in names
	indexes []int
	from    *int
	to      *int
	filter  *filter
}

func (s *step) definite() bool { return !s.deep && (s.kind == member || s.kind == element) }

// Document is text that was found to be JSON. The zero Document is not one.
type Document struct{ text []byte }

// Open checks that text is JSON. The Document refers to text, which must not change while it is
// used.
func Open(text []byte) (Document, error) {
	d, _, _, err := OpenAndGet(text, nothing)
	return d, err
}

var nothing = &Path{} // not definite, so that it isn't followed

// OpenAndGet is [Open] and then [Document.Get], in one pass.
func OpenAndGet(text []byte, p *Path) (d Document, value []byte, ok bool, err error) {
	if uint64(len(text)) > math.MaxUint32 || !utf8.Valid(text) {
		return Document{}, nil, false, ErrSyntax
	}
	steps := p.steps
	if !p.definite {
		steps = nil
	}
	found, end, valid := follow(text, jsonlex.Space(text, 0), 0, steps)
	if !valid || jsonlex.Space(text, end) != len(text) {
		return Document{}, nil, false, ErrSyntax
	}
	if d = (Document{text}); found.To == 0 || !p.definite {
		return d, nil, false, nil
	}
	return d, text[found.From:found.To], true, nil
}

// Text returns the document's text.
func (d Document) Text() []byte { return d.text }

// Select opens text and selects from it: one value or none if the path is definite, else any
// number. The values are pieces of text. The error is [ErrSyntax] or [ErrTooMuch].
func (p *Path) Select(text []byte) ([][]byte, error) {
	d, value, ok, err := OpenAndGet(text, p)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return [][]byte{value}, nil
	case p.definite:
		return nil, nil
	}
	return d.Select(p)
}
