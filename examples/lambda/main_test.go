package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 8)
}

func TestShopFront(t *testing.T) {
	h, err := gateway()
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/shop/", nil))
	require.Equal(t, `{"pages":["about"]}`, w.Body.String())
	require.ErrorContains(t, run(t.Context(), "nonsense"), "listen")
}
