-- Take removed articles out of what some keys hold.
--
-- ARGV[4]   numbers of removed articles, ascending
-- ARGV[5]   a posting of more articles than this was cut
-- ARGV[6…]  names of keys, without the prefix
local removed = {}
for at = 1, #ARGV[4], 4 do
  removed[sub(ARGV[4], at, at + 3)] = true
end

local function without(numbers)
  local kept = {}
  for at = 1, #numbers, 4 do
    local one = sub(numbers, at, at + 3)
    if not removed[one] then
      kept[#kept + 1] = one
    end
  end
  return table.concat(kept)
end

-- A bucket: of what was cut to its first articles the number of all stays.
local function bucket(key, most)
  local all = call('HGETALL', P .. key)
  for k = 1, #all, 2 do
    local field, value = all[k], all[k + 1]
    local long, kept = nil, value
    if #value % 4 == 0 then
      kept = without(value)
    else
      long = P .. 'l' .. sub(key, 2) .. field
      local list = without(call('GET', long) or '')
      if unpack('<I4', value) > most then
        kept = value
      else
        kept = #list <= 60 and list or pack('<I4B', #list / 4, 0)
      end
      local left = call('PTTL', long)
      call('DEL', long)
      if kept ~= list then
        call('SET', long, list)
        if left > 0 then
          call('PEXPIRE', long, left)
        end
      end
    end
    if kept == '' then
      call('HDEL', P .. key, field)
    elseif kept ~= value then
      call('HSET', P .. key, field, kept)
    end
  end
end

-- Pairs of an article: each once, and none with a removed one.
local function edges(key)
  local held, kept, seen = call('GET', key) or '', {}, {}
  for at = 1, #held, PAIR do
    local ends_ = sub(held, at, at + 7)
    if not (seen[ends_] or removed[sub(ends_, 1, 4)] or removed[sub(ends_, 5, 8)]) then
      seen[ends_] = true
      kept[#kept + 1] = sub(held, at, at + PAIR - 1)
    end
  end
  local all = table.concat(kept)
  if all == '' then
    call('DEL', key)
  elseif all ~= held then
    local left = call('PTTL', key)
    call('SET', key, all)
    if left > 0 then
      call('PEXPIRE', key, left)
    end
  end
end

for k = 6, #ARGV do
  local kind = sub(ARGV[k], 1, 1)
  if kind == 'p' or kind == 'f' then
    bucket(ARGV[k], tonumber(ARGV[5]))
  elseif kind == 'e' then
    edges(P .. ARGV[k])
  end
end
return { news() }
