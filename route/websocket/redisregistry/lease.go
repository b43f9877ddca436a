package redisregistry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/route/websocket"
)

var (
	errAnswer    = errors.New("redisregistry: Redis' answer isn't one of the script's")
	errForgotten = fmt.Errorf("%w: Redis has lost its memory, and not all have registered again",
		websocket.ErrUnavailable)
)

// ask runs a script whose answer is a number, and notes whether Redis is there.
func (m *member) ask(ctx context.Context, s *redis.Script, args ...any) (int64, error) {
	answer, err := m.run(ctx, s, args...)
	if err != nil {
		return 0, err
	}
	n, ok := answer.(int64)
	if !ok {
		return 0, errAnswer
	}
	return n, nil
}

// texts runs a script whose answer is a list of texts.
func (m *member) texts(ctx context.Context, s *redis.Script, args ...any) ([]string, error) {
	answer, err := m.run(ctx, s, args...)
	if err != nil {
		return nil, err
	}
	list, ok := answer.([]any)
	if !ok {
		return nil, errAnswer
	}
	texts := make([]string, len(list))
	for i, one := range list {
		if texts[i], ok = one.(string); !ok {
			return nil, errAnswer
		}
	}
	return texts, nil
}

func (m *member) run(ctx context.Context, s *redis.Script, args ...any) (any, error) {
	answer, err := m.registry.ask(ctx, s, m.tag, args...)
	if err != nil && ctx.Err() != nil {
		return nil, err // who asks has gone: that says nothing of Redis
	}
	failed := err != nil && errors.Is(err, websocket.ErrUnavailable)
	m.note(failed, time.Now())
	if failed { // ask for the lease as soon as Redis is back
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	if answer == int64(forgotten) {
		return nil, errForgotten
	}
	return answer, err
}

// note takes down how a question ended. Where Redis refuses connections nobody can reach it, so
// nobody judges: the lease doesn't run on until it is renewed, or until questions fail in another
// way, when it may be us alone.
func (m *member) note(failed bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !failed:
		if m.since.IsZero() {
			m.since = now
		}
		return
	case m.registry.dials.refused.Load():
		m.refused = true
	case m.refused:
		m.refused, m.until = false, now.Add(m.registry.lease)
	}
	m.since = time.Time{}
}

// take joins under a new epoch.
func (m *member) take(ctx context.Context) error {
	asked := time.Now() // before the question: the lease is at least as long as we think
	lease, margin := m.registry.lease.Milliseconds(), m.registry.margin.Milliseconds()
	answer, err := m.texts(ctx, joinScript, m.node.ID, lease, rand.Text(), margin, m.word())
	if err != nil {
		return err
	}
	if len(answer) != 2 {
		return errAnswer
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owner, m.born, m.until, m.refused = answer[0], answer[1], asked.Add(m.registry.lease), false
	m.next = "" // there are no connections to register
	return nil
}

// holds reports whether the owner's lease runs, so that nobody else has judged.
func (m *member) holds(owner string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.owner == owner && (m.refused || now.Before(m.until))
}

// look fences the node if its lease is over by its own clock: before it answers a call, adds or
// removes a record, and after a pause.
func (m *member) look(now time.Time) {
	m.mu.Lock()
	over := m.owner != "" && !now.Before(m.until) && !m.refused
	m.mu.Unlock()
	if over {
		m.fence("the lease is over")
	}
}

// settled looks, and waits for a fence that has begun: until it is over, connections may still be
// there that others have called gone.
func (m *member) settled(now time.Time) {
	m.look(now)
	m.fencing.Lock()
	defer m.fencing.Unlock()
}

// fence gives up all connections. It returns when nothing more is sent on them.
func (m *member) fence(why string) {
	m.fencing.Lock()
	defer m.fencing.Unlock()
	m.mu.Lock()
	owner := m.owner
	m.owner = ""
	left := m.left
	m.mu.Unlock()
	if owner == "" || left {
		return // somebody else did
	}
	m.registry.logger.LogAttrs(m.background(), slog.LevelError, "redisregistry: connections are closed, as others may take them for gone",
		slog.String("node", m.node.ID), slog.String("scope", m.node.Scope), slog.String("cause", why))
	if m.node.Fence != nil {
		m.node.Fence()
	}
}

// background is the context of what happens when nobody asked for it.
func (m *member) background() context.Context {
	if m.ctx == nil { // during Join
		return context.Background()
	}
	return context.WithoutCancel(m.ctx)
}

// keep renews the lease and removes what dead nodes have left, until the membership ends.
func (m *member) keep() {
	timer := time.NewTimer(m.pause(nil))
	defer timer.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-timer.C:
		case <-m.wake:
		}
		err := m.refresh()
		if err == nil {
			m.settle()
			m.judge()
		}
		timer.Reset(m.pause(err))
	}
}

// pause is how long to wait before the next renewal.
func (m *member) pause(err error) time.Duration {
	every := m.registry.lease / 3
	if err != nil {
		return min(100*time.Millisecond, every)
	}
	return every
}

// meanwhile does work that may take longer than a lease, and has the lease renewed until it is
// done.
func (m *member) meanwhile(renew func() error, work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	timer := time.NewTimer(m.pause(nil))
	defer timer.Stop()
	for {
		select {
		case <-done:
			return
		case <-timer.C:
			timer.Reset(m.pause(renew()))
		}
	}
}

// refresh renews the lease, and registers what there is with a store that has lost its memory.
func (m *member) refresh() error {
	if err := m.renew(); err != nil {
		return err
	}
	return m.register()
}

// renew renews the lease, or takes a new one if there is none.
func (m *member) renew() error {
	m.look(time.Now())
	m.mu.Lock()
	owner, word, registers := m.owner, cmp.Or(m.next, m.born), 0
	if m.next != "" {
		registers = 1
	}
	m.mu.Unlock()
	if owner == "" {
		return m.take(m.ctx)
	}
	asked := time.Now()
	lease, margin := m.registry.lease.Milliseconds(), m.registry.margin.Milliseconds()
	answer, err := m.run(m.ctx, renewScript, owner, lease, word, margin, rand.Text(), registers)
	if err != nil {
		m.look(time.Now())
		return err
	}
	list, _ := answer.([]any)
	if len(list) != 2 {
		return errAnswer
	}
	verdict, _ := list[0].(int64)
	word, _ = list[1].(string)
	if verdict == 0 {
		m.fence("others have judged")
		return m.take(m.ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owner != owner {
		return errNoLease
	}
	m.until, m.refused = asked.Add(m.registry.lease), false
	if verdict == 2 {
		m.next = word
	}
	return nil
}

// reapAtOnce is how many records are removed by one script.
const reapAtOnce = 100

// judge removes what dead nodes have left, and has their $disconnect run. A node judges nobody
// before Redis has answered it for a lease and the margin: who lives has renewed since.
func (m *member) judge() {
	g := m.registry
	m.mu.Lock()
	own := m.owner
	early := m.since.IsZero() || time.Since(m.since) < g.lease+g.margin
	m.mu.Unlock()
	if early || own == "" {
		return
	}
	dead, err := m.texts(m.ctx, judgeScript, g.margin.Milliseconds())
	if err != nil {
		return
	}
	if len(dead) == 0 {
		return
	}
	// The lease must not wait for integrations, nor for how many records there are.
	m.meanwhile(m.refresh, func() {
		for _, owner := range dead {
			for m.reap(owner) {
			}
		}
	})
}

// reap removes some records of a dead owner, and reports whether there may be more.
func (m *member) reap(owner string) (more bool) {
	all, err := m.texts(m.ctx, reapScript, owner, reapAtOnce)
	if err != nil || len(all) == 0 || len(all)%2 != 0 {
		return false
	}
	m.tell(owner, all)
	return m.ctx.Err() == nil
}

// tell has $disconnect run for removed records, several at once.
func (m *member) tell(owner string, all []string) {
	if m.node.Orphan == nil {
		return
	}
	const atOnce = 16
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := 0; i < len(all); i += 2 {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			m.node.Orphan(m.ctx, websocket.Record{ID: all[i], Node: nodeOf(owner), State: []byte(all[i+1])})
		})
	}
	running.Wait()
}
