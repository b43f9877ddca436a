package usageplan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// follower keeps a registry's roster as the store is. It reads changes, the latest first; what it
// hasn't read yet is gaps between those that it has. So one way of reading serves for all: at the
// start the gap is everything; where the store was away for long, it is what happened meanwhile;
// and in each case, what changes now is read before what is left of the gaps, page by page, and no
// page is read twice.
//
// Reading one log, the oldest first, would let a revocation stand in line behind everything that
// was imported before it; the latest first, behind what is imported after it. Therefore records
// that are new are read apart, after all else.
type follower struct {
	g *Registry
	// tails are what is followed, the most urgent first.
	tails []tail
	// anew is true while all that there is is read again; at its end, what wasn't found is taken
	// out.
	anew bool
	// starting makes a record that can't be read an error. Later it costs only the key or the
	// change that it is.
	starting bool
	// surplus is how many keys were left out as there are too many, and told how many the log was
	// told of.
	surplus, told int
}

// tail is how far the changes of a table have been read.
type tail struct {
	table Table
	made  bool  // Span.New
	head  int64 // the latest change that was read, 0 where there was none, -1 where nobody has looked
	gaps  []gap // what is unread before it, the latest last
}

// gap is the changes after since and before before.
type gap struct{ since, before int64 }

const pageSize = 1000

// start reads everything.
func (f *follower) start(ctx context.Context) error {
	f.starting = true
	f.restart()
	if err := f.turn(ctx, nil); err != nil {
		return err
	}
	f.starting = false
	return nil
}

// run looks for changes until ctx ends.
func (f *follower) run(ctx context.Context, refresh time.Duration) {
	tick := time.NewTicker(refresh / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if f.surplus > 0 && !f.anew && f.g.roster.size() < f.g.maxKeys {
			f.restart() // there is room now for what was left out
		}
		err := f.turn(ctx, tick.C)
		if ctx.Err() != nil {
			return
		}
		f.g.refreshing.Note(ctx, err)
	}
}

// turn looks for changes, and then fills gaps, but that it looks again whenever it is time to.
func (f *follower) turn(ctx context.Context, tick <-chan time.Time) error {
	if err := f.look(ctx); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-tick:
			err = f.look(ctx)
		default:
			t := f.behind()
			switch {
			case t != nil:
				err = f.fill(ctx, t)
			case f.anew && f.tails[len(f.tails)-1].head < 0: // begun anew by the last page
				err = f.look(ctx)
			default:
				f.finish(ctx)
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// restart forgets what was read, so that everything is read again.
func (f *follower) restart() {
	f.tails = []tail{{table: Keys, head: -1}, {table: Plans, head: -1}, {table: Plans, made: true, head: -1},
		{table: Keys, made: true, head: -1}}
	f.anew, f.surplus = true, 0
	f.g.roster.begin()
}

// behind returns the most urgent tail that has a gap, or nil.
func (f *follower) behind() *tail {
	for i := range f.tails {
		if t := &f.tails[i]; len(t.gaps) > 0 {
			return t
		}
	}
	return nil
}

// finish takes out what wasn't found, where all was read again.
func (f *follower) finish(ctx context.Context) {
	if f.anew {
		for _, id := range f.g.roster.sweep() {
			f.g.forgetKey(id)
		}
		f.anew = false
	}
	if f.surplus > 0 && f.surplus != f.told {
		f.g.log.LogAttrs(ctx, slog.LevelError,
			"usageplan: the store has more keys than RegistryConfig.MaxKeys, some are refused",
			slog.Int("maxKeys", f.g.maxKeys), slog.Int("refused", f.surplus))
	}
	f.told = f.surplus
}

// look reads what has changed since it was last called: a page, and what there is besides becomes a
// gap.
func (f *follower) look(ctx context.Context) error {
	for i := range f.tails {
		t := &f.tails[i]
		read, err := f.page(ctx, t, gap{since: t.head})
		if err != nil {
			return f.forgotten(err)
		}
		if len(read) == 0 {
			t.head = max(t.head, 0)
			continue
		}
		// A page that isn't full needn't be the last one: the gap is closed where it is found to be
		// empty.
		t.gaps = append(t.gaps, gap{t.head, read[len(read)-1].Number})
		t.head = read[0].Number
	}
	return nil
}

// fill reads a page of t's latest gap.
func (f *follower) fill(ctx context.Context, t *tail) error {
	last := len(t.gaps) - 1
	read, err := f.page(ctx, t, t.gaps[last])
	switch {
	case err != nil:
		return f.forgotten(err)
	case len(read) == 0:
		t.gaps = t.gaps[:last]
	default:
		t.gaps[last].before = read[len(read)-1].Number
	}
	return nil
}

// forgotten begins anew where the store can't tell any more what has changed. What is known stays
// known until all has been read.
func (f *follower) forgotten(err error) error {
	if errors.Is(err, ErrForgotten) {
		f.restart()
		return nil
	}
	return err
}

// page reads a page of changes, and puts it in.
func (f *follower) page(ctx context.Context, t *tail, gap gap) ([]Change, error) {
	asking := ctx
	if !f.starting {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, storeTimeout) // a page, not all of them: what was read stays read
		defer cancel()
	}
	at := f.g.roster.seen()
	read, err := f.g.store.Changes(asking, Span{t.table, t.made, gap.since, gap.before}, pageSize)
	if err != nil {
		return nil, fmt.Errorf("usageplan: read the store: %w", err)
	}
	for _, c := range read {
		if err := f.put(asking, t.table, c.Record, &at); err != nil {
			return nil, err
		}
	}
	return read, nil
}

// put puts in a record, or reads it again until it is known to be the newest.
func (f *follower) put(ctx context.Context, t Table, r Record, at *versions) error {
	g := f.g
	became, err := g.putRecord(t, r, at)
	if became == outdone {
		became, err = g.reload(ctx, t, r.ID)
	}
	switch {
	case err != nil && (f.starting || !errors.As(err, new(*badRecord))):
		return err
	case err != nil:
		g.log.LogAttrs(ctx, slog.LevelError,
			"usageplan: a changed record can't be used; a key is refused, a plan goes on as it was",
			slog.Any("error", err))
	case became == full && f.starting:
		return fmt.Errorf("usageplan: the store has more than RegistryConfig.MaxKeys, %d", g.maxKeys)
	case became == full: // made by several processes at once; what is known goes on being kept up to date
		f.surplus++
	}
	return nil
}

// badRecord is a record that can't be read.
type badRecord struct{ error }

// reload puts in a record as it is in the store now. Changes that this process makes come in by it.
func (g *Registry) reload(ctx context.Context, t Table, id string) (outcome, error) {
	for {
		at := g.roster.seen()
		r, err := g.store.Get(ctx, t, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return done, fmt.Errorf("usageplan: read the store: %w", err)
		}
		r.ID = id
		if became, err := g.putRecord(t, r, &at); became != outdone {
			return became, err
		}
	}
}

// putRecord puts in a record that was read when the versions were as at; Revision 0 takes it out.
func (g *Registry) putRecord(t Table, r Record, at *versions) (outcome, error) {
	if t == Plans {
		became, err := g.roster.putPlan(r.ID, at, func(old *livePlan) (*livePlan, error) { return g.parsePlan(r, old) })
		if became == done && r.Revision == 0 {
			g.forgetPlan(r.ID)
		}
		return became, err
	}
	var made *liveKey
	var members []memberRecord
	var bad error
	if r.Revision > 0 {
		var err error
		if made, members, err = parseKey(r); err != nil {
			bad = &badRecord{err} // and refuse the key: what can't be read may be that it was disabled
		}
	}
	became := g.roster.putKey(r.ID, made, members, at, g.maxKeys)
	if became == done && r.Revision == 0 {
		g.forgetKey(r.ID)
	}
	return became, bad
}

// parsePlan returns the plan of a record, with the buckets of the one that was there as far as
// their limits stay.
func (g *Registry) parsePlan(r Record, old *livePlan) (*livePlan, error) {
	if r.Revision == 0 {
		return nil, nil
	}
	if old != nil && bytes.Equal(old.data, r.Data) {
		return old, nil
	}
	var p Plan
	err := json.Unmarshal(r.Data, &p)
	if err == nil {
		err = p.check()
	}
	var made *livePlan
	if err == nil {
		made, err = newLivePlan(p, r.Data, old, g.maxKeys)
	}
	if err != nil {
		return nil, &badRecord{fmt.Errorf("usageplan: plan %s: %w", r.ID, err)}
	}
	return made, nil
}
