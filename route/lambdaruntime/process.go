package lambdaruntime

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/route/integration"
)

// grace is how long a process may take to end itself.
const grace = time.Second

// process is a program of a function, and the runtime API that it asks.
type process struct {
	f       *Function
	api     *integration.RuntimeAPI
	server  *http.Server
	addr    string
	cmd     *exec.Cmd
	changes int // of the code, when it was started

	ready  chan struct{} // closed when it has asked for its first event
	asked  sync.Once
	handed atomic.Uint64 // events that it was given

	ended context.Context         // with why as its cause, once the process has ended or must
	end   context.CancelCauseFunc //
	gone  chan struct{}           // closed when nothing of it is left

	mu      sync.Mutex
	initErr error // what it reported before its first event
	timer   *time.Timer
	busy    bool
}

// start starts a process, without waiting until it is ready.
func (f *Function) start() (*process, error) {
	api, err := integration.NewRuntimeAPI(integration.RuntimeAPIConfig{
		MaxReplyBytes: f.config.MaxReplyBytes, FunctionARN: f.config.ARN,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, &integration.InvokeError{Status: 500, Code: "ServiceException"}
	}
	p := &process{
		f: f, api: api, addr: listener.Addr().String(), busy: true,
		ready: make(chan struct{}), gone: make(chan struct{}),
	}
	p.ended, p.end = context.WithCancelCause(context.Background())
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, ErrorLog: discard}
	out, in, err := os.Pipe()
	if err != nil {
		_ = listener.Close()
		return nil, &integration.InvokeError{Status: 500, Code: "ServiceException"}
	}
	p.cmd = exec.Command(f.config.Command[0], f.config.Command[1:]...)
	p.cmd.Dir, p.cmd.Env = f.config.Dir, append(f.env[:len(f.env):len(f.env)], runtimeAPI+"="+p.addr)
	p.cmd.Stdout, p.cmd.Stderr = in, in
	ownGroup(p.cmd)
	f.mu.Lock() // with which Close knows of it, or it isn't started
	defer f.mu.Unlock()
	err = ErrClosed
	if !f.closed {
		if err = p.cmd.Start(); err != nil {
			err = &integration.FunctionError{
				Type: "Runtime.InvalidEntrypoint", Message: "the program can't be started: " + err.Error(),
			}
		}
	}
	_ = in.Close()
	if err != nil {
		_, _ = listener.Close(), out.Close()
		return nil, err
	}
	p.changes = f.changes
	f.all[p] = true
	go p.run(listener, out)
	return p, nil
}

// run lives as long as the process, and clears away what is left of it.
func (p *process) run(listener net.Listener, out *os.File) {
	served, printed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		_ = p.server.Serve(listener)
	}()
	go func() {
		defer close(printed)
		p.f.log.copy(out)
	}()
	_ = p.cmd.Wait() // its output is a file: this waits for the process alone
	killGroup(p.cmd) // what it has started may outlive it
	p.end(p.exitError())
	_ = p.server.Close()
	<-served
	last := time.AfterFunc(grace, func() { _ = out.Close() }) // what left the group may hold it open
	<-printed
	last.Stop()
	_ = out.Close()
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.f.forget(p)
	close(p.gone)
}

// exitError is what Lambda says of a process that is gone, or what that said before.
func (p *process) exitError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initErr != nil {
		return p.initErr
	}
	return exitError("Error: Runtime exited with error: " + p.cmd.ProcessState.String())
}

func exitError(why string) error {
	return &integration.FunctionError{Type: "Runtime.ExitError", Message: why}
}

// stop asks the process to end, and has it end after a while. Whoever waits for an answer hears
// why. It returns when the process is gone.
func (p *process) stop(why error) {
	p.end(why)
	terminateGroup(p.cmd)
	last := time.AfterFunc(grace, func() { killGroup(p.cmd) })
	<-p.gone
	last.Stop()
}

// kill ends the process at once.
func (p *process) kill(why error) {
	p.end(why)
	killGroup(p.cmd)
}

// rest has the process end if it gets no call for a while.
func (p *process) rest(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
	if p.timer != nil {
		p.timer.Reset(d)
		return
	}
	p.timer = time.AfterFunc(d, func() {
		p.mu.Lock()
		idle := !p.busy
		p.busy = true // for a call that comes now it is too late
		p.mu.Unlock()
		if idle {
			p.stop(errIdle)
		}
	})
}

// wake takes the process for a call, and reports whether it still lives.
func (p *process) wake() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy || p.ended.Err() != nil {
		return false
	}
	p.busy = true
	if p.timer != nil {
		p.timer.Stop()
	}
	return true
}

const (
	pathNext      = "/2018-06-01/runtime/invocation/next"
	pathInitError = "/2018-06-01/runtime/init/error"
	maxInitError  = 256 << 10
)

// ServeHTTP is the runtime API for this one process.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != p.addr || r.Header["Origin"] != nil || r.Header["Sec-Fetch-Site"] != nil { // a web page
		http.Error(w, "this is for the function alone", http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case pathNext:
		p.asked.Do(func() { close(p.ready) })
		w = &handing{w, p}
	case pathInitError:
		kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		payload, err := io.ReadAll(io.LimitReader(r.Body, maxInitError))
		if err == nil {
			_, err = integration.FunctionResult(&kind, payload)
		}
		p.mu.Lock()
		p.initErr = fmt.Errorf("lambdaruntime: %s couldn't start: %w", p.f.config.Name, err)
		p.mu.Unlock()
	}
	p.api.ServeHTTP(w, r)
}

// handing notes that an event is on its way to the process, before it is: what has been handed out
// may have had its effects, and is never handed to another.
type handing struct {
	http.ResponseWriter
	p *process
}

func (h *handing) Write(b []byte) (int, error) {
	h.p.handed.Add(1)
	return h.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (h *handing) Unwrap() http.ResponseWriter { return h.ResponseWriter }
