package crs

import (
	"fmt"
	"regexp"
	"strings"
)

// Rules of ours, among those that Coraza recommends: they refuse by themselves, without a score.
const (
	// RuleBodyUnreadable is a body that isn't what its Content-Type says, or that is cut.
	RuleBodyUnreadable = 200002
	// RuleMultipartStrict is a multipart body that its readers may understand in different ways.
	RuleMultipartStrict = 200003
	// RuleTooManyArguments is a request with more than 1,000 arguments in its query or its body, or
	// as many cookies: rules see no more of them.
	RuleTooManyArguments = 200005
	// RuleBodyTooLarge is a body beyond RequestBodyLimit.
	RuleBodyTooLarge = 200010
	// RuleHeaderTooLarge is a request line and a header of more than 64 KiB together: judging them
	// would take too long.
	RuleHeaderTooLarge = 200011
)

const (
	maxArguments  = 1000
	maxJSONDepth  = 256
	maxHeader     = 64 << 10
	firstOfScoped = 99_000_000 // IDs of the rules that exclusions with a path are
)

// engine is how the engine is set up. It logs nothing: audit logs and its error log hold what
// clients have sent. A body that was cut, as it may be, isn't unreadable.
func (c *Config) engine() string {
	mode, responses := "On", "Off"
	if c.DetectionOnly {
		mode = "DetectionOnly"
	}
	if c.InspectResponses {
		responses = "On"
	}
	return fmt.Sprintf(`
SecRuleEngine %s
SecAuditEngine Off
SecRequestBodyAccess On
SecRequestBodyLimit %d
SecRequestBodyInMemoryLimit %[2]d
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit %d
SecArgumentsLimit %d
SecResponseBodyAccess %s
SecResponseBodyLimit %d
SecResponseBodyLimitAction ProcessPartial
SecResponseBodyMimeType %s
SecDefaultAction "phase:1,log,noauditlog,pass"
SecDefaultAction "phase:2,log,noauditlog,pass"
SecDefaultAction "phase:3,log,noauditlog,pass"
SecDefaultAction "phase:4,log,noauditlog,pass"
SecDefaultAction "phase:5,log,noauditlog,pass"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\+|/)|text/)xml" \
  "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:json|[a-z0-9.-]+\+json)" \
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" \
  "id:%d,phase:2,t:none,log,deny,msg:'The body is not what its type says',severity:CRITICAL,chain"
  SecRule INBOUND_DATA_ERROR "!@eq 1" "t:none"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
  "id:%d,phase:2,t:none,log,deny,msg:'The multipart body can be understood in several ways',severity:CRITICAL,chain"
  SecRule INBOUND_DATA_ERROR "!@eq 1" "t:none"
SecRule ARGUMENTS_LIMIT_REACHED "@eq 1" \
  "id:%d,phase:2,t:none,log,deny,msg:'Too many arguments',severity:CRITICAL"
`, mode, c.RequestBodyLimit+1, maxJSONDepth, maxArguments, responses, c.ResponseBodyLimit,
		strings.Join(c.ResponseTypes, " "), RuleBodyUnreadable, RuleMultipartStrict, RuleTooManyArguments)
}

// setup sets what rule 901 has defaults for.
func (c *Config) setup() string {
	return fmt.Sprintf(`
SecAction "id:900990,phase:1,pass,t:none,nolog,\
  setvar:tx.crs_setup_version=4250,\
  setvar:tx.blocking_paranoia_level=%d,\
  setvar:tx.detection_paranoia_level=%[1]d,\
  setvar:tx.inbound_anomaly_score_threshold=%d,\
  setvar:tx.outbound_anomaly_score_threshold=%d,\
  setvar:'tx.allowed_methods=%s',\
  setvar:'tx.allowed_request_content_type=|%s|'"
`, c.ParanoiaLevel, c.AnomalyThreshold, c.ResponseThreshold, strings.Join(c.AllowedMethods, " "),
		strings.Join(c.AllowedContentTypes, "| |"))
}

// files are the rule set's. What judges answers is left out where nobody asked for it.
func (c *Config) files() string {
	files := "\nInclude @owasp_crs/REQUEST-*.conf\n"
	if c.InspectResponses {
		files += "Include @owasp_crs/RESPONSE-*.conf\n"
	}
	return files
}

// scoped are exclusions that hold for a path. They are rules that take rules out of one request,
// and stand in front of these. The path is looked at decoded and without dot segments, so that
// nobody borrows the exclusion of /webhooks for /webhooks/../orders.
func (c *Config) scoped() string {
	var b strings.Builder
	for i, e := range c.Exclusions {
		if e.Path == "" {
			continue
		}
		target := ""
		if e.Variable != "" {
			target = ";" + e.Variable
		}
		action := fmt.Sprintf("ctl:ruleRemoveByTag=%s", e.Tag)
		switch {
		case e.Tag != "" && target != "":
			action = fmt.Sprintf("ctl:ruleRemoveTargetByTag=%s%s", e.Tag, target)
		case e.Tag == "" && target != "":
			action = fmt.Sprintf("ctl:ruleRemoveTargetById=%d%s", e.Rule, target)
		case e.Tag == "":
			action = fmt.Sprintf("ctl:ruleRemoveById=%d", e.Rule)
		}
		under := regexp.QuoteMeta(strings.TrimRight(e.Path, "/"))
		fmt.Fprintf(&b, "SecRule REQUEST_FILENAME \"@rx ^%s(?:/|$)\" "+
			"\"id:%d,phase:1,pass,nolog,t:none,t:urlDecodeUni,t:normalizePath,%s\"\n", under, firstOfScoped+i, action)
	}
	return b.String()
}

// everywhere are the other exclusions, which stand behind the rules that they change.
func (c *Config) everywhere() string {
	var b strings.Builder
	for _, e := range c.Exclusions {
		switch {
		case e.Path != "":
		case e.Tag != "" && e.Variable != "":
			fmt.Fprintf(&b, "SecRuleUpdateTargetByTag %s \"!%s\"\n", e.Tag, e.Variable)
		case e.Tag != "":
			fmt.Fprintf(&b, "SecRuleRemoveByTag %s\n", e.Tag)
		case e.Variable != "":
			fmt.Fprintf(&b, "SecRuleUpdateTargetById %d \"!%s\"\n", e.Rule, e.Variable)
		default:
			fmt.Fprintf(&b, "SecRuleRemoveById %d\n", e.Rule)
		}
	}
	return b.String()
}
