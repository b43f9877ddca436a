package definition

import (
	"context"
	"strings"
	"sync/atomic"
)

// pool holds what a document needs and a next one may need, too: each thing under a name that says
// what it is for and everything that it is made of. A pool isn't changed once its document is
// served.
type pool struct{ items map[string]*item }

// item is one thing, which several documents' pools may hold.
type item struct {
	value any
	held  atomic.Int32 // by pools
	end   func()
}

func newPool() *pool { return &pool{items: map[string]*item{}} }

func (p *pool) hold(name string, i *item) {
	i.held.Add(1)
	p.items[name] = i
}

// release ends what no other pool holds.
func (p *pool) release() {
	for _, i := range p.items {
		if i.held.Add(-1) == 0 {
			i.end()
		}
	}
}

// pooled names something of the API's, by what kind of thing it is and what it is for. Flavors make
// different things of the same words.
func (a *apiBuilder) pooled(kind string, parts ...string) string {
	return strings.Join(append([]string{kind, a.api.Flavor, a.api.ID}, parts...), "\x00")
}

// keep returns what was made under the name for this document, or for the one that is served, or
// makes it. What make starts ends with the context that it is given, at the latest when no document
// needs it.
func keep[T any](b *builder, name string, make func(ctx context.Context) (T, error)) (T, error) {
	return keepEnding(b, name, make, func(T) {})
}

// keepEnding is keep for what needs more than the end of its context.
func keepEnding[T any](
	b *builder, name string, make func(ctx context.Context) (T, error), end func(T),
) (T, error) {
	if has := b.pool.items[name]; has != nil {
		return has.value.(T), nil
	}
	if b.before != nil {
		if had := b.before.items[name]; had != nil {
			b.pool.hold(name, had)
			return had.value.(T), nil
		}
	}
	ctx, cancel := context.WithCancel(b.root)
	value, err := make(ctx)
	if err != nil {
		cancel()
		return value, err
	}
	b.pool.hold(name, &item{value: value, end: func() {
		end(value)
		cancel()
	}})
	return value, nil
}
