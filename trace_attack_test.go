package gatekit_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// A signature that was forged, has expired, or is of another path or secret tells nothing, and
// doesn't reach what stands behind.
func TestForgedTraceHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := trace(t, gatekit.TraceConfig{Secrets: [][]byte{traceSecret}})
		other := trace(t, gatekit.TraceConfig{Secrets: [][]byte{[]byte(strings.Repeat("x", 32))}})
		good := gatekit.Must(tr.Sign("/x", time.Minute))
		h := tr.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			require.NotContains(t, r.Header, gatekit.TraceHeader)
			refuser(w, r)
		}))
		why := func(target string, values ...string) string {
			r := httptest.NewRequest("GET", target, nil)
			r.Header[gatekit.TraceHeader] = values
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Header().Get(gatekit.WhyHeader)
		}
		require.NotEmpty(t, why("/x", good))
		require.NotEmpty(t, why("/x?another=query", good))
		for _, values := range [][]string{
			{}, {""}, {good, good}, {good + "A"}, {good[:len(good)-1]}, {strings.Repeat("x", 1<<20)}, {good + "\r\n"},
			{strings.Replace(good, "v1.", "v1.9", 1)}, {gatekit.Must(other.Sign("/x", time.Minute))}, {gatekit.Must(tr.Sign("/y", time.Minute))},
		} {
			require.Empty(t, why("/x", values...), "%.60q", values)
		}
		for _, path := range []string{"/", "/y", "/x/", "/x/y", "/%78", "/X"} {
			require.Empty(t, why(path, good), path)
		}
		time.Sleep(time.Minute)
		require.Empty(t, why("/x", good), "expired")
	})
}

// Whatever stations and errors say, the header is one line, and short.
func TestTraceHeaderIsNotSplit(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{Secrets: [][]byte{traceSecret}})
	evil := "evil\r\nSet-Cookie: a=b\r\n\r\n<script>\u2028\x00é"
	s := httptest.NewServer(tr.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		for range gatekit.MaxNotes {
			rc.Note(gatekit.Note{Rule: evil, Reason: strings.Repeat(evil, 100), Err: errors.New(evil), RequestID: evil})
		}
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled, Cause: errors.New(evil)})
	})))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s: %s\r\n\r\n", gatekit.TraceHeader, gatekit.Must(tr.Sign("/x", time.Minute)))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 429, resp.StatusCode)
	require.Empty(t, resp.Cookies())
	why := resp.Header.Get(gatekit.WhyHeader)
	require.NotEmpty(t, why)
	require.LessOrEqual(t, len(why), 4096)
	require.Equal(t, strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, why), why)
}

// Under http.TimeoutHandler a handler outlives its request: it goes on to write to the
// RequestContext, to note and to refuse while the request is explained and the next one served.
func TestLateHandlersUnderTrace(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{OneIn: 1, Refused: true, PerSecond: 100_000, Secrets: [][]byte{traceSecret}})
	onRoute := gatekit.Must(gatekit.OnRoute("GET /x"))
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST, Stage: "prod"}))
	var late sync.WaitGroup
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer late.Done()
		<-r.Context().Done()
		gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			for range 20 {
				rc.Note(gatekit.Note{Phase: gatekit.PhaseWAF})
			}
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.WAFFiltered})
		}), describe, onRoute).ServeHTTP(w, r)
	})
	h := tr.Middleware(http.TimeoutHandler(slow, time.Millisecond, "late"))
	for range 30 {
		late.Add(1)
		require.Equal(t, 503, ask(h, "/x").Code)
		for _, e := range tr.Recent(1) {
			require.Equal(t, 503, e.Status)
			_ = e.String()
		}
		ask(tr.Middleware(refuser), "/x")
		for _, n := range tr.Recent(1)[0].Notes {
			require.Equal(t, gatekit.PhaseRoute, n.Phase, "another request's note")
		}
	}
	late.Wait()
}

// Many requests at once, and who reads the last ones meanwhile.
func TestTraceOfManyAtOnce(t *testing.T) {
	tr := trace(t, gatekit.TraceConfig{OneIn: 1, Keep: 7, PerSecond: 100_000})
	h := tr.Middleware(refuser)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				ask(h, "/x?why=throttled")
				for _, e := range tr.Recent(3) {
					_ = e.String()
				}
			}
		})
	}
	all.Wait()
	require.Len(t, tr.Recent(0), 7)
	require.Len(t, tr.Recent(1_000_000), 7)
}
