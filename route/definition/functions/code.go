package functions

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// spec is how a function of the document is run.
func (f *Functions) spec(id string, r *definition.Resource, given string, apis *apis) (*lambdaruntime.Config, error) {
	c := &lambdaruntime.Config{
		Name: name(cmp.Or(r.Name, id)), ARN: r.ARN, Runtime: r.Runtime, Handler: r.Handler, MemoryMB: r.Memory,
		Timeout: time.Duration(r.Timeout) * time.Second, Environment: f.environment(id, r, apis),
		Inherit: f.config.Inherit, Concurrency: f.config.Concurrency, Reload: f.config.Reload, Log: f.config.Log,
	}
	if parts := strings.Split(r.ARN, ":"); len(parts) > 3 {
		c.Region = parts[3]
	}
	folder := filepath.Join(f.made, fmt.Sprintf("%x", sha256.Sum256([]byte(id)))[:16])
	switch {
	case given != "":
		info, err := os.Stat(given)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			c.Command, c.Dir = []string{absolute(given)}, filepath.Dir(absolute(given))
			return c, nil
		}
		c.Dir = given
	case r.InlineCode != "":
		c.Dir = folder
		return c, writeInline(c, r.InlineCode)
	case r.Code == "":
		return nil, errors.New("its code isn't in the template, nor beside it")
	default:
		info, err := f.root.Stat(filepath.FromSlash(r.Code))
		if err != nil {
			return nil, fmt.Errorf("its code: %w", err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("its code %s is an archive: want a folder", r.Code)
		}
		c.Dir = filepath.Join(f.config.Root, filepath.FromSlash(r.Code))
	}
	c.Dir = absolute(c.Dir)
	if c.Runtime == "" {
		guess(c)
	}
	if isGo(c) {
		program := filepath.Join(folder, "bootstrap")
		c.Command, c.Build = []string{program}, build(c.Dir, program)
	}
	return c, nil
}

var others = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// name is a name that a function can have.
func name(of string) string {
	of = others.ReplaceAllString(of, "-")
	return of[:min(len(of), 140)]
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// writeInline writes code that stands in a template, which is the module index.
func writeInline(c *lambdaruntime.Config, code string) error {
	file := "index.js"
	if strings.HasPrefix(c.Runtime, "python") {
		file = "index.py"
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(c.Dir, file)
	if there, err := os.ReadFile(path); err == nil && string(there) == code {
		return nil // its time doesn't change
	}
	return os.WriteFile(path, []byte(code), 0o600)
}

// guess finds the runtime of a folder that no template describes.
func guess(c *lambdaruntime.Config) {
	for _, g := range []struct{ file, runtime, handler string }{
		{"bootstrap", "provided.al2023", ""},
		{"index.js", "nodejs", "index.handler"}, {"index.mjs", "nodejs", "index.handler"},
		{"index.py", "python3", "index.handler"}, {"lambda_function.py", "python3", "lambda_function.lambda_handler"},
	} {
		if _, err := os.Stat(filepath.Join(c.Dir, g.file)); err == nil {
			c.Runtime, c.Handler = g.runtime, cmp.Or(c.Handler, g.handler)
			return
		}
	}
}

// isGo reports whether a folder has Go source instead of the program that it is to have.
func isGo(c *lambdaruntime.Config) bool {
	if c.Runtime != "" && c.Runtime != "go1.x" && !strings.HasPrefix(c.Runtime, "provided") {
		return false
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "bootstrap")); err == nil {
		return false
	}
	sources, _ := filepath.Glob(filepath.Join(c.Dir, "*.go"))
	return len(sources) > 0
}

// maxOutput bounds what is shown of a compiler's errors.
const maxOutput = 4 << 10

// build returns a function that builds the Go program of a folder. The program that is there runs
// on until the new one takes its place.
func build(dir, program string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
			return err
		}
		next := program + ".new"
		cmd := exec.CommandContext(ctx, "go", "build", "-o", next, ".")
		cmd.Dir, cmd.WaitDelay = dir, time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			lines := strings.Fields(string(out[:min(len(out), maxOutput)]))
			return fmt.Errorf("go build: %w: %s", err, strings.Join(lines, " ")) // a finding is one line
		}
		return os.Rename(next, program)
	}
}
