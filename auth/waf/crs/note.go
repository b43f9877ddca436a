package crs

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
)

// maxNotedRules is how many of the rules that have matched are noted of a request.
const maxNotedRules = 16

// note notes the rules that have matched, and what comes of them.
func (v *Verdict) note(rc *gatekit.RequestContext, began time.Time) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	for _, f := range v.Findings[:min(len(v.Findings), maxNotedRules)] {
		rc.Note(gatekit.Note{
			Phase: gatekit.PhaseWAF, Verdict: gatekit.OnTrial, Rule: strconv.Itoa(f.RuleID), Reason: f.Message,
		})
	}
	n := gatekit.Note{Phase: gatekit.PhaseWAF, Status: http.StatusOK, Err: v.Fault, Began: began}
	if v.Rule != 0 {
		n.Rule = strconv.Itoa(v.Rule)
	}
	switch {
	case v.Blocked && v.Fault == nil:
		why := v.rejection()
		n.Verdict, n.Status, n.Err = gatekit.Refused, why.StatusFor(rc.API.Flavor), why.Cause
	case v.Fault != nil:
		n.Verdict, n.Status = gatekit.Failed, 0
	case v.Rule != 0:
		n.Verdict = gatekit.OnTrial
	}
	rc.Note(n)
}
