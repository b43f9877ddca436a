package cloudformation

import (
	"maps"
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// sharedPlan is the usage plan that several APIs share: it has the stages of all so far.
type sharedPlan struct {
	stages, keys *doctree.Node
	conditions   map[string]bool // "" for an API without one
}

// usagePlan makes the plan that an API asks for, with one API key, whose value nobody knows before
// it is made.
func (r *samResource) usagePlan(auth *doctree.Node, stage string) error {
	given := said(auth, "UsagePlan")
	if given == nil {
		return nil
	}
	if !isMap(given) {
		return r.refuse(given, "Auth.UsagePlan: want a map")
	}
	err := r.known("Auth.UsagePlan", given, []string{"CreateUsagePlan", "Description", "Quota", "Tags", "Throttle",
		"UsagePlanName"})
	if err != nil {
		return err
	}
	prefix := r.id
	stages := listNode(r.line)
	keys := listNode(r.line)
	switch create := textOf(given.Get("CreateUsagePlan")); create {
	case authNone:
		return nil
	case "PER_API":
	case "SHARED":
		prefix = "Serverless"
		if r.s.plan.stages == nil {
			r.s.plan = sharedPlan{stages: stages, keys: keys, conditions: map[string]bool{}}
		}
		stages, keys = r.s.plan.stages, r.s.plan.keys
	default:
		return r.refuse(given, "Auth.UsagePlan.CreateUsagePlan: want SHARED, PER_API or NONE, got %q", create)
	}
	stages.Items = append(stages.Items, newMap(r.line,
		member("ApiId", refNode(r.line, r.id)), member("Stage", refNode(r.line, stage))))
	keys.Items = append(keys.Items, newMap(r.line,
		member("RestApiId", refNode(r.line, r.id)), member("StageName", refNode(r.line, stage))))
	plan := newMap(given.Line, member("ApiStages", stages))
	for _, name := range []string{"UsagePlanName", "Description", "Quota", "Throttle"} {
		if v := given.Get(name); truthy(v) {
			plan.Set(name, v)
		}
	}
	made := []*doctree.Node{
		r.derived(prefix+"UsagePlan", "AWS::ApiGateway::UsagePlan", plan),
		r.derived(prefix+"ApiKey", "AWS::ApiGateway::ApiKey", newMap(r.line,
			member("Enabled", boolNode(r.line, true)), member("StageKeys", keys))),
		r.derived(prefix+"UsagePlanKey", "AWS::ApiGateway::UsagePlanKey", newMap(r.line,
			member("KeyId", refNode(r.line, prefix+"ApiKey")), member("KeyType", textNode(r.line, "API_KEY")),
			member("UsagePlanId", refNode(r.line, prefix+"UsagePlan")))),
	}
	for _, name := range []string{"UsagePlan", "ApiKey", "UsagePlanKey"} {
		r.refer(name, prefix+name)
	}
	if prefix == "Serverless" {
		r.shareCondition(made)
	}
	return nil
}

// shareCondition has what is shared exist if one of its APIs does: the last of them to be
// translated knows all.
func (r *samResource) shareCondition(made []*doctree.Node) {
	r.s.plan.conditions[textOf(r.node.Get("Condition"))] = true
	for _, node := range made {
		node.Delete("Condition")
	}
	if r.s.plan.conditions[""] {
		return
	}
	const name = "SharedUsagePlanCondition"
	all, err := into(r.s.root, "Conditions")
	if err != nil {
		return // the evaluation refuses a template whose Conditions are no map
	}
	all.Set(name, or(r.line, slices.Sorted(maps.Keys(r.s.plan.conditions))))
	for _, node := range made {
		node.Set("Condition", textNode(r.line, name))
	}
}
