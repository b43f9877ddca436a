package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, under each router, and every line that it
// prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	for router := range routers {
		t.Run(router, func(t *testing.T) { exampletest.PrintedLines(t, 4, "-router", router) })
	}
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "mux"), `-router: want chi, gin or echo, got "mux"`)
	require.ErrorContains(t, run(t.Context(), "nonsense", "gin"), "listen")
}
