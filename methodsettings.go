package gatekit

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// MethodSettings are what a REST API's stage says of one method: how often it may be called, and
// how its answers are kept. The fields are the managed gateway's, with its defaults where they are
// zero. (API reference, "MethodSetting".)
type MethodSettings struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Throttling is how often the method may be called. nil doesn't limit.
	Throttling *MethodThrottling
	// CachingEnabled keeps the method's answers.
	CachingEnabled bool
	// CacheTTL is how long they are kept: 0 is 300 seconds, [Off] not at all, at most one hour.
	CacheTTL time.Duration
	// OpenCacheControl lets any client replace a kept answer with Cache-Control: max-age=0.
	// Otherwise the client must be authorized to (requireAuthorizationForCacheControl, whose
	// default is true).
	OpenCacheControl bool
	// UnauthorizedCacheControl is what a client gets that isn't authorized, and asks for it.
	UnauthorizedCacheControl CacheControlStrategy
}

// MethodThrottling is the token bucket of a method. MethodThrottling{} blocks all requests.
//
// One zero beside a number is refused, as it is in throttle.Limit: it would block all as well, and
// is more often a field that was forgotten. To an importer either zero of the managed gateway says
// "blocked", and it writes MethodThrottling{}.
type MethodThrottling struct {
	// RateLimit is in requests a second.
	RateLimit float64
	// BurstLimit is how many may come at one instant.
	BurstLimit int
}

// Off turns off what a config says can be turned off: a cache, a limit, how long something is kept.
// It isn't 0, which is a field's default; no other negative value is accepted. The packages that
// have an Off of their own mean this one.
const Off = -1

// CacheControlStrategy is the managed gateway's unauthorizedCacheControlHeaderStrategy.
type CacheControlStrategy uint8

const (
	// SucceedWithResponseHeader answers as if the client hadn't asked, with a Warning header. The
	// default.
	SucceedWithResponseHeader CacheControlStrategy = iota
	// SucceedWithoutResponseHeader answers as if the client hadn't asked.
	SucceedWithoutResponseHeader
	// FailWith403 refuses the request.
	FailWith403
)

// MaxCacheTTL is the longest that a method's answers are kept. (API Gateway quotas, "API caching
// TTL".)
const MaxCacheTTL = time.Hour

// StageSettings are the settings of a stage's methods, by path. It is immutable, and safe for
// concurrent use.
type StageSettings struct {
	every   *MethodSettings
	methods map[methodPath]*MethodSettings
	shapes  map[methodPath]*MethodSettings // those with variables, without the names of these
}

type methodPath struct{ method, path string }

// NewStageSettings returns the settings of a stage, or one error that names each that it refuses.
// Keys are paths as the managed gateway writes them, "pets/{id}/GET" or "~1pets~1{id}/GET", with
// "*/*" for all methods that have no entry of their own. Names of variables differ as they like, as
// long as no other entry has the request's. An entry of a method's own replaces that
// of */* as a whole. (Developer guide, "Set up a stage"; API reference, "UpdateStage".)
func NewStageSettings(byPath map[string]MethodSettings) (*StageSettings, error) {
	all := mistakes.In("gatekit: StageSettings")
	s := &StageSettings{methods: map[methodPath]*MethodSettings{}, shapes: map[methodPath]*MethodSettings{}}
	for _, key := range slices.Sorted(maps.Keys(byPath)) {
		settings, m := byPath[key], all.Key(key)
		settings.check(m)
		if key == "*/*" || key == "/*/*" {
			m.Require(s.every == nil, "", "want one entry for */*, got two")
			s.every = &settings
			continue
		}
		at, err := parseMethodPath(key)
		if err != nil {
			m.Add("", "%w", err)
			continue
		}
		m.Require(s.methods[at] == nil, "", "want one entry for %s %s, got two", at.method, at.path)
		s.methods[at] = &settings
		shape := methodPath{at.method, string(routetree.AppendShape(nil, at.path))}
		if shape != at && s.shapes[shape] == nil {
			s.shapes[shape] = &settings
		}
	}
	if err := all.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *MethodSettings) check(m *mistakes.Mistakes) {
	if t := s.Throttling; t != nil {
		before, in := m.Len(), m.Under("Throttling")
		in.Require(t.RateLimit >= 0 && !math.IsInf(t.RateLimit, 0), // NaN compares false
			"RateLimit", "want a finite number of requests a second, 0 or more, got %v", t.RateLimit)
		mistakes.AtLeast(in, "BurstLimit", t.BurstLimit, 0)
		in.Require(m.Len() > before || (t.RateLimit == 0) == (t.BurstLimit == 0), "",
			"want a RateLimit and a BurstLimit, as one without the other blocks all requests; "+
				"MethodThrottling{} says that in full, got %v and %d", t.RateLimit, t.BurstLimit)
	}
	m.Require(s.CacheTTL == Off || s.CacheTTL >= 0 && s.CacheTTL <= MaxCacheTTL,
		"CacheTTL", "want 0 to %v, or Off, got %v", MaxCacheTTL, s.CacheTTL)
	m.Require(s.UnauthorizedCacheControl <= FailWith403,
		"UnauthorizedCacheControl", "want one of its constants, got %d", s.UnauthorizedCacheControl)
}

// parseMethodPath reads "pets/{id}/GET", "/pets/{id}/GET", "~1pets~1{id}/GET" and, for the root
// resource, "~1/GET" or "/GET".
func parseMethodPath(key string) (methodPath, error) {
	slash := strings.LastIndexByte(key, '/')
	if slash < 0 {
		return methodPath{}, errors.New(`want a path and a method such as "pets/{id}/GET", or "*/*"`)
	}
	path, method := strings.ReplaceAll(strings.ReplaceAll(key[:slash], "~1", "/"), "~0", "~"), key[slash+1:]
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return methodPath{}, fmt.Errorf("want a method such as GET at the end, got %q", method)
	}
	if strings.Contains(path, "*") {
		return methodPath{}, errors.New(`want a path without *, or "*/*" for all methods of all paths`)
	}
	return methodPath{method, "/" + strings.Trim(path, "/")}, nil
}

// Of returns the settings of a method ("GET") of a resource ("/pets/{id}"): its own, those of the
// resource's ANY, those of */*, or nil.
func (s *StageSettings) Of(method, resource string) *MethodSettings {
	if s == nil {
		return nil
	}
	if own := s.own(method, resource); own != nil {
		return own
	}
	if anyMethod := s.own("ANY", resource); anyMethod != nil {
		return anyMethod
	}
	return s.every
}

// own returns a method's own entry, or nil. The names of variables don't matter where no entry has
// the same: GET /pets/{id} and GET /pets/{petId} match the same requests, and a canary, another
// document, or OnRoute may have another name than the entry, which would then silently not apply.
func (s *StageSettings) own(method, resource string) *MethodSettings {
	if own := s.methods[methodPath{method, resource}]; own != nil || len(s.shapes) == 0 {
		return own
	}
	var room [128]byte
	return s.shapes[methodPath{method, string(routetree.AppendShape(room[:0], resource))}] // the string isn't allocated
}

// Methods returns the methods and resources that have an entry of their own ("GET", "/pets/{id}"),
// without */*.
func (s *StageSettings) Methods() iter.Seq2[string, string] {
	return func(yield func(method, resource string) bool) {
		if s == nil {
			return
		}
		for _, at := range slices.SortedFunc(maps.Keys(s.methods), func(a, b methodPath) int {
			return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
		}) {
			if !yield(at.method, at.path) {
				return
			}
		}
	}
}

// MethodSettings returns what the request's stage says of its method, or nil: without a stage,
// without settings, before the choice of the route ([MethodSettingsOf] tells these apart). They
// must not be modified.
//
// The method is the route's. Where that is ANY, it is method, the request's: an entry for GET holds
// for a GET on ANY /pets, before one for ANY.
func (rc *RequestContext) MethodSettings(method string) *MethodSettings {
	if rc == nil || rc.API.Settings == nil || rc.RouteKey() == "" {
		return nil
	}
	return rc.API.Settings.onRoute(rc.RouteKey(), method)
}

func (s *StageSettings) onRoute(key, method string) *MethodSettings {
	of, resource, _ := strings.Cut(key, " ") // $default has none
	if of == "ANY" || resource == "" {
		return s.Of(method, resource)
	}
	if own := s.own(of, resource); own != nil {
		return own
	}
	return s.every
}

// MethodSettingsOf is [RequestContext.MethodSettings] for a station that does what they say: nil
// means that the stage says nothing. The error is [RequireRouteKey]'s, where a stage has settings
// and nobody tells which route the request is on.
func MethodSettingsOf(r *http.Request) (*MethodSettings, error) {
	rc := From(r.Context())
	if rc == nil || rc.API.Settings == nil {
		return nil, nil
	}
	key, err := RequireRouteKey(r, func(yield func(string) bool) {
		for method, resource := range rc.API.Settings.Methods() {
			if !yield(method + " " + resource) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return rc.API.Settings.onRoute(key, r.Method), nil
}
