package throttle

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// StageConfig configures a [Stage]. A level that is nil doesn't limit; a Limit of 0 blocks. (An imported configuration must keep the
// two apart: a route-settings block whose limits were filled in with 0 blocks every request, on the managed gateway too.)
type StageConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Account is the limit of all APIs together, such as NewAccount's. It may be shared by several stages.
	Account *Limiter
	// Default is the limit of each route that isn't in Routes. Each gets a bucket of its own.
	Default *Limit
	// Routes has the limits of single routes, by route key. A nil Limit takes the route out of Default.
	Routes map[string]*Limit
	// NoRetryAfter leaves Retry-After out of refusals, as the managed gateway does.
	NoRetryAfter bool
}

// Stage is the limits of a stage: of each route, and of the account. It asks gatekit.RouteKey for the route, so it stands behind the
// choice of the route: in API.UseMatched, among a route's own middlewares, or around a handler of http.ServeMux or chi. (chi's patterns
// name no method: the key of its GET /a is "ANY /a".) Requests without a route key share one bucket of the
// Default limit. It is safe for concurrent use.
type Stage struct {
	account      *bucketOfAll
	routes       map[string]*bucketOfAll // nil value: not limited
	deflt        *Limit
	noRetryAfter bool

	adding   sync.Mutex
	defaults atomic.Pointer[map[string]*bucketOfAll] // of the routes that Default is for; copied to be changed
}

// maxDefaultBuckets bounds the buckets that Default makes. Route keys come from the program, so this is never reached, unless
// another router makes patterns up for each request; all further ones then share a bucket.
const maxDefaultBuckets = 10_000

// NewStage returns a Stage, or one error that names every field it refuses. It copies cfg.
func NewStage(cfg StageConfig) (*Stage, error) {
	var errs []error
	s := &Stage{routes: map[string]*bucketOfAll{}, noRetryAfter: cfg.NoRetryAfter}
	if cfg.Account != nil {
		s.account = cfg.Account.bucket
	}
	if cfg.Default != nil {
		errs = append(errs, cfg.Default.Validate("StageConfig.Default"))
		deflt := *cfg.Default
		s.deflt = &deflt
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Routes)) {
		field := fmt.Sprintf("StageConfig.Routes[%q]", key)
		if _, err := routetree.ParseKey(key); err != nil {
			errs = append(errs, fmt.Errorf("throttle: %s: %w", field, err))
		}
		s.routes[key] = nil
		if limit := cfg.Routes[key]; limit != nil {
			errs = append(errs, limit.Validate(field))
			s.routes[key] = newLimiter(*limit).bucket
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.defaults.Store(&map[string]*bucketOfAll{})
	return s, nil
}

// Check takes a token of r's route and one of the account, or none of either. It returns nil, or a *gatekit.Rejection of type
// Throttled.
func (s *Stage) Check(r *http.Request) error {
	narrow, wide := s.route(r), s.account
	if narrow == nil {
		narrow, wide = wide, nil
	}
	if narrow == nil {
		return nil
	}
	if wait, ok := narrow.take(time.Now(), wide); !ok {
		return refusal(wait, s.noRetryAfter)
	}
	return nil
}

// GiveBack puts back the tokens that a Check of r took: for a station that asks the stage among other things, and then refuses.
func (s *Stage) GiveBack(r *http.Request) {
	now := time.Now()
	if narrow := s.route(r); narrow != nil {
		narrow.give(now)
		if narrow == s.account {
			return
		}
	}
	if s.account != nil {
		s.account.give(now)
	}
}

// Middleware lets a request through if each level has a token for it, and else answers 429.
func (s *Stage) Middleware(next http.Handler) http.Handler { return &limited{limit: s, next: next} }

// route returns the bucket of r's route, or nil if that has no limit.
func (s *Stage) route(r *http.Request) *bucketOfAll {
	key := gatekit.RouteKey(r)
	if b, ok := s.routes[key]; ok || s.deflt == nil {
		return b
	}
	if b := (*s.defaults.Load())[key]; b != nil {
		return b
	}
	return s.addDefault(key)
}

func (s *Stage) addDefault(key string) *bucketOfAll {
	s.adding.Lock()
	defer s.adding.Unlock()
	have := *s.defaults.Load()
	if len(have) >= maxDefaultBuckets {
		key = ""
	}
	if b := have[key]; b != nil {
		return b
	}
	b := newLimiter(*s.deflt).bucket
	more := maps.Clone(have)
	more[key] = b
	s.defaults.Store(&more)
	return b
}
