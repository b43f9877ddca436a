package waf

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Config configures an [ACL]. ACL is required; the rest is what its rules ask for.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added
	// ACL is the web ACL: written down, or from [Read]. New keeps nothing of it.
	ACL *WebACL
	// IPSets are what statements refer to, by ARN or by name: [IPSet.Source] of a document, an
	// [IPList] that is read again when it changes, or anything else that knows addresses.
	IPSets map[string]IPSource
	// RegexPatternSets are what statements refer to, by ARN or by name.
	RegexPatternSets map[string]*RegexPatternSet
	// RuleGroups are what statements refer to: one's own by ARN or by name, and groups of one's own
	// that stand for managed ones, which nobody publishes, by "VENDOR:NAME", such as
	// "AWS:AWSManagedRulesCommonRuleSet".
	RuleGroups map[string]*RuleGroup
	// GroupFuncs are groups that Go code judges, bound by the same names in place of a RuleGroup:
	// (*crs.RuleSet).Judge is one. Rules that refer to them override none of their rules' actions.
	// They cost nothing of the capacity, which is a measure of the service's rules.
	GroupFuncs map[string]GroupFunc
	// Geo tells where an address is: the country's two letters and the region's code within it, as
	// in "US" and "CA". "" is unknown. GeoMatchStatement demands it. It must not block for long.
	Geo func(netip.Addr) (country, region string)
	// ASN tells the number of the autonomous system of an address, 0 if it belongs to none.
	// AsnMatchStatement, and counting by ASN, demand it.
	ASN func(netip.Addr) uint32
	// Counter counts for rate-based rules: redisthrottle.NewCounter for many machines together. nil
	// counts in this process, exactly, for RateKeys keys.
	Counter Counter
	// RateKeys is how many keys are counted in this process at once: 100,000 if it is 0. Where
	// there are more, those that have the least to count give way.
	RateKeys int
	// RateIPv6Prefix is how many bits of an IPv6 address rate-based rules count by. 0 is 128, as at
	// the managed service; 64 counts a network whose client can choose among all its addresses as
	// one. 1 to 128.
	RateIPv6Prefix int
	// Captcha and Challenge know the tokens of clients. Rules with these actions demand them. With
	// Challenge, groups that stand for AWS's Bot Control, ATP or ACFP rule sets set the label
	// awswaf:managed:token:accepted, rejected or absent, before their rules are judged.
	Captcha, Challenge *Puzzle
	// HeaderOrder tells the names of a request's headers in the order in which they came, joined by
	// colons; net/http doesn't keep it. JA3 and JA4 tell the fingerprints of the connection. "" is
	// unknown. A statement about the order demands HeaderOrder; for fingerprints its fallback is
	// the answer if there is no function.
	HeaderOrder, JA3, JA4 func(*http.Request) string
	// FailOpen lets requests pass a rule that can't be judged, because the Counter fails. Else they
	// are refused.
	FailOpen bool
	// AbsentForwardedIPIsNoMatch makes a statement about a forwarded address a plain mismatch where
	// the header isn't there, so that a NotStatement around it matches. Else the statement isn't
	// applied to such a request, as the guide has it: a rule of which nothing else decides doesn't
	// match, and neither does a NotStatement around it.
	AbsentForwardedIPIsNoMatch bool
	// Lenient leaves out rules that can't be judged here, such as a pattern that RE2 doesn't know,
	// and tells them in (*ACL).Findings. What such a rule would have blocked isn't blocked by it,
	// and what it would have allowed isn't allowed: rules behind it see those requests.
	Lenient bool
	// Log is given a record of each request that LoggingFilter keeps. It is called in the request's
	// goroutine, and may keep the record, which has the headers that Redact doesn't name. nil
	// records nothing.
	Log func(*Record)
	// LoggingFilter says which records Log is given. nil keeps all.
	LoggingFilter *LoggingFilter
	// Redact names what records don't show. Authorization, Cookie, Proxy-Authorization and
	// X-Api-Key are never shown.
	Redact Redaction
	// Logger gets the faults that FailOpen lets pass, one a second at most. nil is slog.Default().
	Logger *slog.Logger
}

// Puzzle knows who has solved one, and what to show who hasn't.
type Puzzle struct {
	// Token tells what the request's token says. It is required.
	Token func(*http.Request) Token
	// Page is the HTML that a browser is shown. nil shows nothing.
	Page []byte
}

// Token is what a client's token says.
type Token struct {
	// Solved is when the puzzle was solved, or the challenge answered. A time more than a minute
	// ahead makes the token TOKEN_INVALID.
	Solved time.Time
	// Failure is why the token doesn't count: "" if it does, TOKEN_MISSING, TOKEN_INVALID or
	// TOKEN_DOMAIN_MISMATCH. An old token is found by its time.
	Failure string
}

// Redaction is what records don't show: [LoggingConfiguration.Redaction] makes one.
type Redaction struct {
	// Headers are names, in any letter case.
	Headers []string
	// UriPath, QueryString and Method are shown as REDACTED.
	UriPath, QueryString, Method bool
}
