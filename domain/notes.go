package domain

import "github.com/gatekit-go/gatekit"

// refusal is why a request is for no API, and what its client is told, which is less.
type refusal struct {
	answer *gatekit.Rejection
	phase  gatekit.Phase
	why    string
}

var (
	noName        = &refusal{forbidden, gatekit.PhaseRoute, "no Name has the request's host"}
	userinfo      = &refusal{forbidden, gatekit.PhaseRoute, "the request's target has userinfo"}
	noMapping     = &refusal{forbidden, gatekit.PhaseRoute, "no mapping and no rule of the Name has the path"}
	ambiguousPath = &refusal{badPath, gatekit.PhaseRoute, "two readers might take the path for different ones"}
	noTLS         = &refusal{misdirected, gatekit.PhaseAuthenticate,
		"the Name wants a client certificate, or is strict, and the connection is without TLS"}
	weakTLS = &refusal{misdirected, gatekit.PhaseAuthenticate,
		"the connection is weaker than the Name's security policy: it was made for another Name"}
	otherServerName = &refusal{misdirected, gatekit.PhaseAuthenticate,
		"the connection was made for another Name, and this one is strict or wants a client certificate"}
	noCertificate = &refusal{misdirected, gatekit.PhaseAuthenticate,
		"the connection has no client certificate that the Name's truststore verifies now"}
)

// note notes the refusal; other says that the request goes to Config.OtherHosts.
func (no *refusal) note(rc *gatekit.RequestContext, other bool) {
	n := gatekit.Note{Phase: no.phase, Verdict: gatekit.Refused, Reason: no.why, Status: no.answer.Status}
	if other {
		n.Verdict, n.Rule, n.Status = gatekit.Passed, "OtherHosts", 0
	}
	rc.Note(n)
}

// note notes what has chosen the API: a rule, as in [Domain.Handlers], or a mapping. foreign says
// that a client certificate was left out of account.
func (s *Selected) note(rc *gatekit.RequestContext, foreign bool) {
	n := gatekit.Note{Phase: gatekit.PhaseRoute}
	if s.rule != nil {
		n.Rule = s.rule.what
	} else {
		n.Rule = s.Name + "/" + s.BasePath
	}
	rc.Note(n)
	switch {
	case s.mutual:
		rc.Note(gatekit.Note{Phase: gatekit.PhaseAuthenticate, Rule: s.Name, Reason: "client certificate"})
	case foreign:
		rc.Note(gatekit.Note{Phase: gatekit.PhaseAuthenticate, Verdict: gatekit.Skipped, Rule: s.Name,
			Reason: "the client certificate is verified for another Name"})
	}
}
