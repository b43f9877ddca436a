//go:build servers && unix

package redisregistry_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

const scope = "a1b2c3d4e5/prod"

func TestRegistryOnAServer(t *testing.T) {
	websockettest.TestRegistry(t, nil, func(t *testing.T) websockettest.Store {
		return newFleet(t, redistest.Start(t).Addr).store()
	})
}

// machine is a node with connections, and what it was told.
type machine struct {
	websocket.Member
	websocket.Transport

	mu      sync.Mutex
	records []websocket.Record
	fenced  int
	orphans []string
}

func (f *fleet) join(id string) *machine {
	g, _ := f.machine()
	m := &machine{Transport: g}
	node := websocket.Node{
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
			m.orphans = append(m.orphans, r.ID+" of "+r.Node+" "+string(r.State))
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	member, err := g.Join(ctx, node)
	require.NoError(f.t, err)
	m.Member = member
	stop, err := g.Listen(ctx, node, func(_ context.Context, c websocket.Call) websocket.Answer {
		return websocket.Answer{Results: make([]websocket.Result, len(c.IDs))}
	})
	require.NoError(f.t, err)
	f.t.Cleanup(stop)
	return m
}

func (m *machine) add(t *testing.T, id string) {
	r := websocket.Record{ID: id, State: []byte("state of " + id), Groups: []string{"room"}}
	require.NoError(t, m.Add(t.Context(), r))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, r)
}

func (m *machine) told() (fenced int, orphans []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fenced, slices.Clone(m.orphans)
}

func (m *machine) find(id string) websocket.Place {
	places, err := m.Find(context.Background(), []string{id})
	if err != nil {
		return websocket.Place{}
	}
	return places[0]
}

// until asks again and again, as there is no event to wait for, and lets each look be judged.
func until(t *testing.T, what string, limit time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "%s: not within %v", what, limit)
	}
}

const patience = lease + margin + 20*time.Second

// Redis is killed, is away for longer than a lease, and comes back without its memory: nobody loses a
// connection, and no id that is there is ever called gone.
func TestRedisThatIsKilled(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, server.Addr)
	a, b := f.join("a"), f.join("b")
	a.add(t, "one")
	b.add(t, "two")
	for range 2 {
		server.Kill()
		_, err := b.Find(t.Context(), []string{"one"})
		require.ErrorIs(t, err, websocket.ErrUnavailable)
		time.Sleep(lease + margin) // the lease is over by Redis' clock, which nobody can ask
		server.Run()
		until(t, "a's connection is found by b", patience, func() bool {
			place := b.find("one")
			require.NotEqual(t, websocket.Gone, place.Found)
			return place == websocket.Place{Node: "a", Found: websocket.Live}
		})
		until(t, "b's connection is found by a", patience, func() bool {
			place := a.find("two")
			require.NotEqual(t, websocket.Gone, place.Found)
			return place.Found == websocket.Live
		})
		var n int
		until(t, "the groups are there again", patience, func() bool {
			n, err = a.Count(t.Context(), "room")
			return err == nil
		})
		require.Equal(t, 2, n)
	}
	until(t, "what isn't there is gone at last", patience, func() bool { return a.find("nobody").Found == websocket.Gone })
	for _, m := range []*machine{a, b} {
		fenced, orphans := m.told()
		require.Zero(t, fenced)
		require.Empty(t, orphans)
	}
}

// A Redis that holds still may be one that others can reach: each node gives its connections up when
// its lease is over, and nobody's $disconnect is lost or runs twice.
func TestRedisThatHoldsStill(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, server.Addr)
	a, b := f.join("a"), f.join("b")
	a.add(t, "one")
	b.add(t, "two")
	server.Stop()
	until(t, "both are fenced", patience, func() bool {
		ofA, _ := a.told()
		ofB, _ := b.told()
		return ofA == 1 && ofB == 1
	})
	server.GoOn()
	until(t, "both have been told of", patience, func() bool {
		_, ofA := a.told()
		_, ofB := b.told()
		return len(ofA)+len(ofB) >= 2
	})
	_, ofA := a.told()
	_, ofB := b.told()
	require.ElementsMatch(t, []string{"one of a state of one", "two of b state of two"}, slices.Concat(ofA, ofB))
	a.add(t, "three")
	until(t, "a new connection is found", patience, func() bool { return b.find("three").Found == websocket.Live })
}

// TestChild is a machine in a process of its own, for the tests below.
func TestChild(t *testing.T) {
	addr := os.Getenv("REDISREGISTRY_CHILD")
	if addr == "" {
		return // it is a part of the others
	}
	m := newFleet(t, addr).join("child")
	for i := range 250 {
		m.add(t, fmt.Sprintf("c%d", i))
	}
	fmt.Println("ready")
	for {
		if fenced, _ := m.told(); fenced > 0 {
			fmt.Println("fenced")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends
}

type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, addr string) *child {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "REDISREGISTRY_CHILD="+addr)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := &child{cmd, bufio.NewScanner(out)}
	c.expect(t, "ready")
	return c
}

func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	for c.lines.Scan() {
		if strings.TrimSpace(c.lines.Text()) == want {
			return
		}
	}
	t.Fatalf("the child ended without saying %q", want)
}

// A process that is killed: its connections are live, then unknown, then gone, and each of them is told
// of once, with its state.
func TestProcessThatIsKilled(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, server.Addr)
	a, b := f.join("a"), f.join("b")
	c := startChild(t, server.Addr)
	require.Equal(t, websocket.Place{Node: "child", Found: websocket.Live}, a.find("c7"))
	require.NoError(t, c.cmd.Process.Kill())
	killed := time.Now()
	until(t, "it is gone", patience, func() bool {
		found := a.find("c7").Found
		if found == websocket.Gone {
			require.Greater(t, time.Since(killed), lease-lease/3, "before its lease was over")
		}
		return found == websocket.Gone
	})
	until(t, "all are told of", patience, func() bool {
		_, ofA := a.told()
		_, ofB := b.told()
		return len(ofA)+len(ofB) >= 250
	})
	_, ofA := a.told()
	_, ofB := b.told()
	all := slices.Concat(ofA, ofB)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 250, "each once")
	require.Contains(t, all, "c7 of child state of c7")
	n, err := a.Count(t.Context(), "room")
	require.NoError(t, err)
	require.Zero(t, n)
}

// A process that is paused for longer than a lease: others judge, and it gives up its connections when
// it wakes, without their $disconnect.
func TestProcessThatIsPaused(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, server.Addr)
	a := f.join("a")
	c := startChild(t, server.Addr)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	until(t, "its connections are gone", patience, func() bool { return a.find("c7").Found == websocket.Gone })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := a.Call(ctx, scope, "child", websocket.Call{Op: websocket.OpSend, IDs: []string{"c7"}})
	require.Error(t, err, "who doesn't answer hasn't sent")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
	c.expect(t, "fenced")
	until(t, "all are told of", patience, func() bool { _, orphans := a.told(); return len(orphans) == 250 })
}
