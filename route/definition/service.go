package definition

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/route/integration"
)

// serviceNames are the names of an AWS service in [Bindings], what says most first.
func serviceNames(t *Target) []string {
	if t.Kind == KindSubtype {
		return []string{t.Subtype}
	}
	if t.Service == "" {
		return nil
	}
	return []string{t.Service + ":" + cmp.Or(t.Action, t.Path), t.Service}
}

// serviceURI is the ARN by which the target names an AWS service.
func (s *stageBuilder) serviceURI(t *Target) string {
	if strings.HasPrefix(t.URI, "arn:") {
		return t.URI
	}
	region := cmp.Or(t.Region, s.identity.Region)
	name := t.Service
	if t.Subdomain != "" {
		name = t.Subdomain + "." + name
	}
	uri := "arn:" + arn.Partition(region) + ":apigateway:" + region + ":" + name + ":"
	if t.Action == "" {
		return uri + "path/" + strings.TrimPrefix(t.Path, "/")
	}
	uri += "action/" + t.Action
	for _, argument := range sortedKeys(t.Arguments) {
		uri += "&" + argument + "=" + t.Arguments[argument]
	}
	return uri
}

// mappedURI is where the integration request goes that mappings make.
func (s *stageBuilder) mappedURI(t *Target) string {
	switch t.Kind {
	case KindHTTP, KindPrivate:
		return t.URI
	case KindService:
		return s.serviceURI(t)
	}
	return ""
}

// service calls an AWS service, as it is bound.
func (s *stageBuilder) service(key string, i *Integration) (http.Handler, *problem) {
	t := &i.Target
	role := s.ref(i.Credentials, "", "", "")
	if strings.HasPrefix(i.Credentials, "arn:") {
		role = s.ref("", "", i.Credentials, "")
	}
	config, ok, err := s.look.services.first(append(serviceNames(t), role.names()...))
	s.fault(err)
	if !ok {
		return nil, unboundf(s.look.services.hint(Ref{Name: cmp.Or(t.Service, t.Subtype)})+
			" with its Credentials, or "+s.handlerHint(key),
			"nothing says how the AWS service %s is called",
			cmp.Or(t.Subtype, strings.Trim(t.Service+":"+t.Action, ":")))
	}
	config.Timeout = cmp.Or(config.Timeout, time.Duration(i.Timeout)*time.Millisecond)
	if t.Kind == KindSubtype {
		if s.api.Flavor != FlavorHTTP {
			return nil, unsupportedf("use the service's URI", "only HTTP APIs have integration subtypes")
		}
		config.Subtype, config.RequestParameters = t.Subtype, i.RequestParameters
		config.Region = cmp.Or(config.Region, t.Region)
	} else {
		config.URI = s.serviceURI(t)
	}
	sum, _ := digest(i, s.identity.Region, role)
	h, err := keep(s.builder, s.pooled("integration", key, sum),
		func(ctx context.Context) (*integration.Service, error) { return integration.NewService(ctx, config) })
	if err != nil {
		return nil, asProblem("the integration can't be used", err)
	}
	return h, nil
}
