package waf

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Record is what is known of a request that was judged, in the words of the log of AWS WAF. It is
// written as JSON by encoding/json. ("Log fields for web ACL traffic" of the developer guide.)
type Record struct {
	Timestamp     int64  `json:"timestamp"` // milliseconds
	FormatVersion int    `json:"formatVersion"`
	WebACLID      string `json:"webaclId"`
	// TerminatingRuleID is a rule's name, Default_Action, or a group's id.
	TerminatingRuleID string `json:"terminatingRuleId"`
	// TerminatingRuleType is REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP.
	TerminatingRuleType string `json:"terminatingRuleType"`
	// Action is ALLOW, BLOCK, CAPTCHA or CHALLENGE.
	Action                      string            `json:"action"`
	HTTPSourceName              string            `json:"httpSourceName"`
	HTTPSourceID                string            `json:"httpSourceId"`
	RuleGroupList               []RuleGroupRecord `json:"ruleGroupList"`
	RateBasedRuleList           []RateRecord      `json:"rateBasedRuleList"`
	NonTerminatingMatchingRules []RuleRecord      `json:"nonTerminatingMatchingRules"`
	RequestHeadersInserted      []HeaderRecord    `json:"requestHeadersInserted"`
	// ResponseCodeSent is that of a custom response, CAPTCHA or challenge, or nil.
	ResponseCodeSent  *int         `json:"responseCodeSent"`
	HTTPRequest       HTTPRecord   `json:"httpRequest"`
	Labels            []NameRecord `json:"labels,omitempty"`
	CaptchaResponse   *TokenRecord `json:"captchaResponse,omitempty"`
	ChallengeResponse *TokenRecord `json:"challengeResponse,omitempty"`
	// OversizeFields are parts that are larger than what is inspected, of those that rules have
	// looked at.
	OversizeFields                []string `json:"oversizeFields,omitempty"`
	RequestBodySize               int64    `json:"requestBodySize,omitempty"` // -1 is unknown
	RequestBodySizeInspectedByWAF int64    `json:"requestBodySizeInspectedByWAF,omitempty"`
	JA3Fingerprint                string   `json:"ja3Fingerprint,omitempty"`
	JA4Fingerprint                string   `json:"ja4Fingerprint,omitempty"`
	// Fault says why a rule couldn't be judged. It is no field of the service's.
	Fault string `json:"fault,omitempty"`
}

// RuleGroupRecord is a group that was judged.
type RuleGroupRecord struct {
	RuleGroupID                 string            `json:"ruleGroupId"`
	TerminatingRule             *RuleRecord       `json:"terminatingRule"`
	NonTerminatingMatchingRules []RuleRecord      `json:"nonTerminatingMatchingRules"`
	ExcludedRules               []ExclusionRecord `json:"excludedRules"`
}

// RuleRecord is a rule that has matched.
type RuleRecord struct {
	RuleID            string       `json:"ruleId"`
	Action            string       `json:"action"`
	OverriddenAction  string       `json:"overriddenAction,omitempty"`
	CaptchaResponse   *TokenRecord `json:"captchaResponse,omitempty"`
	ChallengeResponse *TokenRecord `json:"challengeResponse,omitempty"`
}

// ExclusionRecord is a rule that has matched and only counts.
type ExclusionRecord struct {
	ExclusionType string `json:"exclusionType"`
	RuleID        string `json:"ruleId"`
}

// RateRecord is a rate-based rule that limits the request.
type RateRecord struct {
	RateBasedRuleName   string `json:"rateBasedRuleName"`
	LimitKey            string `json:"limitKey"`
	MaxRateAllowed      int64  `json:"maxRateAllowed"`
	EvaluationWindowSec int64  `json:"evaluationWindowSec,string"`
}

// TokenRecord is what was found of a token. ResponseCode is 0 if that didn't end the evaluation.
type TokenRecord struct {
	ResponseCode   int    `json:"responseCode"`
	SolveTimestamp int64  `json:"solveTimestamp"` // seconds; 0 is never
	FailureReason  string `json:"failureReason,omitempty"`
}

// HTTPRecord is the request.
type HTTPRecord struct {
	ClientIP    string         `json:"clientIp"`
	Country     string         `json:"country"` // "-" if nobody knows
	Headers     []HeaderRecord `json:"headers"`
	URI         string         `json:"uri"`
	Args        string         `json:"args"`
	HTTPVersion string         `json:"httpVersion"`
	HTTPMethod  string         `json:"httpMethod"`
	RequestID   string         `json:"requestId"`
}

// HeaderRecord is a header.
type HeaderRecord struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// NameRecord is a label.
type NameRecord struct {
	Name string `json:"name"`
}

// redacted stands for what a record doesn't show.
const redacted = "REDACTED"

// maxRecordedLabels is how many labels a record has.
const maxRecordedLabels = 100

// secrets are headers that no record shows.
var secrets = []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Amz-Security-Token"}

// hide notes which headers records don't show.
func (a *ACL) hide(names []string) {
	a.hidden = map[string]bool{}
	for _, name := range slices.Concat(secrets, names) {
		a.hidden[textproto.CanonicalMIMEHeaderKey(name)] = true
	}
}

// record makes the record, of nothing that is used again.
func (s *state) record() *Record {
	act := s.action()
	to := &Record{
		Timestamp: time.Now().UnixMilli(), FormatVersion: 1, WebACLID: s.acl.arn, Action: act.kind,
		TerminatingRuleID: defaultAction, TerminatingRuleType: "REGULAR",
		HTTPSourceName: "APIGW", HTTPSourceID: s.sourceID(), HTTPRequest: s.httpRecord(),
		RuleGroupList: []RuleGroupRecord{}, RateBasedRuleList: []RateRecord{},
		NonTerminatingMatchingRules: []RuleRecord{},
	}
	s.recordEnding(to, act)
	s.recordGroups(to)
	for _, of := range s.seen {
		if of.group == nil {
			to.NonTerminatingMatchingRules = append(to.NonTerminatingMatchingRules, of.record())
		}
		to.addRate(of.rule)
	}
	to.addRate(s.last.rule)
	if act.kind == actionAllow && s.err == nil {
		for _, h := range slices.Concat(s.inserted, act.insert) {
			of := HeaderRecord{strings.ToLower(h.Name), h.Value}
			to.RequestHeadersInserted = append(to.RequestHeadersInserted, of)
		}
	}
	for _, label := range s.labels[:min(len(s.labels), maxRecordedLabels)] {
		to.Labels = append(to.Labels, NameRecord{label})
	}
	if s.bodyTooLarge {
		to.OversizeFields = append(to.OversizeFields, "REQUEST_BODY")
	}
	to.RequestBodySize, to.RequestBodySizeInspectedByWAF = s.r.ContentLength, int64(len(s.body))
	to.JA3Fingerprint, to.JA4Fingerprint = tell(s.acl.cfg.JA3, s.r), tell(s.acl.cfg.JA4, s.r)
	return to
}

func tell(of func(*http.Request) string, r *http.Request) string {
	if of == nil {
		return ""
	}
	return of(r)
}

// recordEnding says what has ended the evaluation.
func (s *state) recordEnding(to *Record, act *action) {
	if s.err != nil {
		to.Action, to.Fault = actionBlock, s.err.Error()
		return
	}
	switch r := s.last.rule; {
	case r == nil:
	case s.last.group != nil:
		to.TerminatingRuleID, to.TerminatingRuleType = s.last.group.id, "GROUP"
		if s.last.group.managed {
			to.TerminatingRuleType = "MANAGED_RULE_GROUP"
		}
	default:
		to.TerminatingRuleID = r.name
		if r.rate != nil {
			to.TerminatingRuleType = "RATE_BASED"
		}
	}
	if act.response != nil {
		to.ResponseCodeSent = &act.response.status
	}
	if token := s.last.token.record(act); act.kind == actionCaptcha {
		to.CaptchaResponse = token
	} else {
		to.ChallengeResponse = token
	}
}

func (t *tokenCheck) record(act *action) *TokenRecord {
	if t == nil {
		return nil
	}
	to := &TokenRecord{FailureReason: t.failure}
	if !t.solved.IsZero() {
		to.SolveTimestamp = t.solved.Unix()
	}
	if t.failure != "" {
		to.ResponseCode = act.response.status
	}
	return to
}

func (of seen) record() RuleRecord {
	if of.override {
		return RuleRecord{RuleID: of.rule.name, Action: actionCount}
	}
	to := RuleRecord{RuleID: of.rule.name, Action: of.rule.action.kind, OverriddenAction: of.rule.overridden}
	if token := of.token.record(of.rule.action); to.Action == actionCaptcha {
		to.CaptchaResponse = token
	} else {
		to.ChallengeResponse = token
	}
	return to
}

// recordGroups says what became of the groups.
func (s *state) recordGroups(to *Record) {
	for _, g := range s.groups {
		of := RuleGroupRecord{RuleGroupID: g.group.id, NonTerminatingMatchingRules: []RuleRecord{}}
		if g.ended != nil && s.err == nil {
			of.TerminatingRule = &RuleRecord{RuleID: g.ended.name, Action: g.ended.action.kind,
				OverriddenAction: g.ended.overridden}
		}
		for _, matched := range s.seen {
			switch {
			case matched.group != g.group:
			case matched.rule.excluded:
				of.ExcludedRules = append(of.ExcludedRules, ExclusionRecord{"EXCLUDED_AS_COUNT", matched.rule.name})
			default:
				of.NonTerminatingMatchingRules = append(of.NonTerminatingMatchingRules, matched.record())
			}
		}
		to.RuleGroupList = append(to.RuleGroupList, of)
	}
}

func (to *Record) addRate(r *rule) {
	if r != nil && r.rate != nil {
		to.RateBasedRuleList = append(to.RateBasedRuleList, RateRecord{
			r.name, r.rate.limitKey(), r.rate.limit, int64(r.rate.window / time.Second)})
	}
}

// sourceID is account:api:stage.
func (s *state) sourceID() string {
	rc := gatekit.From(s.r.Context())
	if rc == nil {
		return ""
	}
	return rc.API.AccountID + ":" + rc.API.APIID + ":" + rc.API.Stage
}

// httpRecord is the request, without what is to be hidden.
func (s *state) httpRecord() HTTPRecord {
	hide := s.acl.cfg.Redact
	to := HTTPRecord{ClientIP: s.client().String(), Country: "-", URI: s.path(), Args: s.r.URL.RawQuery,
		HTTPVersion: s.r.Proto, HTTPMethod: s.r.Method, RequestID: gatekit.From(s.r.Context()).RequestID()}
	if s.acl.cfg.Geo != nil {
		to.Country, _ = s.geo(s.client())
	}
	for _, part := range []struct {
		hidden bool
		text   *string
	}{{hide.UriPath, &to.URI}, {hide.QueryString, &to.Args}, {hide.Method, &to.HTTPMethod}} {
		if part.hidden {
			*part.text = redacted
		}
	}
	to.Headers = append(to.Headers, HeaderRecord{"host", s.r.Host})
	for name, values := range s.r.Header {
		for _, value := range values {
			if s.acl.hidden[name] {
				value = redacted
			}
			to.Headers = append(to.Headers, HeaderRecord{strings.ToLower(name), value})
		}
	}
	slices.SortStableFunc(to.Headers, func(a, b HeaderRecord) int { return strings.Compare(a.Name, b.Name) })
	return to
}
