package waf

import (
	"slices"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// tokenGroups are the managed groups against bots and fraud, which tell by labels what there is of
// a client's token. ("Token labels" of the developer guide.)
var tokenGroups = []string{"AWSManagedRulesBotControlRuleSet", "AWSManagedRulesATPRuleSet",
	"AWSManagedRulesACFPRuleSet"}

// tokenLabel is what the labels about tokens begin with.
const tokenLabel = "awswaf:managed:token:"

// tokensOf returns how long a token counts for the labels that a managed group sets, or 0 if it
// sets none, also because nothing knows of tokens.
func (a *ACL) tokensOf(m *mistakes.Mistakes, of *ManagedRuleGroupStatement) time.Duration {
	known := a.cfg.Challenge != nil && a.cfg.Challenge.Token != nil
	if !known || of.VendorName != "AWS" || !slices.Contains(tokenGroups, of.Name) {
		return 0
	}
	return immunity(m, defaultImmunity, a.cfg.ACL.ChallengeConfig)
}

// labelToken sets the label for the request's token, by its challenge: before the group's rules are
// judged, which may look for it, as later rules do.
func (s *state) labelToken(immunity time.Duration) {
	if immunity == 0 {
		return
	}
	to := "rejected"
	switch checkToken(s.acl.cfg.Challenge.Token(s.r), immunity).failure {
	case "":
		to = "accepted"
	case tokenMissing:
		to = "absent"
	}
	s.label(tokenLabel + to)
}
