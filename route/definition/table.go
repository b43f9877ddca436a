package definition

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
)

// Table returns the API's routes as a table for people: who may call each, what limits it, and what
// it calls. It says what the document says; what becomes of that is in a [Report].
func (a *API) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ROUTE\tWHO\tLIMITS\tCALLS")
	for _, key := range sortedKeys(a.Routes) {
		r := a.Routes[key]
		if r == nil {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", key, r.who(), a.limits(key), r.calls())
	}
	_ = w.Flush()
	return b.String()
}

// who may call the route.
func (r *Route) who() string {
	who := strings.TrimSpace(r.Auth.Type + " " + r.Auth.Authorizer)
	if len(r.Auth.Scopes) > 0 {
		who += " (" + strings.Join(r.Auth.Scopes, ", ") + ")"
	}
	if r.APIKeyRequired {
		who += ", API key"
	}
	return who
}

// calls is what the route calls.
func (r *Route) calls() string {
	if r.Integration == nil {
		return "nothing"
	}
	t := &r.Integration.Target
	name := cmp.Or(t.Function, t.Name, t.ARN, t.Resource, t.URI, t.Subtype)
	if t.Kind == KindService {
		name = t.Service + ":" + cmp.Or(t.Action, t.Path)
	}
	return strings.TrimSpace(t.Kind + " " + name)
}

// limits are the limits that the API's stages have for a route.
func (a *API) limits(key string) string {
	method, path, _ := strings.Cut(key, " ")
	var all []string
	for _, name := range sortedKeys(a.Stages) {
		s := a.Stages[name]
		limit := cmp.Or(s.RouteThrottle[key], s.Throttle)
		best := 0
		for _, m := range s.MethodSettings { // the narrower one counts
			narrow := 1
			if m.Path == path {
				narrow += 2
			}
			if m.Method == method {
				narrow++
			}
			if (m.Path == path || m.Path == "/*") && (m.Method == method || m.Method == "*") && narrow > best &&
				(m.Rate != nil || m.Burst != nil) {
				best, limit = narrow, &Throttle{Rate: m.Rate, Burst: m.Burst}
			}
		}
		if limit == nil || limit.Rate == nil && limit.Burst == nil {
			continue
		}
		of := name + ":"
		if limit.Rate != nil {
			of += fmt.Sprintf(" %g/s", *limit.Rate)
		}
		if limit.Burst != nil {
			of += fmt.Sprintf(" burst %d", *limit.Burst)
		}
		all = append(all, of)
	}
	return cmp.Or(strings.Join(all, ", "), "the account's")
}
