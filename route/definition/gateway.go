package definition

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// Gateway serves a [Document]. As an http.Handler it goes by host: custom domain names, each API's
// own host (ID.execute-api.REGION.amazonaws.com, and ID.execute-api.localhost for trying), and,
// where the document has one API, every other host. It is safe for concurrent use.
type Gateway struct {
	ctx      context.Context
	cancel   context.CancelFunc
	bindings Bindings
	shared   shared

	mu      sync.Mutex // over Update and Close
	closed  bool
	current atomic.Pointer[generation]
}

// Build returns a Gateway that serves the document with what it is bound to, or an error: of a
// document that contradicts itself, of bindings that are ambiguous, or of what [Bindings].Strict
// and NoDifferences refuse. What else can't be served is no error: it refuses, and
// [Gateway.Report] says so.
//
// The document is copied. What works in the background ends with ctx, or [Gateway.Close].
func Build(ctx context.Context, doc *Document, b Bindings) (*Gateway, error) {
	g := &Gateway{bindings: b}
	g.ctx, g.cancel = context.WithCancel(ctx)
	if err := g.shared.init(&g.bindings); err != nil {
		g.cancel()
		return nil, err
	}
	if err := g.Update(ctx, doc); err != nil {
		g.cancel()
		return nil, err
	}
	return g, nil
}

// Update serves another document from now on, with the same bindings. Requests that have begun end
// with what they began with; each later one sees only the new. What the two documents have alike
// goes on: buckets, caches, decisions of authorizers, connections to backends. On an error, which
// is one of [Build]'s, nothing changes; where Bindings.PlanStore fails in between, and what was
// served can't be written back, API keys may be refused until the next Update. ctx bounds the
// reading of stores.
func (g *Gateway) Update(ctx context.Context, doc *Document) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errors.New("definition: Update: the Gateway is closed")
	}
	old := g.current.Load()
	made, err := g.build(ctx, doc, old)
	if err != nil {
		return err
	}
	made.serving.Add(1) // given up by retire
	g.current.Store(made)
	if old != nil {
		old.retire()
	}
	return nil
}

// Close ends what works in the background, and what functions were called without anybody waiting.
// WebSocket connections are closed. Requests are answered 503 from then on; those that have begun
// end. It waits for nothing: shut the http.Server down before.
func (g *Gateway) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	end := &generation{report: &Report{}, entry: closed, pool: newPool()}
	end.serving.Add(1)
	old := g.current.Swap(end)
	g.cancel()
	old.retire()
	return nil
}

// closed answers after [Gateway.Close].
var closed = refuse(&gatekit.Rejection{Type: gatekit.Default5XX, Status: http.StatusServiceUnavailable})

// enter returns what serves now, and keeps it until leave.
func (g *Gateway) enter() *generation {
	for {
		at := g.current.Load()
		at.serving.Add(1)
		if g.current.Load() == at {
			return at
		}
		at.leave() // an Update came between, and may have ended it already
	}
}

// ServeHTTP serves a request by its host.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := g.enter()
	defer at.leave()
	at.entry.ServeHTTP(w, r)
}

// Stage returns one stage of an API, which doesn't look at host or the stage's name in the path: to
// mount it somewhere, or for tests. It follows [Gateway.Update]; while the stage isn't there,
// requests are refused. An empty stage means all stages, by the path's first segment. The error is
// of an API or a stage that isn't there now.
func (g *Gateway) Stage(api, stage string) (http.Handler, error) {
	h := &stageHandler{gateway: g, api: api, stage: stage}
	if h.in(g.current.Load()) == nil {
		return nil, fmt.Errorf("definition: Gateway.Stage: want an API and a stage of the document, got %q and %q",
			api, stage)
	}
	return h, nil
}

// stageHandler is a stage of whatever document is served.
type stageHandler struct {
	gateway    *Gateway
	api, stage string
}

func (h *stageHandler) in(at *generation) http.Handler {
	return at.stages[stageName{h.api, h.stage}]
}

func (h *stageHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := h.gateway.enter()
	defer at.leave()
	stage := h.in(at)
	if stage == nil {
		gatekit.Reject(w, r, noStage)
		return
	}
	stage.ServeHTTP(w, r)
}

var noStage = &gatekit.Rejection{
	Type: gatekit.Default4XX, Status: http.StatusForbidden, Message: "Forbidden",
	Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}},
}

// Domains returns the hosts of the document as they are served now: custom domain names, and the
// APIs' own. It is nil if the document has neither.
func (g *Gateway) Domains() *domain.Domain { return g.current.Load().domains }

// TLSConfig returns a configuration for servers of the document's domain names, which follows
// [Gateway.Update].
func (g *Gateway) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, // of handshakes that fail before there is another
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			d := g.current.Load().domains
			if d == nil {
				return nil, errors.New("definition: the document has no domain names")
			}
			c := d.TLSConfig()
			if c.GetConfigForClient == nil {
				return c, nil
			}
			return c.GetConfigForClient(hello)
		},
	}
}

// Report says what a person should know of the document that is served.
func (g *Gateway) Report() *Report {
	r := g.current.Load().report
	return &Report{Findings: append([]Finding(nil), r.Findings...), Routes: append([]RouteReport(nil), r.Routes...)}
}

// generation is a document as it is served.
type generation struct {
	entry   http.Handler
	stages  map[stageName]http.Handler
	domains *domain.Domain
	report  *Report
	pool    *pool

	serving atomic.Int64 // requests, and 1 until it is retired
	ended   sync.Once
}

// stageName names a stage of an API; an empty stage is all of them.
type stageName struct{ api, stage string }

// retire ends what only this document needs, when the last request has ended.
func (a *generation) retire() { a.leave() }

// leave may see 0 more than once: a request that came too late enters and leaves again.
func (a *generation) leave() {
	if a.serving.Add(-1) == 0 {
		a.ended.Do(a.pool.release)
	}
}
