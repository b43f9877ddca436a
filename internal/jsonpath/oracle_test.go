package jsonpath_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// The oracle decodes everything and follows paths step by step. A path is made as a list of its
// steps, so that it needs no parser.

type object struct {
	names  []string
	values map[string]any
}

// decode keeps the order of members, and of those with one name the last.
func decode(t testing.TB, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decodeNext(d)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func decodeNext(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &object{values: map[string]any{}}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			if _, seen := o.values[name.(string)]; !seen {
				o.names = append(o.names, name.(string))
			}
			o.values[name.(string)] = value
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func (o *object) list() []any {
	var values []any
	for _, name := range o.names {
		values = append(values, o.values[name])
	}
	return values
}

func print(v any) string {
	switch v := v.(type) {
	case *object:
		var parts []string
		for _, name := range v.names {
			parts = append(parts, print(name)+":"+print(v.values[name]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, print(e))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case nil:
		return "null"
	case string:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v)
		return strings.NewReplacer("\\u2028", "\u2028", "\\u2029", "\u2029").Replace(strings.TrimSpace(b.String()))
	}
	return fmt.Sprint(v)
}

func children(v any) []any {
	switch v := v.(type) {
	case *object:
		return v.list()
	case []any:
		return v
	}
	return nil
}

// obvious is a step: its text and what it does to one value.
type obvious struct {
	text     string
	deepText string // behind ..
	apply    func(root, v any, deep bool) []any
	definite bool
	deep     bool
}

func evaluate(steps []obvious, root, v any) []any {
	values := []any{v}
	for _, s := range steps {
		var next []any
		for _, v := range values {
			if !s.deep {
				next = append(next, s.apply(root, v, false)...)
				continue
			}
			var walk func(v any)
			walk = func(v any) {
				switch v.(type) {
				case *object, []any:
				default:
					return
				}
				next = append(next, s.apply(root, v, true)...)
				for _, c := range children(v) {
					walk(c)
				}
			}
			walk(v)
		}
		values = next
	}
	return values
}

func textOf(steps []obvious) (text string, definite bool) {
	definite = true
	for _, s := range steps {
		if s.deep {
			text += ".." + s.deepText
		} else {
			text += s.text
		}
		definite = definite && s.definite && !s.deep
	}
	return text, definite
}

var names = []string{"a", "b", "c", "d e", "é", "it's", `q"`, `b\`, "a.b", "sku", "x-y"}

func quoted(name string, r *rand.Rand) string {
	q := []string{"'", `"`}[r.IntN(2)]
	return q + strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), q, `\`+q) + q
}

func byName(list ...string) func(_, v any, _ bool) []any {
	return func(_, v any, _ bool) (found []any) {
		if o, ok := v.(*object); ok {
			for _, name := range list {
				if value, ok := o.values[name]; ok {
					found = append(found, value)
				}
			}
		}
		return found
	}
}

func byIndex(indexes ...int) func(_, v any, _ bool) []any {
	return func(_, v any, _ bool) (found []any) {
		if list, ok := v.([]any); ok {
			for _, i := range indexes {
				if i < 0 {
					i += len(list)
				}
				if i >= 0 && i < len(list) {
					found = append(found, list[i])
				}
			}
		}
		return found
	}
}

func randomStep(r *rand.Rand, filters bool) obvious {
	name, other := names[r.IntN(len(names))], names[r.IntN(len(names))]
	i, j := r.IntN(7)-3, r.IntN(7)-3
	s := obvious{deep: r.IntN(5) == 0}
	kinds := 8
	if filters {
		kinds = 10
	}
	switch r.IntN(kinds) {
	case 0, 1:
		s.text, s.apply, s.definite = "["+quoted(name, r)+"]", byName(name), true
		if !strings.ContainsAny(name, ` '"\.`) {
			s.text, s.deepText = "."+name, name
		}
	case 2, 3:
		s.text, s.apply, s.definite = fmt.Sprintf("[%d]", i), byIndex(i), true
	case 4:
		s.text, s.apply = []string{".*", "[*]"}[r.IntN(2)], func(_, v any, _ bool) []any { return children(v) }
		s.deepText = strings.TrimPrefix(s.text, ".")
	case 5:
		s.text, s.apply = "["+quoted(name, r)+", "+quoted(other, r)+"]", byName(name, other)
	case 6:
		s.text, s.apply = fmt.Sprintf("[%d,%d]", i, j), byIndex(i, j)
	case 7:
		from, to := strconv.Itoa(i), strconv.Itoa(j)
		if r.IntN(3) == 0 {
			from = ""
		}
		if r.IntN(3) == 0 {
			to = ""
		}
		s.text = "[" + from + ":" + to + "]"
		s.apply = func(_, v any, _ bool) (found []any) {
			list, _ := v.([]any)
			for at, e := range list {
				i, j := i, j
				if i < 0 {
					i += len(list)
				}
				if j < 0 {
					j += len(list)
				}
				if (from == "" || at >= i) && (to == "" || at < j) {
					found = append(found, e)
				}
			}
			return found
		}
	default:
		text, holds := randomFilter(r, 3)
		s.text = "[?(" + text + ")]"
		s.apply = func(root, v any, deep bool) (found []any) {
			switch v := v.(type) {
			case *object:
				if holds(root, v) {
					found = append(found, v)
				}
			case []any:
				for _, e := range v {
					if !deep && holds(root, e) {
						found = append(found, e)
					}
				}
			}
			return found
		}
	}
	if s.deepText == "" {
		s.deepText = s.text
	}
	return s
}

type missing struct{}

func randomOperand(r *rand.Rand) (string, func(root, v any) any) {
	switch r.IntN(5) {
	case 0:
		n := []string{"1", "2", "-0", "1.50", "15e-1", "1e400", "12345678901234567890"}[r.IntN(7)]
		return n, func(_, _ any) any { return json.Number(n) }
	case 1:
		s := []string{"1", "t", "abc", "", "1.50"}[r.IntN(5)]
		return quoted(s, r), func(_, _ any) any { return s }
	case 2:
		return "null", func(_, _ any) any { return nil }
	case 3:
		return "true", func(_, _ any) any { return true }
	}
	return randomInner(r)
}

func randomInner(r *rand.Rand) (string, func(root, v any) any) {
	var steps []obvious
	for range r.IntN(3) {
		steps = append(steps, randomStep(r, false))
	}
	text, definite := textOf(steps)
	at := []string{"@", "$"}[r.IntN(5)/4]
	return at + text, func(root, v any) any {
		if at == "$" {
			v = root
		}
		list := evaluate(steps, root, v)
		switch {
		case !definite:
			return append([]any{}, list...)
		case len(list) == 0:
			return missing{}
		}
		return list[0]
	}
}

func randomFilter(r *rand.Rand, depth int) (string, func(root, v any) bool) {
	if depth > 0 {
		switch r.IntN(8) {
		case 0:
			a, f := randomFilter(r, depth-1)
			b, g := randomFilter(r, depth-1)
			return "(" + a + ") || (" + b + ")", func(root, v any) bool { return f(root, v) || g(root, v) }
		case 1:
			a, f := randomFilter(r, 0)
			b, g := randomFilter(r, depth-1)
			return a + "&&(" + b + ")", func(root, v any) bool { return f(root, v) && g(root, v) }
		case 2:
			a, f := randomFilter(r, depth-1)
			return "!(" + a + ")", func(root, v any) bool { return !f(root, v) }
		}
	}
	switch r.IntN(4) {
	case 0:
		a, f := randomInner(r)
		return a, func(root, v any) bool {
			got := f(root, v)
			list, isList := got.([]any)
			if _, definite := textOfInner(a); !definite && isList {
				return len(list) > 0
			}
			return got != missing{}
		}
	case 1:
		a, f := randomInner(r)
		expr := []string{"[a-c]+", "t|1", ".*"}[r.IntN(3)]
		whole := regexp.MustCompile("^(?:" + expr + ")$")
		return a + " =~ /" + expr + "/", func(root, v any) bool {
			switch got := f(root, v).(type) {
			case string:
				return whole.MatchString(got)
			case json.Number, bool:
				return whole.MatchString(fmt.Sprint(got))
			}
			return false
		}
	}
	op := []string{"==", "!=", "<", "<=", ">", ">="}[r.IntN(6)]
	a, f := randomOperand(r)
	b, g := randomOperand(r)
	return a + " " + op + " " + b, func(root, v any) bool { return obviousCompare(op, f(root, v), g(root, v)) }
}

// textOfInner asks the package whether a path in a filter is definite, which the oracle's own lists
// can't tell from a list as value.
func textOfInner(text string) (string, bool) {
	p, err := jsonpath.Parse("$" + text[1:])
	return text, err == nil && p.Definite()
}

func obviousCompare(op string, a, b any) bool {
	eq := func() bool {
		if a == (missing{}) || b == (missing{}) {
			return false
		}
		n, aNumber := a.(json.Number)
		m, bNumber := b.(json.Number)
		s, aText := a.(string)
		u, bText := b.(string)
		switch {
		case aNumber && bNumber:
			return rat(n).Cmp(rat(m)) == 0
		case aNumber && bText:
			return string(n) == u
		case aText && bNumber:
			return s == string(m)
		}
		return print(a) == print(b) && aText == bText
	}
	switch op {
	case "==":
		return eq()
	case "!=":
		return !eq()
	}
	var order int
	n, aNumber := a.(json.Number)
	m, bNumber := b.(json.Number)
	s, aText := a.(string)
	u, bText := b.(string)
	switch {
	case aNumber && bNumber:
		order = rat(n).Cmp(rat(m))
	case aText && bText:
		order = strings.Compare(s, u)
	default:
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic(n)
	}
	return r
}

func randomDocument(r *rand.Rand, depth int) string {
	blank := func() string { return []string{"", "", " ", "\n\t"}[r.IntN(4)] }
	kind := r.IntN(10)
	if depth == 0 {
		kind = 4 + r.IntN(6)
	}
	switch kind {
	case 0, 1, 2:
		var parts []string
		for range r.IntN(6) * (1 + r.IntN(3)) {
			name := print(names[r.IntN(len(names))])
			if r.IntN(6) == 0 { // another spelling of a name
				name = strings.Replace(name, "a", `\u0061`, 1)
			}
			parts = append(parts, blank()+name+blank()+":"+blank()+randomDocument(r, depth-1)+blank())
		}
		return "{" + strings.Join(parts, ",") + blank() + "}"
	case 3:
		var parts []string
		for range r.IntN(5) {
			parts = append(parts, blank()+randomDocument(r, depth-1)+blank())
		}
		return "[" + strings.Join(parts, ",") + blank() + "]"
	case 4:
		return []string{"true", "false", "null"}[r.IntN(3)]
	case 5, 6:
		return []string{"0", "1", "2.0", "-0", "1.5", "1.50", "10e1", "12345678901234567890", "1e400"}[r.IntN(9)]
	}
	return []string{`"t"`, `"1"`, `"abc"`, `""`, `"\"}]"`, `"\\"`, `"\u00e9\ud83d\ude00\n"`, `"\ud800"`, `"\/"`,
		`"日本"`}[r.IntN(10)]
}

func TestAgainstAnObviousEvaluator(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found, lists := 0, 0
	n := 12_000
	if racing {
		n /= 4
	}
	for range n {
		document := randomDocument(r, 4)
		var steps []obvious
		for range 1 + r.IntN(4) {
			steps = append(steps, randomStep(r, true))
		}
		text, definite := textOf(steps)
		p, err := jsonpath.Parse("$" + text)
		require.NoError(t, err, text)
		require.Equal(t, definite, p.Definite(), text)
		got, err := p.Select([]byte(document))
		require.NoError(t, err, "%s of %s", text, document)
		root := decode(t, []byte(document))
		want := evaluate(steps, root, root)
		if len(got) != len(want) {
			t.Fatalf("%s of %s: got %q, want %s", text, document, got, print(want))
		}
		for i := range got {
			if compact := string(jsonpath.AppendCompact(nil, got[i])); compact != print(want[i]) {
				t.Fatalf("%s of %s: value %d is %s, want %s", text, document, i, compact, print(want[i]))
			}
			found++
		}
		if len(got) > 1 {
			lists++
		}
	}
	require.Greater(t, found, n/12, "the documents and paths have something in common")
	require.Greater(t, lists, n/80)
}
