package cloudformation

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// The members of settings that are limits.
const (
	throttlingRate  = "ThrottlingRateLimit"
	throttlingBurst = "ThrottlingBurstLimit"
)

// methodSettings are what a stage of a REST API says of its methods.
func (r *resource) methodSettings(get func(string) *doctree.Node) (all []*definition.MethodSettings) {
	for _, n := range items(get("MethodSettings")) {
		all = append(all, r.settings(n)...)
	}
	if r.misspelled("method", "throttl") {
		all = append(all, closedSettings(r.notKnown("MethodSettings", nil)))
	}
	return all
}

// logging is which of settings ask for an execution log, or that there be none.
func logging(settings []*doctree.Node) (all []*definition.MethodLogging) {
	for _, n := range settings {
		if level := upper(n, "LoggingLevel"); level != "" {
			all = append(all, &definition.MethodLogging{
				Path: settingsPath(scalar(n.Get("ResourcePath"))), Method: cmp.Or(upper(n, "HttpMethod"), "*"),
				Level: level, DataTrace: truthOf(n.Get("DataTraceEnabled")),
			})
		}
	}
	return all
}

// routeLogging is what a stage of a WebSocket API asks for. Here nothing but a Differs comes of it,
// and so it doesn't matter which routes it is asked for.
func (r *resource) routeLogging() []*definition.MethodLogging {
	settings := []*doctree.Node{}
	if all := r.get("DefaultRouteSettings"); all != nil {
		settings = append(settings, all)
	}
	for _, m := range members(r.get("RouteSettings")) {
		settings = append(settings, m.Value)
	}
	return logging(settings)
}

// settings are one element of them; none where it is of logs and metrics alone.
func (r *resource) settings(n *doctree.Node) []*definition.MethodSettings {
	t := r.throttle(n, throttlingRate, throttlingBurst)
	if n.Kind != doctree.Map {
		return []*definition.MethodSettings{closedSettings(t.RateText)}
	}
	m := &definition.MethodSettings{Path: settingsPath(scalar(n.Get("ResourcePath"))),
		Method: cmp.Or(upper(n, "HttpMethod"), "*"), Caching: truthOf(n.Get("CachingEnabled")),
		TTL: r.number(n.Get("CacheTtlInSeconds"), "CacheTtlInSeconds")}
	if t != nil {
		m.Rate, m.Burst, m.RateText, m.BurstText = t.Rate, t.Burst, t.RateText, t.BurstText
	} else if m.TTL == nil && n.Get("CachingEnabled") == nil {
		return nil
	}
	return []*definition.MethodSettings{m}
}

// closedSettings are of all methods, whose limit isn't known.
func closedSettings(why *string) *definition.MethodSettings {
	return &definition.MethodSettings{Path: "/*", Method: "*", RateText: why}
}

// routeThrottles are the limits of a stage of an HTTP or WebSocket API.
func (r *resource) routeThrottles() (all *definition.Throttle, of map[string]*definition.Throttle) {
	all = r.throttle(r.get("DefaultRouteSettings"), throttlingRate, throttlingBurst)
	switch routes := r.get("RouteSettings"); {
	case routes != nil && routes.Kind != doctree.Map:
		all = &definition.Throttle{RateText: r.notKnown("RouteSettings", routes)}
	case r.misspelled("route", "throttl"):
		all = &definition.Throttle{RateText: r.notKnown("RouteSettings", nil)}
	default:
		for _, m := range members(routes) {
			if t := r.throttle(m.Value, throttlingRate, throttlingBurst); t != nil {
				put(&of, m.Name, t)
			}
		}
	}
	return all, of
}

// throttle is a token bucket, or nil where neither of its numbers is said. A number that isn't
// known is one that nobody may exceed, so that it can't be left out.
func (r *resource) throttle(n *doctree.Node, rate, burst string) *definition.Throttle {
	if n == nil {
		return nil
	}
	t := &definition.Throttle{}
	if n.Kind != doctree.Map {
		t.RateText = r.notKnown("limits", n)
		return t
	}
	t.Rate, t.RateText = r.amount(n, rate)
	count, text := r.amount(n, burst)
	if t.BurstText = text; count != nil {
		t.Burst = new(int(*count))
	}
	for _, m := range n.Members {
		name := strings.ToLower(m.Name)
		if m.Name != rate && m.Name != burst && strings.Contains(name, "limit") {
			r.note(definition.Unsupported, "correct the name", "%s: there is no limit %.100q%s", r.id, m.Name,
				r.stack.hint(m.Name, func(yield func(string) bool) { _ = yield(rate) && yield(burst) }))
			t.RateText = cmp.Or(t.RateText, r.notKnown(m.Name, nil))
		}
	}
	if *t == (definition.Throttle{}) {
		return nil
	}
	return t
}

// amount is a number of a limit, or, where it is said and isn't known, the text in its place.
func (r *resource) amount(n *doctree.Node, name string) (number *float64, text *string) {
	v := n.Get(name)
	if v == nil {
		return nil, nil
	}
	if f := r.decimal(v, name); f != nil {
		return f, nil
	}
	return nil, r.notKnown(name, v)
}

// notKnown is the unknown value for a limit that nobody can read.
func (r *resource) notKnown(what string, n *doctree.Node) *string {
	if text := unknownOf(n); text != "" {
		return &text
	}
	if n != nil {
		r.note(definition.Unsupported, "correct it", "%s: its %s can't be read, so that what they limit refuses",
			r.id, what)
	}
	return new(definition.Unknown(fmt.Sprintf("the %s of %s", what, r.id)))
}
