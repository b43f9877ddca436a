package validate

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
)

const (
	ruleParameters = "parameters" // of a note; bodies are judged by a model, whose name is the rule
	reasonNoModel  = "no model is for the body's content type"
	maxReason      = 128
)

// verdict is what a validator makes of a request, and by which rule.
type verdict struct {
	rule string
	why  string // nothing was judged
	err  error
}

// note notes the verdict on r.
func (v verdict) note(r *http.Request, began time.Time) {
	rc := gatekit.From(r.Context())
	if !rc.Keeps(gatekit.KeepOutcomes) || v.rule == "" && v.why == "" && v.err == nil {
		return
	}
	n := gatekit.Note{Phase: gatekit.PhaseValidate, Rule: v.rule, Reason: v.why, Began: began}
	var rejection *gatekit.Rejection
	switch {
	case errors.As(v.err, &rejection):
		n.Verdict, n.Err, n.Status = gatekit.Refused, rejection.Cause, rejection.StatusFor(rc.API.Flavor)
		if rc.Keeps(gatekit.KeepReasons) {
			n.Reason = placeOf(rejection.Cause)
		}
	case v.why != "" && v.rule == "":
		n.Verdict = gatekit.Skipped
	}
	rc.Note(n)
}

// placeOf says where the first mistake of a body is, which is what its client wrote, and so cut.
func placeOf(cause error) string {
	var body *BodyError
	if !errors.As(cause, &body) {
		return ""
	}
	mistakes := body.Mistakes()
	if len(mistakes) == 0 {
		return ""
	}
	place := mistakes[0].Keyword + " at " + mistakes[0].Pointer
	return place[:min(len(place), maxReason)]
}
