package transform

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// contextObject is $context or a part of it, such as $context.identity. Parts print nothing, as on the managed gateway. What a template sets
// stays for the response template. (Developer guide, "Variables for data transformations for API Gateway".)
type contextObject struct {
	r      *http.Request
	budget *budget // of the rendering at hand
	prefix string  // "", "identity.", …
	keys   []string
	groups map[string]*contextObject // parts, once they were asked for
	set    *vtl.Map                  // what a template has set

	request, response *override // of the whole
}

// contextKeys are the members of $context and its parts.
var contextKeys = hashOrdered(map[string][]string{
	"": {
		"resourceId", "resourcePath", "httpMethod", "extendedRequestId", "requestTime", "path", "accountId", "protocol", requestOverride, "stage",
		"domainPrefix", "requestTimeEpoch", "requestId", "identity", "domainName", "deploymentId", responseOverride, "apiId",
	},
	"identity.": {
		"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId", "accessKey", "cognitoAuthenticationType",
		"cognitoAuthenticationProvider", "userArn", "userAgent", "user",
	},
	"authorizer.": {"principalId"}, "authorizer.claims.": nil, "error.": nil, "integration.": nil, "identity.clientCert.": nil,
	"identity.clientCert.validity.": nil, "customDomain.": nil,
})

const (
	requestOverride  = "requestOverride"
	responseOverride = "responseOverride"
)

func hashOrdered(groups map[string][]string) map[string][]string {
	for prefix, keys := range groups {
		groups[prefix] = hashOrder(keys)
	}
	return groups
}

// newContext returns $context for one exchange.
func newContext(r *http.Request, b *budget) *contextObject {
	return &contextObject{r: r, budget: b, keys: contextKeys[""], request: &override{budget: b}, response: &override{budget: b}}
}

// Property implements vtl.Object.
func (c *contextObject) Property(name string) (any, bool) {
	if c.set != nil {
		if value, ok := c.set.Get(name); ok {
			return value, true
		}
	}
	if c.prefix == "" {
		switch name {
		case requestOverride:
			return c.request, true
		case responseOverride:
			return c.response, true
		}
	}
	if value, ok := contextvar.Value(c.r, c.prefix+name); ok {
		return plainText(value), true
	}
	prefix := c.prefix + name + "."
	keys, ok := contextKeys[prefix]
	if !ok {
		return nil, false
	}
	group := c.groups[name]
	if group == nil {
		group = &contextObject{r: c.r, budget: c.budget, prefix: prefix, keys: keys}
		if c.groups == nil {
			c.groups = map[string]*contextObject{}
		}
		c.groups[name] = group
	}
	return group, true
}

// Set implements vtl.Setter.
func (c *contextObject) Set(name string, value any) bool {
	if c.set == nil {
		c.set = vtl.NewMap()
	}
	c.set.Put(name, value)
	return true
}

// Call implements vtl.Object: $context and its parts are maps.
func (c *contextObject) Call(method string, args []any) (any, bool, error) {
	if err := c.charge(); err != nil {
		return nil, true, err
	}
	return callMap(c, c.members(), method, args)
}

// charge pays for a call, which lists the members.
func (c *contextObject) charge() error {
	n := len(c.keys)
	if c.set != nil {
		n += c.set.Len()
	}
	return c.budget.make(256 * n)
}

// members are the keys in the order of a Java HashMap, which the managed gateway keeps them in. (Recorded.)
func (c *contextObject) members() []string {
	keys := c.keys
	if c.prefix == "" && gatekit.From(c.r.Context()) != nil && gatekit.From(c.r.Context()).Authorization != nil {
		keys = append(slices.Clip(keys), "authorizer")
	}
	if c.set != nil {
		keys = slices.Clip(keys)
		for name := range c.set.All() {
			if !slices.Contains(c.keys, name) {
				keys = append(keys, name)
			}
		}
	}
	if len(keys) == len(c.keys) {
		return keys
	}
	return hashOrder(keys)
}

// callMap calls a method of java.util.Map on an object.
func callMap(o vtl.Setter, keys []string, method string, args []any) (any, bool, error) {
	get := func(name string) any {
		value, _ := o.Property(name)
		return value
	}
	list := func(of func(name string) any) *vtl.List {
		l := vtl.NewList()
		for _, name := range keys {
			l.Append(of(name))
		}
		return l
	}
	switch {
	case method == "keySet" && len(args) == 0:
		return list(func(name string) any { return name }), true, nil
	case method == "values" && len(args) == 0:
		return list(get), true, nil
	case method == "entrySet" && len(args) == 0:
		return list(func(name string) any {
			entry := vtl.NewMap()
			entry.Put("key", name)
			entry.Put("value", get(name))
			return entry
		}), true, nil
	case method == "size" && len(args) == 0:
		return len(keys), true, nil
	case method == "isEmpty" && len(args) == 0:
		return len(keys) == 0, true, nil
	case method == "get" && len(args) == 1:
		return get(vtl.ToString(args[0])), true, nil
	case method == "containsKey" && len(args) == 1:
		return slices.Contains(keys, vtl.ToString(args[0])), true, nil
	case method == "getOrDefault" && len(args) == 2:
		if value, ok := o.Property(vtl.ToString(args[0])); ok {
			return value, true, nil
		}
		return args[1], true, nil
	case method == "put" && len(args) == 2:
		name := vtl.ToString(args[0])
		old := get(name)
		o.Set(name, args[1])
		return old, true, nil
	case method == "putAll" && len(args) == 1:
		if m, ok := args[0].(*vtl.Map); ok {
			for name, value := range m.All() {
				o.Set(name, value)
			}
		}
		return nil, true, nil
	}
	return nil, false, nil
}

// hashOrder sorts keys as a java.util.HashMap iterates over them: by bucket, within one as they came.
func hashOrder(keys []string) []string {
	buckets := uint32(16)
	for float64(len(keys)) > 0.75*float64(buckets) {
		buckets *= 2
	}
	bucket := func(key string) uint32 {
		var h uint32
		for _, unit := range key { // keys are ASCII but for what templates make up
			h = 31*h + uint32(unit)
		}
		return (h ^ h>>16) & (buckets - 1)
	}
	sorted := slices.Clone(keys)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
	return sorted
}

// override is $context.requestOverride or $context.responseOverride. It is read after the whole template has run, so that what is set last
// counts.
type override struct {
	budget              *budget
	header, query, path *vtl.Map
	set                 *vtl.Map // status, and whatever else a template puts here
}

// Property implements vtl.Object.
func (o *override) Property(name string) (any, bool) {
	if part := o.part(name); part != nil {
		if *part == nil {
			*part = vtl.NewMap()
		}
		return *part, true
	}
	if o.set == nil {
		return nil, false
	}
	return o.set.Get(name)
}

func (o *override) part(name string) **vtl.Map {
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
	if part := o.part(name); part != nil {
		m, ok := value.(*vtl.Map)
		if ok {
			*part = m
		}
		return ok
	}
	if o.set == nil {
		o.set = vtl.NewMap()
	}
	o.set.Put(name, value)
	return true
}

// Call implements vtl.Object.
func (o *override) Call(method string, args []any) (any, bool, error) {
	keys := []string{}
	for _, name := range [...]string{"header", "path", "querystring"} {
		if *o.part(name) != nil {
			keys = append(keys, name)
		}
	}
	if o.set != nil {
		for name := range o.set.All() {
			keys = append(keys, name)
		}
	}
	if err := o.budget.make(256 * len(keys)); err != nil {
		return nil, true, err
	}
	return callMap(o, hashOrder(keys), method, args)
}

// overridden returns what a part says of each name: a list is several values, everything else one.
func overridden(m *vtl.Map) map[string][]string {
	if m == nil || m.Len() == 0 {
		return nil
	}
	all := make(map[string][]string, m.Len())
	for name, value := range m.All() {
		all[name] = overriddenValues(value)
	}
	return all
}

// overriddenValues are the values of a parameter that a template has set.
func overriddenValues(value any) []string {
	list, ok := value.(*vtl.List)
	if !ok {
		return []string{vtl.ToString(value)}
	}
	values := make([]string, 0, list.Len())
	for _, v := range list.All() {
		values = append(values, vtl.ToString(v))
	}
	return values
}

// status returns the response's status if a template has set one that is an integer from 200 to 599; any other is passed over.
func (o *override) status() (int, bool) {
	if o.set == nil {
		return 0, false
	}
	value, _ := o.set.Get("status")
	status, ok := value.(int64)
	return int(status), ok && status >= 200 && status <= 599
}
