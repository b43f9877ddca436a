package jsonpath

import (
	"bytes"
	"hash/maphash"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// memberList holds where the members of an object are: of those with one name the last, in the
// place of the first. An object may have millions of members, so each takes few bytes, and a table
// finds names without a copy of them.
type memberList struct {
	text  []byte // that names are in
	list  []memberPlace
	table []uint32 // positions in list, +1, by the hash of their name; once there are many
}

// memberPlace is where a member's quoted name and its value are. Documents have up to 4 GiB.
type memberPlace struct{ nameFrom, nameTo, from, to uint32 }

const (
	// fewMembers is up to where names are compared one by one.
	fewMembers = 12
	// perMember is about how many bytes a member of a list takes, those that growing leaves behind
	// counted in.
	perMember = 80
)

var nameSeed = maphash.MakeSeed()

// set reports whether name is new.
func (l *memberList) set(name, value span) bool {
	place := memberPlace{uint32(name.From), uint32(name.To), uint32(value.From), uint32(value.To)}
	quoted := l.text[name.From:name.To]
	if len(l.list) < fewMembers {
		for j := range l.list {
			if m := &l.list[j]; sameName(l.text[m.nameFrom:m.nameTo], quoted) {
				m.from, m.to = place.from, place.to
				return false
			}
		}
		l.list = append(l.list, place)
		return true
	}
	if len(l.table) < 2*len(l.list) {
		l.table = make([]uint32, tableSize(4*len(l.list)))
		for j := range l.list {
			m := &l.list[j]
			slot, _ := l.slot(l.text[m.nameFrom:m.nameTo])
			l.table[slot] = uint32(j) + 1
		}
	}
	slot, at := l.slot(quoted)
	if at > 0 {
		m := &l.list[at-1]
		m.from, m.to = place.from, place.to
		return false
	}
	l.list = append(l.list, place)
	l.table[slot] = uint32(len(l.list))
	return true
}

// slot returns where in the table a name is or may be put, and what is there. The seed keeps
// clients from choosing names that collide.
func (l *memberList) slot(quoted []byte) (slot int, at uint32) {
	name := quoted[1 : len(quoted)-1]
	if jsonlex.Escaped(name) {
		var room [64]byte
		name = jsonlex.AppendUnescaped(room[:0], name)
	}
	mask := len(l.table) - 1
	for slot = int(maphash.Bytes(nameSeed, name)) & mask; ; slot = (slot + 1) & mask {
		at = l.table[slot]
		if at == 0 {
			return slot, 0
		}
		if m := &l.list[at-1]; sameName(l.text[m.nameFrom:m.nameTo], quoted) {
			return slot, at
		}
	}
}

// tableSize is a power of two, n or more.
func tableSize(n int) int {
	size := 64
	for size < n {
		size *= 2
	}
	return size
}

// sameName compares quoted names. Names are short and mostly without escapes, so that comparing
// bytes decides nearly always.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return false
	}
	text, _ := jsonlex.Unquote(a)
	return jsonscan.Is(b, text)
}
