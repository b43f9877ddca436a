package usageplan

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
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
			return nil, refuseKey(rc, notOneHeader)
		}
		value = values[0]
	} else if rc != nil {
		value = rc.Authorization.UsageKey()
	}
	key := l.registry.roster.lookup(value, time.Now())
	if key == nil {
		return nil, refuseKey(rc, noSuchKey)
	}
	m, plan := key.membership(apiID, stage)
	if m == nil {
		return nil, refuseKey(rc, notInPlan)
	}
	if rc.Keeps(gatekit.KeepOutcomes) {
		noteKey(rc, key, plan)
	}
	return &Charge{registry: l.registry, key: key, member: m, plan: plan, value: value, reserved: 1, limit: -1}, nil
}

// take takes from each level, the narrowest first, or from none. ("Throttle requests to your REST
// APIs" of the developer guide; the quota comes last.)
func (l *Limiter) take(r *http.Request, c *Charge, now time.Time) error {
	ctx, g := r.Context(), l.registry
	rc := gatekit.From(ctx)
	if l.bypass != nil && l.bypass.admits(r, c.key.id, now) {
		c.reserved = 0
		if rc.Keeps(gatekit.KeepOutcomes) {
			c.noteQuota(rc, gatekit.Skipped, "bypass token", nil, time.Time{})
		}
		return nil
	}
	if l.cost != nil {
		if c.reserved = l.cost(r); c.reserved < 0 || c.reserved > maxUnits {
			return fmt.Errorf("usageplan: Config.Cost: want 0 to %d units, got %d", int64(maxUnits), c.reserved)
		}
	}
	taken, err := l.takeTokens(r, c)
	if err != nil {
		return err
	}
	if l.stage != nil {
		if err := l.stage.Check(r); err != nil {
			taken.giveBack(ctx, c)
			return err
		}
	}
	began := rc.Clock()
	ok, err := c.reserve(ctx, now)
	if rc.Keeps(gatekit.KeepOutcomes) {
		c.noteReserved(rc, ok, err, began)
	}
	switch {
	case err != nil:
		if err = l.failed(ctx, &g.counting, err); err == nil {
			return nil
		}
	case !ok:
		err = l.refusal(gatekit.QuotaExceeded, c.counter.To.Time().Sub(now), c, nil)
	}
	if err != nil {
		taken.giveBack(ctx, c)
		if l.stage != nil {
			l.stage.GiveBack(r)
		}
		return err
	}
	g.touch(ctx, c.key, now)
	return nil
}

// tokens are the buckets that a request has taken a token of: its method's and its plan's, nil
// where there is none.
type tokens [2]*planBucket

func (t *tokens) giveBack(ctx context.Context, c *Charge) {
	for _, b := range t {
		if b != nil {
			b.give(ctx, c.registry, c.key.id)
		}
	}
}

// takeTokens takes a token of the plan's limit of the method and one of the plan's limit, or of
// neither.
func (l *Limiter) takeTokens(r *http.Request, c *Charge) (taken tokens, err error) {
	ctx, g := r.Context(), c.registry
	var apiID, stage string
	rc := gatekit.From(ctx)
	if rc != nil {
		apiID, stage = rc.API.APIID, rc.API.Stage
	}
	method, err := c.plan.method(apiID, stage, r)
	if err != nil {
		return taken, err
	}
	for i, b := range [...]*planBucket{method, c.plan.all} {
		if b == nil {
			continue
		}
		began := rc.Clock()
		v, err := b.take(ctx, g, c.key.id)
		if rc.Keeps(gatekit.KeepOutcomes) {
			c.noteTokens(rc, b, v, err, began)
		}
		if err != nil {
			err = l.failed(ctx, &g.throttling, err) // nothing was taken, and so there is nothing to give back
		} else {
			g.throttling.Worked(ctx)
			if b == c.plan.all {
				c.bucket, c.asked = v.Left, true
			}
			if v.OK {
				taken[i] = b
			} else {
				err = l.refusal(gatekit.Throttled, v.Wait, c, b)
			}
		}
		if err != nil {
			taken.giveBack(ctx, c)
			return taken, err
		}
	}
	return taken, nil
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
		} else if c.counted && rc.Keeps(gatekit.KeepOutcomes) {
			c.noteQuota(rc, gatekit.Skipped, "given back, as the request was refused", nil, time.Time{})
		}
	}
}
