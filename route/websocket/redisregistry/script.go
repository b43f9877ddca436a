package redisregistry

import "github.com/redis/go-redis/v9"

// The scripts share text and not functions, as a function is made anew with each call of a script.
// KEYS[1] begins every key of the scope:
//
//	born       a word that the first machine chose: another one, and the store has lost its memory
//	lost       until when not all have registered again, once that is noticed: a lease and the margin
//	           from then, and from each renewal of a machine that registers
//	epoch      how often somebody has joined
//	nodes      owners ("node:epoch") by when their lease ends
//	dead       owners whose leases are over, and whose records are being removed
//	o:OWNER    the ids that it owns
//	c:ID       a connection: o, its owner, and s, its state
//	r:ID       its groups
//	g:GROUP    the ids in a group, in the order of their letters, so that pages don't overlap
//	x:ID       the token of who has removed it, for a minute: who asks again hears the same, and who
//	           registers doesn't add it
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

// forgotten is what scripts return that can't say anything, as the store has lost its memory.
const forgotten = -2

// memory says what the store still knows. ARGV[1] is the word that the machine knows: with another
// one in its place (not known) it has forgotten what this machine has told it, and while it is
// lost, what isn't found may be there all the same.
const memory = `
local known = redis.call('GET', p .. 'born') == ARGV[1]
local lost = not known or tonumber(redis.call('GET', p .. 'lost') or 0) > now
`

// lose says that not all have registered, for so many milliseconds.
const lose = `
local function lose(ms) redis.call('SET', p .. 'lost', now + ms, 'PX', ms) end
`

// place says where an id is: its owner, "?" if that isn't known, "" if it is gone.
const place = memory + `
local live = {} -- by owner, of whom there are fewer than ids
local function place(id)
  local owner = redis.call('HGET', p .. 'c:' .. id, 'o')
  if not owner then return lost and '?' or '' end
  if live[owner] == nil then
    local ends = redis.call('ZSCORE', p .. 'nodes', owner)
    live[owner] = ends and tonumber(ends) > now or false
  end
  return live[owner] and owner or '?'
end
`

// joinScript takes node, lease, a word for born, the margin, and the word that the machine knew
// before, or "": with another one in its place, others have connections that aren't registered yet.
// It returns the owner and the word that counts.
var joinScript = redis.NewScript(preamble + lose + `
if ARGV[5] ~= '' and redis.call('GET', p .. 'born') ~= ARGV[5] then lose(ARGV[2] + ARGV[4]) end
redis.call('SET', p .. 'born', ARGV[3], 'NX')
local owner = ARGV[1] .. ':' .. redis.call('INCR', p .. 'epoch')
redis.call('ZADD', p .. 'nodes', now + ARGV[2], owner)
return {owner, redis.call('GET', p .. 'born')}
`)

// renewScript takes owner, lease, the word, the margin, another word, and "1" while the machine
// registers. It returns 1 and the word; 0 if the lease is lost, as somebody has judged; 2 if the
// store has lost its memory: then the machine registers what it has, under the same owner and the
// word returned.
var renewScript = redis.NewScript(preamble + lose + `
local born = redis.call('GET', p .. 'born')
local verdict = 1
if born ~= ARGV[3] then
  verdict = 2
  if not born then
    born = ARGV[5]
    redis.call('SET', p .. 'born', born)
  end
elseif not redis.call('ZSCORE', p .. 'nodes', ARGV[1]) then
  return {0, born}
end
if verdict == 2 or ARGV[6] == '1' then lose(ARGV[2] + ARGV[4]) end
redis.call('ZADD', p .. 'nodes', now + ARGV[2], ARGV[1])
return {verdict, born}
`)

// addScript takes the owner, and for each record id, state, how many groups, and the groups. It
// returns how many it has added: not one whose id is another's, or was removed; -1 if the owner has
// no lease.
var addScript = redis.NewScript(preamble + `
local owner = ARGV[1]
local ends = redis.call('ZSCORE', p .. 'nodes', owner)
if not ends or tonumber(ends) <= now then return -1 end
local added, i = 0, 2
while i <= #ARGV do
  local id, state, last = ARGV[i], ARGV[i + 1], i + 2 + ARGV[i + 2]
  local before = redis.call('HGET', p .. 'c:' .. id, 'o')
  if (not before or before == owner) and redis.call('EXISTS', p .. 'x:' .. id) == 0 then
    redis.call('HSET', p .. 'c:' .. id, 'o', owner, 's', state)
    redis.call('SADD', p .. 'o:' .. owner, id)
    for at = i + 3, last do
      redis.call('SADD', p .. 'r:' .. id, ARGV[at])
      redis.call('ZADD', p .. 'g:' .. ARGV[at], 0, id)
    end
    added = added + 1
  end
  i = last + 1
end
return added
`)

// removeScript takes the word, owner, id and a token. It returns 1 to who has removed it, however
// often it asks, and 2 to who asks first for one that isn't there, while the store may have lost
// it: the machine that has the connection knows that it was there. That is asked of a machine that
// nobody has judged, as far as the store remembers that.
var removeScript = redis.NewScript(preamble + memory + erase + `
local x, token = p .. 'x:' .. ARGV[3], ARGV[4]
local owner = redis.call('HGET', p .. 'c:' .. ARGV[3], 'o')
if owner == ARGV[2] then
  erase(ARGV[3], owner)
  redis.call('SET', x, token, 'PX', 60000)
  return 1
end
local by = redis.call('GET', x)
if by then return by == token and 1 or by == token .. '?' and 2 or 0 end
if owner or not lost or known and not redis.call('ZSCORE', p .. 'nodes', ARGV[2]) then return 0 end
redis.call('SET', x, token .. '?', 'PX', 60000)
return 2
`)

// discardScript takes owner and ids, and removes those that are the owner's.
var discardScript = redis.NewScript(preamble + erase + `
for i = 2, #ARGV do
  if redis.call('HGET', p .. 'c:' .. ARGV[i], 'o') == ARGV[1] then erase(ARGV[i], ARGV[1]) end
end
return 1
`)

// findScript takes the word and ids, and returns the place of each.
var findScript = redis.NewScript(preamble + place + `
local places = {}
for i = 2, #ARGV do places[i - 1] = place(ARGV[i]) end
return places
`)

// groupScript takes the word, a group, where to go on and how many. It returns ids and places in
// turn, or forgotten, as those that aren't there again are missing.
var groupScript = redis.NewScript(preamble + place + `
if lost then return -2 end
local all = {}
for _, id in ipairs(redis.call('ZRANGEBYLEX', p .. 'g:' .. ARGV[2], ARGV[3], '+', 'LIMIT', 0, ARGV[4])) do
  all[#all + 1] = id
  all[#all + 1] = place(id)
end
return all
`)

// enterScript takes the word, owner, group, id and "1" to enter, "0" to leave. It returns 0 if the
// id isn't the owner's. A machine that has registered goes on with what is there; before that it is
// forgotten, as a record that it is about to add has the groups of before.
var enterScript = redis.NewScript(preamble + memory + `
local r, g, id = p .. 'r:' .. ARGV[4], p .. 'g:' .. ARGV[3], ARGV[4]
if not known then return -2 end
if redis.call('HGET', p .. 'c:' .. id, 'o') ~= ARGV[2] then return lost and -2 or 0 end
if ARGV[5] == '1' then
  redis.call('SADD', r, ARGV[3])
  redis.call('ZADD', g, 0, id)
else
  redis.call('SREM', r, ARGV[3])
  redis.call('ZREM', g, id)
end
return 1
`)

// countScript takes the word and a group. It returns how many there are, or forgotten.
var countScript = redis.NewScript(preamble + memory + `
if lost then return -2 end
return redis.call('ZCARD', p .. 'g:' .. ARGV[2])
`)

// judgeScript takes the margin. Owners whose lease and margin are over lose the right to renew, at
// one instant: from then on their records are removed.
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
