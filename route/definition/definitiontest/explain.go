package definitiontest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Explain builds the document and returns what becomes of a request as a [Case] has it: the answer,
// what each station said of it (gatekit.Explain), and, where it has a route, what the document has
// on that ([ExplainRoute]). It has no times and nothing random, so that a test can compare it. A
// document that can't be built, or a request that isn't one, ends the test.
func (s Suite) Explain(t *testing.T, caseRequest string) string {
	t.Helper()
	stubs := &stubs{answers: s.Answers}
	g, err := definition.Build(t.Context(), s.Document, newTokens(t, s.Document).bind(stubs.bind(s.Bindings)))
	if err != nil {
		t.Fatalf("definitiontest: %v", err)
	}
	defer func() { _ = g.Close() }()
	r, err := request(caseRequest)
	if err != nil {
		t.Fatalf("definitiontest: Request: %v", err)
	}
	r = gatekit.Explained(r)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	text := fmt.Sprintf("answered %d\n%s", w.Code, gatekit.Explain(r))
	rc := gatekit.From(r.Context())
	for _, api := range s.Document.APIs {
		if key := rc.RouteKey(); key != "" && api.Identifier() == rc.API.APIID {
			if route, err := ExplainRoute(s.Document, api.ID, key); err == nil {
				text += "\n" + route
			}
		}
	}
	return text
}

// ExplainRoute returns what a document puts on a route, in the order in which a request passes it,
// each with its configuration as the document's JSON has it. What isn't configured is left out. The
// error names the routes, or the APIs, that may have been meant.
func ExplainRoute(doc *definition.Document, apiID, routeKey string) (string, error) {
	i := slices.IndexFunc(doc.APIs, func(a *definition.API) bool { return a.ID == apiID })
	if i < 0 {
		ids := func(yield func(string) bool) {
			for _, a := range doc.APIs {
				if !yield(a.ID) {
					return
				}
			}
		}
		return "", fmt.Errorf("definitiontest: ExplainRoute: want an API's ID, got %q%s", apiID,
			nearest.Hint(apiID, ids))
	}
	api := doc.APIs[i]
	route := api.Routes[routeKey]
	if route == nil {
		return "", fmt.Errorf("definitiontest: ExplainRoute: want the key of a route of %s, got %q%s", apiID, routeKey,
			nearest.Hint(routeKey, slices.Values(slices.Sorted(maps.Keys(api.Routes)))))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s API %s\n", routeKey, api.Flavor, apiID)
	e := &explainer{w: tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)}
	e.inFront(api)
	e.stages(api, routeKey)
	e.route(doc, api, route)
	_ = e.w.Flush() // a strings.Builder takes all
	return b.String(), nil
}

// explainer writes lines of a kind, a name and a configuration.
type explainer struct{ w *tabwriter.Writer }

func (e *explainer) line(kind, name string, config any) {
	text, err := json.Marshal(config) // what was read as JSON encodes
	if err != nil {
		text = []byte(err.Error())
	}
	switch string(text) {
	case "null", "{}", `""`, "[]":
		text = nil
	}
	if name != "" || len(text) > 0 {
		fmt.Fprintln(e.w, strings.TrimRight(fmt.Sprintf("  %s\t%s\t%s", kind, name, text), "\t "))
	}
}

// inFront is what stands in front of an API's routes.
func (e *explainer) inFront(api *definition.API) {
	e.line("cors", "", api.CORS)
	e.line("resource policy", "", api.Policy)
}

// stages are what each stage adds.
func (e *explainer) stages(api *definition.API, routeKey string) {
	method, path, _ := strings.Cut(routeKey, " ")
	for _, name := range slices.Sorted(maps.Keys(api.Stages)) {
		stage := api.Stages[name]
		if stage == nil {
			continue
		}
		e.line("stage", name, stage.Variables)
		e.line("web ACL of "+name, stage.WebACL, nil)
		if own, ok := stage.RouteThrottle[routeKey]; ok {
			e.line("throttle of "+name, "the route's own", own)
		} else {
			e.line("throttle of "+name, "", stage.Throttle)
		}
		for _, m := range stage.MethodSettings {
			if (m.Path == "/*" || m.Path == path) && (m.Method == "*" || m.Method == method || method == "ANY") {
				e.line("settings of "+name, m.Method+" "+m.Path, m)
			}
		}
	}
}

// route is what stands on the route itself.
func (e *explainer) route(doc *definition.Document, api *definition.API, r *definition.Route) {
	e.line("auth", r.Auth.Type, r.Auth.Scopes)
	if r.Auth.Authorizer != "" {
		e.line("authorizer", r.Auth.Authorizer, api.Authorizers[r.Auth.Authorizer])
	}
	if r.APIKeyRequired {
		source := api.APIKeySource
		if source == "" {
			source = "HEADER"
		}
		e.line("API key", "from "+source, nil)
		for _, name := range slices.Sorted(maps.Keys(doc.UsagePlans)) {
			plan := doc.UsagePlans[name]
			if slices.ContainsFunc(plan.Stages, func(s *definition.PlanStage) bool { return s.API == api.ID }) {
				e.line("usage plan", name, struct {
					Throttle *definition.Throttle `json:"throttle,omitempty"`
					Quota    *definition.Quota    `json:"quota,omitempty"`
				}{plan.Throttle, plan.Quota})
			}
		}
	}
	e.line("validator", "", r.Validator)
	e.line("parameters", "", r.RequestParameters)
	e.line("models", r.ModelSelection, r.RequestModels)
	e.line("integration", "", r.Integration)
	e.line("responses", r.ResponseSelection, r.MethodResponses)
	e.line("gateway responses", strings.Join(slices.Sorted(maps.Keys(api.GatewayResponses)), ", "), nil)
}
