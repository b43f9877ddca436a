package openapi

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// value is a value of the document, nil where there is none, with its place as a JSON Pointer.
type value struct {
	*doctree.Node
	at string
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func (v value) get(name string) value {
	return value{v.Node.Get(name), v.at + "/" + pointerEscapes.Replace(name)}
}

func (v value) item(i int) value { return value{v.Items[i], v.at + "/" + strconv.Itoa(i)} }

// members are those of a map; of all else there are none.
func (v value) members() func(yield func(string, value) bool) {
	return func(yield func(string, value) bool) {
		if v.Node == nil {
			return
		}
		for _, m := range v.Members {
			if !yield(m.Name, value{m.Value, v.at + "/" + pointerEscapes.Replace(m.Name)}) {
				return
			}
		}
	}
}

func (v value) is(k doctree.Kind) bool { return v.Node != nil && v.Kind == k }

// given reports whether there is a value, and not null.
func (v value) given() bool { return v.Node != nil && v.Kind != doctree.Null }

// text is a scalar as it was written, "" of all else: status codes, versions and numbers are text
// to the managed gateway, whatever they are to YAML.
func (v value) text() string {
	if v.Node == nil || v.Kind == doctree.List || v.Kind == doctree.Map {
		return ""
	}
	return v.Text
}

// truth is a boolean, which some documents have as text. Any other word is an error, and no false:
// it may be what was to close a door.
func (r *reader) truth(v value) bool {
	switch {
	case !v.given():
	case (v.is(doctree.Bool) || v.is(doctree.Text)) && strings.EqualFold(v.Text, "true"):
		return true
	case (v.is(doctree.Bool) || v.is(doctree.Text)) && strings.EqualFold(v.Text, "false"):
	default:
		r.fail(v, "Parse issue: attribute %.200s is not of type `boolean`: want true or false, got %.100q",
			v.at, v.shown())
	}
	return false
}

// texts are the scalars of a list, or the one of a scalar.
func (v value) texts() (all []string) {
	if !v.given() {
		return nil
	}
	if v.Kind != doctree.List {
		if text := v.text(); text != "" {
			return []string{text}
		}
		return nil
	}
	for _, item := range v.Items {
		if text := (value{Node: item}).text(); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func (r *reader) origin(v value) definition.Origin {
	o := definition.Origin{Template: r.o.File, Path: v.at}
	if v.Node != nil {
		o.Line = v.Line
	}
	return o
}

// maxRefs is how many references may lead to each other before something is reached.
const maxRefs = 20

// deref follows references within the document. What leads out of it, to nothing or in a circle is
// an error of the import, and nil.
func (r *reader) deref(v value) value { return r.follow(v, nil) }

// reference is deref for what has routes or their security: members beside a reference are an
// error, as nobody says which of the two counts.
func (r *reader) reference(v value) value {
	return r.follow(v, func(v value) {
		for name, member := range v.members() {
			if !besideRef[name] && (!strings.HasPrefix(name, "x-") || ofTheGateway(name)) {
				r.fail(member, "want nothing beside a reference, got %.100q: write all of it in one place", name)
			}
		}
	})
}

var besideRef = map[string]bool{"$ref": true, "summary": true, "description": true}

func (r *reader) follow(v value, check func(value)) value {
	from := v
	for range maxRefs {
		ref := v.Get("$ref")
		if ref == nil || ref.Kind != doctree.Text {
			return v
		}
		if check != nil {
			check(v)
		}
		target, ok := r.lookup(ref.Text)
		if !ok {
			r.fail(from, "Unable to resolve the reference '%s': want one within the document, to what is there",
				ref.Text)
			return value{at: v.at}
		}
		v = target
	}
	r.fail(from, "Unable to resolve the reference '%s': want at most %d references in a row",
		v.get("$ref").text(), maxRefs)
	return value{at: v.at}
}

// lookup finds what "#/components/parameters/Page" names.
func (r *reader) lookup(ref string) (value, bool) {
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		return value{}, false
	}
	v := r.root
	for name := range strings.SplitSeq(pointer, "/") {
		if unescaped, err := url.PathUnescape(name); err == nil {
			name = unescaped
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		if v = v.get(name); v.Node == nil {
			return value{}, false
		}
	}
	return v, true
}

// fill puts the values of ${AWS::Region} and its kind into all text of the tree.
func fill(n *doctree.Node, in *strings.Replacer) {
	if strings.Contains(n.Text, "${AWS::") {
		n.Text = in.Replace(n.Text)
	}
	for _, item := range n.Items {
		fill(item, in)
	}
	for i := range n.Members {
		if m := &n.Members[i]; strings.Contains(m.Name, "${AWS::") {
			m.Name = in.Replace(m.Name)
		}
		fill(n.Members[i].Value, in)
	}
}

// foreign returns the first "${name}" of a text that is neither a stage variable nor one that the
// import fills in: what a template's author left to a tool of theirs.
func foreign(text string) string {
	for {
		_, after, found := strings.Cut(text, "${")
		name, behind, closed := strings.Cut(after, "}")
		if !found || !closed {
			return ""
		}
		if !strings.HasPrefix(name, "stageVariables.") {
			return "${" + name + "}"
		}
		text = behind
	}
}

// tagged returns the first value with a tag of its own, as templates have (!Ref, !Sub).
func tagged(n *doctree.Node) *doctree.Node {
	if n.Tag != "" {
		return n
	}
	for _, item := range n.Items {
		if t := tagged(item); t != nil {
			return t
		}
	}
	for _, m := range n.Members {
		if t := tagged(m.Value); t != nil {
			return t
		}
	}
	return nil
}
