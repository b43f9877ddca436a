package definition

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// plans are the API keys and usage plans of a Gateway, over all its documents: a quota goes on
// where the plan that has it does.
type plans struct {
	registry *usageplan.Registry
	limiters map[usageplan.KeySource]*usageplan.Limiter

	mu      sync.Mutex
	last    planSet         // what is served
	written map[string]bool // IDs of keys that may have been written, and go when no document has them
}

// planSet is what a document says of them.
type planSet struct {
	plans   map[string]usageplan.Plan // by ID
	keys    map[string]usageplan.NewKey
	members map[[2]string]bool // plan and key
	apis    map[string]bool    // by their identifiers
}

func newPlans(ctx context.Context, b *Bindings, s *shared) (*plans, error) {
	store := b.PlanStore
	if store == nil {
		memory, err := usageplan.NewMemory(0)
		if err != nil {
			return nil, err
		}
		store = memory
	}
	registry, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{
		Store: store, Buckets: b.PlanBuckets, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	p := &plans{registry: registry, limiters: map[usageplan.KeySource]*usageplan.Limiter{}, written: map[string]bool{}}
	for _, source := range []usageplan.KeySource{usageplan.Header, usageplan.Authorizer} {
		if p.limiters[source], err = usageplan.New(usageplan.Config{Registry: registry, Source: source}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// planBuilder is the plans of a document that is being built.
type planBuilder struct {
	*plans // nil: the document has none, and nothing asks for a key
	set    planSet
	closed map[stageName]*problem // stages of plans that can't be built
}

// buildPlans checks what the document says of plans and keys. They are written when all is built.
func (b *builder) buildPlans() (*planBuilder, error) {
	p := &planBuilder{closed: map[stageName]*problem{}, set: planSet{
		plans: map[string]usageplan.Plan{}, keys: map[string]usageplan.NewKey{}, members: map[[2]string]bool{},
		apis: map[string]bool{},
	}}
	b.planned = p
	for _, a := range b.doc.APIs {
		p.set.apis[a.Identifier()] = true
	}
	asked := slices.ContainsFunc(b.doc.APIs, func(a *API) bool {
		for _, r := range a.Routes {
			if r.APIKeyRequired {
				return true
			}
		}
		return false
	})
	if !asked && len(b.doc.UsagePlans) == 0 && len(b.doc.APIKeys) == 0 && b.shared.plans == nil {
		return p, nil
	}
	if b.shared.plans == nil {
		made, err := newPlans(b.root, b.bindings, b.shared)
		if err != nil {
			return nil, fmt.Errorf("definition: Bindings.PlanStore: %w", err)
		}
		b.shared.plans = made
	}
	p.plans = b.shared.plans
	values := map[string]string{}
	for _, id := range sortedKeys(b.doc.APIKeys) {
		b.planKey(p, id, values)
	}
	for _, id := range sortedKeys(b.doc.UsagePlans) {
		b.planPlan(p, id)
	}
	return p, nil
}

// planKey checks a key. One that can't be used is refused, as it isn't known.
func (b *builder) planKey(p *planBuilder, id string, values map[string]string) {
	from := b.doc.APIKeys[id]
	ref := Ref{LogicalID: id, Name: from.Name}
	value, ok, err := b.look.keys.find(ref)
	b.fault(err)
	if !ok {
		value = from.Value
	}
	var why *problem
	if _, unknown := UnknownIn(value); value == "" || unknown {
		why = unboundf(b.look.keys.hint(ref), "nothing says the value of the API key %s: nobody has it", id)
	} else if other := values[value]; other != "" {
		why = unsupportedf("give each key a value of its own", "the API keys %s and %s have the same value", other, id)
	}
	key := usageplan.NewKey{ID: planID(id), Name: from.Name, Description: from.Description,
		CustomerID: from.CustomerID, Value: value, Enabled: from.Enabled, ManagedBy: byDocument}
	if why == nil {
		why = asProblem("the API key "+id+" can't be used, and is refused", key.Validate())
	}
	if why != nil {
		b.report("", "", why.at(from.Origin))
		return
	}
	values[value] = id
	p.set.keys[id] = key
	if !from.Enabled {
		b.add(Finding{Severity: Warning, What: "the API key " + id + " is disabled, and is refused",
			Do: "enable it", Origin: from.Origin})
	}
}

// planPlan checks a plan. The stages of one that can't be used refuse all routes that ask for a
// key.
func (b *builder) planPlan(p *planBuilder, id string) {
	from := b.doc.UsagePlans[id]
	plan := usageplan.Plan{ID: planID(id), Name: cmp.Or(from.Name, id), Description: from.Description,
		Tags: map[string]string{managedBy: byDocument}}
	_, unknown := digest(from)
	var why *problem
	if unknown != "" {
		why = unknownValue("the usage plan "+id, unknown)
	}
	if from.Throttle != nil {
		plan.Throttle = planThrottle(from.Throttle)
	}
	if q := from.Quota; q != nil {
		period := usageplan.Period(strings.ToUpper(q.Period))
		plan.Quota = &usageplan.Quota{Limit: q.Limit, Period: period, Offset: q.Offset}
	}
	for _, s := range from.Stages {
		api := b.apiOf(s.API)
		if api == nil {
			b.add(Finding{Severity: Warning, What: "the usage plan " + id + " covers the API " + s.API +
				", which isn't in the document", Do: "add the API", Origin: from.Origin})
			continue
		}
		stage := usageplan.APIStage{APIID: api.Identifier(), Stage: s.Stage}
		for _, method := range sortedKeys(s.Throttle) {
			if t := planThrottle(s.Throttle[method]); t != nil {
				if stage.Throttle == nil {
					stage.Throttle = map[string]usageplan.Throttle{}
				}
				stage.Throttle[method] = *t
			}
		}
		plan.APIStages = append(plan.APIStages, stage)
	}
	if why == nil {
		why = asProblem("the usage plan "+id+" can't be used", plan.Validate())
	}
	if why != nil {
		why = why.at(from.Origin)
		b.report("", "", why)
		for _, s := range from.Stages {
			p.closed[stageName{s.API, s.Stage}] = why
		}
		return
	}
	p.set.plans[id] = plan
	b.planMembers(p, id, from)
}

// planMembers puts keys into a plan: each into one of the plans of a stage.
func (b *builder) planMembers(p *planBuilder, id string, from *UsagePlan) {
	for _, key := range from.Keys {
		if b.doc.APIKeys[key] == nil {
			b.add(Finding{Severity: Warning, What: "the usage plan " + id + " has the key " + key +
				", which isn't in the document", Do: "add the key", Origin: from.Origin})
			continue
		}
		if _, ok := p.set.keys[key]; !ok {
			continue // reported
		}
		for _, other := range sortedKeys(p.set.plans) {
			if other != id && p.set.members[[2]string{other, key}] && share(p.set.plans[other], p.set.plans[id]) {
				b.report("", "", unsupportedf("take it out of one",
					"the API key %s is in the usage plans %s and %s of one stage: it goes by the first",
					key, other, id).at(from.Origin))
				key = ""
				break
			}
		}
		if key != "" {
			p.set.members[[2]string{id, key}] = true
		}
	}
}

func share(p, q usageplan.Plan) bool {
	return slices.ContainsFunc(p.APIStages, func(s usageplan.APIStage) bool {
		return slices.ContainsFunc(q.APIStages, func(t usageplan.APIStage) bool {
			return s.APIID == t.APIID && s.Stage == t.Stage
		})
	})
}

func planThrottle(t *Throttle) *usageplan.Throttle {
	l := limitOf(t.Rate, t.Burst)
	if l == nil {
		return nil
	}
	return &usageplan.Throttle{RateLimit: l.Rate, BurstLimit: l.Burst}
}

// planID is a logical ID as the registry takes it.
func planID(id string) string {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, id)
	if clean == id && len(id) <= 64 {
		return id
	}
	sum, _ := digest(id)
	return clean[:min(len(clean), 31)] + "-" + sum
}

func (b *builder) apiOf(id string) *API {
	for _, a := range b.doc.APIs {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// keys is the station that asks for an API key.
func (s *stageBuilder) keys() (gatekit.Middleware, *problem) {
	if p := s.planned.closed[stageName{s.api.ID, s.name}]; p != nil {
		return nil, p
	}
	source := cmp.Or(usageplan.KeySource(strings.ToUpper(s.api.APIKeySource)), usageplan.Header)
	limiter := s.planned.limiters[source]
	if limiter == nil {
		return nil, unsupportedf("want HEADER or AUTHORIZER", "the API key source %q isn't known", s.api.APIKeySource)
	}
	return limiter.Middleware, nil
}
