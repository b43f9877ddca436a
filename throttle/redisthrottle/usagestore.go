package redisthrottle

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/internal/circuit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// StoreConfig configures a [Store].
type StoreConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Client is a connection to Redis, which stays the caller's to close. Required. Its options
	// want ContextTimeoutEnabled.
	Client redis.UniversalClient
	// Name tells this store from others in the same Redis: 1 to 64 letters, digits, "-" or "_".
	// Required.
	Name string
	// Timeout is how long a call waits for Redis. 0 means 500 ms; 1 ms to 10 s.
	Timeout time.Duration
	// Retention is how long counts are kept after the end of their period. 0 means
	// usageplan.DefaultRetention.
	Retention time.Duration
	// Logger is told when Redis goes away and comes back. nil means slog.Default.
	Logger *slog.Logger
}

// Store is a [usageplan.Store] in Redis, which several machines share. Each call is one script on
// one key, so a Cluster will do. What lasts over a crash of Redis is what Redis' own persistence
// makes of it: with appendfsync everysec a second of counts may be lost.
//
// A table is a sorted set, which has its records, and their changes, in order. A counter is a hash,
// which expires at the end of the retention. Redis must not evict what has no expiry: its
// maxmemory-policy is to be noeviction, or one of volatile-…, which may forget counts. After five
// failures in a row requests aren't counted for about a second, without waiting, as with [Buckets].
// It is safe for concurrent use.
type Store struct {
	client    redis.UniversalClient
	prefix    string
	timeout   time.Duration
	retention time.Duration
	kept      int             // deletions that are remembered
	circuit   circuit.Circuit // of what requests wait for: Reserve and Add
}

var _ usageplan.Store = (*Store)(nil)

const defaultStoreTimeout = 500 * time.Millisecond

// NewStore returns a Store, or one error that names every field it refuses. It asks Redis nothing
// yet.
func NewStore(c StoreConfig) (*Store, error) {
	m := mistakes.In("redisthrottle: StoreConfig")
	checkClient(m, c.Client)
	m.Require(isName(c.Name), "Name", wantName, c.Name)
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, minTimeout, maxTimeout)
	m.Require(c.Retention == 0 || c.Retention >= 24*time.Hour && c.Retention <= 100*365*24*time.Hour,
		"Retention", "want 24h to 100 years, got %v", c.Retention)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Store{
		client: c.Client, prefix: "gatekit:u:" + c.Name + ":", timeout: cmp.Or(c.Timeout, defaultStoreTimeout),
		retention: cmp.Or(c.Retention, usageplan.DefaultRetention), kept: keptDeletions,
		circuit: newCircuit(c.Logger, c.Name),
	}, nil
}

// A counter's hash has the units in all as u, the extra ones as x, and those of a day under the
// day's number in the period.
var reserveScript = redis.NewScript(`
local day, expires, least, most, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local have = redis.call('HMGET', KEYS[1], 'u', 'x')
local used, extra = tonumber(have[1] or 0), tonumber(have[2] or 0)
local n = most
if limit >= 0 then n = math.min(most, limit + extra - used) end
if n < least or n <= 0 then return {0, used, extra} end
used = redis.call('HINCRBY', KEYS[1], 'u', string.format('%.0f', n))
if day ~= '' then redis.call('HINCRBY', KEYS[1], day, string.format('%.0f', n)) end
redis.call('PEXPIREAT', KEYS[1], expires)
return {n, used, extra}
`)

var addScript = redis.NewScript(`
local day, expires, units = ARGV[1], ARGV[2], ARGV[3]
local function add(field)
  local now = redis.call('HINCRBY', KEYS[1], field, units)
  if now < 0 then
    redis.call('HSET', KEYS[1], field, 0)
    return 0
  end
  return now
end
local used = add('u')
if day ~= '' then add(day) end
redis.call('PEXPIREAT', KEYS[1], expires)
return {used, tonumber(redis.call('HGET', KEYS[1], 'x') or 0)}
`)

var extraScript = redis.NewScript(`
redis.call('HSET', KEYS[1], 'x', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1
`)

func (s *Store) counterName(c usageplan.Counter) string {
	return s.prefix + "count:" + c.Plan + ":" + c.Key + ":" + strconv.Itoa(int(c.From)) + ":" + strconv.Itoa(int(c.To))
}

// dayField names the day's field, or nothing if the day isn't one of the period.
func dayField(c usageplan.Counter, on usageplan.Date) string {
	if on < c.From || on >= c.To {
		return ""
	}
	return strconv.Itoa(int(on - c.From))
}

// expires returns when a counter may go, in milliseconds since 1970: a day from now at the
// earliest, for what is settled late.
func (s *Store) expires(c usageplan.Counter) int64 {
	at := c.To.Time().Add(s.retention)
	if least := time.Now().Add(24 * time.Hour); at.Before(least) {
		at = least
	}
	return at.UnixMilli()
}

var errCount = errors.New("redisthrottle: Redis has a counter that isn't one")

// count runs a script on a counter, unless Redis has failed lately: the requests that come while it
// is away don't all wait for it.
func (s *Store) count(ctx context.Context, script *redis.Script, c usageplan.Counter, args ...any) ([]int64, error) {
	probe, err := s.circuit.Enter(time.Now())
	if err != nil {
		return nil, err
	}
	asking, cancel := s.within(ctx)
	defer cancel()
	answer, err := script.Run(asking, s.client, []string{s.counterName(c)}, args...).Int64Slice()
	s.circuit.Leave(probe, err, ctx, time.Now())
	return answer, err
}

// Reserve implements [usageplan.Store].
func (s *Store) Reserve(
	ctx context.Context, c usageplan.Counter, on usageplan.Date, atLeast, atMost, limit int64,
) (int64, usageplan.Count, error) {
	answer, err := s.count(ctx, reserveScript, c, dayField(c, on), s.expires(c), atLeast, atMost, limit)
	if err != nil {
		return 0, usageplan.Count{}, failed("reserve", err)
	}
	if len(answer) != 3 || answer[0] < 0 || answer[0] > atMost {
		return 0, usageplan.Count{}, errCount
	}
	return answer[0], usageplan.Count{Used: answer[1], Extra: answer[2]}, nil
}

// Add implements [usageplan.Store].
func (s *Store) Add(ctx context.Context, c usageplan.Counter, on usageplan.Date, units int64) (usageplan.Count, error) {
	answer, err := s.count(ctx, addScript, c, dayField(c, on), s.expires(c), units)
	if err != nil {
		return usageplan.Count{}, failed("count", err)
	}
	if len(answer) != 2 {
		return usageplan.Count{}, errCount
	}
	return usageplan.Count{Used: answer[0], Extra: answer[1]}, nil
}

// SetExtra implements [usageplan.Store].
func (s *Store) SetExtra(ctx context.Context, c usageplan.Counter, extra int64) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return failed("set extra units", extraScript.Run(ctx, s.client, []string{s.counterName(c)}, s.expires(c),
		extra).Err())
}

// Days implements [usageplan.Store].
func (s *Store) Days(ctx context.Context, c usageplan.Counter) (count usageplan.Count, days []int64, err error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	fields, err := s.client.HGetAll(ctx, s.counterName(c)).Result()
	if err != nil {
		return usageplan.Count{}, nil, failed("read a count", err)
	}
	days = make([]int64, c.To-c.From)
	for name, text := range fields {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return usageplan.Count{}, nil, errCount
		}
		switch name {
		case "u":
			count.Used = n
		case "x":
			count.Extra = n
		default:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(days) {
				return usageplan.Count{}, nil, errCount
			}
			days[i] = n
		}
	}
	return count, days, nil
}

func (s *Store) usedName() string { return s.prefix + "used" }

// Touch implements [usageplan.Store].
func (s *Store) Touch(ctx context.Context, key string, at time.Time) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return failed("note a use", s.client.HSet(ctx, s.usedName(), key, at.Unix()).Err())
}

// LastUsed implements [usageplan.Store].
func (s *Store) LastUsed(ctx context.Context, keys ...string) ([]time.Time, error) {
	list := make([]time.Time, len(keys))
	if len(keys) == 0 {
		return list, nil
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	found, err := s.client.HMGet(ctx, s.usedName(), keys...).Result()
	if err != nil {
		return nil, failed("read uses", err)
	}
	for i, v := range found {
		if text, ok := v.(string); ok && i < len(list) {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, errCount
			}
			list[i] = time.Unix(n, 0).UTC()
		}
	}
	return list, nil
}
