package definition

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"reflect"
	"slices"
	"strings"
)

// digest names a part of a document by what it says: two parts that differ in where they come from
// have the same. It also returns the name of an unknown value in them, if there is one.
func digest(parts ...any) (sum, unknown string) {
	d := &digester{hash: sha256.New()}
	for _, p := range parts {
		d.add(reflect.ValueOf(p))
	}
	return hex.EncodeToString(d.hash.Sum(nil)[:16]), d.unknown
}

var escapedMarks = strings.NewReplacer(`\u27e8`, "⟨", `\u27E8`, "⟨", `\u27e9`, "⟩", `\u27E9`, "⟩")

// digester writes values to a hash, each with its length or kind in front, so that no two differ
// and give the same bytes.
type digester struct {
	hash    hash.Hash
	unknown string
	room    [9]byte
}

func (d *digester) number(kind byte, n uint64) {
	d.room[0] = kind
	binary.LittleEndian.PutUint64(d.room[1:], n)
	_, _ = d.hash.Write(d.room[:]) // a hash never fails
}

func (d *digester) text(s string) {
	d.number('s', uint64(len(s)))
	_, _ = d.hash.Write([]byte(s))
	if name, ok := UnknownIn(s); ok {
		d.unknown = cmp.Or(d.unknown, name)
	}
}

func (d *digester) add(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			d.number('0', 0)
			return
		}
		d.add(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Origin]() {
			return
		}
		for i := range v.NumField() {
			d.add(v.Field(i))
		}
	case reflect.Map:
		keys := v.MapKeys() // of texts, in this package
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		d.number('m', uint64(len(keys)))
		for _, key := range keys {
			d.text(key.String())
			d.add(v.MapIndex(key))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			d.text(string(v.Bytes()))
			// A policy or schema is JSON as somebody wrote it, which may spell our marks by
			// escapes.
			if name, ok := UnknownIn(escapedMarks.Replace(string(v.Bytes()))); ok {
				d.unknown = cmp.Or(d.unknown, name)
			}
			return
		}
		fallthrough
	case reflect.Array:
		d.number('l', uint64(v.Len()))
		for i := range v.Len() {
			d.add(v.Index(i))
		}
	case reflect.String:
		d.text(v.String())
	case reflect.Bool:
		if d.number('b', 0); v.Bool() {
			d.number('b', 1)
		}
	case reflect.Int, reflect.Int64:
		d.number('i', uint64(v.Int()))
	case reflect.Float64:
		d.number('f', math.Float64bits(v.Float()))
	default:
		panic("definition: no digest of a " + v.Kind().String())
	}
}
