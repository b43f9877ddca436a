package metering

import (
	"fmt"
	"math/big"
)

// Dollars is an amount of US dollars in millionths: 1_000_000 is one dollar. A sum of them is
// exact.
type Dollars int64

// Dollar is one US dollar.
const Dollar Dollars = 1_000_000

// String returns the amount with six decimals: "12.345678".
func (d Dollars) String() string {
	sign, n := "", uint64(d)
	if d < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%06d", sign, n/1_000_000, n%1_000_000)
}

// MarshalText writes what String returns, so that JSON has no number that a reader rounds.
func (d Dollars) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Tier is a part of a month's units, and what a million of them costs.
type Tier struct {
	// UpTo is the last unit of the month that costs this. 0 is no end, and stands in the last tier
	// alone.
	UpTo int64
	// PerMillion is the price of a million units.
	PerMillion Dollars
}

// cost returns what the units of a month cost, rounded to the nearest millionth of a dollar, half
// of one up.
func cost(tiers []Tier, units int64) Dollars {
	total, from := new(big.Int), int64(0) // in millionths of a millionth
	for _, t := range tiers {
		to := units
		if t.UpTo > 0 {
			to = min(units, t.UpTo)
		}
		if to > from {
			part := new(big.Int).Mul(big.NewInt(to-from), big.NewInt(int64(t.PerMillion)))
			total.Add(total, part)
			from = to
		}
	}
	return rounded(total, 1_000_000)
}

// rounded returns n/by, half of one up, and at most what Dollars holds.
func rounded(n *big.Int, by int64) Dollars {
	n = new(big.Int).Add(n, big.NewInt(by/2))
	n.Quo(n, big.NewInt(by))
	if !n.IsInt64() {
		return 1<<63 - 1
	}
	return Dollars(n.Int64())
}

// shared divides what all parts cost together among them, by their units: the shares add up to it
// exactly.
func shared(all Dollars, units []int64) []Dollars {
	var sum int64
	for _, n := range units {
		sum += n
	}
	shares := make([]Dollars, len(units))
	if sum == 0 {
		return shares
	}
	var seen int64
	var given Dollars
	for i, n := range units {
		seen += n
		upTo := new(big.Int).Mul(big.NewInt(int64(all)), big.NewInt(seen))
		shares[i] = Dollars(upTo.Quo(upTo, big.NewInt(sum)).Int64()) - given
		given += shares[i]
	}
	return shares
}
