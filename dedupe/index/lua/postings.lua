-- Postings of some keys. Each key comes as three bytes of its bucket and six of its field in it.

-- What a bucket has of a key: the value as it is, how many articles, those listed.
local function look(slice, bucket, field)
  local value = call('HGET', slice.p .. bucket, field)
  if not value then
    return nil, 0, ''
  end
  if #value % 4 == 0 then
    return value, #value / 4, value
  end
  return value, unpack('<I4', value), call('GET', slice.l .. bucket .. field) or ''
end

-- All postings as <I4 which key, I4 how many articles, I4 how many listed, and then those listed;
-- and the values in the last slice, which an article that comes now is written to.
local function gather(keys)
  local hits, lists, values = {}, {}, {}
  for k = 1, #keys / 9 do
    local bucket, field = sub(keys, 9 * k - 8, 9 * k - 6), sub(keys, 9 * k - 5, 9 * k)
    local count, listed = 0, 0
    for s = 1, #slices do
      local slice = slices[s]
      local value, here, list = look(slice, bucket, field)
      if value then
        count, listed = count + here, listed + #list / 4
        lists[#lists + 1] = list
        if slice.slice == current then
          values[k] = value
        end
      end
    end
    if count > 0 then
      hits[#hits + 1] = pack('<I4I4I4', k - 1, count, listed)
    end
  end
  return table.concat(hits), table.concat(lists), values
end
