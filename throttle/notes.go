package throttle

import (
	"time"

	"github.com/gatekit-go/gatekit"
)

// What notes call the limits (gatekit.Note.Rule), and so do the metrics that are made of them.
const (
	ruleOfAll       = "limit"       // New's
	ruleAccount     = "account"     // NewAccount's
	ruleStage       = "stage"       // a route's by StageConfig.Default
	ruleRoute       = "route"       // a route's own
	ruleMethod      = "method"      // of MethodLimits
	ruleKey         = "key"         // a caller's, of Keyed
	ruleConcurrency = "concurrency" // requests in flight
)

// note notes what a limit said. An err is of the function that tells callers apart.
func note(rc *gatekit.RequestContext, rule string, ok bool, left int64, err error) {
	n := gatekit.Note{Phase: gatekit.PhaseThrottle, Rule: rule, Left: left, Limited: err == nil, Err: err}
	switch {
	case err != nil:
		n.Verdict, n.Reason = gatekit.Refused, "nobody can tell whose request it is"
	case !ok:
		n.Verdict, n.Reason = gatekit.Refused, reasonOf(rule)
	}
	rc.Note(n)
}

func reasonOf(rule string) string {
	if rule == ruleConcurrency {
		return "as many requests are in flight as may be"
	}
	return "the bucket has no token left"
}

// noteLevels notes what the levels of a limit said: those that have let the request through with
// what is left in their buckets, or the one that was empty.
func noteLevels(rc *gatekit.RequestContext, empty, narrow, wide *bucketOfAll) {
	if empty != nil {
		note(rc, empty.rule, false, 0, nil)
		return
	}
	now := time.Now()
	note(rc, narrow.rule, true, narrow.left(now), nil)
	if wide != nil {
		note(rc, wide.rule, true, wide.left(now), nil)
	}
}

// left returns how many tokens are in the bucket, which others take from meanwhile.
func (b *bucketOfAll) left(now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens == nil {
		return 0
	}
	return max(int64(b.tokens.TokensAt(now)), 0)
}
