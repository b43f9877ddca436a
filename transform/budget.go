package transform

import (
	"errors"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// budget bounds what the gateway's variables do for one rendering: the engine counts its own steps, and not what an object does in one of them.
type budget struct {
	looked int64 // bytes that may still be looked at
	made   int64 // bytes of values that may still be made
}

// The budget follows the limits of the engine (vtl.Options): so many bytes looked at for a step, so many made for one that the engine may
// allocate. By default that is a field out of a 1 MB body, a thousand times, and a body of 10 MB decoded, twice.
const (
	lookedPerStep = 50
	madePerByte   = 2

	defaultSteps = 20_000_000
	defaultAlloc = 256 << 20
	// perValue is how many bytes a byte of JSON may become: [] is a list.
	perValue = 24
	// lookedPerInstruction is what it costs to compile an instruction of a regular expression.
	lookedPerInstruction = 256
)

var errWork = errors.New("transform: want a template that looks at no more payload and makes no more values than Options.MaxSteps and MaxAllocBytes allow")

func budgetOf(o vtl.Options) budget {
	b := budget{lookedPerStep * defaultSteps, madePerByte * defaultAlloc}
	if o.MaxSteps != 0 {
		b.looked = lookedPerStep * int64(o.MaxSteps)
	}
	if o.MaxAllocBytes != 0 {
		b.made = madePerByte * int64(o.MaxAllocBytes)
	}
	return b
}

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
