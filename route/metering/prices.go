package metering

import (
	"slices"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Prices are what is charged for a month. [USEast1] is what it would cost there; a table of one's
// own says what one's own contract, or one's own customers, say.
type Prices struct {
	_ struct{} // keyed literals only, so that fields can be added

	// HTTPRequests are requests of HTTP APIs, in steps of 512 KB, and RESTRequests those of REST
	// APIs.
	HTTPRequests, RESTRequests []Tier
	// WebSocketMessages are messages to and from clients, in steps of 32 KB, and ConnectionMinutes
	// the minutes that their connections are open.
	WebSocketMessages, ConnectionMinutes []Tier
	// CPUHour is what an hour of a processor costs here. 0 leaves out what it costs here in
	// dollars.
	CPUHour Dollars
}

// USEast1 returns the list prices of us-east-1 as of 2025, without the free tier. CPUHour is 0, as
// it depends on where the program runs. (Pricing page of Amazon API Gateway.)
func USEast1() Prices {
	return Prices{
		HTTPRequests: []Tier{{300_000_000, 1_000_000}, {0, 900_000}},
		RESTRequests: []Tier{
			{333_000_000, 3_500_000}, {1_000_000_000, 2_800_000}, {20_000_000_000, 2_380_000}, {0, 1_510_000},
		},
		WebSocketMessages: []Tier{{1_000_000_000, 1_000_000}, {0, 800_000}},
		ConnectionMinutes: []Tier{{0, 250_000}},
	}
}

// WithFreeTier returns p with the first million requests of each kind, the first million messages
// and the first 750,000 connection minutes of a month free, as accounts older than 15 July 2025
// have it in their first year.
func (p Prices) WithFreeTier() Prices {
	const million = 1_000_000
	p.HTTPRequests, p.RESTRequests = free(p.HTTPRequests, million), free(p.RESTRequests, million)
	p.WebSocketMessages = free(p.WebSocketMessages, million)
	p.ConnectionMinutes = free(p.ConnectionMinutes, 750_000)
	return p
}

func free(tiers []Tier, first int64) []Tier {
	all := []Tier{{UpTo: first}}
	for _, t := range tiers {
		if t.UpTo == 0 || t.UpTo > first {
			all = append(all, t)
		}
	}
	return all
}

func (p *Prices) of(k Kind) []Tier {
	switch k {
	case HTTPRequest:
		return p.HTTPRequests
	case RESTRequest:
		return p.RESTRequests
	case WebSocketMessage:
		return p.WebSocketMessages
	}
	return p.ConnectionMinutes
}

func (p *Prices) clone() Prices {
	c := *p
	c.HTTPRequests, c.RESTRequests = slices.Clone(p.HTTPRequests), slices.Clone(p.RESTRequests)
	c.WebSocketMessages, c.ConnectionMinutes = slices.Clone(p.WebSocketMessages), slices.Clone(p.ConnectionMinutes)
	return c
}

// maxPrice bounds a price: beyond it sums wouldn't fit.
const maxPrice = 1_000_000 * Dollar

func (p *Prices) check(m *mistakes.Mistakes) {
	for _, f := range [...]struct {
		name  string
		tiers []Tier
	}{
		{"HTTPRequests", p.HTTPRequests}, {"RESTRequests", p.RESTRequests},
		{"WebSocketMessages", p.WebSocketMessages}, {"ConnectionMinutes", p.ConnectionMinutes},
	} {
		in, before := m.Under(f.name), int64(0)
		in.Require(len(f.tiers) > 0, "", "want a tier at least: one of price 0 says that it is free")
		for i, t := range f.tiers {
			in := in.Index(i)
			mistakes.Range(in, "PerMillion", t.PerMillion, 0, maxPrice)
			if last := i == len(f.tiers)-1; last {
				in.Require(t.UpTo == 0, "UpTo", "want 0 in the last tier, which has no end, got %d", t.UpTo)
			} else {
				in.Require(t.UpTo > before, "UpTo", "want more than the tier before, %d, got %d", before, t.UpTo)
			}
			before = t.UpTo
		}
	}
	mistakes.Range(m, "CPUHour", p.CPUHour, 0, maxPrice)
}
