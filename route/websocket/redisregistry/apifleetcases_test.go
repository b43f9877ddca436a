//go:build servers && unix

package redisregistry_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// enough is how many messages are accepted before something happens, and after it is over.
const enough = 200

// ordeal has a fleet send while something is done to its last node, whose clients come back meanwhile.
// What is accepted and never arrives is for connections of that node alone, and at most lost messages,
// sent at most a second before.
func ordeal(t *testing.T, f *apiFleet, fate string, lost int, do func(victim *apiNode, theirs []*visitor)) {
	stop := f.traffic()
	f.more(enough)
	const sure = apiLease + apiMargin // for so long nobody judges who has just joined
	until(t, "the nodes may judge", patience, func() bool { return fate == "drained" || time.Since(f.began) > sure })
	victim := f.nodes[len(f.nodes)-1]
	if fate != "cut" { // who is cut off still sends to its own clients
		f.spare(victim)
	}
	theirs := f.strike(victim, fate)
	do(victim, theirs)
	f.parted(theirs)
	for _, v := range theirs {
		until(t, "its connection ends", patience, v.over)
		if code, _ := v.Wait(); fate != "killed" {
			require.Equal(t, 1012, code)
		}
	}
	f.visit(f.nodes[0], clientsEach)
	if fate == "paused" || fate == "cut" { // it has joined again
		f.visit(victim, clientsEach)
	}
	if fate == "paused" {
		f.spareNot(victim)
	}
	f.more(enough)
	stop()
	f.settle()
	c := f.count()
	require.LessOrEqual(t, c.lost, lost)
	require.LessOrEqual(t, c.lostBefore, time.Second)
}

func TestFleetNodeIsKilled(t *testing.T) {
	t.Parallel() // they wait most of the time
	addr := redistest.Start(t).Addr
	ordeal(t, startAPIs(t, addr, addr, addr), "killed", 10, func(victim *apiNode, _ []*visitor) {
		require.NoError(t, victim.cmd.Process.Kill())
	})
}

// The others judge a node that holds still, and it closes its connections when it wakes.
func TestFleetNodeIsPaused(t *testing.T) {
	t.Parallel() // they wait most of the time
	addr := redistest.Start(t).Addr
	f := startAPIs(t, addr, addr, addr)
	ordeal(t, f, "paused", 0, func(victim *apiNode, theirs []*visitor) {
		require.NoError(t, victim.cmd.Process.Signal(syscall.SIGSTOP))
		f.parted(theirs)
		var asking sync.WaitGroup // it hears these as it wakes
		for i, v := range theirs {
			to := f.nodes[i%2]
			asking.Go(func() { f.send(victim, "send", []string{v.id}) })
			asking.Go(func() { f.send(victim, "post", []string{f.of(to)[i].id}) })
		}
		require.NoError(t, victim.cmd.Process.Signal(syscall.SIGCONT))
		asking.Wait()
	})
}

// A node that hears nothing of Redis closes its connections before the others judge it.
func TestFleetNodeIsCutOff(t *testing.T) {
	t.Parallel() // they wait most of the time
	addr := redistest.Start(t).Addr
	way := newWay(t, addr)
	f := startAPIs(t, addr, addr, way.addr())
	ordeal(t, f, "cut", 0, func(_ *apiNode, theirs []*visitor) {
		way.cut()
		f.parted(theirs)
		way.mend()
	})
}

// A node's connections to Redis break again and again, and with them the answers to what it has asked:
// the client asks a second time, and nobody hears anything twice.
func TestFleetConnectionsBreak(t *testing.T) {
	t.Parallel() // they wait most of the time
	addr := redistest.Start(t).Addr
	way := newWay(t, addr)
	f := startAPIs(t, addr, addr, way.addr())
	stop := f.traffic()
	f.more(enough)
	for range 10 {
		way.snap(t)
		f.more(enough / 10)
	}
	f.reachAll()
	stop()
	f.settle()
	f.undisturbed(f.count())
}

// Redis is killed, and comes back with its data or without: nobody loses a connection, and none is ever
// called gone.
func TestFleetRedisIsKilled(t *testing.T) {
	t.Parallel() // they wait most of the time
	for name, args := range map[string][]string{
		"empty": nil, "with-its-data": {"--appendonly", "yes", "--appendfsync", "always"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, args...)
			f := startAPIs(t, server.Addr, server.Addr, server.Addr)
			stop := f.traffic()
			f.more(enough)
			server.Kill()
			down := time.Now()
			f.more(enough / 10) // each node serves its own clients
			until(t, "the leases are over by Redis' clock", patience, func() bool { return time.Since(down) > apiLease })
			server.Run()
			f.reachAll()
			f.more(enough)
			stop()
			f.settle()
			f.undisturbed(f.count())
		})
	}
}

// reachAll waits until each node reaches all clients.
func (f *apiFleet) reachAll() {
	f.t.Helper()
	for _, n := range f.nodes {
		until(f.t, "it reaches all", patience, func() bool {
			reached := slices.Collect(maps.Values(f.send(n, "group", nil).status))
			return len(reached) == len(f.visitors) && slices.Max(reached) == http.StatusOK
		})
	}
}

// undisturbed judges that no client has noticed anything.
func (f *apiFleet) undisturbed(c *tally) {
	f.t.Helper()
	require.Zero(f.t, c.lost)
	require.Zero(f.t, c.gone)
	for _, v := range f.visitors {
		require.False(f.t, v.over())
	}
}

// A node that is replaced: it takes no new clients, tells its own to come back one by one, each when what
// it has asked for is answered, and nothing is lost.
func TestFleetNodeIsDrained(t *testing.T) {
	t.Parallel() // they wait most of the time
	addr := redistest.Start(t).Addr
	f := startAPIs(t, addr, addr, addr)
	ordeal(t, f, "drained", 0, func(victim *apiNode, theirs []*visitor) {
		busy, idle := theirs[:3], theirs[3:]
		for _, v := range busy {
			require.NoError(t, v.SendText(`{"action":"wait"}`))
		}
		until(t, "they are served", patience, func() bool { return len(victim.said("waiting")) == len(busy) })
		down := make(chan int)
		go func() {
			status, _ := request(victim.url+"/shutdown", nil, nil)
			down <- status
		}()
		for _, v := range idle {
			until(t, "its connection ends", patience, v.over)
		}
		_, resp := websockettest.Dial(t.Context(), victim.proxy, strings.Replace(victim.url, "http", "ws", 1)+"/prod", nil)
		require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		for _, v := range busy {
			require.False(t, v.over(), "what it has asked for isn't answered yet")
		}
		_, err := request(victim.url+"/release", nil, nil)
		require.NoError(t, err)
		for _, v := range busy {
			until(t, "its connection ends", patience, v.over)
			require.Equal(t, 1, v.waited)
		}
		require.Equal(t, http.StatusOK, <-down)
		require.Len(t, victim.said("disconnect"), len(theirs), "each by the node itself")
		ends := map[time.Duration]bool{}
		for _, v := range idle {
			ends[v.endedAt.Sub(theirs[0].struck)/(drainOver/15)] = true
		}
		require.GreaterOrEqual(t, len(ends), 3, "in waves, not all at once")
	})
}
