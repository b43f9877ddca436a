package transform

import "github.com/gatekit-go/gatekit/transform/vtl"

// budget is the account of the execution at hand, from which the gateway's variables pay for what
// they do: the engine counts its own steps, and not what an object does in one of them.
type budget struct{ meter *vtl.Meter }

const (
	// lookedPerStep is how many bytes of a payload a step looks at. JSON that is all brackets takes
	// two nanoseconds a byte.
	lookedPerStep = 24
	// parsedPerByte is how many steps and, eight times over, bytes a byte of an expression takes
	// that isn't remembered.
	parsedPerByte = 8
	// compiledPerByte is the same of one with a regular expression, in which \p{L} stands for
	// hundreds of ranges.
	compiledPerByte = 200
	// perInstruction is what it takes to compile an instruction of a regular expression.
	perInstruction = 16
	// perMember is about how many bytes it takes to find out whether a member's name stands in an
	// object twice.
	perMember = 48
)

// look pays for n bytes that are looked at. Every call costs something.
func (b *budget) look(n int) error { return b.meter.Charge(2+n/lookedPerStep, 0) }

// make pays for a text of n bytes that is made.
func (b *budget) make(n int) error { return b.meter.Charge(2+n/16, 16+n) }
