package route

import (
	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// Config configures an [API]. The zero value is an HTTP API that trusts no proxy.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// API is what ARNs, events and error forms need to know. If it is the zero value, what
	// gatekit.Describe said of the request stays.
	gatekit.API

	// TrustedProxies are the addresses or networks of the proxies in front ("10.0.0.0/8"), whose
	// list of addresses is believed for the client's. None by default: the client is who is
	// connected.
	TrustedProxies []string
	// TrustedHeader is the header that the proxies write: "X-Forwarded-For" (also if empty) or
	// "Forwarded".
	TrustedHeader string

	// TrailingSlash says whether /pets/ is /pets. The flavor's default: an HTTP API says no, a REST
	// API yes.
	TrailingSlash TrailingSlash
	// GreedyMatchesEmpty lets /pets/{proxy+} match /pets, and /{proxy+} match /.
	GreedyMatchesEmpty bool
	// FullMatchFirst prefers every route without a greedy variable to every route with one, where
	// otherwise the first segment that differs decides: /{a}/{b} before /pets/{proxy+} for
	// /pets/dog.
	FullMatchFirst bool
	// IgnoreCase compares literal segments without regard to ASCII letter case. Authorizers'
	// policies see the path as it was sent, so one that allows by path and denies the rest still
	// closes, but one that allows all and denies a path doesn't.
	IgnoreCase bool
	// RejectEncodedSlash makes a path with %2F a 400, for backends that decode before they split.
	RejectEncodedSlash bool
}

// TrailingSlash says what a slash at the end of a request's path means.
type TrailingSlash uint8

const (
	// TrailingSlashByFlavor is TrailingSlashDiffers for HTTP APIs and TrailingSlashIgnored for REST
	// APIs.
	TrailingSlashByFlavor TrailingSlash = iota
	// TrailingSlashDiffers makes /pets/ another path than /pets.
	TrailingSlashDiffers
	// TrailingSlashIgnored makes /pets/ match as /pets does. The path itself stays as it is.
	TrailingSlashIgnored
)

// check returns the trusted proxies, and every mistake in c.
func (c *Config) check() (*gatekit.TrustedProxies, error) {
	m := mistakes.In("route: Config")
	m.Join(c.API.Validate())
	m.Require(c.Flavor != gatekit.WebSocket, "Flavor",
		"want HTTP or REST, got WebSocket: its routes are chosen by messages, not by paths")
	m.Require(c.TrailingSlash <= TrailingSlashIgnored, "TrailingSlash", "want one of its constants, got %d",
		c.TrailingSlash)
	proxies, err := gatekit.NewTrustedProxies(c.TrustedHeader, c.TrustedProxies...)
	if err != nil {
		m.Add("TrustedProxies", "%w", err)
	}
	return proxies, m.Err()
}

func (c *Config) options() routetree.Options {
	byFlavor := c.TrailingSlash == TrailingSlashByFlavor && c.Flavor == gatekit.REST
	return routetree.Options{
		IgnoreTrailingSlash: c.TrailingSlash == TrailingSlashIgnored || byFlavor,
		GreedyMatchesEmpty:  c.GreedyMatchesEmpty,
		FullMatchFirst:      c.FullMatchFirst,
		IgnoreCase:          c.IgnoreCase,
	}
}
