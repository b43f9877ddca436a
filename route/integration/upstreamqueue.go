package integration

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
)

// queue holds the requests that wait until an upstream has a connection left, first come, first served. Nobody looks at it while nobody waits.
type queue struct {
	max     int32
	waiting atomic.Int32

	mu    sync.Mutex
	order list.List // of chan struct{}
}

// join returns a place in the queue, or nil if it is full. leave must be called.
func (q *queue) join() *list.Element {
	if q.waiting.Add(1) > q.max {
		q.waiting.Add(-1)
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.order.PushBack(make(chan struct{}, 1))
}

// leave gives the place up, and passes on a wake-up that came too late to be used here.
func (q *queue) leave(place *list.Element) {
	q.mu.Lock()
	q.order.Remove(place)
	q.mu.Unlock()
	q.waiting.Add(-1)
	select {
	case <-place.Value.(chan struct{}):
		q.wakeOne()
	default:
	}
}

// wait returns nil when place was woken, or the cause that ended ctx.
func (q *queue) wait(ctx context.Context, place *list.Element) error {
	select {
	case <-place.Value.(chan struct{}):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wakeOne wakes the first that isn't woken yet.
func (q *queue) wakeOne() {
	if q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.order.Front(); e != nil; e = e.Next() {
		select {
		case e.Value.(chan struct{}) <- struct{}{}:
			return
		default:
		}
	}
}
