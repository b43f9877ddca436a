package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// shared is the store of several processes, in Redis. Its keys begin with prefix:
//
//	rooms       a sorted set of the rooms by when they were last used
//	seat:ID     the room of a connection
//	in:ROOM     a hash: the name of each connection in it
//	last:ROOM   the number that was drawn last
//	said:ROOM   a sorted set of the last messages by their numbers
//
// Nobody sits longer than a connection lives: then a seat is forgotten, and who was last in a room,
// though nobody was told that they have gone.
type shared struct{ client redis.UniversalClient }

const maxSeat = lifetime + 10*time.Minute // $disconnect runs after the connection

const prefix = "{chat}:" // the braces keep all on one shard of a cluster

// open is the start of scripts that make the room ARGV[1] if it isn't there: ARGV[2] are allowed.
const open = `
local p, room = KEYS[1], ARGV[1]
local rooms = p .. 'rooms'
if not redis.call('ZSCORE', rooms, room) and redis.call('ZCARD', rooms) >= tonumber(ARGV[2]) then
  for _, other in ipairs(redis.call('ZRANGE', rooms, 0, -1)) do
    if redis.call('EXISTS', p .. 'in:' .. other) == 0 then
      redis.call('DEL', p .. 'said:' .. other, p .. 'last:' .. other)
      redis.call('ZREM', rooms, other)
      break
    end
  end
  if redis.call('ZCARD', rooms) >= tonumber(ARGV[2]) then return false end
end
redis.call('ZADD', rooms, redis.call('TIME')[1], room)
`

var (
	sitScript = redis.NewScript(open + `
local id, name, most = ARGV[3], ARGV[4], tonumber(ARGV[5])
local before = redis.call('GET', p .. 'seat:' .. id)
if before ~= room and redis.call('HLEN', p .. 'in:' .. room) >= most then return false end
if before then redis.call('HDEL', p .. 'in:' .. before, id) end
redis.call('SET', p .. 'seat:' .. id, room, 'EX', ARGV[6])
redis.call('HSET', p .. 'in:' .. room, id, name)
redis.call('EXPIRE', p .. 'in:' .. room, ARGV[6])
return before or ''
`)
	riseScript = redis.NewScript(`
local p, id = KEYS[1], ARGV[1]
local room = redis.call('GET', p .. 'seat:' .. id)
if not room then return '' end
redis.call('DEL', p .. 'seat:' .. id)
redis.call('HDEL', p .. 'in:' .. room, id)
return room
`)
	peopleScript = redis.NewScript(`
local p, room = KEYS[1], ARGV[1]
if not redis.call('ZSCORE', p .. 'rooms', room) then return {0} end
local all, names = {redis.call('INCR', p .. 'last:' .. room)}, redis.call('HGETALL', p .. 'in:' .. room)
for i = 1, #names, 2 do
  if redis.call('GET', p .. 'seat:' .. names[i]) == room then
    all[#all + 1] = names[i]
    all[#all + 1] = names[i + 1]
  else
    redis.call('HDEL', p .. 'in:' .. room, names[i])
  end
end
return all
`)
	addScript = redis.NewScript(open + `
local n = redis.call('INCR', p .. 'last:' .. room)
redis.call('ZADD', p .. 'said:' .. room, n, ARGV[3])
redis.call('ZREMRANGEBYRANK', p .. 'said:' .. room, 0, -1 - tonumber(ARGV[4]))
return n
`)
)

// full is what a script's refusal means.
func full(err error) error {
	if errors.Is(err, redis.Nil) {
		return errFull
	}
	return err
}

func (s *shared) sit(ctx context.Context, id, room, name string) (string, error) {
	before, err := sitScript.Run(ctx, s.client, []string{prefix}, room, maxRooms, id, name, maxPeople,
		int(maxSeat.Seconds())).Text()
	return before, full(err)
}

func (s *shared) rise(ctx context.Context, id string) (string, error) {
	return riseScript.Run(ctx, s.client, []string{prefix}, id).Text()
}

func (s *shared) seat(ctx context.Context, id string) (string, error) {
	room, err := s.client.Get(ctx, prefix+"seat:"+id).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return room, err
}

func (s *shared) people(ctx context.Context, room string) (int64, map[string]string, error) {
	all, err := peopleScript.Run(ctx, s.client, []string{prefix}, room).Slice()
	if err != nil {
		return 0, nil, err
	}
	n, _ := all[0].(int64)
	names := map[string]string{}
	for pair := range slices.Chunk(all[1:], 2) {
		names[fmt.Sprint(pair[0])] = fmt.Sprint(pair[1])
	}
	return n, names, nil
}

func (s *shared) add(ctx context.Context, e event) (int64, error) {
	text, _ := json.Marshal(e)
	n, err := addScript.Run(ctx, s.client, []string{prefix}, e.Room, maxRooms, text, maxHistory).Int64()
	return n, full(err)
}

func (s *shared) history(ctx context.Context, room string) ([]event, error) {
	said, err := s.client.ZRangeWithScores(ctx, prefix+"said:"+room, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	events := make([]event, len(said))
	for i, one := range said {
		if err := json.Unmarshal([]byte(one.Member.(string)), &events[i]); err != nil {
			return nil, err
		}
		events[i].N = int64(one.Score)
	}
	return events, nil
}

// tickets is a websocket.TicketStore: whichever process a ticket is from, any takes it.
type tickets struct{ client redis.UniversalClient }

// Put implements websocket.TicketStore.
func (t *tickets) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return t.client.Set(ctx, prefix+"ticket:"+key, value, ttl).Err()
}

// Take implements websocket.TicketStore.
func (t *tickets) Take(ctx context.Context, key string) ([]byte, error) {
	value, err := t.client.GetDel(ctx, prefix+"ticket:"+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return value, err
}
