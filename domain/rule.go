package domain

import (
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// RoutingRule sends requests to an API by their headers and their base path. (Developer guide,
// "Routing rules for REST APIs".)
type RoutingRule struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Priority is 1 to 1,000,000, and no two rules of a Name have the same. The lowest number is
	// looked at first; the first rule whose conditions all hold decides.
	Priority int
	// MatchHeaders are at most two conditions, which must both hold. None: headers don't matter.
	MatchHeaders []AnyOf
	// MatchBasePaths holds if the path begins with one of these, compared as [Mapping].BasePath is.
	// None: the path doesn't matter.
	MatchBasePaths []string
	// StripBasePath cuts the longest base path that matched off the URL. It wants MatchBasePaths.
	StripBasePath bool
	// Handler gets the request. Required.
	Handler http.Handler
}

// AnyOf is a condition that holds if one of its members does. An empty one is refused.
type AnyOf []HeaderGlob

// HeaderGlob holds if the request has a header whose value ValueGlob covers. Of several lines with
// the name, each is looked at.
type HeaderGlob struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Header is the name, without regard to case, of at most 39 characters.
	Header string
	// ValueGlob is compared with regard to case, and covers the whole value. A * stands for any
	// characters, and may be the first character, the last, or both. At most 127 letters, digits
	// and *?-!#$%&'.^_`|~/, of which only * has a meaning of its own.
	ValueGlob string
}

// Bounds of a rule. (Developer guide, "Routing rules for REST APIs".)
const (
	maxPriority     = 1_000_000
	maxMatchHeaders = 2
	maxHeaderName   = 39
	maxGlob         = 127
)

// RoutingMode says whether a Name's rules or its mappings choose. The names are the V2 API's; the
// V1 API's spellings with BASE_PATH_MAPPING for API_MAPPING are known too, and allow base paths of
// one level only, as that API does.
type RoutingMode string

const (
	// APIMappingOnly looks at mappings only. The default.
	APIMappingOnly RoutingMode = "API_MAPPING_ONLY"
	// RoutingRuleOnly looks at rules only.
	RoutingRuleOnly RoutingMode = "ROUTING_RULE_ONLY"
	// RoutingRuleThenAPIMapping looks at mappings if no rule holds.
	RoutingRuleThenAPIMapping RoutingMode = "ROUTING_RULE_THEN_API_MAPPING"

	basePathMappingOnly            RoutingMode = "BASE_PATH_MAPPING_ONLY"
	routingRuleThenBasePathMapping RoutingMode = "ROUTING_RULE_THEN_BASE_PATH_MAPPING"
)

// rule is a RoutingRule, compiled.
type rule struct {
	priority  int
	what      string // "api.example.com rule 10"
	headers   [][]headerGlob
	basePaths *keys[struct{}] // nil: no condition
	strip     bool
	handler   http.Handler
}

type headerGlob struct {
	header string // canonical
	glob   glob
}

// compile returns the rule, and adds every mistake in it to m.
func (r *RoutingRule) compile(m *mistakes.Mistakes) *rule {
	c := &rule{priority: r.Priority, strip: r.StripBasePath, handler: r.Handler}
	if r.Priority < 1 || r.Priority > maxPriority {
		m.Add("Priority", "want 1 to 1,000,000, got %d", r.Priority)
	}
	if len(r.MatchHeaders) > maxMatchHeaders {
		m.Add("MatchHeaders", "want at most two, got %d", len(r.MatchHeaders))
	}
	for i, anyOf := range r.MatchHeaders {
		if len(anyOf) == 0 {
			m.Under("MatchHeaders").Index(i).Add("", "want at least one header, got none")
		}
		var compiled []headerGlob
		for j, h := range anyOf {
			if !httpword.IsToken(h.Header) || len(h.Header) > maxHeaderName {
				m.Under("MatchHeaders").Index(i).Index(j).Add("Header", "want a header's name of at most 39 characters, got %q", h.Header)
			}
			g, err := parseGlob(h.ValueGlob)
			if err != nil {
				m.Under("MatchHeaders").Index(i).Index(j).Add("ValueGlob", "%w, got %q", err, h.ValueGlob)
			}
			compiled = append(compiled, headerGlob{textproto.CanonicalMIMEHeaderKey(h.Header), g})
		}
		c.headers = append(c.headers, compiled)
	}
	for i, path := range r.MatchBasePaths {
		want := checkKey(path)
		if want == "" {
			if c.basePaths == nil {
				c.basePaths = &keys[struct{}]{}
			}
			if !c.basePaths.add(path, &struct{}{}) {
				want = "each once"
			}
		}
		if want != "" {
			m.Under("MatchBasePaths").Index(i).Add("", "want %s, got %q", want, path)
		}
	}
	if r.StripBasePath && len(r.MatchBasePaths) == 0 {
		m.Add("StripBasePath", "want MatchBasePaths beside it, got none")
	}
	if r.Handler == nil {
		m.Add("Handler", "want a handler, got nil")
	}
	return c
}

// holds reports whether all conditions do, and returns the base path that did.
func (c *rule) holds(r *http.Request, path string, asSent bool) (basePath string, ok bool) {
	for _, anyOf := range c.headers {
		if !slices.ContainsFunc(anyOf, func(h headerGlob) bool { return h.matches(r) }) {
			return "", false
		}
	}
	if c.basePaths != nil {
		found, key := c.basePaths.match(path, asSent)
		return key, found != nil
	}
	return "", true
}

func (h *headerGlob) matches(r *http.Request) bool {
	if h.header == "Host" { // which net/http keeps elsewhere
		return h.glob.match(r.Host)
	}
	return slices.ContainsFunc(r.Header[h.header], h.glob.match)
}

// glob is a literal with or without a * at its ends.
type glob struct {
	literal        string
	before, behind bool // a * stands there
}

var (
	errGlobLength = errors.New("want 1 to 127 characters")
	errGlobChars  = errors.New("want letters, digits and *?-!#$%&'.^_`|~/")
	errGlobStar   = errors.New("want * as the first character, the last, or both")
)

func parseGlob(s string) (glob, error) {
	if s == "" || len(s) > maxGlob {
		return glob{}, errGlobLength
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("*?-!#$%&'.^_`|~/", s[i]) < 0 { // the guide's list has no /, its example has
			return glob{}, errGlobChars
		}
	}
	var g glob
	g.literal, g.before = strings.CutPrefix(s, "*")
	if g.before && g.literal == "" {
		return glob{before: true, behind: true}, nil
	}
	g.literal, g.behind = strings.CutSuffix(g.literal, "*")
	if strings.Contains(g.literal, "*") || g.literal == "" {
		return glob{}, errGlobStar
	}
	return g, nil
}

// match reports whether the glob covers the whole value.
func (g glob) match(value string) bool {
	switch {
	case g.before && g.behind:
		return strings.Contains(value, g.literal)
	case g.before:
		return strings.HasSuffix(value, g.literal)
	case g.behind:
		return strings.HasPrefix(value, g.literal)
	}
	return value == g.literal
}
