package cors

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	rscors "github.com/rs/cors"
)

// Bounds of Access-Control-Request-Headers.
const (
	maxRequestHeadersBytes = 8 << 10
	maxRequestHeaders      = 64
)

// CORS answers preflights and writes the configured headers on all other answers. It is immutable and safe for concurrent use.
type CORS struct {
	origins     *rscors.Cors // decides which origins are allowed
	anyOrigin   bool         // "*": the answer is the same for all
	byScheme    bool         // "https://*" or "http://*"
	credentials bool

	methods, headers     []string // what a preflight may ask for
	anyMethod, anyHeader bool
	// Header values, joined once. Empty: the header is left out.
	allowMethods, allowHeaders, exposeHeaders, maxAge string
}

// New returns a CORS, or one error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*CORS, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &CORS{
		origins:       rscors.New(rscors.Options{AllowedOrigins: slices.Clone(cfg.AllowOrigins)}),
		anyOrigin:     cfg.AllowOrigins[0] == "*",
		byScheme:      slices.Contains(cfg.AllowOrigins, "https://*") || slices.Contains(cfg.AllowOrigins, "http://*"),
		credentials:   cfg.AllowCredentials,
		methods:       slices.Concat(cfg.AllowMethods, []string{"GET", "HEAD", "POST"}), // which browsers don't want listed
		headers:       slices.Clone(cfg.AllowHeaders),
		anyMethod:     slices.Contains(cfg.AllowMethods, "*"),
		anyHeader:     slices.Contains(cfg.AllowHeaders, "*"),
		allowMethods:  strings.Join(cfg.AllowMethods, ","),
		allowHeaders:  strings.Join(cfg.AllowHeaders, ","),
		exposeHeaders: strings.Join(cfg.ExposeHeaders, ","),
	}
	if cfg.MaxAge != 0 {
		c.maxAge = strconv.Itoa(int(max(cfg.MaxAge, 0) / time.Second))
	}
	return c, nil
}

// Middleware answers preflights, and writes the CORS headers of all other answers in place of the handler's.
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
	if hasOrigin && h.cors.allows(r, origins) {
		rw.origin = origins[0]
	}
	defer rw.Finish() // a handler that never writes has an answer too, and so has one that panics, if somebody recovers
	h.next.ServeHTTP(rw, r)
}

// Station implements [gatekit.Station].
func (h *station) Station() (kind string, next http.Handler) { return "cors", h.next }

// allows reports whether pages of the request's origin may read answers. rs/cors decides, behind a check of the form: it compares without
// regard to case, and takes what begins with "https://" for an https origin.
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

// preflight answers with 204, and with the configured lists if the origin, the method and the headers are allowed. (Fetch Standard,
// "CORS-preflight fetch".)
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request, origins, methods []string) {
	h := w.Header()
	values := []string{preflightVary, origins[0], c.allowMethods, c.allowHeaders, c.maxAge, "true"}
	if vary := h["Vary"]; len(vary) > 0 {
		h["Vary"] = append(vary[:len(vary):len(vary)], preflightVary)
	} else {
		h["Vary"] = values[0:1:1]
	}
	if c.allows(r, origins) && c.allowsMethod(methods) && c.allowsHeaders(r.Header["Access-Control-Request-Headers"]) {
		if c.anyOrigin {
			values[1] = "*"
		}
		h["Access-Control-Allow-Origin"] = values[1:2:2]
		if c.allowMethods != "" {
			h["Access-Control-Allow-Methods"] = values[2:3:3]
		}
		if c.allowHeaders != "" {
			h["Access-Control-Allow-Headers"] = values[3:4:4]
		}
		if c.maxAge != "" {
			h["Access-Control-Max-Age"] = values[4:5:5]
		}
		if c.credentials {
			h["Access-Control-Allow-Credentials"] = values[5:6:6]
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

// allowsMethod compares byte by byte, as browsers do.
func (c *CORS) allowsMethod(asked []string) bool {
	return len(asked) == 1 && (c.anyMethod || slices.Contains(c.methods, asked[0]))
}

// allowsHeaders reports whether each name asked for is in the list. Browsers send them in lower case, sorted, with a comma and no space
// between two; people with curl don't.
func (c *CORS) allowsHeaders(lines []string) bool {
	size, names := 0, 0
	for _, line := range lines {
		if size += len(line); size > maxRequestHeadersBytes {
			return false
		}
		for more := line != ""; more; {
			var name string
			name, line, more = strings.Cut(line, ",")
			if names++; names > maxRequestHeaders {
				return false
			}
			if name = strings.Trim(name, " \t"); !c.allowsHeader(name) {
				return false
			}
		}
	}
	return true
}

func (c *CORS) allowsHeader(name string) bool {
	if c.anyHeader || name == "" { // an empty element of a list says nothing (RFC 9110, section 5.6.1)
		return true
	}
	for _, allowed := range c.headers {
		if strings.EqualFold(allowed, name) {
			return true
		}
	}
	return false
}
