package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// restStage is a stage of a REST API.
func (b *builder) restStage(r *resource) {
	a := b.api(r, "RestApiId")
	if a == nil {
		return
	}
	name := r.text("StageName")
	if name == "" {
		r.note(definition.Unsupported, "give it a StageName", "the stage %s has no name", r.id)
	}
	s := b.stage(r, r.get)
	s.Deployment = r.text("DeploymentId")
	b.made[s] = true
	a.Stages[name] = s
}

// restDeployment makes a stage, if it names one and no Stage has the name.
func (b *builder) restDeployment(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	a := b.api(r, "RestApiId")
	name := r.text("StageName")
	if a == nil || name == "" || b.made[a.Stages[name]] {
		return
	}
	description := r.get("StageDescription")
	s := b.stage(r, description.Get)
	if description != nil { // whose own members are for all methods
		s.MethodSettings = append(r.settings(description), s.MethodSettings...)
		s.Logging = append(logging([]*doctree.Node{description}), s.Logging...)
	}
	if c := r.get("DeploymentCanarySettings"); c != nil {
		s.Canary = b.canary(r, c, "")
	}
	s.Deployment = scalar(r.stack.handOut(r, "", r.node.Line))
	a.Stages[name] = s
}

// stage reads what a Stage and a Deployment's StageDescription have alike.
func (b *builder) stage(r *resource, get func(string) *doctree.Node) *definition.Stage {
	s := &definition.Stage{Variables: textMap(get("Variables")),
		AccessLog:            scalar(get("AccessLogSetting").Get("Format")),
		AccessLogDestination: scalar(get("AccessLogSetting").Get("DestinationArn")),
		Origin:               r.origin()}
	if r.misspelled("acl", "auth", "polic") {
		s.WebACL = r.none("the protection")
	}
	if v := get("CacheClusterEnabled"); truthOf(v) {
		s.Cache = cmp.Or(scalar(get("CacheClusterSize")), "0.5")
	} else {
		s.Cache = unknownOf(v)
	}
	if id := scalar(get("ClientCertificateId")); id != "" {
		s.ClientCertificate = b.refer(id)
	}
	if c := get("CanarySetting"); c != nil && c.Kind == doctree.Map {
		s.Canary = b.canary(r, c, scalar(c.Get("DeploymentId")))
	}
	s.MethodSettings, s.Logging = r.methodSettings(get), logging(items(get("MethodSettings")))
	return s
}

// pointer are the escapes of a JSON Pointer.
var pointer = strings.NewReplacer("~1", "/", "~0", "~")

// settingsPath is the path that settings are for: "/~1pets~1{id}" and "/pets/{id}" are one.
func settingsPath(text string) string {
	path := pointer.Replace(text)
	if path == "*" || path == "" {
		return "/*"
	}
	return "/" + strings.TrimLeft(path, "/")
}

func (b *builder) canary(r *resource, n *doctree.Node, deployment string) *definition.Canary {
	c := &definition.Canary{Overrides: textMap(n.Get("StageVariableOverrides")),
		UseStageCache: truthOf(n.Get("UseStageCache")), Deployment: deployment}
	if percent := r.decimal(n.Get("PercentTraffic"), "PercentTraffic"); percent != nil {
		c.Percent = *percent
	}
	return c
}

// v2Stage is a stage of an HTTP or WebSocket API.
func (b *builder) v2Stage(r *resource) {
	a := b.api(r, "ApiId")
	if a == nil {
		return
	}
	s := &definition.Stage{Deployment: r.text("DeploymentId")}
	b.stageSettings(r, s)
	if a.Flavor == definition.FlavorWebSocket { // for HTTP APIs the service takes no LoggingLevel
		s.Logging = r.routeLogging()
	}
	name := r.text("StageName")
	if !s.AutoDeploy && s.Deployment == "" && !b.deployed[a.ID+"\n"+name] {
		r.note(definition.Warning, "set AutoDeploy", "nothing is deployed to the stage %s: "+
			"the managed gateway answers 404 there, and here it serves the API", r.id)
	}
	a.Stages[name] = s
}

// stageSettings reads what a Stage, and an override of one, says.
func (b *builder) stageSettings(r *resource, s *definition.Stage) {
	s.Variables, s.AutoDeploy = textMap(r.get("StageVariables")), truthOf(r.get("AutoDeploy"))
	s.AccessLog = scalar(r.get("AccessLogSettings").Get("Format"))
	s.AccessLogDestination = scalar(r.get("AccessLogSettings").Get("DestinationArn"))
	s.Throttle, s.RouteThrottle = r.routeThrottles()
	s.Origin = r.origin()
	if id := r.text("ClientCertificateId"); id != "" {
		s.ClientCertificate = b.refer(id)
	}
	if r.misspelled("AccessPolicyId", "acl", "auth", "polic") {
		s.WebACL = r.none("the protection")
	}
	if r.get("AccessPolicyId") != nil {
		r.note(definition.Unsupported, "take it out", "%s: access policies of stages aren't covered", r.id)
		s.WebACL = r.none("the access policy")
	}
}

// v2Deployment says that something is deployed to a stage.
func (b *builder) v2Deployment(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	if a := b.api(r, "ApiId"); a != nil {
		b.deployed[a.ID+"\n"+r.text("StageName")] = true
	}
}
