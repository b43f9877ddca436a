package crs_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

// noted serves r behind set, and returns the notes, and all that is in them.
func noted(t *testing.T, set *crs.RuleSet, r *http.Request, h http.HandlerFunc) (line, verbose string) {
	t.Helper()
	rc, r := gatekit.Attach(r)
	notes := rc.KeepNotes(gatekit.KeepOutcomes | gatekit.KeepTimes | gatekit.KeepReasons | gatekit.KeepTexts)
	defer notes.Release()
	set.Middleware(h).ServeHTTP(httptest.NewRecorder(), r)
	var lines []string
	notes.Each(func(n *gatekit.Note) {
		lines = append(lines, n.Phase.String()+" "+n.Verdict.String()+" "+n.Rule)
		verbose += n.Rule + n.Reason
		if n.Err != nil {
			verbose += n.Err.Error()
		}
	})
	return strings.Join(lines, ", "), verbose
}

func TestNotes(t *testing.T) {
	attack := func() *http.Request { return request("GET", "/?q=s3cret%27+or+1%3D1--+", "") }
	line, _ := noted(t, plainSet(t), request("GET", "/", ""), func(http.ResponseWriter, *http.Request) {})
	require.Equal(t, "waf passed ", line)
	line, verbose := noted(t, plainSet(t), attack(), func(http.ResponseWriter, *http.Request) {})
	require.Contains(t, line, "waf on trial 942100, ")
	require.True(t, strings.HasSuffix(line, ", waf refused 949110"), line)
	require.NotContains(t, verbose, "s3cret")
	require.Contains(t, verbose, "SQL Injection")
	line, _ = noted(t, newSet(t, crs.Config{DetectionOnly: true}), attack(), func(http.ResponseWriter, *http.Request) {})
	require.True(t, strings.HasSuffix(line, ", waf on trial 949110"), line)

	inspecting := newSet(t, crs.Config{InspectResponses: true})
	line, _ = noted(t, inspecting, attack(), func(http.ResponseWriter, *http.Request) {})
	require.True(t, strings.HasSuffix(line, ", waf refused 949110"), line)
	line, verbose = noted(t, inspecting, request("GET", "/", ""), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("s3cret ORA-00942: table or view does not exist"))
	})
	require.True(t, strings.HasPrefix(line, "waf passed , waf on trial 951"), line)
	require.True(t, strings.HasSuffix(line, ", waf refused 959100"), line)
	require.NotContains(t, verbose, "s3cret")
}
