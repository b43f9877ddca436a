package transform

import (
	"errors"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// override is $context.requestOverride or $context.responseOverride: a map of maps, and of whatever
// else a template puts there. It is read after the whole template has run, so that what is set last
// counts. (Developer guide, "Override your API's request and response parameters and status codes
// for REST APIs".)
type override struct {
	budget *budget
	parts  []string // that it shows
	header, query, path,
	set overrideMap // status, and whatever else a template puts here
}

func newOverride(b *budget, parts ...string) *override {
	return &override{b, parts, overrideMap{budget: b}, overrideMap{budget: b}, overrideMap{budget: b},
		overrideMap{budget: b}}
}

// Property implements vtl.Object.
func (o *override) Property(name string) (any, bool) {
	if part := o.part(name); part != nil {
		return part, true
	}
	return o.set.Property(name)
}

// part is one of the maps. Those that the other override shows are there, too, as a template may
// fill them.
func (o *override) part(name string) *overrideMap {
	switch name {
	case "header":
		return &o.header
	case "querystring":
		return &o.query
	case "path":
		return &o.path
	}
	return nil
}

// Set implements vtl.Setter.
func (o *override) Set(name string, value any) bool {
	part := o.part(name)
	if part == nil {
		return o.set.Set(name, value)
	}
	m, ok := value.(*vtl.Map)
	if ok {
		part.m = m
	}
	return ok
}

// Call implements vtl.Object.
func (o *override) Call(method string, args []any) (any, bool, error) {
	members := func() []string { return append(o.parts[:len(o.parts):len(o.parts)], o.set.members()...) }
	return callMap(o.budget, o, members, method, args)
}

// overrideMap is a map that prints nothing, as structured members of $context do. The zero map is
// empty.
type overrideMap struct {
	budget *budget
	m      *vtl.Map
}

// Property implements vtl.Object.
func (o *overrideMap) Property(name string) (any, bool) {
	if o.m == nil {
		return nil, false
	}
	return o.m.Get(name)
}

// Set implements vtl.Setter.
func (o *overrideMap) Set(name string, value any) bool {
	if o.m == nil {
		o.m = vtl.NewMap()
	}
	return setIn(o.budget, o.m, name, value)
}

// Call implements vtl.Object.
func (o *overrideMap) Call(method string, args []any) (any, bool, error) {
	if method == "remove" && len(args) == 1 {
		name, err := o.budget.meter.Text(args[0])
		if err != nil || o.m == nil {
			return nil, true, err
		}
		old, _ := o.m.Get(name)
		err = o.budget.meter.Charge(1+o.m.Len(), 0)
		o.m.Delete(name)
		return old, true, err
	}
	return callMap(o.budget, o, o.members, method, args)
}

func (o *overrideMap) members() (names []string) {
	for name := range o.m.All() {
		names = append(names, name)
	}
	return names
}

// maxOverridden is how much text all that a template overrides may come to. A list that holds
// itself thirty times over has a text of gigabytes, which shows only here: no header or query that
// long would arrive anywhere.
const maxOverridden = 1 << 20

var errOverridden = errors.New("transform: want overrides of up to 1 MiB in all")

// overridden reads what a part says of each name: a list is several values, everything else one. It
// takes what it makes from left. Of names that are one in the spelling the later one counts.
func (o *overrideMap) overridden(spelling func(string) string, left *int) (map[string][]string, error) {
	if o.m == nil || o.m.Len() == 0 {
		return nil, nil
	}
	all := map[string][]string{}
	for name, value := range o.m.All() {
		items := []any{value}
		if list, ok := value.(*vtl.List); ok {
			items = items[:0]
			for _, v := range list.All() {
				if items = append(items, v); len(items) > *left {
					return nil, errOverridden
				}
			}
		}
		values := make([]string, len(items))
		for i, v := range items {
			text, ok := vtl.Text(v, *left)
			if *left -= len(name) + len(text); !ok || *left < 0 {
				return nil, errOverridden
			}
			values[i] = text
		}
		all[spelling(name)] = values
	}
	return all, nil
}

func asSet(name string) string { return name }

// exported reads all that was overridden, with the names of headers in a spelling.
func (o *override) exported(spelling func(string) string) (Override, error) {
	left := maxOverridden
	header, err := o.header.overridden(spelling, &left)
	query, err2 := o.query.overridden(asSet, &left)
	path, err3 := o.path.overridden(asSet, &left)
	if err := errors.Join(err, err2, err3); err != nil {
		return Override{}, err
	}
	status, _ := o.status()
	return Override{header, query, path, status}, nil
}

// status returns the response's status if a template has set one that is an integer from 200 to
// 599; any other is passed over.
func (o *override) status() (int, bool) {
	value, _ := o.set.Property("status")
	status, ok := value.(int64)
	if !ok || status < 200 || status > 599 {
		return 0, false
	}
	return int(status), true
}
