package throttle

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit"
)

// MethodLimits are the limits that the settings of a REST API's stages say
// (gatekit.MethodSettings): a bucket for each method of each stage. The request's stage brings the
// numbers along, so that one MethodLimits serves all stages of an API, and goes on counting where a
// stage is replaced: a bucket whose numbers change keeps the tokens that it has, up to its new
// size. It is safe for concurrent use.
type MethodLimits struct {
	account      *bucketOfAll
	noRetryAfter bool

	mu      sync.RWMutex
	buckets map[stageMethod]*methodBucket
}

// stageMethod has the request's method as settings name it, and the route's key.
type stageMethod struct{ apiID, stage, method, routeKey string }

type methodBucket struct {
	bucketOfAll
	settings *gatekit.MethodSettings // that the bucket was last filled by, under mu
}

// NewMethodLimits returns the limits that stages say, within the account's, which may be nil. It
// stands where [Stage] does.
func NewMethodLimits(account *Limiter) *MethodLimits {
	m := &MethodLimits{buckets: map[stageMethod]*methodBucket{}}
	if account != nil {
		m.account, m.noRetryAfter = account.bucket, account.noRetryAfter
	}
	return m
}

// Check takes a token of r's method and one of the account, or none of either. It returns nil, or a
// *gatekit.Rejection of type Throttled. A request without a stage, or whose method has no limit,
// only takes the account's. One of a stage with settings whose route nobody tells is a 500: before
// the choice of the route, the limit of its method would be passed over.
func (m *MethodLimits) Check(r *http.Request) error {
	narrow, err := m.bucket(r)
	if err != nil {
		return err
	}
	return takeBoth(r, narrow, m.account, m.noRetryAfter)
}

// Middleware lets a request through if its method and the account have a token for it, and else
// answers 429.
func (m *MethodLimits) Middleware(next http.Handler) http.Handler {
	return &limited{limit: m, next: next}
}

func (m *MethodLimits) bucket(r *http.Request) (*bucketOfAll, error) {
	settings, err := gatekit.MethodSettingsOf(r)
	if err != nil || settings == nil || settings.Throttling == nil {
		return nil, err
	}
	rc := gatekit.From(r.Context())
	at := stageMethod{rc.API.APIID, rc.API.Stage, knownMethod(r.Method), gatekit.RouteKey(r)}
	m.mu.RLock()
	b := m.buckets[at]
	m.mu.RUnlock()
	if b == nil {
		b = m.add(at)
	}
	b.resize(settings)
	return &b.bucketOfAll, nil
}

// knownMethod keeps clients from making buckets up where a route takes any method.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	}
	return "ANY"
}

func (m *MethodLimits) add(at stageMethod) *methodBucket {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.buckets[at]; b != nil {
		return b
	}
	// Keys come from the program: never reached but by one that makes routes up; these share one.
	if len(m.buckets) >= maxDefaultBuckets {
		if at = (stageMethod{}); m.buckets[at] != nil {
			return m.buckets[at]
		}
	}
	b := &methodBucket{bucketOfAll: bucketOfAll{rule: ruleMethod}}
	m.buckets[at] = b
	return b
}

// resize gives the bucket the numbers of settings, if they aren't those that it has.
func (b *methodBucket) resize(settings *gatekit.MethodSettings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settings == settings {
		return
	}
	switch now, t := time.Now(), settings.Throttling; {
	case t.RateLimit == 0 || t.BurstLimit == 0:
		b.tokens = nil
	case b.tokens == nil:
		b.tokens = rate.NewLimiter(rate.Limit(t.RateLimit), t.BurstLimit)
	default:
		b.tokens.SetLimitAt(now, rate.Limit(t.RateLimit))
		b.tokens.SetBurstAt(now, t.BurstLimit)
	}
	b.settings = settings
}
