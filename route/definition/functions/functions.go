package functions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// Config says how a document's functions are run.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Root is the folder that the document was read from: the root of its fs.FS. Code that leads
	// out of it isn't run. Empty: the working directory.
	Root string
	// Code names programs, folders with code, or http and https URLs of Invoke APIs
	// ("http://localhost:9000", "https://…/2015-03-31/functions/NAME/invocations"), by a function's
	// logical ID, path, name or ARN. Paths are relative to the working directory. A function that
	// the document doesn't describe, as OpenAPI documents don't, has the runtime that its folder
	// looks like: bootstrap or Go source, index.js, index.mjs, index.py (index.handler),
	// lambda_function.py (lambda_function.lambda_handler).
	Code map[string]string
	// APIs are the addresses under which the document's APIs are served, by their IDs:
	// "http://127.0.0.1:8080". They take the place of https://ID.execute-api.REGION.amazonaws.com,
	// and of wss, in variables. Functions also get AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, which
	// SDKs heed: the stage of a WebSocket API, of the one that calls the function if there are
	// several.
	APIs map[string]string
	// Environment changes a function's variables, given what the document says: it may add some. It
	// is called by New and Update. nil leaves them alone.
	Environment func(logicalID string, variables map[string]string)
	// Inherit, Concurrency, Reload and Log are as in lambdaruntime.Config, for each function.
	// Reload also builds Go source again.
	Inherit     []string
	Concurrency int
	Reload      bool
	Log         io.Writer
}

// Functions are the functions of a document. They are safe for concurrent use.
type Functions struct {
	config Config
	root   *os.Root
	made   string // a folder for what is built

	mu       sync.Mutex // held by Update and Close
	running  map[string]*runner
	last     map[string]bool // of the document before
	names    atomic.Pointer[map[string]gatekit.Invoker]
	findings []definition.Finding
	ending   sync.WaitGroup
	open     context.Context
	close    context.CancelFunc
}

// New returns the functions of a document, or an error: of a Config that can't be, or a name in
// Code that no function has. What can't be run is no error but a finding. Go source is built by
// New; processes are started by calls. Close ends them.
func New(doc *definition.Document, c Config) (*Functions, error) {
	m := mistakes.In("functions: Config")
	if c.Root == "" {
		c.Root = "."
	}
	root, err := os.OpenRoot(c.Root)
	if err != nil {
		m.Add("Root", "want a folder: %w", err)
		return nil, m.Err()
	}
	made, err := os.MkdirTemp("", "gatekit-functions-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("functions: %w", err), root.Close())
	}
	f := &Functions{config: c, root: root, made: made, running: map[string]*runner{}}
	f.open, f.close = context.WithCancel(context.Background())
	if err := f.Update(doc); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// runner is a function under its name, whatever runs it at the moment.
type runner struct {
	spec    *lambdaruntime.Config // Environment and the rest, to be compared
	current atomic.Pointer[lambdaruntime.Function]
}

// Function finds a function: it is what definition.Bindings.OtherFunction wants.
func (f *Functions) Function(ref definition.Ref) (gatekit.Invoker, bool) {
	names := *f.names.Load()
	for _, name := range slices.Concat([]string{ref.LogicalID, ref.Path, ref.Name, ref.ARN}, ref.Also) {
		if r := names[name]; r != nil && name != "" {
			return r, true
		}
	}
	return nil, false
}

// Findings are what isn't run, and why, as of the last document.
func (f *Functions) Findings() []definition.Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.findings)
}

// Update runs the functions of another document: call it before definition.Gateway.Update. A
// function that is described as before goes on; another one takes over the calls to come, while
// those that are running end. What the new document lacks is kept for requests of the old, until
// the next Update.
func (f *Functions) Update(doc *definition.Document) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	described := described(doc)
	apis := addresses(doc, f.config.APIs)
	given, err := f.given(described)
	if err != nil {
		return err
	}
	names, now := map[string]gatekit.Invoker{}, map[string]bool{}
	f.findings = nil
	for _, id := range slices.Sorted(maps.Keys(described)) {
		r := described[id]
		called, err := f.invoker(id, r, given[id], apis)
		if err != nil {
			f.findings = append(f.findings, definition.Finding{
				Severity: apis.severity(id), Origin: r.Origin,
				What: fmt.Sprintf("the function %s isn't run: %v", id, err),
				Do:   "name a program or an endpoint for it",
			})
			continue
		}
		now[id] = true
		for _, name := range []string{id, r.Path, r.Name, r.ARN} {
			names[name] = called
		}
	}
	for id, r := range f.running {
		if !now[id] && !f.last[id] {
			f.retire(r.current.Load())
			delete(f.running, id)
		}
	}
	f.last = now
	f.names.Store(&names)
	return nil
}

// described are the document's functions by logical ID.
func described(doc *definition.Document) map[string]*definition.Resource {
	all := map[string]*definition.Resource{}
	for id, r := range doc.Resources {
		if r != nil && r.Type == "AWS::Lambda::Function" {
			all[id] = r
		}
	}
	return all
}

// given finds for each name of Code the function that it is for. Documents that describe no
// functions have whatever is named.
func (f *Functions) given(described map[string]*definition.Resource) (map[string]string, error) {
	m := mistakes.In("functions: Config").Under("Code")
	given, known := map[string]string{}, map[string]string{}
	for id, r := range described {
		for _, name := range []string{r.ARN, r.Name, r.Path, id} {
			known[name] = id
		}
	}
	for name, code := range f.config.Code {
		id, ok := known[name]
		if !ok && len(known) > 0 {
			m.Key(name).Add("", "want a function of the document%s", nearest.Hint(name, maps.Keys(known)))
		}
		if !ok {
			id = name
			short := name[strings.LastIndexByte(name, ':')+1:]
			described[name] = &definition.Resource{Type: "AWS::Lambda::Function", Name: short}
		}
		given[id] = code
	}
	return given, m.Err()
}

// invoker is what calls a function.
func (f *Functions) invoker(id string, r *definition.Resource, given string, apis *apis) (gatekit.Invoker, error) {
	if u, err := url.Parse(given); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if strings.Trim(u.Path, "/") == "" {
			u = u.JoinPath("2015-03-31/functions", cmp.Or(r.Name, id), "invocations")
		}
		return integration.NewEndpoint(integration.EndpointConfig{URL: u.String()})
	}
	spec, err := f.spec(id, r, given, apis)
	if err == nil {
		err = f.run(id, spec, definition.Finding{Severity: apis.severity(id), Origin: r.Origin})
	}
	return f.running[id], err
}

// run has a function run as spec says, if it doesn't already. One that can't be built runs all the
// same where code that is repaired is built again: it fails until then.
func (f *Functions) run(id string, spec *lambdaruntime.Config, unbuilt definition.Finding) error {
	old := f.running[id]
	if old != nil && same(old.spec, spec) {
		return nil
	}
	if spec.Build != nil {
		ctx, cancel := context.WithTimeout(f.open, 5*time.Minute)
		defer cancel()
		if err := spec.Build(ctx); err != nil && !spec.Reload {
			return err
		} else if err != nil {
			unbuilt.What = fmt.Sprintf("the function %s isn't built: %v", id, err)
			unbuilt.Do = "repair its code: the next call builds it again"
			f.findings = append(f.findings, unbuilt)
		}
	}
	made, err := lambdaruntime.New(*spec)
	if err != nil {
		return err
	}
	if old == nil {
		old = &runner{}
		f.running[id] = old
	}
	old.spec = spec
	f.retire(old.current.Swap(made))
	return nil
}

// same reports whether two functions are described alike. Build is made anew for each.
func same(a, b *lambdaruntime.Config) bool {
	x, y := *a, *b
	x.Build, y.Build = nil, nil
	return reflect.DeepEqual(x, y)
}

// retire ends a function once its calls have ended.
func (f *Functions) retire(old *lambdaruntime.Function) {
	if old != nil {
		f.ending.Go(func() { _ = old.Shutdown(f.open) })
	}
}

// Close ends all functions, with the calls that are running, waits until they are gone, and removes
// what was built.
func (f *Functions) Close() error {
	f.close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.running {
		f.ending.Go(func() { _ = r.current.Load().Close() })
	}
	f.ending.Wait()
	return errors.Join(os.RemoveAll(f.made), f.root.Close())
}

// Invoke implements gatekit.Invoker.
func (r *runner) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return attempt(r, func(f *lambdaruntime.Function) ([]byte, error) { return f.Invoke(ctx, payload) })
}

// InvokeStream implements integration.Streamer.
func (r *runner) InvokeStream(ctx context.Context, payload []byte) (io.ReadCloser, error) {
	return attempt(r, func(f *lambdaruntime.Function) (io.ReadCloser, error) { return f.InvokeStream(ctx, payload) })
}

// attempt makes a call. One that was refused because another function has taken over is made there.
func attempt[T any](r *runner, call func(*lambdaruntime.Function) (T, error)) (T, error) {
	for {
		f := r.current.Load()
		out, err := call(f)
		if !errors.Is(err, lambdaruntime.ErrClosed) || r.current.Load() == f {
			return out, err
		}
	}
}
