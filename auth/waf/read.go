package waf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// ReadConfig says how [Read] takes a document. The zero value refuses all that it doesn't know.
type ReadConfig struct {
	_ struct{} // keyed literals only, so that fields can be added
	// Lenient leaves out a rule that has something unknown in it, and reports it in
	// Document.Findings, in place of an error. What is wrong outside of rules stays an error.
	Lenient bool
	// SearchStrings says how SearchString is spelled. The zero value decides by the document.
	SearchStrings SearchStrings
}

// SearchStrings is how a document spells the strings to search for. The API's JSON has base64, but
// dumps of older tools have plain text, and so has CloudFormation.
type SearchStrings uint8

const (
	// SearchStringsByDocument takes all for base64 if each decodes to printable text, else none.
	//
	// Where that can't be told, [Read] demands that it is said: all strings of an answer of the API
	// are base64, but some of no text; or all are base64 of text, beside numbers in quotes, which
	// only CloudFormation has.
	SearchStringsByDocument SearchStrings = iota
	SearchStringsBase64
	SearchStringsPlain
)

// Document is what [Read] has found: one of the five kinds, or a list of rules.
type Document struct {
	// One of these isn't nil, unless there are Rules.
	WebACL               *WebACL
	RuleGroup            *RuleGroup
	IPSet                *IPSet
	RegexPatternSet      *RegexPatternSet
	LoggingConfiguration *LoggingConfiguration
	// Rules are those of a list, as for `aws wafv2 create-web-acl --rules file://rules.json`.
	Rules []Rule
	// Findings are the rules that a lenient Read has left out, and why.
	Findings []Finding
}

// Finding is a rule that was left out, and why.
type Finding struct {
	// Rule is its name, that of its group's place in front for a group's, as in [Decision].
	Rule string
	// Err names the fields.
	Err error
}

// maxDocument is well above what 5,000 WCU of rules or 10,000 addresses take.
const maxDocument, maxDepth = 8 << 20, 200

// Read reads a document of WAFv2: what GetWebACL, GetRuleGroup, GetIPSet, GetRegexPatternSet and
// GetLoggingConfiguration return, the same without its wrapper, a list of rules, or the
// CloudFormation resource of one of these, with or without its Type. Both spellings are understood:
// ARN and Arn, base64 and plain search strings, numbers as strings, both forms of
// RegularExpressionList.
//
// It is JSON without repeated names. The error lists each field that isn't known or doesn't have
// its form, by the name of the rule. CloudFormation's functions (Ref, Fn::GetAtt …) are errors,
// too: resolve them first.
func Read(doc []byte, cfg ReadConfig) (*Document, error) {
	m := mistakes.In("waf: Read")
	if len(doc) > maxDocument {
		m.Add("", "want at most %d bytes, got %d", maxDocument, len(doc))
		return nil, m.Err()
	}
	if list := bytes.TrimLeft(doc, " \t\r\n"); len(list) > 0 && list[0] == '[' {
		doc = slices.Concat([]byte(`{"Rules":`), doc, []byte("}"))
	}
	if err := strictjson.Object(doc, maxDepth, nil); err != nil {
		m.Add("", "%w", err)
		return nil, m.Err()
	}
	text := json.NewDecoder(bytes.NewReader(doc))
	text.UseNumber()
	var tree map[string]any
	if err := text.Decode(&tree); err != nil {
		m.Add("", "%v", err)
		return nil, m.Err()
	}
	found := &Document{}
	d := &decoder{ReadConfig: cfg, findings: &found.Findings}
	d.document(m, tree, found)
	m.Require(m.Len() > 0 || found.Rules != nil || found.WebACL != nil || found.RuleGroup != nil ||
		found.IPSet != nil || found.RegexPatternSet != nil || found.LoggingConfiguration != nil,
		"", "want a document, got null")
	d.decideSearchStrings(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return found, nil
}

// kinds are the documents' kinds: their names as wrappers, as ends of CloudFormation types, and a
// member that no other kind has. The order is that in which they are looked for.
var kinds = []struct {
	name, sign string
	field      func(*Document) any
}{
	{"WebACL", "DefaultAction", func(d *Document) any { return &d.WebACL }},
	{"IPSet", "Addresses", func(d *Document) any { return &d.IPSet }},
	{"RegexPatternSet", "RegularExpressionList", func(d *Document) any { return &d.RegexPatternSet }},
	{"RuleGroup", "Rules", func(d *Document) any { return &d.RuleGroup }},
	{"LoggingConfiguration", "LogDestinationConfigs", func(d *Document) any { return &d.LoggingConfiguration }},
}

// document finds out what the tree is.
func (d *decoder) document(m *mistakes.Mistakes, tree map[string]any, found *Document) {
	if _, ok := tree["Rules"]; ok && len(tree) == 1 {
		d.value(m, "Rules", tree["Rules"], reflect.ValueOf(&found.Rules).Elem())
		return
	}
	if properties, ok := tree["Properties"].(map[string]any); ok {
		d.cloudFormation = true
		d.resource(m, tree, properties, found)
		return
	}
	for _, kind := range kinds {
		if inner, ok := tree[kind.name]; ok {
			d.wrapped = true
			for _, name := range slices.Sorted(maps.Keys(tree)) {
				m.Require(name == kind.name || slices.Contains(besideWrapper, name), name,
					"want nothing but %s and what the API gives beside it", kind.name)
			}
			d.value(m, kind.name, inner, reflect.ValueOf(kind.field(found)).Elem())
			return
		}
	}
	for _, kind := range kinds {
		if _, ok := tree[kind.sign]; ok {
			d.value(m, kind.name, tree, reflect.ValueOf(kind.field(found)).Elem())
			return
		}
	}
	if _, ok := tree["Resources"]; ok {
		m.Add("Resources", "want one resource of the template, got a whole one")
		return
	}
	m.Add("", "want a WebACL, RuleGroup, IPSet, RegexPatternSet or LoggingConfiguration, got an object with the "+
		"members %q",
		slices.Sorted(maps.Keys(tree)))
}

// besideWrapper are members of the API's answers that decide nothing about a request.
var besideWrapper = []string{"ApplicationIntegrationURL", "LockToken", "ResponseMetadata"}

func (d *decoder) resource(m *mistakes.Mistakes, tree, properties map[string]any, found *Document) {
	is, _ := tree["Type"].(string)
	for _, kind := range kinds {
		_, signed := properties[kind.sign]
		if is == "AWS::WAFv2::"+kind.name || is == "" && signed {
			d.value(m, kind.name, properties, reflect.ValueOf(kind.field(found)).Elem())
			return
		}
	}
	m.Add("Type", "want AWS::WAFv2::WebACL, RuleGroup, IPSet, RegexPatternSet or LoggingConfiguration, got %q", is)
}

// decoder makes structs of a tree: the members have the names of the fields.
type decoder struct {
	ReadConfig
	cloudFormation bool
	wrapped        bool                  // as the API's answers are
	quoted         bool                  // a number or a boolean is a string
	searches       []*ByteMatchStatement // a document decides how all of theirs are spelled
	findings       *[]Finding
}

// value decodes from into to, which is called field in m.
func (d *decoder) value(m *mistakes.Mistakes, field string, from any, to reflect.Value) {
	if from == nil { // as tools write what isn't there
		return
	}
	ok := false
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.value(m, field, from, to.Elem())
		return
	case reflect.Struct:
		var tree map[string]any
		if tree, ok = from.(map[string]any); ok {
			d.object(under(m, field), tree, to)
		} else if text, isText := from.(string); isText && to.Type() == reflect.TypeFor[Regex]() {
			to.Field(0).SetString(text) // CloudFormation's list is one of strings
			ok = true
		}
	case reflect.Map:
		var tree map[string]any
		if tree, ok = from.(map[string]any); ok {
			d.table(under(m, field), tree, to)
		}
	case reflect.Slice:
		var list []any
		if list, ok = from.([]any); ok {
			d.list(under(m, field), list, to)
		}
	case reflect.Interface:
		ok = true
		to.Set(reflect.ValueOf(from))
	default:
		ok = d.scalar(from, to)
	}
	if !ok {
		m.Add(field, "want %s, got %s", wanted(to), given(from))
	}
}

// under is m.Under, of m itself for an element, which has no name of its own.
func under(m *mistakes.Mistakes, field string) *mistakes.Mistakes {
	if field == "" {
		return m
	}
	return m.Under(field)
}

// object decodes the members of a struct.
func (d *decoder) object(m *mistakes.Mistakes, tree map[string]any, to reflect.Value) {
	kind := to.Type()
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		field := name
		if name == "Arn" {
			field, d.cloudFormation = "ARN", true
		}
		at := to.FieldByName(field)
		switch {
		case kind == reflect.TypeFor[ByteMatchStatement]() && strings.HasPrefix(name, "SearchString"):
			d.searchString(m, name, tree, to.Addr().Interface().(*ByteMatchStatement))
		case at.IsValid():
			d.value(m, name, tree[name], at)
		case slices.Contains(passedOver[kind], name):
		case slices.Contains(refusedUnlessEmpty, name):
			list, _ := tree[name].([]any)
			m.Require(len(list) == 0, name, "want none: rules of Firewall Manager aren't judged here")
		default:
			m.Add(name, "no such field%s", nearest.Hint(name, fieldNames(kind)))
		}
	}
}

// passedOver are members that decide nothing about a request.
var passedOver = map[reflect.Type][]string{
	reflect.TypeFor[WebACL](): {"ApplicationConfig", "DataProtectionConfig", "LockToken", "ManagedByFirewallManager",
		"OnSourceDDoSProtectionConfig", "RetrofittedByFirewallManager", "Tags"},
	reflect.TypeFor[RuleGroup]():       {"AvailableLabels", "ConsumedLabels", "LockToken", "Tags"},
	reflect.TypeFor[IPSet]():           {"LockToken", "Tags"},
	reflect.TypeFor[RegexPatternSet](): {"LockToken", "Tags"},
	reflect.TypeFor[LoggingConfiguration](): {"LogDestinationConfigs", "LogScope", "LogType",
		"ManagedByFirewallManager", "ResourceArn"},
}

var refusedUnlessEmpty = []string{"PostProcessFirewallManagerRuleGroups", "PreProcessFirewallManagerRuleGroups"}

func fieldNames(kind reflect.Type) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range kind.NumField() {
			if !yield(kind.Field(i).Name) {
				return
			}
		}
	}
}

func (d *decoder) table(m *mistakes.Mistakes, tree map[string]any, to reflect.Value) {
	to.Set(reflect.MakeMap(to.Type()))
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		element := reflect.New(to.Type().Elem()).Elem()
		d.value(m.Key(key), "", tree[key], element)
		to.SetMapIndex(reflect.ValueOf(key), element)
	}
}

func (d *decoder) list(m *mistakes.Mistakes, list []any, to reflect.Value) {
	if to.Type() == reflect.TypeFor[[]Rule]() {
		to.Set(reflect.ValueOf(d.rules(m, list)))
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, from := range list {
		d.value(m.Index(i), "", from, to.Index(i))
	}
}

// rules decodes rules, each called by its name. A lenient reader leaves out what it can't read.
func (d *decoder) rules(m *mistakes.Mistakes, list []any) []Rule {
	rules := make([]Rule, 0, len(list))
	for i, from := range list {
		tree, _ := from.(map[string]any)
		name, ok := tree["Name"].(string)
		if !ok {
			name = fmt.Sprint("#", i)
		}
		at, own := m.Key(name), mistakes.In("waf: rule "+name)
		if d.Lenient {
			at = own
		}
		searches := len(d.searches)
		rules = append(rules, Rule{}) // the list has its room, so that what is in it stays where it is
		d.value(at, "", from, reflect.ValueOf(&rules[len(rules)-1]).Elem())
		at.Require(tree["Priority"] != nil, "Priority", "want a whole number, got none")
		if err := own.Err(); err != nil {
			rules, d.searches = rules[:len(rules)-1], d.searches[:searches]
			*d.findings = append(*d.findings, Finding{name, err})
		}
	}
	return rules
}

var errIntrinsic = errors.New("a function of CloudFormation, which has to be resolved before")

// given says what a value is, for errors.
func given(from any) string {
	switch v := from.(type) {
	case map[string]any:
		for name := range v {
			if len(v) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::")) {
				return fmt.Sprintf("%q, %v", name, errIntrinsic)
			}
		}
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("%.100q", v)
	}
	return fmt.Sprint(from)
}
