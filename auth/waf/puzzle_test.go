package waf_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// A puzzle that isn't solved sets no labels, also where its group's result only counts.
func TestUnsolvedPuzzleSetsNoLabels(t *testing.T) {
	for _, solved := range []time.Time{{}, time.Now()} {
		g := &waf.RuleGroup{Name: "g", Rules: []waf.Rule{rule("c", 0, onPath("/"), &waf.Action{Captcha: &waf.CaptchaAction{}}, "passed")}}
		acl := compiled(t, waf.Config{
			RuleGroups: map[string]*waf.RuleGroup{"g": g},
			Captcha:    &waf.Puzzle{Token: func(*http.Request) waf.Token { return waf.Token{Solved: solved} }},
			ACL: webACL(refers("ref", 1, true, waf.RuleGroupReferenceStatement{ARN: "g"}),
				rule("after", 2, labelIs("LABEL", "awswaf:000000000000:rulegroup:g:passed"), block)),
		})
		d := acl.Check(get("/"))
		require.Equal(t, !solved.IsZero(), len(d.Labels) == 1)
		require.Equal(t, !solved.IsZero(), d.Rejection != nil)
	}
}

// A token of a time to come is none, but for a clock that is a little ahead.
func TestTokenOfTheFuture(t *testing.T) {
	for ahead, want := range map[time.Duration]string{time.Second: "ALLOW", time.Hour: "CAPTCHA"} {
		acl := compiled(t, waf.Config{
			Captcha: &waf.Puzzle{Token: func(*http.Request) waf.Token { return waf.Token{Solved: time.Now().Add(ahead)} }},
			ACL:     webACL(rule("r", 0, onPath("/"), &waf.Action{Captcha: &waf.CaptchaAction{}})),
		})
		require.Equal(t, want, acl.Check(get("/")).Action)
		if want == "CAPTCHA" {
			require.Equal(t, "TOKEN_INVALID", acl.Check(get("/")).Record.CaptchaResponse.FailureReason)
		}
	}
}

func TestHeadersInsertedIntoARequestWithoutAny(t *testing.T) {
	insert := &waf.Action{Count: &waf.CountAction{CustomRequestHandling: &waf.CustomRequestHandling{
		InsertHeaders: []waf.CustomHTTPHeader{{Name: "x", Value: "y"}}}}}
	acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, onPath("/"), insert))})
	got := ""
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-Amzn-Waf-X") })
	acl.Middleware(next).ServeHTTP(httptest.NewRecorder(), &http.Request{Method: "GET", URL: mustURL("/"), RequestURI: "/"})
	require.Equal(t, "y", got)
}
