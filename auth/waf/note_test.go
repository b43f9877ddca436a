package waf_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/internal/notetest"
)

// noted serves r behind acl, and returns the notes.
func noted(t testing.TB, acl *waf.ACL, r *http.Request) notetest.Notes {
	t.Helper()
	notes, r := notetest.Keep(t, r)
	acl.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	return notes
}

func TestNotes(t *testing.T) {
	group := func(action *waf.OverrideAction) waf.Config {
		acl := webACL(waf.Rule{Name: "core", Statement: waf.Statement{RuleGroupReferenceStatement: &waf.RuleGroupReferenceStatement{ARN: "g"}}, OverrideAction: action})
		return waf.Config{ACL: acl, GroupFuncs: map[string]waf.GroupFunc{"g": func(r *http.Request) (*waf.GroupVerdict, error) {
			if r.URL.Path == "/fault" {
				return nil, errors.New("away")
			}
			return &waf.GroupVerdict{Matches: []waf.GroupMatch{{Rule: "941", Labels: []string{"xss"}}}, Block: "949"}, nil
		}}}
	}
	taking, counting := &waf.OverrideAction{None: none}, &waf.OverrideAction{Count: none}
	open := group(taking)
	open.FailOpen = true
	answering := &waf.Action{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{ResponseCode: 404}}}
	for _, tt := range []struct {
		name string
		cfg  waf.Config
		want string
		why  string
	}{
		{"default", waf.Config{ACL: webACL()}, "waf passed (Default_Action) 200", ": ALLOW: "},
		{"blocked", waf.Config{ACL: webACL(rule("r", 0, onPath("/"), block))}, "waf refused (r) 403", "BLOCK: waf: rule acl/r: Block"},
		{"custom", waf.Config{ACL: webACL(rule("r", 0, onPath("/"), answering))}, "waf refused (r) 404", ""},
		{"allowed", waf.Config{ACL: webACL(rule("r", 0, onPath("/"), allow))}, "waf passed (r) 200", ""},
		{"counted", waf.Config{ACL: webACL(rule("c", 0, onPath("/"), count, "a:b"), rule("r", 1, onPath("/"), block))}, "waf on trial (c), waf refused (r) 403", "BLOCK, labels awswaf:111122223333:webacl:acl:a:b: "},
		{"injection", waf.Config{ACL: webACL(rule("r", 0, transforming(sqliIn(inQuery), []string{"URL_DECODE"}, nil), block))}, "waf refused (r) 403", "BLOCK, SQL_INJECTION in QUERY_STRING: "},
		{"group", group(taking), "waf on trial (core/941), waf refused (core/949) 403", "BLOCK, labels awswaf:000000000000:rulegroup:g:xss"},
		{"group-counted", group(counting), "waf on trial (core/941), waf on trial (core), waf passed (Default_Action) 200", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/?s3cret='or+1=1--", "", "Cookie", "sid=s3cret", "Authorization", "s3cret")
			notes := noted(t, compiled(t, tt.cfg), r)
			require.Equal(t, tt.want, notes.String())
			require.Contains(t, notes.Verbose(), tt.why)
			require.NotContains(t, notes.Verbose(), "s3cret")
		})
	}
	fault := request("GET", "/fault", "")
	require.Equal(t, "waf failed 403, waf refused (WAF_FILTERED) 403", noted(t, compiled(t, group(taking)), fault).String())
	notes := noted(t, compiled(t, open), fault)
	require.Equal(t, "waf failed, waf passed (Default_Action) 200", notes.String())
	require.Contains(t, notes.Verbose(), "away")
}

func TestPuzzleNotes(t *testing.T) {
	puzzle := rule("p", 0, onPath("/"), &waf.Action{Captcha: &waf.CaptchaAction{}})
	token := waf.Token{Failure: "TOKEN_EXPIRED"}
	acl := compiled(t, waf.Config{ACL: webACL(puzzle), Captcha: &waf.Puzzle{Token: func(*http.Request) waf.Token { return token }}})
	notes := noted(t, acl, request("GET", "/", ""))
	require.Equal(t, "waf refused (p) 405", notes.String())
	require.Contains(t, notes.Verbose(), "CAPTCHA, TOKEN_EXPIRED")
	token = waf.Token{Solved: time.Now()}
	require.Equal(t, "waf passed (p), waf passed (Default_Action) 200", noted(t, acl, request("GET", "/", "")).String())
}

// The requests of the attack tables, with and without notes: what clients send isn't in them, and
// they stay few.
func TestNotesAreFew(t *testing.T) {
	acl := everything(t)
	for _, r := range []*http.Request{
		get("/?id=s3cret%27or%201=1--"), get("/" + strings.Repeat("s3cret/", 1000)), request("POST", "/", strings.Repeat("s3cret<script>", 1000), "X-A", "s3cret' or 1=1 --", "Cookie", "a=s3cret"),
	} {
		notes := noted(t, acl, r)
		require.NotContains(t, notes.Verbose(), "s3cret")
		require.LessOrEqual(t, strings.Count(notes.String(), "waf "), 17)
		require.Contains(t, notes.String(), "waf passed (Default_Action) 200")
	}
}
