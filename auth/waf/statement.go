package waf

// Statement is what a rule looks for: exactly one of these. The name of a field is that of its
// type, where it says what it looks for.
type Statement struct {
	ByteMatchStatement                *ByteMatchStatement
	RegexMatchStatement               *RegexMatchStatement
	RegexPatternSetReferenceStatement *RegexPatternSetReferenceStatement
	SizeConstraintStatement           *SizeConstraintStatement
	SqliMatchStatement                *SqliMatchStatement
	XssMatchStatement                 *XssMatchStatement
	GeoMatchStatement                 *GeoMatchStatement
	AsnMatchStatement                 *AsnMatchStatement
	IPSetReferenceStatement           *IPSetReferenceStatement
	LabelMatchStatement               *LabelMatchStatement
	RateBasedStatement                *RateBasedStatement
	AndStatement                      *AndStatement
	OrStatement                       *OrStatement
	NotStatement                      *NotStatement
	ManagedRuleGroupStatement         *ManagedRuleGroupStatement
	RuleGroupReferenceStatement       *RuleGroupReferenceStatement
}

// ByteMatchStatement looks for a string.
type ByteMatchStatement struct {
	// SearchString is 1 to 200 bytes, compared as they are.
	SearchString string
	// FieldToMatch is where to look, here and in the statements below.
	FieldToMatch FieldToMatch
	// TextTransformations are what is done to the text before, 1 to 10; NONE alone does nothing.
	TextTransformations []TextTransformation
	// PositionalConstraint is EXACTLY, STARTS_WITH, ENDS_WITH, CONTAINS or CONTAINS_WORD.
	PositionalConstraint string
	// PreParseTextTransformations act on the query string before it is split into arguments: for
	// SingleQueryArgument and AllQueryArguments alone.
	PreParseTextTransformations []TextTransformation
}

// RegexMatchStatement looks for a regular expression in Go's syntax (RE2), unanchored.
type RegexMatchStatement struct {
	// RegexString is 1 to 512 characters.
	RegexString                 string
	FieldToMatch                FieldToMatch
	TextTransformations         []TextTransformation
	PreParseTextTransformations []TextTransformation
}

// RegexPatternSetReferenceStatement looks for any of a set of regular expressions.
type RegexPatternSetReferenceStatement struct {
	// ARN is that of the set, or its name: a key of Config.RegexPatternSets.
	ARN                         string
	FieldToMatch                FieldToMatch
	TextTransformations         []TextTransformation
	PreParseTextTransformations []TextTransformation
}

// SizeConstraintStatement compares a length in bytes.
type SizeConstraintStatement struct {
	// ComparisonOperator is EQ, NE, LE, LT, GE or GT.
	ComparisonOperator string
	// Size is 0 to 21,474,836,480.
	Size                        int64
	FieldToMatch                FieldToMatch
	TextTransformations         []TextTransformation
	PreParseTextTransformations []TextTransformation
}

// SqliMatchStatement looks for SQL injection.
type SqliMatchStatement struct {
	// SensitivityLevel is LOW (also "") or HIGH.
	SensitivityLevel            string
	FieldToMatch                FieldToMatch
	TextTransformations         []TextTransformation
	PreParseTextTransformations []TextTransformation
}

// XssMatchStatement looks for cross-site scripting.
type XssMatchStatement struct {
	FieldToMatch                FieldToMatch
	TextTransformations         []TextTransformation
	PreParseTextTransformations []TextTransformation
}

// GeoMatchStatement looks where an address is, by Config.Geo, and labels the request with it.
type GeoMatchStatement struct {
	// CountryCodes are 1 to 50, of two letters.
	CountryCodes []string
	// ForwardedIPConfig takes the address from a header.
	ForwardedIPConfig *ForwardedIPConfig
}

// AsnMatchStatement looks whose an address is, by Config.ASN.
type AsnMatchStatement struct {
	// AsnList are 1 to 100 numbers. An address that belongs to none has 0.
	AsnList []int64
	// ForwardedIPConfig takes the address from a header.
	ForwardedIPConfig *ForwardedIPConfig
}

// IPSetReferenceStatement looks for an address in a set.
type IPSetReferenceStatement struct {
	// ARN is that of the set, or its name: a key of Config.IPSets.
	ARN string
	// IPSetForwardedIPConfig takes the address from a header.
	IPSetForwardedIPConfig *IPSetForwardedIPConfig
}

// ForwardedIPConfig takes the first address of a header, which a client can write itself: trust it
// only behind a proxy of your own that sets it.
type ForwardedIPConfig struct {
	// HeaderName is the header's, such as X-Forwarded-For. Without the header the rule isn't
	// applied; see Config.AbsentForwardedIPIsNoMatch.
	HeaderName string
	// FallbackBehavior is MATCH or NO_MATCH, for a header that has no address there.
	FallbackBehavior string
}

// IPSetForwardedIPConfig is ForwardedIPConfig with a choice of the address.
type IPSetForwardedIPConfig struct {
	// HeaderName and FallbackBehavior are as in ForwardedIPConfig.
	HeaderName, FallbackBehavior string
	// Position is FIRST, LAST or ANY, which looks at the last ten.
	Position string
}

// LabelMatchStatement looks for a label that an earlier rule has set.
type LabelMatchStatement struct {
	// Scope is LABEL, for which Key is the end of a label, or NAMESPACE, for which it is a run of
	// namespaces with a colon at its end.
	Scope string
	// Key without the prefix awswaf: means the labels of the rule's own ACL or group.
	Key string
}

// RateBasedStatement matches while there are more than Limit requests within the window.
type RateBasedStatement struct {
	// Limit is 10 to 2,000,000,000 requests in a window.
	Limit int64
	// EvaluationWindowSec is 60, 120, 300 (also 0) or 600.
	EvaluationWindowSec int64
	// AggregateKeyType is IP, FORWARDED_IP, CONSTANT or CUSTOM_KEYS. Required.
	AggregateKeyType string
	// CustomKeys are 1 to 5, whose values together are what is counted by.
	CustomKeys []RateBasedStatementCustomKey
	// ForwardedIPConfig is for FORWARDED_IP, and for a custom key of that kind.
	ForwardedIPConfig *ForwardedIPConfig
	// ScopeDownStatement says what is counted and acted on: everything without it.
	ScopeDownStatement *Statement
}

// RateBasedStatementCustomKey is one of the values that requests are counted by: one of these.
//
// A request that lacks one of the keys isn't counted, and not limited.
type RateBasedStatementCustomKey struct {
	// Header, Cookie, QueryArgument and LabelNamespace may be there several times, the others once.
	Header, Cookie, QueryArgument *RateLimitNamed
	LabelNamespace                *RateLimitLabelNamespace
	QueryString, UriPath          *RateLimitText
	// HTTPMethod and ASN have no settings.
	HTTPMethod, ASN *struct{}
	// IP and ForwardedIP are for another key beside them.
	IP, ForwardedIP *struct{}
	// JA3Fingerprint and JA4Fingerprint count all requests without one together if the fallback is
	// MATCH, and not at all if it is NO_MATCH.
	JA3Fingerprint, JA4Fingerprint *FingerprintField
}

// RateLimitNamed is the value of a header, cookie or query argument.
type RateLimitNamed struct {
	// Name is compared in any letter case, but for a cookie's.
	Name string
	// TextTransformations are 1 to 10, so that two spellings of one value are one.
	TextTransformations []TextTransformation
}

// RateLimitText is the query string or the path.
type RateLimitText struct{ TextTransformations []TextTransformation }

// RateLimitLabelNamespace is the labels within a namespace, which ends in a colon.
type RateLimitLabelNamespace struct{ Namespace string }

// AndStatement matches if all of at least two match. They are judged in order, until one doesn't.
type AndStatement struct{ Statements []Statement }

// OrStatement matches if one of at least two matches. They are judged in order, until one does.
type OrStatement struct{ Statements []Statement }

// NotStatement matches if its statement doesn't.
type NotStatement struct{ Statement *Statement }

// ManagedRuleGroupStatement runs a rule group of a vendor. None is published: bind its name to a
// group of yours in Config.RuleGroups, by the key "VENDOR:NAME".
type ManagedRuleGroupStatement struct {
	// VendorName and Name are the key; Version decides nothing.
	VendorName, Name, Version string
	// ScopeDownStatement says which requests the group sees: all without it.
	ScopeDownStatement *Statement
	// RuleActionOverrides replace the actions of rules, at most 100; names that the group hasn't
	// are passed over.
	RuleActionOverrides []RuleActionOverride
	// ExcludedRules is the older spelling of an override to Count.
	ExcludedRules []ExcludedRule
	// ManagedRuleGroupConfigs are for a vendor's own groups, and refused: nothing could follow
	// them.
	ManagedRuleGroupConfigs []map[string]any
}

// RuleGroupReferenceStatement runs a rule group of one's own.
type RuleGroupReferenceStatement struct {
	// ARN is that of the group, or its name: a key of Config.RuleGroups.
	ARN string
	// RuleActionOverrides and ExcludedRules name rules of the group. Another name is refused.
	RuleActionOverrides []RuleActionOverride
	ExcludedRules       []ExcludedRule
}

// RuleActionOverride replaces a rule's action, as if it had been written so.
type RuleActionOverride struct {
	// Name is the rule's, letter by letter.
	Name        string
	ActionToUse Action
}

// ExcludedRule is a rule that only counts.
type ExcludedRule struct{ Name string }

// TextTransformation is a step in the way of a text to be judged.
type TextTransformation struct {
	// Priority orders the steps, the lowest first; no two are equal.
	Priority int64
	// Type is WAFv2's name, such as URL_DECODE.
	Type string
}
