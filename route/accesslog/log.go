package accesslog

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [Log]. The zero value is refused: it has no format, and writes nowhere.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Format is a line, with variables written $context.name: one of the constants of this package,
	// or what a stage of the managed gateway has. It is required, at most [MaxFormat] bytes, and
	// names $context.requestId or $context.extendedRequestId. Line ends in it, with the blanks
	// around them, become one blank.
	Format string
	// Writer gets the lines, each in one call of Write, one after the other. What it takes long
	// for, requests wait for: a [Writer] is one that they don't wait for.
	Writer io.Writer
	// Records gets a record for each request, beside the line or instead of it: the variables that
	// Format has, under the same names, those without a value left out.
	Records *slog.Logger

	// Lenient takes variables that there aren't for some that never have a value, in place of an
	// error: for formats that are in use elsewhere.
	Lenient bool
	// Unmasked are the variables whose values are shown though they are secrets: "identity.apiKey",
	// "identity.accessKey", "authorizer.claims.sub", "authorizer.tenant"; "authorizer.claims.*" is
	// all claims, "authorizer.*" also all that a Lambda authorizer says.
	Unmasked []string
	// InsecureUnescaped inserts values as they are, as the managed gateway does. Then a client can
	// write what looks like another line, or another field.
	InsecureUnescaped bool

	// Logger hears of a Writer that fails, at most once a minute. nil is slog.Default().
	Logger *slog.Logger
}

// Log is an access log. Make it with [New]; it is immutable, and safe for concurrent use.
type Log struct {
	format  *format
	out     *output // nil: none
	records *slog.Logger
}

// New returns the log, or one error that names each field it refuses. It copies cfg.
func New(cfg Config) (*Log, error) {
	m := mistakes.In("accesslog: Config")
	f := parse(m, &cfg)
	m.Require(cfg.Writer != nil || cfg.Records != nil, "Writer", "want a Writer, or Records, got neither")
	if err := m.Err(); err != nil {
		return nil, err
	}
	l := &Log{format: f, records: cfg.Records}
	if cfg.Writer != nil {
		l.out = &output{to: cfg.Writer, faults: faults{log: cfg.Logger}}
	}
	return l, nil
}

// Unknown returns the variables of the format that there aren't, where [Config.Lenient] has let
// them be.
func (l *Log) Unknown() (names []string) {
	for _, p := range l.format.pieces {
		if p.unknown {
			names = append(names, p.name)
		}
	}
	return names
}

// Middleware writes a line for each request that next has answered, the refused ones, too. It
// stands outside of what it is to tell of: in (*route.API).Use, before all others.
//
// The line is written when next returns; of a connection that next takes over, when it has. A
// request whose handler panics is logged as a 500, unless it has answered before, and the panic
// goes on. Where the client went away before anything was sent, there is no status.
//
// On a WebSocket API each event is a request: its Use is for CONNECT, its UseMessages for MESSAGE,
// and the middlewares of $disconnect for DISCONNECT.
func (l *Log) Middleware(next http.Handler) http.Handler { return &logged{log: l, next: next} }

type logged struct {
	log  *Log
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *logged) Station() (kind string, next http.Handler) { return "access log", h.next }

// scratch is what making a line needs. It is lent from a pool: no handler sees it.
type scratch struct {
	line    []byte
	attrs   []slog.Attr
	outcome contextvar.Outcome
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// maxKept bounds what goes back to the pool.
const maxKept = 64 << 10

// write writes what has become of a request.
func (l *Log) write(e *entry, notes gatekit.Notes, panicked bool) {
	s := scratches.Get().(*scratch)
	o := &s.outcome
	o.Status, o.Sent, o.Received = e.answered(panicked), e.sent, e.body.Bytes(e.r)
	o.Took, o.Streamed = time.Since(e.rc.Time), e.streamed
	if l.format.keep != 0 {
		o.Read(notes)
	}
	if l.out != nil {
		s.line = l.format.append(s.line[:0], e.rc, e.r, o)
		l.out.write(s.line)
	}
	if l.records != nil {
		l.record(s, e)
	}
	o.Reset() // before another request may have it
	if cap(s.line) <= maxKept {
		scratches.Put(s)
	}
}

// record writes the record.
func (l *Log) record(s *scratch, e *entry) {
	ctx := context.WithoutCancel(e.r.Context()) // the client may be gone, and handlers may heed that
	if !l.records.Enabled(ctx, slog.LevelInfo) {
		return
	}
	s.attrs = s.attrs[:0]
	for i := range l.format.pieces {
		p := &l.format.pieces[i]
		if p.number && !p.masked {
			if number, ok := p.int(e, &s.outcome); ok {
				s.attrs = append(s.attrs, slog.Int64(p.name, number))
			}
		} else if value, ok := p.v.Logs(e.rc, e.r, &s.outcome); ok {
			value = value[:min(len(value), maxValue)]
			if p.masked {
				value = p.mask(value)
			}
			s.attrs = append(s.attrs, slog.String(p.name, value))
		}
	}
	l.records.LogAttrs(ctx, slog.LevelInfo, "gatekit: request", s.attrs...)
	clear(s.attrs)
}
