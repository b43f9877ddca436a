package throttle

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// StageConfig configures a [Stage]. A level that is nil doesn't limit; a Limit of 0 blocks. (An
// imported configuration must keep the two apart: a route-settings block whose limits were filled
// in with 0 blocks every request, on the managed gateway too.)
type StageConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Account is the limit of all APIs together, such as NewAccount's. It may be shared by several
	// stages.
	Account *Limiter
	// Default is the limit of each route that isn't in Routes. Each gets a bucket of its own.
	Default *Limit
	// Routes has the limits of single routes, by route key: the settings of an imported stage. A
	// nil Limit takes the route out of Default. Otherwise attach [Stage.Limit] to the route, which
	// can't be misspelled.
	//
	// (*route.API).Build refuses a key that no route has. Under other routers nobody compares the
	// keys with the routes, and a request whose route isn't told is answered 500
	// (gatekit.RequireRouteKey): gatekit.OnRoute states it. The names of variables don't matter, as
	// GET /pets/{id} and GET /pets/{petId} match the same requests.
	Routes map[string]*Limit
	// NoRetryAfter leaves Retry-After out of refusals, as the managed gateway does.
	NoRetryAfter bool
}

// Stage is the limits of a stage: of each route, and of the account. It stands behind the choice of
// the route: in API.UseMatched, among a route's own middlewares, or around a handler of another
// router. It is safe for concurrent use.
//
// Default has a bucket for each route key that gatekit.RouteKey tells. Where a router tells no
// method, those of one path share a bucket, and where it tells nothing all requests share one: that
// limits more than was asked for, and nothing passes for it. What is listed in Routes, in contrast,
// would pass, so with Routes such a request is refused.
type Stage struct {
	account      *bucketOfAll
	listed       []string                // the keys of Routes, sorted
	shapes       map[string]*bucketOfAll // of Routes, by routetree.Shape; nil value: not limited
	byMethod     map[string]*bucketOfAll // the same, by routetree.AppendShape
	deflt        *Limit
	noRetryAfter bool

	mu    sync.RWMutex
	known map[string]*bucketOfAll // by route key, as they are asked for; nil value: not limited
}

// maxDefaultBuckets bounds the buckets that Default makes. Route keys come from the program, so
// this is never reached, unless another router makes patterns up for each request; all further ones
// then share a bucket.
const maxDefaultBuckets = 10_000

// NewStage returns a Stage, or one error that names every field it refuses. It copies cfg.
func NewStage(cfg StageConfig) (*Stage, error) {
	m := mistakes.In("throttle: StageConfig")
	s := &Stage{
		shapes: map[string]*bucketOfAll{}, byMethod: map[string]*bucketOfAll{}, known: map[string]*bucketOfAll{},
		noRetryAfter: cfg.NoRetryAfter,
	}
	if cfg.Account != nil {
		s.account = cfg.Account.bucket
	}
	if cfg.Default != nil {
		m.Join(cfg.Default.Validate("StageConfig.Default"))
		deflt := *cfg.Default
		s.deflt = &deflt
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Routes)) {
		at := m.Under("Routes").Key(key)
		if _, err := routetree.ParseKey(key); err != nil {
			at.Add("", "%w", err)
		}
		shape := routetree.Shape(key)
		_, twice := s.shapes[shape]
		at.Require(!twice, "", "want each route once, but another key matches the same requests")
		var bucket *bucketOfAll
		if limit := cfg.Routes[key]; limit != nil {
			m.Join(limit.Validate(fmt.Sprintf("StageConfig.Routes[%q]", key)))
			bucket = newLimiter(ruleRoute, *limit).bucket
		}
		s.listed = append(s.listed, key)
		s.shapes[shape], s.known[key], s.byMethod[string(routetree.AppendShape(nil, key))] = bucket, bucket, bucket
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Check takes a token of r's route and one of the account, or none of either. It returns nil, or a
// *gatekit.Rejection of type Throttled, or one that means 500 where Routes needs the route's key
// and nobody tells it.
func (s *Stage) Check(r *http.Request) error {
	narrow, err := s.route(r)
	if err != nil {
		return err
	}
	return takeBoth(r, narrow, s.account, s.noRetryAfter)
}

// takeBoth takes a token of a route's bucket and one of the account's, or none of either. Each may
// be nil, which doesn't limit.
func takeBoth(r *http.Request, narrow, account *bucketOfAll, noRetryAfter bool) error {
	wide := account
	if narrow == nil {
		narrow, wide = account, nil
	}
	if narrow == nil {
		return nil
	}
	empty, wait := narrow.take(time.Now(), wide)
	if r != nil { // a single bucket asks nothing of the request
		if rc := gatekit.From(r.Context()); rc.Keeps(gatekit.KeepOutcomes) {
			noteLevels(rc, empty, narrow, wide)
		}
	}
	if empty != nil {
		return refusal(wait, noRetryAfter)
	}
	return nil
}

// GiveBack puts back the tokens that a Check of r took: for a station that asks the stage among
// other things, and then refuses.
func (s *Stage) GiveBack(r *http.Request) {
	now := time.Now()
	if narrow, _ := s.route(r); narrow != nil {
		narrow.give(now)
	}
	if s.account != nil {
		s.account.give(now)
	}
}

// RouteKeys returns the keys of StageConfig.Routes, sorted.
func (s *Stage) RouteKeys() iter.Seq[string] { return slices.Values(s.listed) }

// Limit returns a middleware with a limit on the route that it is attached to, in place of Default,
// and within the account's:
//
//	few := gatekit.Must(stage.Limit(throttle.Limit{Rate: 5, Burst: 10}))
//	api.Handle("POST /orders", postOrder, few)
//
// Each handler that it is put around has a bucket of its own. Where it stands behind
// [Stage.Middleware], such as that of API.UseMatched, it alone decides, so that a request takes one
// token of the account. The error names each field that it refuses.
func (s *Stage) Limit(l Limit) (gatekit.Middleware, error) {
	if err := l.Validate("Limit"); err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		return &limited{limit: &routeLimit{stage: s, bucket: newLimiter(ruleRoute, l).bucket}, next: next}
	}, nil
}

// routeLimit is a limit that is attached to its route.
type routeLimit struct {
	stage  *Stage
	bucket *bucketOfAll
}

func (l *routeLimit) Check(r *http.Request) error {
	return takeBoth(r, l.bucket, l.stage.account, l.stage.noRetryAfter)
}

// Middleware lets a request through if each level has a token for it, and else answers 429.
func (s *Stage) Middleware(next http.Handler) http.Handler {
	h := &stageLimited{stage: s, next: next}
	for behind := range gatekit.Stations(next) {
		if own, ok := behind.(*limited); ok {
			if l, ok := own.limit.(*routeLimit); ok && l.stage == s {
				h.decidedBehind = true
			}
		}
	}
	return h
}

type stageLimited struct {
	stage         *Stage
	next          http.Handler
	decidedBehind bool // by a limit on the route
}

func (h *stageLimited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.decidedBehind {
		if err := h.stage.Check(r); err != nil {
			gatekit.Reject(w, r, err)
			return
		}
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *stageLimited) Station() (kind string, next http.Handler) { return "throttle", h.next }

// RouteKeys implements [gatekit.RouteLister].
func (h *stageLimited) RouteKeys() iter.Seq[string] { return h.stage.RouteKeys() }

// route returns the bucket of r's route, or nil if that has no limit.
func (s *Stage) route(r *http.Request) (*bucketOfAll, error) {
	if len(s.listed) == 0 {
		if s.deflt == nil {
			return nil, nil
		}
		return s.bucketOf(gatekit.RouteKey(r)), nil
	}
	key, err := gatekit.RequireRouteKey(r, slices.Values(s.listed))
	if err != nil {
		return nil, err
	}
	if resource, ok := strings.CutPrefix(key, "ANY "); ok {
		// A key that was stated for all methods, where some have an entry: theirs goes first, as a
		// usage plan's does, or it would silently not apply.
		var room [128]byte
		method := append(append(room[:0], r.Method...), ' ')
		if b, listed := s.byMethod[string(routetree.AppendShape(method, resource))]; listed {
			return b, nil
		}
	}
	return s.bucketOf(key), nil
}

func (s *Stage) bucketOf(key string) *bucketOfAll {
	s.mu.RLock()
	b, ok := s.known[key]
	s.mu.RUnlock()
	if !ok {
		b = s.learn(key)
	}
	return b
}

// learn finds out which bucket a route has that is asked for the first time.
func (s *Stage) learn(key string) *bucketOfAll {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.shapes[routetree.Shape(key)]
	full := len(s.known) >= maxDefaultBuckets+len(s.listed)
	switch {
	case ok, s.deflt == nil:
		if full {
			return b
		}
	case full:
		key = "" // one bucket for all that come too late
	}
	if b, ok := s.known[key]; ok {
		return b
	}
	if !ok && s.deflt != nil {
		b = newLimiter(ruleStage, *s.deflt).bucket
	}
	s.known[key] = b
	return b
}
