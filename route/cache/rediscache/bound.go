package rediscache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// The index of a cache's answers is two keys in one slot: a sorted set of their names by when they
// expire, and a hash of their sizes by their names, with the sum under "". An answer is in the
// index before it is in Redis, and leaves it after: so the sum is never less than what there is,
// whichever machine dies in between. One that has expired by itself is the first to leave it when
// room is needed.
//
// Redis' own maxmemory is no such bound: it is the whole server's, and under noeviction a full
// cache would keep quotas from being counted.

// perAnswer is what an answer takes beside its name and what is kept: some 350 bytes of Redis 7 are
// its key's object and expiry, and its places in the index. What is kept counts a quarter more, as
// jemalloc's sizes are up to so far apart.
const perAnswer = 512

// admitScript puts an answer into the index, if there is room. If not, it returns answers to drop.
var admitScript = redis.NewScript(`
local set, sizes = KEYS[1], KEYS[2]
local name, size, expires, most, lasts = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local sum = tonumber(redis.call('HGET', sizes, '') or 0)
local function out(gone)
  local was = tonumber(redis.call('HGET', sizes, gone) or 0)
  redis.call('ZREM', set, gone)
  redis.call('HDEL', sizes, gone)
  sum = sum - was
end
for i = 6, #ARGV do out(ARGV[i]) end
local victims = {}
local was = tonumber(redis.call('HGET', sizes, name) or 0)
local over = sum - was + size - most
if over > 0 then
  for _, other in ipairs(redis.call('ZRANGE', set, 0, 255)) do
    if over <= 0 then break end
    if other ~= name then
      victims[#victims + 1] = other
      over = over - tonumber(redis.call('HGET', sizes, other) or 0)
    end
  end
  if #victims == 0 then victims[1] = '' end
else
  redis.call('ZADD', set, expires, name)
  redis.call('HSET', sizes, name, string.format('%.0f', size))
  sum = sum - was + size
end
redis.call('HSET', sizes, '', string.format('%.0f', sum))
redis.call('PEXPIRE', set, lasts)
redis.call('PEXPIRE', sizes, lasts)
return victims
`)

// rounds bounds how often room is made for one answer. Whoever gets none isn't kept.
const rounds = 8

// admit makes room for an answer, and reports whether it may be kept.
func (s *Store) admit(ctx context.Context, name string, length int, until time.Time) (bool, error) {
	size := int64(len(name) + length + length/4 + perAnswer)
	if size > s.maxBytes/8 {
		return false, nil
	}
	keys := []string{s.prefix + "{index}:set", s.prefix + "{index}:sizes"}
	args := []any{name, size, until.UnixMilli(), s.maxBytes, lasts.Milliseconds()}
	fixed := len(args)
	for range rounds {
		victims, err := admitScript.Run(ctx, s.client, keys, args...).StringSlice()
		if err != nil {
			return false, err
		}
		if len(victims) == 0 {
			return true, nil
		}
		if victims[0] == "" {
			return false, nil
		}
		// They leave the index by the next round, once they are gone. Each is a command of its own,
		// as a Cluster has them all over.
		pipe := s.client.Pipeline()
		args = args[:fixed]
		for _, victim := range victims {
			pipe.Unlink(ctx, victim)
			args = append(args, victim)
		}
		if err := exec(ctx, pipe); err != nil {
			return false, err
		}
	}
	return false, nil
}
