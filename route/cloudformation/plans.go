package cloudformation

import (
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
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
		p.Quota = r.quota(q)
	}
	if r.misspelled("quota", "throttl") {
		p.Throttle = &definition.Throttle{RateText: r.notKnown("Throttle", nil)}
	}
	for _, n := range items(r.get("ApiStages")) {
		a, _ := b.apiAt(r, scalar(n.Get("ApiId")))
		if a == nil {
			continue
		}
		s := &definition.PlanStage{API: a.ID, Stage: scalar(n.Get("Stage"))}
		if all := n.Get("Throttle"); all != nil && all.Kind != doctree.Map {
			p.Throttle = r.throttle(all, "RateLimit", "BurstLimit")
		}
		for _, m := range members(n.Get("Throttle")) {
			if t := r.throttle(m.Value, "RateLimit", "BurstLimit"); t != nil {
				put(&s.Throttle, planPath(m.Name), t)
			}
		}
		p.Stages = append(p.Stages, s)
	}
	put(&b.doc.UsagePlans, r.id, p)
}

// quota is how many requests a plan allows.
func (r *resource) quota(n *doctree.Node) *definition.Quota {
	q := &definition.Quota{Period: upper(n, "Period")}
	if n.Kind != doctree.Map {
		q.LimitText = r.notKnown("Quota", n)
		return q
	}
	limit, text := r.amount(n, "Limit")
	if q.LimitText = text; limit != nil {
		q.Limit = int64(*limit)
	}
	offset, text := r.amount(n, "Offset")
	if q.OffsetText = text; offset != nil {
		q.Offset = int64(*offset)
	}
	return q
}

// planPath is "/pets/{id}/GET", whichever case the method is in.
func planPath(key string) string {
	at := strings.LastIndexByte(key, '/')
	return key[:at+1] + capitals(key[at+1:])
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
