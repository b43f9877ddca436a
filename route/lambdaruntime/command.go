package lambdaruntime

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// The clients are programs in text, which node and python3 take from the command line: there are no
// files of theirs that would have to be cleaned up.
var (
	//go:embed client/node.js
	nodeClient string
	//go:embed client/python.py
	pythonClient string
)

// checkCommand finds the program to start, and makes Command the whole of it.
func (c *Config) checkCommand(m *mistakes.Mistakes) {
	field, program := "Command", ""
	var rest []string
	switch language := c.language(); {
	case len(c.Command) > 0:
		program, rest = c.Command[0], c.Command[1:]
		if strings.ContainsAny(program, `/\`) {
			program, _ = filepath.Abs(program)
		}
	case language == node:
		field, program, rest = "Runtime", "node", []string{"-e", nodeClient}
	case language == python:
		// -u holds no output back.
		field, program, rest = "Runtime", "python3", []string{"-u", "-c", pythonClient}
	case c.Runtime == "go1.x":
		field, program = "Dir", filepath.Join(c.Dir, c.Handler)
	default:
		field, program = "Dir", filepath.Join(c.Dir, "bootstrap")
	}
	path, err := exec.LookPath(program)
	if c.isBuiltLater() && errors.Is(err, fs.ErrNotExist) {
		path, err = program, nil
	}
	if err != nil {
		m.Add(field, "%s", missing(program, err))
		return
	}
	c.Command = append([]string{path}, rest...)
	if c.Dir == "" {
		c.Dir, _ = os.Getwd()
	}
}

// isBuiltLater reports whether a program may be missing: the first call has it built.
func (c *Config) isBuiltLater() bool { return c.Reload && c.Build != nil }

// missing says what to do where there is no program.
func missing(program string, err error) string {
	switch {
	case program == "node" || program == "python3":
		return "want " + program + " in PATH, which runs functions of this runtime: it isn't there"
	case filepath.Base(program) == "bootstrap" && errors.Is(err, fs.ErrNotExist):
		return "want a program bootstrap in it, built for this machine, or a Command: there is none"
	}
	return "want a program that can be started: " + err.Error()
}
