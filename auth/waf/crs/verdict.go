package crs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
)

// Verdict is what the rules make of a request, and of its answer. It holds nothing that the client
// or the handler has sent but names of arguments, headers and cookies, where these look like names.
type Verdict struct {
	// Rule is the ID of the rule that refuses: 949110 by the request's score, 959100 by the
	// answer's, one of Rule… or of one's own by itself. 0 lets it pass.
	Rule int
	// Blocked reports whether it was refused: DetectionOnly refuses nothing, whatever Rule is, and
	// a Fault refuses without a rule.
	Blocked bool
	// Score is the request's, ResponseScore the answer's.
	Score, ResponseScore int
	// Findings are the rules that have matched, in the order in which they did; at most 200.
	Findings []Finding
	// Fault says why the request couldn't be judged.
	Fault error
}

// Finding is a rule that has matched.
type Finding struct {
	// RuleID is its number in the rule set, such as 942100.
	RuleID int
	// Message is the rule's own, up to where it would quote the request.
	Message string
	// Severity is emergency, alert, critical, error, warning, notice, info or debug, or "".
	Severity string
	// Attacks are its tags that say what it is about, such as "attack-sqli".
	Attacks []string
	// Variables are where it has matched, such as "ARGS:q"; at most 10. A name that doesn't look
	// like one, and what may be the whole of a body, is left out: "ARGS".
	Variables []string
}

const (
	maxFindings  = 200
	maxVariables = 10
	maxName      = 64
)

// collect takes down what the transaction has found.
func (v *Verdict) collect(s *RuleSet, tx types.Transaction) {
	for _, match := range tx.MatchedRules() {
		logged, ok := match.(interface{ Log() bool })
		if len(v.Findings) >= maxFindings || ok && !logged.Log() {
			continue
		}
		v.Findings = append(v.Findings, s.finding(match))
	}
	if state, ok := tx.(plugintypes.TransactionState); ok {
		scores := state.Variables().TX()
		v.Score = number(scores.Get("blocking_inbound_anomaly_score"))
		v.ResponseScore = number(scores.Get("blocking_outbound_anomaly_score"))
	}
	stopped := tx.Interruption()
	if would, ok := tx.(interface{ DetectionOnlyInterruption() *types.Interruption }); ok && stopped == nil {
		stopped = would.DetectionOnlyInterruption()
	}
	if stopped != nil && v.Rule == 0 {
		v.Rule = stopped.RuleID
	}
}

func number(values []string) int {
	if len(values) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(values[0])
	return n
}

func (s *RuleSet) finding(match types.MatchedRule) Finding {
	rule := match.Rule()
	f := Finding{RuleID: rule.ID(), Message: s.messages[rule.ID()]}
	if of := rule.Severity(); of != types.RuleSeverityUnset {
		f.Severity = of.String()
	}
	for _, tag := range rule.Tags() {
		if strings.HasPrefix(tag, "attack-") {
			f.Attacks = append(f.Attacks, tag)
		}
	}
	for _, data := range match.MatchedDatas() {
		name := data.Variable().Name()
		if key := data.Key(); isName(key) && !strings.HasSuffix(name, "_NAMES") {
			name += ":" + key
		}
		if len(f.Variables) < maxVariables && !slices.Contains(f.Variables, name) {
			f.Variables = append(f.Variables, name)
		}
	}
	return f
}

// isName reports whether text looks like the name of an argument, a header or a cookie. The name of
// an argument is the client's: a body of another kind than its type says is one long name.
func isName(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, func(c rune) bool {
		return c > 0x7e || !strings.ContainsRune("_.-[]", c) && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
	})
}

// cause says why a request is refused, for logs.
func (v *Verdict) cause() error {
	if v.Fault != nil {
		return v.Fault
	}
	var b strings.Builder
	fmt.Fprintf(&b, "crs: rule %d, score %d", v.Rule, v.Score+v.ResponseScore)
	for i, f := range v.Findings {
		if i == 10 {
			b.WriteString(", …")
			break
		}
		fmt.Fprintf(&b, ", %d %s", f.RuleID, strings.Join(f.Variables, " "))
	}
	return &refusal{text: b.String()}
}

type refusal struct{ text string }

func (e *refusal) Error() string { return e.text }
