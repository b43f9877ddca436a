package waf

import (
	"encoding/json"
	"net/textproto"
	"reflect"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/auth/waf/internal/jsonbody"
	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Quotas of fields.
const (
	maxTransformations = 10
	maxNames           = 199
	maxArgumentName    = 30
	maxPointer         = 512
)

// only returns the name of the field that is set among a struct's pointers, and how many are.
func only(of any) (name string, n int) {
	v := reflect.ValueOf(of).Elem()
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			name, n = v.Type().Field(i).Name, n+1
		}
	}
	return name, n
}

// field compiles a statement about a part of a request. Its cost is the base, twice that for JSON,
// and ten for each transformation. (WAF developer guide, "WAF web ACL capacity units".)
func (p place) field(m *mistakes.Mistakes, from *FieldToMatch, list, pre []TextTransformation, want matcher,
	base int64) evaluator {
	name, n := only(from)
	if n != 1 {
		m.Add("FieldToMatch", "want exactly one, got %d", n)
		return nil
	}
	if from.JA3Fingerprint != nil || from.JA4Fingerprint != nil {
		_, ok := want.(exactly)
		m.Require(ok, "FieldToMatch", "want %s in a ByteMatchStatement with EXACTLY alone", name)
	}
	if from.JsonBody != nil {
		base *= 2
	}
	if from.AllQueryArguments != nil {
		base += 10
	}
	p.costs(base)
	m.Require(len(pre) == 0 || from.SingleQueryArgument != nil || from.AllQueryArguments != nil,
		"PreParseTextTransformations", "want them with SingleQueryArgument or AllQueryArguments alone, got %s", name)
	pre, list = slices.Clone(pre), slices.Clone(list)
	kinds := p.transformations(m, "TextTransformations", list, 1, textform.ParseKind)
	before := p.transformations(m, "PreParseTextTransformations", pre, 0, textform.ParseQueryKind)
	of := p.acl.part(m.Under("FieldToMatch").Under(name), from, before)
	key, _ := json.Marshal([]any{from, list, pre})
	return &inField{p.acl.source(string(key), of, kinds), want, detailOf(name, from, want)}
}

// transformations reads a list in the order of its priorities, in which it sorts it.
func (p place) transformations(m *mistakes.Mistakes, field string, list []TextTransformation, least int,
	parse func(string) (textform.Kind, error)) (kinds []textform.Kind) {
	m = m.Under(field)
	mistakes.Range(m, "length", len(list), least, maxTransformations)
	slices.SortStableFunc(list, func(a, b TextTransformation) int { return int(a.Priority - b.Priority) })
	for i, of := range list {
		m.Require(i == 0 || list[i-1].Priority != of.Priority, "Priority", "want different ones, got %d twice",
			of.Priority)
		m.Require(of.Priority >= 0 && of.Priority < 1<<31, "Priority", "want 0 or more, got %d", of.Priority)
		kind, err := parse(of.Type)
		if err != nil {
			m.Index(i).Add("Type", "%v", err)
		}
		if kind != textform.None {
			kinds = append(kinds, kind)
			p.costs(10)
		}
	}
	return kinds
}

// source returns the source of that key, made of the others if it is new.
func (a *ACL) source(key string, of field, list []textform.Kind) *source {
	src, ok := a.byKey[key]
	if !ok {
		src = &source{field: of, list: list, index: len(a.sources)}
		a.byKey[key] = src
		a.sources = append(a.sources, src)
	}
	src.uses++
	return src
}

// part compiles the part of the request that a statement looks at.
func (a *ACL) part(m *mistakes.Mistakes, from *FieldToMatch, pre []textform.Kind) field {
	switch {
	case from.SingleHeader != nil:
		name := from.SingleHeader.Name
		m.Require(name != "" && len(name) <= 64, "Name", "want 1 to 64 bytes, got %.100q", name)
		return singleHeader{textproto.CanonicalMIMEHeaderKey(name)}
	case from.SingleQueryArgument != nil:
		name := from.SingleQueryArgument.Name
		m.Require(name != "" && len(name) <= maxArgumentName, "Name", "want 1 to %d bytes, got %.100q",
			maxArgumentName, name)
		return queryArguments{name, pre}
	case from.AllQueryArguments != nil:
		return queryArguments{"", pre}
	case from.UriPath != nil:
		return uriPath{}
	case from.QueryString != nil:
		return queryString{}
	case from.Method != nil:
		return method{}
	case from.Body != nil:
		return body{oversize(m, from.Body.OversizeHandling, true)}
	case from.JsonBody != nil:
		return jsonPart(m, from.JsonBody)
	case from.Headers != nil:
		c := &headers{oversize: oversize(m, from.Headers.OversizeHandling, false)}
		c.compile(m, from.Headers, from.Headers.MatchPattern.IncludedHeaders,
			from.Headers.MatchPattern.ExcludedHeaders, textproto.CanonicalMIMEHeaderKey)
		return c
	case from.Cookies != nil:
		c := &cookies{oversize: oversize(m, from.Cookies.OversizeHandling, false)}
		c.compile(m, from.Cookies, from.Cookies.MatchPattern.IncludedCookies,
			from.Cookies.MatchPattern.ExcludedCookies, strings.Clone)
		return c
	case from.HeaderOrder != nil:
		m.Require(a.cfg.HeaderOrder != nil, "",
			"want Config.HeaderOrder, as net/http keeps no order of headers, got none")
		return headerOrder{a.cfg.HeaderOrder, oversize(m, from.HeaderOrder.OversizeHandling, false)}
	case from.JA3Fingerprint != nil:
		return hook{of: a.cfg.JA3, fallback: fallbackOf(m, "FallbackBehavior", from.JA3Fingerprint.FallbackBehavior)}
	case from.JA4Fingerprint != nil:
		return hook{of: a.cfg.JA4, fallback: fallbackOf(m, "FallbackBehavior", from.JA4Fingerprint.FallbackBehavior)}
	default:
		return hook{fallback: fallbackOf(m, "FallbackBehavior", from.UriFragment.FallbackBehavior)}
	}
}

// oversize reads what becomes of a part that is too large.
func oversize(m *mistakes.Mistakes, text string, optional bool) verdict {
	m.Require(oneOf(text, "CONTINUE", "MATCH", "NO_MATCH") || text == "" && optional, "OversizeHandling",
		"want CONTINUE, MATCH or NO_MATCH, got %q", text)
	switch text {
	case "MATCH":
		return matches
	case "NO_MATCH":
		return fails
	}
	return undecided
}

func jsonPart(m *mistakes.Mistakes, from *JsonBody) field {
	to := &jsonField{oversize: oversize(m, from.OversizeHandling, true)}
	m.Require((from.MatchPattern.All != nil) != (len(from.MatchPattern.IncludedPaths) > 0), "MatchPattern",
		"want All or IncludedPaths")
	for _, path := range from.MatchPattern.IncludedPaths {
		m.Under("MatchPattern").Require(len(path) <= maxPointer, "IncludedPaths", "want at most %d characters, got %d",
			maxPointer, len(path))
	}
	switch from.InvalidFallbackBehavior {
	case "":
	case "EVALUATE_AS_STRING":
		to.asString = true
	case "MATCH", "NO_MATCH":
		to.invalid = fallbackOf(m, "InvalidFallbackBehavior", from.InvalidFallbackBehavior)
	default:
		m.Add("InvalidFallbackBehavior", "want MATCH, NO_MATCH or EVALUATE_AS_STRING, got %q",
			from.InvalidFallbackBehavior)
	}
	scope, err := jsonbody.ParseScope(from.MatchScope)
	m.Require(err == nil, "MatchScope", "want ALL, KEY or VALUE, got %q", from.MatchScope)
	to.pattern, err = jsonbody.Compile(from.MatchPattern.IncludedPaths, scope)
	m.Require(err == nil, "MatchPattern", "%v", err)
	return to
}

func scopeOf(m *mistakes.Mistakes, text string) scope {
	switch text {
	case "ALL":
		return ofBoth
	case "KEY":
		return ofKeys
	case "VALUE":
		return ofValues
	}
	m.Add("MatchScope", "want ALL, KEY or VALUE, got %q", text)
	return ofBoth
}

// compile reads which headers or cookies are judged.
func (c *selection) compile(m *mistakes.Mistakes, from *ManyFields, included, excluded []string,
	spell func(string) string) {
	_, n := only(&from.MatchPattern)
	m.Require(n == 1 && (from.MatchPattern.All != nil || len(included)+len(excluded) > 0), "MatchPattern",
		"want exactly one of All and the lists of included and excluded names")
	c.scope, c.exclude, c.names = scopeOf(m, from.MatchScope), len(included) == 0, map[string]bool{}
	names := slices.Concat(included, excluded)
	m.Require(len(names) <= maxNames, "MatchPattern", "want at most %d names, got %d", maxNames, len(names))
	for _, name := range names {
		c.names[spell(name)] = true
	}
}
