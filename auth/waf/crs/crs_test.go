package crs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

func TestVerdicts(t *testing.T) {
	set := plainSet(t)
	form := url.Values{"q": {sqliText}}.Encode()
	for _, tt := range []struct {
		name string
		r    *http.Request
		rule int // that refuses
		find int
	}{
		{"harmless", request("GET", "/orders?id=17&note=thanks", ""), 0, 0},
		{"put", request("PUT", "/orders/17", `{"note":"it's fine"}`, "Content-Type", "application/json"), 0, 0},
		{"query", request("GET", sqli, ""), 949110, 942100},
		{"form", request("POST", "/orders", form), 949110, 942100},
		{"json", request("POST", "/orders", `{"a":[{"b":"`+sqliText+`"}]}`, "Content-Type", "application/json"), 949110, 942100},
		{"problem-json", request("POST", "/", `{"b":"`+sqliText+`"}`, "Content-Type", "application/problem+json"), 949110, 942100},
		{"xss", request("GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", ""), 949110, 941100},
		{"path", request("GET", "/files?name=../../../../etc/passwd", ""), 949110, 930120},
		{"header", request("GET", "/", "", "Referer", "${jndi:ldap://evil.example/a}"), 949110, 944150},
		{"method", request("TRACE", "/", ""), 949110, 911100},
		{"merge-patch", request("PATCH", "/", `{"b":"c"}`, "Content-Type", "application/merge-patch+json"), 0, 0},
		{"other-type", request("POST", "/", "hello", "Content-Type", "text/plain"), 949110, 920420},
		{"not-json", request("POST", "/", `{"a":`, "Content-Type", "application/json"), crs.RuleBodyUnreadable, crs.RuleBodyUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := set.Check(tt.r)
			require.NoError(t, v.Fault)
			require.Equal(t, tt.rule, v.Rule, "%v", v.Findings)
			require.Equal(t, tt.rule != 0, v.Blocked)
			if tt.find != 0 {
				require.Contains(t, ids(v), tt.find)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	v := plainSet(t).Check(request("GET", sqli, ""))
	require.GreaterOrEqual(t, v.Score, 5)
	f := v.Findings[0]
	require.Equal(t, crs.Finding{RuleID: 942100, Message: "SQL Injection Attack Detected via libinjection", Severity: "critical",
		Attacks: []string{"attack-sqli"}, Variables: []string{"ARGS:id"}}, f)
	last := v.Findings[len(v.Findings)-1]
	require.Equal(t, "Inbound Anomaly Score Exceeded", last.Message)
}

func TestThresholdLevelAndDetection(t *testing.T) {
	high := newSet(t, crs.Config{AnomalyThreshold: 1000})
	v := high.Check(request("GET", sqli, ""))
	require.False(t, v.Blocked)
	require.NotZero(t, v.Score)
	r := func() *http.Request { return request("GET", "/?q=%23%23%23%24%24%24", "") } // many odd characters
	require.False(t, plainSet(t).Check(r()).Blocked)
	require.True(t, newSet(t, crs.Config{ParanoiaLevel: 4}).Check(r()).Blocked)

	detecting := newSet(t, crs.Config{DetectionOnly: true, RequestBodyLimit: 1000})
	v = detecting.Check(request("GET", sqli, ""))
	require.Equal(t, 949110, v.Rule)
	require.False(t, v.Blocked)
	v = detecting.Check(request("POST", "/", url.Values{"q": {sqliText + strings.Repeat("x", 2000)}}.Encode()))
	require.Equal(t, crs.RuleBodyTooLarge, v.Rule)
	require.Contains(t, ids(v), 942100, "its front is judged")
	require.False(t, v.Blocked)
}

func TestExclusions(t *testing.T) {
	set := newSet(t, crs.Config{Exclusions: []crs.Exclusion{
		{Tag: "attack-sqli", Variable: "ARGS:query"},
		{Tag: "attack-sqli", Path: "/reports/"},
		{Tag: "attack-xss", Variable: "ARGS:html", Path: "/pages"},
		{Rule: 942100, Variable: "ARGS:one", Path: "/one"},
		{Rule: 942100, Path: "/two"},
		{Rule: 942100, Variable: "ARGS:three"},
		{Rule: 911100},
	}})
	with := func(path, name, value string) *http.Request {
		return request("GET", path+"?"+url.Values{name: {value}}.Encode(), "")
	}
	xss := "<script>alert(1)</script>"
	for path, want := range map[*http.Request]bool{
		with("/", "query", sqliText):                  false,
		with("/", "other", sqliText):                  true,
		with("/reports", "other", sqliText):           false,
		with("/reports/7", "other", sqliText):         false,
		with("/reportsandmore", "other", sqliText):    true,
		with("/reports/../orders", "other", sqliText): true,
		with("/reports/%2e%2e/", "other", sqliText):   true,
		with("/pages", "html", xss):                   false,
		with("/pages", "other", xss):                  true,
		with("/", "html", xss):                        true,
		request("TRACE", "/", ""):                     false,
	} {
		v := set.Check(path)
		require.Equal(t, want, v.Blocked, "%s %v", path.URL, v.Findings)
		if strings.Contains(path.URL.Path, "/reports/..") { // which is refused as such, too
			require.Contains(t, ids(v), 942100)
		}
	}
	for r, want := range map[*http.Request]bool{
		with("/one", "one", sqliText): false, with("/one", "other", sqliText): true, with("/two", "any", sqliText): false,
		with("/", "three", sqliText): false, with("/", "other", sqliText): true,
	} {
		require.Equal(t, want, contains(ids(set.Check(r)), 942100), r.URL.String())
	}
}

func contains(list []int, id int) bool {
	for _, of := range list {
		if of == id {
			return true
		}
	}
	return false
}

func TestSetupAndDirectives(t *testing.T) {
	set := newSet(t, crs.Config{
		Setup:      `SecAction "id:1,phase:1,pass,nolog,t:none,setvar:tx.critical_anomaly_score=1"`,
		Directives: `SecRule ARGS:voucher "@streq test" "id:2,phase:2,deny,log,msg:'No test vouchers',tag:'attack-voucher'"`,
	})
	require.False(t, set.Check(request("GET", "/?a=%3Cscript%3E", "")).Blocked)
	v := set.Check(request("GET", "/?voucher=test", ""))
	require.True(t, v.Blocked)
	require.Equal(t, 2, v.Rule)
	require.Equal(t, "No test vouchers", v.Findings[0].Message)
}

func TestMistakes(t *testing.T) {
	_, err := crs.New(t.Context(), crs.Config{
		ParanoiaLevel: 5, AnomalyThreshold: -1, RequestBodyLimit: 1 << 30, ResponseBodyLimit: 17 << 20, AllowedMethods: []string{"GET' ,"},
		AllowedContentTypes: []string{"a'b"},
		ResponseTypes:       []string{"text"}, Setup: "\x00", Exclusions: []crs.Exclusion{
			{}, {Rule: 1, Tag: "a"}, {Rule: -1}, {Tag: `a"`}, {Rule: 1, Variable: "ARGS:a'b"}, {Rule: 1, Path: `a`}, {Rule: 1, Path: `/a"b`},
		},
	})
	for _, want := range []string{
		"ParanoiaLevel: want", "AnomalyThreshold: want", "RequestBodyLimit: want", "ResponseBodyLimit: want", "AllowedMethods[0]: want", "ResponseTypes[0]: want", "AllowedContentTypes[0]: want",
		"InspectResponses: want true", "Setup, Directives: want text without NUL", "Exclusions[0]: want one of Rule and Tag", "Exclusions[1]: want one of",
		"Exclusions[2].Rule: want", "Exclusions[3].Tag: want", "Exclusions[4].Variable: want", "Exclusions[5].Path: want", "Exclusions[6].Path: want",
	} {
		require.ErrorContains(t, err, want)
	}
	for want, cfg := range map[string]crs.Config{
		"the engine refuses them":               {Directives: "SecNonsense On"},
		"Directives":                            {Directives: `SecRule ARGS "@rx (" "id:1,phase:2,deny"`},
		"want the ID of a rule that there is":   {Exclusions: []crs.Exclusion{{Rule: 942999, Path: "/a"}}},
		"the engine refuses them: ":             {Directives: "Include /etc/passwd"},
		"crs: Config.Setup, Directives, Exclus": {Setup: `SecAction "id:x"`},
	} {
		set, err := crs.New(t.Context(), cfg)
		require.ErrorContains(t, err, want)
		require.Nil(t, set)
	}
	var none context.Context
	_, err = crs.New(none, crs.Config{})
	require.ErrorContains(t, err, "want a context")
}

// What net/http keeps apart is one request again to the rules.
func TestWhatRulesSee(t *testing.T) {
	var directives strings.Builder
	want := map[int]string{
		1: `REMOTE_ADDR "@streq 192.0.2.1"`, 2: `REMOTE_PORT "@eq 1234"`, 3: `SERVER_ADDR "@streq 10.0.0.1"`, 4: `SERVER_PORT "@eq 8443"`,
		5: `SERVER_NAME "@streq api.example.com"`, 6: `REQUEST_HEADERS:Host "@streq api.example.com"`, 7: `REQUEST_HEADERS:Trailer "@streq Checksum"`,
		8: `REQUEST_HEADERS:Transfer-Encoding "@streq chunked"`, 9: `REQUEST_METHOD "@streq PUT"`, 10: `REQUEST_PROTOCOL "@streq HTTP/1.1"`,
		11: `REQUEST_URI_RAW "@streq /a%20b?c=%64"`, 12: `REQUEST_FILENAME "@streq /a b"`, 13: `ARGS_GET:c "@streq d"`, 14: `REQUEST_COOKIES:k "@streq v"`,
		15: `&REQUEST_HEADERS:X-Two "@eq 2"`, 16: `REQUEST_HEADERS:Content-Length "@eq 7"`, 17: `ARGS_POST:json.e "@streq 1"`,
	}
	for id, rule := range want {
		fmt.Fprintf(&directives, "SecRule %s \"id:%d,phase:2,pass,log,t:none\"\n", rule, id)
	}
	set := newSet(t, crs.Config{Directives: directives.String()})
	r := request("PUT", "/a%20b?c=%64", `{"e":1}`, "Content-Type", "application/json", "Cookie", "k=v")
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8443}))
	r.Trailer, r.TransferEncoding, r.Header["X-Two"] = http.Header{"Checksum": nil}, []string{"chunked"}, []string{"a", "b"}
	found := ids(set.Check(r))
	for id, rule := range want {
		require.Contains(t, found, id, rule)
	}
	r.RequestURI = "" // as of a request that no server has read
	require.Contains(t, ids(set.Check(r)), 13)
}

// However much has matched, a verdict stays small.
func TestVerdictsAreBounded(t *testing.T) {
	var directives strings.Builder
	for id := range 300 {
		fmt.Fprintf(&directives, "SecRule ARGS \"@streq x\" \"id:%d,phase:2,pass,log,t:none\"\n", id+1)
	}
	query := ""
	for i := range 30 {
		query += fmt.Sprintf("&a%d=x", i)
	}
	v := newSet(t, crs.Config{Directives: directives.String()}).Check(request("GET", "/?"+query[1:], ""))
	require.Len(t, v.Findings, 200)
	require.Len(t, v.Findings[100].Variables, 10)
}

// A verdict names arguments, and not where the name is what was found.
func TestNamesOfVariables(t *testing.T) {
	v := newSet(t, crs.Config{Directives: `SecRule ARGS|ARGS_NAMES "@rx ^secret" "id:1,phase:2,pass,log,t:none"`}).
		Check(request("GET", "/?secretname=secret&a%20b=secret", ""))
	require.Equal(t, []int{1}, ids(v)[:1])
	require.ElementsMatch(t, []string{"ARGS:secretname", "ARGS", "ARGS_NAMES"}, v.Findings[0].Variables)
}

// The refusal is the API's, goes through gatekit.Reject, and its cause quotes nothing.
func TestRefusal(t *testing.T) {
	set := plainSet(t)
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })
	w := httptest.NewRecorder()
	set.Middleware(next).ServeHTTP(w, request("GET", sqli, ""))
	require.Equal(t, 403, w.Code)
	require.JSONEq(t, `{"message":"Forbidden"}`, w.Body.String())

	var why *gatekit.Rejection
	w = httptest.NewRecorder()
	gatekit.Shadow(set.Middleware, func(_ *http.Request, of *gatekit.Rejection) { why = of })(next).ServeHTTP(w, request("GET", sqli, ""))
	require.Equal(t, "served", w.Body.String())
	require.Equal(t, gatekit.WAFFiltered, why.Type)
	require.Regexp(t, `^crs: rule 949110, score \d+, 942100 ARGS:id`, why.Cause.Error())
}

// As a rule group of a web ACL.
func TestJudge(t *testing.T) {
	set := newSet(t, crs.Config{AnomalyThreshold: 1000})
	none := &struct{}{}
	acl := func(set *crs.RuleSet, name string) *waf.ACL {
		acl, err := waf.New(t.Context(), waf.Config{GroupFuncs: map[string]waf.GroupFunc{"OWASP:" + name: set.Judge}, ACL: &waf.WebACL{
			Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: []waf.Rule{
				{Name: "core", OverrideAction: &waf.OverrideAction{None: none}, Statement: waf.Statement{
					ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{VendorName: "OWASP", Name: name}}},
				{Name: "sqli", Priority: 1, Action: &waf.Action{Block: &waf.BlockAction{}}, Statement: waf.Statement{
					LabelMatchStatement: &waf.LabelMatchStatement{Scope: "LABEL", Key: "awswaf:managed:owasp:crs:attack-sqli"}}},
			},
		}})
		require.NoError(t, err)
		return acl
	}
	d := acl(set, "crs").Check(request("GET", sqli, ""))
	require.Equal(t, "sqli", d.Rule)
	require.Contains(t, d.Labels, "awswaf:managed:owasp:crs:942100")
	require.Contains(t, d.Counted, "core/942100")
	require.Equal(t, "ALLOW", acl(set, "crs").Check(request("GET", "/", "")).Action)
	d = acl(plainSet(t), "crs").Check(request("GET", sqli, ""))
	require.Equal(t, "core/949110", d.Rule)
	require.ErrorContains(t, d.Rejection, "942100 ARGS:id")
}

// Beside rules of the ACL that look at the body, which is the handler's in the end.
func TestJudgeReadsBodies(t *testing.T) {
	inBody := waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{SearchString: "hello", PositionalConstraint: "CONTAINS",
		FieldToMatch: waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: "CONTINUE"}}, TextTransformations: []waf.TextTransformation{{Type: "NONE"}}}}
	count := &waf.Action{Count: &waf.CountAction{}}
	acl, err := waf.New(t.Context(), waf.Config{GroupFuncs: map[string]waf.GroupFunc{"OWASP:CRS": plainSet(t).Judge}, ACL: &waf.WebACL{
		Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: []waf.Rule{
			{Name: "before", Action: count, Statement: inBody},
			{Name: "core", Priority: 1, OverrideAction: &waf.OverrideAction{None: &struct{}{}}, Statement: waf.Statement{
				ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{VendorName: "OWASP", Name: "CRS"}}},
			{Name: "behind", Priority: 2, Action: count, Statement: inBody},
		},
	}})
	require.NoError(t, err)
	body := `{"a":"hello","b":"` + strings.Repeat("x", 30_000) + `"}` // more than the ACL reads
	r := request("POST", "/", body, "Content-Type", "application/json")
	require.Equal(t, []string{"before", "behind"}, acl.Check(r).Counted)
	w := httptest.NewRecorder()
	acl.Middleware(http.HandlerFunc(echo)).ServeHTTP(w, r)
	require.True(t, body == w.Body.String())
	d := acl.Check(request("POST", "/", body[:len(body)-2]+sqliText+`"}`, "Content-Type", "application/json"))
	require.Equal(t, "core/949110", d.Rule) // it is behind what the ACL reads
}

// failing fails the engine: with a body that panics.
type failing struct{}

func (failing) Read([]byte) (int, error) { panic("secret") }
func (failing) Close() error             { return nil }

// A request that can't be judged is refused, and with FailOpen goes on.
func TestFault(t *testing.T) {
	broken := func() *http.Request {
		r := request("POST", "/", "x")
		r.Body = failing{}
		return r
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	for _, inspect := range []bool{false, true} {
		w := httptest.NewRecorder()
		newSet(t, crs.Config{InspectResponses: inspect}).Middleware(next).ServeHTTP(w, broken())
		require.Equal(t, 403, w.Code)
		var logs bytes.Buffer
		open := newSet(t, crs.Config{InspectResponses: inspect, FailOpen: true, Logger: slog.New(slog.NewTextHandler(&logs, nil))})
		w = httptest.NewRecorder()
		open.Middleware(next).ServeHTTP(w, broken())
		require.Equal(t, 204, w.Code)
		require.Contains(t, logs.String(), "requests can't be judged, and pass")
		require.NotContains(t, logs.String(), "secret")
		v, err := open.Judge(broken())
		require.NoError(t, err)
		require.Empty(t, v.Block)
	}
	_, err := plainSet(t).Judge(broken())
	require.Error(t, err)
	require.False(t, errors.Is(err, io.EOF))
}
