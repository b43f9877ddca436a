package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 6)
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "nonsense"), "CognitoConfig.UserPools[0]")
}
