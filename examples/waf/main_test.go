package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 8)
}

// The stand-in for curl does what the real one does.
func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.PrintedLines(t, 8, "-log")
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "nonsense", false), "listen")
}

// What a team's test of its rules looks like.
func TestRules(t *testing.T) {
	doc, err := waf.Read(document, waf.ReadConfig{})
	require.NoError(t, err)
	acl, err := waf.New(t.Context(), waf.Config{ACL: doc.WebACL})
	require.NoError(t, err)
	browser := []string{"User-Agent", "Mozilla/5.0"}
	waftest.Run(t, acl, []waftest.Case{
		{Name: "order", Request: waftest.Request("GET", "/orders/7", "", browser...), Want: waftest.Allow},
		{Name: "scanner", Request: waftest.Request("GET", "/orders/7", "", "User-Agent", "sqlmap"), Want: waftest.Block, Rule: "scanners"},
		{Name: "old", Request: waftest.Request("GET", "/orders/7", "", "User-Agent", "orders-app/1.9"), Want: waftest.Count, Rule: "old-app", Labels: []string{"client:old"}},
		{Name: "not-json", Request: waftest.Request("POST", "/orders", "a=b", browser...), Want: waftest.Block, Rule: "sqli"},
		{Name: "search", Request: waftest.Request("GET", "/search", "", browser...), Times: 10, Want: waftest.Allow},
		{Name: "search-more", Request: waftest.Request("GET", "/search", "", browser...), Want: waftest.Block, Rule: "search-rate"},
	})
}
