package iam

import "fmt"

// Nearest says, where nothing allows a request, which statement that allows comes nearest, and by
// which element it isn't about the request: "statement 2 (Office) of policy 0 but for Condition
// aws:SourceIp". It is "" where no statement allows anything. It is for people who ask why: it
// evaluates everything once more, tells nothing of the request, and decides nothing.
func Nearest(r *Request, policies ...*Policy) string {
	arn, isARN := splitARN(r.Resource, false)
	action := actionName(r.Action)
	found, most := "", applies
	for i, p := range policies {
		if p == nil {
			continue
		}
		for j := range p.statements {
			s := &p.statements[j]
			if s.deny {
				continue
			}
			if o := s.obstacle(r, action, &arn, isARN); o > most {
				most = o
				found = Decision{Allow, i, j, s.sid}.where() + " but for " + s.nameOf(o)
			}
		}
	}
	return found
}

// nameOf names an element as the statement has it.
func (s *statement) nameOf(o obstacle) string {
	not := func(is bool, name string) string {
		if is {
			return "Not" + name
		}
		return name
	}
	switch o {
	case applies:
		return "nothing"
	case ofAction:
		return not(s.notActions, "Action")
	case ofResource:
		return not(s.notResources, "Resource")
	case ofPrincipal:
		return not(s.notPrincipals, "Principal")
	}
	return "Condition " + s.conditions[o-ofCondition].key.String()
}

// where names the statement that decided: "statement 2 (OfficeOnly) of policy 0".
func (d Decision) where() string {
	sid := ""
	if d.Sid != "" {
		sid = " (" + d.Sid + ")"
	}
	return fmt.Sprintf("statement %d%s of policy %d", d.Statement, sid, d.Policy)
}
