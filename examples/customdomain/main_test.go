package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 9)
}

func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.PrintedLines(t, 9)
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "api.mycompany.com", "nothing.pem", "nothing.pem"), "Config.Names[0].Certificate: open nothing.pem")
	require.ErrorContains(t, run(t.Context(), "nonsense", "api.mycompany.com", "", ""), "listen")
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "API", "", ""), "Names[0].Host: want lower case")
}

// With -host, -cert and -key it serves those files, and what it made itself it removes.
func TestFiles(t *testing.T) {
	made, err := makeFiles("shop.example")
	require.NoError(t, err)
	defer os.RemoveAll(made.dir)
	ctx, end := context.WithCancel(t.Context())
	end() // it serves until then, which is at once
	require.NoError(t, run(ctx, "127.0.0.1:0", "shop.example", made.cert, made.key))
	t.Setenv("TMPDIR", t.TempDir())
	require.NoError(t, run(ctx, "127.0.0.1:0", "api.mycompany.com", "", ""))
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
