package waf_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// everything is an ACL that looks at all parts of a request, in costly ways, and counts.
func everything(t *testing.T) *waf.ACL {
	t.Helper()
	many := func(p waf.FieldsPattern) *waf.ManyFields {
		return &waf.ManyFields{MatchPattern: p, MatchScope: "ALL", OversizeHandling: "CONTINUE"}
	}
	all := waf.FieldsPattern{All: none}
	var rules []waf.Rule
	for _, in := range []waf.FieldToMatch{
		inPath, inQuery, inArgs, argument("id"), inBody, jsonValues, header("x-a"), {Cookies: many(all)}, {Headers: many(all)}, {Method: none},
	} {
		for _, of := range []waf.Statement{
			sqliIn(in), xssIn(in), text("CONTAINS_WORD", "nothing", in),
			{RegexMatchStatement: &waf.RegexMatchStatement{RegexString: `(a|aa)+$`, FieldToMatch: in, TextTransformations: transformed("LOWERCASE")}},
		} {
			of = transforming(of, []string{"URL_DECODE", "HTML_ENTITY_DECODE", "CMD_LINE"}, nil)
			rules = append(rules, rule(fmt.Sprint("r", len(rules)), int64(len(rules)), of, count))
		}
	}
	rules = append(rules, rule("set", 90, waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "s",
		IPSetForwardedIPConfig: &waf.IPSetForwardedIPConfig{HeaderName: "X-Forwarded-For", FallbackBehavior: "NO_MATCH", Position: "ANY"}}}, count),
		rule("rate", 91, rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{
			{QueryArgument: &waf.RateLimitNamed{Name: "id", TextTransformations: transformed("UTF8_TO_UNICODE")}},
			{Cookie: &waf.RateLimitNamed{Name: "a", TextTransformations: transformed("NONE")}},
		}}), count))
	return compiled(t, waf.Config{ACL: webACL(rules...), IPSets: map[string]waf.IPSource{"s": addresses{netip.MustParsePrefix("203.0.113.0/24")}}})
}

// Requests that are made to cost much: each is judged in a time that is no multiple of what its
// size explains. The bound is generous, as machines are busy, and far below what anything quadratic
// in these sizes takes.
func TestCostlyRequests(t *testing.T) {
	acl := everything(t)
	const n = 60 << 10
	for name, r := range map[string]*http.Request{
		"long-path":         {Method: "GET", URL: mustURL("/" + strings.Repeat("a", n)), Header: http.Header{}},
		"long-query":        get("/?" + strings.Repeat("a", n)),
		"many-arguments":    get("/?" + strings.Repeat("id=1&", n/5)),
		"many-ampersands":   get("/?" + strings.Repeat("&", n)),
		"many-quotes":       get("/?id=" + strings.Repeat("%27", n/3)),
		"many-comments":     get("/?id=" + strings.Repeat("/*", n/2)),
		"many-percents":     get("/?id=" + strings.Repeat("%", n)),
		"long-header":       get("/", "X-A", strings.Repeat("a", n)),
		"many-headers":      withHeaders(2000),
		"many-cookies":      get("/", "Cookie", strings.Repeat("a=1; ", n/5)),
		"many-semicolons":   get("/", "Cookie", strings.Repeat(";", n)),
		"many-addresses":    get("/", "X-Forwarded-For", strings.Repeat("1.1.1.1,", n/8)),
		"many-commas":       get("/", "X-Forwarded-For", strings.Repeat(",", n)),
		"long-address":      get("/", "X-Forwarded-For", strings.Repeat("1", n)),
		"deep-json":         post(strings.Repeat("[", n)),
		"deep-objects":      post(strings.Repeat(`{"a":`, n/5)),
		"many-elements":     post("[" + strings.Repeat(`"<a",`, n/5)),
		"many-keys":         post(manyKeys(4000)),
		"one-long-string":   post(`["` + strings.Repeat(`\u003c`, n/6) + `"]`),
		"angle-brackets":    post(strings.Repeat("<", n)),
		"entities":          post(strings.Repeat("&#x", n/3)),
		"binary":            post(strings.Repeat("\xff\x00", n/2)),
		"endless-body":      httptest.NewRequest("POST", "/", endless{}),
		"strange-target":    {Method: "CONNECT", URL: mustURL("//x:1"), Host: "x:1", Header: http.Header{}},
		"star":              httptest.NewRequest("OPTIONS", "*", nil),
		"header-of-one-nil": {Method: "GET", URL: mustURL("/"), Header: http.Header{"X-A": nil, "Cookie": {""}, "X-Forwarded-For": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			require.Equal(t, "ALLOW", acl.Check(r).Action)
			require.Less(t, time.Since(begin), 10*time.Second)
		})
	}
}

func mustURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func withHeaders(n int) *http.Request {
	r := get("/")
	for i := range n {
		r.Header.Set(fmt.Sprint("X-", i), "a' or 1=1")
	}
	return r
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":1`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// A body without an end is read up to the limit, and no further.
func TestOnlyTheLimitIsRead(t *testing.T) {
	read := 0
	r := httptest.NewRequest("POST", "/", reader(func(p []byte) (int, error) {
		read += len(p)
		return len(p), nil
	}))
	blocked(blocking(t, contains("x", inBody)), r)
	require.LessOrEqual(t, read, 16<<10+1)
	read = 0
	blocked(blocking(t, onPath("/x")), r)
	require.Zero(t, read, "a body that no rule looks at")
}

type reader func([]byte) (int, error)

func (f reader) Read(p []byte) (int, error) { return f(p) }

// What one request leaves in a state that is used again is never seen by another, also where many
// are judged at once.
func TestRequestsDoNotSeeEachOther(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(
		rule("a", 0, text("CONTAINS", "evil", inBody, "LOWERCASE"), count, "seen:body"),
		rule("b", 1, text("CONTAINS", "evil", inBody, "LOWERCASE"), count),
		rule("c", 2, contains("evil", jsonValues), count),
		rule("d", 3, labelIs("NAMESPACE", "seen:"), block),
	)})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				body, bad := fmt.Sprintf(`{"a":"%d-%d"}`, i, j), (i+j)%2 == 0
				if bad {
					body = `{"a":"EVIL evil"}`
				}
				r := post(body)
				if got := acl.Check(r); bad != (got.Rejection != nil) || !bad && len(got.Labels)+len(got.Counted) > 0 {
					t.Errorf("%s: %+v", body, got)
				}
				if whole, _ := io.ReadAll(r.Body); string(whole) != body {
					t.Errorf("the body is %q, was %q", whole, body)
				}
			}
		})
	}
	all.Wait()
}

// A client can't choose labels, headers to insert, or which rule it is judged by.
func TestClientsChooseNothing(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(rule("label", 0, labelIs("LABEL", "trusted"), allow), rule("all", 1, onPath("/"), block))})
	require.True(t, blocked(acl, get("/", "X-Amzn-Waf-Label", "trusted", "X-Amzn-Waf-Action", "allow")))
	// Two header names that differ in case are one header.
	r := get("/")
	r.Header["X-A"] = []string{"good", "evil"}
	require.True(t, blocked(blocking(t, text("EXACTLY", "evil", header("x-a"))), r))
}

// Statements nest as deep as a document may, and no deeper, and a flood of labels stays within the
// capacity of an ACL.
func TestDocumentsThatAreMadeToCost(t *testing.T) {
	deep := `{"GeoMatchStatement":{}}`
	for range 150 {
		deep = `{"NotStatement":{"Statement":` + deep + `}}`
	}
	_, err := waf.Read([]byte(`[{"Name":"r","Priority":0,"Statement":`+deep+`}]`), waf.ReadConfig{})
	require.ErrorContains(t, err, "want one JSON object")
	circle := waf.Statement{NotStatement: &waf.NotStatement{}}
	circle.NotStatement.Statement = &circle
	_, err = waf.New(t.Context(), waf.Config{ACL: webACL(rule("r", 0, circle, block))})
	require.ErrorContains(t, err, "want at most 100 statements within each other")
	var labels []string
	for i := range 30_000 {
		labels = append(labels, fmt.Sprint("a", i))
	}
	refused(t, waf.Config{ACL: webACL(rule("r", 0, onPath("/"), count, labels...))}, "want at most 5000 WCU")
	refused(t, waf.Config{ACL: webACL(rule("r", -1, onPath("/"), count))}, "Priority: want 0 or more, got -1")
}

// What is in errors and refusals tells nothing of the request.
func TestRefusalsTellNothing(t *testing.T) {
	acl := blocking(t, contains("secret", inQuery))
	d := acl.Check(get("/?secret", "Authorization", "secret"))
	require.NotContains(t, d.Rejection.Error(), "secret")
	require.JSONEq(t, `{"message":"Forbidden"}`, serve(acl.Middleware(echo), get("/?secret")).Body.String())
}
