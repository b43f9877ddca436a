package transform

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/querytext"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// parameters are those of the method request. They are read once something asks for them.
type parameters struct {
	r *http.Request

	path, query, header map[string][]string
	queryOrder          []string
	pathOrder           []string
	maps                *vtl.Map // what $input.params() is
}

func (p *parameters) headers() map[string][]string {
	if p.header == nil {
		p.header = event.Headers(p.r)
		maps.DeleteFunc(p.header, func(name string, _ []string) bool { return event.DroppedByREST(name) })
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
