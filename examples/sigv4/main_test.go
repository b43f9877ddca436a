package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestPrintedLinesWork(t *testing.T) { exampletest.PrintedLines(t, 4) }

func TestTheSDKCalls(t *testing.T) {
	api, err := gateway("s")
	require.NoError(t, err)
	srv := httptest.NewServer(api)
	defer srv.Close()
	for secret, want := range map[string]string{"s": "invoice 7 for arn:aws:iam::111122223333:user/billing 200", "t": "403"} {
		got, err := call(t.Context(), srv.URL+"/invoices/7", secret)
		require.NoError(t, err)
		require.Contains(t, got, want)
	}
	require.ErrorContains(t, run(t.Context(), "nonsense", "s"), "listen")
}
