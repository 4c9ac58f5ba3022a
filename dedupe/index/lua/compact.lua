-- Take removed articles out of what some keys hold.
--
-- ARGV[4]   numbers of removed articles, ascending
-- ARGV[5…]  names of keys, without the prefix
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

-- A bucket: values that are lists. What is counted only, having been cut, stays.
local function bucket(key)
  local all = call('HGETALL', key)
  for k = 1, #all, 2 do
    local value = all[k + 1]
    if #value % 4 == 0 then
      local kept = without(value)
      if kept == '' then
        call('HDEL', key, all[k])
      elseif kept ~= value then
        call('HSET', key, all[k], kept)
      end
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

for k = 5, #ARGV do
  local kind = sub(ARGV[k], 1, 1)
  if kind == 'p' or kind == 'f' then
    bucket(P .. ARGV[k])
  elseif kind == 'e' then
    edges(P .. ARGV[k])
  end
end
return { news() }
