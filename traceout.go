package gatekit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TraceHeader is the request header by which a client asks for the trace of its request. It is
// taken off before the request goes on, whatever it says: a client that signs its requests (SigV4)
// adds it behind its signature, and not among its SignedHeaders.
const TraceHeader = "X-Gatekit-Trace"

// WhyHeader is the header of an answer to a request that has asked by [TraceHeader]: the
// explanation in a line of at most 4,096 visible characters, as far as it went when the answer
// began.
const WhyHeader = "X-Gatekit-Why"

const (
	maxTraceLifetime = time.Hour
	maxWhyHeader     = 4096
)

// Sign returns a value of [TraceHeader] for requests to path, which is what the client sends,
// escaped as it sends it, without a query: "/prod/orders/7". It counts for lifetime, at most an
// hour, as often as it is sent. The error is of a lifetime or a path that can't be, or of a Trace
// without Secrets.
func (t *Trace) Sign(path string, lifetime time.Duration) (string, error) {
	switch {
	case t.keys == nil:
		return "", errors.New("gatekit: Trace.Sign: want TraceConfig.Secrets, got none")
	case lifetime <= 0 || lifetime > maxTraceLifetime:
		return "", fmt.Errorf("gatekit: Trace.Sign: lifetime: want up to %v, got %v", maxTraceLifetime, lifetime)
	case !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#"):
		return "", fmt.Errorf("gatekit: Trace.Sign: path: want / in front and no query, got %.64q", path)
	}
	return t.keys.Text(traceSubject(path), time.Now().Add(lifetime)), nil
}

// traceSubject stands for a path in a signature, whatever its length.
func traceSubject(path string) string {
	sum := sha256.Sum256([]byte(path))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asked reports whether the client has asked for the trace, and may. The request that it returns
// has no TraceHeader: nobody behind shall be able to use it.
func (t *Trace) asked(r *http.Request) (without *http.Request, asked bool) {
	if t.keys == nil {
		return r, false
	}
	values, ok := r.Header[TraceHeader]
	if !ok {
		return r, false
	}
	if len(values) == 1 {
		path := PathOf(r)
		asked = t.keys.Counts(values[0], traceSubject(path.Received()), time.Now())
	}
	r = r.WithContext(r.Context())
	r.Header = r.Header.Clone()
	delete(r.Header, TraceHeader)
	return r, asked
}

// header is the explanation as a header's value. What isn't visible ASCII is a question mark, so
// that no text can end the line.
func (e *Explanation) header() string {
	var b strings.Builder
	b.WriteString(e.summary())
	for i := range e.Notes {
		n := &e.Notes[i]
		b.WriteString(" | " + n.Phase.String() + " " + n.Verdict.String())
		for _, more := range [...]string{n.Rule, n.details()} {
			if more != "" {
				b.WriteString("; " + more)
			}
		}
	}
	text := b.String()
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, text[:min(len(text), maxWhyHeader)])
}

func (t *Trace) log(r *http.Request, e *Explanation, level slog.Level, suppressed uint64) {
	if !t.logger.Enabled(r.Context(), level) {
		return
	}
	ctx := context.WithoutCancel(r.Context()) // the client may be gone, and handlers may heed that
	why := slog.Any("why", e)
	if suppressed > 0 {
		t.logger.LogAttrs(ctx, level, "gatekit: request traced", why, slog.Uint64("suppressed", suppressed))
		return
	}
	t.logger.LogAttrs(ctx, level, "gatekit: request traced", why)
}

// recentExplanations are the last ones, in a ring.
type recentExplanations struct {
	mu   sync.Mutex
	list []*Explanation // nil where there is none yet
	next int            // where the next one goes
}

func (r *recentExplanations) add(e *Explanation) {
	if len(r.list) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list[r.next] = e
	r.next = (r.next + 1) % len(r.list)
}

// Recent returns the last n explanations, the newest first, as far as they are kept
// ([TraceConfig].Keep). An n of 0 is all.
func (t *Trace) Recent(n int) []*Explanation {
	r := &t.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	if n <= 0 || n > len(r.list) {
		n = len(r.list)
	}
	all := make([]*Explanation, 0, n)
	for i := 1; i <= n; i++ {
		e := r.list[(r.next-i+len(r.list))%len(r.list)]
		if e == nil {
			break
		}
		all = append(all, e)
	}
	return all
}

// Handler returns a handler that shows the last explanations, the newest first: as text, or as a
// JSON list to who accepts application/json. ?n=10 shows so many. It is for operators: mount it
// where only they get, behind an authorizer or on an address of its own.
func (t *Trace) Handler() http.Handler { return http.HandlerFunc(t.show) }

func (t *Trace) show(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "want GET", http.StatusMethodNotAllowed)
		return
	}
	n := 0
	if text := r.URL.Query().Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			http.Error(w, "n: want a number from 1 on", http.StatusBadRequest)
			return
		}
	}
	recent := t.Recent(n)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		h.Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(recent) // a client that went away is no fault of ours
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	for i, e := range recent {
		if i > 0 {
			_, _ = w.Write([]byte("\n"))
		}
		_, _ = w.Write([]byte(e.String()))
	}
}
