package openapi

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// refusal is a response that the gateway gives in the backend's place.
type refusal struct {
	status, text string
	response     *object
}

// refusals are those that a caller of the route can meet, in the form and with the status that the
// API's gateway responses give them.
func (w *writer) refusals(route *definition.Route, key string) (all []refusal) {
	auth := route.Auth.Type
	if v := route.Validator; v != nil && v.Parameters {
		all = append(all, w.refusal("BAD_REQUEST_PARAMETERS", "400", "A required parameter is missing."))
	}
	if v := route.Validator; v != nil && v.Body {
		all = append(all, w.refusal("BAD_REQUEST_BODY", "400", "The body isn't of the model."))
	}
	if auth != definition.AuthNone && auth != definition.AuthIAM {
		all = append(all, w.refusal("UNAUTHORIZED", "401", "The credentials are missing, or aren't valid."))
	}
	if auth == definition.AuthIAM {
		all = append(all, w.refusal("MISSING_AUTHENTICATION_TOKEN", "403", "The signature is missing, or isn't valid."))
	}
	if auth != definition.AuthNone || w.api.Policy != nil {
		all = append(all, w.refusal("ACCESS_DENIED", "403", "The caller may not do this."))
	}
	if route.APIKeyRequired {
		all = append(all, w.refusal("INVALID_API_KEY", "403", "The API key is missing, or isn't valid."))
	}
	limits, quotas := w.limits(route, key)
	if len(limits) > 0 {
		all = append(all, w.refusal("THROTTLED", "429", strings.Join(limits, " ")))
	}
	if len(quotas) > 0 {
		all = append(all, w.refusal("QUOTA_EXCEEDED", "429", strings.Join(quotas, " ")))
	}
	return all
}

func (w *writer) refusal(kind, status, text string) refusal {
	content := &object{}
	for _, name := range []string{kind, "DEFAULT_4XX"} {
		if g := w.api.GatewayResponses[name]; g != nil {
			status = cmp.Or(g.Status, status)
			for _, t := range sorted(g.Templates) {
				content.must(t, &object{})
			}
			break
		}
	}
	if empty(content) {
		message := (&object{}).must("message", (&object{}).must("type", "string"))
		content.must(jsonType, (&object{}).must("schema", (&object{}).must("type", "object").must("properties",
			message)))
	}
	return refusal{status, text, (&object{}).must("description", text).must("content", content)}
}

// limits are the route's in the words of its callers: those of its stages, and those of a key.
func (w *writer) limits(route *definition.Route, key string) (limits, quotas []string) {
	method, path, _ := strings.Cut(key, " ")
	for _, name := range sorted(w.api.Stages) {
		stage := w.api.Stages[name]
		t := stage.Throttle
		if own := stage.RouteThrottle[key]; own != nil {
			t = own
		}
		closest := -1
		for _, s := range stage.MethodSettings {
			if n := closeness(s, path, method); n > closest && (s.Rate != nil || s.Burst != nil) {
				closest, t = n, &definition.Throttle{Rate: s.Rate, Burst: s.Burst}
			}
		}
		if text := throttleText(t); text != "" {
			limits = append(limits, fmt.Sprintf("On the stage %s: %s for all callers.", name, text))
		}
	}
	if !route.APIKeyRequired {
		return limits, nil
	}
	for _, id := range sorted(w.doc.UsagePlans) {
		plan := w.doc.UsagePlans[id]
		for _, stage := range plan.Stages {
			if stage.API != w.api.ID {
				continue
			}
			t := plan.Throttle
			if own := stage.Throttle[strings.TrimSuffix(path, "/")+"/"+method]; own != nil {
				t = own
			}
			if text := throttleText(t); text != "" {
				limits = append(limits, fmt.Sprintf("With a key of the plan %s: %s.", cmp.Or(plan.Name, id), text))
			}
			if q := plan.Quota; q != nil {
				quotas = append(quotas, fmt.Sprintf("With a key of the plan %s: %d requests a %s.",
					cmp.Or(plan.Name, id), q.Limit, strings.ToLower(q.Period)))
			}
		}
	}
	return limits, quotas
}

// closeness says how well settings fit a method, -1 for not at all: a path counts more than a
// method.
func closeness(s *definition.MethodSettings, path, method string) (n int) {
	if s.Path == path {
		n = 2
	} else if s.Path != "/*" {
		return -1
	}
	if s.Method == method {
		return n + 1
	} else if s.Method != "*" {
		return -1
	}
	return n
}

func throttleText(t *definition.Throttle) string {
	if t == nil {
		return ""
	}
	var parts []string
	if t.Rate != nil {
		parts = append(parts, strconv.FormatFloat(*t.Rate, 'g', -1, 64)+" requests a second")
	}
	if t.Burst != nil {
		parts = append(parts, "bursts of "+strconv.Itoa(*t.Burst))
	}
	return strings.Join(parts, ", ")
}
