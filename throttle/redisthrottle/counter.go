package redisthrottle

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/internal/circuit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// CounterConfig configures a [Counter].
type CounterConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Client is a connection to Redis, which stays the caller's to close. Required. Its options
	// want ContextTimeoutEnabled, as Timeout would mean nothing otherwise.
	Client redis.UniversalClient
	// Name tells these counts from others in the same Redis: 1 to 64 letters, digits, "-" or "_".
	// Machines that share counts share the name. Required.
	Name string
	// Timeout is how long a count waits for Redis. 0 means 100 ms; 1 ms to 10 s.
	Timeout time.Duration
	// Secret, if any, is hashed together with keys, so that who sees Redis' memory can't find out
	// addresses and other keys of few possibilities by trying them all. All machines have the same.
	Secret []byte
	// Logger is told when Redis goes away and comes back. nil means slog.Default.
	Logger *slog.Logger
}

// Counter counts requests by key in windows that slide, together with other machines: for the
// rate-based rules of a web ACL, whose waf.Counter it is. Each count is one script on one key, so a
// Cluster will do. It starts no goroutine, and is safe for concurrent use.
//
// A window is kept in at most sixty parts of whole seconds each, by Redis' own clock: of a minute
// to the second, of five minutes to five seconds, and so on. A request leaves a count up to a part
// early, and never late. A key that isn't seen any more is gone from Redis a window and a part
// later. One that was takes some 100 bytes there, and 10 more for each part in which it was seen.
type Counter struct {
	client  redis.UniversalClient
	prefix  string
	timeout time.Duration
	secret  []byte
	circuit circuit.Circuit
}

// NewCounter returns a Counter, or one error that names every field it refuses. It asks Redis
// nothing yet.
func NewCounter(c CounterConfig) (*Counter, error) {
	m := mistakes.In("redisthrottle: CounterConfig")
	checkClient(m, c.Client)
	m.Require(isName(c.Name), "Name", wantName, c.Name)
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, minTimeout, maxTimeout)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Counter{
		client: c.Client, prefix: "gatekit:w:" + c.Name + ":", timeout: cmp.Or(c.Timeout, defaultTimeout),
		secret: slices.Clone(c.Secret), circuit: newCircuit(c.Logger, c.Name),
	}, nil
}

const (
	maxParts       = 60
	maxCountWindow = time.Hour
)

// Count counts one request of key, and returns how many there were within the window that ends now,
// this one included. A window is 1 second to 1 hour, in whole seconds; the counts of a key in
// different windows are apart. Where Redis can't be asked it returns an [ErrAway], after Timeout at
// the latest, and after five failures in a row for about a second at once.
func (c *Counter) Count(ctx context.Context, key string, window time.Duration) (int64, error) {
	if window < time.Second || window > maxCountWindow || window%time.Second != 0 {
		return 0, fmt.Errorf("redisthrottle: Count: want a window of 1s to %v in whole seconds, got %v",
			maxCountWindow, window)
	}
	probe, err := c.circuit.Enter(time.Now())
	if err != nil {
		return 0, errOpen
	}
	seconds := int(window / time.Second)
	part := (seconds + maxParts - 1) / maxParts
	parts := (seconds + part - 1) / part
	name := c.prefix + strconv.Itoa(seconds) + ":" + digestOf(c.secret, key).text()
	asking, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	n, err := countScript.Run(asking, c.client, []string{name}, part, parts).Int64()
	c.circuit.Leave(probe, err, ctx, time.Now())
	switch {
	case err == nil && n < 1:
		return 0, errAnswer
	case err == nil:
		return n, nil
	case ctx.Err() != nil:
		return 0, ctx.Err() // the client has gone, whatever Redis does
	}
	return 0, fmt.Errorf("%w: %v", ErrAway, err)
}

// A count is a hash: under a part's number how many requests there were in it, as f the first part
// that is counted, as l the last, and as n the sum. So a request costs the parts that have left the
// window since the last one, of which there are never more than the window has, as the hash expires
// by then.
//
// A clock that was set back, as that of a replica that has taken over may be, counts in the last
// part until it gets there; one that was set back by more than a window begins anew.
var countScript = redis.NewScript(`
local width, parts = tonumber(ARGV[1]), tonumber(ARGV[2])
local part = math.floor(tonumber(redis.call('TIME')[1]) / width)
local have = redis.call('HMGET', KEYS[1], 'f', 'l', 'n')
local first, last, sum = tonumber(have[1] or part), tonumber(have[2] or part), tonumber(have[3] or 0)
if not first or not last or not sum then return redis.error_reply('not a count') end
if last - part > parts or part - first > 3 * parts then
  redis.call('DEL', KEYS[1])
  first, last, sum = part, part, 0
end
part = math.max(part, last)
while first <= part - parts do
  local field = string.format('%.0f', first)
  local gone = redis.call('HGET', KEYS[1], field)
  if gone then
    sum = sum - tonumber(gone)
    redis.call('HDEL', KEYS[1], field)
  end
  first = first + 1
end
sum = sum + 1
local now = string.format('%.0f', part)
redis.call('HINCRBY', KEYS[1], now, 1)
redis.call('HSET', KEYS[1], 'f', string.format('%.0f', first), 'l', now, 'n', string.format('%.0f', sum))
redis.call('PEXPIRE', KEYS[1], (parts + 1) * width * 1000)
return sum
`)
