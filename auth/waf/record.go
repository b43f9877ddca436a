package waf

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
	Action string `json:"action"`
	// TerminatingRuleMatchDetails are of rules about injection.
	TerminatingRuleMatchDetails []MatchRecord     `json:"terminatingRuleMatchDetails"`
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
	RuleID            string        `json:"ruleId"`
	Action            string        `json:"action"`
	OverriddenAction  string        `json:"overriddenAction,omitempty"`
	RuleMatchDetails  []MatchRecord `json:"ruleMatchDetails,omitempty"`
	CaptchaResponse   *TokenRecord  `json:"captchaResponse,omitempty"`
	ChallengeResponse *TokenRecord  `json:"challengeResponse,omitempty"`
}

// MatchRecord is where a rule has found an injection. What it has found isn't recorded: a form may
// hold a password beside it.
type MatchRecord struct {
	// ConditionType is SQL_INJECTION or XSS.
	ConditionType string `json:"conditionType"`
	// SensitivityLevel is LOW or HIGH, of SQL injection.
	SensitivityLevel string `json:"sensitivityLevel,omitempty"`
	// Location is the part of the request: HEADER, QUERY_STRING, BODY …
	Location string `json:"location"`
	// MatchedFieldName is the header's or the argument's, where the rule names one.
	MatchedFieldName string `json:"matchedFieldName"`
}

// ExclusionRecord is a rule that has matched and only counts.
type ExclusionRecord struct {
	ExclusionType string `json:"exclusionType"`
	RuleID        string `json:"ruleId"`
}

// RateRecord is a rate-based rule that limits the request.
type RateRecord struct {
	RateBasedRuleName string `json:"rateBasedRuleName"`
	LimitKey          string `json:"limitKey"`
	// LimitValue is the address that is counted, where one is; INVALID stands for all that aren't
	// addresses.
	LimitValue          string `json:"limitValue,omitempty"`
	MaxRateAllowed      int64  `json:"maxRateAllowed"`
	EvaluationWindowSec int64  `json:"evaluationWindowSec,string"`
	// CustomValues are what is counted by, with custom keys.
	CustomValues []RateValueRecord `json:"customValues,omitempty"`
}

// RateValueRecord is one of the values that requests are counted by.
type RateValueRecord struct {
	Key   string `json:"key"` // HEADER, COOKIE, QUERY_ARGUMENT …
	Name  string `json:"name,omitempty"`
	Value string `json:"value"` // REDACTED for cookies and for headers that records don't show
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
