package usageplan

import (
	"context"
	"errors"
	"time"
)

// Store keeps API keys, plans and counted requests. It knows nothing of what they mean. [NewMemory]
// is one that lasts as long as the process; boltstore has one in a file, redisthrottle one that
// several machines share. All methods are safe for concurrent use, and none of them keeps or
// changes what it is given. usageplantest.Run is the test suite that a Store has to pass.
type Store interface {
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, t Table, id string) (Record, error)
	// Put writes a record if r.Revision is the revision of the one that is there (0: none may be
	// there), and otherwise returns ErrConflict. The record's revision is then r.Revision + 1. Once
	// Put has returned, the record survives a crash of the process, if the store outlives processes
	// at all.
	Put(ctx context.Context, t Table, r Record) error
	// Delete removes a record. One that isn't there is no error.
	Delete(ctx context.Context, t Table, id string) error
	// List returns up to limit records whose IDs come after the given one, in the order of their
	// bytes.
	List(ctx context.Context, t Table, after string, limit int) ([]Record, error)
	// Changes returns up to limit records that were put or deleted, each once, by its last change:
	// the latest change first. Fewer than limit, but at least one, may be returned while there are
	// more. A change is seen together with all those before it, and comes with the record as it is
	// when it is read, or later. A store may forget deletions, the oldest first, but not the latest
	// thousand; if it has forgotten one after s.Since, or was never there, because it was emptied
	// or restored from a copy, it returns ErrForgotten, and the caller reads all.
	Changes(ctx context.Context, s Span, limit int) ([]Change, error)

	// Reserve counts up to atMost units, on a day of the counter's period, as far as limit and the
	// counter's extra units allow. It grants nothing if that is fewer than atLeast. A negative
	// limit is none. It is atomic: whatever runs at the same time, no more than the limit is
	// granted in all.
	Reserve(ctx context.Context, c Counter, on Date, atLeast, atMost, limit int64) (granted int64, now Count, err error)
	// Add counts units without looking at a limit. Negative units are given back; a count never
	// falls below 0.
	Add(ctx context.Context, c Counter, on Date, units int64) (Count, error)
	// SetExtra replaces the counter's extra units, which may be negative.
	SetExtra(ctx context.Context, c Counter, extra int64) error
	// Days returns the count and its units by day, c.To - c.From of them.
	Days(ctx context.Context, c Counter) (Count, []int64, error)

	// Touch notes when a key was last used. It may be written with a delay.
	Touch(ctx context.Context, key string, at time.Time) error
	// LastUsed returns what was noted for each of the keys, the zero Time where there is nothing.
	LastUsed(ctx context.Context, keys ...string) ([]time.Time, error)
}

// Table says what a record is.
type Table string

// The tables of a Store. No other ones are used.
const (
	Keys    Table = "keys"    // API keys, by their IDs
	Secrets Table = "secrets" // the IDs of keys, by their values' digests: no value is used twice
	Plans   Table = "plans"   // usage plans, by their IDs
)

// Record is what a Store keeps of a key or a plan.
type Record struct {
	// ID is up to 128 bytes of visible ASCII.
	ID string
	// Revision is 1 for a new record, and one more with each Put.
	Revision int64
	// Data is up to 1 MiB. It must not be changed.
	Data []byte
}

const maxRecord = 1 << 20

// Span says which changes are asked for.
type Span struct {
	// Table is Keys or Plans.
	Table Table
	// New asks for records whose only change is that they were made, under an ID that no deletion
	// is remembered of; otherwise for all others. They are asked for apart, since only the others
	// can take away what somebody may do: a revocation isn't to wait behind an import.
	New bool
	// Since is the number after which changes are asked for: 0 where none was there when it was
	// last asked, negative for all that there are, whatever was forgotten.
	Since int64
	// Before is the number before which they are asked for. 0 is no bound.
	Before int64
}

// Change is the last change of a record, as [Store.Changes] tells of it.
type Change struct {
	// Number tells the order of changes of a table, new ones and others: a later one has a higher
	// number, which is never 0.
	Number int64
	// Record is what was put; of one that was deleted, only its ID, with Revision 0.
	Record
}

// Counter is a key's count under a plan, in one period.
type Counter struct {
	// Plan and Key are the IDs of the plan and of the key.
	Plan, Key string
	// From is the period's first day, To the day after its last.
	From, To Date
}

// Count is what a counter holds.
type Count struct {
	// Used is how many units were counted.
	Used int64
	// Extra is by how many units the limit was extended for this key and period.
	Extra int64
}

// DefaultRetention is how long stores keep counts after the end of their periods, unless told
// otherwise.
const DefaultRetention = 100 * 24 * time.Hour

// What the methods of a Store and of a [Registry] return, as errors.Is finds it.
var (
	ErrNotFound = errors.New("usageplan: not found")
	ErrConflict = errors.New("usageplan: it exists already, or was changed at the same time")
	// ErrForgotten is what a Store says of changes that it can't tell any more: read all that there
	// are.
	ErrForgotten = errors.New("usageplan: the store has forgotten some of these changes")
	// ErrInvalid is what a Registry says of values that can't be; the error names each of them. A
	// Store doesn't return it.
	ErrInvalid = errors.New("usageplan: invalid")
)

// invalidError is an error that is ErrInvalid without saying so in its text.
type invalidError struct{ error }

func (e invalidError) Is(target error) bool { return target == ErrInvalid }
func (e invalidError) Unwrap() error        { return e.error }

// invalid marks err, unless it is nil.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return invalidError{err}
}
