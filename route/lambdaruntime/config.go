package lambdaruntime

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [Function].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Name is the function's: AWS_LAMBDA_FUNCTION_NAME, and what its lines in the log begin with.
	// 1 to 140 letters, digits, - and _. Required.
	Name string
	// ARN is what the function is told of itself, unless a call's context tells another (its
	// lambdacontext). Empty: one of Name, Region and the account 123456789012.
	ARN string
	// Runtime is provided.al2023, provided.al2, provided, go1.x, or begins with nodejs or python3.
	// Empty is provided.al2023.
	Runtime string
	// Handler is the module and the function in it: "index.handler", "src/orders.api.get". Of
	// provided runtimes it is _HANDLER and may be empty.
	Handler string
	// Dir is the folder with the function's code and dependencies. Required, except with Command.
	Dir string
	// Command is the program and its arguments, in place of what Runtime starts. A program with a
	// slash is found from the directory of this process, others in PATH.
	Command []string

	// Environment are the function's own variables, such as a template has.
	Environment map[string]string
	// Inherit names variables of this process that the function gets, too, where they are set:
	// "AWS_PROFILE".
	Inherit []string
	// Region is AWS_REGION. Empty: us-east-1.
	Region string
	// MemoryMB is AWS_LAMBDA_FUNCTION_MEMORY_SIZE. 0 is 128; at most 10,240.
	MemoryMB int

	// Timeout is how long a call may take; then its process is killed. 0 is 3 seconds; at most 15
	// minutes.
	Timeout time.Duration
	// InitTimeout is how long a process may take until it asks for its first event. 0 is 10
	// seconds; at most 15 minutes.
	InitTimeout time.Duration
	// IdleTimeout is how long a process without calls is kept. 0 is 5 minutes; at most a day.
	IdleTimeout time.Duration
	// Concurrency is how many processes there are at most; further calls wait. 0 is 10; at most
	// 1,000.
	Concurrency int
	// MaxReplyBytes bounds an answer that isn't streamed. 0 is 6 MiB, Lambda's; at most 1 GiB.
	MaxReplyBytes int64

	// Reload looks before a call whether files below Dir, or the program of Command, have others
	// sizes or times than before, and has the call served by a new process if so. It looks so
	// seldom that it costs a twentieth of the time at most, and at up to 20,000 files.
	Reload bool
	// Build makes the program anew when Reload has found a change: a compiler's run. What it fails
	// with is what calls fail with (Runtime.BuildError), until the next change. It may take 5
	// minutes; other calls are served by what there is meanwhile. A program that isn't there yet is
	// built by the first call. nil: nothing has to be made.
	Build func(ctx context.Context) error
	// Log gets what processes print, in whole lines that begin with the function's name. A line is
	// one Write, of 16 KiB at most; functions that share a Log write at the same time. What comes
	// faster than it is written, beyond 1 MiB, is left out and counted. nil is os.Stderr.
	Log io.Writer
}

const (
	defaultTimeout     = 3 * time.Second
	defaultInitTimeout = 10 * time.Second
	defaultIdleTimeout = 5 * time.Minute
	defaultConcurrency = 10
	defaultReply       = 6 << 20
	maxTimeout         = 15 * time.Minute
	maxEnvironment     = 128 << 10
	maxBuild           = 5 * time.Minute
)

var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,140}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	arn          = regexp.MustCompile(`^arn:[!-~]{1,500}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}[a-z0-9-]{1,30}$`)
)

// check refuses what can't be, and fills in what isn't said.
func (c *Config) check() error {
	m := mistakes.In("lambdaruntime: Config")
	m.Require(functionName.MatchString(c.Name), "Name", "want 1 to 140 letters, digits, - and _, got %q", c.Name)
	c.Runtime = cmp.Or(c.Runtime, "provided.al2023")
	m.Require(c.language() != "" || len(c.Command) > 0, "Runtime",
		"want provided.*, go1.x, nodejs* or python3*, or a Command, got %q", c.Runtime)
	m.Require(c.Runtime != "go1.x" || len(c.Command) > 0 || filepath.IsLocal(c.Handler), "Handler",
		"want the name of the program in Dir, got %q", c.Handler)
	if len(c.Command) == 0 && (c.language() == node || c.language() == python) {
		module, _, dotted := strings.Cut(filepath.Base(c.Handler), ".")
		ok := dotted && module != "" && !strings.HasSuffix(c.Handler, ".") && !strings.Contains(c.Handler, "..")
		m.Require(ok && filepath.IsLocal(c.Handler), "Handler",
			`want MODULE.FUNCTION, such as "index.handler", got %q`, c.Handler)
	}
	c.checkDir(m)
	c.checkEnvironment(m)
	c.Region = cmp.Or(c.Region, "us-east-1")
	m.Require(regionName.MatchString(c.Region), "Region", "want a region, such as us-east-1, got %q", c.Region)
	c.ARN = cmp.Or(c.ARN, "arn:aws:lambda:"+c.Region+":123456789012:function:"+c.Name)
	m.Require(arn.MatchString(c.ARN), "ARN", "want an ARN, got %q", c.ARN)
	mistakes.RangeOrZero(m, "MemoryMB", c.MemoryMB, 128, 10_240)
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, time.Millisecond, maxTimeout)
	mistakes.RangeOrZero(m, "InitTimeout", c.InitTimeout, time.Millisecond, maxTimeout)
	mistakes.RangeOrZero(m, "IdleTimeout", c.IdleTimeout, time.Millisecond, 24*time.Hour)
	mistakes.Range(m, "Concurrency", c.Concurrency, 0, 1000)
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, 1<<30)
	c.MemoryMB = cmp.Or(c.MemoryMB, 128)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.InitTimeout = cmp.Or(c.InitTimeout, defaultInitTimeout)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, defaultIdleTimeout)
	c.Concurrency = cmp.Or(c.Concurrency, defaultConcurrency)
	c.MaxReplyBytes = cmp.Or(c.MaxReplyBytes, defaultReply)
	if c.Log == nil {
		c.Log = os.Stderr
	}
	if m.Err() == nil { // which looks for programs
		c.checkCommand(m)
	}
	return m.Err()
}

// checkDir makes Dir absolute.
func (c *Config) checkDir(m *mistakes.Mistakes) {
	if c.Dir == "" {
		m.Require(len(c.Command) > 0, "Dir", "want the folder with the function's code, got none")
		return
	}
	dir, err := filepath.Abs(c.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		m.Add("Dir", "want the folder with the function's code: %w", err)
		return
	}
	info, err := os.Stat(dir)
	m.Require(err == nil && info.IsDir(), "Dir", "want a folder, got %q", c.Dir)
	c.Dir = dir
}

// checkEnvironment refuses variables that can't be set, and those that are the runtime's.
func (c *Config) checkEnvironment(m *mistakes.Mistakes) {
	size := 0
	for name, value := range c.Environment {
		size += len(name) + len(value)
		at := m.Under("Environment").Key(name)
		at.Require(variableName.MatchString(name), "", "want a name of letters, digits and _")
		at.Require(!strings.Contains(value, "\x00"), "", "want no NUL in it") // it isn't shown: it may be a secret
		at.Require(!c.isReserved(name), "", "it is set by the runtime")
	}
	m.Require(size <= maxEnvironment, "Environment", "want at most %d bytes, got %d", maxEnvironment, size)
	for i, name := range c.Inherit {
		m.Under("Inherit").Index(i).Require(variableName.MatchString(name) && !c.isReserved(name), "",
			"want the name of a variable that isn't the runtime's, got %q", name)
	}
}
