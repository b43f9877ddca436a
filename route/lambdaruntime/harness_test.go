package lambdaruntime_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// built is the folder with the function of testdata/go, built as for Lambda.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambdaruntime")
	if err == nil {
		var out []byte
		if out, err = exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/go").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	for _, program := range []string{"node", "python3"} {
		if _, lacking := exec.LookPath(program); lacking != nil && err == nil {
			err = fmt.Errorf("these tests run functions of %s, which isn't in PATH: install it (.ci/run does)", program)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// printed is a Log.
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

// function is a function under test, and what it prints.
type function struct {
	*lambdaruntime.Function
	t   *testing.T
	log *printed
}

// start makes a function that ends with the test. What isn't said is the function of testdata/go.
func start(t *testing.T, c lambdaruntime.Config) *function {
	t.Helper()
	f := &function{t: t, log: &printed{}}
	if c.Name == "" {
		c.Name = "orders"
	}
	if c.Dir == "" && c.Command == nil {
		c.Dir = built
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute // busy machines
	}
	if c.InitTimeout == 0 {
		c.InitTimeout = time.Minute
	}
	if c.Log == nil {
		c.Log = f.log
	}
	var err error
	f.Function, err = lambdaruntime.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func event(do, text string) []byte {
	b, _ := json.Marshal(map[string]string{"do": do, "text": text})
	return b
}

// call returns what an event is answered with.
func (f *function) call(do, text string) string {
	f.t.Helper()
	out, err := f.Invoke(f.t.Context(), event(do, text))
	require.NoError(f.t, err, f.log)
	return string(out)
}

// fails returns what an event makes the function fail with.
func (f *function) fails(do, text string) *integration.FunctionError {
	f.t.Helper()
	out, err := f.Invoke(f.t.Context(), event(do, text))
	var failed *integration.FunctionError
	require.ErrorAs(f.t, err, &failed, "%s", out)
	return failed
}

// environment is that of the function.
func (f *function) environment() map[string]string {
	f.t.Helper()
	all := map[string]string{}
	var lines []string
	out := f.call("environment", "")
	if json.Unmarshal([]byte(out), &lines) == nil {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			all[name] = value
		}
		return all
	}
	require.NoError(f.t, json.Unmarshal([]byte(out), &all))
	return all
}

// copied is a folder of testdata that a test may change.
func copied(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(from)))
	return dir
}
