package redisregistry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// request is a call on its way.
type request struct {
	Reply string         `json:"reply"` // the channel that the answer is published on
	ID    uint64         `json:"id"`
	For   int64          `json:"for"` // milliseconds that the caller still waits, rounded up
	Call  websocket.Call `json:"call"`
}

// reply is an answer on its way back.
type reply struct {
	ID     uint64           `json:"id"`
	Answer websocket.Answer `json:"answer"`
}

const (
	maxCalls    = 1000 // served at once by one node; further ones are answered as unknown
	channelSize = 1000 // calls that wait to be looked at
	maxSeen     = 8192 // calls that are remembered, as the client may publish one again after a broken connection
)

func (g *Registry) callChannel(scope, node string) string { return g.tag(scope) + "call:" + node }

// Listen implements [websocket.Transport].
func (g *Registry) Listen(
	ctx context.Context, n websocket.Node, serve func(context.Context, websocket.Call) websocket.Answer,
) (stop func(), err error) {
	pubsub := g.client.Subscribe(ctx, g.callChannel(n.Scope, n.ID))
	asking, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if _, err := pubsub.Receive(asking); err != nil { // the confirmation: from now on calls arrive
		_ = pubsub.Close()
		return nil, &unavailable{err}
	}
	l := &listener{registry: g, node: n, serve: serve, seen: map[seenCall]bool{}}
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx, pubsub, &running) })
	var once sync.Once
	end := func() {
		once.Do(func() { _ = pubsub.Close() })
		running.Wait()
	}
	unhook := context.AfterFunc(ctx, end)
	unhookToo := context.AfterFunc(g.ctx, end)
	return func() { unhook(); unhookToo(); end() }, nil
}

// listener serves the calls of a node.
type listener struct {
	registry *Registry
	node     websocket.Node
	serve    func(context.Context, websocket.Call) websocket.Answer
	busy     atomic.Int64

	// Of run's goroutine alone:
	seen  map[seenCall]bool
	order []seenCall
	next  int
}

type seenCall struct {
	reply string
	id    uint64
}

// run hands out calls until the subscription is closed.
func (l *listener) run(ctx context.Context, pubsub *redis.PubSub, running *sync.WaitGroup) {
	for message := range pubsub.Channel(redis.WithChannelSize(channelSize)) {
		var q request
		if json.Unmarshal([]byte(message.Payload), &q) != nil || q.Reply == "" || q.For <= 0 || l.again(seenCall{q.Reply, q.ID}) {
			continue
		}
		if l.busy.Add(1) > maxCalls {
			l.busy.Add(-1)
			l.answer(ctx, q, websocket.Answer{Results: make([]websocket.Result, len(q.Call.IDs))})
			continue
		}
		running.Go(func() {
			defer l.busy.Add(-1)
			limited, cancel := context.WithTimeout(ctx, time.Duration(q.For)*time.Millisecond)
			defer cancel()
			if m := l.registry.member(l.node.Scope, l.node.ID); m != nil {
				m.settled(time.Now()) // the process may have been paused, and its connections be others' to judge
			}
			if limited.Err() != nil {
				return // nobody waits any more: who has asked was told that it isn't known
			}
			l.answer(ctx, q, l.serve(limited, q.Call))
		})
	}
}

// again reports whether the call was delivered before.
func (l *listener) again(c seenCall) bool {
	if l.seen[c] {
		return true
	}
	if len(l.order) < maxSeen {
		l.order = append(l.order, c)
	} else {
		delete(l.seen, l.order[l.next])
		l.order[l.next] = c
		l.next = (l.next + 1) % maxSeen
	}
	l.seen[c] = true
	return false
}

// answer publishes. A caller that doesn't hear it runs into its deadline, and knows that it doesn't
// know.
func (l *listener) answer(ctx context.Context, q request, a websocket.Answer) {
	text, err := json.Marshal(reply{q.ID, a})
	if err != nil {
		return
	}
	waits, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(q.For)*time.Millisecond)
	defer cancel()
	_ = l.registry.client.Publish(waits, q.Reply, text).Err()
}

// Call implements [websocket.Transport].
func (g *Registry) Call(ctx context.Context, scope, node string, c websocket.Call) (websocket.Answer, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return websocket.Answer{}, errors.New("redisregistry: Call: want a context with a deadline")
	}
	if err := g.replies.start(ctx); err != nil {
		return websocket.Answer{}, err
	}
	id, answered := g.replies.expect()
	defer g.replies.forget(id)
	text, err := json.Marshal(request{g.replies.channel, id, max(time.Until(deadline).Milliseconds()+1, 1), c})
	if err != nil {
		return websocket.Answer{}, fmt.Errorf("redisregistry: Call: %w", err)
	}
	heard, err := g.client.Publish(ctx, g.callChannel(scope, node), text).Result()
	if err != nil {
		if ctx.Err() != nil {
			return websocket.Answer{}, ctx.Err()
		}
		return websocket.Answer{}, &unavailable{err}
	}
	if _, cluster := g.client.(*redis.ClusterClient); heard == 0 && !cluster { // a cluster counts one shard's alone
		return websocket.Answer{}, websocket.ErrNobody
	}
	select {
	case a := <-answered:
		return a, nil
	case <-ctx.Done():
		return websocket.Answer{}, ctx.Err()
	}
}

// replies hears the answers to this process' calls, from the first call on.
type replies struct {
	registry *Registry
	channel  string

	mu       sync.Mutex
	started  bool
	last     uint64
	waiting  map[uint64]chan websocket.Answer
	starting sync.Mutex
}

// start subscribes, once; it returns when answers arrive.
func (r *replies) start(ctx context.Context) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	if r.started {
		return nil
	}
	g := r.registry
	pubsub := g.client.Subscribe(g.ctx, r.channel)
	asking, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if _, err := pubsub.Receive(asking); err != nil {
		_ = pubsub.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &unavailable{err}
	}
	r.started = true
	context.AfterFunc(g.ctx, func() { _ = pubsub.Close() })
	go func() {
		for message := range pubsub.Channel(redis.WithChannelSize(channelSize)) {
			var a reply
			if json.Unmarshal([]byte(message.Payload), &a) == nil {
				r.deliver(a)
			}
		}
	}()
	return nil
}

func (r *replies) expect() (uint64, <-chan websocket.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	c := make(chan websocket.Answer, 1) // so that nobody waits for a caller that has gone
	r.waiting[r.last] = c
	return r.last, c
}

func (r *replies) forget(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, id)
}

func (r *replies) deliver(a reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.waiting[a.ID]; c != nil {
		select {
		case c <- a.Answer:
		default: // a second answer
		}
	}
}
