package transform

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf16"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// contextObject is $context or a part of it, such as $context.identity. Parts print nothing, as on
// the managed gateway. What a template sets stays for the response template. (Developer guide,
// "Variables for data transformations for API Gateway".)
type contextObject struct {
	r      *http.Request
	budget *budget                   // of the rendering at hand
	prefix string                    // "", "identity.", …
	keys   []string                  // the members that the request brings, once they were asked for
	groups map[string]*contextObject // parts, once they were asked for
	set    *vtl.Map                  // what a template has set

	request, response *override // of the whole
}

// contextKeys are the members of $context and its parts that are always there. Others come with
// what a request has: see [contextObject.base].
var contextKeys = map[string][]string{
	"": {
		"resourceId", "resourcePath", "httpMethod", "extendedRequestId", "requestTime", "path", "accountId", "protocol",
		requestOverride, "stage",
		"domainPrefix", "requestTimeEpoch", "requestId", "identity", "domainName", "deploymentId", responseOverride,
		"apiId",
	},
	"identity.": {
		"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId", "accessKey",
		"cognitoAuthenticationType",
		"cognitoAuthenticationProvider", "userArn", "userAgent", "user",
	},
	"authorizer.": nil, "authorizer.claims.": nil, "error.": nil, "integration.": nil, "identity.clientCert.": nil,
	"identity.clientCert.validity.": nil, "customDomain.": nil,
}

const (
	requestOverride  = "requestOverride"
	responseOverride = "responseOverride"
)

// newContext returns $context for one exchange.
func newContext(r *http.Request, b *budget) *contextObject {
	return &contextObject{r: r, budget: b, request: newOverride(b, "header", "path", "querystring"),
		response: newOverride(b, "header")}
}

// Meter implements vtl.Metered.
func (c *contextObject) Meter(m *vtl.Meter) { c.budget.meter = m }

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
	if len(name) > maxName {
		return nil, false
	}
	if value, ok := contextvar.Value(c.r, c.prefix+name); ok {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && contextvar.Numeric(c.prefix+name) {
			return n, true
		}
		return plainText(value), true
	}
	prefix := c.prefix + name + "."
	if _, ok := contextKeys[prefix]; !ok {
		return nil, false
	}
	group := c.groups[name]
	if group == nil {
		group = &contextObject{r: c.r, budget: c.budget, prefix: prefix}
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
	return setIn(c.budget, c.set, name, value)
}

// maxName is how long the name of a variable may be, which is put together with that of what it is
// in.
const maxName = 1024

// perKey is about how many bytes a key of a map takes, in which order it may come included.
const perKey = 256

func setIn(b *budget, m *vtl.Map, name string, value any) bool {
	if b.meter.Charge(4+len(name)/32, perKey) != nil {
		return false
	}
	m.Put(name, value)
	return true
}

// Call implements vtl.Object: $context and its parts are maps.
func (c *contextObject) Call(method string, args []any) (any, bool, error) {
	return callMap(c.budget, c, c.members, method, args)
}

// members are the keys.
func (c *contextObject) members() []string {
	if c.keys == nil {
		c.keys = c.base()
	}
	keys := slices.Clip(c.keys)
	for name := range c.set.All() {
		if !slices.Contains(c.keys, name) {
			keys = append(keys, name)
		}
	}
	return keys
}

// base are the members that the request brings: those of the authorizer's own context, the claims,
// a key where there is one.
func (c *contextObject) base() []string {
	keys := slices.Clip(contextKeys[c.prefix])
	var a *gatekit.Authorization
	if rc := gatekit.From(c.r.Context()); rc != nil {
		a = rc.Authorization
	}
	there := func(names ...string) {
		for _, name := range names {
			if _, ok := contextvar.Value(c.r, c.prefix+name); ok {
				keys = append(keys, name)
			}
		}
	}
	switch c.prefix {
	case "":
		if a != nil {
			keys = append(keys, "authorizer")
		}
	case "identity.":
		there("apiKey", "apiKeyId")
	case "authorizer.":
		there("principalId")
		if a.HasClaims() {
			keys = append(keys, "claims")
		}
		for _, name := range sortedKeys(a.Context()) {
			if !slices.Contains(keys, name) {
				keys = append(keys, name)
			}
		}
	case "authorizer.claims.":
		keys = append(keys, sortedKeys(a.ClaimStrings())...)
	}
	return keys
}

// callMap calls a method of java.util.Map on an object. Each call that lists the members pays for
// them.
func callMap(b *budget, o vtl.Setter, members func() []string, method string, args []any) (any, bool, error) {
	get := func(name string) any {
		value, _ := o.Property(name)
		return value
	}
	name := ""
	if len(args) > 0 && method != "putAll" {
		text, err := b.meter.Text(args[0])
		if err != nil {
			return nil, true, err
		}
		name = text
	}
	switch {
	case method == "get" && len(args) == 1:
		return get(name), true, nil
	case method == "getOrDefault" && len(args) == 2:
		if value, ok := o.Property(name); ok {
			return value, true, nil
		}
		return args[1], true, nil
	case method == "put" && len(args) == 2:
		old := get(name)
		o.Set(name, args[1])
		return old, true, nil
	case method == "putAll" && len(args) == 1:
		m, ok := args[0].(*vtl.Map)
		if !ok {
			return nil, false, nil
		}
		for name, value := range m.All() {
			if !o.Set(name, value) && b.meter.Charge(1, 0) != nil {
				break
			}
		}
		return nil, true, nil
	}
	return callMembers(b, get, members, method, name, len(args))
}

// callMembers calls those methods that list the members, in the order of a Java HashMap, which the
// managed gateway keeps them in. (Recorded.)
func callMembers(b *budget, get func(string) any, members func() []string, method, name string,
	args int) (any, bool, error) {
	switch method {
	case "keySet", "values", "entrySet", "size", "isEmpty", "containsKey":
	default:
		return nil, false, nil
	}
	keys := members()
	cost := 0
	for _, key := range keys {
		cost += 8 + len(key)
	}
	if err := b.meter.Charge(cost/4, perKey*len(keys)); err != nil {
		return nil, true, err
	}
	list := func(of func(name string) any) *vtl.List {
		l := vtl.NewList()
		for _, name := range hashOrder(keys) {
			l.Append(of(name))
		}
		return l
	}
	switch {
	case method == "keySet" && args == 0:
		return list(func(name string) any { return name }), true, nil
	case method == "values" && args == 0:
		return list(get), true, nil
	case method == "entrySet" && args == 0:
		return list(func(name string) any {
			entry := vtl.NewMap()
			entry.Put("key", name)
			entry.Put("value", get(name))
			return entry
		}), true, nil
	case method == "size" && args == 0:
		return len(keys), true, nil
	case method == "isEmpty" && args == 0:
		return len(keys) == 0, true, nil
	case method == "containsKey" && args == 1:
		return slices.Contains(keys, name), true, nil
	}
	return nil, false, nil
}

// hashOrder sorts keys as a java.util.HashMap iterates over them: by bucket, within one as they
// came.
func hashOrder(keys []string) []string {
	buckets := uint32(16)
	for float64(len(keys)) > 0.75*float64(buckets) {
		buckets *= 2
	}
	type placed struct {
		bucket uint32
		key    string
	}
	sorted := make([]placed, len(keys))
	for i, key := range keys {
		var h uint32
		for _, unit := range utf16.Encode([]rune(key)) {
			h = 31*h + uint32(unit)
		}
		sorted[i] = placed{(h ^ h>>16) & (buckets - 1), key}
	}
	slices.SortStableFunc(sorted, func(a, b placed) int { return cmp.Compare(a.bucket, b.bucket) })
	ordered := make([]string, len(keys))
	for i := range sorted {
		ordered[i] = sorted[i].key
	}
	return ordered
}
