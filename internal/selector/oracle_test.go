package selector_test

import (
	"net/textproto"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// read is what one of the seven readers before this package made of a text.
type read struct {
	kind selector.Kind
	name string
}

var parameterName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

func wasVariableName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("{}/$+", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// cut takes one of the prefixes from text.
func cut(text string, kinds map[string]selector.Kind) (read, bool) {
	for prefix, kind := range kinds {
		if name, ok := strings.CutPrefix(text, prefix); ok {
			return read{kind, name}, true
		}
	}
	return read{}, false
}

// authSource was auth/identity.go's: identity sources of Lambda authorizers.
func authSource(text string) (read, bool) {
	early := map[string]bool{
		"accountId": true, "apiId": true, "stage": true, "domainName": true, "domainPrefix": true, "routeKey": true, "resourcePath": true, "httpMethod": true,
		"path": true, "protocol": true, "connectionId": true, "identity.sourceIp": true, "identity.userAgent": true, "identity.apiKey": true,
	}
	r, ok := cut(text, map[string]selector.Kind{
		"$request.header.": selector.Header, "method.request.header.": selector.Header, "route.request.header.": selector.Header,
		"$request.querystring.": selector.Query, "method.request.querystring.": selector.Query, "route.request.querystring.": selector.Query,
		"$stageVariables.": selector.StageVariable, "stageVariables.": selector.StageVariable, "$context.": selector.Context, "context.": selector.Context,
	})
	switch {
	case !ok, r.name == "", r.kind == selector.Header && !httpword.IsToken(r.name), r.kind == selector.Context && !early[r.name]:
		return read{}, false
	case r.kind == selector.Header:
		r.name = textproto.CanonicalMIMEHeaderKey(r.name)
	}
	return r, true
}

// tokenSource was auth/identitysource.go's.
func tokenSource(text string) (read, bool) {
	if !strings.HasPrefix(text, "$request.") {
		return read{}, false
	}
	return authSource(text)
}

// cacheKey was route/cache/key.go's.
func cacheKey(text string) (read, bool) {
	r, ok := cut(text, map[string]selector.Kind{
		"method.request.header.": selector.Header, "method.request.querystring.": selector.Query, "method.request.path.": selector.PathVariable,
	})
	if !ok || r.name == "" || r.kind == selector.Header && !httpword.IsToken(r.name) {
		return read{}, false
	}
	if r.kind == selector.Header {
		r.name = textproto.CanonicalMIMEHeaderKey(r.name)
	}
	return r, true
}

// validated was transform/validate/parameter.go's.
func validated(text string) (read, bool) {
	r, ok := cut(text, map[string]selector.Kind{
		"method.request.header.": selector.Header, "method.request.querystring.": selector.Query, "method.request.path.": selector.PathVariable,
	})
	if r.kind == selector.Header {
		r.name = textproto.CanonicalMIMEHeaderKey(r.name)
	}
	return r, ok && r.name != ""
}

// gatewaySource was transform/gatewaytemplate.go's.
func gatewaySource(text string) (read, bool) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return read{selector.Literal, text[1 : len(text)-1]}, !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })
	}
	r, ok := cut(text, map[string]selector.Kind{
		"method.request.header.": selector.Header, "method.request.querystring.": selector.Query, "method.request.path.": selector.PathVariable,
		"stageVariables.": selector.StageVariable, "context.": selector.Context,
	})
	if !ok {
		return read{}, false
	}
	switch r.kind {
	case selector.Header:
		ok = httpword.IsToken(r.name)
		r.name = textproto.CanonicalMIMEHeaderKey(r.name)
	case selector.Query:
		ok = r.name != ""
	case selector.Context:
		_, err := contextvar.Parse(r.name)
		ok = err == nil
	default:
		ok = wasVariableName(r.name)
	}
	return r, ok
}

// restSource was transform/restmapping.go's, for requests.
func restSource(text string) (read, bool) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return read{selector.Literal, text[1 : len(text)-1]}, true
	}
	if rest, ok := strings.CutPrefix(text, "method.request.body"); ok && rest != "" && (rest[0] == '.' || rest[0] == '[') {
		_, err := jsonpath.Parse("$" + rest)
		return read{selector.BodyPart, strings.TrimPrefix(rest, ".")}, err == nil
	}
	r, ok := cut(text, map[string]selector.Kind{
		"method.request.header.": selector.Header, "method.request.multivalueheader.": selector.Headers, "method.request.querystring.": selector.Query,
		"method.request.multivaluequerystring.": selector.Queries, "method.request.path.": selector.PathVariable, "stageVariables.": selector.StageVariable,
		"context.": selector.Context, "method.request.body": selector.Body,
	})
	switch {
	case !ok:
		return read{}, false
	case r.kind == selector.Body:
		return r, r.name == ""
	case r.kind == selector.Context:
		_, err := contextvar.Parse(r.name)
		return r, err == nil
	case r.kind == selector.Header, r.kind == selector.Headers:
		return read{r.kind, textproto.CanonicalMIMEHeaderKey(r.name)}, parameterName.MatchString(r.name)
	}
	return r, parameterName.MatchString(r.name)
}

// mappingSource was transform/parametersvalue.go's, for requests, behind the dollar sign.
func mappingSource(text string) (read, bool) {
	r, ok := cut(text, map[string]selector.Kind{
		"request.header.": selector.Header, "request.querystring.": selector.Query, "request.body.": selector.BodyPart, "request.path.": selector.PathVariable,
		"context.": selector.Context, "stageVariables.": selector.StageVariable,
	})
	switch {
	case text == "request.body":
		return read{kind: selector.Body}, true
	case text == "request.path":
		return read{kind: selector.Path}, true
	case !ok || r.name == "":
		return read{}, false
	case r.kind == selector.Header:
		return read{r.kind, textproto.CanonicalMIMEHeaderKey(r.name)}, httpword.IsToken(r.name)
	case r.kind == selector.Context:
		_, err := contextvar.Parse(r.name)
		return r, err == nil
	case r.kind == selector.BodyPart:
		expr := "$." + r.name
		if r.name[0] == '[' {
			expr = "$" + r.name
		}
		_, err := jsonpath.Parse(expr)
		return r, err == nil && !strings.ContainsAny(expr, "?(") && !strings.Contains(expr, "..")
	case r.kind == selector.Query:
		return r, true
	}
	return r, wasVariableName(r.name)
}

// readers are the seven that were, and the grammars of today.
var readers = []struct {
	name    string
	was     func(string) (read, bool)
	grammar selector.Grammar
}{
	{"auth-source", authSource, selector.Grammar{
		Forms: []selector.Form{selector.Dollar, selector.Method, selector.Route}, Kinds: selector.Header | selector.Query | selector.StageVariable | selector.SourceContext,
	}},
	{"auth-token", tokenSource, selector.Grammar{Forms: []selector.Form{selector.Dollar}, Kinds: selector.Header | selector.Query}},
	{"cache-key", cacheKey, selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query | selector.PathVariable}},
	{"validator", validated, selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: selector.Header | selector.Query | selector.PathVariable}},
	{"gateway-response", gatewaySource, selector.Grammar{
		Forms: []selector.Form{selector.Method},
		Kinds: selector.Literal | selector.Header | selector.Query | selector.PathVariable | selector.Context | selector.StageVariable,
	}},
	{"rest-mapping", restSource, selector.Grammar{Forms: []selector.Form{selector.Method}, Kinds: everything &^ selector.Path &^ selector.Status}},
	{"http-mapping", mappingSource, selector.Grammar{
		Forms: []selector.Form{selector.Request},
		Kinds: selector.Header | selector.Query | selector.PathVariable | selector.Path | selector.Body | selector.BodyPart | selector.Context | selector.StageVariable,
	}},
}

// deliberate says why today's grammar takes, or refuses, what a reader before it didn't. "" is no
// reason.
func deliberate(text string, was read) string {
	method := strings.HasPrefix(text, "method.") || strings.HasPrefix(text, "route.")
	onlyOf := func(s, more string) bool {
		return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"+more) == ""
	}
	_, source := contextvar.Source(was.name)
	switch {
	case was.kind == selector.StageVariable && !onlyOf(was.name, "_"):
		return "no stage takes a variable of this name"
	case was.kind == selector.PathVariable && !onlyOf(was.name, ".:_-"):
		return "no route key takes a variable of this name"
	case was.kind == selector.Query && method && !onlyOf(was.name, "._$-"):
		return "the managed gateway takes no parameter of this name in a REST or WebSocket API"
	case was.kind == selector.Query && strings.ContainsFunc(was.name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "control characters"
	case was.kind == selector.Header && !httpword.IsToken(was.name):
		return "no request has a header of this name"
	case was.kind&(selector.Header|selector.Headers) != 0 && !parameterName.MatchString(was.name):
		return "a token, as for all other readers"
	case was.kind == selector.PathVariable && strings.Contains(was.name, ":"):
		return "a colon, as in route keys"
	case was.kind == selector.Context && source:
		return "known before an authorizer is asked as well"
	case was.kind == selector.Literal:
		return "control characters in a literal"
	case was.kind == selector.BodyPart:
		return "filters and .. within quotes are neither"
	}
	return ""
}

// compare holds one text against all readers.
func compare(t *testing.T, text string) {
	t.Helper()
	for _, r := range readers {
		was, took := r.was(text)
		s, err := r.grammar.Parse(text)
		switch {
		case took && err == nil:
			if (read{s.Kind, s.Name}) != was {
				t.Errorf("%s: %q is %v %q, was %v", r.name, text, s.Kind, s.Name, was)
			}
		case took && deliberate(text, was) == "":
			t.Errorf("%s: %q was taken as %v and is refused: %v", r.name, text, was, err)
		case !took && err == nil && deliberate(text, read{s.Kind, s.Name}) == "":
			t.Errorf("%s: %q was refused and is %v %q", r.name, text, s.Kind, s.Name)
		}
	}
}

// corpus is every prefix that some reader knows before every kind of name.
func corpus() (texts []string) {
	prefixes := []string{"context.", "stageVariables.", "$context.", "$stageVariables.", "'"}
	for _, message := range []string{"method.request", "$request", "request", "route.request", "integration.response", "response", "$method.request", "Method.request"} {
		for _, place := range []string{"header.", "multivalueheader.", "querystring.", "multivaluequerystring.", "path.", "path", "body.", "body", "cookie.", ""} {
			prefixes = append(prefixes, message+"."+place)
		}
	}
	names := []string{
		"", "a", "A-b", "x-api-key", "host", "a.b", "a_b", "a b", "a:b", "a$b", "a+", "{a}", "a/b", "a[0]", "['a']", "[0]", ".a", "*", "a..b", "a[?(@.b)]",
		"ü", "\x00", "a\n", "%61", "a=b", "'", "a'", "stage", "requestId", "identity.apiKey", "identity.clientCert.serialNumber", "authorizer.x",
		"authorizer.claims.sub", "domainName", "a!b", "~", "\xff",
	}
	for _, prefix := range prefixes {
		for _, name := range names {
			texts = append(texts, prefix+name)
		}
	}
	return texts
}

func TestAgainstTheReadersBefore(t *testing.T) {
	taken := map[string]int{}
	for _, text := range corpus() {
		compare(t, text)
		for _, r := range readers {
			if _, ok := r.was(text); ok {
				taken[r.name]++
			}
		}
	}
	for _, r := range readers {
		require.Greater(t, taken[r.name], 20, "%s: a corpus that shows nothing", r.name)
	}
}

// FuzzReaders is the same for any text.
func FuzzReaders(f *testing.F) {
	for i, seed := range corpus() {
		if i%17 == 0 { // all of them are a test's; the fuzzer would only run them
			f.Add(seed)
		}
	}
	f.Fuzz(compare)
}
