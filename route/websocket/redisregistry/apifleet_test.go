//go:build servers && unix

package redisregistry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// apiNode is a process of a fleet, as the test sees it.
type apiNode struct {
	url   string
	proxy http.Handler // through which clients connect
	cmd   *exec.Cmd

	mu    sync.Mutex
	lines []string
}

// said returns what a node has said after a word, each time that it did.
func (n *apiNode) said(word string) (rest []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, line := range n.lines {
		if after, ok := strings.CutPrefix(line, word+" "); ok {
			rest = append(rest, after)
		}
	}
	return rest
}

// visitor is a client with all that it has heard.
type visitor struct {
	*websockettest.Client
	id   string
	node *apiNode

	// Of the test's goroutine alone: what was done to the node, if anything, and when.
	fate   string
	struck time.Time

	mu      sync.Mutex
	got     map[int]int
	waited  int
	ended   chan struct{}
	endedAt time.Time
}

// listen runs until the connection ends.
func (v *visitor) listen(id chan<- string) {
	defer close(v.ended)
	for {
		text, err := v.Receive(time.Hour)
		var s said
		if err != nil || json.Unmarshal([]byte(text), &s) != nil {
			v.endedAt = time.Now()
			return
		}
		v.mu.Lock()
		switch {
		case s.ID != "":
			id <- s.ID
		case s.Waited:
			v.waited++
		default:
			v.got[s.N]++
		}
		v.mu.Unlock()
	}
}

func (v *visitor) heard(n int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got[n]
}

// over reports whether the connection has ended.
func (v *visitor) over() bool {
	select {
	case <-v.ended:
		return true
	default:
		return false
	}
}

// sending is a numbered message, and what became of it.
type sending struct {
	how      string
	n        int
	via      *apiNode
	from, to time.Time
	status   map[string]int // by connection; nil if whom it was for isn't known, as nobody answered
}

// apiFleet is several processes, their clients and all that was sent to them.
type apiFleet struct {
	t     *testing.T
	nodes []*apiNode

	mu       sync.Mutex
	via      []*apiNode // who is asked to send
	visitors []*visitor
	byID     map[string]*visitor
	sent     []*sending

	began    time.Time
	last     atomic.Int64 // number
	accepted atomic.Int64
}

const (
	apiNodes    = 3
	clientsEach = 15
)

// startAPIs starts a fleet with clients on each node. addrs are the nodes' addresses of Redis.
func startAPIs(t *testing.T, addrs ...string) *apiFleet {
	f := &apiFleet{t: t, byID: map[string]*visitor{}}
	for _, addr := range addrs {
		n := startNode(t, addr)
		f.nodes = append(f.nodes, n)
		f.via = append(f.via, n)
		f.visit(n, clientsEach)
	}
	f.began = time.Now()
	return f
}

func startNode(t *testing.T, addr string) *apiNode {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asNode+"="+addr)
	var log bytes.Buffer
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n := &apiNode{cmd: cmd}
	read := make(chan struct{})
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", n.url, log.String())
		}
	})
	lines := bufio.NewScanner(out)
	if lines.Scan() {
		n.url = strings.TrimPrefix(lines.Text(), "listening ")
	}
	go func() {
		defer close(read)
		for lines.Scan() {
			n.mu.Lock()
			n.lines = append(n.lines, lines.Text())
			n.mu.Unlock()
		}
	}()
	at, err := url.Parse(n.url)
	require.NoError(t, err)
	require.NotEmpty(t, at.Host, "the node has not started")
	n.proxy = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(at) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return n
}

// dial returns nil where the node refuses.
func (f *apiFleet) dial(n *apiNode) *visitor {
	c, _ := websockettest.Dial(context.Background(), n.proxy, strings.Replace(n.url, "http", "ws", 1)+"/prod", nil)
	if c == nil {
		return nil
	}
	v := &visitor{Client: c, node: n, got: map[int]int{}, ended: make(chan struct{})}
	id := make(chan string, 1)
	go v.listen(id)
	_ = v.SendText(`{"action":"join"}`)
	select {
	case v.id = <-id:
	case <-v.ended:
		return nil
	}
	f.t.Cleanup(v.Reset)
	return v
}

// visit connects more clients, as soon as the node takes them.
func (f *apiFleet) visit(n *apiNode, clients int) {
	for range clients {
		var v *visitor
		until(f.t, "a client is let in", patience, func() bool { v = f.dial(n); return v != nil })
		f.mu.Lock()
		f.visitors = append(f.visitors, v)
		f.byID[v.id] = v
		f.mu.Unlock()
	}
}

// of returns the clients of a node so far.
func (f *apiFleet) of(n *apiNode) (all []*visitor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.visitors {
		if v.node == n {
			all = append(all, v)
		}
	}
	return all
}

// strike notes what is done to a node now, which may cost it its connections, and returns them.
func (f *apiFleet) strike(n *apiNode, fate string) []*visitor {
	theirs := f.of(n)
	for _, v := range theirs {
		v.fate, v.struck = fate, time.Now()
	}
	return theirs
}

// spare has a node asked to send no more, and spareNot again.
func (f *apiFleet) spare(n *apiNode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.via = slices.DeleteFunc(f.via, func(v *apiNode) bool { return v == n })
}

func (f *apiFleet) spareNot(n *apiNode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.via = append(f.via, n)
}

// traffic has messages sent by all nodes to connections on all nodes, until stop, which returns when
// each has its answer.
func (f *apiFleet) traffic() (stop func()) {
	const senders = 4
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				f.send(f.draw())
				<-pace.C
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	f.t.Cleanup(stop)
	return stop
}

// draw draws by whom, how and to whom the next message is sent.
func (f *apiFleet) draw() (via *apiNode, how string, ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how = [...]string{"send", "send", "post", "post", "post", "broadcast", "broadcast", "group"}[rand.N(8)]
	several := 1
	if how == "broadcast" {
		several = 5
	}
	for range several { // one that is drawn twice is sent to once
		if id := f.visitors[rand.N(len(f.visitors))].id; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return f.via[rand.N(len(f.via))], how, ids
}

// send sends a message and notes what became of it.
func (f *apiFleet) send(via *apiNode, how string, ids []string) *sending {
	s := &sending{how: how, n: int(f.last.Add(1)), via: via, from: time.Now()}
	if how == "post" {
		status, _ := request(via.url+"/prod/@connections/"+url.PathEscape(ids[0]), said{N: s.n}, nil)
		s.status = outcome{ids[0]: status}
	} else {
		var done outcome
		status, err := request(via.url+"/order", order{how, ids, s.n}, &done)
		switch {
		case err == nil && status == http.StatusOK:
			s.status = done
		case how != "group":
			s.status = outcome{}
			for _, id := range ids {
				s.status[id] = status
			}
		}
	}
	s.to = time.Now()
	for _, status := range s.status {
		if status == http.StatusOK {
			f.accepted.Add(1)
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, s)
	return s
}

// impatient gives up a node that doesn't answer: its status is 0.
var impatient = &http.Client{Timeout: 10 * time.Second}

func request(url string, body, answer any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	resp, err := impatient.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if answer != nil && resp.StatusCode == http.StatusOK {
		err = json.NewDecoder(resp.Body).Decode(answer)
	}
	return resp.StatusCode, err
}

// more waits until so many more messages were accepted for somebody.
func (f *apiFleet) more(messages int64) {
	f.t.Helper()
	want := f.accepted.Load() + messages
	until(f.t, "messages are accepted", patience, func() bool { return f.accepted.Load() >= want })
}

// settle waits until whatever was accepted has arrived where it will: a connection's messages arrive in
// order, so one more for each connection, by its own node, is the last.
func (f *apiFleet) settle() {
	f.t.Helper()
	for _, v := range f.visitors {
		if v.over() {
			continue
		}
		last := f.send(v.node, "send", []string{v.id})
		require.Equal(f.t, http.StatusOK, last.status[v.id], "a connection that lives, on its own node")
		until(f.t, "the last message arrives", patience, func() bool { return v.heard(last.n) == 1 })
	}
}

// parted waits until the $disconnect of each of these clients has run somewhere.
func (f *apiFleet) parted(visitors []*visitor) {
	f.t.Helper()
	until(f.t, "$disconnect has run for each", patience, func() bool {
		parted := f.partings()
		for _, v := range visitors {
			if parted[v.id] == 0 {
				return false
			}
		}
		return true
	})
}

// partings counts how often $disconnect has run for each connection, in the whole fleet.
func (f *apiFleet) partings() map[string]int {
	times := map[string]int{}
	for _, n := range f.nodes {
		for _, id := range n.said("disconnect") {
			times[id]++
		}
	}
	return times
}

// tally is what became of the messages of a scenario. A message counts once for each connection that
// it was for.
type tally struct {
	messages, accepted, gone, full, unavailable, unanswered int
	unasked                                                 int // arrived, though nobody was told that it was accepted
	lost, doubled, misdelivered                             int
	lostBefore                                              time.Duration // the earliest of the lost ones, before its node was struck
}

func (c *tally) String() string {
	s := fmt.Sprintf("%d messages; %d accepted (200), refused %d (410), %d (429), %d (503), %d unanswered, of which %d arrived; lost %d",
		c.messages, c.accepted, c.gone, c.full, c.unavailable, c.unanswered, c.unasked, c.lost)
	if c.lost > 0 {
		s += fmt.Sprintf(" (up to %v before)", c.lostBefore.Round(time.Millisecond))
	}
	return s + fmt.Sprintf(", doubled %d, misdelivered %d", c.doubled, c.misdelivered)
}

// count counts, and judges what holds in each scenario. Nobody sends any more.
func (f *apiFleet) count() *tally {
	f.t.Helper()
	c := &tally{messages: len(f.sent)}
	byNumber := map[int]*sending{}
	for _, s := range f.sent {
		byNumber[s.n] = s
		for id, status := range s.status {
			f.judge(c, s, f.byID[id], status)
		}
	}
	for _, v := range f.visitors {
		for n, times := range v.got {
			s := byNumber[n]
			if times > 1 {
				c.doubled += times - 1
			}
			if _, meant := s.status[v.id]; s.status != nil && !meant {
				c.misdelivered++
			}
		}
	}
	f.t.Logf("%s: %v", f.t.Name(), c)
	require.Zero(f.t, c.doubled, "doubled")
	require.Zero(f.t, c.misdelivered, "misdelivered")
	parted := f.partings()
	for _, v := range f.visitors {
		want := 0
		if v.over() {
			want = 1
		}
		require.Equal(f.t, want, parted[v.id], "$disconnect of %s, a connection that is over: %v", v.id, v.over())
	}
	require.Empty(f.t, slices.DeleteFunc(slices.Collect(maps.Keys(parted)), func(id string) bool { return f.byID[id] != nil }))
	return c
}

// judge counts a message for one connection.
func (f *apiFleet) judge(c *tally, s *sending, v *visitor, status int) {
	f.t.Helper()
	arrived := v.heard(s.n) > 0
	switch status {
	case http.StatusOK:
		c.accepted++
		if !arrived {
			c.lost++
			require.NotEmpty(f.t, v.fate, "lost, to a connection of a node to which nothing was done: %s", s.how)
			c.lostBefore = max(c.lostBefore, v.struck.Sub(s.from))
		}
		return
	case http.StatusGone:
		c.gone++
		require.True(f.t, v.fate != "" && s.to.After(v.struck), "a false 410, by %s, of a connection of %s", s.via.url, v.node.url)
		if v.fate == "cut" { // it has closed its connections before others may call them gone
			require.True(f.t, v.over() && v.endedAt.Before(s.to), "a 410 of a connection that is open, on a node that is cut off")
		}
		f.gone(s, v)
	case http.StatusTooManyRequests:
		c.full++
	case http.StatusServiceUnavailable:
		c.unavailable++
	case 0:
		c.unanswered++
	default:
		require.Fail(f.t, "an unknown status", "%d of %s", status, s.how)
	}
	if arrived {
		c.unasked++
	}
}

// gone judges that nothing arrives at a connection that another node was told is gone, of what was sent
// from then on. Its own node may still write to it while it closes it.
func (f *apiFleet) gone(told *sending, v *visitor) {
	f.t.Helper()
	require.True(f.t, v.over(), "a false 410: the connection is open")
	for _, s := range f.sent {
		if s.via != v.node && s.from.After(told.to) {
			require.Zero(f.t, v.heard(s.n), "%s %d arrived at a connection that was gone", s.how, s.n)
		}
	}
}
