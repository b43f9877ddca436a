package redisthrottle

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/throttle"
)

// A bucket is a string of two numbers: how many tokens are missing, and since when, in microseconds of Redis' clock. One that is full has no
// string. A clock that was set back by less than a second is waited for, so that no time counts twice; after more than that the count
// goes on from where the clock is.
//
// Tokens are fractions of which a millionth doesn't matter: it is less than what the clock can tell.
const bucketLua = `
local function save(missing, since)
  if missing <= 0 then return redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], string.format('%.9f %.0f', missing, since), 'PX', math.ceil(missing / rate * 1000) + 1000)
end

local function load()
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local text = redis.call('GET', KEYS[1])
  if not text then return 0, now end
  local missing, since = string.match(text, '^(%S+) (%d+)$')
  missing, since = tonumber(missing), tonumber(since)
  if not missing or not since or missing ~= missing then return nil end
  if since > now then
    if since - now <= 1000000 then return missing, since end
    since = now
    save(missing, now)
  end
  return math.max(0, missing - (now - since) * rate / 1000000), now
end
`

var takeScript = redis.NewScript(`
local rate, burst, least, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
` + bucketLua + `
local missing, since = load()
if not missing then return redis.error_reply('not a bucket') end
local n = math.min(math.floor(burst - missing + 0.000001), most)
if n < least then
  return {0, math.ceil((least - burst + missing) / rate * 1000000 - 0.001), math.max(math.floor(burst - missing), 0), math.ceil(missing / rate * 1000000)}
end
missing = missing + n
save(missing, since)
return {n, 0, math.max(math.floor(burst - missing + 0.000001), 0), math.ceil(missing / rate * 1000000)}
`)

var giveScript = redis.NewScript(`
local rate = tonumber(ARGV[1])
` + bucketLua + `
local missing, since = load()
if missing then save(missing - 1, since) end
return 0
`)

var errAnswer = errors.New("redisthrottle: Redis' answer isn't one of the script's")

// runTake takes atLeast to atMost tokens, or none.
func runTake(ctx context.Context, client redis.UniversalClient, key string, l throttle.Limit, atLeast, atMost int) (int, bucket.Verdict, error) {
	answer, err := takeScript.Run(ctx, client, []string{key}, rateText(l), l.Burst, atLeast, atMost).Int64Slice()
	if err != nil {
		return 0, bucket.Verdict{}, err
	}
	if len(answer) != 4 || answer[0] != 0 && (answer[0] < int64(atLeast) || answer[0] > int64(atMost)) || answer[1] < 0 || answer[2] < 0 || answer[3] < 0 {
		return 0, bucket.Verdict{}, errAnswer
	}
	return int(answer[0]), bucket.Verdict{Wait: micros(answer[1]), Left: int(answer[2]), Full: micros(answer[3])}, nil
}

func runGive(ctx context.Context, client redis.UniversalClient, key string, l throttle.Limit) error {
	return giveScript.Run(ctx, client, []string{key}, rateText(l)).Err()
}

func rateText(l throttle.Limit) string { return strconv.FormatFloat(l.Rate, 'f', -1, 64) }

func micros(n int64) time.Duration {
	if n > math.MaxInt64/int64(time.Microsecond) {
		return bucket.Never
	}
	return time.Duration(n) * time.Microsecond
}
