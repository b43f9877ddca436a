package redisthrottle

import (
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
)

// What notes call a caller's bucket, as throttle.Keyed's, and Redis itself.
const ruleKey, ruleRedis = "key", "redis"

// awayReasons say what Away makes of a request.
var awayReasons = [...]string{
	FailClosed: "Redis can't be asked: refused",
	FailOpen:   "Redis can't be asked: let through",
	LocalShare: "Redis can't be asked: this machine's share decides",
}

// note notes what the caller's bucket said.
func note(rc *gatekit.RequestContext, v bucket.Verdict, err error, began time.Time) {
	n := gatekit.Note{
		Phase: gatekit.PhaseThrottle, Rule: ruleKey, Left: int64(v.Left), Limited: err == nil, Err: err, Began: began,
	}
	switch {
	case err != nil:
		n.Verdict, n.Reason = gatekit.Refused, "nobody can tell what is left"
	case !v.OK:
		n.Verdict, n.Reason = gatekit.Refused, "the bucket has no token left"
	}
	rc.Note(n)
}
