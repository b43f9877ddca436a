package waf

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

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
		NonTerminatingMatchingRules: []RuleRecord{}, TerminatingRuleMatchDetails: []MatchRecord{},
	}
	s.recordEnding(to, act)
	s.recordGroups(to)
	for _, of := range s.seen {
		if of.group == nil {
			to.NonTerminatingMatchingRules = append(to.NonTerminatingMatchingRules, of.record())
		}
		s.recordRate(to, of.rule)
	}
	s.recordRate(to, s.last.rule)
	if act.kind == actionAllow && s.err == nil {
		for _, h := range slices.Concat(s.inserted, act.insert) {
			of := HeaderRecord{strings.ToLower(h.Name), h.Value}
			to.RequestHeadersInserted = append(to.RequestHeadersInserted, of)
		}
	}
	for _, label := range s.labels[:min(len(s.labels), maxRecordedLabels)] {
		to.Labels = append(to.Labels, NameRecord{label})
	}
	s.recordOversize(to)
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
	to.TerminatingRuleMatchDetails = append(to.TerminatingRuleMatchDetails, s.last.details...)
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
	if s.err != nil {
		to.Action, to.Fault = actionBlock, s.err.Error()
		return
	}
	if act.response != nil {
		status := act.response.status
		to.ResponseCodeSent = &status
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
	to := RuleRecord{RuleID: of.rule.name, Action: of.rule.action.kind, OverriddenAction: of.rule.overridden,
		RuleMatchDetails: of.details}
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
				of.ExcludedRules = append(of.ExcludedRules, ExclusionRecord{excludedAsCount, matched.rule.name})
			default:
				of.NonTerminatingMatchingRules = append(of.NonTerminatingMatchingRules, matched.record())
			}
		}
		to.RuleGroupList = append(to.RuleGroupList, of)
	}
}

// recordOversize tells the parts that are too large, of those that rules have looked at.
func (s *state) recordOversize(to *Record) {
	for _, of := range []struct {
		part  parts
		large func() bool
		name  string
	}{
		{partBody, func() bool { return s.bodyTooLarge }, "REQUEST_BODY"},
		{partJSON, func() bool { return s.bodyTooLarge }, "REQUEST_JSON_BODY"},
		{partHeaders, func() bool { return tooManyHeaders(s.r) }, "REQUEST_HEADERS"},
		{partCookies, func() bool { return tooManyCookies(s.r) }, "REQUEST_COOKIES"},
	} {
		if s.looked&of.part != 0 && of.large() {
			to.OversizeFields = append(to.OversizeFields, of.name)
		}
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
	host := s.r.Host
	if s.acl.hidden["Host"] {
		host = redacted
	}
	to.Headers = append(to.Headers, HeaderRecord{"host", host})
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
