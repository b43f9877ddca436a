package upstream

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// queue holds the requests that wait until a server has a connection left. Those go first that have
// all to send that they will send, and of these the ones whose client keeps the fewest places
// already; else first come, first served. Nobody looks at it while nobody waits.
type queue struct {
	max     int32
	waiting atomic.Int32

	mu    sync.Mutex
	order list.List // of *waiter
}

type waiter struct {
	x    *Exchange
	wake chan struct{}
}

// join returns a place in the queue, or nil if it is full. leave must be called.
func (q *queue) join(x *Exchange) *list.Element {
	if q.waiting.Add(1) > q.max {
		q.waiting.Add(-1)
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.order.PushBack(&waiter{x, make(chan struct{}, 1)})
}

// leave gives the place up, and passes on a wake-up that came too late to be used here.
func (q *queue) leave(place *list.Element) {
	q.mu.Lock()
	q.order.Remove(place)
	q.mu.Unlock()
	q.waiting.Add(-1)
	select {
	case <-place.Value.(*waiter).wake:
		q.wakeOne()
	default:
	}
}

// wait reports whether it is place's turn, after it was woken or when it is time to look again, or
// returns the cause that ended ctx.
func (q *queue) wait(ctx context.Context, place *list.Element, look <-chan time.Time) (turn bool, err error) {
	select {
	case <-place.Value.(*waiter).wake:
		return true, nil
	case <-look:
		return q.isNext(place), nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// isNext reports whether nobody goes before place: who comes or looks doesn't take what became free
// for somebody else.
func (q *queue) isNext(place *list.Element) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next(func(*waiter) bool { return true }) == place.Value
}

// wakeOne wakes the first that isn't woken yet.
func (q *queue) wakeOne() {
	if q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if w := q.next(func(w *waiter) bool { return len(w.wake) == 0 }); w != nil {
		w.wake <- struct{}{} // there is room: only who holds the lock sends
	}
}

// next returns who goes first of those that may, or nil. The caller holds the lock.
func (q *queue) next(may func(*waiter) bool) (next *waiter) {
	least := 0
	for e := q.order.Front(); e != nil; e = e.Next() {
		w := e.Value.(*waiter)
		if rank := w.x.rank(); may(w) && (next == nil || rank < least) {
			next, least = w, rank
		}
	}
	return next
}
