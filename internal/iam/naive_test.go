package iam_test

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/iam"
)

// naive is the policy engine as the IAM user guide tells it, without a thought for speed: documents
// stay JSON, patterns become regular expressions, and every statement is asked everything. It knows
// well-formed documents only; the engine is held against it.
type naive struct{ statements []map[string]any }

func newNaive(document string) naive {
	var d struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		panic(err)
	}
	var n naive
	if err := json.Unmarshal(d.Statement, &n.statements); err != nil {
		panic(err)
	}
	return n
}

// effect is the evaluation logic: a deny counts first, then an allow, else nothing is allowed.
func (n naive) effect(r *iam.Request) iam.Effect {
	found := iam.ImplicitDeny
	for _, s := range n.statements {
		if !naiveApplies(s, r) {
			continue
		}
		if s["Effect"] == "Deny" {
			return iam.ExplicitDeny
		}
		found = iam.Allow
	}
	return found
}

func naiveApplies(s map[string]any, r *iam.Request) bool {
	anyOf := func(element string, matches func(pattern string) bool) bool {
		if list, ok := s[element]; ok {
			return slices.ContainsFunc(naiveTexts(list), matches)
		}
		return !slices.ContainsFunc(naiveTexts(s["Not"+element]), matches)
	}
	action := func(pattern string) bool {
		return naiveGlob(strings.ToLower(pattern), strings.ToLower(r.Action), nil)
	}
	resource := func(pattern string) bool { return naiveARN(pattern, r.Resource, r) }
	if !anyOf("Action", action) || !anyOf("Resource", resource) {
		return false
	}
	deny := s["Effect"] == "Deny"
	if who, ok := s["Principal"]; ok && !naivePrincipal(who, r) {
		return false
	}
	conditions, _ := s["Condition"].(map[string]any)
	for operator, keys := range conditions {
		for key, values := range keys.(map[string]any) {
			holds, sure := naiveCondition(operator, key, naiveTexts(values), r)
			if !sure && !deny || sure && !holds {
				return false
			}
		}
	}
	return true
}

func naiveTexts(value any) (texts []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case []any:
		for _, e := range v {
			texts = append(texts, naiveTexts(e)...)
		}
	}
	return texts
}

// naivePrincipal knows * and accounts, users and roles by their ARNs.
func naivePrincipal(who any, r *iam.Request) bool {
	if who == "*" {
		return true
	}
	for _, name := range naiveTexts(who.(map[string]any)["AWS"]) {
		account := strings.TrimSuffix(strings.TrimPrefix(name, "arn:aws:iam::"), ":root")
		switch p := r.Principal; {
		case name == "*":
			return true
		case p.Type == iam.Anonymous:
		case name == p.ARN, name == p.RoleARN, account == p.AccountID && p.AccountID != "":
			return true
		}
	}
	return false
}

// naiveGlob matches by a regular expression. Variables are looked up in r, and their values are
// plain text; nil has no variables.
func naiveGlob(pattern, text string, r *iam.Request) bool {
	expression, ok := strings.Builder{}, true
	for token := range naiveTokens(pattern) {
		switch {
		case token == "*":
			expression.WriteString(".*")
		case token == "?":
			expression.WriteString(".")
		case r != nil && len(token) == 4 && strings.HasPrefix(token, "${"): // ${*} is a star
			expression.WriteString(regexp.QuoteMeta(token[2:3]))
		case r != nil && strings.HasPrefix(token, "${"):
			key, fallback, hasDefault := strings.Cut(strings.Trim(token, "${}"), ", ")
			values := naiveValues(key, r)
			switch {
			case len(values) == 1:
				expression.WriteString(regexp.QuoteMeta(values[0]))
			case hasDefault:
				expression.WriteString(regexp.QuoteMeta(strings.Trim(fallback, "'")))
			default:
				ok = false
			}
		default:
			expression.WriteString(regexp.QuoteMeta(token))
		}
	}
	return ok && regexp.MustCompile(`(?s)\A`+expression.String()+`\z`).MatchString(text)
}

var naiveToken = regexp.MustCompile(`(?s)\$\{[^}]*\}|.`)

func naiveTokens(pattern string) func(func(string) bool) {
	return slices.Values(naiveToken.FindAllString(pattern, -1))
}

// naiveARN matches part by part: a wildcard stays within its part.
func naiveARN(pattern, resource string, r *iam.Request) bool {
	if pattern == "*" {
		return true
	}
	want, have := naiveSplit(pattern), naiveSplit(resource)
	if len(want) != 6 || len(have) != 6 || have[0] != "arn" {
		return false
	}
	for i := range want {
		if !naiveGlob(want[i], have[i], r) {
			return false
		}
	}
	return true
}

// naiveSplit cuts at five colons, none of them within a variable.
func naiveSplit(arn string) []string {
	hidden := regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(arn, func(v string) string { return strings.ReplaceAll(v, ":", "\x00") })
	parts := strings.SplitN(hidden, ":", 6)
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "\x00", ":")
	}
	return parts
}

// naiveValues are the values of a condition key.
func naiveValues(key string, r *iam.Request) []string {
	optional := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{text}
	}
	switch strings.ToLower(key) {
	case "aws:currenttime":
		return []string{r.Time.Format(time.RFC3339Nano)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(r.Time.Unix(), 10)}
	case "aws:securetransport":
		return []string{strconv.FormatBool(r.SecureTransport)}
	case "aws:sourceip":
		if r.SourceIP.IsValid() && r.SourceVPCE == "" {
			return []string{r.SourceIP.String()}
		}
		return nil
	case "aws:vpcsourceip":
		if r.SourceIP.IsValid() && r.SourceVPCE != "" {
			return []string{r.SourceIP.String()}
		}
		return nil
	case "aws:sourcevpce":
		return optional(r.SourceVPCE)
	case "aws:useragent":
		return optional(r.UserAgent)
	case "aws:username":
		if r.Principal.Type == iam.User {
			return optional(r.Principal.UserName)
		}
		return nil
	case "aws:principalarn":
		if r.Principal.RoleARN != "" {
			return []string{r.Principal.RoleARN}
		}
		return optional(r.Principal.ARN)
	case "aws:principalorgpaths":
		return r.Principal.OrgPaths
	}
	return r.Extra[strings.ToLower(key)]
}

// naiveCondition is the table "Condition operators", with its prefixes and suffix. sure is false
// where a value isn't of the operator's type.
func naiveCondition(operator, key string, wants []string, r *iam.Request) (holds, sure bool) {
	have := naiveValues(key, r)
	base, all := strings.CutPrefix(operator, "ForAllValues:")
	base, some := strings.CutPrefix(base, "ForAnyValue:")
	base, ifExists := strings.CutSuffix(base, "IfExists")
	if base == "Null" {
		return slices.Contains(wants, strconv.FormatBool(len(have) == 0)), true
	}
	negated := strings.Contains(base, "Not")
	base = strings.Replace(base, "Not", "", 1)
	if len(have) == 0 {
		return ifExists || all || !some && negated, true
	}
	if !all && !some && len(have) > 1 {
		return false, false
	}
	satisfied := 0
	for i, value := range have {
		matches, ok := naiveMatches(base, value, wants, r)
		if !ok {
			return false, false
		}
		if matches != negated {
			satisfied++
		}
		if all && satisfied <= i || some && satisfied > 0 {
			break // decided, whatever the other values are
		}
	}
	if all {
		return satisfied == len(have), true
	}
	return satisfied > 0, true
}

func naiveMatches(base, value string, wants []string, r *iam.Request) (matches, ok bool) {
	for _, want := range wants {
		one, valid := false, true
		switch base {
		case "StringEquals":
			one = naiveExpanded(want, r) == value
		case "StringEqualsIgnoreCase":
			one = strings.EqualFold(naiveExpanded(want, r), value)
		case "StringLike":
			one = naiveGlob(want, value, r)
		case "ArnEquals", "ArnLike":
			valid = len(naiveSplit(value)) == 6 && strings.HasPrefix(value, "arn:")
			one = valid && naiveARN(want, value, r)
		case "IpAddress":
			addr, err := netip.ParseAddr(value)
			prefix, prefixErr := netip.ParsePrefix(want)
			if prefixErr != nil {
				prefix = netip.PrefixFrom(netip.MustParseAddr(want), netip.MustParseAddr(want).BitLen())
			}
			valid = err == nil
			one = valid && prefix.Contains(addr.Unmap())
		case "Bool":
			valid = value == "true" || value == "false"
			one = value == want
		case "BinaryEquals":
			_, err := base64.StdEncoding.DecodeString(value)
			valid, one = err == nil, value == want
		default:
			one, valid = naiveCompare(base, value, want)
		}
		if !valid {
			return false, false
		}
		matches = matches || one
	}
	return matches, true
}

// naiveExpanded fills in variables; one without a value matches nothing.
func naiveExpanded(want string, r *iam.Request) string {
	missing := false
	text := regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(want, func(v string) string {
		values := naiveValues(strings.Trim(v, "${}"), r)
		if len(values) != 1 {
			missing = true
			return ""
		}
		return values[0]
	})
	if missing {
		return "\x00 no request has this value"
	}
	return text
}

func naiveCompare(base, value, want string) (one, ok bool) {
	var diff int
	if rest, isDate := strings.CutPrefix(base, "Date"); isDate {
		a, aOK := naiveDate(value)
		b, _ := naiveDate(want)
		diff, ok, base = a.Compare(b), aOK, rest
	} else {
		a, err := strconv.ParseFloat(value, 64)
		b, _ := strconv.ParseFloat(want, 64)
		ok, base = err == nil, strings.TrimPrefix(base, "Numeric")
		diff = map[bool]int{true: 1}[a > b] - map[bool]int{true: 1}[a < b]
	}
	switch base {
	case "LessThan":
		return diff < 0, ok
	case "LessThanEquals":
		return diff <= 0, ok
	case "GreaterThan":
		return diff > 0, ok
	case "GreaterThanEquals":
		return diff >= 0, ok
	}
	return diff == 0, ok
}

func naiveDate(text string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil && len(text) > 4 // four digits are a year
}
