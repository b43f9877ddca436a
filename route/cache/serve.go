package cache

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// cached is a route whose answers are kept.
type cached struct {
	cache      *Cache
	rule       *rule
	next       http.Handler
	keptBehind bool // by a station of the route's own
}

// CheckRoute implements [gatekit.RouteChecker].
func (h *cached) CheckRoute(routeKey string) error {
	if h.keptBehind {
		return nil
	}
	return h.rule.checkRoute(routeKey)
}

// Station implements [gatekit.Station].
func (h *cached) Station() (kind string, next http.Handler) { return "cache", h.next }

func (h *cached) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.keptBehind {
		h.next.ServeHTTP(w, r)
		return
	}
	c, rule := h.cache, h.rule
	rc := gatekit.From(r.Context())
	r = asSent(r)
	ttl, strategy, open, err := c.settingsOf(r, rc, rule)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	if why := h.unused(r, rc, ttl); why != "" {
		note(rc, gatekit.Skipped, why, nil)
		h.pass(w, r, "gatekit; fwd=bypass")
		return
	}
	key, err := rule.primary(r, rc)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	f := filling{cached: h, ttl: ttl, key: key}
	if len(r.Header["Cache-Control"]) > 0 && directive(r.Header, "max-age=0") {
		switch {
		case open || c.mayReplace != nil && c.mayReplace(r):
			f.mark(r)
			f.why = whyRequested
			c.replacement(key).Add(1)
			f.fill(w, r, nil, "gatekit; fwd=request")
			return
		case strategy == gatekit.FailWith403:
			noteForbidden(rc)
			gatekit.Reject(w, r, unauthorized)
			return
		case strategy == gatekit.SucceedWithResponseHeader:
			w.Header()["Warning"] = []string{ignored}
		}
		note(rc, gatekit.Skipped, whyIgnored, nil)
	}
	f.serve(w, r)
}

// unused says why the cache has no part in the request's answer, or "".
func (h *cached) unused(r *http.Request, rc *gatekit.RequestContext, ttl time.Duration) string {
	switch {
	case ttl == 0:
		return whyOff
	case !h.rule.judged(r, rc):
		return whyUnjudged
	case !isPlain(r):
		return whyUnplain
	}
	return ""
}

// asSent returns the request as a backend gets it: without the headers that a client's Connection
// names, which an integration would leave out behind the key that was made of them.
func asSent(r *http.Request) *http.Request {
	header := hopbyhop.Strip(r.Header)
	if len(header) == len(r.Header) {
		return r
	}
	c := new(http.Request)
	*c = *r
	c.Header = header
	return c
}

// isPlain reports whether the key has all of the request by which its answer may differ: no part of
// it is asked for, no other protocol and no other method, and nothing comes behind the headers that
// isn't expected there.
func isPlain(r *http.Request) bool {
	if overridesMethod(r.Header) || len(r.Header["Range"]) > 0 || len(r.Header["Upgrade"]) > 0 {
		return false
	}
	return len(r.Trailer) == 0 && (r.ContentLength == 0 || !hasNoBody(r.Method))
}

// overridesMethod reports whether the client asks for another method than the one that the key has.
// Whether an integration or a backend heeds that isn't known here, and an answer to DELETE is none
// to GET. A spelling with underscores counts: where headers are variables of an environment, as in
// Rack and PHP, it is read as the same header.
func overridesMethod(h http.Header) bool {
	for name := range h {
		if methodOverrides[name] || methodOverrides[hopbyhop.Twin(name)] {
			return true
		}
	}
	return false
}

var methodOverrides = map[string]bool{"X-Http-Method-Override": true, "X-Http-Method": true, "X-Method-Override": true}

// hasNoBody reports whether requests of a method have a body that nobody expects: what a backend
// reads from one all the same isn't in any key.
func hasNoBody(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// What a client gets that asks for a new answer and may not: a refusal, or a word beside the answer
// that is there. (REST sheet, "unauthorizedCacheControlHeaderStrategy".)
var unauthorized = &gatekit.Rejection{Type: gatekit.AccessDenied}

const ignored = "199 Cache-control headers were ignored because the caller was unauthorized."

// pass answers without the cache; but tags stay inside.
func (h *cached) pass(w http.ResponseWriter, r *http.Request, status string) {
	if !h.cache.cacheStatus && h.cache.tagHeader == "" {
		h.next.ServeHTTP(w, r)
		return
	}
	if !h.cache.cacheStatus {
		status = ""
	}
	out := h.cache.newCapture(w, r, status, nil)
	out.drop("")
	h.next.ServeHTTP(out, r)
	out.Finish()
}

// settingsOf returns how long the answers of r's route are kept, with what its stage says of the
// method. The error means that the stage says something, and nobody tells which route r is on.
func (c *Cache) settingsOf(r *http.Request, rc *gatekit.RequestContext, u *rule) (
	ttl time.Duration, strategy gatekit.CacheControlStrategy, open bool, err error,
) {
	byStage, err := gatekit.MethodSettingsOf(r)
	if err != nil {
		return 0, 0, false, err
	}
	ttl, strategy, open = u.ttl, c.strategy, c.open
	if byStage == nil {
		if !slices.Contains(u.methods, r.Method) {
			ttl = 0
		}
		return ttl, strategy, open, nil
	}
	switch {
	// A stage's */* keeps the answers to GET only; other methods want an entry of their own.
	case !byStage.CachingEnabled, r.Method != http.MethodGet && byStage == rc.API.Settings.Of("", ""):
		ttl = 0
	default:
		ttl = max(cmp.Or(byStage.CacheTTL, defaultTTL), 0) // gatekit.Off is negative
	}
	return ttl, byStage.UnauthorizedCacheControl, open || byStage.OpenCacheControl, nil
}

// judged reports whether it is known who may have the answer: an authorizer has looked at the
// credentials, or they don't matter.
func (u *rule) judged(r *http.Request, rc *gatekit.RequestContext) bool {
	if u.public || rc != nil && (rc.Authorization != nil || rc.Caller() != nil) {
		return true
	}
	return (len(r.Header["Authorization"]) == 0 || u.authorizationKeyed) &&
		(len(r.Header["Cookie"]) == 0 || u.cookieKeyed)
}
