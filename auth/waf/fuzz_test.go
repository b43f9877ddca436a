package waf_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// parts are statements about every part of a request, in several ways.
func parts() (list []waf.Statement) {
	all := waf.FieldsPattern{All: none}
	many := &waf.ManyFields{MatchPattern: all, MatchScope: "ALL", OversizeHandling: "CONTINUE"}
	for _, in := range []waf.FieldToMatch{
		inPath, inQuery, inArgs, argument("id"), inBody, jsonValues, header("x-a"), {Cookies: many}, {Headers: many}, {Method: none},
		{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{IncludedPaths: []string{"/a"}}, MatchScope: "KEY", InvalidFallbackBehavior: "NO_MATCH"}},
		{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL", InvalidFallbackBehavior: "EVALUATE_AS_STRING"}},
	} {
		list = append(list, transforming(sqliIn(in), []string{"URL_DECODE"}, nil), text("CONTAINS", "a", in, "LOWERCASE", "HTML_ENTITY_DECODE"),
			text("CONTAINS_WORD", "b", in), sizeIs("GT", 3, in, "BASE64_DECODE"), not(sizeIs("LT", 2, in, "UTF8_TO_UNICODE")))
	}
	return list
}

// FuzzCheck: whatever comes, the ACL gives a decision and leaves the body whole, and a statement
// says the same whether it reads its part itself or shares it with a second one.
func FuzzCheck(f *testing.F) {
	of := parts()
	acl := func(times int) *waf.ACL {
		var rules []waf.Rule
		for i, s := range of {
			for j := range times {
				rules = append(rules, rule(strings.Repeat("r", i+1)+strings.Repeat("x", j), int64(i*times+j), s, count))
			}
		}
		a, err := waf.New(f.Context(), waf.Config{ACL: webACL(rules...)})
		if err != nil {
			f.Fatal(err)
		}
		return a
	}
	once, twice := acl(1), acl(2)
	f.Add("/a/../b", "id=1&ID=%27&;b", "x=1; b=2", "<a>", `{"a":{"b":"c"},"d":[1,"\u0061"]}`)
	f.Add("/%2e", "=&=", ";;=", "a' or 1=1", "YWFh")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, path, query, cookie, value, body string) {
		request := func() *http.Request {
			r := httptest.NewRequest("POST", "/", strings.NewReader(body))
			r.URL = &url.URL{Path: path, RawQuery: query}
			r.RequestURI = ""
			r.Header["Cookie"], r.Header["X-A"] = []string{cookie}, []string{value, ""}
			return r
		}
		r := request()
		alone, shared := once.Check(r).Counted, twice.Check(request()).Counted
		if whole, err := io.ReadAll(r.Body); err != nil || string(whole) != body {
			t.Errorf("the body is %q, %v, was %q", whole, err, body)
		}
		if again := once.Check(request()).Counted; !slices.Equal(alone, again) {
			t.Errorf("judged again it is %q, was %q", again, alone)
		}
		var both []string
		for _, name := range alone {
			both = append(both, name, name+"x")
		}
		if !slices.Equal(both, shared) {
			t.Errorf("statements that share a part say %q, alone they say %q", shared, alone)
		}
	})
}
