package websockettest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/route/websocket"
)

const scope = "a1b2c3d4e5/prod"

// machine is one node of a fleet, and what it was told.
type machine struct {
	websocket.Member
	websocket.Transport
	node websocket.Node

	mu      sync.Mutex
	fenced  int
	orphans []websocket.Record
	records []websocket.Record
	calls   []websocket.Call
	answer  func(context.Context, websocket.Call) websocket.Answer
}

func join(t *testing.T, s Store, scope, id string) *machine {
	t.Helper()
	registry, transport := s.New(t)
	m := &machine{Transport: transport}
	m.node = websocket.Node{
		ID: id, Scope: scope,
		Records: func() iter.Seq[websocket.Record] {
			m.mu.Lock()
			defer m.mu.Unlock()
			return slices.Values(slices.Clone(m.records))
		},
		Fence: func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.fenced++
			m.records = nil
		},
		Orphan: func(_ context.Context, r websocket.Record) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.orphans = append(m.orphans, r)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	member, err := registry.Join(ctx, m.node)
	must(t, err)
	m.Member = member
	stop, err := transport.Listen(ctx, m.node, m.serve)
	must(t, err)
	t.Cleanup(func() {
		stop()
		s.Mend(scope, id)
		end, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		_ = member.Leave(end)
		cancel()
	})
	return m
}

func (m *machine) serve(ctx context.Context, c websocket.Call) websocket.Answer {
	m.mu.Lock()
	m.calls = append(m.calls, c)
	answer := m.answer
	m.mu.Unlock()
	if answer != nil {
		return answer(ctx, c)
	}
	results := make([]websocket.Result, len(c.IDs))
	for i := range results {
		results[i] = websocket.ResultOK
	}
	return websocket.Answer{Results: results}
}

func (m *machine) add(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		r := websocket.Record{ID: id, State: []byte(`{"of":"` + id + `"}`)}
		must(t, m.Add(t.Context(), r))
		m.mu.Lock()
		m.records = append(m.records, r)
		m.mu.Unlock()
	}
}

func (m *machine) told() (fenced int, orphans []websocket.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fenced, slices.Clone(m.orphans)
}

func (m *machine) find(ids ...string) string {
	places, err := m.Find(context.Background(), ids)
	if err != nil {
		return "error"
	}
	text := ""
	for _, p := range places {
		text += fmt.Sprintf("%v %s;", p.Found, p.Node)
	}
	return text
}

func (m *machine) group(t *testing.T, group string) string {
	t.Helper()
	var ids []string
	for e, err := range m.Group(t.Context(), group) {
		must(t, err)
		ids = append(ids, e.ID+"@"+e.Node)
	}
	slices.Sort(ids)
	n, err := m.Count(t.Context(), group)
	must(t, err)
	if n != len(ids) {
		t.Errorf("Count(%q) = %d, but Group yields %d", group, n, len(ids))
	}
	return fmt.Sprint(ids)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// eventually waits for cond, as long as limit. It asks again and again: over a network there is no
// event to wait for.
func eventually(t *testing.T, what string, limit time.Duration, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}
