package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
	"github.com/gatekit-go/gatekit/transform/transformtest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 7)
}

// The stand-in for curl does what the real one does.
func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.PrintedLines(t, 7)
}

func TestRefusesBadAddress(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "nonsense"), "listen")
}

// Golden tests of the two templates.
func TestTemplates(t *testing.T) {
	got, err := transformtest.Render(toBackend, transformtest.Event{
		Body:    `{"cust":"A \"B\"","sku":"tea","qty":"12"}`,
		Context: map[string]string{"stage": "v1"},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"customer":{"name":"A \"B\""},"lines":[{"sku":"tea","quantity":12}],"source":"legacy v1"}`, got.Output)

	got, err = transformtest.Render(fromBackend, transformtest.Event{Body: `{"state":"sold-out","lines":[{"sku":"tea"}]}`})
	require.NoError(t, err)
	require.Equal(t, `{"err":"no tea left"}`, got.Output)
	require.Equal(t, 409, got.ResponseOverride.Status)
}
