package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/outage"
)

// Somebody who makes single calls fail, one in each half second, gets one line for all of a day,
// and nobody is told that it is over.
func TestFailuresNowAndThenAreOneOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := outage.Log{Logger: slog.New(slog.NewTextHandler(&out, nil)), Away: "away"}
		for range 2 * 24 * 60 * 60 {
			l.Failed(t.Context(), errors.New("reset by peer\nlevel=INFO msg=forged"))
			time.Sleep(500 * time.Millisecond)
			l.Worked(t.Context())
		}
		require.Equal(t, 1, strings.Count(out.String(), "\n"), "the error's own line break is quoted")
	})
}
