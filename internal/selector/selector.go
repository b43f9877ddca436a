package selector

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// Kind is what a selector reads. Kinds can be joined by | to say what a [Grammar] takes; a
// [Selector] has exactly one.
type Kind uint16

const (
	// Literal is text in single quotes, which stands for itself.
	Literal Kind = 1 << iota
	// Header is a header: "header.NAME".
	Header
	// Headers is all values of a header as one text: "multivalueheader.NAME".
	Headers
	// Query is a parameter of the query: "querystring.NAME".
	Query
	// Queries is all values of a parameter: "multivaluequerystring.NAME".
	Queries
	// PathVariable is a variable of the route's path: "path.NAME".
	PathVariable
	// Path is the whole path without the stage: "path".
	Path
	// Body is the whole body: "body".
	Body
	// BodyPart is what a JSON path finds in the body: "body.PATH".
	BodyPart
	// Status is the status of an answer: "statuscode".
	Status
	// Context is a variable of $context: "context.NAME".
	Context
	// SourceContext is one that may be an identity source: known before an authorizer is asked, and
	// not new with each request. It says what a grammar takes; the selector's kind is Context then.
	SourceContext
	// StageVariable is a stage variable: "stageVariables.NAME".
	StageVariable
)

// Selector names a part of a request, or of an answer. It is immutable. The zero Selector has no
// kind and finds nothing.
type Selector struct {
	// Kind is what it reads.
	Kind Kind
	// Name is the header's name in canonical form, the parameter's, the variable's, the JSON path's
	// text as it was written, or the literal's text without its quotes. It is empty for kinds that
	// have none.
	Name string

	form     Form
	variable contextvar.Var
	path     *jsonpath.Path
}

// JSONPath returns the path of a [BodyPart], else nil.
func (s *Selector) JSONPath() *jsonpath.Path { return s.path }

// Variable returns the variable of a [Context], else the zero one, which has no value.
func (s *Selector) Variable() contextvar.Var { return s.variable }

// Same reports whether s and o read the same thing, in whatever form they were written.
func (s *Selector) Same(o *Selector) bool {
	return s.Kind == o.Kind && s.Name == o.Name && s.form.spelling().answer == o.form.spelling().answer
}

// String returns the selector as it is written in its form.
func (s *Selector) String() string { return s.In(s.form) }

// In returns the selector as it is written in another form, whether or not that form has its kind.
func (s *Selector) In(f Form) string {
	if s.Kind == Literal {
		return "'" + s.Name + "'"
	}
	return strings.Replace(f.example(s.Kind), named(s.Kind), s.Name, 1)
}

// Grammar is what one place of a configuration takes.
type Grammar struct {
	// Forms are the spellings, first the one that errors speak of.
	Forms []Form
	// Kinds are what may be read.
	Kinds Kind
}

// Parse reads a selector that is all of text. The error says which selectors there are to choose
// from and, if text is one in another form, how that is written here; it fits behind the name of a
// field.
func (g Grammar) Parse(text string) (Selector, error) {
	if g.Kinds&Literal != 0 && len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		if httpword.HasControl(text) {
			return Selector{}, fmt.Errorf("want text without control characters, got %.100q", text)
		}
		return Selector{Kind: Literal, Name: text[1 : len(text)-1], form: g.Forms[0]}, nil
	}
	for _, f := range g.Forms {
		s, err := f.parse(text, g.Kinds)
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, errNoSource):
			return Selector{}, fmt.Errorf("want %s, got %.100q: %w", g.choice(), text, err)
		case !errors.Is(err, errOther):
			return Selector{}, err
		}
	}
	return Selector{}, fmt.Errorf("want %s, got %.100q%s", g.choice(), text, g.hint(text))
}

// choice lists what may be written: each kind in the first form, and one example of each other
// form.
func (g Grammar) choice() string {
	var list []string
	for kinds := g.Kinds &^ Literal; kinds != 0; kinds &= kinds - 1 {
		list = append(list, g.Forms[0].example(lowest(kinds)))
	}
	for _, f := range g.Forms[1:] {
		list = append(list, f.example(lowest(g.Kinds&^Literal)))
	}
	if g.Kinds&Literal != 0 {
		list = append(list, "'text'")
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func lowest(kinds Kind) Kind { return 1 << bits.TrailingZeros16(uint16(kinds)) }

// hint says how a selector of another form is written here: HTTP and REST APIs differ in a dollar
// sign and a word, and each page of the guide has its own.
func (g Grammar) hint(text string) string {
	text = strings.TrimPrefix(text, "$")
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		text = strings.TrimSuffix(inner, "}")
	}
	for f := range Form(len(spellings)) {
		for _, written := range []string{text, "$" + text} {
			s, err := f.parse(written, g.Kinds)
			if err == nil && f.spelling().answer == g.Forms[0].spelling().answer && !slices.Contains(g.Forms, f) {
				return ": write " + s.In(g.Forms[0])
			}
		}
	}
	return ""
}

var (
	// errOther says that a text isn't of a form, and nothing more.
	errOther    = errors.New("not of this form")
	errNoSource = errors.New("identity sources are those variables of $context that are known before " +
		"an authorizer is asked and aren't new with each request")
)

// parse reads text if it is of the form and one of the kinds.
func (f Form) parse(text string, kinds Kind) (Selector, error) {
	p := f.spelling()
	rest, ok := strings.CutPrefix(text, p.sigil)
	if !ok {
		return Selector{}, errOther
	}
	if name, ok := strings.CutPrefix(rest, "context."); ok && kinds&(Context|SourceContext) != 0 {
		return f.parseContext(name, kinds)
	}
	if name, ok := strings.CutPrefix(rest, "stageVariables."); ok && kinds&StageVariable != 0 && isStageVariable(name) {
		return Selector{Kind: StageVariable, Name: name, form: f}, nil
	}
	rest, ok = strings.CutPrefix(rest, p.message+".")
	if !ok {
		return Selector{}, errOther
	}
	return f.parsePart(rest, kinds)
}

func (f Form) parseContext(name string, kinds Kind) (Selector, error) {
	v, err := contextvar.Parse(name)
	if kinds&Context == 0 {
		known := false
		if v, known = contextvar.Source(name); !known {
			err = errNoSource
		}
	}
	if err != nil {
		return Selector{}, err
	}
	return Selector{Kind: Context, Name: name, form: f, variable: v}, nil
}

// parsePart reads what stands behind "method.request." and its likes.
func (f Form) parsePart(rest string, kinds Kind) (Selector, error) {
	for _, w := range words {
		if kinds&w.kind == 0 {
			continue
		}
		name, ok := strings.CutPrefix(rest, w.word)
		switch {
		case !ok:
			continue
		case w.named == "" && name == "":
			return Selector{Kind: w.kind, form: f}, nil
		case w.kind == BodyPart && name != "":
			return f.parseBodyPart(name)
		case w.named == "" || len(name) < 2 || name[0] != '.':
			continue
		}
		if name = name[1:]; !w.valid(name, f.spelling()) {
			continue
		}
		if w.kind&(Header|Headers) != 0 {
			name = textproto.CanonicalMIMEHeaderKey(name)
		}
		return Selector{Kind: w.kind, Name: name, form: f}, nil
	}
	return Selector{}, errOther
}

// parseBodyPart reads a JSON path without its $: ".a.b" or "[0].a". HTTP APIs have no descent and
// no filters in them. (Developer guide, "Transform API requests and responses for HTTP APIs".)
func (f Form) parseBodyPart(text string) (Selector, error) {
	if text[0] != '.' && text[0] != '[' {
		return Selector{}, errOther
	}
	name := strings.TrimPrefix(text, ".")
	if name == "" {
		return Selector{}, errOther
	}
	expr := "$" + text
	if name[0] == '[' {
		expr = "$" + name // ".[0]" is how some write it
	}
	if f.spelling().simplePaths {
		if what := beyondSimple(expr); what != "" {
			return Selector{}, fmt.Errorf("want a JSON path without %s, got %.100q", what, name)
		}
	}
	p, err := jsonpath.Parse(expr)
	if err != nil {
		return Selector{}, fmt.Errorf("want a JSON path, got %.100q: %w", name, err)
	}
	return Selector{Kind: BodyPart, Name: name, form: f, path: p}, nil
}

// beyondSimple names what a JSON path has, outside quotes, that HTTP APIs don't take.
func beyondSimple(expr string) string {
	for i, c := range Unquoted(expr) {
		switch {
		case c == '?' || c == '(':
			return "filters"
		case c == '.' && strings.HasPrefix(expr[i:], ".."):
			return ".."
		}
	}
	return ""
}

// Unquoted are the bytes of a JSON path, or of a text with one in it, with their indexes, without
// what stands in quotes between brackets: there ?, .. and } are letters of a member's name. Quotes
// elsewhere are letters themselves.
func Unquoted(expr string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		bracket, quote := false, byte(0)
		for i := range len(expr) {
			switch c := expr[i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case bracket && (c == '\'' || c == '"'):
				quote = c
			default:
				if c == '[' || c == ']' {
					bracket = c == '['
				}
				if !yield(i, c) {
					return
				}
			}
		}
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func all(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }

func isStageVariable(s string) bool { return all(s, letters+"_") }

func isHeader(s string, _ *spelling) bool { return httpword.IsToken(s) }

func isQuery(s string, in *spelling) bool {
	if in.anyQuery {
		return s != "" && !httpword.HasControl(s)
	}
	return all(s, letters+"._$-")
}

func isPathVariable(s string, _ *spelling) bool { return all(s, letters+".:_-") }
