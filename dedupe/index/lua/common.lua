-- What every script begins with: is the index there, and what is new since the caller last asked.
--
-- ARGV[1]  prefix of all keys, with its colon
-- ARGV[2]  epoch of the index as the caller knows it
-- ARGV[3]  what the caller knows of each slice: <I4 slice, I4 added, I4 removed, I4 verdicts
--
-- Articles are numbered; a number is written in four bytes, little-endian. Where articles expire,
-- time is cut into slices: what came in one goes in one moment. Keys, after the prefix:
--
--   meta        hash: what the index was made with
--   state       hash: what changes with every article
--   n<slice>    hash: first (number), added, count (articles there), removed, verdicts, pairs, links
--   o<slice>    sources of its articles, I4 each       x<slice>   numbers of removed articles
--   v<slice>    verdicts, 17 bytes each                source     hash: name of a source to number
--   i<digest>   of an id: I4 number, I4 since, I8 text hash
--   a<number>   the article; see below                 e<number>  its pairs, 49 bytes each
--   p<slice>:<bucket>           hash: key to its articles, or to <I4 how many, B 0 if over fifteen
--   l<slice>:<bucket><key>      articles of such a long posting
--   f<slice>:<bucket>           hash: fingerprint to the members of the family that it names
--   c<slice>:<bucket>           hash: family to how many articles of the slice are in it
--
-- An article: B unfinished, B has a family, I8 family, 8 bytes token of who entered it, I4 since, and
-- what the client makes of the rest, which begins with I8 fingerprint.

local P, call, sub, pack, unpack = ARGV[1], redis.call, string.sub, struct.pack, struct.unpack
local HEAD = 22
local PAIR = 49
local MOST_AT_ONCE = 1048576

local state = call('HMGET', P .. 'state', 'epoch', 'born', 'quarter', 'slice', 'next', 'shingles')
if state[1] ~= ARGV[2] then
  return redis.error_reply('GONE the index is not there')
end
local born, quarter = tonumber(state[2]), tonumber(state[3])
local current, following, shingles = tonumber(state[4]), tonumber(state[5]), tonumber(state[6])

if quarter > 0 then
  local time = call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  current = math.max(current, math.floor((now - born) / quarter))
end

-- When a slice ends: five quarters after it began, so that its last article stays for four.
local function ends(slice)
  return born + (slice + 5) * quarter
end

local function expire(key, slice)
  if quarter > 0 then
    call('PEXPIREAT', key, ends(slice))
  end
end

local slices = {}  -- those there, oldest first

local function open_slice(slice, first)
  local s = tostring(slice)
  local found = {
    slice = slice, first = first, added = 0, count = 0, removed = 0, verdicts = 0,
    n = P .. 'n' .. s, o = P .. 'o' .. s, x = P .. 'x' .. s, v = P .. 'v' .. s,
    p = P .. 'p' .. s .. ':', l = P .. 'l' .. s .. ':', f = P .. 'f' .. s .. ':',
    c = P .. 'c' .. s .. ':',
  }
  slices[#slices + 1] = found
  return found
end

for slice = math.max(0, current - 4), current do
  local there = call(
    'HMGET', P .. 'n' .. slice, 'first', 'added', 'count', 'removed', 'verdicts')
  if there[1] then
    local found = open_slice(slice, tonumber(there[1]))
    found.added, found.count = tonumber(there[2]), tonumber(there[3])
    found.removed, found.verdicts = tonumber(there[4]), tonumber(there[5])
  end
end

-- The slice that an article belongs to; nothing if it is over.
local function slice_of(number)
  for k = #slices, 1, -1 do
    if slices[k].first <= number then
      return slices[k]
    end
  end
end

-- The slice of what comes now.
local function newest()
  local last = slices[#slices]
  if last and last.slice == current then
    return last
  end
  last = open_slice(current, following)
  call('HSET', last.n, 'first', following, 'added', 0, 'count', 0, 'removed', 0, 'verdicts', 0,
    'pairs', 0, 'links', 0)
  expire(last.n, current)
  call('HSET', P .. 'state', 'slice', current)
  return last
end

-- Append to one of a slice's logs.
local function append(slice, log, what)
  local key = slice[log]
  call('APPEND', key, what)
  expire(key, slice.slice)
end

-- The bucket of a family: four thousand hold two million of them as small hashes.
local function family_bucket(family)
  return sub(family, 1, 1) .. string.char(string.byte(family, 2) % 16)
end

-- How many articles are in a family.
local function members_of(family)
  local members, bucket = 0, family_bucket(family)
  for k = 1, #slices do
    members = members + (tonumber(call('HGET', slices[k].c .. bucket, family)) or 0)
  end
  return members
end

-- What the caller does not know, at most a megabyte of each log: it asks again for more.
local function news()
  local known, at = {}, 1
  while at < #ARGV[3] do
    local slice, added, removed, verdicts
    slice, added, removed, verdicts, at = unpack('<I4I4I4I4', ARGV[3], at)
    known[slice] = { added, removed, verdicts }
  end
  local heads, tails = {}, {}
  local function tail(key, from, size)
    local found = ''
    if size > from then
      found = call('GETRANGE', key, from, math.min(size, from + MOST_AT_ONCE) - 1)
    end
    tails[#tails + 1] = found
    return #found
  end
  for k = 1, #slices do
    local s = slices[k]
    local of = known[s.slice] or { 0, 0, 0 }
    heads[k] = pack('<I4I4I4I4I4I4I4I4I4', s.slice, s.first, s.added, s.count, s.removed, s.verdicts,
      tail(s.o, of[1] * 4, s.added * 4),
      tail(s.x, of[2] * 4, s.removed * 4),
      tail(s.v, of[3] * 17, s.verdicts * 17))
  end
  return pack('<I8I8I4', following, shingles, #slices) .. table.concat(heads) .. table.concat(tails)
end
