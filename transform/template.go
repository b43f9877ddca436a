package transform

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Template is a mapping template with the gateway's variables: $input, $util, $context and
// $stageVariables. A [REST] has several; one alone renders the same way, for tests and for programs
// that need no more. It is immutable and safe for concurrent use.
type Template struct {
	template       *vtl.Template
	stageVariables bool // whether the text names them
	paths          *jsonpath.Cache
}

// NewTemplate parses a mapping template of at most 300 KB under the engine's default limits. The
// name is for errors, which are [vtl.Error]s.
func NewTemplate(name, text string) (*Template, error) {
	return newTemplate(name, text, vtl.Options{}, &jsonpath.Cache{})
}

func newTemplate(name, text string, o vtl.Options, paths *jsonpath.Cache) (*Template, error) {
	t, err := o.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return &Template{t, strings.Contains(text, "stageVariables"), paths}, nil
}

// Override is what a template has set in $context.requestOverride or $context.responseOverride. The
// maps are nil where it has set nothing.
type Override struct {
	// Header, QueryString and Path have the values of each parameter: several if the template set a
	// list.
	Header, QueryString, Path map[string][]string
	// Status is the response's status, 0 if the template set none that can be one.
	Status int
}

// Rendering is what came of a template.
type Rendering struct {
	// Output is the text.
	Output []byte
	// Request and Response are the overrides that the template left behind.
	Request, Response Override
	// Trace says what each reference became, in the order in which they were evaluated. Only
	// [Template.Trace] fills it in.
	Trace []vtl.Reference
}

// Render renders the template for a request and a payload: the request's body, which Render doesn't
// read itself, or, for response templates, the integration's. Path parameters are those of
// r.PathValue. An error is a [vtl.Error], at run time.
func (t *Template) Render(r *http.Request, body []byte) (*Rendering, error) {
	return t.rendering(r, body, nil)
}

// Trace is Render, and tells what each reference became. It is for people who look for what is
// wrong with a template.
func (t *Template) Trace(r *http.Request, body []byte) (*Rendering, error) {
	var trace []vtl.Reference
	rendering, err := t.rendering(r, body, func(ref vtl.Reference) { trace = append(trace, ref) })
	if err != nil {
		return &Rendering{Trace: trace}, err
	}
	rendering.Trace = trace
	return rendering, nil
}

func (t *Template) rendering(r *http.Request, body []byte, visit func(vtl.Reference)) (*Rendering, error) {
	e := &exchange{r: r, rc: gatekit.From(r.Context()), parameters: parameters{r: r}}
	out, err := e.renderWith(t, body, visit)
	if err != nil {
		return nil, err
	}
	request, err := e.context.request.exported(asSet)
	if err != nil {
		return nil, &vtl.Error{Template: t.template.Name(), Message: err.Error(), Err: err}
	}
	response, err := e.context.response.exported(asSet)
	if err != nil {
		return nil, &vtl.Error{Template: t.template.Name(), Message: err.Error(), Err: err}
	}
	return &Rendering{Output: out, Request: request, Response: response}, nil
}

// exchange is one request on its way to the integration and back. Both templates see the same
// parameters and the same $context.
type exchange struct {
	rest       *REST
	r          *http.Request // the method request
	rc         *gatekit.RequestContext
	parameters parameters
	context    *contextObject
	body       []byte            // the client's, once it was read
	document   jsonpath.Document // of the body, once a mapping has looked into it
	traceID    string
	rule       string // what notes call the template at work; "" where nobody wants any
}

func (e *exchange) render(t *Template, body []byte) ([]byte, error) {
	return e.renderWith(t, body, nil)
}

// renderWith renders a template over a payload.
func (e *exchange) renderWith(t *Template, body []byte, visit func(vtl.Reference)) ([]byte, error) {
	if e.context == nil {
		e.context = newContext(e.r, &budget{})
	}
	b := e.context.budget
	b.meter = nil // that of an earlier rendering has ended
	vars := map[string]any{
		"input":   newInput(body, &e.parameters, t.paths, b),
		"util":    util{b},
		"context": e.context,
	}
	if t.stageVariables && e.rc != nil {
		vars["stageVariables"] = e.rc.API.Variables
	}
	var out bytes.Buffer
	var err error
	if visit == nil {
		err = t.template.Execute(&out, vars)
	} else {
		err = t.template.Trace(&out, vars, visit)
	}
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// budget is the account of the execution at hand, from which the gateway's variables pay for what
// they do: the engine counts its own steps, and not what an object does in one of them.
type budget struct{ meter *vtl.Meter }

const (
	// lookedPerStep is how many bytes of a payload a step looks at. JSON that is all brackets takes
	// two nanoseconds a byte.
	lookedPerStep = 24
	// parsedPerByte is how many steps and, eight times over, bytes a byte of an expression takes
	// that isn't remembered.
	parsedPerByte = 8
	// compiledPerByte is the same of one with a regular expression, in which \p{L} stands for
	// hundreds of ranges.
	compiledPerByte = 200
	// perInstruction is what it takes to compile an instruction of a regular expression.
	perInstruction = 16
	// perMember is about how many bytes it takes to find out whether a member's name stands in an
	// object twice.
	perMember = 48
)

// look pays for n bytes that are looked at. Every call costs something.
func (b *budget) look(n int) error { return b.meter.Charge(2+n/lookedPerStep, 0) }

// make pays for a text of n bytes that is made.
func (b *budget) make(n int) error { return b.meter.Charge(2+n/16, 16+n) }
