package definition

import (
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/validate"
)

// selects is a selection expression that isn't the fixed key "$default".
func selects(expression string) bool {
	return expression != "" && strings.TrimPrefix(expression, `\`) != "$default"
}

// bySelection is one of the middlewares, chosen by an expression over the message.
func bySelection(expression string, choices map[string]gatekit.Middleware) (gatekit.Middleware, *problem) {
	if !selects(expression) {
		if choices["$default"] == nil {
			return nil, unsupportedf(correctIt, "nothing is there for $default")
		}
		return choices["$default"], nil
	}
	mw, err := websocket.Select(expression, choices)
	return mw, asProblem("the selection expression can't be used", err)
}

// socketModels judges messages by the route's models.
func (s *stageBuilder) socketModels(r *Route) (gatekit.Middleware, *problem) {
	if _, unknown := digest(r.RequestModels, r.ModelSelection); unknown != "" {
		return nil, unknownValue("what is validated", unknown)
	}
	models, p := s.models.of(r.RequestModels)
	if p != nil {
		return nil, p
	}
	choices := map[string]gatekit.Middleware{}
	for _, key := range sortedKeys(r.RequestModels) {
		v, err := validate.New(validate.Config{ValidateBody: true, Models: models,
			RequestModels: map[string]string{"application/json": r.RequestModels[key]}})
		if err != nil {
			return nil, asProblem("messages can't be validated", err)
		}
		choices[key] = v.Middleware
	}
	return bySelection(r.ModelSelection, choices)
}

// socketAnswering is what answers a route's messages.
func (s *stageBuilder) socketAnswering(key string, r *Route) (http.Handler, *problem) {
	if r.Integration == nil {
		p := unsupportedf("give the route an integration", "the route has no integration")
		return refuseFor(p), p
	}
	called, p := s.called(key, r)
	if called == nil && (p != nil || r.Integration.Target.Kind != KindMock) {
		return refuseFor(p), p
	}
	h, cannot := s.socketMapped(r.Integration, called)
	if cannot != nil {
		return refuseFor(cannot), cannot
	}
	return h, p
}

// socketMapped puts the integration's templates around what is called: one for each key that the
// template selection expression may give.
func (s *stageBuilder) socketMapped(i *Integration, called http.Handler) (http.Handler, *problem) {
	if strings.EqualFold(i.Type, "AWS_PROXY") {
		return called, nil
	}
	if called == nil && len(i.RequestTemplates) == 0 { // a mock that is only to say yes
		mock, err := integration.NewMock(integration.MockConfig{})
		return mock, asProblem("the integration can't be used", err)
	}
	if len(i.RequestTemplates) == 0 {
		mapping, p := s.socketTemplate(i, "")
		if p != nil {
			return nil, p
		}
		return gatekit.Chain(called, mapping), nil
	}
	choices := map[string]gatekit.Middleware{}
	for _, key := range sortedKeys(i.RequestTemplates) {
		mapping, p := s.socketTemplate(i, i.RequestTemplates[key])
		if p != nil {
			return nil, p
		}
		choices[key] = mapping
	}
	if choices["$default"] == nil && len(choices) == 1 && !selects(i.TemplateSelection) {
		for _, only := range choices { // by its content type, as templates write it
			choices["$default"] = only
		}
	}
	if choices["$default"] == nil { // a message without a template passes, or not, as Passthrough says
		without := *i
		mapping, p := s.socketTemplate(&without, "")
		if p != nil {
			return nil, p
		}
		choices["$default"] = mapping
	}
	mapping, p := bySelection(i.TemplateSelection, choices)
	if p != nil {
		return nil, p
	}
	return mapping(called), nil
}

// socketTemplate is the integration's mapping with one of its request templates, or none.
func (s *stageBuilder) socketTemplate(i *Integration, template string) (gatekit.Middleware, *problem) {
	config := transform.RESTConfig{
		Type: transform.IntegrationType(i.Type), HTTPMethod: i.Method, RequestParameters: i.RequestParameters,
		PassthroughBehavior: transform.PassthroughBehavior(i.Passthrough),
		ContentHandling:     transform.ContentHandling(i.ContentHandling),
	}
	if template != "" {
		config.RequestTemplates = map[string]string{"$default": template}
	}
	config.URI = s.mappedURI(&i.Target)
	for _, from := range i.Responses {
		if selects(from.TemplateSelection) {
			return nil, unsupportedf("use the template $default", "responses with a template selection aren't served")
		}
		response := transform.IntegrationResponse{StatusCode: http.StatusOK,
			ContentHandling: transform.ContentHandling(from.ContentHandling)}
		if from.Pattern != "$default" { // "/4\d\d/"
			response.SelectionPattern = strings.TrimSuffix(strings.TrimPrefix(from.Pattern, "/"), "/")
		}
		if body, ok := from.Templates["$default"]; ok {
			response.ResponseTemplates = map[string]string{"application/json": body}
		} else if len(from.Templates) > 0 {
			response.ResponseTemplates = from.Templates
		}
		config.IntegrationResponses = append(config.IntegrationResponses, response)
	}
	if len(config.IntegrationResponses) == 0 {
		config.IntegrationResponses = []transform.IntegrationResponse{{StatusCode: http.StatusOK}}
	}
	rest, err := transform.NewREST(config)
	if err != nil {
		return nil, asProblem("the integration's mappings can't be used", err)
	}
	return rest.Middleware, nil
}
