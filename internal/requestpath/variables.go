package requestpath

import (
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// Variable is a path variable of a route with its value in a request's path.
type Variable struct {
	Name    string
	Escaped string // as it came: "a%2fb"
	Decoded string // "a/b"
	Greedy  bool   // it takes the rest of the path
}

// Variables returns the variables of the route with this key, in the order of the path, as the
// routed path has them. Of a key that the path doesn't fit, as another router has cut the path
// since, there are none.
func (p *Path) Variables(routeKey string) iter.Seq[Variable] {
	return func(yield func(Variable) bool) {
		f := p.routed
		if !p.fits(f, routeKey) {
			received, err := Parse(p.received, false) // a ServeMux pattern in front of http.StripPrefix is about that
			if f = received; err != nil || p.chosen || !p.fits(f, routeKey) {
				return
			}
		}
		for v, same := range p.walk(f, routeKey) {
			if same && v.Name != "" && !yield(v) {
				return
			}
		}
	}
}

// Fits reports whether the routed path, or the received one, fits the path of a route's key, as far
// as can be told before a route is chosen. $default fits nothing.
func (p *Path) Fits(routeKey string) bool {
	if !strings.Contains(routeKey, " ") {
		return false
	}
	judged := *p
	judged.chosen = false
	if judged.fits(judged.routed, routeKey) {
		return true
	}
	received, err := Parse(p.received, false)
	return err == nil && judged.fits(received, routeKey)
}

// fits reports whether the key's path is f's.
func (p *Path) fits(f Form, routeKey string) bool {
	if p.chosen {
		return true // routetree has compared them, by rules of its own
	}
	for _, same := range p.walk(f, routeKey) {
		if !same {
			return false
		}
	}
	return true
}

// walk goes through the segments of the key and of f at once. It yields the variables, and for
// other segments whether both have the same. What one has and the other hasn't isn't.
func (p *Path) walk(f Form, routeKey string) iter.Seq2[Variable, bool] {
	return func(yield func(Variable, bool) bool) {
		_, key, ok := strings.Cut(routeKey, " ")
		if !ok {
			return // $default
		}
		if p.loose {
			f = f.withoutSlash()
		}
		path, escaped := f.Raw()
		keys, rest := strings.TrimPrefix(key, "/"), strings.TrimPrefix(path, "/")
		moreKeys, more := keys != "", rest != ""
		for moreKeys {
			var segment, own string
			segment, keys, moreKeys = strings.Cut(keys, "/")
			name, greedy := variableOf(segment)
			if greedy {
				yield(newVariable(name, rest, escaped, true), true)
				return
			}
			had := more
			own, rest, more = strings.Cut(rest, "/")
			v := Variable{}
			same := had
			switch {
			case name != "":
				v = newVariable(name, own, escaped, false)
			// else another router's, of which we know only that it is a segment
			case !strings.ContainsAny(segment, "{*"):
				same = had && unescape(segment) == newVariable("", own, escaped, false).Decoded
			}
			if !yield(v, same) {
				return
			}
		}
		if more {
			yield(Variable{}, false)
		}
	}
}

func newVariable(name, text string, escaped, greedy bool) Variable {
	if escaped {
		return Variable{name, text, unescape(text), greedy}
	}
	return Variable{name, escape(text), text, greedy}
}

// unescape returns s as it is where it has a bad escape, which [Check]'s callers have refused.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

// variableOf returns the name of a segment {name}, or {name+}, which is greedy; else "".
func variableOf(segment string) (name string, greedy bool) {
	if len(segment) < 3 || segment[0] != '{' || segment[len(segment)-1] != '}' ||
		strings.IndexByte(segment[1:], '{') >= 0 {
		return "", false
	}
	name = segment[1 : len(segment)-1]
	bare, greedy := strings.CutSuffix(name, "+")
	return bare, greedy
}

// Value returns a path variable of r, whose route has this key. r.PathValue counts where a station
// has set another value than the path has, as parameter mappings do, and where another router has
// names that its pattern doesn't tell. It is false for a variable that nobody knows; an empty value
// is one.
func (p *Path) Value(r *http.Request, routeKey, name string) (Variable, bool) {
	set := r.PathValue(name)
	for v := range p.Variables(routeKey) {
		// chi's values are as they came where the path has a RawPath, and decoded elsewhere.
		if v.Name == name && (set == "" || set == v.Decoded || set == v.Escaped) {
			return v, true
		}
	}
	greedy := strings.Contains(routeKey, "{"+name+"+}")
	if set == "" {
		return Variable{Name: name, Greedy: greedy}, false
	}
	return Variable{name, Spell(set, greedy), set, greedy}, true
}

// Values returns what [Path.Value] does of every variable that the key names, in the key's order.
func (p *Path) Values(r *http.Request, routeKey string) iter.Seq[Variable] {
	return func(yield func(Variable) bool) {
		_, key, _ := strings.Cut(routeKey, " ")
		for segment := range strings.SplitSeq(key, "/") {
			name, _ := variableOf(segment)
			if name == "" {
				continue
			}
			if v, ok := p.Value(r, routeKey, name); ok && !yield(v) {
				return
			}
		}
	}
}

// Spell escapes a value for a path. The slashes of a greedy one are separators, and no other's are.
func Spell(value string, greedy bool) string {
	if !greedy {
		return url.PathEscape(value)
	}
	segments := strings.Split(value, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return strings.Join(segments, "/")
}
