package usageplan

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
	"github.com/gatekit-go/gatekit/internal/retry"
	"github.com/gatekit-go/gatekit/throttle"
)

// KeySource says where a request's API key comes from.
type KeySource string

// The key sources. ("Choose an API key source" of the developer guide.)
const (
	// Header is the x-api-key header.
	Header KeySource = "HEADER"
	// Authorizer is usageIdentifierKey of a Lambda authorizer's answer, or
	// AuthorizationFields.UsageKey of one's own. The header is ignored.
	Authorizer KeySource = "AUTHORIZER"
)

// Config configures a [Limiter].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Registry has the keys and plans. Required.
	Registry *Registry
	// Source is Header, also if empty, or Authorizer.
	Source KeySource
	// Stage has the throttles of the stage's methods and of the account, which come between the
	// plan's throttles and its quota. Where it is given here, it isn't to stand in the chain a
	// second time. nil: none.
	Stage *throttle.Stage
	// Cost is how many units are reserved for a request, 0 or more. nil means 1. It must be safe
	// for concurrent use.
	Cost func(r *http.Request) int64
	// FailClosed answers 500 where the store or the shared buckets can't be asked. Otherwise the
	// request is let through and isn't counted, as on the managed gateway. A key is never taken for
	// known because the store is away.
	FailClosed bool
	// Headers adds RateLimit-Policy and RateLimit to every answer to a known key, with the plan's
	// bucket and quota as far as they were asked: what refused a request before is all that its
	// answer tells of. (IETF draft "RateLimit header fields for HTTP".)
	Headers bool
	// NoRetryAfter leaves Retry-After out of refusals.
	NoRetryAfter bool
	// Bypass lets requests with a signed token through without counting them. nil: there are no
	// such tokens.
	Bypass *Bypass
}

// Limiter asks requests for an API key, and lets them through as far as the key's usage plan does.
// It is attached to the routes that require a key, behind the authorizer:
//
//	api.Handle("GET /pets", listPets, auth.Require(jwt), plans.Middleware)
//
// A route without it goes by plans not at all, even if a key is sent. Where a plan has throttles of
// single methods, it has to know the route: a request whose route nobody tells is answered 500
// (gatekit.RequireRouteKey). It is safe for concurrent use.
type Limiter struct {
	registry     *Registry
	fromHeader   bool
	stage        *throttle.Stage
	cost         func(*http.Request) int64
	failClosed   bool
	headers      bool
	noRetryAfter bool
	bypass       *Bypass
}

// New returns a Limiter, or one error that names every field it refuses. It copies c.
func New(c Config) (*Limiter, error) {
	m := mistakes.In("usageplan: Config")
	m.Require(c.Registry != nil, "Registry", "want NewRegistry's, got nil")
	source := cmp.Or(c.Source, Header)
	m.Require(source == Header || source == Authorizer, "Source", "want HEADER or AUTHORIZER, got %.64q", c.Source)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Limiter{
		registry: c.Registry, fromHeader: source == Header, stage: c.Stage, cost: c.Cost,
		failClosed: c.FailClosed, headers: c.Headers, noRetryAfter: c.NoRetryAfter, bypass: c.Bypass,
	}, nil
}

// Check finds r's API key and takes what r costs. The error is a *gatekit.Rejection of type
// InvalidAPIKey (no key, one that isn't known, is disabled, or is in no plan for the API stage: the
// answer doesn't tell which), Throttled or QuotaExceeded, and whatever levels were asked have got
// their tokens back; or it means 500. Whoever calls Check, and not Middleware, puts the Charge into
// the RequestContext.
func (l *Limiter) Check(r *http.Request) (*Charge, error) {
	c, err := l.find(r)
	if err != nil {
		return nil, err
	}
	if err := l.take(r, c, time.Now()); err != nil {
		return nil, err
	}
	return c, nil
}

var noKey = &gatekit.Rejection{Type: gatekit.InvalidAPIKey}

// find returns a charge that nothing was taken for.
func (l *Limiter) find(r *http.Request) (*Charge, error) {
	var apiID, stage, value string
	rc := gatekit.From(r.Context())
	if rc != nil {
		apiID, stage = rc.API.APIID, rc.API.Stage
	}
	if l.fromHeader {
		values := r.Header["X-Api-Key"]
		if len(values) != 1 { // of two nobody knows which one is meant
			return nil, noKey
		}
		value = values[0]
	} else if rc != nil {
		value = rc.Authorization.UsageKey()
	}
	key := l.registry.roster.lookup(value, time.Now())
	if key == nil {
		return nil, noKey
	}
	m, plan := key.membership(apiID, stage)
	if m == nil {
		return nil, noKey
	}
	return &Charge{registry: l.registry, key: key, member: m, plan: plan, value: value, reserved: 1, limit: -1}, nil
}

// take takes from each level, the narrowest first, or from none. ("Throttle requests to your REST
// APIs" of the developer guide; the quota comes last.)
func (l *Limiter) take(r *http.Request, c *Charge, now time.Time) error {
	ctx, g := r.Context(), l.registry
	if l.bypass != nil && l.bypass.admits(r, c.key.id, now) {
		c.reserved = 0
		return nil
	}
	if l.cost != nil {
		if c.reserved = l.cost(r); c.reserved < 0 || c.reserved > maxUnits {
			return fmt.Errorf("usageplan: Config.Cost: want 0 to %d units, got %d", int64(maxUnits), c.reserved)
		}
	}
	rc := gatekit.From(ctx)
	var apiID, stage string
	if rc != nil {
		apiID, stage = rc.API.APIID, rc.API.Stage
	}
	plan := c.plan
	method, err := plan.method(apiID, stage, r)
	if err != nil {
		return err
	}
	levels := [2]*planBucket{method, plan.all}
	for i, b := range levels {
		if b == nil {
			continue
		}
		v, err := b.take(ctx, g, c.key.id)
		if err != nil {
			levels[i] = nil // nothing was taken
			err = l.failed(ctx, &g.throttling, err)
		} else {
			g.throttling.Worked(ctx)
			if b == plan.all {
				c.bucket, c.asked = v.Left, true
			}
			if !v.OK {
				err = l.refusal(gatekit.Throttled, v.Wait, c, b)
			}
		}
		if err != nil {
			giveBack(ctx, g, c, levels[:i])
			return err
		}
	}
	if l.stage != nil {
		if err := l.stage.Check(r); err != nil {
			giveBack(ctx, g, c, levels[:])
			return err
		}
	}
	ok, err := c.reserve(ctx, now)
	if err != nil {
		if err = l.failed(ctx, &g.counting, err); err == nil {
			return nil
		}
	} else if !ok {
		err = l.refusal(gatekit.QuotaExceeded, c.counter.To.Time().Sub(now), c, nil)
	}
	if err != nil {
		giveBack(ctx, g, c, levels[:])
		if l.stage != nil {
			l.stage.GiveBack(r)
		}
		return err
	}
	g.touch(ctx, c.key, now)
	return nil
}

func giveBack(ctx context.Context, g *Registry, c *Charge, levels []*planBucket) {
	for _, b := range levels {
		if b != nil {
			b.give(ctx, g, c.key.id)
		}
	}
}

// failed says what becomes of a request that couldn't be judged. (The managed gateway: "Usage Plan
// check failed due to an internal error".) The log hears of the outage and not of each request.
func (l *Limiter) failed(ctx context.Context, log *outage.Log, err error) error {
	log.Failed(ctx, err)
	if l.failClosed {
		return fmt.Errorf("usageplan: %w", err)
	}
	return nil
}

// exceeded is a 429 and its cause, in one allocation. The cause is put into words only for who
// reads it.
type exceeded struct {
	refusal gatekit.Rejection
	charge  *Charge
	bucket  *planBucket // nil: the quota
}

func (e *exceeded) Error() string {
	key, plan := e.charge.key.id, e.charge.PlanID()
	if e.bucket != nil {
		return fmt.Sprintf("usageplan: key %s: Key throttle limit exceeded for Usage Plan ID %s. Limit: %.2f Burst: %d", key, plan, e.bucket.limit.Rate, e.bucket.limit.Burst)
	}
	quota := e.charge.plan.Quota
	return fmt.Sprintf("usageplan: key %s: Key quota exhausted for Usage Plan ID %s. Limit: %d Period: %s", key, plan, quota.Limit, quota.Period)
}

func (l *Limiter) refusal(t gatekit.ResponseType, wait time.Duration, c *Charge, b *planBucket) error {
	e := &exceeded{charge: c, bucket: b}
	e.refusal.Type, e.refusal.Cause = t, e
	if !l.noRetryAfter && wait != bucket.Never {
		e.refusal.RetryAfter = max(wait, 1) // which is rounded up to a second
	}
	return &e.refusal
}

// Middleware lets a request through as [Limiter.Check] does. It sets Identity.APIKey and APIKeyID,
// and Charge, in the RequestContext. Where a later station refuses the request through
// gatekit.Reject, before an integration's or a cache's answer was recorded
// (RequestContext.SetIntegration), the quota gets back what was reserved. Whatever the handler
// answers itself counts, be it a 4xx or 5xx.
func (l *Limiter) Middleware(next http.Handler) http.Handler { return &limited{limiter: l, next: next} }

type limited struct {
	limiter *Limiter
	next    http.Handler
}

// Station implements [gatekit.Station].
func (h *limited) Station() (kind string, next http.Handler) { return "usageplan", h.next }

// RouteKeys implements [gatekit.RouteLister]: the keys that Config.Stage lists.
func (h *limited) RouteKeys() iter.Seq[string] {
	if h.limiter.stage == nil {
		return func(func(string) bool) {}
	}
	return h.limiter.stage.RouteKeys()
}

func (h *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := h.limiter
	c, err := l.find(r)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	rc, r := gatekit.Attach(r)
	rc.SetAPIKey(c.value, c.key.id)
	err = l.take(r, c, time.Now())
	if l.headers {
		c.setHeaders(w.Header(), time.Now())
	}
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	rc.Charge = c
	r = l.withoutToken(r)
	h.next.ServeHTTP(w, r)
	if rc.Rejection() != nil && rc.Integration() == nil {
		if err := c.refund(r.Context()); err != nil {
			l.registry.counting.Failed(r.Context(), err) // what it had reserved stays counted
		}
	}
}

// setHeaders tells the caller what the plan allows, and what is left of it.
func (c *Charge) setHeaders(h http.Header, now time.Time) {
	var policy, left string
	add := func(p, l string) {
		if policy != "" {
			policy, left = policy+", ", left+", "
		}
		policy, left = policy+p, left+l
	}
	plan := c.plan
	if t := plan.Throttle; t != nil && c.asked {
		p := `"throttle";q=` + strconv.Itoa(t.BurstLimit)
		reset := "0"
		if t.RateLimit > 0 && t.BurstLimit > 0 {
			p += ";w=" + strconv.FormatInt(int64(math.Ceil(float64(t.BurstLimit)/t.RateLimit)), 10)
			reset = strconv.FormatInt(int64(math.Ceil(float64(t.BurstLimit-c.bucket)/t.RateLimit)), 10)
		}
		add(p, `"throttle";r=`+strconv.Itoa(c.bucket)+";t="+reset)
	}
	if c.limit >= 0 {
		add(`"quota";q=`+strconv.FormatInt(c.limit, 10)+";w="+strconv.FormatInt(int64(c.counter.To-c.counter.From)*secondsPerDay, 10),
			`"quota";r=`+strconv.FormatInt(max(c.left, 0), 10)+";t="+strconv.FormatInt(retry.Seconds(c.counter.To.Time().Sub(now)), 10))
	}
	if policy != "" {
		h["Ratelimit-Policy"], h["Ratelimit"] = []string{policy}, []string{left}
	}
}
