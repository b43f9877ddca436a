package jsonpath_test

import (
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// orders is shaped like what clients post: short names, numbers, a few longer texts, escapes in
// some.
var orders = []byte(`{"owner":{"id":"u-7"},"items":[` +
	strings.Repeat(`{"sku":"A-17","qty":3,"price":12.5,"note":"left at the door","tags":["new","red"],"gift":null},`,
		300) +
	strings.Repeat(`{"sku":"B-2","note":"he said \"no\"\nand left"},`, 50) + `{}],"total":1234.5}`)

func BenchmarkOpen(b *testing.B) {
	b.SetBytes(int64(len(orders)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonpath.Open(orders); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	for name, expr := range map[string]string{
		"path=member": "$.owner.id", "path=last": "$.items[-1]", "path=names": "$.items[*].sku",
		"path=filter": "$.items[?(@.qty > 2)].note",
	} {
		path, err := jsonpath.Parse(expr)
		if err != nil {
			b.Fatal(err)
		}
		document, err := jsonpath.Open(orders)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(orders)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := document.Select(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendCompact(b *testing.B) {
	var room []byte
	b.SetBytes(int64(len(orders)))
	b.ReportAllocs()
	for b.Loop() {
		room = jsonpath.AppendCompact(room[:0], orders)
	}
}
