package waf

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/internal/window"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// ACL is a web ACL, compiled. It is safe for concurrent use.
type ACL struct {
	cfg           Config
	arn           string
	rules         []*rule
	defaultAction *action
	bodyLimit     int
	capacity      int64
	findings      []Finding
	counter       Counter
	memory        *window.Memory // in place of a counter
	needsCounter  bool
	sources       []*source
	byKey         map[string]*source
	hidden        map[string]bool // headers that records don't show
	pool          sync.Pool

	allowed, blocked                 gatekit.WebACL // what a RequestContext is told
	insertedHeaders, responseHeaders int            // in all actions
	logged                           atomic.Int64   // the second in which a fault was last logged
}

const defaultRateKeys = 100_000

// New compiles a web ACL, or returns an error that lists all that is wrong with it, by the names of
// the rules: also what WAFv2's quotas don't allow. ctx is for what a later version may start;
// nothing is started now.
func New(ctx context.Context, cfg Config) (*ACL, error) {
	m := mistakes.In("waf: Config")
	if cfg.ACL == nil {
		m.Add("ACL", "want a web ACL, got none")
		return nil, m.Err()
	}
	m.Require(ctx != nil, "", "want a context, got none")
	m.Require(cfg.RateKeys >= 0, "RateKeys", "want 0 or more, got %d", cfg.RateKeys)
	mistakes.RangeOrZero(m, "RateIPv6Prefix", cfg.RateIPv6Prefix, 1, 128)
	cfg.LoggingFilter = cfg.LoggingFilter.checked(m.Under("LoggingFilter"))
	from := cfg.ACL
	a := &ACL{cfg: cfg, byKey: map[string]*source{}, arn: from.ARN}
	if a.arn == "" {
		a.arn = "arn:aws:wafv2:us-east-1:" + accountOf("") + ":regional/webacl/" + from.Name + "/0"
	}
	a.allowed = gatekit.WebACL{ARN: a.arn, ResponseCode: "WAF_ALLOW"}
	a.blocked = gatekit.WebACL{ARN: a.arn, ResponseCode: "WAF_BLOCK"}
	if cfg.Logger == nil {
		a.cfg.Logger = slog.Default()
	}
	m = m.Under("ACL")
	m.Require(from.Name != "" && len(from.Name) <= maxRuleName && !strings.ContainsFunc(from.Name, notOfLabel), "Name",
		"want 1 to %d letters, digits, _ and -, got %.200q", maxRuleName, from.Name)
	m.Require(len(from.TokenDomains) <= 10, "TokenDomains", "want at most 10, got %d", len(from.TokenDomains))
	labels := from.LabelNamespace
	if labels == "" {
		labels = "awswaf:" + accountOf(from.ARN) + ":webacl:" + from.Name + ":"
	} else {
		checkNamespace(m, labels)
	}
	checkBodies(m, from.CustomResponseBodies)
	a.bodyLimit = bodyLimit(m, from.AssociationConfig)
	a.defaultAction = a.compileDefault(m, &from.DefaultAction)
	h := &holder{acl: a, labels: labels, place: from.Name, bodies: from.CustomResponseBodies, capacity: &a.capacity}
	a.rules = h.rules(m.Under("Rules"), from.Rules)
	for _, r := range a.rules {
		if r.group != nil {
			r.group.ref = r
		}
	}
	a.checkQuotas(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if a.counter = cfg.Counter; a.counter == nil && a.needsCounter {
		a.memory = window.NewMemory(cmp.Or(cfg.RateKeys, defaultRateKeys))
	}
	a.hide(cfg.Redact.Headers)
	a.byKey = nil
	a.cfg.ACL, a.cfg.RuleGroups, a.cfg.RegexPatternSets, a.cfg.IPSets = nil, nil, nil, nil // all is compiled
	return a, nil
}

// bodyLimit is how much of a body is inspected.
func bodyLimit(m *mistakes.Mistakes, c *AssociationConfig) int {
	text := "KB_16"
	if c != nil && c.RequestBody["API_GATEWAY"].DefaultSizeInspectionLimit != "" {
		text = c.RequestBody["API_GATEWAY"].DefaultSizeInspectionLimit
	}
	n := map[string]int{"KB_16": 16, "KB_32": 32, "KB_48": 48, "KB_64": 64}[text]
	m.Require(n > 0, "AssociationConfig", "want KB_16, KB_32, KB_48 or KB_64, got %q", text)
	return n << 10
}

func (a *ACL) compileDefault(m *mistakes.Mistakes, from *DefaultAction) *action {
	if (from.Allow == nil) == (from.Block == nil) {
		m.Add("DefaultAction", "want one of Allow and Block")
		return nil
	}
	return a.action(m.Under("DefaultAction"), &Action{Allow: from.Allow, Block: from.Block},
		&Rule{Name: defaultAction}, a.cfg.ACL.Name, a.cfg.ACL.CustomResponseBodies)
}

// defaultAction is what the log calls it.
const defaultAction = "Default_Action"

func (a *ACL) checkQuotas(m *mistakes.Mistakes) {
	m.Require(a.insertedHeaders <= maxHeaders, "Rules", "want at most %d headers to insert, got %d", maxHeaders,
		a.insertedHeaders)
	m.Require(a.responseHeaders <= maxHeaders, "Rules", "want at most %d headers of responses, got %d", maxHeaders,
		a.responseHeaders)
	m.Require(a.capacity <= maxCapacity, "Rules", "want at most %d WCU, got %d", maxCapacity, a.capacity)
}

// Capacity returns what the web ACL costs in WCU, by the rules of "Web ACL capacity units (WCUs) in
// AWS WAF" of the developer guide. The transformation NONE costs nothing.
func (a *ACL) Capacity() int { return int(a.capacity) }

// Findings returns the rules that a lenient [New] has left out, and why.
func (a *ACL) Findings() []Finding { return append([]Finding(nil), a.findings...) }
