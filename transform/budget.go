package transform

import "errors"

// budget bounds what the gateway's variables do for one rendering: the engine counts its own steps, and not what an object does in one of them.
type budget struct {
	looked int64 // bytes that may still be looked at
	made   int64 // bytes of values that may still be made
}

const (
	maxLooked = 1 << 30   // a field out of a 1 MB body, a thousand times
	maxMade   = 512 << 20 // as Go's values need them, roughly
	// perValue is how many bytes a byte of JSON may become: [] is a list.
	perValue = 24
)

var errWork = errors.New("transform: want a template that looks at no more than 1 GiB of payload and makes no more than 512 MiB of values")

func newBudget() *budget { return &budget{maxLooked, maxMade} }

// look takes n bytes that are looked at. Every call costs something.
func (b *budget) look(n int) error {
	if b.looked -= int64(n) + 64; b.looked < 0 {
		return errWork
	}
	return nil
}

// make takes n bytes that are made, and so looked at.
func (b *budget) make(n int) error {
	if b.made -= int64(n) + 64; b.made < 0 {
		return errWork
	}
	return b.look(n)
}
