// Package waftest tests web ACLs: a table of requests, and what is to become of each.
//
//	waftest.Run(t, acl, []waftest.Case{
//		{Name: "home", Request: waftest.Request("GET", "/", ""), Want: waftest.Allow},
//		{Name: "sqli", Request: waftest.Request("GET", "/?id=1'+OR+'1'='1", ""), Want: waftest.Block, Rule: "sqli"},
//	})
package waftest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// What may become of a request.
const (
	Allow     = "ALLOW"
	Block     = "BLOCK"
	Captcha   = "CAPTCHA"
	Challenge = "CHALLENGE"
	// Count is a request that goes on, and that a rule has counted.
	Count = "COUNT"
)

// Case is a request and what is expected of it.
type Case struct {
	// Name is the subtest's.
	Name string
	// Request is what is judged.
	Request *http.Request
	// Times is how often it is judged, for rate-based rules: once if it is 0. The last time counts.
	Times int
	// Want is Allow, Block, Count, Captcha or Challenge.
	Want string
	// Rule is the rule that has ended the evaluation, or that has counted the request: a group's is
	// called "REFERENCE/RULE", after the rule that refers to the group. "" is any.
	Rule string
	// Labels are those that must be set, in full or from some namespace on.
	Labels []string
	// NoLabels are those that must not be.
	NoLabels []string
}

// Run judges each case's request in a subtest, in order. Nothing is answered, and no handler is
// asked.
func Run(t *testing.T, acl *waf.ACL, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Helper()
			if problem := c.judge(acl); problem != "" {
				t.Error(problem)
			}
		})
	}
}

// judge returns what isn't as the case has it, or "".
func (c *Case) judge(acl *waf.ACL) string {
	var got *waf.Decision
	for range max(c.Times, 1) {
		got = acl.Check(c.Request)
	}
	has := "got " + got.Action + " by " + got.Rule + ", counted by " + strings.Join(got.Counted, ", ") +
		", labels " + strings.Join(got.Labels, ", ")
	switch {
	case c.Want == Count && (got.Rejection != nil || len(got.Counted) == 0),
		c.Want != Count && got.Action != c.Want:
		return "want " + c.Want + ", " + has
	case c.Rule != "" && c.Want == Count && !slices.Contains(got.Counted, c.Rule),
		c.Rule != "" && c.Want != Count && got.Rule != c.Rule:
		return "want rule " + c.Rule + ", " + has
	}
	for _, label := range c.Labels {
		if !labeled(got.Labels, label) {
			return "want label " + label + ", " + has
		}
	}
	for _, label := range c.NoLabels {
		if labeled(got.Labels, label) {
			return "want no label " + label + ", " + has
		}
	}
	return ""
}

func labeled(labels []string, want string) bool {
	return slices.ContainsFunc(labels, func(label string) bool {
		return label == want || strings.HasSuffix(label, ":"+want)
	})
}

// Request makes a request as a server has it: from 192.0.2.1, with headers given as name, value,
// name, value … It panics if the target or the number of those isn't right, as they are literals.
func Request(method, target, body string, headers ...string) *http.Request {
	if len(headers)%2 != 0 {
		panic("waftest: Request: want names and values of headers, got a name alone")
	}
	r := httptest.NewRequest(method, target, nil)
	if body != "" {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
	}
	for i := 0; i < len(headers); i += 2 {
		if strings.EqualFold(headers[i], "Host") {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// From returns a copy of r that comes from another address.
func From(addr string, r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.RemoteAddr = addr + ":4711"
	if strings.Contains(addr, ":") {
		r.RemoteAddr = "[" + addr + "]:4711"
	}
	return r
}
