package transform

import (
	"bytes"
	"errors"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// input is $input: a payload and the method request's parameters. (Developer guide, "Mapping
// template reference", "$input variables".)
type input struct {
	body   []byte // UTF-8
	params *parameters
	paths  *jsonpath.Cache
	budget *budget

	text     *string // the body as a string, once it was asked for
	document jsonpath.Document
	checked  bool // whether the body is JSON
}

// Meter implements vtl.Metered.
func (in *input) Meter(m *vtl.Meter) { in.budget.meter = m }

// emptyObject stands in for an empty body, everywhere.
const emptyObject = "{}"

func newInput(body []byte, params *parameters, paths *jsonpath.Cache, b *budget) *input {
	if len(body) == 0 {
		body = []byte(emptyObject)
	}
	return &input{body: validText(body), params: params, paths: paths, budget: b}
}

// Property implements vtl.Object.
func (in *input) Property(name string) (any, bool) {
	if name != "body" {
		return nil, false
	}
	if in.text == nil {
		if in.budget.make(len(in.body)) != nil {
			return nil, false
		}
		text := string(in.body)
		in.text = &text
	}
	return *in.text, true
}

// Call implements vtl.Object.
func (in *input) Call(method string, args []any) (any, bool, error) {
	if method == "params" && len(args) == 0 {
		return in.params.all(), true, nil
	}
	if len(args) != 1 {
		return nil, false, nil
	}
	arg, err := in.budget.meter.Text(args[0])
	if err != nil {
		return nil, true, err
	}
	switch method {
	case "params":
		if err := in.budget.make(len(arg)); err != nil { // in the spelling of headers
			return nil, true, err
		}
		return in.params.first(arg), true, nil
	case "path":
		value, err := in.path(arg)
		return value, true, err
	case "json":
		text, err := in.json(arg)
		return text, true, err
	}
	return nil, false, nil
}

// path returns what the expression selects, decoded: of a definite path the value, else a list.
// What is missing or null is the empty text. A body that isn't JSON is itself, as text, and nothing
// is in it: templates for form posts take it apart.
func (in *input) path(expr string) (any, error) {
	values, definite, err := in.selectFrom(expr)
	if err == errWholeText {
		text, _ := in.Property("body")
		return text, nil
	}
	if err != nil || values == nil && definite {
		return "", err
	}
	if definite {
		v, err := in.decode(values[0])
		if v == nil {
			v = ""
		}
		return v, err
	}
	list := vtl.NewJSONArray()
	for _, value := range values {
		v, err := in.decode(value)
		if err != nil {
			return nil, err
		}
		list.Append(v)
	}
	return list, nil
}

func (in *input) decode(value []byte) (any, error) {
	return in.budget.meter.DecodeJSON(value)
}

// written pays for a value that is written anew.
func (in *input) written(value []byte) error {
	return in.budget.meter.Charge(2+len(value)/8, 2*len(value)+perMember*bytes.Count(value, []byte(":")))
}

// json returns the JSON text of what the expression selects. What is missing is the empty JSON
// text; a body that isn't JSON is a JSON string, in which there is nothing.
func (in *input) json(expr string) (string, error) {
	values, definite, err := in.selectFrom(expr)
	switch {
	case err == errWholeText:
		if err := in.budget.make(13 * len(in.body)); err != nil { // a control character becomes six, twice
			return "", err
		}
		return string(vtl.AppendJSON(make([]byte, 0, 6*len(in.body)+2), string(in.body))), nil
	case err != nil:
		return "", err
	case values == nil && definite:
		return `""`, nil
	case definite:
		if err := in.written(values[0]); err != nil {
			return "", err
		}
		return string(jsonpath.AppendCompact(nil, values[0])), nil
	}
	text := []byte{'['}
	for i, value := range values {
		if err := in.written(value); err != nil { // values may lie within each other
			return "", err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = jsonpath.AppendCompact(text, value)
	}
	return string(append(text, ']')), nil
}

// errWholeText says that the expression is the whole of a body that isn't JSON.
var errWholeText = errors.New("transform: the body is text")

// parse parses an expression, and pays for it whether or not it was remembered: who else uses it
// changes nothing.
func (in *input) parse(expr string) (*jsonpath.Path, error) {
	cost := parsedPerByte
	if strings.Contains(expr, "=~") {
		cost = compiledPerByte
	}
	cost *= min(len(expr), jsonpath.MaxExpression)
	if err := in.budget.meter.Charge(2+cost, 8*cost); err != nil {
		return nil, err
	}
	path, err := in.paths.Parse(expr)
	if err != nil {
		return nil, err
	}
	size := perInstruction * path.Patterns()
	return path, in.budget.meter.Charge(size, 32*size)
}

// selectFrom evaluates an expression. A body that isn't JSON has nothing but itself; an expression
// that isn't one fails the template.
func (in *input) selectFrom(expr string) (values [][]byte, definite bool, err error) {
	path, err := in.parse(expr)
	if err != nil {
		return nil, false, err
	}
	if path.Definite() || !in.checked {
		if err := in.budget.look(path.Passes() * len(in.body)); err != nil {
			return nil, false, err
		}
	}
	if !in.checked {
		in.checked = true
		d, value, ok, err := jsonpath.OpenAndGet(in.body, path)
		if err == nil {
			in.document = d
		}
		if ok {
			return [][]byte{value}, true, nil
		}
	} else if value, ok := in.document.Get(path); ok {
		return [][]byte{value}, true, nil
	}
	if in.document.Text() == nil && path.Whole() {
		return nil, true, errWholeText
	}
	if path.Definite() || in.document.Text() == nil {
		return nil, true, nil
	}
	steps, bytes := in.budget.meter.Left()
	values, spent, err := in.document.SelectWithin(path, jsonpath.Cost{Looked: lookedPerStep * steps, Made: bytes})
	if charged := in.budget.meter.Charge(2+spent.Looked/lookedPerStep, spent.Made); charged != nil {
		return nil, false, charged
	}
	return values, false, err
}
