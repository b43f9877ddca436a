package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// association gives a stage its web ACL. Where it is by mistake that one of the two isn't there, no
// stage that may be meant is served.
func (b *builder) association(r *resource) {
	acl := b.refer(cmp.Or(r.text("WebACLArn"), r.text("WebACLId"), r.none("the web ACL")))
	at := r.text("ResourceArn")
	ofGateway := strings.Contains(at, ":apigateway:") || !strings.HasPrefix(at, "arn:")
	_, rest, found := strings.Cut(strings.Replace(at, ":/apis/", ":/restapis/", 1), ":/restapis/")
	id, stage, staged := strings.Cut(rest, "/stages/")
	if found && staged && b.apis[b.handed[id]] != nil {
		b.protectStage(r, b.handed[id], stage, acl)
		return
	}
	name, unknown := definition.UnknownIn(at)
	_, elsewhere := b.unknowns[name]
	switch {
	case unknown && elsewhere:
		r.note(definition.Unsupported, doAbout(name), "%s protects something that isn't known: %s; stages of REST "+
			"APIs without a web ACL refuse", r.id, name)
		if ofGateway {
			b.closeAll(closing{nil, typeRestAPI, "web ACL"}, func(a *definition.API) {
				protect(a, definition.Unknown(name))
			})
		}
	case !unknown && found && staged && b.mayBeAPI(id):
		b.apiAt(r, id) // which reports it
	case unknown || ofGateway:
		r.note(definition.Unsupported, "write arn:aws:apigateway:REGION::/restapis/ID/stages/NAME",
			"%s protects no stage of a REST API: the APIs of its template refuse", r.id)
		b.closeAll(closing{r.stack, "", "web ACL"}, func(a *definition.API) { protect(a, r.none("the stage")) })
	} // else it is of a load balancer, or another service
}

func (b *builder) protectStage(r, of *resource, stage, acl string) {
	a := b.apis[of]
	s := a.Stages[stage]
	if s != nil {
		if _, doubted := definition.UnknownIn(s.WebACL); doubted { // it has one, whatever was meant for it
			s.WebACL = ""
		}
	}
	switch {
	case s == nil:
		r.note(definition.Unsupported, "correct ResourceArn", "%s: the API %s has no stage %.60q, and refuses", r.id,
			a.ID, stage)
		protect(a, r.none("the stage"))
	case a.Flavor != definition.FlavorREST:
		r.note(definition.Unsupported, "take it out", "%s: only REST APIs have web ACLs, and %s refuses", r.id, a.ID)
		protect(a, r.none("the stage"))
	case s.WebACL != "" && s.WebACL != acl:
		r.note(definition.Unsupported, "take one out", "%s: the stage %s of %s has another web ACL, and refuses", r.id,
			stage, a.ID)
		s.WebACL = r.none("the only web ACL")
	default:
		s.WebACL = acl
		r.note(definition.Unbound, "bind Bindings.WebACLs",
			"the stage %s of %s has the web ACL %s, and refuses without it", stage, a.ID, s.WebACL)
	}
}

// protect gives all stages of an API that have none a web ACL that isn't known.
func protect(a *definition.API, acl string) {
	for _, s := range a.Stages {
		s.WebACL = cmp.Or(s.WebACL, acl)
	}
}
