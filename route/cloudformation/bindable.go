package cloudformation

import (
	"cmp"
	"fmt"
	"net"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// bindable adds a resource to those that a program can bind.
func (b *builder) bindable(r *resource) {
	if b.doc.Resources[r.id] != nil || r.rule.treatment != Bound {
		return
	}
	out := &definition.Resource{Type: r.kind, Path: r.path, Origin: r.origin()}
	put(&b.doc.Resources, r.id, out) // before what it refers to, which may refer to it
	ref := scalar(r.stack.handOut(r, "", r.node.Line))
	out.Name = r.name()
	if strings.HasPrefix(ref, "arn:") {
		out.ARN = ref
	}
	for _, attribute := range []string{"Arn", "LoadBalancerArn"} {
		if _, ok := shapes[r.kind].attributes[attribute]; ok && out.ARN == "" {
			out.ARN = scalar(r.stack.handOut(r, attribute, r.node.Line))
		}
	}
	switch r.kind {
	case lambdaFunction:
		out.Handler, out.Runtime = r.text("Handler"), r.text("Runtime")
		if n := r.number(r.get("Timeout"), "Timeout"); n != nil {
			out.Timeout = *n
		}
	case cognitoPool, "AWS::Cognito::UserPoolClient", cloudMapService, typeRestLink, typeV2Link:
		out.Name = ref // which is in issuers, tokens and connections
	case listener:
		out.Name = ""
		out.Protocol = r.text("Protocol")
		if n := r.number(r.get("Port"), "Port"); n != nil {
			out.Port = *n
		}
		if at := r.text("LoadBalancerArn"); at != "" {
			out.Targets = []string{b.refer(at)}
		}
	}
	for _, at := range texts(r.get("TargetArns")) {
		if r.kind == typeRestLink {
			out.Targets = append(out.Targets, b.refer(at))
		}
	}
	if out.Name == "" {
		out.Name = cmp.Or(r.path, r.logical)
	}
}

// instance gives a Cloud Map service an address. One that isn't written out leaves the service to
// be bound.
func (b *builder) instance(r *resource) {
	of := b.find(r.text("ServiceId"), cloudMapService)
	if of == nil {
		return // of another stack's, or a service that isn't called by an API
	}
	b.bindable(of)
	attributes := r.get("InstanceAttributes")
	host, port := "", scalar(attributes.Get("AWS_INSTANCE_PORT"))
	for _, name := range []string{"AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_CNAME"} {
		host = cmp.Or(host, scalar(attributes.Get(name)))
	}
	at := definition.Unknown("the address of " + r.id)
	if _, unknown := definition.UnknownIn(host + port); !unknown && host != "" && port != "" {
		at = net.JoinHostPort(host, port)
	} else {
		r.note(definition.Warning, fmt.Sprintf("bind Bindings.Upstreams[%q], or write AWS_INSTANCE_IPV4 and "+
			"AWS_INSTANCE_PORT", of.id), "%s doesn't say where it is: nothing is called at %s", r.id, of.id)
	}
	service := b.doc.Resources[of.id]
	service.Addresses = append(service.Addresses, at)
}

// functionURL reports a function that is called beside all gateways.
func (b *builder) functionURL(r *resource) {
	r.note(definition.Unsupported, "mount the function's handler",
		"%s is a function's own URL, which is no API: it isn't served", r.id)
}

// alias reports what an alias has of its own.
func (b *builder) alias(r *resource) {
	r.stack.handOut(r, "", r.node.Line)
	if r.get("RoutingConfig") != nil {
		r.note(definition.Differs, "split the calls in the function that is bound",
			"the alias %s divides its calls between versions: all go to one function", r.id)
	}
}

func (b *builder) version(r *resource) { r.stack.handOut(r, "", r.node.Line) }

// function makes the function's ARN known, also if it is written out elsewhere.
func (b *builder) function(r *resource) {
	r.stack.handOut(r, "Arn", r.node.Line)
	b.bindable(r)
}

func (b *builder) bound(r *resource) { b.bindable(r) }

// notCovered reports a resource that changes answers and isn't followed.
func (b *builder) notCovered(r *resource) {
	r.note(definition.Unsupported, "do without it", "%s: resources of the type %s aren't covered", r.id, r.kind)
}
