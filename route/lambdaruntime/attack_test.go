package lambdaruntime_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// A function that hangs is killed when its time is over, whether it heeds signals or not, and the
// next call is served.
func TestHang(t *testing.T) {
	for language, c := range languages {
		t.Run(language, func(t *testing.T) {
			c.Timeout = 20 * time.Millisecond
			f := start(t, c)
			failed := f.fails("hang", "")
			require.Equal(t, "Sandbox.Timedout", failed.Type)
			require.Equal(t, "Error: Task timed out after 0.02 seconds", failed.Message)
			require.Eventually(t, func() bool { // in 20 ms, once the machine isn't busy
				_, err := f.Invoke(t.Context(), event("", ""))
				return err == nil
			}, time.Minute, time.Millisecond)
		})
	}
}

// Whoever stops waiting is let go at once; the function goes on, and its process isn't given to
// another call before it is through.
func TestCallerGoesAway(t *testing.T) {
	f := start(t, lambdaruntime.Config{Concurrency: 1})
	first := f.call("", "")
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := f.Invoke(ctx, event("hang", ""))
		left <- err
	}()
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	switch out, err := f.Invoke(ctx, event("", "")); {
	case err != nil:
		require.ErrorIs(t, err, context.DeadlineExceeded, "the one process hangs")
	default:
		require.Equal(t, first, string(out), "the call was canceled before it began")
	}
	require.NoError(t, f.Close())
	_, err := f.Invoke(t.Context(), event("", ""))
	require.ErrorIs(t, err, lambdaruntime.ErrClosed)
	var refused *integration.InvokeError
	require.ErrorAs(t, err, &refused)
}

// Close ends calls that hang, and calls that wait for a process.
func TestCloseEndsCalls(t *testing.T) {
	f := start(t, lambdaruntime.Config{Concurrency: 1})
	f.call("", "")
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			_, err := f.Invoke(t.Context(), event("hang", ""))
			errs <- err
		}()
	}
	require.Eventually(t, func() bool { return f.Calls() == cap(errs) }, time.Minute, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, f.Shutdown(ctx), context.Canceled, "it waits no longer than it may")
	for range cap(errs) {
		require.Error(t, <-errs)
	}
	require.Empty(t, f.Addresses())
}

// blocked is a Log that takes nothing until it is opened.
type blocked struct {
	open chan struct{}
	printed
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.open
	return b.printed.Write(p)
}

// A function that prints megabytes isn't held up by a Log that takes nothing, and costs no memory.
func TestMegabytesOfLogs(t *testing.T) {
	log := &blocked{open: make(chan struct{})}
	f := start(t, lambdaruntime.Config{Log: log})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.call("print", "tale ") // 100 MB
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(8<<20))
	close(log.open)
	require.NoError(t, f.Close())
	written := log.String()
	require.Less(t, len(written), 8<<20)
	require.Contains(t, written, "bytes were printed too fast, and are left out)\n")
	for line := range strings.Lines(written) {
		require.True(t, strings.HasPrefix(line, "orders | "), "%.50q", line)
	}
}

// A Log that never takes anything doesn't keep Close, but for two seconds.
func TestLogThatBlocks(t *testing.T) {
	log := &blocked{open: make(chan struct{})}
	f := start(t, lambdaruntime.Config{Log: log})
	f.call("long-line", "")
	require.NoError(t, f.Close())
	close(log.open)
}

func TestLines(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	f.call("long-line", "")
	require.NoError(t, f.Close())
	y := "orders | " + strings.Repeat("y", 16<<10) + "\n"
	require.Equal(t, y+y+"orders | "+strings.Repeat("y", 40_000-32<<10)+"\norders | last, without an end\n", f.log.String())
}

// Each line is printed once, in order, whatever pieces it comes in.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\n\nc")
	f.Add("\r\n\r")
	f.Add(strings.Repeat("long ", 4000) + "\nend\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, from := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			var out strings.Builder
			lambdaruntime.CopyLines("f", &out, from)
			var got strings.Builder
			for line := range strings.Lines(out.String()) {
				text, ok := strings.CutPrefix(line, "f | ")
				if !ok || len(text) > 16<<10+1 || !strings.HasSuffix(text, "\n") {
					t.Fatalf("%q: a line is %q", in, line)
				}
				got.WriteString(strings.TrimSuffix(text, "\n"))
			}
			// But for ends of lines, which are the program's or ours.
			if drop := strings.NewReplacer("\n", "", "\r", ""); drop.Replace(got.String()) != drop.Replace(in) {
				t.Fatalf("%q: printed %q", in, got.String())
			}
		}
	})
}

// Nothing of this process's environment is the function's, but for a few, and what is told.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "SECRET", "NODE_OPTIONS", "TOLD"} {
		t.Setenv(name, "of the shell")
	}
	for language, c := range languages {
		t.Run(language, func(t *testing.T) {
			c.Environment = map[string]string{"TABLE": "orders", "AWS_ACCESS_KEY_ID": "of the template", "LANG": "de_DE.UTF-8"}
			c.Inherit = []string{"TOLD", "NOT_SET"}
			all := start(t, c).environment()
			for name, want := range map[string]string{
				"TABLE": "orders", "AWS_ACCESS_KEY_ID": "of the template", "TOLD": "of the shell", "LANG": "de_DE.UTF-8",
				"HOME": os.Getenv("HOME"), "AWS_LAMBDA_FUNCTION_NAME": "orders", "AWS_REGION": "us-east-1",
				"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_CONFIG_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "TZ": ":UTC",
				"_HANDLER": c.Handler, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
			} {
				require.Equal(t, want, all[name], name)
			}
			for name := range all {
				require.NotContains(t, []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "SECRET", "NODE_OPTIONS", "NOT_SET"}, name)
			}
			require.True(t, strings.HasSuffix(all["PATH"], os.Getenv("PATH")), "%s: programs that manage versions put theirs in front", all["PATH"])
			require.Equal(t, realPath(t, all["LAMBDA_TASK_ROOT"]), all["LAMBDA_TASK_ROOT"])
		})
	}
}

// A web page in a browser of this machine gets no event.
func TestWebPage(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	f.call("", "")
	require.Len(t, f.Addresses(), 1)
	at := f.Addresses()[0]
	for name, change := range map[string]func(*http.Request){
		"origin":    func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"fetch":     func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"rebinding": func(r *http.Request) { r.Host = "evil.example" },
	} {
		r, err := http.NewRequest("GET", "http://"+at+"/2018-06-01/runtime/invocation/next", nil)
		require.NoError(t, err)
		change(r)
		w, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, w.Body.Close())
		require.Equal(t, http.StatusForbidden, w.StatusCode, name)
	}
	f.call("", "")
}

// Functions that crash under load cost their own call and no other.
func TestCrashesUnderLoad(t *testing.T) {
	f := start(t, lambdaruntime.Config{Concurrency: 3})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for n := range 8 {
				do := ""
				if (i+n)%3 == 0 {
					do = []string{"exit", "kill", "panic"}[n%3]
				}
				if _, err := f.Invoke(t.Context(), event(do, "x")); (err != nil) != (do != "") {
					t.Errorf("%q: %v", do, err)
				}
			}
		})
	}
	wg.Wait()
}

// One error names all that is wrong.
func TestConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		c    lambdaruntime.Config
		want []string
	}{
		"nothing": {lambdaruntime.Config{}, []string{"lambdaruntime: Config.Name: want", "Config.Dir: want the folder"}},
		"all": {lambdaruntime.Config{Name: "a/b", Runtime: "java21", Dir: "nowhere", Region: "Mars", ARN: "arn aws", MemoryMB: 1, Timeout: time.Hour,
			InitTimeout: -1, IdleTimeout: 48 * time.Hour, Concurrency: 1001, MaxReplyBytes: -1, Inherit: []string{"AWS_REGION"},
			Environment: map[string]string{"A B": "", "AWS_LAMBDA_RUNTIME_API": "x", "NUL": "secret\x00", "_HANDLER": "x"}},
			[]string{"Name: want 1 to 140", `Runtime: want provided.*, go1.x, nodejs* or python3*, or a Command, got "java21"`, "Dir: want the folder",
				`Environment["A B"]`, `Environment["AWS_LAMBDA_RUNTIME_API"]: it is set by the runtime`, `Environment["NUL"]: want no NUL`,
				`Environment["_HANDLER"]`, "Inherit[0]", "Region", "ARN", "MemoryMB", "Timeout", "InitTimeout", "IdleTimeout", "Concurrency", "MaxReplyBytes"}},
		"no-handler":     {lambdaruntime.Config{Name: "f", Runtime: "nodejs22.x", Dir: "."}, []string{`Handler: want MODULE.FUNCTION, such as "index.handler", got ""`}},
		"handler-climbs": {lambdaruntime.Config{Name: "f", Runtime: "python3.13", Dir: ".", Handler: "../up.handler"}, []string{"Handler"}},
		"handler-rooted": {lambdaruntime.Config{Name: "f", Runtime: "python3.13", Dir: ".", Handler: "/etc/up.handler"}, []string{"Handler"}},
		"go1-climbs":     {lambdaruntime.Config{Name: "f", Runtime: "go1.x", Dir: ".", Handler: "../../bin/sh"}, []string{"Handler"}},
		"no-bootstrap":   {lambdaruntime.Config{Name: "f", Dir: "."}, []string{"Dir: want a program bootstrap in it, built for this machine, or a Command"}},
		"no-program":     {lambdaruntime.Config{Name: "f", Command: []string{"./nowhere"}}, []string{"Command: want a program that can be started"}},
		"file":           {lambdaruntime.Config{Name: "f", Dir: "doc.go"}, []string{"Dir: want a folder"}},
		"large":          {lambdaruntime.Config{Name: "f", Dir: ".", Environment: map[string]string{"A": strings.Repeat("x", 200<<10)}}, []string{"Environment: want at most"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lambdaruntime.New(tt.c)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "secret")
		})
	}
	t.Setenv("PATH", t.TempDir())
	for runtime, program := range map[string]string{"nodejs22.x": "node", "python3.13": "python3"} {
		_, err := lambdaruntime.New(lambdaruntime.Config{Name: "f", Runtime: runtime, Handler: "index.handler", Dir: "testdata/node"})
		require.ErrorContains(t, err, "Runtime: want "+program+" in PATH, which runs functions of this runtime: it isn't there")
	}
}

// What can't be started is a function error.
func TestInvalidEntrypoint(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("no program"), 0o700))
	require.Equal(t, "Runtime.InvalidEntrypoint", start(t, lambdaruntime.Config{Dir: dir}).fails("", "").Type)
}
