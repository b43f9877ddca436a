package redisregistry

import "github.com/redis/go-redis/v9"

// The scripts share text and not functions, as a function is made anew with each call of a script.
// KEYS[1] begins every key of the scope:
//
//	born       a word that the first machine chose: another one, and the store has lost its memory
//	lost       there for a lease and the margin after that was noticed
//	epoch      how often somebody has joined
//	nodes      owners ("node:epoch") by when their lease ends
//	dead       owners whose leases are over, and whose records are being removed
//	o:OWNER    the ids that it owns
//	c:ID       a connection: o, its owner, and s, its state
//	r:ID       its groups
//	g:GROUP    the ids in a group, in the order of their letters, so that pages don't overlap
//	x:ID       the token of who has removed it, for a minute: who asks again hears the same
const preamble = `
local p = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

// erase takes a connection out of everything.
const erase = `
local function erase(id, owner)
  for _, g in ipairs(redis.call('SMEMBERS', p .. 'r:' .. id)) do redis.call('ZREM', p .. 'g:' .. g, id) end
  redis.call('DEL', p .. 'r:' .. id, p .. 'c:' .. id)
  redis.call('SREM', p .. 'o:' .. owner, id)
end
`

// place says where an id is: its owner, "?" if that isn't known, "" if it is gone. ARGV[1] is the word
// that the machine knows: with another one in its place, the store has lost its memory, and what isn't
// found may be there all the same.
const place = `
local lost = redis.call('EXISTS', p .. 'lost') == 1 or redis.call('GET', p .. 'born') ~= ARGV[1]
local function place(id)
  local owner = redis.call('HGET', p .. 'c:' .. id, 'o')
  if not owner then return lost and '?' or '' end
  local ends = redis.call('ZSCORE', p .. 'nodes', owner)
  return ends and tonumber(ends) > now and owner or '?'
end
`

// joinScript takes node, lease, a word for born. It returns the owner and the word that counts.
var joinScript = redis.NewScript(preamble + `
redis.call('SET', p .. 'born', ARGV[3], 'NX')
local owner = ARGV[1] .. ':' .. redis.call('INCR', p .. 'epoch')
redis.call('ZADD', p .. 'nodes', now + ARGV[2], owner)
return {owner, redis.call('GET', p .. 'born')}
`)

// renewScript takes owner, lease, the word, the margin, another word. It returns 1 and the word; 0 if
// the lease is lost, as somebody has judged; 2 if the store has lost its memory: then the machine
// registers what it has, under the same owner.
var renewScript = redis.NewScript(preamble + `
local born = redis.call('GET', p .. 'born')
if born ~= ARGV[3] then
  if not born then
    born = ARGV[5]
    redis.call('SET', p .. 'born', born)
  end
  redis.call('SET', p .. 'lost', 1, 'PX', ARGV[2] + ARGV[4])
  redis.call('ZADD', p .. 'nodes', now + ARGV[2], ARGV[1])
  return {2, born}
end
if not redis.call('ZSCORE', p .. 'nodes', ARGV[1]) then return {0, born} end
redis.call('ZADD', p .. 'nodes', now + ARGV[2], ARGV[1])
return {1, born}
`)

// addScript takes owner, id, state and groups. It returns 1; 0 if the id is another's; -1 if the owner
// has no lease.
var addScript = redis.NewScript(preamble + `
local ends = redis.call('ZSCORE', p .. 'nodes', ARGV[1])
if not ends or tonumber(ends) <= now then return -1 end
local c = p .. 'c:' .. ARGV[2]
local owner = redis.call('HGET', c, 'o')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', c, 'o', ARGV[1], 's', ARGV[3])
redis.call('SADD', p .. 'o:' .. ARGV[1], ARGV[2])
for i = 4, #ARGV do
  redis.call('SADD', p .. 'r:' .. ARGV[2], ARGV[i])
  redis.call('ZADD', p .. 'g:' .. ARGV[i], 0, ARGV[2])
end
return 1
`)

// removeScript takes owner, id and a token. It returns 1 to who has removed it, however often it asks.
var removeScript = redis.NewScript(preamble + erase + `
local x = p .. 'x:' .. ARGV[2]
if redis.call('HGET', p .. 'c:' .. ARGV[2], 'o') ~= ARGV[1] then
  return redis.call('GET', x) == ARGV[3] and 1 or 0
end
erase(ARGV[2], ARGV[1])
redis.call('SET', x, ARGV[3], 'PX', 60000)
return 1
`)

// findScript takes the word and ids, and returns the place of each.
var findScript = redis.NewScript(preamble + place + `
local places = {}
for i = 2, #ARGV do places[i - 1] = place(ARGV[i]) end
return places
`)

// groupScript takes the word, a group, where to go on and how many. It returns ids and places in turn.
var groupScript = redis.NewScript(preamble + place + `
local all = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', p .. 'g:' .. ARGV[2], ARGV[3], '+', 'LIMIT', 0, ARGV[4])) do
  all[#all + 1] = id
  all[#all + 1] = place(id)
end
return all
`)

// enterScript takes owner, group, id and "1" to enter, "0" to leave. It returns 0 if the id isn't the
// owner's.
var enterScript = redis.NewScript(preamble + `
if redis.call('HGET', p .. 'c:' .. ARGV[3], 'o') ~= ARGV[1] then return 0 end
if ARGV[4] == '1' then
  redis.call('SADD', p .. 'r:' .. ARGV[3], ARGV[2])
  redis.call('ZADD', p .. 'g:' .. ARGV[2], 0, ARGV[3])
else
  redis.call('SREM', p .. 'r:' .. ARGV[3], ARGV[2])
  redis.call('ZREM', p .. 'g:' .. ARGV[2], ARGV[3])
end
return 1
`)

// countScript takes a group.
var countScript = redis.NewScript(`return redis.call('ZCARD', KEYS[1] .. 'g:' .. ARGV[1])`)

// judgeScript takes the margin. Owners whose lease and margin are over lose the right to renew, at one
// instant: from then on their records are removed.
var judgeScript = redis.NewScript(preamble + `
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', p .. 'nodes', '-inf', now - ARGV[1], 'LIMIT', 0, 100)) do
  redis.call('ZREM', p .. 'nodes', owner)
  redis.call('SADD', p .. 'dead', owner)
end
return redis.call('SMEMBERS', p .. 'dead')
`)

// reapScript takes a dead owner and how many. It removes so many of its records and returns ids and
// states in turn; after the last ones the owner is forgotten.
var reapScript = redis.NewScript(preamble + erase + `
local all = {}
for _, id in ipairs(redis.call('SPOP', p .. 'o:' .. ARGV[1], ARGV[2])) do
  local c = redis.call('HMGET', p .. 'c:' .. id, 'o', 's')
  if c[1] == ARGV[1] then
    erase(id, ARGV[1])
    all[#all + 1] = id
    all[#all + 1] = c[2] or ''
  end
end
if redis.call('SCARD', p .. 'o:' .. ARGV[1]) == 0 then redis.call('SREM', p .. 'dead', ARGV[1]) end
return all
`)

// leaveScript takes the owner: what it still has is removed as a dead one's is.
var leaveScript = redis.NewScript(`return redis.call('ZREM', KEYS[1] .. 'nodes', ARGV[1])`)
