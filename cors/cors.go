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
	rules       *rscors.Cors
	anyOrigin   bool // "*": the answer is the same for all
	byScheme    bool // "https://*" or "http://*"
	credentials bool

	// Header values, joined once. Empty: the header is left out.
	allowMethods, allowHeaders, exposeHeaders, maxAge string
}

// New returns a CORS, or one error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*CORS, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &CORS{
		anyOrigin:     cfg.AllowOrigins[0] == "*",
		byScheme:      slices.Contains(cfg.AllowOrigins, "https://*") || slices.Contains(cfg.AllowOrigins, "http://*"),
		credentials:   cfg.AllowCredentials,
		allowMethods:  strings.Join(cfg.AllowMethods, ","),
		allowHeaders:  strings.Join(cfg.AllowHeaders, ","),
		exposeHeaders: strings.Join(cfg.ExposeHeaders, ","),
	}
	if cfg.MaxAge != 0 {
		c.maxAge = strconv.Itoa(int(max(cfg.MaxAge, 0) / time.Second))
	}
	methods := slices.Concat(cfg.AllowMethods, []string{"GET", "HEAD", "POST"}) // which browsers don't want listed
	if slices.Contains(cfg.AllowMethods, "*") {
		methods = everyMethod
	}
	headers := slices.Clone(cfg.AllowHeaders)
	if len(headers) == 0 {
		headers = []string{"\x00"} // none: rs/cors has a default of its own for an empty list
	}
	c.rules = rscors.New(rscors.Options{
		AllowedOrigins: slices.Clone(cfg.AllowOrigins),
		AllowedMethods: methods,
		AllowedHeaders: headers,
		// Then it writes its verdict and leaves the answer, and the headers that don't decide, to us.
		OptionsPassthrough: true,
	})
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
		if hasOrigin && r.Header.Get("Access-Control-Request-Method") != "" {
			h.cors.preflight(w, r)
			return
		}
		hasOrigin = false // an OPTIONS request that isn't a preflight gets no headers
	}
	rw := &responseWriter{ResponseWriter: w, cors: h.cors}
	if hasOrigin && h.cors.wellFormed(origins) && h.cors.rules.OriginAllowed(r) {
		rw.origin = origins[0]
	}
	defer rw.commit() // a handler that never writes has an answer too, and so has one that panics, if somebody recovers
	h.next.ServeHTTP(rw, r)
}

// Station implements [gatekit.Station].
func (h *station) Station() (kind string, next http.Handler) { return "cors", h.next }

// wellFormed reports whether the Origin header is one that may be asked about: rs/cors compares without regard to case, and takes what
// begins with "https://" for an https origin.
func (c *CORS) wellFormed(origins []string) bool {
	if len(origins) != 1 || len(origins[0]) > maxOriginBytes {
		return false
	}
	if c.byScheme {
		_, ok := parseOrigin(origins[0])
		return ok
	}
	for i := range len(origins[0]) {
		if c := origins[0][i]; 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// preflight answers with 204, and with the configured lists if the origin, the method and the headers are allowed. (Fetch Standard,
// "CORS-preflight fetch".)
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	vary := h["Vary"]
	delete(h, "Access-Control-Allow-Origin")
	if c.wellFormed(r.Header["Origin"]) && len(r.Header["Access-Control-Request-Method"]) == 1 && bounded(r.Header["Access-Control-Request-Headers"]) {
		c.rules.ServeHTTP(w, asBrowsersSend(r), nothing)
	}
	values := []string{preflightVary, c.allowMethods, c.allowHeaders, c.maxAge, "true", ""}
	h["Vary"] = values[0:1:1]
	if len(vary) > 0 {
		h["Vary"] = append(vary[:len(vary):len(vary)], preflightVary)
	}
	allowed := h["Access-Control-Allow-Origin"] // rs/cors's verdict
	if len(allowed) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	values[5] = allowed[0]
	h["Access-Control-Allow-Origin"] = values[5:6:6]
	set(h, "Access-Control-Allow-Methods", values[1:2:2])
	set(h, "Access-Control-Allow-Headers", values[2:3:3])
	if c.maxAge != "" {
		h["Access-Control-Max-Age"] = values[3:4:4]
	}
	if c.credentials {
		h["Access-Control-Allow-Credentials"] = values[4:5:5]
	}
	w.WriteHeader(http.StatusNoContent)
}

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

// set replaces what rs/cors wrote, which is what the request asked for.
func set(h http.Header, name string, value []string) {
	if value[0] == "" {
		delete(h, name)
		return
	}
	h[name] = value
}

func nothing(http.ResponseWriter, *http.Request) {}

// bounded reports whether the requested headers are few enough to be looked at.
func bounded(lines []string) bool {
	size, names := 0, 0
	for _, line := range lines {
		size += len(line)
		if size > maxRequestHeadersBytes {
			return false
		}
		names += 1 + strings.Count(line, ",")
	}
	return names <= maxRequestHeaders
}

// asBrowsersSend returns r with Access-Control-Request-Headers as browsers send it: lower case, sorted, each name once, a comma and no
// space between two. rs/cors takes no other form, but people with curl send one. Most requests are returned as they are.
func asBrowsersSend(r *http.Request) *http.Request {
	const name = "Access-Control-Request-Headers"
	line := strings.Join(r.Header[name], ",")
	if sortedLower(line) {
		return r
	}
	names := strings.Split(strings.ToLower(line), ",")
	for i := range names {
		names[i] = strings.Trim(names[i], " \t")
	}
	slices.Sort(names)
	c := *r
	c.Header = r.Header.Clone()
	c.Header[name] = []string{strings.Join(slices.Compact(names), ",")}
	return &c
}

func sortedLower(line string) bool {
	last := ""
	for name := range strings.SplitSeq(line, ",") {
		if name <= last && last != "" {
			return false
		}
		last = name
	}
	return strings.IndexFunc(line, func(c rune) bool { return c == ' ' || c == '\t' || 'A' <= c && c <= 'Z' }) < 0
}
