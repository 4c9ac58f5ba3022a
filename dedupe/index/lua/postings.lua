-- Postings of some keys. Each key comes as three bytes of its bucket and six of its field in it.

-- All postings as <I4 which key, I4 how many articles, I4 how many listed, and then those listed; and
-- of each key the value in the last slice, which an article that comes now is written to, its bucket
-- there and its field.
local function gather(keys)
  local hits, lists, values, buckets, fields = {}, {}, {}, {}, {}
  local n_slices, n_lists = #slices, 0
  local at = 1
  for k = 1, #keys / 9 do
    local bucket, field = sub(keys, at, at + 2), sub(keys, at + 3, at + 8)
    at = at + 9
    local count, listed, name = 0, 0, nil
    for s = 1, n_slices do
      local slice = slices[s]
      name = slice.p .. bucket
      local value = call('HGET', name, field)
      if value then
        local size, list = #value, value
        if size % 4 == 0 then
          count, listed = count + size / 4, listed + size / 4
        else
          list = call('GET', slice.l .. bucket .. field) or ''
          count, listed = count + unpack('<I4', value), listed + #list / 4
        end
        n_lists = n_lists + 1
        lists[n_lists] = list
        if slice.slice == current then
          values[k] = value
        end
      end
    end
    buckets[k], fields[k] = name, field
    if count > 0 then
      hits[#hits + 1] = pack('<I4I4I4', k - 1, count, listed)
    end
  end
  return table.concat(hits), table.concat(lists), values, buckets, fields
end
