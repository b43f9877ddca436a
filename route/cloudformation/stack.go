package cloudformation

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// The bounds of an import: what its templates may evaluate to, together.
const (
	maxSteps     = 1_000_000
	maxTextBytes = 64 << 20
	maxDeep      = 300
	maxStacks    = 200
	maxNested    = 10
	maxFileBytes = 256 << 20
	maxHints     = 100  // of what was meant; each compares a name with all others
	maxMeant     = 1000 // types that aren't known
)

var errTooLarge = errors.New("cloudformation: the templates are too large when they are evaluated")

// importer is one import: all stacks of it, which may refer to each other.
type importer struct {
	o         *Options
	fsys      fs.FS
	fileBytes int
	stacks    []*stack // parents before their children
	exports   map[string][]*export

	// handed are the resources whose ID or ARN a text is. Each text that could be looked up was
	// handed out here.
	handed map[string]*resource
	ids    map[string]bool
	madeUp map[string]string // IDs and what they were made for

	steps, textBytes, deep, hints int
	tooLarge                      bool
	at                            []*resource // whose properties are evaluated

	findings []definition.Finding
	seen     map[definition.Finding]bool
	errs     []error
	unknowns map[string]definition.Origin // where unknown values come from
	missing  map[string]bool              // unknown values that are parameters without a value
	secrets  []string                     // values of NoEcho parameters
	meant    map[string]string            // types by what was written for them
}

// stack is a template with what makes its values definite.
type stack struct {
	*importer
	t               *template
	name            string
	prefix          string // of logical IDs: "Nested/"
	account, region string
	level           int
	assets          *assets

	resources  map[string]*resource
	order      []*resource
	conditions map[string]*truth
	parameters map[string]*doctree.Node
	outputs    map[string]*doctree.Node
	of         *resource // of the parent, which a nested stack is
	language   bool      // AWS::LanguageExtensions
}

// resource is a resource of a stack.
type resource struct {
	stack      *stack
	id         string // with the stack's prefix
	logical    string
	kind       string // AWS::ApiGateway::RestApi
	node       *doctree.Node
	properties *doctree.Node // not evaluated
	values     map[string]*doctree.Node
	evaluating map[string]bool
	exists     truth
	child      *stack // of a nested stack
	path       string // in a CDK program
	rule       *rule  // of its type
}

// origin is where the resource stands.
func (r *resource) origin() definition.Origin {
	return definition.Origin{Template: r.stack.t.file, LogicalID: r.id, Line: r.node.Line}
}

// within is where one of the resource's values stands.
func (r *resource) within(v *doctree.Node, path string) definition.Origin {
	o := r.origin()
	if v != nil && v.Line > 0 {
		o.Line = v.Line
	}
	if path != "" {
		o.Path = "/Resources/" + r.logical + "/Properties" + path
	}
	return o
}

// note adds a finding, once.
func (i *importer) note(f definition.Finding) {
	if !i.seen[f] {
		i.seen[f] = true
		i.findings = append(i.findings, f)
	}
}

// hint names what may have been meant, as long as there aren't too many to be asked.
func (i *importer) hint(name string, have iter.Seq[string]) string {
	if i.hints++; i.hints > maxHints {
		return ""
	}
	return nearest.Hint(name, have)
}

func (r *resource) note(s definition.Severity, do, format string, args ...any) {
	r.stack.note(definition.Finding{Severity: s, What: fmt.Sprintf(format, args...), Do: do, Origin: r.origin()})
}

// refuse is an error that names the resource.
func (r *resource) refuse(err error) {
	r.stack.errs = append(r.stack.errs, fmt.Errorf("cloudformation: %s: %s: %w", r.stack.t.file, r.id, err))
}

// load makes the resources of a stack whose template is translated.
func (s *stack) load() {
	for _, m := range s.t.root.Get("Resources").Members {
		kind := m.Value.Get("Type")
		if m.Value.Kind != doctree.Map || kind == nil || kind.Kind != doctree.Text {
			s.errs = append(s.errs, fmt.Errorf("cloudformation: %s:%d: want a resource with a Type, got %s%.100s",
				s.t.file, m.Line, s.prefix, m.Name))
			continue
		}
		node := *m.Value
		node.Line = m.Line
		id := s.prefix + m.Name
		if s.ids[id] { // of another stack
			id = s.name + "/" + id
		}
		s.ids[id] = true
		r := &resource{stack: s, id: id, logical: m.Name, kind: kind.Text, node: &node,
			rule: ruleOf(kind.Text), values: map[string]*doctree.Node{}, evaluating: map[string]bool{},
			exists: truth{yes: true}}
		if path := m.Value.Get("Metadata").Get("aws:cdk:path"); path != nil {
			r.path = strings.TrimSuffix(path.Text, "/Resource")
		}
		s.resources[m.Name] = r
		s.order = append(s.order, r)
	}
	for _, r := range s.order {
		r.properties = s.included(r.node.Get("Properties"))
	}
	s.decideResources()
}

// decideResources decides which resources there are.
func (s *stack) decideResources() {
	for _, r := range s.order {
		if c := r.node.Get("Condition"); c != nil {
			s.enter(r, func() { r.exists = *s.condition(c.Text, c.Line) })
		}
	}
}

// settle forgets what was evaluated before all stacks were there: what a nested stack is given may
// be an output of one that is read later.
func (i *importer) settle() {
	i.exports = nil
	for _, s := range i.stacks {
		s.parameters, s.outputs = map[string]*doctree.Node{}, map[string]*doctree.Node{}
		s.conditions = map[string]*truth{}
		for _, r := range s.order {
			clear(r.values)
		}
	}
	for _, s := range i.stacks {
		s.decideResources()
		for _, r := range s.order {
			if r.exists.unknown != "" {
				r.note(definition.UnknownValue, "decide it by Options.Conditions",
					"whether %s is there hangs on %s; it is taken to be", r.id, r.exists.unknown)
			}
		}
	}
}

// enter evaluates something of a resource.
func (s *stack) enter(r *resource, do func()) {
	s.at = append(s.at, r)
	do()
	s.at = s.at[:len(s.at)-1]
}

// lives reports whether the resource is there, for what its conditions say.
func (r *resource) lives() bool { return r.exists.yes || r.exists.unknown != "" }

// get is a property's value, or nil. Properties are evaluated one by one: a function may have the
// URL of an API in its environment that has the function's ARN in its body.
func (r *resource) get(name string) *doctree.Node {
	if v, ok := r.values[name]; ok {
		return v
	}
	from := r.properties.Get(name)
	if from == nil {
		return nil
	}
	if r.evaluating[name] {
		return r.stack.fault(from.Line, "circular dependency: the property %s of %s refers to itself", name, r.id)
	}
	r.evaluating[name] = true
	r.stack.enter(r, func() {
		r.values[name] = r.stack.member(doctree.Member{Name: name, Line: from.Line, Value: from})
	})
	delete(r.evaluating, name)
	return r.values[name]
}

// text is a property that is a scalar, "" of all else.
func (r *resource) text(name string) string { return scalar(r.get(name)) }

// scalar is what a scalar says, as text.
func scalar(n *doctree.Node) string {
	if n == nil || n.Kind == doctree.List || n.Kind == doctree.Map {
		return ""
	}
	return n.Text
}

// truthOf reads a boolean, which templates also have as text.
func truthOf(n *doctree.Node) bool { return strings.EqualFold(scalar(n), "true") }

// members are those of a map.
func members(n *doctree.Node) []doctree.Member {
	if n == nil {
		return nil
	}
	return n.Members
}

// items are those of a list; what is no list, and is there, is the only one.
func items(n *doctree.Node) []*doctree.Node {
	switch {
	case n == nil || n.Kind == doctree.Null:
		return nil
	case n.Kind == doctree.List:
		return n.Items
	}
	return []*doctree.Node{n}
}

// texts are the scalars of a list.
func texts(n *doctree.Node) (all []string) {
	for _, item := range items(n) {
		if t := scalar(item); t != "" {
			all = append(all, t)
		}
	}
	return all
}

// textMap are the scalars of a map, by name.
func textMap(n *doctree.Node) map[string]string {
	var all map[string]string
	for _, m := range members(n) {
		if m.Value.Kind == doctree.List {
			continue
		}
		text := scalar(m.Value)
		if m.Value.Kind == doctree.Map {
			text = string(m.Value.AppendJSON(nil))
		}
		if all == nil {
			all = map[string]string{}
		}
		all[m.Name] = text
	}
	return all
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
