package transform

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/querytext"
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

// validText returns body with what isn't UTF-8 as U+FFFD, one for each piece that could have begun
// a character, as Java decodes it. It returns body itself if nothing is to be done.
func validText(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	text, rest := appendValidText(make([]byte, 0, len(body)+len(body)/8+8), body)
	if len(rest) > 0 {
		text = utf8.AppendRune(text, utf8.RuneError)
	}
	return text
}

// plainText is validText for a string.
func plainText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(validText([]byte(s)))
}

// appendValidText appends b as validText has it, but for an unfinished character at the end, which
// it returns.
func appendValidText(dst, b []byte) (text, rest []byte) {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r != utf8.RuneError || size > 1 {
			dst = append(dst, b[:size]...)
			b = b[size:]
			continue
		}
		n := prefixLen(b)
		if n == len(b) && !utf8.FullRune(b) {
			return dst, b
		}
		dst = utf8.AppendRune(dst, utf8.RuneError)
		b = b[n:]
	}
	return dst, nil
}

// prefixLen is how many bytes of b, which begins with no character, could be the beginning of one;
// at least one. (The Unicode Standard, section 3.9, "maximal subpart".)
func prefixLen(b []byte) int {
	n := 1
	for n < min(len(b), 3) && !utf8.FullRune(b[:n]) && 0x80 <= b[n] && b[n] < 0xc0 {
		if utf8.FullRune(b[:n+1]) { // complete, and wrong
			break
		}
		n++
	}
	return n
}

// parameters are those of the method request. They are read once something asks for them.
type parameters struct {
	r *http.Request

	path, query, header map[string][]string
	queryOrder          []string
	pathOrder           []string
	maps                *vtl.Map // what $input.params() is
}

// hidden are the request headers that the managed gateway's front takes away before anything sees
// them. (Recorded.)
var hidden = map[string]bool{
	"Connection": true, "Content-Length": true, "Content-Md5": true, "Expect": true, "Max-Forwards": true, "Proxy-Authenticate": true, "Server": true,
	"Te": true, "Transfer-Encoding": true, "Trailer": true, "Upgrade": true, "Www-Authenticate": true,
}

func (p *parameters) headers() map[string][]string {
	if p.header == nil {
		p.header = event.Headers(p.r)
		for name := range p.header {
			if hidden[name] {
				delete(p.header, name)
			}
		}
	}
	return p.header
}

func (p *parameters) queries() map[string][]string {
	if p.query != nil {
		return p.query
	}
	p.query = map[string][]string{}
	for pair := range strings.FieldsFuncSeq(p.r.URL.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		name, value = plainText(querytext.Decoded(name)), plainText(querytext.Decoded(value))
		if _, seen := p.query[name]; !seen {
			p.queryOrder = append(p.queryOrder, name)
		}
		p.query[name] = append(p.query[name], value)
	}
	return p.query
}

func (p *parameters) paths() map[string][]string {
	if p.path != nil {
		return p.path
	}
	p.path = map[string][]string{}
	for name, value := range event.PathParameters(p.r, gatekit.RouteKey(p.r), false) {
		p.path[name] = []string{plainText(value)}
		p.pathOrder = append(p.pathOrder, name)
	}
	slices.Sort(p.pathOrder)
	return p.path
}

// headerValues finds a header by the name that the client sent it under, which net/http doesn't
// keep: in any letter case.
func (p *parameters) headerValues(name string) []string {
	return p.headers()[http.CanonicalHeaderKey(name)]
}

// pathValue also finds variables that no route key names.
func (p *parameters) pathValue(name string) (string, bool) {
	if values := p.paths()[name]; len(values) > 0 {
		return values[0], true
	}
	_, value, _ := gatekit.PathVariable(p.r, name)
	return value, value != ""
}

// first is $input.params(name): of several values of one name the last counts.
func (p *parameters) first(name string) string {
	if value, ok := p.pathValue(name); ok {
		return value
	}
	if values := p.queries()[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	if values := p.headerValues(name); len(values) > 0 {
		return plainText(values[len(values)-1])
	}
	return ""
}

// all is $input.params(). The map is the template's to change.
func (p *parameters) all() *vtl.Map {
	if p.maps != nil {
		return p.maps
	}
	paths, queries, headers := p.paths(), p.queries(), p.headers()
	p.maps = vtl.NewMap()
	for _, group := range []struct {
		name   string
		order  []string
		values map[string][]string
	}{
		{"path", p.pathOrder, paths},
		{"querystring", p.queryOrder, queries},
		{"header", slices.Sorted(maps.Keys(headers)), headers},
	} {
		m := vtl.NewMap()
		for _, name := range group.order {
			if values := group.values[name]; len(values) > 0 {
				m.Put(name, plainText(values[len(values)-1]))
			}
		}
		p.maps.Put(group.name, m)
	}
	return p.maps
}
