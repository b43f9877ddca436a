package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/outage"
)

// Thousands of failures, with successes between them, are one line, and the end is another one.
func TestOutageIsTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := outage.Log{Logger: slog.New(slog.NewTextHandler(&out, nil)), Away: "the store is away"}
		lines := func() int { return strings.Count(out.String(), "\n") }
		l.Worked(t.Context())
		require.Zero(t, lines(), "nothing was wrong")
		for range 3 { // each outage anew
			out.Reset()
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					for range 100 {
						l.Failed(t.Context(), errors.New("no route to host"))
						l.Worked(t.Context())
					}
				})
			}
			all.Wait()
			require.Equal(t, 1, lines())
			require.Contains(t, out.String(), `level=ERROR msg="the store is away" error="no route to host"`)
			time.Sleep(999 * time.Millisecond)
			l.Worked(t.Context())
			require.Equal(t, 1, lines(), "it may fail again at once")
			time.Sleep(time.Millisecond)
			l.Worked(t.Context())
			l.Worked(t.Context())
			require.Equal(t, 2, lines())
			require.Contains(t, out.String(), `msg="the store is away: it is over" lasted=1s failures=1000`)
		}
		require.Zero(t, testing.AllocsPerRun(100, func() { l.Worked(t.Context()) }))
	})
}
