package definition

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

// responseTypes are the gateway response types by name.
var responseTypes = func() map[string]gatekit.ResponseType {
	byName := map[string]gatekit.ResponseType{}
	for t := gatekit.ResponseType(1); t <= gatekit.WAFFiltered; t++ {
		byName[t.String()] = t
	}
	return byName
}()

// buildGatewayResponses makes them of what can be used. They protect nothing: one that can't be is
// left out and reported.
func (a *apiBuilder) buildGatewayResponses() {
	use := map[gatekit.ResponseType]transform.GatewayResponse{}
	for _, name := range slices.Sorted(maps.Keys(a.api.GatewayResponses)) {
		from := a.api.GatewayResponses[name]
		kind, known := responseTypes[strings.ToUpper(name)]
		from, unknown := from.known()
		if unknown != "" {
			a.report(a.api.ID, "", unknownValue("the gateway response "+name, unknown).at(from.Origin).at(a.api.Origin))
		}
		made, dropped := gatewayResponse(kind, from)
		if !known {
			dropped = append(dropped, "the type isn't known")
		}
		for _, what := range dropped {
			a.differs("gateway response "+name, from.Origin, what, correctIt)
		}
		if known {
			use[kind] = made
		}
	}
	if len(use) == 0 {
		return
	}
	responses, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: use})
	if err != nil { // of parts that are good each by itself
		a.report(a.api.ID, "", asProblem("the gateway responses can't be used", err).at(a.api.Origin))
		return
	}
	a.responses = responses.Middleware
}

// known returns a response without what nobody knows, which clients would be sent, and the name of
// one such value.
func (r *GatewayResponse) known() (out *GatewayResponse, unknown string) {
	_, unknown = digest(r)
	if unknown == "" {
		return r, ""
	}
	isUnknown := func(name, value string) bool {
		_, in := UnknownIn(name + value)
		return in
	}
	out = &GatewayResponse{
		Status: r.Status, Parameters: maps.Clone(r.Parameters), Templates: maps.Clone(r.Templates), Origin: r.Origin,
	}
	if isUnknown("", r.Status) {
		out.Status = ""
	}
	maps.DeleteFunc(out.Parameters, isUnknown)
	maps.DeleteFunc(out.Templates, isUnknown)
	return out, unknown
}

// gatewayResponse returns what can be used of a response, and what can't.
func gatewayResponse(kind gatekit.ResponseType, from *GatewayResponse) (r transform.GatewayResponse, dropped []string) {
	try := func(part transform.GatewayResponse) bool {
		_, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{
			Responses: map[gatekit.ResponseType]transform.GatewayResponse{kind: part},
		})
		if err != nil && kind != 0 {
			dropped = append(dropped, err.Error())
		}
		return err == nil
	}
	if from.Status != "" {
		status, ok := statusOf(from.Status)
		if !ok {
			dropped = append(dropped, "want a status from 200 to 599, got "+from.Status)
		} else if try(transform.GatewayResponse{StatusCode: status}) {
			r.StatusCode = status
		}
	}
	for _, target := range slices.Sorted(maps.Keys(from.Parameters)) {
		one := map[string]string{target: from.Parameters[target]}
		if try(transform.GatewayResponse{ResponseParameters: one}) {
			r.ResponseParameters = merged(r.ResponseParameters, one)
		}
	}
	for _, contentType := range slices.Sorted(maps.Keys(from.Templates)) {
		one := map[string]string{contentType: from.Templates[contentType]}
		if try(transform.GatewayResponse{ResponseTemplates: one}) {
			r.ResponseTemplates = merged(r.ResponseTemplates, one)
		}
	}
	return r, dropped
}
