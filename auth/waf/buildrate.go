package waf

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Quotas of rate-based statements.
const (
	minLimit, maxLimit = 10, 2_000_000_000
	maxCustomKeys      = 5
	defaultWindow      = 300
)

// rateBased compiles a rate-based statement.
func (p place) rateBased(m *mistakes.Mistakes, from *RateBasedStatement) evaluator {
	p.costs(2 + 30*int64(len(from.CustomKeys)))
	window := from.EvaluationWindowSec
	if window == 0 {
		window = defaultWindow
	}
	mistakes.Range(m, "Limit", from.Limit, minLimit, maxLimit)
	m.Require(window == 60 || window == 120 || window == 300 || window == 600, "EvaluationWindowSec",
		"want 60, 120, 300 or 600, got %d", window)
	to := &rateBased{limit: from.Limit, window: time.Duration(window) * time.Second, kind: from.AggregateKeyType}
	if from.ScopeDownStatement != nil {
		to.scope = p.statement(m.Under("ScopeDownStatement"), from.ScopeDownStatement)
	}
	to.from = p.forwarded(m, from.ForwardedIPConfig)
	switch from.AggregateKeyType {
	case "IP":
		to.keys = []rateKey{keyAddress{}}
	case "FORWARDED_IP":
		m.Require(to.from != nil, "ForwardedIPConfig", "want one with FORWARDED_IP, got none")
		to.keys = []rateKey{keyAddress{from: to.from}}
	case "CONSTANT":
		m.Require(to.scope != nil, "ScopeDownStatement", "want one with CONSTANT, got none")
	case "CUSTOM_KEYS":
		to.keys = p.customKeys(m, from, to.from)
	default:
		m.Add("AggregateKeyType", "want IP, FORWARDED_IP, CONSTANT or CUSTOM_KEYS, got %q", from.AggregateKeyType)
	}
	m.Require(len(from.CustomKeys) == 0 || from.AggregateKeyType == "CUSTOM_KEYS", "CustomKeys",
		"want none with %s", from.AggregateKeyType)
	// Machines that share a counter agree on the keys of a rule, and a rule that has changed counts
	// anew.
	settings, _ := json.Marshal(from)
	digest := sha256.Sum256(append([]byte(p.name+"\x00"), settings...))
	to.place = base64.RawURLEncoding.EncodeToString(digest[:12]) + ":"
	p.acl.needsCounter = true
	return to
}

func (p place) customKeys(m *mistakes.Mistakes, from *RateBasedStatement, address *forwarded) (to []rateKey) {
	mistakes.Range(m.Under("CustomKeys"), "length", len(from.CustomKeys), 1, maxCustomKeys)
	seen := map[string]int{}
	for i := range from.CustomKeys {
		name, _ := only(&from.CustomKeys[i])
		seen[name]++
		to = append(to, p.customKey(m.Under("CustomKeys").Index(i), &from.CustomKeys[i], address))
	}
	for name, n := range seen {
		repeatable := oneOf(name, "Header", "Cookie", "QueryArgument", "LabelNamespace")
		m.Require(n == 1 || repeatable, "CustomKeys", "want %s once, got it %d times", name, n)
	}
	alone := seen["IP"]+seen["ForwardedIP"] == len(from.CustomKeys)
	m.Require(!alone || len(from.CustomKeys) == 0, "CustomKeys",
		"want another key beside IP or ForwardedIP: alone, AggregateKeyType says it")
	m.Require(seen["ForwardedIP"] == 0 || address != nil, "ForwardedIPConfig", "want one with ForwardedIP, got none")
	return to
}
