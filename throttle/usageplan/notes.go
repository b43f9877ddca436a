package usageplan

import (
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
)

// Why there is no key, which the client isn't told.
const (
	notOneHeader = "want one x-api-key header"
	noSuchKey    = "no key with this value is there and enabled"
	notInPlan    = "the key is in no plan for this API stage"
)

// refuseKey notes why, and returns what the client is told. A key's value is nowhere in notes.
func refuseKey(rc *gatekit.RequestContext, why string) error {
	rc.Note(gatekit.Note{Phase: gatekit.PhaseKey, Verdict: gatekit.Refused, Reason: why})
	return noKey
}

// noteKey notes which key and plan were found. The rule is the plan, as there may be a million
// keys.
func noteKey(rc *gatekit.RequestContext, key *liveKey, plan *livePlan) {
	n := gatekit.Note{Phase: gatekit.PhaseKey, Rule: plan.ID}
	if rc.Keeps(gatekit.KeepReasons) {
		n.Reason = "key " + key.id
	}
	rc.Note(n)
}

// noteTokens notes what a bucket of the plan said. An err is the shared buckets'.
func (c *Charge) noteTokens(
	rc *gatekit.RequestContext, b *planBucket, v bucket.Verdict, err error, began time.Time,
) {
	n := gatekit.Note{
		Phase: gatekit.PhaseThrottle, Rule: "plan", Left: int64(v.Left), Limited: err == nil, Err: err, Began: began,
	}
	if b != c.plan.all {
		n.Rule = "plan method"
	}
	switch {
	case err != nil:
		n.Verdict, n.Reason = gatekit.Failed, "the shared buckets can't be asked"
	case !v.OK:
		n.Verdict, n.Reason = gatekit.Refused, "the key's bucket has no token left"
	}
	rc.Note(n)
}

// noteReserved notes what the quota said.
func (c *Charge) noteReserved(rc *gatekit.RequestContext, ok bool, err error, began time.Time) {
	switch {
	case err != nil:
		c.noteQuota(rc, gatekit.Failed, "the store can't be asked", err, began)
	case !ok:
		c.noteQuota(rc, gatekit.Refused, "the period's quota is used up", nil, began)
	case c.limit < 0:
		c.noteQuota(rc, gatekit.Skipped, "the plan has no quota", nil, began)
	default:
		c.noteQuota(rc, gatekit.Passed, "", nil, began)
	}
}

func (c *Charge) noteQuota(
	rc *gatekit.RequestContext, v gatekit.Verdict, why string, err error, began time.Time,
) {
	n := gatekit.Note{Phase: gatekit.PhaseQuota, Verdict: v, Rule: c.plan.ID, Reason: why, Err: err, Began: began}
	if v == gatekit.Passed || v == gatekit.Refused {
		n.Left, n.Limited = max(c.left, 0), true
	}
	rc.Note(n)
}
