package waf

// Record is what is known of a request that was judged, in the words of the log of AWS WAF. It is
// written as JSON by encoding/json. ("Log fields for web ACL traffic" of the developer guide.)
type Record struct {
	// Timestamp is in milliseconds since 1970, and FormatVersion is 1.
	Timestamp     int64 `json:"timestamp"`
	FormatVersion int   `json:"formatVersion"`
	// WebACLID is the web ACL's ARN.
	WebACLID string `json:"webaclId"`
	// TerminatingRuleID is a rule's name, Default_Action, or a group's id.
	TerminatingRuleID string `json:"terminatingRuleId"`
	// TerminatingRuleType is REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP.
	TerminatingRuleType string `json:"terminatingRuleType"`
	// Action is ALLOW, BLOCK, CAPTCHA or CHALLENGE.
	Action string `json:"action"`
	// TerminatingRuleMatchDetails are of rules about injection.
	TerminatingRuleMatchDetails []MatchRecord `json:"terminatingRuleMatchDetails"`
	// HTTPSourceName is APIGW, and HTTPSourceID the API's account:id:stage, as far as it is known.
	HTTPSourceName string `json:"httpSourceName"`
	HTTPSourceID   string `json:"httpSourceId"`
	// RuleGroupList are the groups that were judged.
	RuleGroupList []RuleGroupRecord `json:"ruleGroupList"`
	// RateBasedRuleList are the rate-based rules that limit the request.
	RateBasedRuleList []RateRecord `json:"rateBasedRuleList"`
	// NonTerminatingMatchingRules are the ACL's own rules that have matched and let it go on.
	NonTerminatingMatchingRules []RuleRecord `json:"nonTerminatingMatchingRules"`
	// RequestHeadersInserted are in the order in which they are set. nil is none.
	RequestHeadersInserted []HeaderRecord `json:"requestHeadersInserted"`
	// ResponseCodeSent is that of a custom response, CAPTCHA or challenge, or nil.
	ResponseCodeSent *int `json:"responseCodeSent"`
	// HTTPRequest is the request, and Labels the first hundred that were set.
	HTTPRequest HTTPRecord   `json:"httpRequest"`
	Labels      []NameRecord `json:"labels,omitempty"`
	// CaptchaResponse and ChallengeResponse are of the rule that has ended the evaluation.
	CaptchaResponse   *TokenRecord `json:"captchaResponse,omitempty"`
	ChallengeResponse *TokenRecord `json:"challengeResponse,omitempty"`
	// OversizeFields are parts that are larger than what is inspected, of those that rules have
	// looked at: REQUEST_BODY, REQUEST_JSON_BODY, REQUEST_HEADERS, REQUEST_COOKIES.
	OversizeFields []string `json:"oversizeFields,omitempty"`
	// RequestBodySize is in bytes, -1 if the request doesn't say it, and
	// RequestBodySizeInspectedByWAF how many of them rules have looked at.
	RequestBodySize               int64 `json:"requestBodySize,omitempty"`
	RequestBodySizeInspectedByWAF int64 `json:"requestBodySizeInspectedByWAF,omitempty"`
	// JA3Fingerprint and JA4Fingerprint are what Config.JA3 and Config.JA4 tell.
	JA3Fingerprint string `json:"ja3Fingerprint,omitempty"`
	JA4Fingerprint string `json:"ja4Fingerprint,omitempty"`
	// Fault says why a rule couldn't be judged. It is no field of the service's.
	Fault string `json:"fault,omitempty"`
}

// RuleGroupRecord is a group that was judged.
type RuleGroupRecord struct {
	// RuleGroupID is the group's ARN, or VENDOR#NAME of a managed one.
	RuleGroupID string `json:"ruleGroupId"`
	// TerminatingRule has ended the group's evaluation. nil is none.
	TerminatingRule             *RuleRecord  `json:"terminatingRule"`
	NonTerminatingMatchingRules []RuleRecord `json:"nonTerminatingMatchingRules"`
	// ExcludedRules have matched and only count, as ExcludedRules of the reference says.
	ExcludedRules []ExclusionRecord `json:"excludedRules"`
}

// RuleRecord is a rule that has matched.
type RuleRecord struct {
	// RuleID is the rule's name, and Action ALLOW, BLOCK, COUNT, CAPTCHA or CHALLENGE.
	RuleID string `json:"ruleId"`
	Action string `json:"action"`
	// OverriddenAction is what the rule would have done by itself, where a reference overrides it.
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
	// ExclusionType is EXCLUDED_AS_COUNT.
	ExclusionType string `json:"exclusionType"`
	RuleID        string `json:"ruleId"`
}

// RateRecord is a rate-based rule that limits the request.
type RateRecord struct {
	// RateBasedRuleID stands for the rule at its place and with its settings: where it changes, the
	// counts begin anew.
	RateBasedRuleID   string `json:"rateBasedRuleId"`
	RateBasedRuleName string `json:"rateBasedRuleName"`
	// LimitKey is IP, FORWARDED_IP, CONSTANT or CUSTOMKEYS.
	LimitKey string `json:"limitKey"`
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
	Key  string `json:"key"` // HEADER, COOKIE, QUERY_ARGUMENT …
	Name string `json:"name,omitempty"`
	// Value is REDACTED for cookies, and for what records don't show. Of several values that differ
	// it is the first and the last, joined by a comma.
	Value string `json:"value"`
}

// TokenRecord is what was found of a token. ResponseCode is 0 if that didn't end the evaluation.
type TokenRecord struct {
	ResponseCode   int   `json:"responseCode"`
	SolveTimestamp int64 `json:"solveTimestamp"` // seconds; 0 is never
	// FailureReason is TOKEN_MISSING, TOKEN_EXPIRED, TOKEN_INVALID or TOKEN_DOMAIN_MISMATCH.
	FailureReason string `json:"failureReason,omitempty"`
}

// HTTPRecord is the request.
type HTTPRecord struct {
	// ClientIP is by gatekit.SourceIP.
	ClientIP string `json:"clientIp"`
	Country  string `json:"country"` // "-" if nobody knows
	// Headers are sorted by name, and the names in lower case.
	Headers []HeaderRecord `json:"headers"`
	// URI is the path as it was received, Args the query, HTTPVersion as in HTTP/1.1.
	URI         string `json:"uri"`
	Args        string `json:"args"`
	HTTPVersion string `json:"httpVersion"`
	HTTPMethod  string `json:"httpMethod"`
	RequestID   string `json:"requestId"`
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
