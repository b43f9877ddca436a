package transform

import (
	"errors"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Rules of notes: what is done with a message, and by which of several templates or mappings.
const (
	ruleRequest     = "request"
	ruleResponse    = "response"
	rulePassthrough = "passthrough"
	ruleInflate     = "inflate"
	ruleCompress    = "compress"
	ruleParameters  = "parameters"

	reasonStays = "it is too short, encoded already or not to be changed"
)

// nameOf returns the content type that a template of t is for.
func (t byType) nameOf(template *Template) string {
	for name, other := range t {
		if other == template && template != nil {
			return name
		}
	}
	return rulePassthrough
}

// chosen notes the request's template, nil for none.
func (e *exchange) chosen(t *Template) {
	if e.rc.Keeps(gatekit.KeepOutcomes) {
		e.rule = ruleRequest + " " + e.rest.templates.nameOf(t)
		e.rc.Note(gatekit.Note{Phase: gatekit.PhaseTransform, Rule: e.rule})
	}
}

// responding notes the integration response, with its status, and its template.
func (e *exchange) responding(r *response, t *Template) {
	if !e.rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	pattern := "default"
	if r.pattern != nil {
		pattern = r.selection
	}
	e.rule = ruleResponse + " " + pattern + " " + r.templates.nameOf(t)
	e.rc.Note(gatekit.Note{Phase: gatekit.PhaseTransform, Rule: e.rule, Status: r.status})
}

// refused notes that a message couldn't be transformed.
func refused(rc *gatekit.RequestContext, rule string, began time.Time, err error) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	n := gatekit.Note{
		Phase: gatekit.PhaseTransform, Verdict: gatekit.Refused, Rule: rule, Err: err, Status: 500, Began: began,
	}
	var rejection *gatekit.Rejection
	if errors.As(err, &rejection) {
		n.Status = rejection.StatusFor(rc.API.Flavor)
		n.Err = rejection.Cause
		if n.Err == nil {
			n.Reason = rejection.MessageFor(rc.API.Flavor)
		}
	}
	rc.Note(n)
}

// passed notes that a message was transformed by rule.
func passed(rc *gatekit.RequestContext, rule, why string, began time.Time) {
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseTransform, Rule: rule, Reason: why, Began: began})
	}
}

// absent names the mappings of which the selectors have found nothing.
func (p *plan) absent(rc *gatekit.RequestContext, res *results) string {
	if !rc.Keeps(gatekit.KeepReasons) {
		return ""
	}
	var missing []string
	for i := range p.mappings {
		if !res.present[i] {
			missing = append(missing, p.mappings[i].text)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "found nothing for " + strings.Join(missing, " ")
}

// answered notes by which gateway response a refusal is answered.
func (g *gatewayResponse) answered(rc *gatekit.RequestContext, b *gatewayBody, status int) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	rule := g.name
	if b != nil {
		rule += " " + b.contentType
	}
	rc.Note(gatekit.Note{Phase: gatekit.PhaseTransform, Verdict: gatekit.Answered, Rule: rule, Status: status})
}

// noteResponse notes that an answer of status was mapped.
func (p *plan) noteResponse(rc *gatekit.RequestContext, status int, res *results) {
	if rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{
			Phase: gatekit.PhaseTransform, Rule: ruleResponse + " " + ruleParameters, Status: status,
			Reason: p.absent(rc, res),
		})
	}
}

// note notes whether an answer was compressed.
func (w *compressingWriter) note(rc *gatekit.RequestContext) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	n := gatekit.Note{Phase: gatekit.PhaseTransform, Rule: ruleCompress + " " + w.coding}
	if w.out == nil {
		n.Verdict, n.Reason = gatekit.Skipped, reasonStays
	}
	rc.Note(n)
}
