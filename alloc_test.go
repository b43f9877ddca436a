//go:build !race

package gatekit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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

// Keeping the notes of a request costs no allocation, nor does asking whether somebody does.
func TestNotesAllocations(t *testing.T) {
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	require.Zero(t, testing.AllocsPerRun(100, func() { rc.Keeps(gatekit.KeepOutcomes) }))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		notes := rc.KeepNotes(gatekit.KeepOutcomes | gatekit.KeepTimes)
		rc.Note(gatekit.Note{Phase: gatekit.PhaseWAF, Rule: "all", Began: rc.Clock()})
		notes.Release()
	}))
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// Refusing is the hot path of an attack: whatever is refused, and whether a RequestContext is
// attached or not, costs at most four allocations beside what the Rejection itself took.
func TestRefusalAllocations(t *testing.T) {
	rejections := map[string]*gatekit.Rejection{
		"wait":          {Type: gatekit.Throttled, RetryAfter: 30 * time.Second},
		"wait-of-days":  {Type: gatekit.QuotaExceeded, RetryAfter: 20 * 24 * time.Hour},
		"challenge":     {Type: gatekit.Unauthorized, Challenge: "Bearer"},
		"own-message":   {Type: gatekit.Default4XX, Status: 431, Message: "Request Header Fields Too Large"},
		"own-status":    {Type: gatekit.Default4XX, Status: 421},
		"own-header":    {Type: gatekit.Default4XX, Status: 403, Header: http.Header{"X-Amzn-Errortype": {"ForbiddenException"}}},
		"access-denied": {Type: gatekit.AccessDenied}, "no-route": {Type: gatekit.MissingAuthenticationToken}, "too-large": {Type: gatekit.RequestTooLarge},
	}
	bare := httptest.NewRequest("GET", "/", nil)
	requests := map[string]*http.Request{"nothing-attached": bare}
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST, gatekit.WebSocket} {
		rc, r := gatekit.Attach(bare)
		rc.API = &gatekit.API{Flavor: flavor}
		requests[flavor.String()] = r
	}
	for what, rej := range rejections {
		for where, r := range requests {
			d := discard{http.Header{}}
			got := testing.AllocsPerRun(100, func() {
				clear(d.h)
				gatekit.Reject(d, r, rej)
			})
			require.LessOrEqual(t, got, 3.0, "%s, %s", what, where)
		}
	}
	// The IDs of a request that has them in its headers already aren't made a second time.
	rc, r := gatekit.Attach(bare)
	rc.SetRequestIDHeaders(http.Header{})
	d := discard{http.Header{}}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { gatekit.Reject(d, r, rejections["no-route"]) }), 1.0)
}
