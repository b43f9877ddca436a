package crs

import (
	"net/http"
	"strconv"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
)

// Middleware judges requests in front of next, and with InspectResponses its answers. What is
// refused is answered in the API's form for the gateway response WAF_FILTERED, which is 403.
func (s *RuleSet) Middleware(next http.Handler) http.Handler { return &station{s, next} }

type station struct {
	set  *RuleSet
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *station) Station() (kind string, next http.Handler) { return "crs", h.next }

func (h *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.set.cfg.InspectResponses {
		h.serveInspected(w, r)
		return
	}
	rc := gatekit.From(r.Context())
	began := rc.Clock()
	v := h.set.Check(r) // all is given back before the handler runs, which may take its time
	v.note(rc, began)
	if v.Blocked {
		gatekit.Reject(w, r, v.rejection())
		return
	}
	h.next.ServeHTTP(w, r)
}

// Check judges the request, logs the verdict and answers nothing. What it reads of the body it puts
// back, in r itself.
func (s *RuleSet) Check(r *http.Request) *Verdict {
	v := s.begin(r).end()
	if s.cfg.Log != nil {
		s.cfg.Log(r, v)
	}
	return v
}

// Judge judges requests as a rule group of a web ACL: bind it by a name of waf.Config.GroupFuncs.
// It is a [waf.GroupFunc]. Each rule that has matched is counted and sets labels: its ID, and its
// attacks (942100, attack-sqli). Answers aren't judged, whatever InspectResponses says.
func (s *RuleSet) Judge(r *http.Request) (*waf.GroupVerdict, error) {
	v := s.Check(r)
	if v.Fault != nil && v.Blocked {
		return nil, v.Fault
	}
	to := &waf.GroupVerdict{}
	for _, f := range v.Findings {
		name := strconv.Itoa(f.RuleID)
		to.Matches = append(to.Matches, waf.GroupMatch{Rule: name, Labels: append([]string{name}, f.Attacks...)})
	}
	if v.Blocked {
		to.Block, to.Cause = strconv.Itoa(v.Rule), v.cause()
	}
	return to, nil
}

func (v *Verdict) rejection() *gatekit.Rejection {
	return &gatekit.Rejection{Type: gatekit.WAFFiltered, Cause: v.cause()}
}
