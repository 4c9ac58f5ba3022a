-- Keep new articles, and give postings as they were before, in one step.
--
-- ARGV[4]  token of this call: sent again, it finds what it did the first time
-- ARGV[5]  a posting lists no more than so many articles, or fifteen
-- ARGV[6]  keys
-- ARGV[7]  shingles of the articles
-- ARGV[8]  numbers of articles that are finished
-- ARGV[9]  of each article: 16 bytes digest of its id, 8 bytes text hash, 4 bytes source
-- ARGV[10]  '1': nothing is entered if an id is there; who asks is told what is known of the ids
-- ARGV[11…]  of each article: what is kept of it, and which keys it has, I4 each; all if empty
local token, keys = ARGV[4], ARGV[6]
local most = tonumber(ARGV[5])

local statuses, fresh, revised = {}, {}, false
finish(ARGV[8])

local ids, heads, met, again = {}, {}, false, false
for at = 1, #ARGV[9], 28 do
  local known = call('GET', P .. 'i' .. sub(ARGV[9], at, at + 15))
  local head = known and call('GETRANGE', P .. 'a' .. sub(known, 1, 4), 0, HEAD - 1) or ''
  local there = #head == HEAD
  ids[#ids + 1], heads[#heads + 1] = there and known or string.rep('\0', 16), head
  met, again = met or there, again or (there and sub(head, 11, 18) == token)
end
if ARGV[10] == '1' and met and not again then
  return { news(), '', table.concat(ids), '' }
end

local now = newest()
for at = 1, #ARGV[9], 28 do
  local digest, text_hash = sub(ARGV[9], at, at + 15), sub(ARGV[9], at + 16, at + 23)
  local known, head = ids[(at + 27) / 28], heads[(at + 27) / 28]
  local status, since = 0, nil
  if #head == HEAD then
    if sub(known, 9, 16) == text_hash then
      status = 2  -- unchanged
      if sub(head, 11, 18) == token then
        status = 4  -- what the first try of this call entered
      elseif string.byte(head, 1) == 1 then
        status = 3  -- unchanged, and its pairs are not kept yet
      end
      statuses[#statuses + 1] = pack('<I4', status) .. sub(known, 1, 8)
    else
      status, since, revised = 1, sub(known, 5, 8), true
      remove((unpack('<I4', known)))
    end
  end
  if status < 2 then
    if following >= 4294967295 then
      return redis.error_reply('FULL')
    end
    local number = pack('<I4', following)
    since = since or number
    fresh[#fresh + 1] = {
      number = number, since = since, digest = digest, text_hash = text_hash,
      source = sub(ARGV[9], at + 24, at + 27), place = 11 + 2 * ((at - 1) / 28),
    }
    following = following + 1
    statuses[#statuses + 1] = pack('<I4', status) .. number .. since
  end
end

local hits, lists, values, buckets, fields = gather(keys)

-- A full list without the articles that are gone; whether there were any. Looked at when one may have
-- gone: a page that is revised again and again would fill the lists of its words with its former selves.
local function lighten(long)
  local list, kept = call('GET', long) or '', {}
  for at = 1, #list, 4 do
    local one = sub(list, at, at + 3)
    if call('EXISTS', P .. 'a' .. one) == 1 then
      kept[#kept + 1] = one
    end
  end
  if #kept * 4 == #list then
    return false
  end
  call('SET', long, table.concat(kept))
  expire(long, now.slice)
  return true
end

-- A value with one more article. More than fifteen are kept beside the bucket, the first `most` of
-- them: of these who asks takes the first few that are not removed.
local function with(k, value, number)
  if #value % 4 == 0 and #value < 60 then
    return value .. number
  end
  local long = now.l .. sub(keys, 9 * k - 8, 9 * k)
  local count = 16
  if #value % 4 == 0 then
    call('SET', long, value .. number)
    expire(long, now.slice)
  else
    count = unpack('<I4', value) + 1
    local room = count <= most or call('STRLEN', long) < 4 * most
    if room or ((revised or count % 16 == 0) and lighten(long)) then
      extend(long, number, now.slice)
    end
  end
  return pack('<I4B', count, 0)
end

if #fresh > 0 then
  local changed = {}
  local sources = {}
  for k = 1, #fresh do
    local one = fresh[k]
    local of, number = ARGV[one.place + 1], one.number
    if of == '' then
      for key = 1, #keys / 9 do
        local value = values[key]
        values[key] = value and with(key, value, number) or number
        changed[key] = true
      end
    else
      for at = 1, #of, 4 do
        local key = unpack('<I4', of, at) + 1
        local value = values[key]
        values[key] = value and with(key, value, number) or number
        changed[key] = true
      end
    end
    sources[k] = one.source
    -- One that meets nobody has no pairs to wait for.
    local unfinished = (hits ~= '' or #fresh > 1) and '\1' or '\0'
    local article, id = P .. 'a' .. one.number, P .. 'i' .. one.digest
    call('SET', article,
      unfinished .. string.rep('\0', 9) .. token .. one.since .. ARGV[one.place])
    call('SET', id, one.number .. one.since .. one.text_hash)
    expire(article, now.slice)
    expire(id, now.slice)
  end
  for key in pairs(changed) do
    if call('HSET', buckets[key], fields[key], values[key]) == 1 then
      expire(buckets[key], now.slice)
    end
  end
  now.added, now.count = now.added + #fresh, now.count + #fresh
  shingles = shingles + tonumber(ARGV[7])
  append(now, 'o', table.concat(sources))
  call('HSET', now.n, 'added', now.added, 'count', now.count)
  call('HSET', P .. 'state', 'next', following, 'shingles', shingles)
end

return { news(), table.concat(statuses), hits, lists }
