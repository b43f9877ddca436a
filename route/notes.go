package route

import (
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// noteNoRoute notes why the path has no route, as far as somebody wants to read it. The path itself
// is left out, as what clients put there may be a secret: its segments are told by their numbers.
func noteNoRoute(rc *gatekit.RequestContext, tree *routetree.Tree[*matched], method, path string, escaped bool) {
	n := gatekit.Note{Phase: gatekit.PhaseRoute, Verdict: gatekit.Refused}
	if rc.Keeps(gatekit.KeepReasons) {
		n.Reason = whyNoRoute(tree.Miss(method, path, escaped))
	}
	rc.Note(n)
}

func whyNoRoute(m routetree.Miss[*matched]) string {
	switch {
	case len(m.OtherMethods) > 0:
		return "the path has no route for this method, but " + keysOf(m.OtherMethods)
	case len(m.Near) > 0:
		return "no route has segment " + strconv.Itoa(m.Segment) + " of the path; the nearest: " + keysOf(m.Near)
	}
	return "the API has no route that is near"
}

// keysOf names at most three routes.
func keysOf(routes []**matched) string {
	var b strings.Builder
	for i, m := range routes[:min(len(routes), 3)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote((*m).route.Key))
	}
	return b.String()
}

// noteStage notes which stage serves, and which of its sides where it has two.
func (s *served) noteStage(rc *gatekit.RequestContext, side *side) {
	n := gatekit.Note{Phase: gatekit.PhaseRoute, Rule: s.name, Reason: "stage"}
	switch {
	case side == s.canary:
		n.Reason = "stage: the canary's side"
	case s.canary != nil:
		n.Reason = "stage: its own side, beside a canary"
	}
	rc.Note(n)
}

// noteNoStage notes that the request is for none of the stages.
func (set *stageSet) noteNoStage(rc *gatekit.RequestContext, name string) {
	n := gatekit.Note{Phase: gatekit.PhaseRoute, Verdict: gatekit.Refused}
	if rc.Keeps(gatekit.KeepReasons) {
		n.Reason = "no stage has the name that is asked for" + nearest.Hint(name, set.names())
	}
	rc.Note(n)
}
