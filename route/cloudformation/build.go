package cloudformation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// builder makes a document of the resources of all stacks. An API may have its parts in several of
// them, so all values are there before it begins.
type builder struct {
	*importer
	doc  *definition.Document
	apis map[*resource]*definition.API
	// authorizers, models and validators are by the resource that they are made of.
	authorizers map[*resource]string
	owners      map[*resource]*definition.API // of authorizers
	validators  map[*resource]*definition.Validator
	// made are the stages that a Stage made, which go before a Deployment's.
	made map[*definition.Stage]bool
	// deployed are names of stages that a Deployment of a V2 API names.
	deployed map[string]bool
	// functions says that the ARNs of all functions are known.
	functions bool
	// closed are stacks all of whose APIs of a type are closed already.
	closed map[closing]bool
	// responses are those of WebSocket integrations.
	responses map[*resource][]*definition.Response
}

func (i *importer) build() *definition.Document {
	b := &builder{importer: i, doc: &definition.Document{}, apis: map[*resource]*definition.API{},
		authorizers: map[*resource]string{}, owners: map[*resource]*definition.API{},
		validators: map[*resource]*definition.Validator{},
		made:       map[*definition.Stage]bool{}, deployed: map[string]bool{},
		responses: map[*resource][]*definition.Response{}, closed: map[closing]bool{}}
	var passes [lastPass + 1][]*resource
	for _, s := range i.stacks {
		for _, r := range s.order {
			if !r.lives() {
				continue
			}
			r.checkNames()
			if r.rule.build != nil {
				passes[r.rule.pass] = append(passes[r.rule.pass], r)
			}
		}
	}
	for _, pass := range passes {
		for _, r := range pass {
			if i.tooLarge {
				return b.doc
			}
			r.stack.enter(r, func() { r.rule.build(b, r) })
		}
	}
	b.absentStacks()
	return b.doc
}

// closing is a reason to close the APIs of a type that a stack has. A nil stack is all.
type closing struct {
	stack *stack
	kind  string
	why   string
}

// closeAll closes APIs, once for each reason.
func (b *builder) closeAll(c closing, shut func(*definition.API)) {
	if b.closed[c] {
		return
	}
	b.closed[c] = true
	for of, a := range b.apis {
		if (c.stack == nil || of.stack == c.stack) && (c.kind == "" || of.kind == c.kind) {
			shut(a)
		}
	}
}

// absentStacks says of the APIs that nested stacks are given whose templates aren't here that they
// may have more routes.
func (b *builder) absentStacks() {
	for _, s := range b.stacks {
		for _, r := range s.order {
			if r.kind != nestedStack || r.child != nil || !r.lives() {
				continue
			}
			for _, m := range members(r.properties.Get("Parameters")) {
				id := scalar(r.parameterFor(m.Name))
				of := b.handed[id]
				if root := b.rootOf(id); root != nil {
					of = root
				}
				if a := b.apis[of]; a != nil {
					a.RoutesUnknown = true
				}
			}
		}
	}
}

// reportUnknown tells of each unknown value that the document has, and is an error of parameters
// without a value that what is served needs.
func (i *importer) reportUnknown(doc *definition.Document) error {
	if len(i.unknowns) == 0 { // of which those without a value are a part
		return nil
	}
	whole, err := doc.MarshalJSON()
	if err != nil {
		return err
	}
	needed := &definition.Document{APIKeys: doc.APIKeys}
	for _, a := range doc.APIs {
		needed.APIs = append(needed.APIs, &definition.API{ID: a.ID, Routes: a.Routes, Authorizers: a.Authorizers})
	}
	part, err := needed.MarshalJSON()
	if err != nil {
		return err
	}
	var lacking []string
	isLacking := map[string]bool{}
	for _, name := range unknownIn(string(part)) {
		if i.missing[name] {
			lacking, isLacking[name] = append(lacking, name), true
		}
	}
	for _, name := range unknownIn(string(whole)) {
		if origin, ok := i.unknowns[name]; ok && !isLacking[name] {
			i.note(definition.Finding{Severity: definition.UnknownValue, What: name + " is known to a deployment only",
				Do: doAbout(name), Origin: origin})
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("cloudformation: want values for what is served: %s", strings.Join(lacking, ", "))
	}
	return nil
}

// unknownIn are the names of the unknown values in a text, each once.
func unknownIn(text string) (names []string) {
	seen := map[string]bool{}
	for text != "" {
		mark, begin := nextUnknown(text)
		if mark == "" {
			break
		}
		name, _ := definition.UnknownIn(text)
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
		text = text[begin+len(mark):]
	}
	return names
}

// doAbout is what a person can do about an unknown value.
func doAbout(name string) string {
	kind, rest, _ := strings.Cut(name, " ")
	switch kind {
	case "parameter":
		return fmt.Sprintf("give Options.Parameters[%q]", rest)
	case "export":
		return fmt.Sprintf("give Options.Exports[%q]", rest)
	case "condition":
		return fmt.Sprintf("give Options.Conditions[%q]", rest)
	case "the":
		return "give it by Options.Files"
	}
	if strings.HasPrefix(name, "{{resolve:") {
		return "give Options.Resolve"
	}
	return fmt.Sprintf("give Options.Attributes[%q]", name)
}

// api is the API that a resource belongs to, by its property; nil, and reported, where it isn't in
// the import.
func (b *builder) api(r *resource, property string) *definition.API {
	a, _ := b.apiAt(r, r.text(property))
	return a
}

func (b *builder) apiAt(r *resource, id string) (*definition.API, *resource) {
	if of := b.handed[id]; of != nil && b.apis[of] != nil {
		return b.apis[of], of
	}
	name, unknown := definition.UnknownIn(id)
	switch {
	case unknown:
		r.note(definition.Unsupported, doAbout(name), "%s belongs to an API that isn't known: %s", r.id, name)
	case id == "":
		r.note(definition.Unsupported, "name the API", "%s belongs to no API", r.id)
	default:
		r.note(definition.Unsupported, "read it together with the stack that has the API",
			"%s belongs to the API %.60q, which isn't in the import", r.id, id)
	}
	return nil, nil
}

// find is the resource of a type that a text is the ID or ARN of.
func (b *builder) find(text string, kinds ...string) *resource {
	if r := b.handed[text]; r != nil && slices.Contains(kinds, r.kind) {
		return r
	}
	return nil
}

// refer is how the document names what a text is the ID or ARN of: by its logical ID, if a program
// can bind it, else by the text. The resource gets into the document.
func (b *builder) refer(text string) string {
	r := b.handed[text]
	if r == nil {
		return text
	}
	if r.kind == lambdaAlias || r.kind == lambdaVersion {
		return text
	}
	b.bindable(r)
	if b.doc.Resources[r.id] == nil {
		return text
	}
	return r.id
}

// closed is a boolean that refuses more where it is true: it is, unless it isn't there or says
// false. What is neither isn't known, or a mistake.
func closed(n *doctree.Node) bool { return n != nil && !strings.EqualFold(scalar(n), "false") }

// compound reports whether there is a list or a map, where a scalar is to be.
func compound(n *doctree.Node) bool {
	return n != nil && (n.Kind == doctree.List || n.Kind == doctree.Map)
}

// put sets an element of a map that is nil while it is empty.
func put[T any](m *map[string]T, name string, element T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[name] = element
}

// number reads an integer, which templates also have as text; nil of none, and reported.
func (r *resource) number(n *doctree.Node, what string) *int {
	f := r.decimal(n, what)
	if f == nil {
		return nil
	}
	return new(int(*f))
}

func (r *resource) decimal(n *doctree.Node, what string) *float64 {
	text := scalar(n)
	if n == nil || text == "" {
		return nil
	}
	var f float64
	if _, err := fmt.Sscanf(text+"\n", "%g\n", &f); err != nil || f != f || f > 1e15 || f < -1e15 {
		err = cmp.Or(err, errors.New("it is too large"))
		r.note(definition.Unsupported, "write a number", "%s: want a number for %s: %v", r.id, what, err)
		return nil
	}
	return &f
}
