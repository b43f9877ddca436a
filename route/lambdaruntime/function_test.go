package lambdaruntime_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// languages are the same function, as far as it can be.
var languages = map[string]lambdaruntime.Config{
	"go":     {},
	"node":   {Runtime: "nodejs22.x", Handler: "index.handler", Dir: "testdata/node"},
	"python": {Runtime: "python3.13", Handler: "index.handler", Dir: "testdata/python"},
}

// A function answers, fails and goes on in each language; the words are Lambda's.
func TestLanguages(t *testing.T) {
	for _, tt := range []struct{ language, do, kind, message string }{
		{"go", "fail", "errorString", "sorry"},
		{"go", "panic", "string", "sorry"},
		{"go", "exit", "Runtime.ExitError", "Error: Runtime exited with error: exit status 7"},
		{"go", "kill", "Runtime.ExitError", "Error: Runtime exited with error: signal: killed"},
		{"go", "large", "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291456 bytes)."},
		{"node", "throw", "TypeError", "sorry"},
		{"node", "throw-text", "string", "sorry"},
		{"node", "throw-odd", "Error", "sorry"},
		{"node", "throw-nothing", "object", "an object without a text"},
		{"node", "throw-long", "Error", strings.Repeat("sorry", 1e6)[:32768]},
		{"node", "exit", "Runtime.ExitError", "Error: Runtime exited with error: exit status 9"},
		{"node", "reject", "Runtime.UnhandledPromiseRejection", "sorry"},
		{"node", "crash", "RangeError", "sorry"},
		{"node", "bigint", "Runtime.MarshalError", "Do not know how to serialize a BigInt"},
		{"python", "raise", "Odd", "sorry"},
		{"python", "raise-odd", "Speechless", "an exception without a text"},
		{"python", "raise-silently", "Odd", "sorry"},
		{"python", "raise-long", "Odd", strings.Repeat("sorry", 1e6)[:32768]},
		{"python", "exit", "Runtime.ExitError", "Error: Runtime exited with error: exit status 5"},
		{"python", "object", "Runtime.MarshalError", "Object of type object is not JSON serializable"},
	} {
		t.Run(tt.language+"-"+tt.do, func(t *testing.T) {
			f := start(t, languages[tt.language])
			before := f.call("", "héllo <&>")
			require.Contains(t, before, "héllo <&>")
			failed := f.fails(tt.do, "sorry")
			require.Equal(t, tt.kind, failed.Type)
			require.Equal(t, tt.message, failed.Message)
			require.True(t, json.Valid(failed.JSON()))
			require.Contains(t, f.call("", "again"), "again", "the next call is served")
		})
	}
}

// What handlers may be, and where modules are found.
func TestHandlers(t *testing.T) {
	for _, tt := range []struct{ runtime, handler, want string }{
		{"nodejs22.x", "index.handler", `["hello",1,"x"]`},
		{"nodejs18.x", "src/callbacks.api.get", `"got x"`},
		{"nodejs22.x", "src/callbacks.api.succeed", `"x"`},
		{"nodejs22.x", "src/callbacks.api.silent", `null`},
		{"nodejs22.x", "src/modern.handler", `["started","modern.mjs","x"]`},
		{"nodejs22.x", "module/index.handler", `"a module"`},
		{"python3.13", "index.handler", `["hello", 1, "x"]`},
		{"python3.9", "src/nested.handler", `"nested"`},
		{"python3.9", "src.nested.handler", `"nested"`},
	} {
		t.Run(tt.handler, func(t *testing.T) {
			dir := "testdata/node"
			if strings.HasPrefix(tt.runtime, "python") {
				dir = "testdata/python"
			}
			f := start(t, lambdaruntime.Config{Runtime: tt.runtime, Handler: tt.handler, Dir: dir, Concurrency: 1})
			require.Equal(t, tt.want, f.call("", "x"))
			require.Equal(t, strings.Replace(tt.want, "1", "2", 1), f.call("", "x"), "by the same process")
		})
	}
	f := start(t, languages["node"])
	require.Equal(t, "null", f.call("never", ""), "a promise that nothing is left to settle")
	f = start(t, lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "src/callbacks.api.fail", Dir: "testdata/node"})
	require.Equal(t, "Error sorry", f.fails("", "sorry").Type+" "+f.fails("", "sorry").Message)
	f = start(t, lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "src/callbacks.api.fail_text", Dir: "testdata/node"})
	require.Equal(t, "string sorry", f.fails("", "sorry").Type+" "+f.fails("", "sorry").Message)
	require.Equal(t, "1.5", start(t, languages["python"]).call("decimal", ""))
}

// A function has the globals of a file that node runs, and none of the client's names.
func TestGlobals(t *testing.T) {
	var got, want []string
	f := start(t, languages["node"])
	require.NoError(t, json.Unmarshal([]byte(f.call("globals", "")), &got))
	file := filepath.Join(t.TempDir(), "file.js")
	text := "process.stdout.write(JSON.stringify(Object.getOwnPropertyNames(globalThis)))"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	out, err := exec.Command("node", file).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &want))
	require.ElementsMatch(t, want, got)
	for _, name := range []string{"answer", "current", "port"} { // of the client, which a let hides from the list
		require.Equal(t, `"undefined"`, f.call("typeof", name))
	}
}

// Python's root logger has a handler, as on Lambda: a level is all that a function sets.
func TestPythonLogs(t *testing.T) {
	f := start(t, languages["python"])
	f.call("log", "hello")
	require.NoError(t, f.Close())
	require.Regexp(t, `(?m)^orders \| \[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[0-9a-f-]{36}\thello$`, f.log.String())
	require.Contains(t, f.log.String(), "orders | said hello\n")
}

// A function that can't be loaded says why, each time, and no call waits for it.
func TestInit(t *testing.T) {
	for _, tt := range []struct {
		c             lambdaruntime.Config
		kind, message string
	}{
		{lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "src/missing.handler", Dir: "testdata/node"}, "Runtime.ImportModuleError", "Cannot find module 'nowhere'"},
		{lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "nowhere.handler", Dir: "testdata/node"}, "Runtime.ImportModuleError", "Cannot find module"},
		{lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "src/broken.handler", Dir: "testdata/node"}, "Runtime.UserCodeSyntaxError", "Unexpected end of input"},
		{lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "src/callbacks.api.none", Dir: "testdata/node"}, "Runtime.HandlerNotFound", "src/callbacks.api.none is undefined or not exported"},
		{lambdaruntime.Config{Runtime: "python3.13", Handler: "src/missing.handler", Dir: "testdata/python"}, "Runtime.ImportModuleError", "Unable to import module 'src/missing': No module named 'nowhere'"},
		{lambdaruntime.Config{Runtime: "python3.13", Handler: "src/broken.handler", Dir: "testdata/python"}, "Runtime.UserCodeSyntaxError", "invalid syntax"},
		{lambdaruntime.Config{Runtime: "python3.13", Handler: "index.nothing", Dir: "testdata/python"}, "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'index'"},
		{lambdaruntime.Config{Environment: map[string]string{"INIT": "exit"}}, "Runtime.ExitError", "exit status 3"},
		{lambdaruntime.Config{Environment: map[string]string{"INIT": "hang"}, InitTimeout: 50 * time.Millisecond}, "Sandbox.Timedout", "Task timed out after 0.05 seconds"},
	} {
		f := start(t, tt.c)
		for range 2 {
			failed := f.fails("", "")
			require.Equal(t, tt.kind, failed.Type)
			require.Contains(t, failed.Message, tt.message)
		}
	}
}

// What functions are told of themselves and of the call.
func TestContext(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	for language, want := range map[string]string{
		"node":   `["orders","$LATEST","256","` + arn + `",36,true,true,true]`,
		"python": `["orders", "256", "` + arn + `", 36, true, null, null, true]`,
	} {
		c := languages[language]
		c.Region, c.MemoryMB, c.Timeout = "eu-west-1", 256, 2*time.Second
		f := start(t, c)
		var out string
		require.Eventually(t, func() bool { // beside busy processes a process may take two seconds
			b, err := f.Invoke(t.Context(), event("context", ""))
			out = string(b)
			return err == nil
		}, time.Minute, time.Millisecond)
		require.Equal(t, want, out)
	}
	f := start(t, lambdaruntime.Config{})
	require.Equal(t, `["arn:aws:lambda:us-east-1:123456789012:function:orders",true,true,""]`, f.call("context", ""))
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: arn + ":live"})
	out, err := f.Invoke(ctx, event("context", ""))
	require.NoError(t, err)
	require.Contains(t, string(out), arn+":live")
	require.Equal(t, `"`+realPath(t, built)+`"`, f.call("directory", ""))
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	return path
}

// Answers may come bit by bit, from programs whose runtime does that.
func TestStream(t *testing.T) {
	f := start(t, lambdaruntime.Config{Environment: map[string]string{"STREAM": "yes"}})
	body, err := f.InvokeStream(t.Context(), event("", ""))
	require.NoError(t, err)
	out, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "first second", string(out))
	require.NoError(t, body.Close())
	require.NoError(t, body.Close())

	body, err = f.InvokeStream(t.Context(), event("exit", ""))
	if err == nil { // it may have been faster than the beginning of its answer
		_, err = io.ReadAll(body)
		require.NoError(t, body.Close())
	}
	var failed *integration.FunctionError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "Error: Runtime exited with error: exit status 4", failed.Message)

	body, err = f.InvokeStream(t.Context(), event("", ""))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- f.Shutdown(context.WithoutCancel(t.Context())) }()
	select {
	case <-ended:
		t.Fatal("Shutdown didn't wait for a stream")
	case <-time.After(10 * time.Millisecond):
	}
	require.NoError(t, body.Close())
	require.NoError(t, <-ended)
}

// One call at a time a process, and never more processes than there may be.
func TestConcurrency(t *testing.T) {
	f := start(t, lambdaruntime.Config{Concurrency: 3})
	var wg sync.WaitGroup
	var mu sync.Mutex
	processes := map[string]bool{}
	for i := range 12 {
		wg.Go(func() {
			for range 20 {
				text := string(rune('a' + i))
				out, err := f.Invoke(t.Context(), event("", text))
				pid, rest, _ := strings.Cut(string(out), ",")
				mu.Lock()
				if err != nil || rest != `"`+text+`"]` {
					t.Errorf("%s: %s %v", text, out, err)
				}
				processes[pid] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, len(processes), 3)
	require.Greater(t, len(processes), 1)
}

// A process without calls ends; the next call has another.
func TestIdle(t *testing.T) {
	f := start(t, lambdaruntime.Config{IdleTimeout: time.Millisecond})
	first := f.call("", "")
	require.Eventually(t, func() bool { return f.call("", "") != first }, time.Minute, 5*time.Millisecond)
}

// A function whose code has changed is run anew, and one whose program is built is built before.
func TestReload(t *testing.T) {
	dir := copied(t, "testdata/python")
	f := start(t, lambdaruntime.Config{Runtime: "python3.12", Handler: "index.handler", Dir: dir, Reload: true})
	require.Equal(t, `["hello", 1, "x"]`, f.call("", "x"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "src", "greeting.py"), []byte("word = 'good evening'\n"), 0o600))
	require.Eventually(t, func() bool { return strings.Contains(f.call("", "x"), "good evening") }, time.Minute, time.Millisecond)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "src", "greeting.py"), []byte("word = 'unchanged'\n"), 0o600))
	still := start(t, lambdaruntime.Config{Runtime: "python3.12", Handler: "index.handler", Dir: dir})
	require.Contains(t, still.call("", "x"), "unchanged")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "src", "greeting.py"), []byte("word = 'new'\n"), 0o600))
	require.Contains(t, still.call("", "x"), "unchanged", "it wasn't asked to look")

	dir = copied(t, built)
	text := filepath.Join(dir, "text")
	var broken error
	builds := 0
	f = start(t, lambdaruntime.Config{Dir: dir, Reload: true, Build: func(ctx context.Context) error {
		builds++
		require.NoError(t, os.WriteFile(filepath.Join(dir, "made"), []byte(strings.Repeat("x", builds)), 0o600))
		return broken
	}})
	first := f.call("", "")
	require.NoError(t, os.WriteFile(text, nil, 0o600))
	require.Eventually(t, func() bool { return f.call("", "") != first }, time.Minute, time.Millisecond)
	require.Equal(t, 1, builds, "what was built is no change")
	broken = io.ErrUnexpectedEOF
	require.NoError(t, os.WriteFile(text, []byte("1"), 0o600))
	var err error
	require.Eventually(t, func() bool { _, err = f.Invoke(t.Context(), event("", "")); return err != nil }, time.Minute, time.Millisecond)
	require.ErrorContains(t, err, "Runtime.BuildError: unexpected EOF")
	require.Equal(t, "Runtime.BuildError", f.fails("", "").Type, "until the next change")
	broken = nil
	require.NoError(t, os.WriteFile(text, []byte("22"), 0o600))
	require.Eventually(t, func() bool { _, err = f.Invoke(t.Context(), event("", "")); return err == nil }, time.Minute, time.Millisecond)
}
