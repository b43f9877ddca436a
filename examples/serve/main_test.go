package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 5)
}

// program is the example, started.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  []string          // that it has printed at its start
	set    map[string]string // variables of these
	log    *printed
	rest   chan string // what it prints later
	exited chan error
}

type printed struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// start starts the example, and waits until it has printed what to try.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	cmd := exampletest.Command(t, args...) // which would be killed when the test ends, before its cleanup
	p := &program{t: t, cmd: exec.Command(cmd.Path, args...), set: map[string]string{}, log: &printed{}, rest: make(chan string, 1000)}
	p.cmd.Env, p.cmd.Stderr = cmd.Env, p.log
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	in := bufio.NewScanner(out)
	for in.Scan() && in.Text() != "# ctrl-c ends it" {
		p.lines = append(p.lines, in.Text())
		if name, value, ok := strings.Cut(in.Text(), "="); ok && strings.ToUpper(name) == name {
			p.set[name] = value
		}
	}
	require.NoError(t, in.Err())
	p.exited = make(chan error, 1)
	go func() {
		for in.Scan() {
			p.rest <- in.Text()
		}
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(p.stop)
	require.NotEmpty(t, p.set["MINT"], "%s%s", strings.Join(p.lines, "\n"), p.log)
	return p
}

// stop interrupts the example, which ends well.
func (p *program) stop() {
	if p.cmd == nil {
		return
	}
	require.NoError(p.t, p.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-p.exited:
		require.NoError(p.t, err, p.log)
	case <-time.After(time.Minute):
		p.t.Error("it didn't end on an interrupt")
	}
	p.cmd = nil
}

// run has a shell run the lines that were printed, and compares what stands behind #. A line without
// that is one for a function whose answer the program can't know: it is a 200.
func (p *program) run(n int) {
	p.t.Helper()
	exampletest.WithCurl(p.t, false)
	ran := 0
	var script strings.Builder
	var want []string
	for _, line := range p.lines {
		command, answer, _ := strings.Cut(line, "   # ")
		name, _, ok := strings.Cut(line, "=")
		switch {
		case strings.HasPrefix(line, "curl"):
			ran++
			script.WriteString(command + "\n")
			want = append(want, answer)
		case ok && strings.ToUpper(name) == name:
			script.WriteString(line + "\n")
		}
	}
	require.Equal(p.t, n, ran, p.lines)
	shell := exec.CommandContext(p.t.Context(), "sh")
	shell.Stdin, shell.Stderr = strings.NewReader(script.String()), os.Stderr
	out, err := shell.Output()
	require.NoError(p.t, err)
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	require.Len(p.t, got, n, "%s", out)
	for i, answer := range got {
		if want[i] == "" {
			require.True(p.t, strings.HasSuffix(answer, " 200"), answer)
		} else {
			require.Equal(p.t, want[i], answer)
		}
	}
}

// get asks the first API, with a token if there is one.
func (p *program) get(path, token string) (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), "GET", p.set["API"]+path, nil)
	require.NoError(p.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w, err := http.DefaultClient.Do(r)
	require.NoError(p.t, err)
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	require.NoError(p.t, err)
	return w.StatusCode, string(text)
}

func (p *program) mint(claims string) string {
	p.t.Helper()
	w, err := http.Post(p.set["MINT"], "", strings.NewReader(claims))
	require.NoError(p.t, err)
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	require.NoError(p.t, err)
	return string(text)
}

// A SAM template with functions in Node and Python. One that crashes, hangs or prints megabytes
// costs its own request and no other.
func TestSAM(t *testing.T) {
	p := start(t, "-template", "testdata/sam/template.yaml", "-strict")
	p.run(4)
	token := p.mint("aud=shop&sub=bob")
	for _, id := range []string{"crash", "hang"} {
		status, body := p.get("/books/"+id, token)
		require.Equal(t, 500, status)
		require.Equal(t, `{"message":"Internal Server Error"}`, body)
	}
	status, body := p.get("/books/print", token)
	require.Equal(t, 200, status, body)
	require.JSONEq(t, `{"id":"print","title":"book print","table":"books","reader":"bob"}`, body)
	status, body = p.get("/hello", "")
	require.Equal(t, 200, status)
	require.Equal(t, "hello from "+p.set["API"], body, "the function is told where the API is here")
	status, _ = p.get("/books/7", p.mint("aud=other"))
	require.Equal(t, 401, status)
	p.stop()
	require.Contains(t, p.log.String(), "Runtime exited with error: exit status 3")
	require.Contains(t, p.log.String(), "Task timed out after 2.00 seconds")
	require.Contains(t, p.log.String(), " | "+strings.Repeat("x", 1000))
}

// An OpenAPI document, whose function the program is told: as Go source, as a program, and where an
// Invoke API is.
func TestOpenAPI(t *testing.T) {
	start(t, "-template", "testdata/openapi.yaml", "-function", "orders=./app/orders", "-strict").run(2)
	program := filepath.Join(t.TempDir(), "orders")
	out, err := exec.Command("go", "build", "-o", program, "./app/orders").CombinedOutput()
	require.NoError(t, err, "%s", out)
	arn := "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	start(t, "-template", "testdata/openapi.yaml", "-function", arn+"="+program).run(2)

	var invoked atomic.Value
	invoke := serveInvoke(t, &invoked)
	start(t, "-template", "testdata/openapi.yaml", "-function", "orders="+invoke).run(2)
	require.Equal(t, "/2015-03-31/functions/orders/invocations", invoked.Load())
}

// What stands behind a VPC link, and AWS services, are where flags say.
func TestUpstreamsAndEndpoints(t *testing.T) {
	saw := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		saw <- r.Method + " " + r.URL.Path + " " + strings.Split(r.Header.Get("Authorization"), " ")[0]
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	p := start(t, "-template", "../../route/cloudformation/testdata/cdk/http/manifest.json", "-strict", "-endpoint", "sqs="+server.URL,
		"-upstream", "Http/Balancer/Listener="+strings.TrimPrefix(server.URL, "http://"))
	status, body := p.get("/inside/things", "")
	require.Equal(t, "200 {}", fmt.Sprint(status, " ", body))
	require.Equal(t, "GET /inside/things ", <-saw)
	w, err := http.Post(p.set["API"]+"/send", "application/json", strings.NewReader(`{"MessageBody":"hello"}`))
	require.NoError(t, err)
	require.NoError(t, w.Body.Close())
	require.Equal(t, 200, w.StatusCode)
	require.Equal(t, "POST / AWS4-HMAC-SHA256", <-saw)
}

// serveInvoke is somebody else's Invoke API.
func serveInvoke(t *testing.T, path *atomic.Value) string {
	t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		_, _ = io.WriteString(w, `{"statusCode":200,"body":"an order"}`)
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// A WebSocket API: its function answers, and is told where the API and its connections are.
func TestWebSocket(t *testing.T) {
	p := start(t, "-template", "testdata/chat/template.yaml")
	at := "ws" + strings.TrimPrefix(p.set["API"], "http") + "/live"
	require.Contains(t, p.lines, "# a WebSocket client connects to "+at)
	conn, _, _, err := ws.Dial(t.Context(), at)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, wsutil.WriteClientText(conn, []byte("hello")))
	text, err := wsutil.ReadServerText(conn)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("hello at %s, %s/live", at, p.set["API"]), string(text))
}

// The document changes again and again while requests come; none of them fails, and in the end the
// new one is served.
func TestWatchUnderLoad(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/sam")))
	template := filepath.Join(dir, "template.yaml")
	text, err := os.ReadFile(template)
	require.NoError(t, err)
	p := start(t, "-template", template, "-watch")
	token := p.mint("aud=shop&sub=ann")
	stop := make(chan struct{})
	var load sync.WaitGroup
	var asked atomic.Int64
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, _ := http.NewRequest("GET", p.set["API"]+"/books/7", nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(w.Body)
				_ = w.Body.Close()
				if err != nil || w.StatusCode != 200 || !bytes.Contains(body, []byte(`"book 7"`)) {
					t.Errorf("%d %s %v", w.StatusCode, body, err)
					return
				}
				asked.Add(1)
			}
		})
	}
	for n := range 3 {
		changed := bytes.ReplaceAll(text, []byte("TABLE: !Ref Books"), fmt.Appendf(nil, "TABLE: books-%d", n))
		require.NoError(t, os.WriteFile(template, changed, 0o600))
		want := fmt.Sprintf("7: good (books-%d)", n)
		require.Eventually(t, func() bool { _, body := p.get("/books/7/reviews", ""); return body == want }, time.Minute, 5*time.Millisecond,
			"%s: %s", want, p.log)
	}
	require.NoError(t, os.WriteFile(template, []byte("Resources: {nothing"), 0o600))
	require.Eventually(t, func() bool { return strings.Contains(p.log.String(), "isn't served as it is now") }, time.Minute, 5*time.Millisecond)
	status, _ := p.get("/hello", "")
	require.Equal(t, 200, status, "what was served goes on")
	close(stop)
	load.Wait()
	require.Positive(t, asked.Load())
	t.Logf("%d requests meanwhile", asked.Load())
}

// A function's code changes, and the next request is served by the new.
func TestCodeChanges(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/sam")))
	p := start(t, "-template", filepath.Join(dir, "template.yaml"))
	_, body := p.get("/books/7/reviews", "")
	require.Equal(t, "7: good (books)", body)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "python", "reviews", "words.py"), []byte("praise = 'very good'\n"), 0o600))
	require.Eventually(t, func() bool { _, body := p.get("/books/7/reviews", ""); return body == "7: very good (books)" }, time.Minute, 5*time.Millisecond)
}

// What ends without serving.
func TestReportAndExport(t *testing.T) {
	out, err := exampletest.Command(t, "-report", "json").Output()
	require.NoError(t, err)
	var report struct{ Routes []struct{ Served bool } }
	require.NoError(t, json.Unmarshal(out, &report))
	require.Len(t, report.Routes, 1)
	require.True(t, report.Routes[0].Served)

	out, err = exampletest.Command(t, "-export", "openapi").Output()
	require.NoError(t, err)
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(out, &document))
	require.NotEmpty(t, document.OpenAPI)
	require.Contains(t, document.Paths["/orders/{id}"], "get")

	for want, args := range map[string][]string{
		"1 of 1 routes":                {"-template", "testdata/openapi.yaml", "-strict"},
		"Code[\"orders\"]":             {"-function", "orders=./app/orders"},
		"no such file":                 {"-template", "nowhere.yaml"},
		"is named with -template":      {"template.yaml"},
		"-log FILE together":           {"-log", "access.log"},
		"-compare URL and":             {"-compare", "https://api.example.com"},
		"want -report json":            {"-report", "xml"},
		"and -export openapi":          {"-export", "graphql"},
		"listen tcp: address nonsense": {"-addr", "nonsense"},
	} {
		cmd := exampletest.Command(t, args...)
		cmd.Stderr = nil
		_, err := cmd.Output()
		var failed *exec.ExitError
		require.ErrorAs(t, err, &failed, want)
		if want != "1 of 1 routes" {
			require.Contains(t, string(failed.Stderr), want)
		}
	}
}
