package usageplan

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/retry"
)

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
		return fmt.Sprintf("usageplan: key %s: Key throttle limit exceeded for Usage Plan ID %s. Limit: %.2f Burst: %d",
			key, plan, e.bucket.limit.Rate, e.bucket.limit.Burst)
	}
	quota := e.charge.plan.Quota
	return fmt.Sprintf("usageplan: key %s: Key quota exhausted for Usage Plan ID %s. Limit: %d Period: %s", key, plan,
		quota.Limit, quota.Period)
}

func (l *Limiter) refusal(t gatekit.ResponseType, wait time.Duration, c *Charge, b *planBucket) error {
	e := &exceeded{charge: c, bucket: b}
	e.refusal.Type, e.refusal.Cause = t, e
	if !l.noRetryAfter && wait != bucket.Never {
		e.refusal.RetryAfter = max(wait, 1) // which is rounded up to a second
	}
	return &e.refusal
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
		add(`"quota";q=`+strconv.FormatInt(c.limit,
			10)+";w="+strconv.FormatInt(int64(c.counter.To-c.counter.From)*secondsPerDay, 10),
			`"quota";r=`+strconv.FormatInt(max(c.left, 0),
				10)+";t="+strconv.FormatInt(retry.Seconds(c.counter.To.Time().Sub(now)), 10))
	}
	if policy != "" {
		h["Ratelimit-Policy"], h["Ratelimit"] = []string{policy}, []string{left}
	}
}
