package ratelimit_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/ratelimit"
)

func TestHeaders(t *testing.T) {
	for _, tt := range []struct {
		name     string
		rate     float64
		burst    int
		draft, x bool
		left     int
		full     time.Duration
		want     string
	}{
		{"draft", 2, 10, true, false, 7, 1500 * time.Millisecond, `Ratelimit="default";r=7;t=2 Ratelimit-Policy="default";q=10;w=5`},
		{"x", 2, 10, false, true, 0, time.Nanosecond, "X-Ratelimit-Limit=10 X-Ratelimit-Remaining=0 X-Ratelimit-Reset=1"},
		{"full", 2, 10, false, true, 10, 0, "X-Ratelimit-Limit=10 X-Ratelimit-Remaining=10 X-Ratelimit-Reset=0"},
		{"blocked", 0, 0, true, false, 0, bucket.Never, `Ratelimit="default";r=0;t=0 Ratelimit-Policy="default";q=0`},
		{"slow", 1e-9, 3, true, false, 2, time.Hour, `Ratelimit="default";r=2;t=3600 Ratelimit-Policy="default";q=3;w=3000000000`},
		{"none", 2, 10, false, false, 7, time.Second, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			ratelimit.NewHeaders(tt.rate, tt.burst, tt.draft, tt.x).Set(h, tt.left, tt.full)
			var got strings.Builder
			require.NoError(t, h.Write(&got))
			text := strings.NewReplacer(": ", "=", "\r\n", " ").Replace(got.String())
			require.Equal(t, tt.want, strings.TrimSpace(text))
		})
	}
}

// The values share an array: who appends to one of them must not write into the next.
func TestValuesAreApart(t *testing.T) {
	h := http.Header{}
	l := ratelimit.NewHeaders(1, 1, true, true)
	l.Set(h, 1, 0)
	for name := range h {
		h.Add(name, "added")
	}
	require.Equal(t, []string{`"default";q=1;w=1`, "added"}, h["Ratelimit-Policy"])
	require.Equal(t, []string{"1", "added"}, h["X-Ratelimit-Remaining"])
	again := http.Header{}
	l.Set(again, 0, 0)
	require.Equal(t, []string{"1"}, again["X-Ratelimit-Limit"])
}
