package waf

import (
	"regexp"
	"regexp/syntax"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

// place is where a statement stands, and what it adds up to.
type place struct {
	in       *holder
	acl      *ACL
	labels   string // what the labels of its ACL or group begin with
	name     string // of its ACL, group and rule, for counters
	top      bool   // a rule's own statement
	depth    int
	capacity *int64
}

func (p *place) costs(n int64) { *p.capacity += n }

// Quotas of statements.
const (
	maxNesting      = 100 // of statements; theirs isn't told, and a document's depth is bounded
	maxSearchString = 200
	maxPattern      = 512 // characters; the quota page says 200, the service's model 512
	maxPatterns     = 10
	maxCountries    = 50
	maxASNs         = 100
	maxSize         = 21_474_836_480
	maxProgram      = 20_000 // instructions of a compiled pattern
	// maxPatternWork bounds the instructions of a pattern times the bytes that are inspected, which
	// is what a match may cost, at some nanoseconds each. As many instructions as a pattern may
	// have characters are always allowed: without counted repetitions it has no more.
	maxPatternWork = 20 << 20
)

// statement compiles one. It returns nil where something is wrong with it, which m then knows.
func (p place) statement(m *mistakes.Mistakes, from *Statement) evaluator {
	name, n := only(from)
	if n != 1 {
		m.Add("", "want exactly one statement, got %d", n)
		return nil
	}
	m = m.Under(name)
	within := p
	if within.top, within.depth = false, p.depth+1; within.depth > maxNesting {
		m.Add("", "want at most %d statements within each other", maxNesting)
		return nil
	}
	switch {
	case from.AndStatement != nil:
		return all(within.statements(m, from.AndStatement.Statements))
	case from.OrStatement != nil:
		return some(within.statements(m, from.OrStatement.Statements))
	case from.NotStatement != nil:
		if from.NotStatement.Statement == nil {
			m.Add("Statement", "want a statement, got none")
			return nil
		}
		return not{within.statement(m.Under("Statement"), from.NotStatement.Statement)}
	case from.RateBasedStatement != nil:
		m.Require(p.top, "", "want it as a rule's own statement, and not within another")
		return within.rateBased(m, from.RateBasedStatement)
	case from.ManagedRuleGroupStatement != nil, from.RuleGroupReferenceStatement != nil:
		m.Add("", "want a rule group as a rule's own statement in a web ACL, and not within another or in a group")
		return nil
	}
	return p.leaf(m, from)
}

func (p place) statements(m *mistakes.Mistakes, from []Statement) (to []evaluator) {
	m.Require(len(from) >= 2, "Statements", "want at least 2, got %d", len(from))
	for i := range from {
		to = append(to, p.statement(m.Under("Statements").Index(i), &from[i]))
	}
	return to
}

// leaf compiles a statement that has no others within it.
func (p place) leaf(m *mistakes.Mistakes, from *Statement) evaluator {
	switch {
	case from.GeoMatchStatement != nil:
		return p.geo(m, from.GeoMatchStatement)
	case from.AsnMatchStatement != nil:
		return p.asn(m, from.AsnMatchStatement)
	case from.IPSetReferenceStatement != nil:
		return p.ipSet(m, from.IPSetReferenceStatement)
	case from.LabelMatchStatement != nil:
		p.costs(1)
		return compileLabelMatch(m, from.LabelMatchStatement, p.labels)
	case from.ByteMatchStatement != nil:
		of := from.ByteMatchStatement
		want, cost := compileByteMatch(m, of)
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations, want, cost)
	case from.RegexMatchStatement != nil:
		of := from.RegexMatchStatement
		want := patterns{p.pattern(m, "RegexString", of.RegexString)}
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations, want, 3)
	case from.RegexPatternSetReferenceStatement != nil:
		of := from.RegexPatternSetReferenceStatement
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations,
			p.patternSet(m, of.ARN), 25)
	case from.SizeConstraintStatement != nil:
		of := from.SizeConstraintStatement
		m.Require(oneOf(of.ComparisonOperator, "EQ", "NE", "LE", "LT", "GE", "GT"), "ComparisonOperator",
			"want EQ, NE, LE, LT, GE or GT, got %q", of.ComparisonOperator)
		mistakes.Range(m, "Size", of.Size, 0, maxSize)
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations,
			size{of.ComparisonOperator, of.Size}, 1)
	case from.SqliMatchStatement != nil:
		of, cost := from.SqliMatchStatement, int64(20)
		m.Require(oneOf(of.SensitivityLevel, "", "LOW", "HIGH"), "SensitivityLevel",
			"want LOW or HIGH, got %q", of.SensitivityLevel)
		if of.SensitivityLevel == "HIGH" {
			cost = 30
		}
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations,
			sqli{of.SensitivityLevel == "HIGH"}, cost)
	default:
		of := from.XssMatchStatement
		return p.field(m, &of.FieldToMatch, of.TextTransformations, of.PreParseTextTransformations, xss{}, 40)
	}
}

func oneOf(text string, of ...string) bool {
	for _, o := range of {
		if text == o {
			return true
		}
	}
	return false
}

func compileByteMatch(m *mistakes.Mistakes, from *ByteMatchStatement) (matcher, int64) {
	search := []byte(from.SearchString)
	mistakes.Range(m.Under("SearchString"), "length", len(search), 1, maxSearchString)
	switch from.PositionalConstraint {
	case "EXACTLY":
		return exactly(search), 2
	case "STARTS_WITH":
		return startsWith(search), 2
	case "ENDS_WITH":
		return endsWith(search), 2
	case "CONTAINS":
		return contains(search), 10
	case "CONTAINS_WORD":
		for _, c := range search {
			if !ofWord(c) {
				m.Add("SearchString", "want letters, digits and underscores for CONTAINS_WORD, got %q", search)
				break
			}
		}
		return containsWord(search), 10
	}
	m.Add("PositionalConstraint", "want EXACTLY, STARTS_WITH, ENDS_WITH, CONTAINS or CONTAINS_WORD, got %q",
		from.PositionalConstraint)
	return nil, 0
}

// pattern compiles a regular expression. WAFv2 has PCRE without much of it; what RE2 lacks
// on top is look-around, possessive quantifiers and a few escapes, which are refused.
func (p place) pattern(m *mistakes.Mistakes, field, text string) *regexp.Regexp {
	if n := len([]rune(text)); n < 1 || n > maxPattern {
		m.Add(field, "want 1 to %d characters, got %d", maxPattern, n)
		return nil
	}
	if regexpsize.Folded(text) > regexpsize.MaxFolded {
		m.Add(field, "want smaller classes where letter case is disregarded, got %q", text)
		return nil
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		m.Add(field, "want a pattern that RE2 takes, without look-around and possessive quantifiers: %v", err)
		return nil
	}
	if size := regexpsize.Of(tree); size > maxProgram {
		m.Add(field, "want fewer repetitions: the pattern has about %d steps, at most are %d", size, maxProgram)
		return nil
	}
	program, err := syntax.Compile(tree.Simplify())
	if most := max(maxPatternWork/p.acl.bodyLimit, maxPattern+2); err == nil && len(program.Inst) > most {
		m.Add(field, "want fewer repetitions: the pattern has %d steps, and at most are %d where %d KB are inspected",
			len(program.Inst), most, p.acl.bodyLimit>>10)
		return nil
	}
	pattern, err := regexp.Compile(text)
	m.Require(err == nil, field, "%v", err)
	return pattern
}

func (p place) patternSet(m *mistakes.Mistakes, arn string) matcher {
	p.in.refers++
	set, ok := lookup(p.acl.cfg.RegexPatternSets, arn)
	if !ok || set == nil {
		m.Add("ARN", "want a set of Config.RegexPatternSets, by its ARN or name, got %q%s", arn,
			nearest.Hint(arn, keysOf(p.acl.cfg.RegexPatternSets)))
		return nil
	}
	m = m.Under("RegularExpressionList")
	mistakes.Range(m, "length", len(set.RegularExpressionList), 1, maxPatterns)
	var to patterns
	for i, of := range set.RegularExpressionList {
		to = append(to, p.pattern(m.Index(i), "RegexString", of.RegexString))
	}
	return to
}
