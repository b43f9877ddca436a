package wsclients

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// until starts a program and reads what it prints until a line has prefix, and returns what is
// behind it. The program ends with ctx, and whatever else it prints is read and dropped.
func until(t *testing.T, cmd *exec.Cmd, out io.Reader, prefix string) string {
	t.Helper()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return rest
		}
	}
	require.Fail(t, "the program has ended", "%s: nothing began with %q", cmd.Path, prefix)
	return ""
}

// window is a page in a browser of its own, driven by the DevTools protocol.
type window struct {
	ctx  context.Context
	t    *testing.T
	conn *coder.Conn
	id   int
}

func openWindow(ctx context.Context, t *testing.T, page string) *window {
	t.Helper()
	cmd := command(ctx, t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	browser, err := url.Parse(until(t, cmd, stderr, "DevTools listening on "))
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+browser.Host+"/json/new?about:blank", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	var target struct{ WebSocketDebuggerURL string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&target))
	conn, _, err := coder.Dial(ctx, target.WebSocketDebuggerURL, nil)
	require.NoError(t, err)
	conn.SetReadLimit(1 << 20)
	w := &window{ctx: ctx, t: t, conn: conn}
	t.Cleanup(func() { // in order, so that nothing is still being written when its directory goes
		w.call("Browser.close", map[string]any{})
		_ = cmd.Wait()
	})
	w.call("Page.navigate", map[string]any{"url": page}) // is answered when the page is another one
	return w
}

// call calls a method of the protocol, and returns its answer.
func (w *window) call(method string, params map[string]any) []byte {
	w.t.Helper()
	w.id++
	call, err := json.Marshal(map[string]any{"id": w.id, "method": method, "params": params})
	require.NoError(w.t, err)
	require.NoError(w.t, w.conn.Write(w.ctx, coder.MessageText, call))
	_, answer, err := w.conn.Read(w.ctx)
	require.NoError(w.t, err, method)
	return answer
}

// waitFor waits in the page until an expression of JavaScript holds there, or throws no more.
func (w *window) waitFor(expression string) {
	w.t.Helper()
	w.evaluate(fmt.Sprintf(`new Promise((done) => {
		const look = () => {
			try { if (%s) return done(true); } catch {}
			setTimeout(look, 20);
		};
		look();
	})`, expression))
}

// fill writes into a field and submits its form.
func (w *window) fill(field, text string) {
	w.t.Helper()
	w.evaluate(fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		field.value = %q;
		field.form.requestSubmit();
		return true;
	})()`, field, text))
}

// evaluate evaluates an expression, which has to become true.
func (w *window) evaluate(expression string) {
	w.t.Helper()
	answer := w.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	})
	var got struct {
		Result struct{ Result struct{ Value any } }
	}
	require.NoError(w.t, json.Unmarshal(answer, &got))
	require.Equal(w.t, true, got.Result.Result.Value, "%s: %s", expression, answer)
}

func buildChat(ctx context.Context, t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "chat")
	output(t, command(ctx, t, "go", "build", "-C", "../..", "-o", program, "./examples/chat"))
	return program
}

// TestChatInTwoBrowsers opens examples/chat in two browsers at once: what one says the other sees,
// as text, and each sees who is there.
func TestChatInTwoBrowsers(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel) // the last, so that the browsers are closed before
	chat := command(ctx, t, buildChat(ctx, t))
	stdout, err := chat.StdoutPipe()
	require.NoError(t, err)
	page := until(t, chat, stdout, "listening on ") + "/"

	ann, bob := openWindow(ctx, t, page), openWindow(ctx, t, page)
	for name, w := range map[string]*window{"Ann": ann, "Bob": bob} {
		w.waitFor(`document.readyState === "complete" && document.querySelector("#login input")`)
		w.fill("#login input", name)
	}
	ann.waitFor(`document.querySelector("#people").innerText.includes("Bob")`)
	bob.waitFor(`document.querySelector("#people").innerText.includes("Ann")`)

	ann.fill("#say input", "<b>Is the kettle on?</b>")
	bob.waitFor(`document.querySelector("#log").innerText.includes("<b>Is the kettle on?</b>")`)
	bob.fill("#say input", "Just boiled.")
	ann.waitFor(`document.querySelector("#log").innerText.includes("Just boiled.")`)

	bob.fill("#open input", "Coffee break")
	ann.waitFor(`document.querySelector("#state").textContent === "Only you are here"`)
	bob.fill("#open input", "lobby")
	bob.waitFor(`document.querySelectorAll("#log li").length === 2`) // the history
}

// TestChatOfThreeProcesses opens the pages of two of three processes, and kills one of them: its page
// goes on with another one, and finds who is there and what was said.
func TestChatOfThreeProcesses(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	chat := command(ctx, t, buildChat(ctx, t), "-redis")
	stdout, err := chat.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, chat.Start())
	t.Cleanup(func() { // the three end with it
		_ = chat.Process.Kill()
		_ = chat.Wait()
	})
	var pages []string
	var processes []int
	for lines := bufio.NewScanner(stdout); len(pages) < 3 && lines.Scan(); {
		var page string
		var process int
		if n, _ := fmt.Sscanf(lines.Text(), "%s process %d", &page, &process); n == 2 {
			pages, processes = append(pages, page), append(processes, process)
		}
	}
	require.Len(t, pages, 3)

	ann, bob := openWindow(ctx, t, pages[0]), openWindow(ctx, t, pages[1])
	for name, w := range map[string]*window{"Ann": ann, "Bob": bob} {
		w.waitFor(`document.readyState === "complete" && document.querySelector("#login input")`)
		w.fill("#login input", name)
	}
	ann.waitFor(`document.querySelector("#people").innerText.includes("Bob")`)
	bob.waitFor(`document.querySelector("#people").innerText.includes("Ann")`)
	bob.fill("#say input", "Can you hear me over there?")
	ann.waitFor(`document.querySelector("#log").innerText.includes("Can you hear me over there?")`)

	process, err := os.FindProcess(processes[1])
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	ann.fill("#say input", "Bob?")
	bob.waitFor(`document.querySelectorAll("#log li").length === 2`) // one he has missed
	bob.waitFor(`document.querySelector("#people").innerText.includes("Ann")`)
	bob.fill("#say input", "Here I am again.")
	ann.waitFor(`document.querySelectorAll("#log li").length === 3`)
	ann.waitFor(`document.querySelector("#log li:last-child").innerText.includes("Here I am again.")`)
	ann.waitFor(`document.querySelectorAll("#people li").length === 2`)
}
