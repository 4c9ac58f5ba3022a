-- Changes that several scripts make.

-- Append to a short string. APPEND would leave as much room again after it.
local function extend(key, what, slice)
  local before = call('GET', key) or ''
  if #before > 16384 then
    call('APPEND', key, what)
  else
    call('SET', key, before .. what)
  end
  expire(key, slice)
end

-- One article more or less of a family. `has` is <B has a family, I8 family.
local function count_member(slice, has, one)
  if string.byte(has, 1) == 1 then
    local family = sub(has, 2)
    local bucket = slice.c .. family_bucket(family)
    if call('HINCRBY', bucket, family, one) <= 0 then
      call('HDEL', bucket, family)
    end
    expire(bucket, slice.slice)
  end
end

-- Remove an article, if it is there, with its pairs.
local function remove(number)
  local bytes = pack('<I4', number)
  local article, edges = P .. 'a' .. bytes, P .. 'e' .. bytes
  local slice = slice_of(number)
  if not slice or call('EXISTS', article) == 0 then
    return false
  end
  local held = call('GET', edges) or ''
  for at = 1, #held, PAIR do
    local later, earlier = unpack('<I4I4', held, at)
    local other = later == number and earlier or later
    local of = slice_of(later)
    if of and call('EXISTS', P .. 'a' .. pack('<I4', other)) == 1 then
      call('HINCRBY', of.n, 'pairs', -1)
      if string.byte(held, at + PAIR - 1) == 1 then
        call('HINCRBY', of.n, 'links', -1)
      end
    end
  end
  count_member(slice, call('GETRANGE', article, 1, 9), -1)
  slice.removed, slice.count = slice.removed + 1, slice.count - 1
  call('HSET', slice.n, 'removed', slice.removed, 'count', slice.count)
  append(slice, 'x', bytes)
  call('DEL', article, edges)
  return true
end

-- These articles are finished: their pairs and families are kept.
local function finish(numbers)
  for at = 1, #numbers, 4 do
    local article = P .. 'a' .. sub(numbers, at, at + 3)
    if call('EXISTS', article) == 1 then
      call('SETRANGE', article, 0, '\0')
    end
  end
end

-- Keep pairs with both of their articles, where these are there.
local function keep_pairs(pairs_)
  local counted, added = {}, {}
  local slices_of = {}  -- by the bytes of a number; false where there is no such article (any more)
  local function there(number)
    if slices_of[number] == nil then
      local slice = slice_of((unpack('<I4', number)))
      slices_of[number] = slice and call('EXISTS', P .. 'a' .. number) == 1 and slice or false
    end
    return slices_of[number]
  end
  for at = 1, #pairs_, PAIR do
    local later, earlier = sub(pairs_, at, at + 3), sub(pairs_, at + 4, at + 7)
    if there(later) and there(earlier) then
      local one = sub(pairs_, at, at + PAIR - 1)
      for _, number in ipairs({ later, earlier }) do
        added[number] = added[number] or {}
        table.insert(added[number], one)
      end
      local counts = counted[there(later)] or { 0, 0 }
      counted[there(later)] = counts
      counts[1] = counts[1] + 1
      counts[2] = counts[2] + string.byte(one, PAIR)
    end
  end
  for number, parts in pairs(added) do
    extend(P .. 'e' .. number, table.concat(parts), there(number).slice)
  end
  for slice, counts in pairs(counted) do
    call('HINCRBY', slice.n, 'pairs', counts[1])
    call('HINCRBY', slice.n, 'links', counts[2])
  end
end

-- Put pairs in the place of what is known of the same two articles; the others are kept.
local function replace_pairs(pairs_)
  for at = 1, #pairs_, PAIR do
    local one, found = sub(pairs_, at, at + PAIR - 1), false
    local both = sub(one, 1, 8)
    for side = 1, 5, 4 do
      local key = P .. 'e' .. sub(one, side, side + 3)
      local held = call('GET', key) or ''
      for place = 1, #held, PAIR do
        if sub(held, place, place + 7) == both then
          call('SETRANGE', key, place - 1, one)
          local slice = slice_of((unpack('<I4', one)))
          if not found and slice then
            found = true
            call('HINCRBY', slice.n, 'links',
              string.byte(one, PAIR) - string.byte(held, place + PAIR - 1))
          end
          break
        end
      end
    end
    if not found then
      keep_pairs(one)
    end
  end
end

-- Keep verdicts.
local function learn(verdicts)
  if verdicts ~= '' then
    local slice = newest()
    slice.verdicts = slice.verdicts + #verdicts / 17
    call('HSET', slice.n, 'verdicts', slice.verdicts)
    append(slice, 'v', verdicts)
  end
end
