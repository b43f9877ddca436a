package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// What it prints with -redis is run, too.
func TestPrintedLinesOfAFleetWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 4, "-redis")
}

func TestThreeProcesses(t *testing.T) { testThreeProcesses(t, embedded) }

// far is one of the processes.
type far struct {
	url   string
	pid   int
	proxy http.Handler
}

// startFleet starts the program, and reads where its processes are.
func startFleet(t *testing.T, redisAddr string) (all []*far, stop func()) {
	cmd := exampletest.Command(t, "-redis", redisAddr)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(out); len(all) < processes && lines.Scan(); {
		p := &far{}
		if n, _ := fmt.Sscanf(lines.Text(), "%s process %d", &p.url, &p.pid); n < 2 {
			continue
		}
		p.url = strings.TrimSuffix(p.url, "/")
		at, err := url.Parse(p.url)
		require.NoError(t, err)
		p.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
		all = append(all, p)
	}
	require.Len(t, all, processes)
	return all, func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		_, _ = io.Copy(io.Discard, out)
		require.NoError(t, cmd.Wait(), "it ends well, though one of its processes was killed")
	}
}

// kill ends a process without a word.
func (p *far) kill(t *testing.T) {
	process, err := os.FindProcess(p.pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
}

// open is the process as the page of another one, or its own, sees it.
func (p *far) open(t *testing.T, page *far) *rig { return &rig{t, p.proxy, page.url} }

// hear waits for an event that is as it should be, and passes over others: presences of moments in
// between.
func (c client) hear(what string, wanted func(event) bool) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if wanted(c.receive()) {
			return
		}
	}
	require.Fail(c.t, "not heard", what)
}

func (c client) hearPeople(people ...string) {
	c.t.Helper()
	c.hear(fmt.Sprint(people), func(e event) bool { return fmt.Sprint(e.People) == fmt.Sprint(people) })
}

func (c client) hearText(text string) {
	c.t.Helper()
	c.hear(text, func(e event) bool { return e.Type == "message" && e.Text == text })
}

// testThreeProcesses has people on all processes in one room, and others on the last one alone, which
// is then killed: no room is lost, nor what was said there, nor who is there.
func testThreeProcesses(t *testing.T, redisAddr string) {
	nodes, stop := startFleet(t, redisAddr)
	defer stop()
	first, second, last := nodes[0], nodes[1], nodes[2]
	ann, bob := first.open(t, first).dial("ann"), second.open(t, second).dial("bob")
	cid, dan := last.open(t, last).dial("cid"), last.open(t, last).dial("dan")
	dan.join("attic")
	dan.send(`{"action":"say","text":"alone up here"}`)
	dan.hearText("alone up here")
	for _, c := range []client{ann, bob, cid} {
		c.join("tea")
	}
	ann.hearPeople("ann", "bob", "cid")
	for i := range 60 { // each process limits each name
		g := nodes[i%3].open(t, first)
		w := g.request("POST", "/rooms/tea", fmt.Sprintf(`{"text":"%d"}`, i), g.login(fmt.Sprint("shell-", i/10)), g.page)
		require.Equal(t, 200, w.Code, w.Body)
	}
	cid.hearText("59")

	last.kill(t)
	cid.Wait()
	dan.Wait()
	ann.hearPeople("ann", "bob")
	bob.hearPeople("ann", "bob")

	cid, dan = first.open(t, last).dial("cid"), second.open(t, last).dial("dan")
	history, people := cid.join("tea")
	require.Len(t, history, maxHistory)
	for i, e := range history {
		require.Equal(t, fmt.Sprint(i+10), e.Text)
		require.True(t, i == 0 || e.N > history[i-1].N, "numbers rise")
	}
	require.Equal(t, []string{"ann", "bob", "cid"}, people)
	bob.hearPeople("ann", "bob", "cid")
	bob.send(`{"action":"say","text":"welcome back"}`)
	for _, c := range []client{ann, bob, cid} {
		c.hearText("welcome back")
	}
	history, people = dan.join("attic")
	require.Equal(t, []string{"dan"}, people, "and not twice")
	require.Len(t, history, 1)
	require.Equal(t, "alone up here", history[0].Text)
}

// The page of each process knows the others, and may connect to them.
func TestPageKnowsTheOthers(t *testing.T) {
	nodes := []string{"http://127.0.0.1:1001", "http://127.0.0.1:1002"}
	client := connect(t)
	g := newRigWith(t, setup{store: &shared{client}, nodes: nodes, tickets: &tickets{client}})
	w := g.request("GET", "/", "", "", nodes[0])
	require.Contains(t, w.Body.String(), `<meta name="nodes" content="http://127.0.0.1:1001 http://127.0.0.1:1002">`)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "connect-src 'self' http://127.0.0.1:1001 ws://127.0.0.1:1001 ")
	require.Equal(t, 403, g.request("POST", "/ticket", "", g.login("ann"), origin).Code, "another site's page")

	g.page = nodes[1]
	for _, path := range []string{"/login", "/ticket"} {
		r := httptest.NewRequest("OPTIONS", origin+path, nil)
		r.Header = http.Header{
			"Origin": {g.page}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"},
		}
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, r)
		require.Equal(t, g.page, w.Header().Get("Access-Control-Allow-Origin"), path)
		require.Equal(t, "authorization", w.Header().Get("Access-Control-Allow-Headers"), path)
	}
	header := g.ticket("ann", nodes[1])
	dial := func() int {
		_, resp := websockettest.Dial(t.Context(), g.handler, "ws://127.0.0.1:1001/chat", header)
		return resp.StatusCode
	}
	require.Equal(t, 101, dial())
	require.Equal(t, 401, dial(), "a ticket is good once, in the whole fleet")
}

func TestFleetRefusals(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:1": "doesn't serve", "nonsense": "doesn't serve", "-addr": "-redis"} {
		cmd := exampletest.Command(t, "-redis", addr)
		var log strings.Builder
		cmd.Stderr = &log
		require.Error(t, cmd.Run(), addr)
		require.Contains(t, log.String(), want)
	}
}
