package wsconn

import "sync"

// Buffers are pooled by size. What goes back is exactly of a class's capacity, so a pool holds
// nothing that is larger than its class says, and what is larger than the largest class is left to
// the collector.
var classes = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10}

var pools [len(classes)]sync.Pool

// buffer is a pooled buffer. Its pointer travels with the bytes, so that putting it back allocates
// nothing.
type buffer struct {
	b     []byte
	class int8 // -1: of no class
}

// getBuffer returns an empty buffer with room for n bytes.
func getBuffer(n int) *buffer {
	for i, size := range classes {
		if n <= size {
			if b, ok := pools[i].Get().(*buffer); ok {
				return b
			}
			return &buffer{b: make([]byte, 0, size), class: int8(i)}
		}
	}
	return &buffer{b: make([]byte, 0, n), class: -1}
}

// free puts b back. b may be nil, and nothing of it may be used after.
func (b *buffer) free() {
	if b == nil || b.class < 0 {
		return
	}
	b.b = b.b[:0]
	pools[b.class].Put(b)
}

// grow returns a buffer with b's bytes and room for n more; b may be nil and is no longer used.
func (b *buffer) grow(n int) *buffer {
	if b == nil {
		return getBuffer(n)
	}
	if cap(b.b)-len(b.b) >= n {
		return b
	}
	to := getBuffer(max(len(b.b)+n, min(4*cap(b.b), cap(b.b)+1<<20)))
	to.b = append(to.b, b.b...)
	b.free()
	return to
}
