package textform

// Buffers are what transformations write into. The zero value is ready; reused, it saves Apply its
// allocations. It is for one goroutine at a time.
type Buffers struct {
	a, b []byte
	args args
}

// Apply returns what the transformations of list make of src, the first of them first. It never
// writes to src, and returns src itself, or a part of it, where nothing changes. The result is
// valid until b's next Apply, and not to be written to.
func Apply(b *Buffers, list []Kind, src []byte) []byte {
	for _, k := range list {
		if k == None || k >= kinds {
			continue
		}
		f := &forms[k]
		if f.touches != nil && !f.touches.in(src) {
			continue
		}
		dst := f.apply(b, b.a[:0], src)
		// What has been read is done with, unless it was the caller's: the next may write over it.
		b.a, b.b = b.b, dst
		src = dst
	}
	return src
}
