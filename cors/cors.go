package cors

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	rscors "github.com/rs/cors"

	"github.com/gatekit-go/gatekit"
)

// Bounds of Access-Control-Request-Headers.
const (
	maxRequestHeadersBytes = 8 << 10
	maxRequestHeaders      = 64
)

// CORS answers preflights and writes the configured headers on all other answers. It is immutable
// and safe for concurrent use.
type CORS struct {
	origins     *rscors.Cors // decides which origins are allowed
	anyOrigin   bool         // "*": the answer is the same for all
	byScheme    bool         // "https://*" or "http://*"
	credentials bool

	methods, headers     []string // what a preflight may ask for
	anyMethod, anyHeader bool
	// Header values, joined once. Empty: the header is left out.
	allowMethods, allowHeaders, exposeHeaders, maxAge string

	debug  bool
	logger *slog.Logger // only with debug
}

// New returns a CORS, or one error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*CORS, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &CORS{
		origins:     rscors.New(rscors.Options{AllowedOrigins: slices.Clone(cfg.AllowOrigins)}),
		anyOrigin:   cfg.AllowOrigins[0] == "*",
		byScheme:    slices.Contains(cfg.AllowOrigins, "https://*") || slices.Contains(cfg.AllowOrigins, "http://*"),
		credentials: cfg.AllowCredentials,
		// Browsers don't want the last three listed.
		methods:       slices.Concat(cfg.AllowMethods, []string{"GET", "HEAD", "POST"}),
		headers:       slices.Clone(cfg.AllowHeaders),
		anyMethod:     slices.Contains(cfg.AllowMethods, "*"),
		anyHeader:     slices.Contains(cfg.AllowHeaders, "*"),
		allowMethods:  strings.Join(cfg.AllowMethods, ","),
		allowHeaders:  strings.Join(cfg.AllowHeaders, ","),
		exposeHeaders: strings.Join(cfg.ExposeHeaders, ","),
		debug:         cfg.Debug,
		logger:        cmp.Or(cfg.Logger, slog.Default()),
	}
	if cfg.MaxAge != 0 {
		c.maxAge = strconv.Itoa(int(max(cfg.MaxAge, 0) / time.Second))
	}
	return c, nil
}

// Middleware answers preflights, and writes the CORS headers of all other answers in place of the
// handler's.
func (c *CORS) Middleware(next http.Handler) http.Handler { return &station{cors: c, next: next} }

type station struct {
	cors *CORS
	next http.Handler
}

func (h *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origins := r.Header["Origin"]
	hasOrigin := len(origins) > 0 && origins[0] != ""
	if r.Method == http.MethodOptions {
		if methods := r.Header["Access-Control-Request-Method"]; hasOrigin && len(methods) > 0 && methods[0] != "" {
			h.cors.preflight(w, r, origins, methods)
			return
		}
		hasOrigin = false // an OPTIONS request that isn't a preflight gets no headers
	}
	rw := &responseWriter{cors: h.cors}
	rw.Init(w, rw)
	switch {
	case !hasOrigin:
	case h.cors.allows(r, origins):
		rw.origin = origins[0]
		note(r, gatekit.Passed, allowed, 0)
	default:
		// The request goes on: it is the browser that doesn't let the page read the answer.
		note(r, gatekit.Skipped, failedOrigin, 0)
		if h.cors.debug {
			h.cors.explain(r, failedOrigin)
		}
	}
	defer rw.Finish() // a handler that never writes has an answer too, and so has one that panics, if somebody recovers
	h.next.ServeHTTP(rw, r)
}

// Station implements [gatekit.Station].
func (h *station) Station() (kind string, next http.Handler) { return "cors", h.next }

// allows reports whether pages of the request's origin may read answers. rs/cors decides, behind a
// check of the form: it compares without regard to case, and takes what begins with "https://" for
// an https origin.
func (c *CORS) allows(r *http.Request, origins []string) bool {
	if len(origins) != 1 || len(origins[0]) > maxOriginBytes {
		return false
	}
	if c.byScheme {
		if _, ok := parseOrigin(origins[0]); !ok {
			return false
		}
	}
	for i := range len(origins[0]) {
		if b := origins[0][i]; 'A' <= b && b <= 'Z' && !c.anyOrigin {
			return false
		}
	}
	return c.origins.OriginAllowed(r)
}
