package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sleepers are the functions of tests that may sleep, and why.
var sleepers = map[string]string{
	"auth/sigv4_attack_test.go TestSigV4Replay":                           bubbled,
	"auth/sigv4_edges_test.go TestSigV4ReplaySweeps":                      bubbled,
	"auth/sigv4_edges_test.go TestSigV4SessionAndAccount":                 bubbled,
	"auth/sigv4_test.go credentialSources":                                bubbled,
	"route/cache/cache_test.go TestNobodyWaitsInVain":                     bubbled,
	"route/integration/httpplaces_test.go newCrowd":                       bubbled,
	"route/integration/httptime_test.go TestServerSentEvents":             bubbled,
	"route/integration/httptime_test.go TestUpgradedConnectionIsSilent":   bubbled,
	"route/integration/lambdastream_test.go chunks.InvokeStream":          bubbled,
	"route/integration/lambdastream_test.go sleeper.Read":                 bubbled,
	"route/integration/lambdastream_test.go ticker.Read":                  bubbled,
	"route/integration/lambdaremote_test.go stream":                       "another process, which streams: its clock is real",
	"route/websocket/redisregistry/servers_test.go TestChild":             realServer,
	"route/websocket/redisregistry/servers_test.go TestRedisThatIsKilled": realServer,
	"route/websocket/redisregistry/servers_test.go until":                 realServer,
	"route/websocket/deadline_test.go TestDeadlineIsAContext":             bubbled,
	"route/websocket/scenario2_test.go rowDrain":                          bubbled,
	"route/websocket/scenario2_test.go rowGet":                            bubbled,
	"route/websocket/scenario2_test.go rowNodeDies":                       bubbled,
	"route/websocket/scenario2_test.go rowSlowReader":                     bubbled,
	"route/websocket/scenario_test.go TestFrameScenarios":                 bubbled,
	"route/websocket/scenario_test.go TestHandshakeScenarios":             bubbled,
	"route/websocket/scenario_test.go TestMessageScenarios":               bubbled,
	"internal/redistest/redistest.go Server.Run":                          realServer,
	"route/websocket/websockettest/machine.go eventually":                 realStore,
	"route/websocket/websockettest/registry.go testOutage":                realStore,
	"throttle/usageplan/usageplantest/changes.go until":                   realStore,
	"throttle/connections_attack_test.go TestBodyThatOutlivesItsHandler":  bubbled,
	"throttle/connections_attack_test.go TestSlowBodies":                  bubbled,
	"throttle/connections_attack_test.go TestSlowHandlerIsNoSlowBody":     bubbled,
	"throttle/connections_attack_test.go TestUpgradedConnectionIsSlow":    bubbled,
	"throttle/connections_attack_test.go TestWriteTimeoutHolds":           bubbled,
	"throttle/connections_attack_test.go TestSlowHeaders":                 bubbled,
	"throttle/connections_attack_test.go slowly.Read":                     bubbled,
	"throttle/connections_attack_test.go trickle.body":                    bubbled,
	"throttle/slowbody_test.go TestNoMinimum":                             bubbled,
	"throttle/conformance_test.go bubble.Advance":                         bubbled,
	"throttle/usageplan/follow_test.go TestRevocationWhileMuchIsRead":     bubbled,
	"throttle/usageplan/follow_test.go TestProgressIsKept":                bubbled,
	"throttle/usageplan/follow_test.go TestDeletionsThatWereForgotten":    bubbled,
	"throttle/usageplan/follow_test.go TestRecordThatIsBroken":            bubbled,
	"throttle/usageplan/follow_test.go TestStoreThatIsAnother":            bubbled,
}

const (
	bubbled    = "its caller has made a bubble, or its functions are called in one"
	realServer = "a redis-server and other processes, whose clocks are real, are killed and come back"
	realStore  = "the suite is for stores over a network, which tell nobody of an event: it asks again, or lets a lease go on"
)

// Tests wait for events, or sleep in a bubble of testing/synctest, where it takes no time. A function that bubbles call counts
// as outside, unless it takes what only a bubble has; it is listed with its reason.
func TestNoTestSleeps(t *testing.T) {
	found := map[string]bool{}
	each(t, func(path string, source []byte) {
		if !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(filepath.Dir(path), "test") {
			return // neither a test nor a package that tests are built from, as usageplantest
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && sleeps(f) {
				found[path+" "+nameOf(f)] = true
			}
		}
	})
	for where := range found {
		if _, ok := sleepers[where]; !ok {
			t.Errorf("%s sleeps in real time: want it to wait for the event, or testing/synctest", where)
		}
	}
	for where := range sleepers {
		if !found[where] {
			t.Errorf("%s doesn't sleep any more: take it off the list", where)
		}
	}
}

// sleeps reports whether a time.Sleep is in n outside of what a synctest.Test is given.
func sleeps(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		switch f, _ := call.Fun.(*ast.SelectorExpr); {
		case f == nil:
		case isName(f, "synctest", "Test"):
			return false
		case isName(f, "time", "Sleep"):
			found = true
		}
		return !found
	})
	return found
}

func isName(f *ast.SelectorExpr, pkg, name string) bool {
	of, ok := f.X.(*ast.Ident)
	return ok && of.Name == pkg && f.Sel.Name == name
}
