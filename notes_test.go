package gatekit_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// noted returns the notes in a line: "waf passed, route refused".
func noted(n gatekit.Notes) string {
	var lines []string
	n.Each(func(n *gatekit.Note) { lines = append(lines, n.Phase.String()+" "+n.Verdict.String()) })
	return strings.Join(lines, ", ")
}

func TestNotes(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	var none *gatekit.RequestContext
	none.Note(gatekit.Note{})
	require.False(t, none.Keeps(gatekit.KeepOutcomes))
	require.Empty(t, noted(none.KeepNotes(gatekit.KeepTimes)))
	none.KeepNotes(gatekit.KeepTimes).Release()

	rc, r := gatekit.Attach(r)
	rc.Note(gatekit.Note{}) // nobody wants it
	require.False(t, rc.Keeps(gatekit.KeepOutcomes))
	outer := rc.KeepNotes(gatekit.KeepOutcomes)
	require.True(t, rc.Keeps(gatekit.KeepOutcomes|gatekit.KeepTimes))
	require.False(t, rc.Keeps(gatekit.KeepTimes))
	require.Zero(t, rc.Clock())
	rc.Note(gatekit.Note{Phase: gatekit.PhaseWAF})

	inner := rc.KeepNotes(gatekit.KeepTimes)
	require.True(t, rc.Keeps(gatekit.KeepTimes))
	began := rc.Clock()
	require.NotZero(t, began)
	rc.Note(gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Miss, Began: began.Add(-time.Second)})
	rc.SetIntegration(gatekit.Integration{Status: 200, FunctionError: "Unhandled", Latency: time.Minute})
	gatekit.Reject(httptest.NewRecorder(), r, &gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: errors.New("broken")})
	const all = "waf passed, cache miss, integration failed, integration refused"
	require.Equal(t, all, noted(inner))
	inner.Release()
	require.Equal(t, all, noted(outer))
	outer.Each(func(n *gatekit.Note) {
		switch n.Verdict {
		case gatekit.Miss:
			require.GreaterOrEqual(t, n.Took, time.Second)
		case gatekit.Failed:
			require.Equal(t, time.Minute, n.Took)
			require.Equal(t, "Unhandled", n.Reason)
		case gatekit.Refused:
			require.Equal(t, 503, n.Status)
			require.EqualError(t, n.Err, "broken")
		}
	})
	outer.Release()
	require.False(t, rc.Keeps(gatekit.KeepOutcomes))
	require.Empty(t, noted(outer))
	rc.Note(gatekit.Note{})
	require.Empty(t, noted(outer))
}

// A station that says more about its refusal than Reject knows isn't repeated.
func TestRefusalIsNotedOnce(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	notes := rc.KeepNotes(gatekit.KeepOutcomes)
	defer notes.Release()
	rc.Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused, Rule: "stage"})
	gatekit.Reject(httptest.NewRecorder(), r, &gatekit.Rejection{Type: gatekit.Throttled, Cause: errors.New("empty")})
	require.Equal(t, "throttle refused", noted(notes))
	notes.Each(func(n *gatekit.Note) {
		require.Equal(t, 429, n.Status)
		require.EqualError(t, n.Err, "empty")
	})
}

func TestShadowIsNoted(t *testing.T) {
	refuse := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.WAFFiltered})
		})
	}
	h := gatekit.Chain(http.NotFoundHandler(), gatekit.Shadow(refuse, func(*http.Request, *gatekit.Rejection) {}))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	notes := rc.KeepNotes(gatekit.KeepOutcomes)
	defer notes.Release()
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "waf on trial", noted(notes))

	// So is what a station on trial says itself: it doesn't know.
	says := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.From(r.Context()).Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Refused})
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
		})
	}
	h = gatekit.Chain(refuse(nil), gatekit.Shadow(says, func(*http.Request, *gatekit.Rejection) {}))
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "waf on trial, throttle on trial, waf refused", noted(notes))
}

func TestNotesAreBounded(t *testing.T) {
	rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	notes := rc.KeepNotes(gatekit.KeepOutcomes)
	for range gatekit.MaxNotes + 3 {
		rc.Note(gatekit.Note{})
	}
	require.Equal(t, 3, notes.Dropped())
	count := 0
	notes.Each(func(*gatekit.Note) { count++ })
	require.Equal(t, gatekit.MaxNotes, count)
	notes.Release()
	require.Zero(t, notes.Dropped())
}

// What outlives its request writes into nobody else's notes.
func TestLateNotes(t *testing.T) {
	var late sync.WaitGroup
	for range 200 {
		rc, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		notes := rc.KeepNotes(gatekit.KeepOutcomes)
		for range 4 {
			late.Go(func() {
				for range 20 {
					rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration})
				}
			})
		}
		notes.Release()
		other, _ := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
		of := other.KeepNotes(gatekit.KeepOutcomes)
		other.Note(gatekit.Note{Phase: gatekit.PhaseCORS})
		require.Equal(t, "cors passed", noted(of))
		of.Release()
	}
	late.Wait()
}
