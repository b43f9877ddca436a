//go:build !race

package gatekit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestAllocations(t *testing.T) {
	r := httptest.NewRequest("GET", "/a", nil)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { gatekit.Attach(r) }), 2.0)
	_, attached := gatekit.Attach(r)
	require.Zero(t, testing.AllocsPerRun(100, func() { gatekit.Attach(attached) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { gatekit.From(attached.Context()) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { gatekit.SourceIP(r) }))
	h := http.Header{}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		fresh, _ := gatekit.Attach(r)
		fresh.SetRequestIDHeaders(h)
	}), 3.0)
	a := gatekit.NewAuthorization(gatekit.AuthorizationFields{Scopes: []string{"a", "b"}, Claims: map[string]any{"n": 1}})
	require.Zero(t, testing.AllocsPerRun(100, func() { a.HasScope("b") }))
}
