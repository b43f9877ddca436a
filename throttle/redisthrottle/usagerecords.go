package redisthrottle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// A table is one sorted set of members of one score, which Redis keeps in the order of their bytes.
// The first byte tells what a member is:
//
//	\0 last NUL forgot NUL born NUL kept the latest change, the latest deletion that was forgotten,
//	                                    what the first change came after, and how many deletions
//	                                    are remembered
//	\1 number NUL ID                    a deletion that is remembered, in the order of numbers
//	\2 ID NUL number                    the same by ID
//	ID NUL revision NUL number NUL data a record with the number of its last change; IDs are visible
//	                                    characters
//	\177 c or n number NUL ID           the last change of a record, or of what was one, in the order
//	                                    of numbers; n if it is new (usageplan.Span.New)
//
// Numbers of changes have sixteen digits, so that their order is that of their text. They are
// microseconds of Redis' clock, or one more than the last one: so a set that was lost, and is
// written anew, doesn't use a number again, and whoever has seen the old one notices.
const recordLua = `
local table = KEYS[1]

local function first(min, max)
  return redis.call('ZRANGEBYLEX', table, min, max, 'LIMIT', 0, 1)[1]
end

local function find(id)
  return first('[' .. id .. '\0', '(' .. id .. '\1')
end

local last, forgot, born, kept = '0', '0', '0', 0
local state = first('-', '(\1')
if state then
  last, forgot, born, kept = string.match(state, '^%z(%d+)%z(%d+)%z(%d+)%z(%d+)$')
  kept = tonumber(kept)
end

local function number(record)
  return string.match(record, '^[^%z]+%z%d+%z(%d+)')
end

-- change logs a change of a record whose last one had the number before, if any, and returns its own.
local function change(id, before)
  local now = redis.call('TIME')
  local n = math.max(tonumber(last) + 1, now[1] * 1000000 + now[2])
  if not state then born = string.format('%016.0f', n - 1) end
  last = string.format('%016.0f', n)
  local kind = 'n'
  if before then
    kind = 'c'
    redis.call('ZREM', table, '\127c' .. before .. '\0' .. id, '\127n' .. before .. '\0' .. id)
  end
  redis.call('ZADD', table, 0, '\127' .. kind .. last .. '\0' .. id)
  return last
end

local function save()
  if state then redis.call('ZREM', table, state) end
  redis.call('ZADD', table, 0, '\0' .. last .. '\0' .. forgot .. '\0' .. born .. '\0' .. string.format('%.0f', kept))
end

-- exhume takes out that a record was deleted, and returns the number of that change, if it was.
local function exhume(id)
  local gone = first('[\2' .. id .. '\0', '(\2' .. id .. '\1')
  if not gone then return nil end
  local n = string.sub(gone, #id + 3)
  redis.call('ZREM', table, gone, '\1' .. n .. '\0' .. id)
  kept = kept - 1
  return n
end
`

var putScript = redis.NewScript(recordLua + `
local id, revision, data = ARGV[1], ARGV[2], ARGV[3]
local old, have, before = find(id), '0', nil
if old then have = string.match(string.sub(old, #id + 2), '^%d+') end
if have ~= revision then return 0 end
if old then
  before = number(old)
  redis.call('ZREM', table, old)
else
  before = exhume(id)
end
local n = change(id, before)
redis.call('ZADD', table, 0, id .. '\0' .. string.format('%.0f', revision + 1) .. '\0' .. n .. '\0' .. data)
save()
return 1
`)

var deleteScript = redis.NewScript(recordLua + `
local id, most = ARGV[1], tonumber(ARGV[2])
local old = find(id)
if not old then return 1 end
local n = change(id, number(old))
redis.call('ZREM', table, old)
redis.call('ZADD', table, 0, '\1' .. n .. '\0' .. id, 0, '\2' .. id .. '\0' .. n)
kept = kept + 1
while kept > most do
  local oldest, gone = string.match(first('(\1', '(\2'), '^\1(%d+)%z(.*)$')
  exhume(gone)
  redis.call('ZREM', table, '\127c' .. oldest .. '\0' .. gone)
  forgot = oldest
end
save()
return 1
`)

// changesScript returns changes and the records that they are of, up to a number of bytes, so that
// a page of large records doesn't stop Redis.
var changesScript = redis.NewScript(recordLua + `
local since, before, limit, bytes, kind, all = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
if tonumber(since) > tonumber(last) or tonumber(since) > 0 and tonumber(since) < tonumber(born) then return {'forgotten'} end
if kind == 'c' and all == '' and tonumber(since) < tonumber(forgot) then return {'forgotten'} end -- no deletion is new
local found = redis.call('ZREVRANGEBYLEX', table, '(\127' .. kind .. before, '(\127' .. kind .. since .. '\1', 'LIMIT', 0, limit)
local answer = {'changes'}
for _, member in ipairs(found) do
  local n, id = string.match(member, '^\127.(%d+)%z(.*)$')
  local record = find(id) or ''
  answer[#answer + 1] = n
  answer[#answer + 1] = id
  answer[#answer + 1] = record
  bytes = bytes - #record
  if bytes < 0 then break end
end
return answer
`)

const (
	keptDeletions = 10_000
	maxPageBytes  = 4 << 20
)

func (s *Store) table(t usageplan.Table) string { return s.prefix + string(t) }

func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// failed names the operation. The cause is go-redis' own, and not one that callers are to tell
// apart.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redisthrottle: %s: %v", op, err)
}

// Get implements [usageplan.Store].
func (s *Store) Get(ctx context.Context, t usageplan.Table, id string) (usageplan.Record, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	found, err := s.client.ZRangeByLex(ctx, s.table(t),
		&redis.ZRangeBy{Min: "[" + id + "\x00", Max: "(" + id + "\x01", Count: 1}).Result()
	if err != nil {
		return usageplan.Record{}, failed("get a record", err)
	}
	if len(found) == 0 {
		return usageplan.Record{}, fmt.Errorf("%w: %s", usageplan.ErrNotFound, t)
	}
	return parseMember(found[0])
}

var errMember = errors.New("redisthrottle: Redis has a record that isn't one")

func parseMember(member string) (usageplan.Record, error) {
	id, rest, ok := strings.Cut(member, "\x00")
	revision, rest, ok2 := strings.Cut(rest, "\x00")
	_, data, ok3 := strings.Cut(rest, "\x00")
	n, err := strconv.ParseInt(revision, 10, 64)
	if !ok || !ok2 || !ok3 || err != nil || id == "" || n < 1 {
		return usageplan.Record{}, errMember
	}
	return usageplan.Record{ID: id, Revision: n, Data: []byte(data)}, nil
}

// Put implements [usageplan.Store].
func (s *Store) Put(ctx context.Context, t usageplan.Table, r usageplan.Record) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	done, err := putScript.Run(ctx, s.client, []string{s.table(t)}, r.ID, r.Revision, r.Data).Int()
	if err != nil {
		return failed("put a record", err)
	}
	if done == 0 {
		return fmt.Errorf("%w: %s", usageplan.ErrConflict, t)
	}
	return nil
}

// Delete implements [usageplan.Store].
func (s *Store) Delete(ctx context.Context, t usageplan.Table, id string) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	if t == usageplan.Keys {
		if err := s.client.HDel(ctx, s.usedName(), id).Err(); err != nil {
			return failed("delete a record", err)
		}
	}
	return failed("delete a record", deleteScript.Run(ctx, s.client, []string{s.table(t)}, id, s.kept).Err())
}

// List implements [usageplan.Store].
func (s *Store) List(ctx context.Context, t usageplan.Table, after string, limit int) ([]usageplan.Record, error) {
	if limit <= 0 {
		return nil, nil
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	least := "(\x03"
	if after != "" {
		least = "(" + after + "\x01"
	}
	found, err := s.client.ZRangeByLex(ctx, s.table(t),
		&redis.ZRangeBy{Min: least, Max: "(\x7f", Count: int64(limit)}).Result()
	if err != nil {
		return nil, failed("list records", err)
	}
	list := make([]usageplan.Record, len(found))
	for i, member := range found {
		if list[i], err = parseMember(member); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// maxNumber is higher than any change's.
const maxNumber = 1e16 - 1

// Changes implements [usageplan.Store].
func (s *Store) Changes(ctx context.Context, span usageplan.Span, limit int) ([]usageplan.Change, error) {
	if limit <= 0 {
		return nil, nil
	}
	before, kind, all := span.Before, "c", ""
	if span.Since < 0 {
		all = "all"
	}
	if span.New {
		kind = "n"
	}
	if before <= 0 || before > maxNumber {
		before = maxNumber
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	args := []any{fmt.Sprintf("%016d", min(max(span.Since, 0), maxNumber)), fmt.Sprintf("%016d", before),
		min(limit, math.MaxInt32), maxPageBytes, kind, all}
	answer, err := changesScript.Run(ctx, s.client, []string{s.table(span.Table)}, args...).StringSlice()
	if err != nil {
		return nil, failed("look for changes", err)
	}
	if len(answer) > 0 && answer[0] == "forgotten" {
		return nil, usageplan.ErrForgotten
	}
	if len(answer)%3 != 1 {
		return nil, errMember
	}
	list := make([]usageplan.Change, 0, len(answer)/3)
	for i := 1; i < len(answer); i += 3 {
		c := usageplan.Change{Record: usageplan.Record{ID: answer[i+1]}}
		if c.Number, err = strconv.ParseInt(answer[i], 10, 64); err != nil || c.Number < 1 || c.ID == "" {
			return nil, errMember
		}
		if member := answer[i+2]; member != "" {
			if c.Record, err = parseMember(member); err != nil || c.ID != answer[i+1] {
				return nil, errMember
			}
		}
		list = append(list, c)
	}
	return list, nil
}
