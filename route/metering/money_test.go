package metering_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/metering"
)

func TestDollars(t *testing.T) {
	for d, want := range map[metering.Dollars]string{
		0: "0.000000", 1: "0.000001", metering.Dollar: "1.000000", 12_345_678: "12.345678", -1: "-0.000001", -1_500_000: "-1.500000",
		math.MaxInt64: "9223372036854.775807", math.MinInt64: "-9223372036854.775808",
	} {
		require.Equal(t, want, d.String())
	}
	b, err := json.Marshal(metering.Dollars(7))
	require.NoError(t, err)
	require.JSONEq(t, `"0.000007"`, string(b))
}

// Worked out by hand from the price list.
func TestListPrices(t *testing.T) {
	p := metering.USEast1()
	for _, tt := range []struct {
		name  string
		tiers []metering.Tier
		units int64
		want  string
	}{
		{"http-none", p.HTTPRequests, 0, "0.000000"},
		{"http-one", p.HTTPRequests, 1, "0.000001"},
		{"http-million", p.HTTPRequests, 1_000_000, "1.000000"},
		{"http-first-tier", p.HTTPRequests, 300_000_000, "300.000000"},
		{"http-one-above", p.HTTPRequests, 300_000_001, "300.000001"}, // 0.9 millionths, rounded
		{"http-ten-above", p.HTTPRequests, 300_000_010, "300.000009"},
		{"http-billion", p.HTTPRequests, 1_000_000_000, "930.000000"},
		{"rest-one", p.RESTRequests, 1, "0.000004"}, // 3.5 millionths, half up
		{"rest-two", p.RESTRequests, 2, "0.000007"},
		{"rest-first-tier", p.RESTRequests, 333_000_000, "1165.500000"},
		{"rest-second-tier", p.RESTRequests, 1_000_000_000, "3033.100000"},
		{"rest-third-tier", p.RESTRequests, 20_000_000_000, "48253.100000"},
		{"rest-above", p.RESTRequests, 20_001_000_000, "48254.610000"},
		{"websocket-billion", p.WebSocketMessages, 1_000_000_000, "1000.000000"},
		{"websocket-two-billion", p.WebSocketMessages, 2_000_000_000, "1800.000000"},
		{"minutes-million", p.ConnectionMinutes, 1_000_000, "0.250000"},
		{"minutes-one", p.ConnectionMinutes, 1, "0.000000"},
		{"minutes-two", p.ConnectionMinutes, 2, "0.000001"},
		{"all-there-is", p.RESTRequests, math.MaxInt64, "9223372036854.775807"},
		{"free-million", p.WithFreeTier().HTTPRequests, 1_000_000, "0.000000"},
		{"free-above", p.WithFreeTier().HTTPRequests, 2_000_000, "1.000000"},
		{"free-second-tier", p.WithFreeTier().HTTPRequests, 301_000_000, "299.900000"}, // 299 M at 1.00, 1 M at 0.90
		{"free-minutes", p.WithFreeTier().ConnectionMinutes, 750_000 + 4, "0.000001"},
		{"free-rest", p.WithFreeTier().RESTRequests, 1_000_002, "0.000007"},
		{"free-messages", p.WithFreeTier().WebSocketMessages, 1_000_003, "0.000003"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, metering.Cost(tt.tiers, tt.units).String())
		})
	}
}

// Against the obvious way, unit by unit in rationals.
func TestTiersAgainstUnits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		tiers := []metering.Tier{
			{UpTo: 1 + random.Int64N(20), PerMillion: metering.Dollars(random.Int64N(9_000_000))}, {UpTo: 30, PerMillion: 333_333}, {PerMillion: 1},
		}
		units := random.Int64N(60)
		exact := new(big.Rat)
		for u := int64(1); u <= units; u++ {
			for _, tier := range tiers {
				if tier.UpTo == 0 || u <= tier.UpTo {
					exact.Add(exact, big.NewRat(int64(tier.PerMillion), 1_000_000))
					break
				}
			}
		}
		off := new(big.Rat).Sub(exact, big.NewRat(int64(metering.Cost(tiers, units)), 1))
		require.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(1, 2)), 0)
	}
}

// Shares add up, and more units never cost less than a rounding.
func TestShares(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		units := make([]int64, 1+random.IntN(20))
		var sum int64
		for i := range units {
			units[i] = random.Int64N(1000)
			sum += units[i]
		}
		all := metering.Dollars(random.Int64N(10_000_000))
		var got metering.Dollars
		for i, share := range metering.Shared(all, units) {
			got += share
			if sum > 0 {
				exact := float64(all) * float64(units[i]) / float64(sum)
				require.InDelta(t, exact, float64(share), 1)
			}
		}
		if sum > 0 {
			require.Equal(t, all, got)
		} else {
			require.Zero(t, got)
		}
	}
}

func TestConfig(t *testing.T) {
	_, err := metering.New(metering.Config{Prices: &metering.Prices{
		HTTPRequests: []metering.Tier{{UpTo: 5, PerMillion: -1}}, RESTRequests: []metering.Tier{{UpTo: 5}, {UpTo: 5}, {}},
		WebSocketMessages: []metering.Tier{{UpTo: 0}, {}}, CPUHour: -1,
	}, MaxRows: -1, Months: 25})
	for _, want := range []string{
		"Prices.HTTPRequests[0].PerMillion", "Prices.HTTPRequests[0].UpTo: want 0 in the last tier", "Prices.RESTRequests[1].UpTo",
		"Prices.WebSocketMessages[0].UpTo", "Prices.ConnectionMinutes: want a tier", "Prices.CPUHour", "MaxRows", "Months",
	} {
		require.ErrorContains(t, err, want)
	}
	p := metering.USEast1()
	m, err := metering.New(metering.Config{Prices: &p})
	require.NoError(t, err)
	p.HTTPRequests[0].PerMillion = 7 // copied
	send(m.Middleware(answer(200, 0)), request("GET", "/", 0))
	require.EqualValues(t, 1, m.Report().ThereTotal)
}
