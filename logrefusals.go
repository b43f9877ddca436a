package gatekit

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// MaxRefusalRecords is how many records [LogRefusals] writes a second for each of its two levels.
// An attacker makes refusals by the hundred thousand: what is beyond is counted, and the count
// stands in the next record.
const MaxRefusalRecords = 100

// LogRefusals returns a middleware that writes one record for each request that a station behind it
// refuses: what the client was told, and, what it never is, why. Requests that aren't refused are
// not logged; that is the access log's work.
//
// The record's attributes are status, type (the gateway response type: "UNAUTHORIZED"), phase
// ([ResponseType.Phase]), cause, request, route and method; suppressed is how many refusals of the
// level were only counted since the last record. 5xx are at Error, as somebody has something to
// repair; all others, which callers have brought about, at Info. Causes hold no token, key or claim
// ([Rejection]); paths, which may, aren't logged.
//
// It stands outside of what it is to watch, first of all, and attaches the RequestContext if nobody
// has. A level that the logger has switched off costs nothing. nil is slog.Default().
func LogRefusals(l *slog.Logger) Middleware {
	if l == nil {
		l = slog.Default()
	}
	log := &refusalLog{logger: l}
	return func(next http.Handler) http.Handler { return &refusalLogged{log: log, next: next} }
}

type refusalLogged struct {
	log  *refusalLog
	next http.Handler
}

func (h *refusalLogged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := Attach(r)
	h.next.ServeHTTP(w, r)
	if rej := rc.Rejection(); rej != nil {
		h.log.write(r, rc, rej, time.Now())
	}
}

// Station implements [Station].
func (h *refusalLogged) Station() (kind string, next http.Handler) { return "refusal log", h.next }

// refusalLog writes records, and counts those beyond the bound.
type refusalLog struct {
	logger       *slog.Logger
	info, errors refusalWindow // apart, so that a flood of 429s hides no 500
}

func (g *refusalLog) write(r *http.Request, rc *RequestContext, rej *Rejection, now time.Time) {
	level, window := slog.LevelInfo, &g.info
	status := rej.StatusFor(rc.API.Flavor)
	if status >= http.StatusInternalServerError {
		level, window = slog.LevelError, &g.errors
	}
	ctx := context.WithoutCancel(r.Context()) // the client may be gone, and handlers may heed that
	if !g.logger.Enabled(ctx, level) {
		return
	}
	suppressed, ok := window.take(now, MaxRefusalRecords)
	if !ok {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.Int("status", status),
		slog.String("type", rej.kind().String()),
		slog.String("phase", rej.kind().Phase().String()),
		slog.String("request", rc.RequestID()),
		slog.String("method", r.Method),
		slog.String("route", rc.RouteKey()),
	)
	if rej.Cause != nil {
		attrs = append(attrs, slog.String("cause", rej.Cause.Error()))
	}
	if suppressed > 0 {
		attrs = append(attrs, slog.Uint64("suppressed", suppressed))
	}
	g.logger.LogAttrs(ctx, level, "gatekit: request refused", attrs...)
}

// refusalWindow counts records by the second. It has no timer: the first record of a later second
// begins a new window and tells what the ones before it have left out.
type refusalWindow struct {
	second, written, suppressed atomic.Int64
}

// full reports whether take would refuse.
func (w *refusalWindow) full(now time.Time, most int64) bool {
	return w.second.Load() == now.Unix() && w.written.Load() >= most
}

// take reports whether a record may be written now, of most in a second, and how many weren't since
// the last.
func (w *refusalWindow) take(now time.Time, most int64) (suppressed uint64, ok bool) {
	second := now.Unix()
	if was := w.second.Load(); was != second && w.second.CompareAndSwap(was, second) {
		w.written.Store(0)
	}
	if w.written.Add(1) > most {
		w.suppressed.Add(1)
		return 0, false
	}
	return uint64(w.suppressed.Swap(0)), true
}
