package textform

import (
	"bytes"
	"cmp"
	"slices"
)

// arg is a parameter of a raw query string.
type arg struct {
	name, value []byte
	pair        bool // it has an equals sign
	next        int  // the next of the same name, or 0
	again       bool // there is one of the same name in front of it
}

// args are a query's, and their places sorted by name.
type args struct {
	list   []arg
	byName []int
}

// combineDuplicateQueryArgs gives the first parameter of each name the values of all, with commas
// between them: a=1&b=2&a=3 becomes a=1,3&b=2. Names are compared as they are written. Empty pieces
// between two ampersands stay.
func combineDuplicateQueryArgs(b *Buffers, dst, src []byte) []byte {
	a := &b.args
	a.read(src)
	a.link()
	for i := range a.list {
		arg := &a.list[i]
		if arg.again {
			continue
		}
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, arg.name...)
		if arg.pair || arg.next > 0 {
			dst = append(dst, '=')
		}
		dst = append(dst, arg.value...)
		for n := arg.next; n > 0; n = a.list[n].next {
			dst = append(append(dst, ','), a.list[n].value...)
		}
	}
	clear(a.list) // they hold the caller's bytes
	return dst
}

func (a *args) read(src []byte) {
	a.list, a.byName = a.list[:0], a.byName[:0]
	for more := true; more; {
		var piece []byte
		piece, src, more = bytes.Cut(src, []byte("&"))
		name, value, pair := bytes.Cut(piece, []byte("="))
		if len(piece) > 0 {
			a.byName = append(a.byName, len(a.list))
		}
		a.list = append(a.list, arg{name: name, value: value, pair: pair})
	}
}

// link finds which are of one name by sorting: a query may have many thousands, and each must not
// be compared with all others.
func (a *args) link() {
	slices.SortFunc(a.byName, func(i, j int) int {
		return cmp.Or(bytes.Compare(a.list[i].name, a.list[j].name), cmp.Compare(i, j))
	})
	for k := 1; k < len(a.byName); k++ {
		before, this := &a.list[a.byName[k-1]], &a.list[a.byName[k]]
		if bytes.Equal(before.name, this.name) {
			before.next, this.again = a.byName[k], true
		}
	}
}
