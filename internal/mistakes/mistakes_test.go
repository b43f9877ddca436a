package mistakes_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

func TestErrNamesEveryFieldInTheOrderFound(t *testing.T) {
	m := mistakes.In("shop: Config")
	require.NoError(t, m.Err())
	m.Require(true, "Name", "want a name")
	require.NoError(t, m.Err())

	m.Require(false, "Name", "want a name, got %q", "")
	m.Add("", "want a shop")
	retry := m.Under("Retry")
	mistakes.Range(retry, "Wait", 2*time.Minute, 0, time.Minute)
	m.Under("Upstreams").Index(3).Under("TLS").Add("ServerName", "want a name")
	m.Under("Routes").Key("GET /a").Add("TTL", "want 0 or more, got %d", -1)
	m.Join(nil)
	m.Join(errors.New("policy: bad"))
	require.Equal(t, 6, retry.Len())
	require.EqualError(t, m.Err(), `shop: Config.Name: want a name, got ""
shop: Config: want a shop
shop: Config.Retry.Wait: want 0s to 1m0s, got 2m0s
shop: Config.Upstreams[3].TLS.ServerName: want a name
shop: Config.Routes["GET /a"].TTL: want 0 or more, got -1
policy: bad`)
}

func TestCausesCanBeTested(t *testing.T) {
	m := mistakes.In("shop: Config")
	m.Under("File").Add("Path", "%w", io.ErrUnexpectedEOF)
	require.ErrorIs(t, m.Err(), io.ErrUnexpectedEOF)
}

func TestNamesMayHoldPercentSigns(t *testing.T) {
	m := mistakes.In("shop: Config")
	m.Under("Routes").Key("GET /100%d").Add("TTL", "want %d", 1)
	require.EqualError(t, m.Err(), `shop: Config.Routes["GET /100%d"].TTL: want 1`)
}

func TestRanges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		check func(*mistakes.Mistakes)
		want  string // "" is no mistake
	}{
		{"range-lowest", func(m *mistakes.Mistakes) { mistakes.Range(m, "N", 1, 1, 3) }, ""},
		{"range-highest", func(m *mistakes.Mistakes) { mistakes.Range(m, "N", 3, 1, 3) }, ""},
		{"range-below", func(m *mistakes.Mistakes) { mistakes.Range(m, "N", 0, 1, 3) }, "c.N: want 1 to 3, got 0"},
		{"range-above", func(m *mistakes.Mistakes) { mistakes.Range(m, "N", 4, 1, 3) }, "c.N: want 1 to 3, got 4"},
		{"range-nan", func(m *mistakes.Mistakes) { mistakes.Range(m, "N", math.NaN(), 0, 1) }, "c.N: want 0 to 1, got NaN"},
		{"or-zero", func(m *mistakes.Mistakes) { mistakes.RangeOrZero(m, "N", 0, 2, 3) }, ""},
		{"or-zero-within", func(m *mistakes.Mistakes) { mistakes.RangeOrZero(m, "N", 2, 2, 3) }, ""},
		{"or-zero-below", func(m *mistakes.Mistakes) { mistakes.RangeOrZero(m, "N", 1, 2, 3) }, "c.N: want 0, or 2 to 3, got 1"},
		{"or-zero-nan", func(m *mistakes.Mistakes) { mistakes.RangeOrZero(m, "N", math.NaN(), 2, 3) }, "c.N: want 0, or 2 to 3, got NaN"},
		{"at-least", func(m *mistakes.Mistakes) { mistakes.AtLeast(m, "N", time.Second, time.Second) }, ""},
		{"at-least-below", func(m *mistakes.Mistakes) { mistakes.AtLeast(m, "N", 0, time.Second) }, "c.N: want 1s or more, got 0s"},
		{"at-least-nan", func(m *mistakes.Mistakes) { mistakes.AtLeast(m, "N", math.NaN(), 0) }, "c.N: want 0 or more, got NaN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mistakes.In("c")
			tt.check(m)
			if tt.want == "" {
				require.NoError(t, m.Err())
				return
			}
			require.EqualError(t, m.Err(), tt.want)
		})
	}
}

func ExampleIn() {
	m := mistakes.In("shop: Config")
	m.Require(false, "Name", "want a name, got none")
	mistakes.Range(m, "Shelves", 900, 1, 100)
	fmt.Println(m.Err())
	// Output:
	// shop: Config.Name: want a name, got none
	// shop: Config.Shelves: want 1 to 100, got 900
}
