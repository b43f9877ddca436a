package waf

// WebACL is a web ACL in the words of WAFv2: rules in the order of their priorities, and what is
// done with a request that none of them ends. Field names are those of the API's JSON.
type WebACL struct {
	// Name is part of the labels that rules set. Required.
	Name string
	// ARN is $context.webaclArn and the log's webaclId; its account is part of the labels. "" is
	// made of Name, with the account 000000000000.
	ARN string
	// Id, Description and Scope (REGIONAL or CLOUDFRONT) are the document's, and decide nothing.
	Id, Description, Scope string
	// DefaultAction is for requests that no rule ends. Required.
	DefaultAction DefaultAction
	// Rules are judged by Priority, the lowest first, whatever their order here.
	Rules []Rule
	// CustomResponseBodies are what CustomResponse.CustomResponseBodyKey names.
	CustomResponseBodies map[string]CustomResponseBody
	// AssociationConfig says how much of a body is inspected: 16 KB without it.
	AssociationConfig *AssociationConfig
	// CaptchaConfig and ChallengeConfig say how long a solved puzzle counts where a rule doesn't:
	// 300 seconds without them.
	CaptchaConfig, ChallengeConfig *ImmunityConfig
	// TokenDomains are for the hooks of Config, which know of tokens. At most 10.
	TokenDomains []string
	// LabelNamespace is what the labels of its rules begin with, as GetWebACL tells it:
	// "awswaf:111122223333:webacl:orders:". "" is made of ARN and Name.
	LabelNamespace string
	// VisibilityConfig is the document's, and decides nothing.
	VisibilityConfig *VisibilityConfig
	// Capacity is what the document says; (*ACL).Capacity computes it.
	Capacity int64
}

// Rule is a rule of a web ACL or of a rule group.
type Rule struct {
	// Name is unique within the ACL or group. Required.
	Name string
	// Priority is 0 or more, and unique within the ACL or group.
	Priority int64
	// Statement is what the rule looks for. Required.
	Statement Statement
	// Action is what is done with a request that matches: required, but for references to groups,
	// which have an OverrideAction.
	Action *Action
	// OverrideAction is for references to rule groups, and only there: None takes the group's
	// result, Count counts it. Required there.
	OverrideAction *OverrideAction
	// RuleLabels are set on requests that match, for rules behind this one.
	RuleLabels []Label
	// CaptchaConfig and ChallengeConfig say how long a solved puzzle counts. nil is the ACL's.
	CaptchaConfig, ChallengeConfig *ImmunityConfig
	// VisibilityConfig is the document's, and decides nothing.
	VisibilityConfig *VisibilityConfig
}

// Label is a label without the prefix of its ACL or group: "header:encoding:utf8".
type Label struct {
	// Name has up to five namespaces, each with a colon behind it, and then the label's own name.
	Name string
}

// Action is what a rule does: exactly one of these.
type Action struct {
	Allow     *AllowAction
	Block     *BlockAction
	Count     *CountAction
	Captcha   *CaptchaAction
	Challenge *ChallengeAction
}

// DefaultAction is what an ACL does with a request that no rule ends: one of these.
type DefaultAction struct {
	Allow *AllowAction
	Block *BlockAction
}

// OverrideAction is what becomes of a rule group's result: one of these.
type OverrideAction struct {
	// None takes it.
	None *struct{}
	// Count counts it: the group still stops at the rule that would have ended the evaluation, and
	// the ACL goes on.
	Count *struct{}
}

// The actions.
type (
	// AllowAction lets the request through, with headers if some are to be inserted.
	AllowAction struct{ CustomRequestHandling *CustomRequestHandling }
	// BlockAction answers the request: with CustomResponse, or 403.
	BlockAction struct{ CustomResponse *CustomResponse }
	// CountAction notes that the rule has matched, and goes on.
	CountAction struct{ CustomRequestHandling *CustomRequestHandling }
	// CaptchaAction goes on like Count if the client has solved a puzzle, and else answers 405.
	CaptchaAction struct{ CustomRequestHandling *CustomRequestHandling }
	// ChallengeAction goes on like Count if the client's script has answered, and else answers 202.
	ChallengeAction struct{ CustomRequestHandling *CustomRequestHandling }
)

// CustomRequestHandling inserts headers into a request that goes on.
type CustomRequestHandling struct {
	// InsertHeaders are at most 10. Their names get the prefix x-amzn-waf-.
	InsertHeaders []CustomHTTPHeader
}

// CustomHTTPHeader is a header of a custom response, or one to insert.
type CustomHTTPHeader struct{ Name, Value string }

// CustomResponse is what a blocked client is answered in place of 403.
type CustomResponse struct {
	// ResponseCode is one of those that WAFv2 takes. Required.
	ResponseCode int64
	// CustomResponseBodyKey names one of CustomResponseBodies; "" sends no body.
	CustomResponseBodyKey string
	// ResponseHeaders are at most 10, without Content-Type, which follows the body's.
	ResponseHeaders []CustomHTTPHeader
}

// CustomResponseBody is a body of custom responses, up to 4 KB.
type CustomResponseBody struct {
	// ContentType is TEXT_PLAIN, TEXT_HTML or APPLICATION_JSON.
	ContentType string
	Content     string
}

// AssociationConfig holds the sizes of inspection of the kinds of resources. Only API_GATEWAY's is
// looked at.
type AssociationConfig struct {
	RequestBody map[string]RequestBodyConfig
}

// RequestBodyConfig says how much of a body is inspected.
type RequestBodyConfig struct {
	// DefaultSizeInspectionLimit is KB_16, KB_32, KB_48 or KB_64.
	DefaultSizeInspectionLimit string
}

// ImmunityConfig says how long a solved puzzle counts.
type ImmunityConfig struct{ ImmunityTimeProperty *ImmunityTimeProperty }

// ImmunityTimeProperty is the time in seconds: 60 to 259,200, for a challenge 300 at least.
type ImmunityTimeProperty struct{ ImmunityTime int64 }

// VisibilityConfig names the metrics of a rule. It is read, and decides nothing.
type VisibilityConfig struct {
	SampledRequestsEnabled, CloudWatchMetricsEnabled bool
	MetricName                                       string
}

// RuleGroup is a rule group of one's own, which also stands for a managed one that is bound to it.
type RuleGroup struct {
	// Name is part of the labels that its rules set. Required.
	Name string
	// ARN, Id, Description and Scope are the document's. The ARN's account is part of the labels.
	ARN, Id, Description, Scope string
	// Capacity is what it costs the ACL. 0 is the sum of its rules'.
	Capacity int64
	// Rules may not refer to other groups.
	Rules []Rule
	// CustomResponseBodies are what its rules name.
	CustomResponseBodies map[string]CustomResponseBody
	// LabelNamespace is what the labels of its rules begin with. "" is
	// awswaf:ACCOUNT:rulegroup:NAME:, and awswaf:managed:VENDOR:NAME: for a managed one.
	LabelNamespace string
	// VisibilityConfig is the document's, and decides nothing.
	VisibilityConfig *VisibilityConfig
}

// IPSet is a set of addresses, as GetIPSet and CloudFormation tell it. [IPSet.Source] makes what
// Config.IPSets wants.
type IPSet struct {
	Name, ARN, Id, Description, Scope string
	// IPAddressVersion is IPV4 or IPV6. Required.
	IPAddressVersion string
	// Addresses are prefixes ("192.0.2.0/24"), at most 10,000, of that version, none of them /0.
	Addresses []string
}

// RegexPatternSet is a set of regular expressions, any of which may match.
type RegexPatternSet struct {
	Name, ARN, Id, Description, Scope string
	// RegularExpressionList are at most 10.
	RegularExpressionList []Regex
}

// Regex is one of them.
type Regex struct{ RegexString string }
