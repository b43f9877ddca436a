package cloudformation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// The types of SAM that make or change APIs.
const (
	samPrefix       = "AWS::Serverless::"
	samFunction     = samPrefix + "Function"
	samStateMachine = samPrefix + "StateMachine"
	samAPI          = samPrefix + "Api"
	samHTTPAPI      = samPrefix + "HttpApi"
	samWebSocketAPI = samPrefix + "WebSocketApi"
	samConnector    = samPrefix + "Connector"
)

// maxTranslated bounds what a translation may copy, as Globals are merged into every resource and a
// policy is repeated for every path: values, and 64 bytes of text count as one more.
const maxTranslated = 1 << 19

// isSAM reports whether a template is to be translated: it says so, or it has APIs of SAM, or
// events that make some, be they misspelled. The service demands the former; who has forgotten it
// means SAM all the same.
func (t *template) isSAM() bool {
	if slices.Contains(t.transforms(), transformSAM) {
		return true
	}
	for _, m := range t.root.Get("Resources").Members {
		switch textOf(m.Value.Get("Type")) {
		case samAPI, samHTTPAPI, samWebSocketAPI:
			return true
		case samFunction, samStateMachine:
			for name, events := range eachMember(said(m.Value, "Properties")) {
				if name != "Events" && alike(strings.ToLower(name), "events") {
					return true
				}
				for _, event := range eachMember(events) {
					typ := textOf(said(event, "Type"))
					if name == "Events" && (typ == restEvents.event || typ == httpEvents.event) {
						return true
					}
				}
			}
		}
	}
	return false
}

// sam is one translation.
type sam struct {
	from *template
	note func(definition.Finding)
	// root and resources are a copy of the template's, and edited: events write into the bodies of
	// their APIs.
	root, resources *doctree.Node
	globals         map[string]*doctree.Node // properties by type
	bodies          map[string]*samBody      // of APIs with a body that can be edited, by logical ID
	managed         map[string]bool          // APIs whose body SAM has made
	auths           map[string]*doctree.Node // what APIs say of authorization, resolved
	made            map[string][]doctree.Member
	refs            map[string]map[string]string // {"Api": {"Stage": "ApiProdStage"}}
	plan            sharedPlan
	left            int // of maxTranslated
	problems        []error
}

// translateSAM makes the CloudFormation template that a SAM template stands for. It changes neither
// t nor its tree. The error is of a template that the service refuses, and names each resource and
// event that is to blame; what is translated otherwise than there is noted.
func translateSAM(t *template, _ Options, note func(definition.Finding)) (*template, error) {
	s := &sam{from: t, note: note, left: maxTranslated,
		bodies: map[string]*samBody{}, managed: map[string]bool{}, auths: map[string]*doctree.Node{},
		made: map[string][]doctree.Member{}, refs: map[string]map[string]string{}}
	s.root = copyOf(t.root)
	s.resources = s.root.Get("Resources")
	s.translate()
	if err := joined(s.problems); err != nil {
		return nil, err
	}
	return &template{root: s.root, file: t.file, given: t.given}, nil
}

// maxProblems is how many refusals one error lists: of all, and of one resource.
const maxProblems = 100

func joined(problems []error) error {
	problems = slices.DeleteFunc(problems, func(err error) bool { return err == nil })
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems:maxProblems], fmt.Errorf("and %d more", more))
	}
	return errors.Join(problems...)
}

// translate keeps the order of the service's translator, since each step sees what the ones before
// have written: bodies for APIs without one, implicit APIs and the methods of events, then Globals,
// then functions, whose events write integrations, and at last the APIs.
func (s *sam) translate() {
	s.eachOf("")(func(r *samResource) error {
		if err := r.checkResource(); err != nil {
			return err
		}
		r.node.Set("Properties", r.props)
		return nil
	})
	s.parseGlobals()
	s.eachOf(samAPI, samHTTPAPI)(s.defaultBody)
	s.implicitAPI(restEvents)
	s.implicitAPI(httpEvents)
	if len(s.problems) > 0 {
		return // as in the service: what follows would blame others for the same
	}
	s.eachOf("")(s.mergeGlobals)
	s.eachOf(samAPI)(s.fixOpenAPIVersion)
	s.eachOf(samFunction)(s.function)
	s.eachOf(samStateMachine)(s.stateMachine)
	s.eachOf(samAPI, samHTTPAPI)(func(r *samResource) error {
		if r.typ == samAPI {
			return s.restAPI(r)
		}
		return s.httpAPI(r)
	})
	s.eachOf("")(s.other)
	s.assemble()
	if s.left < 0 {
		s.problems = append(s.problems, fmt.Errorf("cloudformation: %s: %w: its translation from SAM has more than "+
			"%d values", s.from.file, doctree.ErrTooLarge, maxTranslated))
	}
}

// samResource is a resource of SAM that is translated.
type samResource struct {
	s       *sam
	id, typ string
	line    int
	node    *doctree.Node
	props   *doctree.Node // a Map
}

// eachOf calls f for the resources of the types, and of all types of SAM for "", in the order of
// the template. What f refuses doesn't keep the others from being looked at.
func (s *sam) eachOf(types ...string) func(f func(*samResource) error) {
	return func(f func(*samResource) error) {
		for _, m := range slices.Clone(s.resources.Members) {
			if r := s.resource(m); r != nil && (types[0] == "" || slices.Contains(types, r.typ)) {
				if err := f(r); err != nil {
					s.problems = append(s.problems, err)
				}
				if s.left < 0 {
					return
				}
			}
		}
	}
}

// resource is nil for what is none of SAM.
func (s *sam) resource(m doctree.Member) *samResource {
	typ := textOf(m.Value.Get("Type"))
	if !strings.HasPrefix(typ, samPrefix) {
		return nil
	}
	r := &samResource{s: s, id: m.Name, typ: typ, line: m.Line, node: m.Value, props: m.Value.Get("Properties")}
	if !isMap(r.props) {
		r.props = newMap(r.line) // which a first look has put there, or refused
	}
	return r
}

// refuse is the error that blames the resource.
func (r *samResource) refuse(at *doctree.Node, format string, args ...any) error {
	return r.s.refuse(lineOf(at, r.line), "resource "+r.id, format, args...)
}

// known refuses members that a map of the resource can't have.
func (r *samResource) known(where string, n *doctree.Node, names []string) error {
	for name, v := range eachMember(n) {
		if !slices.Contains(names, name) {
			return r.refuse(nodeOr(v, n), "%s: %s isn't known%s", where, name,
				nearest.Hint(name, slices.Values(names)))
		}
	}
	return nil
}

func (s *sam) refuse(line int, whom, format string, args ...any) error {
	return fmt.Errorf("cloudformation: %s:%d: %s: %s", s.from.file, line, whom, fmt.Sprintf(format, args...))
}

// main makes the resource that keeps the logical ID and all attributes of the one of SAM.
func (r *samResource) main(typ string, props *doctree.Node) {
	node := newMap(r.line, member("Type", textNode(r.line, typ)))
	for _, m := range r.node.Members {
		if m.Name != "Type" && m.Name != "Properties" && m.Name != "Connectors" && m.Name != "IgnoreGlobals" {
			node.Members = append(node.Members, m)
		}
	}
	node.Set("Properties", props)
	r.add(r.id, node)
}

// derived makes a resource beside it, which shares its condition.
func (r *samResource) derived(id, typ string, props *doctree.Node) *doctree.Node {
	node := newMap(r.line, member("Type", textNode(r.line, typ)))
	for _, name := range []string{"Condition", "DeletionPolicy", "UpdateReplacePolicy"} {
		if v := r.node.Get(name); v != nil {
			node.Set(name, v)
		}
	}
	node.Set("Properties", props)
	r.add(id, node)
	return node
}

func (r *samResource) add(id string, node *doctree.Node) {
	r.s.made[r.id] = append(r.s.made[r.id], doctree.Member{Name: id, Line: r.line, Value: node})
}

// refer makes Ref "API.Stage" and the like stand for the logical ID.
func (r *samResource) refer(property, id string) {
	if r.s.refs[r.id] == nil {
		r.s.refs[r.id] = map[string]string{}
	}
	r.s.refs[r.id][property] = id
}

// assemble puts what was made in the places of what it was made of. Two may make the same: a plan
// that is shared, a domain name of two APIs. The later then counts.
func (s *sam) assemble() {
	out, at := newMap(s.resources.Line), map[string]int{}
	own := map[string]bool{}
	for _, m := range s.resources.Members {
		own[m.Name] = true
	}
	for _, m := range s.resources.Members {
		made, ok := s.made[m.Name]
		if !ok {
			if s.resource(m) == nil {
				made = []doctree.Member{m}
			}
		}
		for _, g := range made {
			if g.Name != m.Name && own[g.Name] {
				s.problems = append(s.problems, s.refuse(m.Line, "resource "+m.Name,
					"its translation makes a resource %s, and the template has one of that name", g.Name))
			}
			if i, twice := at[g.Name]; twice {
				s.noteTwice(m, g, out.Members[i])
				out.Members[i] = g
				continue
			}
			at[g.Name] = len(out.Members)
			out.Members = append(out.Members, g)
		}
	}
	s.root.Set("Resources", out)
	s.root.Delete("Globals")
	s.dropTransform()
	s.rewrite(s.root)
}

// noteTwice reports what one resource makes in the place of another's, if it isn't theirs together.
func (s *sam) noteTwice(of, later, first doctree.Member) {
	if strings.HasPrefix(later.Name, "ApiGatewayDomainName") || strings.HasPrefix(later.Name, "Serverless") {
		return
	}
	s.note(definition.Finding{Severity: definition.Differs, Do: "give one of them another name",
		What: fmt.Sprintf("%s of %s takes the place of another resource's, of line %d, as in the service's translation",
			later.Name, of.Name, first.Line),
		Origin: definition.Origin{Template: s.from.file, LogicalID: of.Name, Line: of.Line}})
}

// dropTransform leaves the other transforms of the template.
func (s *sam) dropTransform() {
	all := s.root.Get("Transform")
	if all == nil || all.Kind != doctree.List {
		s.root.Delete("Transform")
		return
	}
	all.Items = slices.DeleteFunc(all.Items, func(n *doctree.Node) bool { return n.Text == transformSAM })
	if len(all.Items) == 0 {
		s.root.Delete("Transform")
	}
}
