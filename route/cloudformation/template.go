package cloudformation

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// The bounds of a template. The service's are 1 MB, and 500 resources.
const (
	maxBytes  = 8 << 20
	maxDepth  = 100
	maxValues = 400_000
)

// template is a template as a tree, of which nothing is evaluated. Its functions are spelled out:
// YAML's !GetAtt A.B is {"Fn::GetAtt": ["A", "B"]}.
type template struct {
	root *doctree.Node
	// file is its path below the root of the import, for findings and for files beside it.
	file string
	// given are the values that the template's parameters were given, evaluated: texts, and lists
	// of texts.
	given map[string]*doctree.Node
}

// The transforms that are known.
const (
	transformSAM       = "AWS::Serverless-2016-10-31"
	transformLanguage  = "AWS::LanguageExtensions"
	transformInclude   = "AWS::Include"
	transformBlueGreen = "AWS::CodeDeployBlueGreen"
	transformSecrets   = "AWS::SecretsManager"
)

// protects are names of what says who may call. Templates in use have other names twice, and the
// service takes the later; of these, and of what has them within, it isn't guessed which was meant.
var protects = regexp.MustCompile(`(?i)auth|polic|scope|key|security|condition|mutualtls|acl`)

func (i *importer) parseTemplate(file string, text []byte) (*template, error) {
	limits := doctree.Limits{Bytes: maxBytes, Depth: maxDepth, Values: maxValues}
	left := maxValues // to look at, however often what is within is twice itself
	limits.Twice = func(later, first doctree.Member) error {
		if protects.MatchString(later.Name) || has(first.Value, protects, &left) && !same(later.Value, first.Value) {
			return fmt.Errorf("line %d: %.100q is there twice, also in line %d", later.Line, later.Name, first.Line)
		}
		i.note(definition.Finding{Severity: definition.Warning, Do: "take one out",
			What:   fmt.Sprintf("%.100q is there twice, also in line %d: the later counts", later.Name, first.Line),
			Origin: definition.Origin{Template: file, Line: later.Line}})
		return nil
	}
	root, err := doctree.Parse(text, limits)
	if err != nil {
		return nil, fmt.Errorf("cloudformation: %s: %w", file, err)
	}
	root, err = spellOut(root)
	if err != nil {
		return nil, fmt.Errorf("cloudformation: %s: %w", file, err)
	}
	if root.Kind != doctree.Map || root.Get("Resources") == nil || root.Get("Resources").Kind != doctree.Map {
		return nil, fmt.Errorf("cloudformation: %s: want a template, which is a map with Resources", file)
	}
	return &template{root: root, file: file}, nil
}

// same reports whether two values say the same.
func same(a, b *doctree.Node) bool {
	return a.Kind == b.Kind && bytes.Equal(a.AppendJSON(nil), b.AppendJSON(nil))
}

// has reports whether a value has a member of such a name, however deep, or is more than is left
// to be looked at.
func has(n *doctree.Node, names *regexp.Regexp, left *int) bool {
	if *left--; *left < 0 {
		return true
	}
	for _, m := range n.Members {
		if names.MatchString(m.Name) || has(m.Value, names, left) {
			return true
		}
	}
	return slices.ContainsFunc(n.Items, func(item *doctree.Node) bool { return has(item, names, left) })
}

// spellOut replaces YAML's short tags in a tree that nobody else has.
func spellOut(n *doctree.Node) (*doctree.Node, error) {
	var err error
	for i, item := range n.Items {
		if n.Items[i], err = spellOut(item); err != nil {
			return nil, err
		}
	}
	for i := range n.Members {
		if n.Members[i].Value, err = spellOut(n.Members[i].Value); err != nil {
			return nil, err
		}
	}
	if n.Tag == "" {
		return n, nil
	}
	name, ok := strings.CutPrefix(n.Tag, "!")
	if !ok || name == "" {
		return nil, fmt.Errorf("line %d: the tag %s isn't known", n.Line, n.Tag)
	}
	argument := *n
	argument.Tag = ""
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		name = "Fn::GetAtt"
		if n.Kind == doctree.Text { // a list may be written, too
			id, attribute, _ := strings.Cut(n.Text, ".")
			argument = *listNode(n.Line, textNode(n.Line, id), textNode(n.Line, attribute))
		}
	default:
		name = "Fn::" + name
	}
	return mapNode(n.Line, name, &argument), nil
}

// transforms are the template's, by name. One may also be a map with a Name.
func (t *template) transforms() (names []string) {
	add := func(n *doctree.Node) {
		if n != nil && n.Kind == doctree.Map {
			n = n.Get("Name")
		}
		if n != nil && n.Kind == doctree.Text {
			names = append(names, n.Text)
		}
	}
	switch all := t.root.Get("Transform"); {
	case all == nil:
	case all.Kind == doctree.List:
		for _, item := range all.Items {
			add(item)
		}
	default:
		add(all)
	}
	return names
}

// parameter is the value of a parameter, given or by default; nil without one. A list's may be a
// text with commas.
func (t *template) parameter(name string) *doctree.Node {
	if v := t.given[name]; v != nil {
		return v
	}
	return t.root.Get("Parameters").Get(name).Get("Default")
}

func textNode(line int, text string) *doctree.Node {
	return &doctree.Node{Kind: doctree.Text, Line: line, Text: text}
}

func listNode(line int, items ...*doctree.Node) *doctree.Node {
	return &doctree.Node{Kind: doctree.List, Line: line, Items: items}
}

// mapNode is a map with one member.
func mapNode(line int, name string, v *doctree.Node) *doctree.Node {
	return &doctree.Node{Kind: doctree.Map, Line: line, Members: []doctree.Member{{Name: name, Line: line, Value: v}}}
}
