package cloudformation

import (
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// apiKey is an API key. One that isn't said to be enabled isn't, nor is one that may not be there.
func (b *builder) apiKey(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	put(&b.doc.APIKeys, r.id, &definition.APIKey{Name: r.text("Name"), Description: r.text("Description"),
		CustomerID: r.text("CustomerId"), Value: r.text("Value"),
		Enabled: truthOf(r.get("Enabled")) && r.doubt() == "", Origin: r.origin()})
	if value := r.text("Value"); len(value) >= 4 {
		b.secrets = append(b.secrets, value)
	}
}

// usagePlan is a usage plan.
func (b *builder) usagePlan(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	p := &definition.UsagePlan{Name: r.text("UsagePlanName"), Description: r.text("Description"),
		Throttle: r.throttle(r.get("Throttle"), "RateLimit", "BurstLimit"), Origin: r.origin()}
	if q := r.get("Quota"); q != nil {
		p.Quota = &definition.Quota{Period: upper(q, "Period")}
		if n := r.number(q.Get("Limit"), "Limit"); n != nil {
			p.Quota.Limit = int64(*n)
		}
		if n := r.number(q.Get("Offset"), "Offset"); n != nil {
			p.Quota.Offset = int64(*n)
		}
	}
	for _, n := range items(r.get("ApiStages")) {
		a, _ := b.apiAt(r, scalar(n.Get("ApiId")))
		if a == nil {
			continue
		}
		s := &definition.PlanStage{API: a.ID, Stage: scalar(n.Get("Stage"))}
		for _, m := range members(n.Get("Throttle")) {
			if t := r.throttle(m.Value, "RateLimit", "BurstLimit"); t != nil {
				put(&s.Throttle, planPath(m.Name), t)
			}
		}
		p.Stages = append(p.Stages, s)
	}
	put(&b.doc.UsagePlans, r.id, p)
}

// planPath is "/pets/{id}/GET", whichever case the method is in.
func planPath(key string) string {
	at := strings.LastIndexByte(key, '/')
	return key[:at+1] + strings.ToUpper(key[at+1:])
}

// planKey puts a key into a plan.
func (b *builder) planKey(r *resource) {
	plan, key := b.find(r.text("UsagePlanId"), typeRestPlan), b.find(r.text("KeyId"), typeRestKey)
	switch {
	case plan == nil || b.doc.UsagePlans[plan.id] == nil:
		r.note(definition.Unsupported, "read it together with the stack that has the plan",
			"%s: its usage plan isn't in the import", r.id)
	case key == nil || b.doc.APIKeys[key.id] == nil:
		r.note(definition.Unsupported, "read it together with the stack that has the key",
			"%s: its API key isn't in the import", r.id)
	default:
		p := b.doc.UsagePlans[plan.id]
		p.Keys = append(p.Keys, key.id)
	}
}
