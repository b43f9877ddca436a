// Package strictjson reads JSON objects that decide about access, where two readers must never see different things.
//
// encoding/json takes the last of two members with one name, matches struct fields in any letter case and replaces bytes
// that aren't UTF-8; so {"iss":"good","ISS":"evil"} has two readings. Here each of these is an error. (RFC 7515, section 4
// and RFC 7519, section 4 allow to refuse duplicates; RFC 8725, section 2.4 tells why.)
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"unicode"
	"unicode/utf8"
)

// ErrSyntax is what every error of this package is: not an object, not JSON, a name twice, not UTF-8, nested too deep.
var ErrSyntax = errors.New("strictjson: want one JSON object in UTF-8 without repeated names")

// Object calls member for each member of the object that data holds, in order. The name is decoded, the value is its JSON text
// within data. Names of the object itself must differ by more than letter case; those of objects within it must differ.
// maxDepth bounds how deep values may nest; the object itself is depth 1.
//
// member is only called if all of data is well-formed. Object returns [ErrSyntax] or the first error of member.
func Object(data []byte, maxDepth int, member func(name string, value []byte) error) error {
	return object(scanner{data: data, maxDepth: maxDepth}, member)
}

// ObjectOfNames is [Object] for names that somebody else chose, as those of private claims: they may differ in letter case alone. Nobody may
// decode it into a struct afterwards, whose fields take names in any case. Without a member it only checks, and allocates little.
func ObjectOfNames(data []byte, maxDepth int, member func(name string, value []byte) error) error {
	return object(scanner{data: data, maxDepth: maxDepth, exact: true}, member)
}

func object(s scanner, member func(name string, value []byte) error) error {
	data := s.data
	s.space()
	if !s.object(true, member != nil) {
		return ErrSyntax
	}
	s.space()
	if s.at != len(data) {
		return ErrSyntax
	}
	for _, m := range s.members {
		if err := member(string(m.name), data[m.from:m.to]); err != nil {
			return err
		}
	}
	return nil
}

// Elements returns the elements of a JSON array as Object found it, each its JSON text within value, and reports whether value is an
// array.
func Elements(value []byte) ([][]byte, bool) {
	s := scanner{data: value, maxDepth: math.MaxInt}
	if !s.take('[') {
		return nil, false
	}
	elements := [][]byte{}
	for !s.take(']') {
		if len(elements) > 0 && !s.take(',') {
			return nil, false
		}
		from := s.at
		if !s.value() {
			return nil, false
		}
		elements = append(elements, value[from:s.at])
		s.space()
	}
	return elements, s.at == len(value)
}

// Text decodes a JSON string as Object found it, and reports whether value is one.
func Text(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	return unquote(value)
}

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

type scanner struct {
	data     []byte
	at       int
	depth    int
	maxDepth int
	exact    bool   // names of the outermost object may differ in letter case alone
	members  []span // of the outermost object
}

type span struct {
	name     []byte
	from, to int
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// take passes over c and the space behind it, and reports whether c was there.
func (s *scanner) take(c byte) bool {
	if s.at >= len(s.data) || s.data[s.at] != c {
		return false
	}
	s.at++
	s.space()
	return true
}

// object passes over an object, and keeps its members if it should.
func (s *scanner) object(outermost, keep bool) bool {
	if s.depth++; s.depth > s.maxDepth || !s.take('{') {
		return false
	}
	var seen names
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return false
		}
		name, ok := s.text()
		if !ok {
			return false
		}
		s.space()
		if !s.take(':') {
			return false
		}
		from := s.at
		if !s.value() {
			return false
		}
		if keep {
			s.members = append(s.members, span{name, from, s.at})
		}
		if outermost && !s.exact {
			name = fold(name)
		}
		if !seen.add(name) {
			return false
		}
		s.space()
	}
	s.depth--
	return true
}

func (s *scanner) array() bool {
	if s.depth++; s.depth > s.maxDepth || !s.take('[') {
		return false
	}
	for first := true; !s.take(']'); first = false {
		if !first && !s.take(',') {
			return false
		}
		if !s.value() {
			return false
		}
		s.space()
	}
	s.depth--
	return true
}

// value passes over a value, but not over the space behind it.
func (s *scanner) value() bool {
	if s.at >= len(s.data) {
		return false
	}
	switch c := s.data[s.at]; {
	case c == '{':
		return s.object(false, false) && s.trim()
	case c == '[':
		return s.array() && s.trim()
	case c == '"':
		_, ok := s.raw()
		return ok
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.number()
}

// trim goes back over the space that take passed behind a closing bracket.
func (s *scanner) trim() bool {
	for s.data[s.at-1] != '}' && s.data[s.at-1] != ']' {
		s.at--
	}
	return true
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// number passes over a number. (RFC 8259, section 6.)
func (s *scanner) number() bool {
	s.one("-")
	switch {
	case s.one("0"):
	case !s.digits():
		return false
	}
	if s.one(".") && !s.digits() {
		return false
	}
	if s.one("eE") {
		s.one("+-")
		return s.digits()
	}
	return true
}

func (s *scanner) one(of string) bool {
	for i := range len(of) {
		if s.at < len(s.data) && s.data[s.at] == of[i] {
			s.at++
			return true
		}
	}
	return false
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

// raw passes over a string and returns it with its quotes. It checks UTF-8 and escapes, lone surrogates among them.
func (s *scanner) raw() (quoted []byte, ok bool) {
	from := s.at
	if s.at >= len(s.data) || s.data[s.at] != '"' {
		return nil, false
	}
	for s.at++; s.at < len(s.data); {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.data[from:s.at], true
		case c < ' ':
			return nil, false
		case c == '\\':
			if !s.escape() {
				return nil, false
			}
		case c < utf8.RuneSelf:
			s.at++
		default:
			r, size := utf8.DecodeRune(s.data[s.at:])
			if r == utf8.RuneError && size == 1 {
				return nil, false
			}
			s.at += size
		}
	}
	return nil, false
}

func (s *scanner) escape() bool {
	if s.at++; s.at >= len(s.data) {
		return false
	}
	switch s.data[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
	default:
		return false
	}
	r, ok := s.hex4()
	if !ok || r >= 0xdc00 && r <= 0xdfff { // the second half of a pair first
		return false
	}
	if r < 0xd800 || r > 0xdbff {
		return true
	}
	if s.at+1 >= len(s.data) || s.data[s.at] != '\\' || s.data[s.at+1] != 'u' {
		return false
	}
	s.at++
	low, ok := s.hex4()
	return ok && low >= 0xdc00 && low <= 0xdfff
}

// hex4 passes over uXXXX.
func (s *scanner) hex4() (r rune, ok bool) {
	if len(s.data)-s.at < 5 {
		return 0, false
	}
	for _, c := range s.data[s.at+1 : s.at+5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.at += 5
	return r, true
}

// text passes over a string and returns what it says, within data unless it has escapes.
func (s *scanner) text() ([]byte, bool) {
	quoted, ok := s.raw()
	if !ok || bytes.IndexByte(quoted, '\\') < 0 {
		return inner(quoted), ok
	}
	text, ok := unquote(quoted)
	return []byte(text), ok
}

// inner is what stands between a string's quotes.
func inner(quoted []byte) []byte {
	if len(quoted) < 2 {
		return nil
	}
	return quoted[1 : len(quoted)-1]
}

// unquote decodes a string that raw has passed.
func unquote(quoted []byte) (string, bool) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(inner(quoted)), true
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// names is a set of names: a list while it is short, as most objects are, then a map, as a list would take quadratic time.
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

// fold maps names that differ only in letter case to one: each rune to the first of those that Unicode's simple folding makes
// equal, which is also what encoding/json does for struct fields.
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
