package cloudformation

import (
	"crypto/sha1"
	"encoding/hex"
	"math"
	"regexp"
	"strings"
	"unicode"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

func newMap(line int, members ...doctree.Member) *doctree.Node {
	return &doctree.Node{Kind: doctree.Map, Line: line, Members: members}
}

func member(name string, v *doctree.Node) doctree.Member {
	return doctree.Member{Name: name, Line: v.Line, Value: v}
}

// textsNode is a map of texts: name, value, name, value.
func textsNode(line int, pairs ...string) *doctree.Node {
	n := newMap(line)
	for i := 0; i+1 < len(pairs); i += 2 {
		n.Members = append(n.Members, member(pairs[i], textNode(line, pairs[i+1])))
	}
	return n
}

func boolNode(line int, v bool) *doctree.Node {
	text := "false"
	if v {
		text = "true"
	}
	return &doctree.Node{Kind: doctree.Bool, Line: line, Text: text}
}

func refNode(line int, id string) *doctree.Node { return mapNode(line, "Ref", textNode(line, id)) }

func getAttNode(line int, id, attribute string) *doctree.Node {
	return mapNode(line, "Fn::GetAtt", listNode(line, textNode(line, id), textNode(line, attribute)))
}

func subNode(line int, text string) *doctree.Node {
	return mapNode(line, "Fn::Sub", textNode(line, text))
}

// subWith is Fn::Sub with one value of its own.
func subWith(line int, text, name string, v *doctree.Node) *doctree.Node {
	return mapNode(line, "Fn::Sub", listNode(line, textNode(line, text), newMap(line, member(name, v))))
}

// ifNode is n if the condition holds, and else nothing.
func ifNode(condition string, n *doctree.Node) *doctree.Node {
	return mapNode(n.Line, "Fn::If", listNode(n.Line, textNode(n.Line, condition), n, refNode(n.Line, "AWS::NoValue")))
}

func isMap(n *doctree.Node) bool  { return n != nil && n.Kind == doctree.Map }
func isList(n *doctree.Node) bool { return n != nil && n.Kind == doctree.List }
func isText(n *doctree.Node) bool { return n != nil && n.Kind == doctree.Text }
func isNull(n *doctree.Node) bool { return n == nil || n.Kind == doctree.Null }
func isTrue(n *doctree.Node) bool { return n != nil && n.Kind == doctree.Bool && n.Text == "true" }

// textOf is what a Text says, and "" of all else.
func textOf(n *doctree.Node) string {
	if isText(n) {
		return n.Text
	}
	return ""
}

// said is the value of a map's member, or nil where it is absent or null.
func said(n *doctree.Node, name string) *doctree.Node {
	if !isMap(n) {
		return nil
	}
	if v := n.Get(name); !isNull(v) {
		return v
	}
	return nil
}

// truthy is how the translator looks at values: absent, null, false, 0, "" and what has nothing in
// it don't count.
func truthy(n *doctree.Node) bool {
	switch {
	case isNull(n):
		return false
	case n.Kind == doctree.Bool:
		return n.Text == "true"
	case n.Kind == doctree.Number:
		mantissa, _, _ := strings.Cut(strings.ToLower(n.Text), "e")
		return strings.ContainsAny(mantissa, "123456789")
	case n.Kind == doctree.Text:
		return n.Text != ""
	}
	return len(n.Items)+len(n.Members) > 0
}

// intrinsic reports whether a value is a function of the template language.
func intrinsic(n *doctree.Node) bool {
	if !isMap(n) || len(n.Members) != 1 {
		return false
	}
	name := n.Members[0].Name
	return name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::")
}

func noValue(n *doctree.Node) bool { return intrinsic(n) && textOf(n.Get("Ref")) == "AWS::NoValue" }

// refOrText is the logical ID that a value names, as text or by Ref.
func refOrText(n *doctree.Node) string {
	if intrinsic(n) && n.Members[0].Name == "Ref" {
		return textOf(n.Members[0].Value)
	}
	return textOf(n)
}

func lineOf(n *doctree.Node, line int) int {
	if n != nil && n.Line > 0 {
		return n.Line
	}
	return line
}

// copyOf copies a tree.
func copyOf(n *doctree.Node) *doctree.Node {
	unbounded := &sam{left: math.MaxInt}
	return unbounded.copy(n)
}

// copy copies a tree within the bound of the translation; beyond it there are nulls, which nobody
// sees, as the translation fails.
func (s *sam) copy(n *doctree.Node) *doctree.Node {
	if n == nil {
		return nil
	}
	if s.left -= 1 + len(n.Text)/64; s.left < 0 {
		return &doctree.Node{Line: n.Line}
	}
	c := &doctree.Node{Kind: n.Kind, Line: n.Line, Text: n.Text, Tag: n.Tag}
	if n.Items != nil {
		c.Items = make([]*doctree.Node, len(n.Items))
		for i, item := range n.Items {
			c.Items[i] = s.copy(item)
		}
	}
	if n.Members != nil {
		c.Members = make([]doctree.Member, len(n.Members))
		for i, m := range n.Members {
			c.Members[i] = doctree.Member{Name: m.Name, Line: m.Line, Value: s.copy(m.Value)}
		}
	}
	return c
}

// resolve is a copy in which the values of parameters stand for their Refs. The translator does so
// in few places only: names of authorizers and domains have to be known to it, all else is left to
// the deployment.
func (s *sam) resolve(n *doctree.Node) *doctree.Node {
	if n == nil {
		return nil
	}
	if intrinsic(n) && n.Members[0].Name == "Ref" {
		if v := s.parameter(textOf(n.Members[0].Value)); v != nil {
			v = s.copy(v)
			v.Line = n.Line
			return v
		}
	}
	c := s.copy(&doctree.Node{Kind: n.Kind, Line: n.Line, Text: n.Text})
	for _, item := range n.Items {
		c.Items = append(c.Items, s.resolve(item))
	}
	for _, m := range n.Members {
		c.Members = append(c.Members, doctree.Member{Name: m.Name, Line: m.Line, Value: s.resolve(m.Value)})
	}
	return c
}

// parameter is a parameter's value. The default of one that the Systems Manager holds is a name
// there, and no value.
func (s *sam) parameter(name string) *doctree.Node {
	typ := textOf(said(said(said(s.from.root, "Parameters"), name), "Type"))
	if strings.HasPrefix(typ, "AWS::SSM::") {
		return s.from.given[name]
	}
	return s.from.parameter(name)
}

// hash is the ten digits that the translator appends to logical IDs: of a text, or of the JSON of
// what is none, and nothing for nothing. Where it hashes its own language's text of a body ours
// differs, which only a template that spells out such an ID would notice.
func hash(n *doctree.Node) string {
	if !truthy(n) {
		return ""
	}
	text := []byte(n.Text)
	if n.Kind != doctree.Text {
		text = n.AppendJSON(nil)
	}
	sum := sha1.Sum(text)
	return hex.EncodeToString(sum[:])[:10]
}

func isAlphanumeric(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return !isWord(r) }) < 0
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// words are a text's letters and digits.
func words(text string) string {
	return strings.Map(func(r rune) rune {
		if isWord(r) {
			return r
		}
		return -1
	}, text)
}

var (
	openAPI3  = regexp.MustCompile(`^3\.\d(\.\d)?$`)
	openAPI23 = regexp.MustCompile(`^[23]\.\d(\.\d)?$`)
)
