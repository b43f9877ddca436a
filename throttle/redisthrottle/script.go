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

// A bucket is a number: the moment at which it will be full again, in microseconds of Redis' clock
// since 2023-11-14 22:13:20 UTC, which leaves a double room for thousandths. One that is full needs
// no number. (internal/bucket keeps its buckets in the same way.)
//
// Of a token a millionth doesn't matter: it is less than what the clock can tell. A clock that was
// set back makes a bucket look emptier than empty: it is then as good as empty, and fills from
// there.
//
// The scripts share text and not functions, as a function is made anew with each call of a script.
const loadLua = `
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local full = now
local text = redis.call('GET', KEYS[1])
if text then
  full = tonumber(text)
  if not full or full ~= full then return redis.error_reply('not a bucket') end
  if full < now then
    full = now
  elseif full - now > whole + 1 then
    full = now + whole
    redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(whole / 1000) + 1000)
  end
end
`

const saveLua = `redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
`

var takeScript = redis.NewScript(`
local token, whole, least, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])` + loadLua + `
local have = whole - full + now
local n = math.min(math.floor(have / token + 0.000001), most)
if n < least then
  return {0, math.ceil(least * token - have - 0.001), math.max(math.floor(have / token), 0), math.ceil(full - now)}
end
full = full + n * token
` + saveLua + `return {n, 0, math.max(math.floor(have / token - n + 0.000001), 0), math.ceil(full - now)}
`)

var giveScript = redis.NewScript(`
local token, whole = tonumber(ARGV[1]), tonumber(ARGV[2])` + loadLua + `
full = full - token
if full <= now then return redis.call('DEL', KEYS[1]) end
` + saveLua + `return 1
`)

var errAnswer = errors.New("redisthrottle: Redis' answer isn't one of the script's")

// runTake takes atLeast to atMost tokens, or none.
func runTake(
	ctx context.Context, client redis.UniversalClient, key string, l throttle.Limit, atLeast, atMost int,
) (int, bucket.Verdict, error) {
	token, whole := inMicros(l)
	answer, err := takeScript.Run(ctx, client, []string{key}, token, whole, atLeast, atMost).Int64Slice()
	if err != nil {
		return 0, bucket.Verdict{}, err
	}
	if len(answer) != 4 || answer[0] != 0 && (answer[0] < int64(atLeast) || answer[0] > int64(atMost)) ||
		answer[1] < 0 || answer[2] < 0 || answer[3] < 0 {
		return 0, bucket.Verdict{}, errAnswer
	}
	return int(answer[0]), bucket.Verdict{Wait: micros(answer[1]), Left: int(answer[2]), Full: micros(answer[3])}, nil
}

func runGive(ctx context.Context, client redis.UniversalClient, key string, l throttle.Limit) error {
	token, whole := inMicros(l)
	return giveScript.Run(ctx, client, []string{key}, token, whole).Err()
}

// inMicros returns how long a token takes to come back, and a whole bucket, in microseconds.
func inMicros(l throttle.Limit) (token, whole string) {
	micros := 1e6 / l.Rate
	return strconv.FormatFloat(micros, 'f', -1, 64), strconv.FormatFloat(micros*float64(l.Burst), 'f', -1, 64)
}

func micros(n int64) time.Duration {
	if n > math.MaxInt64/int64(time.Microsecond) {
		return bucket.Never
	}
	return time.Duration(n) * time.Microsecond
}
